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
from integrations.kinds import INVOICE, VISIT
from integrations.providers import PROVIDERS
from integrations.providers.base import Provider
from integrations.services.feed import LONGEST_WAIT, OF_ONE_KEY

JOB_ID = "syn_01HZX2Q8YV3D1G0N3WJ2P7K9MA"
# Whose jobs the examples are.
_CALENDAR, _BOOKS = (
    next(provider for provider in PROVIDERS.values() if kind.name in provider.kinds) for kind in (VISIT, INVOICE)
)
_METERED = {"today": 61, "yesterday": 70, "last_30_days": 2104, "month_forecast": 2150, "limit_per_day": 500,
            "waits_until": None}  # fmt: skip
_COUNTS = {"pulled": 1, "pushed": 3, "skipped": 20, "failed": 0}
SUMMARY: dict[str, Any] = {
    "job_id": JOB_ID,
    "integration": _CALENDAR.name,
    "mode": "incremental",
    "status": "succeeded",
    "created_at": "2026-05-29T14:21:08Z",
    "started_at": "2026-05-29T14:21:08Z",
    "finished_at": "2026-05-29T14:21:11Z",
    "triggered_by": "api",
    "dry_run": False,
    "plan_id": None,
    "progress": {"stage": None, "done": 24, "total": 24},
    "counts": _COUNTS,
    "errors": [],
    "hold_ids": [],
    "next_action_url": None,
}
JOB = {
    **SUMMARY,
    "counts_by_entity": {"visit": _COUNTS},
    "counts_by_connection": {"con_01HZX2Q8YV3D1G0N3WJ2P7K9MG": _COUNTS},
}
BOOKS_JOB = {
    **SUMMARY,
    "integration": _BOOKS.name,
    "scope": "all",
    "status": "partial",
    "counts": {"pulled": 1, "pushed": 5, "skipped": 60, "failed": 1},
    "errors": [
        {
            "code": "RECORD_REJECTED",
            "message": f"{_BOOKS.label} may have this already. Say whether it is the same, or make a new one.",
            "occurred_at": "2026-05-29T14:21:10Z",
            "connection_id": "con_01HZX2Q8YV3D1G0N3WJ2P7K9MH",
            "record": {"kind": "customer", "id": "cli_01HZX2Q8YV3D1G0N3WJ2P7K9ME"},
        }
    ],
    "next_action_url": f"https://fieldcamp.example/admin/integrations/syncjob/{JOB_ID}/change/",
    "counts_by_entity": {
        "customer": {"pulled": 0, "pushed": 1, "skipped": 60, "failed": 1},
        "invoice": {"pulled": 0, "pushed": 3, "skipped": 0, "failed": 0},
        "payment": {"pulled": 1, "pushed": 1, "skipped": 0, "failed": 0},
    },
    "counts_by_connection": {"con_01HZX2Q8YV3D1G0N3WJ2P7K9MH": {"pulled": 1, "pushed": 5, "skipped": 60, "failed": 1}},
}
JOB_LIST = {"jobs": [SUMMARY], "next_cursor": None}

