"""The calls behind a record: `GET /{resource}/{id}/sync/calls`."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fieldcamp.api.examples import example
from fieldcamp.api.pagination import decode_cursor, encode_cursor, list_name, page_limit
from fieldcamp.api.parameters import CURSOR, LIMIT
from fieldcamp.api.serializers import InstantField
from fieldcamp.api.views import ok
from integrations.api.record_views import OneRecordView, for_each_kind
from integrations.ledger import call_rows, calls
from integrations.models import CallPurpose, RecordCall
from integrations.providers import PROVIDERS
from integrations.selectors.calls import calls_of
from integrations.selectors.subjects import local_kind

_PROVIDER = next(iter(PROVIDERS.values()))
EXAMPLE: dict[str, Any] = {
    "id": "cal_01HZX2Q8YV3D1G0N3WJ2P7K9MA",
    "at": "2026-05-29T14:21:09Z",
    "integration": _PROVIDER.name,
    "connectionId": "con_01HZX2Q8YV3D1G0N3WJ2P7K9MG",
    "jobId": "syn_01HZX2Q8YV3D1G0N3WJ2P7K9MA",
    "remoteId": "8d2k1m0v7c",
    "purpose": "update",
    "method": "POST",
    "path": "/batch",
    "status": 200,
    "failure": None,
    "ms": 212,
    "trace": None,
    "part": {"method": "PATCH", "path": "/calendars/main/events/8d2k1m0v7c", "status": 412},
    "request": {"start": "2026-06-01T09:00:00Z", "end": "2026-06-01T10:00:00Z"},
    "response": None,
    "error": {"code": "CONFLICT", "message": "It was changed there meanwhile.", "detail": None},
}
_FIELDS_HELP = (
    "Fields of this record by FieldCamp's names for them, as they went. Long texts are cut, and what looks like a "
    "secret is left out."
)


class CallPartSerializer(serializers.Serializer):
    """This record's share of a batch."""

    method = serializers.CharField()
    path = serializers.CharField()
    status = serializers.IntegerField(allow_null=True, help_text="Null where there was no answer to it.")


class CallErrorSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="As in `errors[]` of jobs and status.")
    message = serializers.CharField(allow_null=True)
    detail = serializers.CharField(allow_null=True, help_text="The provider's own words, without secrets.")


class RecordCallSerializer(serializers.Serializer):
    """One call to a provider about one record. Nothing of other records that were in it is kept."""

    id = serializers.CharField()
    at = serializers.DateTimeField(help_text="When it was sent.")
    integration = serializers.CharField()
    connectionId = serializers.CharField()
    jobId = serializers.CharField(allow_null=True, help_text="Null where somebody who read the change feed has looked.")
    remoteId = serializers.CharField(allow_null=True, help_text="The record's id there.")
    purpose = serializers.ChoiceField(
        CallPurpose.values,
        help_text="`list`: a page of a listing had news of it. `look`: it was asked for by itself. Others are writes.",
    )
    method = serializers.CharField()
    path = serializers.CharField(help_text="Without its query.")
    status = serializers.IntegerField(allow_null=True, help_text="HTTP's; null where no answer came.")
    failure = serializers.CharField(allow_null=True, help_text="What went wrong where no answer came.")
    ms = serializers.IntegerField()
    trace = serializers.CharField(allow_null=True, help_text="The provider's own name for it, for its support.")
    part = CallPartSerializer(allow_null=True, help_text="Of a batch: this record's share of it.")
    request = serializers.DictField(allow_null=True, help_text=_FIELDS_HELP)
    response = serializers.DictField(allow_null=True, help_text="The same of what came back. Null: nothing of it.")
    error = CallErrorSerializer(allow_null=True, help_text="Why the write was not done.")


def call_row(call: RecordCall, *, hidden: bool = False) -> dict[str, Any]:
    """Returns a call as the API says it; `hidden`: without a word of the record."""
    has_answer = call.status.isdigit()
    error = {name: text or None for name, text in call.error.items()} if call.error else None
    if error and hidden:
        error |= {"message": None, "detail": None}
    return {
        "id": call.pk,
        "at": InstantField().to_representation(call.at),
        "integration": call.stream.connection.integration,
        "connectionId": call.stream.connection_id,
        "jobId": call.job or None,
        "remoteId": call.remote_id or None,
        "purpose": call.purpose,
        "method": call.method,
        "path": call.path,
        "status": int(call.status) if has_answer else None,
        "failure": None if has_answer else call.status,
        "ms": call.ms,
        "trace": call.trace or None,
        "part": call.part,
        "request": None if hidden else call.request,
        "response": None if hidden else call.response,
        "error": error,
    }


class RecordCallsView(OneRecordView):
    """The calls behind one record of one kind."""

    def get(self, request: Request, record_id: str) -> Response:
        """Answers with the calls behind the record, the newest first."""
        limit = page_limit(request)
        record = self.record(record_id)
        name = list_name(request.path, self.workspace.pk, {})
        cursor = request.query_params.get("cursor")
        before = decode_cursor(name, cursor)[0] if cursor is not None else ""
        found = calls_of(record, limit + 1, before)
        page, more = found[:limit], len(found) > limit
        next_cursor = encode_cursor(name, [page[-1].pk]) if more else None
        rows = [call_row(call, hidden=record.deleted_at is not None) for call in page]
        return ok(request, rows, next_cursor=next_cursor, limit=limit)


# The reference takes a view's own words and adds the scopes to them.
RecordCallsView.get.__doc__ = f"""\
The calls to providers behind this record, the newest first: what was sent about it, and what came back.

They are kept for {settings.RECORD_CALL_RETENTION_DAYS} days (the operator of the site chooses how many),
{call_rows.MOST} at most in each calendar or kind of the books' records; of one sync the first {calls.MOST}. They have
no secrets and nothing of other records, and go when the account is disconnected. Of a record that was deleted the calls
are named without a word of it."""


def _described(kind: str) -> Any:
    return extend_schema(
        operation_id=f"list_{local_kind(kind)}_calls",
        parameters=[CURSOR, LIMIT],
        responses=RecordCallSerializer(many=True),
        examples=[example([EXAMPLE])],
    )


CALLS_VIEWS = for_each_kind(RecordCallsView, "CallsView", _described)
