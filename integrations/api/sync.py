"""The trigger, the change feed and the status of each integration."""

from functools import partial
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fieldcamp.api.errors import ApiError, validation_error
from fieldcamp.api.etags import tagged
from fieldcamp.api.idempotency import IdempotentAnswer, canonical, replay_or_run
from fieldcamp.api.pagination import decode_cursor, encode_cursor, instant_parameter, page_limit, truth_parameter
from fieldcamp.api.views import ApiView
from integrations.api.clients import client_is_gone
from integrations.api.errors import as_api_errors
from integrations.api.reference import status_reference, sync_reference
from integrations.api.serializers import trigger_body
from integrations.models import Connection, SyncJob
from integrations.providers.base import Provider
from integrations.records import instant
from integrations.selectors.feed import change
from integrations.selectors.jobs import trigger_answer
from integrations.selectors.status import status
from integrations.services.feed import LONGEST_WAIT, FeedQuery, read_feed
from integrations.services.jobs import check_trigger, create_job, require_connected
from integrations.services.plans import check_plain_trigger

RETRY_WAIT = "5"  # seconds: where too many wait already, and the answer came at once


class IntegrationView(ApiView):
    """A view of one integration: `of(provider)` makes the one of each."""

    tag = "Sync"
    provider: ClassVar[Provider]


class SyncView(IntegrationView):
    required_scopes = {"GET": "integrations:read", "POST": "integrations:write"}
    idempotent_methods = ("POST",)
    raises = {
        "POST": ("INTEGRATION_NOT_CONNECTED", "SYNC_IN_PROGRESS", "NOT_FOUND", "INVALID_TRANSITION"),
        "GET": ("INTEGRATION_NOT_CONNECTED", "CURSOR_EXPIRED"),
    }

    @classmethod
    def of(cls, provider: Provider) -> type[APIView]:
        view = type(f"{provider.name.title().replace('_', '')}SyncView", (cls,), {"provider": provider})
        return sync_reference(provider, view)

    def post(self, request: Request) -> HttpResponseBase:
        """Starts a sync of every account that works, or of one. One job at a time: a second trigger is 409.

        With `dry_run` it makes a plan, and changes nothing. Where the company wants plans approved, it is 409 without:
        see the plan's `/apply`. The schedule goes on by itself, and people at the desk start what they like."""
        provider = self.provider
        wanted = trigger_body(provider, request.data)
        fingerprint = canonical(wanted)
        connection_id = wanted.pop("connection_id", None)
        target: dict[str, Any] = {"workspace": self.workspace, "integration": provider.name, "connection": None}

        def guards() -> None:
            if connection_id is not None:
                target["connection"] = self._connection(connection_id)
            with as_api_errors():
                if not wanted["dry_run"]:
                    check_plain_trigger(self.workspace, provider.name)
                check_trigger(**target)

        def create() -> IdempotentAnswer:
            with as_api_errors():
                job = create_job(
                    **target,
                    **wanted,
                    triggered_by=SyncJob.Trigger.API,
                    actor=self.key.pk,
                    request_id=getattr(request, "request_id", ""),
                )
            return IdempotentAnswer(202, trigger_answer(job), {"Location": reverse("integrations-job", args=[job.pk])})

        return replay_or_run(request, fingerprint_body=fingerprint, before=guards, run=create)

    def _connection(self, connection_id: str) -> Connection:
        """Returns the caller's own connection of this integration; any other does not exist for them."""
        found = Connection.objects.filter(
            pk=connection_id, workspace=self.workspace, integration=self.provider.name
        ).first()
        if found is None:
            raise ApiError("NOT_FOUND", "There is no such connection. The status names those that there are.")
        return found

    def get(self, request: Request) -> Response:
        """What people changed at the provider: since the last successful sync, since a time, or from a cursor on."""
        provider = self.provider
        limit, since, wait = page_limit(request), instant_parameter(request, "since"), _wait(request)
        refresh = truth_parameter(request, "refresh")
        cursor = request.query_params.get("cursor")
        if since is not None and cursor is not None:
            raise validation_error({"since": ["Send since or cursor, not both."]})
        name = f"feed:{self.workspace.pk}:{provider.name}"
        position = _position(decode_cursor(name, cursor)) if cursor is not None else None
        with as_api_errors():
            require_connected(self.workspace, provider.name)
            query = FeedQuery(position, since, limit, wait, refresh)
            gone = partial(client_is_gone, request.META)
            answer = read_feed(self.workspace, provider.name, query, caller=self.key.pk, gone=gone)
        page = answer.page
        resume = encode_cursor(name, [page.resume])
        return Response(
            {
                "integration": provider.name,
                "changes": [change(row) for row in page.rows],
                "next_cursor": resume if page.more else None,
                "resume_cursor": resume,
                "as_of": instant(answer.as_of),
            },
            headers={} if answer.waited else {"Retry-After": RETRY_WAIT},
        )


def _wait(request: Request) -> int:
    """Returns `wait` of the request: so many seconds, 0 when it is not given."""
    text = request.query_params.get("wait", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= LONGEST_WAIT):
        raise validation_error({"wait": [f"Must be a whole number of seconds from 0 to {LONGEST_WAIT}."]})
    return int(text)


def _position(values: list[Any]) -> int:
    match values:
        case [int(position)]:
            return position
    raise ApiError("INVALID_CURSOR")


class StatusView(IntegrationView):
    required_scopes = {"GET": "integrations:read"}
    tagged_methods = ("GET",)

    @classmethod
    def of(cls, provider: Provider) -> type[APIView]:
        view = type(f"{provider.name.title().replace('_', '')}StatusView", (cls,), {"provider": provider})
        return status_reference(provider, view)

    def get(self, request: Request) -> Response:
        """How the integration stands. 200 also when nothing is connected: `connected` says so."""
        return tagged(request, status(self.workspace, self.provider.name))
