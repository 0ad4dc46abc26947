"""A record's history as sentences, made of its change rows."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from fieldcamp.workspace.models import ADDRESS_PARTS, AuditEntry, Change, Client, Member, Settlement, Visit, VisitStatus
from fieldcamp.workspace.tracking import TrackedModel

_TIMES = {"scheduled_start", "scheduled_end"}
# What stood on a visit's event in a calendar, and what became of that.
_OF_EVENTS = {
    "title": _("title “{text}” of its event was put back, in the calendar of {person}"),
    "place": _("place “{text}” of its event was put back, in the calendar of {person}"),
    "notes": _("its event was taken out of the calendar of {person}; its notes were “{text}”"),
}
# What stood in the books and was changed in FieldCamp as well: FieldCamp's went over it.
_OF_BOOKS = {
    "display_name": _("name shown"),
    "given_name": _("first name"),
    "family_name": _("last name"),
    "company": _("company"),
    "email": _("e-mail"),
    "phone": _("phone"),
    "bill_address": _("billing address"),
    "ship_address": _("work address"),
    "due_date": _("due date"),
    "tax_code": _("tax"),
    "allocations": _("invoices that it pays"),
    "lines": _("lines"),
}
_SHORT = 120  # characters of a value
_TAKEN_OVER = "record.taken_over"
_WRITTEN_OVER = ("record.put_back", _TAKEN_OVER)
_SETTLING = {"sent_at", "voided_at", "void_reason", "settlement"}
# What is called otherwise than the model's field.
_LABELS = {
    "property_address": _("address"),
    "lines_digest": _("lines"),
    "allocations_digest": _("invoices that it pays"),
    "settlement": _("status"),
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
    found = [HistoryEntry(row.at, _sentence(_what(row, record, people, places), row, places)) for row in rows]
    if isinstance(record, Client):
        found = sorted([*found, *_merges(record, limit)], key=lambda entry: entry.at, reverse=True)
    if isinstance(record, Visit):
        found = sorted([*found, *_of_events(record, limit)], key=lambda entry: entry.at, reverse=True)
    else:
        found = sorted([*found, *_of_books(record, limit)], key=lambda entry: entry.at, reverse=True)
    return found[:limit]


def _of_events(visit: Visit, limit: int) -> list[HistoryEntry]:
    """Returns what people wrote on the visit's event that stands there no more."""
    entries = AuditEntry.objects.filter(object_id=visit.pk, action__startswith="visit.event_").order_by("-id")[:limit]
    found = []
    for entry in entries:
        for name, text in entry.before.items():
            if name in _OF_EVENTS:
                what = str(_OF_EVENTS[name]).format(text=text, person=entry.actor)
                found.append(HistoryEntry(entry.at, f"{what[0].upper()}{what[1:]}."))
    return found


def _of_books(record: TrackedModel, limit: int) -> list[HistoryEntry]:
    """Returns what somebody had changed in the company's books and was written over from here, and which lines the
    books have written over here."""
    entries = AuditEntry.objects.filter(object_id=record.pk, action__in=_WRITTEN_OVER).order_by("-id")[:limit]
    return [
        HistoryEntry(entry.at, _written_over(record, entry, name)) for entry in entries for name in sorted(entry.before)
    ]


def _written_over(record: TrackedModel, entry: AuditEntry, name: str) -> str:
    label = str(_OF_BOOKS.get(name) or label_of(record, name))
    label, old, new = f"{label[:1].upper()}{label[1:]}", entry.before[name], entry.after.get(name, "")
    if entry.action == _TAKEN_OVER:
        if old and new:
            said = gettext("{field} “{old}” became “{new}”, taken over from the books of {company}.")
        elif old:
            said = gettext("{field} “{old}” was taken away in the books of {company}, and so here.")
        else:
            said = gettext("{field} “{new}” was added in the books of {company}, and so here.")
    elif old and new:
        said = gettext("{field} “{old}” was replaced by “{new}”, in the books of {company}.")
    elif old:
        said = gettext("{field} “{old}” was taken away, in the books of {company}.")
    elif new:
        said = gettext("{field} “{new}” was added, in the books of {company}.")
    else:
        said = gettext("{field} replaced by FieldCamp's, in the books of {company}.")
    return said.format(field=label, old=old, new=new, company=entry.actor)


def _merges(client: Client, limit: int) -> list[HistoryEntry]:
    """Returns which clients were merged into this one."""
    merged = {row.pk: row for row in Client.objects.filter(merged_into=client).order_by("-deleted_at")[:limit]}
    if not merged:
        return []
    deleted = Change.objects.filter(kind=Client.kind, record_id__in=merged, action=Change.Action.DELETED)
    what = gettext("“{client}” was merged into this client")
    return [
        HistoryEntry(row.at, _sentence(what.format(client=merged[row.record_id].own_name), row, {})) for row in deleted
    ]


