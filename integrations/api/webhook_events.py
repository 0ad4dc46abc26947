"""What the events of accounts, syncs, problems and detected changes hold, for the catalogue of webhooks: the answers of
the sync API themselves."""

from typing import Any

from rest_framework import serializers

from fieldcamp.webhooks.catalogue import describe
from integrations.api.connect_link_serializers import USED, ConnectLinkSerializer
from integrations.api.plan_serializers import PLAN_ID
from integrations.api.reference import BOOKS_JOB, JOB, SUMMARY, change_examples, connection_example
from integrations.api.serializers import (
    ChangeSerializer,
    ConnectionSerializer,
    ErrorEntrySerializer,
    EventSerializer,
    JobSerializer,
)
from integrations.errors import ProblemCode
from integrations.providers import PROVIDERS
from integrations.selectors.stalls import StallCause

_CALENDAR = next(provider for provider in PROVIDERS.values() if provider.is_calendar)
_HELD = {
    "held": {
        "type": "object",
        "description": "How many removals wait for a person, or have.",
        "required": ["removals"],
        "properties": {"removals": {"type": "integer"}},
    }
}
_STANDS_STILL = {
    "code": {
        "type": ["string", "null"],
        "description": "Why it stands still, as in `errors[]`; null where a person has paused it, or it goes on.",
    },
    "reconnect_url": {
        "type": ["string", "null"],
        "format": "uri",
        "description": "Where a person connects it again; null where nobody has to.",
    },
}
_CAUSE = {
    "cause": {
        "type": ["string", "null"],
        "description": f"What it comes from: {', '.join(StallCause.values)}, or null.",
    }
}


class ConflictEventSerializer(serializers.Serializer):
    """A field, or several, that both sides have changed. No values: they are read with the record, by who may."""

    id = serializers.CharField(help_text="The open problem's, where it is answered.")
    integration = serializers.CharField()
    connection_id = serializers.CharField(allow_null=True)
    kind = serializers.CharField()
    record_id = serializers.CharField()
    fields_ = serializers.ListField(child=serializers.CharField(), help_text="Their names.")

    def get_fields(self) -> dict[str, serializers.Field]:
        # `fields` is a name of the framework's own.
        return {name.removesuffix("_"): made for name, made in super().get_fields().items()}


class DecidedSyncSerializer(JobSerializer):
    """The sync that held the removals last. Of one that has been forgotten meanwhile only the integration is known."""

    def get_fields(self) -> dict[str, serializers.Field]:
        found = super().get_fields()
        for name, made in found.items():
            made.required = name in ("job_id", "integration", "next_action_url")
        found["job_id"].allow_null = True
        return found


class DetectedChangeSerializer(ChangeSerializer):
    """A row of the change feed. Of calendars it has `visit_id` and `event`, of the books `entity` and `record_id`;
    of each integration the record's id there, under the name that the feed has for it."""

    visit_id = serializers.CharField(required=False, allow_null=True, help_text="null: a private event.")
    event = EventSerializer(required=False, allow_null=True)
    entity = serializers.CharField(required=False)
    record_id = serializers.CharField(required=False, allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field]:
        there = sorted({provider.remote_id_name for provider in PROVIDERS.values()})
        return {**super().get_fields(), **{name: serializers.CharField(required=False) for name in there}}


def _source(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "integration": _CALENDAR.name, "job_id": None, "actor": None, "request_id": None, **more}


def describe_events() -> None:
    """Tells the catalogue of webhooks what these events hold."""
    _accounts()
    describe("connect_link", ConnectLinkSerializer, USED, source=_source("system"))
    _syncs()
    problem = {"id": "prb_01HZX2Q8YV3D1G0N3WJ2P7K9MK", **BOOKS_JOB["errors"][0]}
    books = _source("sync", integration=BOOKS_JOB["integration"])
    describe("problem", ErrorEntrySerializer, problem, source=books)
    conflict = {
        "id": "prb_01HZX2Q8YV3D1G0N3WJ2P7K9MN",
        "integration": _CALENDAR.name,
        "connection_id": "con_01HZX2Q8YV3D1G0N3WJ2P7K9MG",
        "kind": "visit",
        "record_id": "vis_01HZX2Q8YV3D1G0N3WJ2P7K9MD",
        "fields": ["end", "start"],
    }
    describe("conflict", ConflictEventSerializer, conflict, source=_source("sync"))
    describe("change", DetectedChangeSerializer, change_examples(_CALENDAR)[0], source=_source("sync"))


