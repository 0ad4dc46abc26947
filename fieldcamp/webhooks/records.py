"""Events of the company's own records: made of what has happened to them, in its transaction.

Each has the record as its own GET answers it. An update is one where a field that the API shows differs; which is
compared as the API shows it, so that a change of nothing public is no event.
"""

import copy
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import structlog
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.serializers import Serializer

from fieldcamp.webhooks.models import WebhookEvent
from fieldcamp.webhooks.recording import new_event, record_events
from fieldcamp.workspace.attribution import Attribution
from fieldcamp.workspace.erasing import PERSONAL, portions
from fieldcamp.workspace.models import Client, Invoice, Item, Member, Payment, TaxRate, Visit, VisitStatus
from fieldcamp.workspace.rest.money_serializers import (
    InvoiceSerializer,
    ItemSerializer,
    PaymentSerializer,
    TaxSerializer,
)
from fieldcamp.workspace.rest.serializers import ClientSerializer, MemberSerializer, VisitSerializer
from fieldcamp.workspace.telling import Moved
from fieldcamp.workspace.tracking import TrackedModel

Shown = dict[str, Any]
# Which types an update of a record makes beside `updated`, by how it was shown before and is now.
_Beside = Callable[[Shown, Shown], Iterable[str]]

_DESK, _API, _SYNC, _SYSTEM = (WebhookEvent.Source(kind) for kind in ("desk", "api", "sync", "system"))
_ALWAYS_DIFFERENT = "updatedAt"


def _of_visit(old: Shown, new: Shown) -> Iterator[str]:
    if old["visitStatus"] != new["visitStatus"]:
        yield "status_changed"
        if new["visitStatus"] == VisitStatus.COMPLETED:
            yield "completed"


def _of_invoice(old: Shown, new: Shown) -> Iterator[str]:
    if new["status"] == "paid" and old.get("status") != "paid":
        yield "paid"
    if new["voidedAt"] and not old.get("voidedAt"):
        yield "voided"


def _of_payment(old: Shown, new: Shown) -> Iterator[str]:
    if new["voidedAt"] and not old["voidedAt"]:
        yield "deleted"


@dataclass(frozen=True)
class Resource:
    """A kind of record: what its events begin with, how the API shows it, what has to be read for that. `parts` names
    the digest that moves with rows of another table, and the key under which these are shown."""

    name: str
    serializer_class: type[Serializer]
    beside: _Beside = lambda old, new: ()
    beside_creation: bool = False
    related: tuple[str, ...] = ()
    prefetched: tuple[str, ...] = ()
    parts: Mapping[str, str] | None = None
    hidden_when_deleted: tuple[str, ...] = ()

    @cached_property
    def serializer(self) -> Serializer:
        return self.serializer_class()

    def read(self, model: type[Any], ids: Sequence[str]) -> dict[str, Any]:
        """Returns these records as they stand, deleted ones too, by id: a constant number of queries for each
        thousand."""
        found: dict[str, Any] = {}
        for some in portions(ids):
            rows: QuerySet[Any] = model.objects.filter(pk__in=some)
            if self.related:
                rows = rows.select_related(*self.related)
            found |= {row.pk: row for row in rows.prefetch_related(*self.prefetched)}
        return found

    def shown(self, record: Any) -> Shown:
        return dict(self.serializer.to_representation(record))

    def deleted(self, record: TrackedModel) -> Shown:
        """Returns what is left to say of a record that is gone: nothing that tells of a person."""
        personal = PERSONAL.get(type(record), {})
        shown = self.shown(record)
        private = {key for key, field in self.serializer.fields.items() if str(field.source) in personal}
        left = {key: value for key, value in shown.items() if key not in private | {*self.hidden_when_deleted}}
        return {"id": record.pk, "deleted": True, **left}


RESOURCES: Mapping[type[TrackedModel], Resource] = {
    Visit: Resource("visit", VisitSerializer, _of_visit),
    Client: Resource("client", ClientSerializer),
    Item: Resource("item", ItemSerializer),
    TaxRate: Resource("tax", TaxSerializer),
    Invoice: Resource(
        "invoice", InvoiceSerializer, _of_invoice, beside_creation=True, related=("workspace",), prefetched=("lines",),
        parts={"lines_digest": "lines"}, hidden_when_deleted=("lines",),
    ),
    Payment: Resource(
        "payment", PaymentSerializer, _of_payment, prefetched=("allocations",),
        parts={"allocations_digest": "allocations"},
    ),
}  # fmt: skip
TEAM = Resource("team_member", MemberSerializer)


def tell_of_records(moves: Sequence[Moved]) -> None:
    """Writes the events of what has happened to records down. How they stand is read anew, once for all of them."""
    by_model: dict[type[TrackedModel], list[Moved]] = defaultdict(list)
    for move in moves:
        by_model[move.model].append(move)
    events: list[WebhookEvent] = []
    with timezone.override(dt.UTC):  # a person at the desk has the company's zone
        for model, mine in by_model.items():
            if resource := RESOURCES.get(model):
                rows = resource.read(model, [move.record_id for move in mine])
                for move in mine:
                    events += _events(resource, move, rows.get(move.record_id))
    if events:
        record_events(events)