def _ids(rows: Iterable[Change], name: str) -> set[str]:
    return {values[name] for row in rows for values in (row.before, row.after) if values.get(name)}


def _sentence(what: str, row: Change, places: Mapping[str, str]) -> str:
    place = places.get(row.origin, "")
    if place and row.actor:
        sentence = gettext("{what} in {place} by {person}.")
    elif place:
        sentence = gettext("{what} in {place}.")
    else:
        sentence = gettext("{what} by {person}.") if row.actor else gettext("{what}.")
    return sentence.format(what=what, place=place, person=row.actor)


def _what(row: Change, record: TrackedModel, people: Mapping[str, str], places: Mapping[str, str]) -> str:
    if row.action in (Change.Action.CREATED, Change.Action.DELETED):
        return str(Change.Action(row.action).label)
    said = [*_moved(row), *_reassigned(row, people), *_status(row), *_settled(row)]
    rest = sorted({*row.after} - _TIMES - {"technician_id", "visit_status", "deleted_at"} - _SETTLING)
    if row.origin and row.origin in places:
        rest, told = _taken(row, record, rest)
        said += told
    if rest:
        *some, last = (label_of(record, name) for name in rest)
        names = gettext("{some} and {last}").format(some=", ".join(some), last=last) if some else last
        said.append(gettext("{fields} changed").format(fields=names))
    sentence = ", ".join(said) or gettext("changed")
    return sentence[0].upper() + sentence[1:]


def _taken(row: Change, record: TrackedModel, names: list[str]) -> tuple[list[str], list[str]]:
    """Returns which of these fields are left to be named alone, and of the others a phrase with both values: what a
    sync has taken over was somebody's here before."""
    left, told = [], []
    for name in names:
        old, new = value_in_words(row.before.get(name)), value_in_words(row.after.get(name))
        if name.endswith(("_id", "_digest", "_at")) or old is None or new is None or not (old or new):
            left.append(name)
            continue
        said = gettext("{field} “{old}” became “{new}”") if old and new else gettext("{field} “{old}” taken away")
        said = said if old else gettext("{field} “{new}” added")
        told.append(said.format(field=label_of(record, name), old=old, new=new))
    return left, told


def value_in_words(value: Any) -> str | None:
    """Returns a value in short as people read it; None for what has no such form."""
    if isinstance(value, Mapping):
        return ", ".join(str(value[name]) for name in ADDRESS_PARTS if value.get(name))[:_SHORT]
    if isinstance(value, bool | list):
        return None
    return "" if value is None else str(value)[:_SHORT]


def label_of(record: TrackedModel, name: str) -> str:
    """Returns how people call this field."""
    if name in _LABELS:
        return str(_LABELS[name])
    try:
        return str(record._meta.get_field(name.removesuffix("_id")).verbose_name)  # type: ignore[union-attr]
    except FieldDoesNotExist:  # one that the record had in an older release
        return name.replace("_", " ")


def _moved(row: Change) -> list[str]:
    if not _TIMES & {*row.after}:
        return []
    old, new = _moment(row.before.get("scheduled_start")), _moment(row.after.get("scheduled_start"))
    if "scheduled_start" not in row.after:
        return [gettext("new end {time}").format(time=_text(_moment(row.after["scheduled_end"])))]
    if new is None:
        return [gettext("taken off the schedule ({time})").format(time=_text(old))]
    moved = gettext("moved from {old} to {new}") if old else gettext("scheduled for {new}")
    return [moved.format(old=_text(old), new=_text(new))]


def _moment(value: Any) -> dt.datetime | None:
    return dt.datetime.fromisoformat(value) if isinstance(value, str) and value else None


def _text(moment: dt.datetime | None) -> str:
    return formats.moment(moment) if moment else gettext("no time")


def _reassigned(row: Change, people: Mapping[str, str]) -> list[str]:
    if "technician_id" not in row.after:
        return []
    old, new = row.before.get("technician_id"), row.after["technician_id"]
    said = gettext("assigned to {person}") if new else gettext("taken from {person}")
    return [said.format(person=people.get(new or old, gettext("a former technician")))]


def _settled(row: Change) -> list[str]:
    """Returns what became of an invoice or a payment."""
    said = [gettext("sent")] if row.after.get("sent_at") else []
    if "voided_at" in row.after:
        said.append(gettext("voided") if row.after["voided_at"] else gettext("no longer void"))
    if "settlement" in row.after:
        said.append(gettext("now {state}").format(state=Settlement(row.after["settlement"]).label.lower()))
    return said


def _status(row: Change) -> list[str]:
    if "visit_status" not in row.after:
        return []
    return [gettext("status {state}").format(state=VisitStatus(row.after["visit_status"]).label.lower())]