FEED_PARAMETERS = [
    instant("since", "Everything that FieldCamp recorded after this time; not together with `cursor`. Without either: "
            "what has changed since the last successful sync."),
    OpenApiParameter("cursor", str, description="`next_cursor` or `resume_cursor` of an earlier answer."),
    OpenApiParameter(
        "refresh",
        bool,
        description="`true`: the provider is asked first for what FieldCamp has not recorded yet (two seconds at most, "
        "one read at a time for each account, not while a sync runs or within two seconds of the last look). `false`: "
        "it is not asked. Left out: it is asked by a read without `since` and `cursor`; by one with either when "
        "nothing more is recorded and the last look is 20 seconds old (5 minutes where the provider tells of changes "
        "by itself, 10 where it bills reads). `as_of` says how fresh the answer is.",
    ),
    OpenApiParameter(
        "wait",
        {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT, "default": 0},
        description="Seconds to wait where there is nothing yet: the answer comes as soon as something is there, else "
        f"empty at their end. {OF_ONE_KEY} reads of one key may wait at a time in each web process, and a few in all: "
        "where they do, the answer comes at once, with `Retry-After`. One call of the quota, however long it waits.",
    ),
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


def change_examples(provider: Provider) -> list[dict[str, Any]]:
    head = {"id": "chg_000000000412", "action": "updated"}
    when = {"changed_at": "2026-05-29T14:19:40Z"}
    if not provider.is_calendar:
        bill = {
            "entity": "invoice",
            "record_id": "inv_01HZX2Q8YV3D1G0N3WJ2P7K9MJ",
            provider.remote_id_name: "130",
            **when,
        }
        # Made there a moment ago: FieldCamp has no client for it before the next sync.
        new = {"entity": "customer", "record_id": None, provider.remote_id_name: "67", **when}
        return [{**head, **bill}, {"id": "chg_000000000413", "action": "created", **new}]
    event = {
        "summary": "Repair the boiler",
        "start": "2026-05-30T13:00:00Z",
        "end": "2026-05-30T14:00:00Z",
        "all_day": False,
        "status": "confirmed",
    }
    ids = {"visit_id": "vis_01HZX2Q8YV3D1G0N3WJ2P7K9MD", provider.remote_id_name: "9f2c71ab"}
    return [{**head, **ids, **when, "event": event}]


@cache
def _feed_serializer(remote_id_name: str, kinds: tuple[str, ...], prefix: str) -> type:
    fields: dict[str, Any] = {remote_id_name: serializers.CharField()}
    if VISIT.name in kinds:
        hashed = "Of a private event a hash, always the same for the same event."
        fields |= {
            remote_id_name: serializers.CharField(help_text=hashed),
            "visit_id": serializers.CharField(
                allow_null=True, help_text="null: a private event, whose summary is not shown either."
            ),
            "event": EventSerializer(allow_null=True, help_text="null where it was deleted."),
        }
    else:
        fields |= {
            "entity": serializers.ChoiceField(kinds),
            "record_id": serializers.CharField(
                allow_null=True, help_text="FieldCamp's client, item, tax, invoice or payment; null where it has none."
            ),
        }
    change = type(f"{prefix}ChangeSerializer", (ChangeSerializer,), fields)
    return type(f"{prefix}FeedSerializer", (FeedSerializer,), {"changes": change(many=True)})


def sync_reference(provider: Provider, view: type) -> type:
    """Returns the view, described: the trigger and the change feed of one provider."""
    feed = _feed_serializer(provider.remote_id_name, provider.kinds, _named(provider, ""))
    page = {
        "integration": provider.name,
        "changes": change_examples(provider),
        "next_cursor": None,
        "resume_cursor": "WyJmZWVkIiw0MTJd.c2lnbmF0dXJl",
        "as_of": "2026-05-29T14:21:08Z",
    }
    trigger = trigger_serializer(provider)
    bodies = [example({"mode": "incremental"}, request=True)]
    if provider.sync_scopes:
        everything, *_, narrow = provider.sync_scopes
        bodies = [
            example({"scope": everything}, request=True, name="Everything"),
            example({"scope": narrow, "mode": "full"}, request=True, name="One kind, all of it anew"),
        ]
    return extend_schema_view(
        post=extend_schema(
            operation_id=f"trigger_{provider.name}_sync",
            summary=f"Start a sync of {provider.label}",
            request=trigger,
            responses={202: TriggerAnswerSerializer},
            examples=[*bodies, example(_trigger_answer(provider), status=202)],
        ),
        get=extend_schema(
            operation_id=f"read_{provider.name}_changes",
            summary=f"Read what people changed in {provider.label}",
            parameters=FEED_PARAMETERS,
            responses=feed,
            examples=[example(page)],
        ),
    )(view)


def connection_example(provider: Provider) -> dict[str, Any]:
    """Returns an entry of `connections[]`."""
    account: dict[str, str | None] = {"account": "dana@example.com", "member": "mem_01HZX2Q8YV3D1G0N3WJ2P7K9MF"}
    if not provider.is_calendar:  # books are the company's, not one person's
        account = {"account": "Dana's Plumbing", "member": None}
    return {
        "id": "con_01HZX2Q8YV3D1G0N3WJ2P7K9MG",
        **account,
        "state": "active",
        "last_synced_at": "2026-05-29T14:05:11Z",
        "fresh_until": "2026-05-29T14:43:11Z",
        "stalled": False,
        "access_ends_at": None,
        "metered_reads": _METERED if provider.meters_reads else None,
    }


def status_reference(provider: Provider, view: type) -> type:
    shown = {
        "integration": provider.name,
        "connected": True,
        "last_synced_at": "2026-05-29T14:05:11Z",
        "next_scheduled_sync_at": "2026-05-29T14:35:11Z",
        "fresh_until": "2026-05-29T14:43:11Z",
        "stalled": False,
        "active_job_id": None,
        "errors": [],
        "direction": "bidirectional",
        "health": "ok",
        "last_job": {"job_id": JOB_ID, "status": "succeeded", "counts": _COUNTS},
        "connections": [connection_example(provider)],
    }
    return extend_schema_view(
        get=extend_schema(
            operation_id=f"read_{provider.name}_status",
            summary=f"Read how {provider.label} stands",
            responses=StatusSerializer,
            examples=[example(shown)],
        )
    )(view)