def tell_of_member(member: Member, before: Mapping[str, Any] | None, by: Attribution) -> None:
    """Writes the event of what has happened to a person of the team down. `before` are the old values of what changed;
    None: they are new."""
    shown = TEAM.shown(member)
    if before is None:
        record_events([_event("team_member.created", member.workspace_id, member.pk, shown, None, by)])
    elif member.erased_at:
        gone = {"id": member.pk, "deleted": True}
        record_events([_event("team_member.deleted", member.workspace_id, member.pk, gone, None, by)])
    elif previous := _previous(TEAM, member, before, shown):
        record_events([_event("team_member.updated", member.workspace_id, member.pk, shown, previous, by)])


def _events(resource: Resource, move: Moved, record: Any | None) -> Iterator[WebhookEvent]:
    """Yields the events of one record: by how it stood before and stands now, whatever happened between."""
    if record is None:
        if not move.is_new and "deleted_at" in move.before and not move.before["deleted_at"]:
            columns = {field.attname for field in move.model._meta.concrete_fields}
            values = {name: value for name, value in move.before.items() if name in columns}
            old = move.model(pk=move.record_id, workspace_id=move.workspace_id, **values)
            yield _of_move("deleted", resource, move, resource.deleted(old))
        return
    was_deleted = bool(move.before.get("deleted_at", None if move.is_new else record.deleted_at))
    if record.deleted_at:
        if not move.is_new and not was_deleted:
            yield _of_move("deleted", resource, move, resource.deleted(record))
        return
    shown = resource.shown(record)
    if move.is_new or was_deleted:
        yield _of_move("created", resource, move, shown)
        if resource.beside_creation:
            yield from (_of_move(action, resource, move, shown) for action in resource.beside({}, shown))
        return
    old_shown = _as_it_was(resource, record, move.before)
    previous = _differing(resource, old_shown, shown, move.before)
    if not previous:
        return
    yield _of_move("updated", resource, move, shown, previous)
    for action in resource.beside(old_shown, shown):
        if action == "deleted":
            yield _of_move(action, resource, move, resource.deleted(record))
        else:
            yield _of_move(action, resource, move, shown, previous if action == "status_changed" else None)


def _previous(resource: Resource, record: Any, before: Mapping[str, Any], shown: Shown) -> Shown:
    return _differing(resource, _as_it_was(resource, record, before), shown, before)


def _as_it_was(resource: Resource, record: Any, before: Mapping[str, Any]) -> Shown:
    """Returns the record as the API showed it when it had these values."""
    old = copy.copy(record)
    old._prefetched_objects_cache = dict(getattr(record, "_prefetched_objects_cache", {}))
    old._state = copy.copy(record._state)
    old._state.fields_cache = dict(record._state.fields_cache)
    for name, value in before.items():
        if name in resource.prefetched:
            kept = old._prefetched_objects_cache[name]._chain()
            kept._result_cache, kept._prefetch_done = list(value), True
            old._prefetched_objects_cache[name] = kept
        else:
            setattr(old, name, value)
    return resource.shown(old)


def _differing(resource: Resource, old: Shown, new: Shown, before: Mapping[str, Any]) -> Shown:
    """Returns the old values of the keys that differ. Rows that nobody has kept are None: they were others."""
    found = {key: old[key] for key in new if key != _ALWAYS_DIFFERENT and old[key] != new[key]}
    for digest, key in (resource.parts or {}).items():
        if digest in before and key not in before:
            found[key] = None
    return found


def _of_move(
    action: str, resource: Resource, move: Moved, snapshot: Shown, previous: Shown | None = None
) -> WebhookEvent:
    return _event(f"{resource.name}.{action}", move.workspace_id, move.record_id, snapshot, previous, move.by)


def _event(
    event_type: str, workspace_id: str, record_id: str, snapshot: Shown, previous: Shown | None, by: Attribution
) -> WebhookEvent:
    known = structlog.contextvars.get_contextvars()
    source = _SYNC if by.origin else {"api": _API, "desk": _DESK}.get(by.source, _SYSTEM)
    asked = source in (_API, _DESK)
    return new_event(
        workspace_id,
        event_type,
        snapshot,
        previous=previous,
        record_id=record_id,
        source=source,
        integration=by.integration or None,
        job_id=str(known.get("job_id", "")) or None if source == _SYNC else None,
        actor=by.actor or None,
        request_id=_request_id(known) if asked else None,
    )


def _request_id(known: Mapping[str, Any]) -> str | None:
    """Returns what the caller's answer calls the request: what they have called it, where that is not one of ours."""
    given = str(known.get("caller_request_id", ""))
    mine = str(known.get("request_id", ""))
    return (given if given and not given.lower().startswith("req_") else mine) or None
