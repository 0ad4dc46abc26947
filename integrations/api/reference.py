"""What the reference says of the sync API: one set of operations for each provider, with its own names and shapes."""

from functools import cache
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers

from fieldcamp.api.examples import example
from fieldcamp.api.parameters import LIMIT, instant
from integrations.api.serializers import (
    ChangeSerializer,
    EventSerializer,
    FeedSerializer,
    StatusSerializer,
    TriggerAnswerSerializer,
    trigger_serializer,
)
from integrations.providers.base import Provider

JOB_ID = "syn_01HZX2Q8YV3D1G0N3WJ2P7K9MA"
_COUNTS = {"pulled": 1, "pushed": 3, "skipped": 20, "failed": 0}
SUMMARY: dict[str, Any] = {
    "job_id": JOB_ID,
    "integration": "google_calendar",
    "mode": "incremental",
    "status": "succeeded",
    "created_at": "2026-05-29T14:21:08Z",
    "started_at": "2026-05-29T14:21:08Z",
    "finished_at": "2026-05-29T14:21:11Z",
    "triggered_by": "api",
    "progress": {"stage": None, "done": 24, "total": 24},
    "counts": _COUNTS,
    "errors": [],
    "next_action_url": None,
}
JOB = {
    **SUMMARY,
    "counts_by_entity": {"visit": _COUNTS},
    "counts_by_connection": {"con_01HZX2Q8YV3D1G0N3WJ2P7K9MG": _COUNTS},
}
JOB_LIST = {"jobs": [SUMMARY], "next_cursor": None}

FEED_PARAMETERS = [
    instant("since", "Everything recorded after this time; not together with `cursor`. Without either: what has "
            "changed since the last successful sync."),
    OpenApiParameter("cursor", str, description="`next_cursor` or `resume_cursor` of an earlier answer."),
    LIMIT,
]  # fmt: skip


def _named(provider: Provider, kind: str) -> str:
    return f"{provider.name.title().replace('_', '')}{kind}"


def _trigger_answer(provider: Provider) -> dict[str, Any]:
    scope = {"scope": provider.sync_scopes[0]} if provider.sync_scopes else {}
    return {
        "job_id": JOB_ID,
        "integration": provider.name,
        "mode": "incremental",
        **scope,
        "status": "queued",
        "created_at": "2026-05-29T14:21:08Z",
    }


def _change(provider: Provider) -> dict[str, Any]:
    head = {"id": "chg_000000000412", "action": "updated"}
    tail = {provider.remote_id_name: "9f2c71ab", "changed_at": "2026-05-29T14:19:40Z"}
    if "visit" not in provider.kinds:
        return {**head, "entity": provider.kinds[0], "record_id": "cli_01HZX2Q8YV3D1G0N3WJ2P7K9ME", **tail}
    event = {
        "summary": "Repair the boiler",
        "start": "2026-05-30T13:00:00Z",
        "end": "2026-05-30T14:00:00Z",
        "all_day": False,
        "status": "confirmed",
    }
    return {**head, "visit_id": "vis_01HZX2Q8YV3D1G0N3WJ2P7K9MD", **tail, "event": event}


@cache
def _feed_serializer(provider_name: str, remote_id_name: str, calendar: bool, prefix: str) -> type:
    fields: dict[str, Any] = {remote_id_name: serializers.CharField()}
    if calendar:
        fields |= {
            "visit_id": serializers.CharField(
                allow_null=True, help_text="null: a private event, whose summary is not shown either."
            ),
            "event": EventSerializer(allow_null=True, help_text="null where it was deleted."),
        }
    else:
        fields |= {"entity": serializers.CharField(), "record_id": serializers.CharField(allow_null=True)}
    change = type(f"{prefix}ChangeSerializer", (ChangeSerializer,), fields)
    return type(f"{prefix}FeedSerializer", (FeedSerializer,), {"changes": change(many=True)})


def sync_reference(provider: Provider, view: type) -> type:
    """The view, described: the trigger and the change feed of one provider."""
    feed = _feed_serializer(provider.name, provider.remote_id_name, "visit" in provider.kinds, _named(provider, ""))
    page = {
        "integration": provider.name,
        "changes": [_change(provider)],
        "next_cursor": None,
        "resume_cursor": "WyJmZWVkIiw0MTJd.c2lnbmF0dXJl",
        "as_of": "2026-05-29T14:21:08Z",
    }
    trigger = trigger_serializer(provider)
    body = {"scope": provider.sync_scopes[0]} if provider.sync_scopes else {"mode": "incremental"}
    return extend_schema_view(
        post=extend_schema(
            operation_id=f"trigger_{provider.name}_sync",
            request=trigger,
            responses={202: TriggerAnswerSerializer},
            examples=[example(body, request=True), example(_trigger_answer(provider), status=202)],
        ),
        get=extend_schema(
            operation_id=f"read_{provider.name}_changes",
            parameters=FEED_PARAMETERS,
            responses=feed,
            examples=[example(page)],
        ),
    )(view)


def status_reference(provider: Provider, view: type) -> type:
    shown = {
        "integration": provider.name,
        "connected": True,
        "last_synced_at": "2026-05-29T14:05:11Z",
        "next_scheduled_sync_at": "2026-05-29T14:35:11Z",
        "active_job_id": None,
        "errors": [],
        "direction": "bidirectional",
        "health": "ok",
        "last_job": {"job_id": JOB_ID, "status": "succeeded", "counts": _COUNTS},
        "connections": [
            {
                "id": "con_01HZX2Q8YV3D1G0N3WJ2P7K9MG",
                "account": "dana@example.com",
                "member": "mem_01HZX2Q8YV3D1G0N3WJ2P7K9MF",
                "state": "active",
                "last_synced_at": "2026-05-29T14:05:11Z",
            }
        ],
    }
    return extend_schema_view(
        get=extend_schema(
            operation_id=f"read_{provider.name}_status", responses=StatusSerializer, examples=[example(shown)]
        )
    )(view)
