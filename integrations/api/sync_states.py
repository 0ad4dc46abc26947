"""Why a record is synced, or is not: `GET /{resource}/{id}/sync`, and `include=sync` in the lists of records."""

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fieldcamp.api.examples import example
from fieldcamp.api.serializers import InstantField
from fieldcamp.api.views import ok
from fieldcamp.workspace.models import Change
from fieldcamp.workspace.rest.including import SYNC, Inclusion, register_inclusion
from fieldcamp.workspace.tracking import TrackedModel
from integrations.api.record_views import SCOPE, OneRecordView, for_each_kind
from integrations.api.sync_state_examples import example_of, fields_example_of
from integrations.providers import PROVIDERS
from integrations.selectors.provenance import fields_of
from integrations.selectors.subjects import kinds_of, local_kind
from integrations.services.sync_state.reasons import REASONS, RecordState
from integrations.services.sync_state.states import SyncStateRow, sync_state, sync_states


class AwaitedRecordSerializer(serializers.Serializer):
    type = serializers.CharField(help_text="The resource that has it, such as `client`.")
    id = serializers.CharField()


class RecordSyncRowSerializer(serializers.Serializer):
    """How a record stands with one account."""

    integration = serializers.ChoiceField(sorted(PROVIDERS))
    connectionId = serializers.CharField(allow_null=True, help_text="Null where nobody is connected.")
    place = serializers.CharField(allow_null=True, help_text="The calendar, or which records of the books.")
    state = serializers.ChoiceField(
        [state.value for state in RecordState],
        help_text="`pending` goes on by itself; `held` waits for a person to let it go on, `problem` for an answer or "
        "a mend. `excluded`: by a rule or a choice. `not_connected`: there is no account.",
    )
    reason = serializers.ChoiceField(
        REASONS, allow_null=True, help_text="Why it is not in step, as a stable word. Null where it is `synced`."
    )
    why = serializers.CharField(allow_null=True, help_text="The same as a sentence. Null where it is `synced`.")
    nextStep = serializers.CharField(allow_null=True, help_text="What to do. Null where it is `synced`.")
    problemIds = serializers.ListField(child=serializers.CharField(), help_text="The problems to answer.")
    waitsFor = AwaitedRecordSerializer(allow_null=True, help_text="The record that has to be there first.")
    remoteId = serializers.CharField(allow_null=True, help_text="Its counterpart there, while there is one.")
    remoteUrl = serializers.URLField(allow_null=True, help_text="That one's page, where it has one.")
    lastPushedAt = InstantField(allow_null=True, help_text="When a write of FieldCamp's was last accepted there.")
    lastPulledAt = InstantField(allow_null=True, help_text="When a change there was last taken over.")


@extend_schema_serializer(component_name="RecordSync")
class RecordSyncSerializer(serializers.Serializer):
    """How a record stands with every account that may have it."""

    recordId = serializers.CharField()
    integrations = RecordSyncRowSerializer(many=True)


class FieldSetterSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(Change.Source.values, help_text="`system` is FieldCamp itself.")
    name = serializers.CharField(allow_null=True, help_text="The person, the key or the account.")


class FieldSourceSerializer(serializers.Serializer):
    """Who set a field last."""

    field = serializers.CharField(help_text="As the record's own answer calls it.")
    setBy = FieldSetterSerializer(allow_null=True, help_text="Null where it was set before the history begins.")
    at = InstantField(allow_null=True)
    jobId = serializers.CharField(allow_null=True, help_text="The sync that took it over.")
    integration = serializers.ChoiceField(sorted(PROVIDERS), allow_null=True)


@extend_schema_serializer(component_name="RecordSyncDetail")
class RecordSyncDetailSerializer(RecordSyncSerializer):
    """How a record stands with every account that may have it, and who set each of its fields."""

    fields_ = FieldSourceSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {"fields" if name == "fields_" else name: field for name, field in fields.items()}


def shown(record_id: str, rows: Sequence[SyncStateRow]) -> dict[str, Any]:
    """Returns how a record stands, as the API says it."""
    return {"recordId": record_id, "integrations": [_row(row) for row in rows]}


def _row(row: SyncStateRow) -> dict[str, Any]:
    told, moment = row.explanation, InstantField().to_representation
    return {
        "integration": row.integration,
        "connectionId": row.connection_id,
        "place": row.place or None,
        "state": told.state.value,
        "reason": told.reason or None,
        "why": told.sentence or None,
        "nextStep": told.next_step or None,
        "problemIds": list(told.problem_ids),
        "waitsFor": {"type": local_kind(told.awaited[0]), "id": told.awaited[1]} if told.awaited else None,
        "remoteId": row.remote_id,
        "remoteUrl": row.remote_url,
        "lastPushedAt": moment(row.last_pushed_at) if row.last_pushed_at else None,
        "lastPulledAt": moment(row.last_pulled_at) if row.last_pulled_at else None,
    }


class RecordSyncView(OneRecordView):
    """How one record of one kind stands."""

    def get(self, request: Request, record_id: str) -> Response:
        """Why the record is synced, or is not: a row for each account that may have it, with what to do about it.

        A record that was deleted is answered, too. Where several things stand in the way, the one is told that has to
        be dealt with first. [All reasons](/api/docs/sync-state) stand on a page of their own."""
        record = self.record(record_id)
        return ok(request, {**shown(record_id, sync_state(record)), "fields": fields_of(record)})


def _described(kind: str) -> Any:
    return extend_schema(
        operation_id=f"read_{local_kind(kind)}_sync_state",
        responses=RecordSyncDetailSerializer,
        examples=[example({**example_of(kind), "fields": fields_example_of(kind)})],
    )


VIEWS = for_each_kind(RecordSyncView, "SyncView", _described)


def _read(workspace_id: str, records: Sequence[TrackedModel]) -> Mapping[str, Any]:
    if not records:
        return {}
    ids = [str(record.pk) for record in records]
    states = sync_states(workspace_id, kinds_of(records[0])[0], ids)
    return {record_id: shown(record_id, states.get(record_id, [])) for record_id in ids}


def include_states() -> None:
    """Lets lists of records show how each of them stands."""
    register_inclusion(SYNC, Inclusion(SCOPE, RecordSyncSerializer, _read))