def _accounts() -> None:
    account = connection_example(_CALENDAR)
    by_person, by_itself = _source("desk", actor="olga"), _source("system")
    describe("connection", ConnectionSerializer, account, source=by_person)
    disconnected = {**account, "state": "disconnected", "fresh_until": None}
    describe("connection.disconnected", ConnectionSerializer, disconnected, source=by_person)
    url = f"https://fieldcamp.example/admin/integrations/connect/{_CALENDAR.slug}/?connection={account['id']}"
    for action, state, code, place, source in (
        ("needs_reconnect", "needs_reconnect", ProblemCode.NEEDS_RECONNECT, url, by_itself),
        ("needs_permission", "needs_permission", ProblemCode.NEEDS_PERMISSION, url, by_itself),
        ("paused", "paused", None, None, by_person),
        ("resumed", "active", None, None, by_person),
    ):
        shown = {**account, "state": state, "code": code and code.value, "reconnect_url": place}
        describe(f"connection.{action}", ConnectionSerializer, shown, source=source, extra=_STANDS_STILL)
    cause = {"cause": next(iter(StallCause)).value}
    stalled = {**account, "stalled": True, **cause}
    describe("connection.stalled", ConnectionSerializer, stalled, source=by_itself, extra=_CAUSE)
    describe("connection.recovered", ConnectionSerializer, {**account, **cause}, source=by_itself, extra=_CAUSE)


def _syncs() -> None:
    source = _source("sync", job_id=SUMMARY["job_id"], actor="key_01HZX2Q8YV3D1G0N3WJ2P7K9MB")
    none = dict.fromkeys(JOB["counts"], 0)
    started = {
        **SUMMARY,
        "status": "running",
        "finished_at": None,
        "progress": {"stage": None, "done": 0, "total": 0},
        "counts": none,
        "counts_by_entity": {},
        "counts_by_connection": {},
    }
    describe("sync", JobSerializer, JOB, source=source)
    describe("sync.started", JobSerializer, started, source=source)
    describe("sync.cancelled", JobSerializer, {**JOB, "status": "cancelled"}, source=source)
    failed = {
        **started,
        "status": "failed",
        "finished_at": SUMMARY["finished_at"],
        "errors": [
            {
                "code": ProblemCode.PROVIDER_UNAVAILABLE.value,
                "message": f"dana@example.com: {_CALENDAR.label} did not answer.",
                "occurred_at": SUMMARY["finished_at"],
                "connection_id": "con_01HZX2Q8YV3D1G0N3WJ2P7K9MG",
            }
        ],
    }
    describe("sync.failed", JobSerializer, failed, source=source)
    page = f"https://fieldcamp.example/admin/integrations/syncjob/{SUMMARY['job_id']}/change/"
    held = {**JOB, "status": "needs_confirmation", "next_action_url": page, "held": {"removals": 12},
            "hold_ids": ["hld_01HZX2Q8YV3D1G0N3WJ2P7K9MQ"]}  # fmt: skip
    describe("sync.needs_confirmation", JobSerializer, held, source=source, extra=_HELD)
    planned = {**started, "status": "planned", "finished_at": SUMMARY["finished_at"], "dry_run": True}
    describe("sync.planned", JobSerializer, {**planned, "plan_id": PLAN_ID}, source=source)
    decided = _source("desk", job_id=SUMMARY["job_id"], actor="olga")
    for action in ("confirmed", "rejected"):
        describe(f"sync.{action}", DecidedSyncSerializer, held, source=decided, extra=_HELD)
