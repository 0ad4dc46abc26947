"""A record's history as sentences, made of its change rows."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from fieldcamp.workspace.models import Change, Member, Settlement, VisitStatus
from fieldcamp.workspace.tracking import TrackedModel

_TIMES = {"scheduled_start", "scheduled_end"}
_SETTLING = {"sent_at", "voided_at", "void_reason", "settlement"}
_LABELS = {
    "phone_number": "phone number",
    "billing_address": "billing address",
    "property_address": "address",
    "lines_digest": "lines",
    "allocations_digest": "invoices that it pays",
}


@dataclass(frozen=True)
class HistoryEntry:
    """One change: when, and what happened in words."""

    at: dt.datetime
    sentence: str


def history_of(record: TrackedModel, places: Mapping[str, str], limit: int = 50) -> list[HistoryEntry]:
    """Returns the changes, the newest first. `places` names where a change came from, by the change's `origin`."""
    rows = list(Change.objects.filter(kind=record.kind, record_id=record.pk).order_by("-seq")[:limit])
    people = {row.pk: str(row) for row in Member.objects.filter(pk__in=_ids(rows, "technician_id"))}
    return [HistoryEntry(row.at, f"{_what(row, people)}{_who(row, places)}") for row in rows]


def _ids(rows: Iterable[Change], name: str) -> set[str]:
    return {values[name] for row in rows for values in (row.before, row.after) if values.get(name)}


def _who(row: Change, places: Mapping[str, str]) -> str:
    where = f" in {places[row.origin]}" if row.origin in places else ""
    return f"{where} by {row.actor}." if row.actor else f"{where}."


def _what(row: Change, people: Mapping[str, str]) -> str:
    if row.action == Change.Action.CREATED:
        return "Created"
    if row.action == Change.Action.DELETED:
        return "Deleted"
    said = [*_moved(row), *_reassigned(row, people), *_status(row), *_settled(row)]
    rest = sorted({*row.after} - _TIMES - {"technician_id", "visit_status", "deleted_at"} - _SETTLING)
    if rest:
        names = [_LABELS.get(name, name.removesuffix("_id").replace("_", " ")) for name in rest]
        said.append(f"{' and '.join(names)} changed")
    sentence = ", ".join(said) or "changed"
    return sentence[0].upper() + sentence[1:]


def _moved(row: Change) -> list[str]:
    if not _TIMES & {*row.after}:
        return []
    old, new = _moment(row.before.get("scheduled_start")), _moment(row.after.get("scheduled_start"))
    if "scheduled_start" not in row.after:
        return [f"new end {_text(_moment(row.after['scheduled_end']))}"]
    if new is None:
        return [f"taken off the schedule ({_text(old)})"]
    return [f"moved from {_text(old)} to {_text(new)}" if old else f"scheduled for {_text(new)}"]


def _moment(value: Any) -> dt.datetime | None:
    return dt.datetime.fromisoformat(value) if isinstance(value, str) and value else None


def _text(moment: dt.datetime | None) -> str:
    return timezone.localtime(moment).strftime("%a %-d %b, %H:%M") if moment else "no time"


def _reassigned(row: Change, people: Mapping[str, str]) -> list[str]:
    if "technician_id" not in row.after:
        return []
    old, new = row.before.get("technician_id"), row.after["technician_id"]
    if not new:
        return [f"taken from {people.get(old, 'a former technician')}"]
    return [f"assigned to {people.get(new, 'a former technician')}"]


def _settled(row: Change) -> list[str]:
    """Returns what became of an invoice or a payment."""
    said = ["sent"] if row.after.get("sent_at") else []
    if "voided_at" in row.after:
        said.append("voided" if row.after["voided_at"] else "no longer void")
    if "settlement" in row.after:
        said.append(f"now {Settlement(row.after['settlement']).label.lower()}")
    return said


def _status(row: Change) -> list[str]:
    if "visit_status" not in row.after:
        return []
    labels = dict(VisitStatus.choices)
    return [f"status {labels[row.after['visit_status']].lower()}"]
