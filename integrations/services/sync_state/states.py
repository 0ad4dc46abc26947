"""How records stand with every account that may have them: the same for the API, for lists and for the desk."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone
from django.utils.translation import override

from fieldcamp.workspace.tracking import TrackedModel
from integrations.kinds import KINDS, VISIT
from integrations.selectors.links import remote_url
from integrations.selectors.subjects import kinds_of, models
from integrations.services.sync_state.facts import Accounts
from integrations.services.sync_state.in_books import books_places
from integrations.services.sync_state.in_calendars import calendar_places
from integrations.services.sync_state.of_records import NOTHING_TO_DO
from integrations.services.sync_state.places import RecordPlace
from integrations.services.sync_state.reasons import Explanation, RecordState

# What waits for what waits: a payment for its invoice, that for its client.
DEEPEST = 3
_STUCK = (RecordState.PROBLEM, RecordState.EXCLUDED, RecordState.NOT_CONNECTED)


@dataclass(frozen=True, slots=True)
class SyncStateRow:
    """How a record stands in one place. `place` is the calendar's name, or how the books call such records; the ids are
    None where there is no account, or no counterpart."""

    integration: str
    connection_id: str | None
    place: str
    remote_id: str | None
    remote_url: str | None
    last_pushed_at: dt.datetime | None
    last_pulled_at: dt.datetime | None
    explanation: Explanation


def sync_state(record: TrackedModel) -> list[SyncStateRow]:
    """Returns how this record, deleted ones included, stands with each account that may have it."""
    [kind] = kinds_of(record)
    return sync_states(record.workspace_id, kind, [record.pk]).get(record.pk, [])  # type: ignore[attr-defined]


def sync_states(workspace_id: str, kind: str, record_ids: Collection[str]) -> dict[str, list[SyncStateRow]]:
    """Returns the same of many records of one kind of a company, by their ids; of one that there is not nothing. The
    number of queries does not depend on how many they are. Sentences are English, as all of the API."""
    with override("en"):
        places = _places(workspace_id, kind, record_ids, Accounts(workspace_id, timezone.now()))
        return {record_id: [_row(place) for place in found] for record_id, found in places.items()}


def _places(
    workspace_id: str, kind: str, record_ids: Collection[str], known: Accounts, depth: int = DEEPEST
) -> dict[str, list[RecordPlace]]:
    records = _records(workspace_id, kind, record_ids)
    if not records:
        return {}
    found = (calendar_places if kind == VISIT.name else books_places)(workspace_id, KINDS[kind], records, known)
    return _with_awaited(workspace_id, found, known, depth - 1) if depth else found


def _records(workspace_id: str, kind: str, record_ids: Collection[str]) -> list[Any]:
    model: Any = models()[kind]
    related = ("client", "technician") if kind == VISIT.name else ()
    rows = model.objects.filter(pk__in=set(record_ids), workspace=workspace_id)
    return list(rows.select_related(*related).order_by("pk") if related else rows.order_by("pk"))


def _with_awaited(
    workspace_id: str, found: Mapping[str, list[RecordPlace]], known: Accounts, depth: int
) -> dict[str, list[RecordPlace]]:
    """Adds to what waits for another record why that one is not there."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for explanation in (place.explanation for places in found.values() for place in places):
        if explanation.awaited:
            wanted[explanation.awaited[0]].add(explanation.awaited[1])
    if not wanted:
        return dict(found)
    others: dict[tuple[str, str, str | None], Explanation] = {}
    for kind, ids in sorted(wanted.items()):
        for record_id, places in _places(workspace_id, kind, ids, known, depth).items():
            others |= {(kind, record_id, place.connection_id): place.explanation for place in places}
    return {record_id: [_told_why(place, others) for place in places] for record_id, places in found.items()}


def _told_why(place: RecordPlace, others: Mapping[tuple[str, str, str | None], Explanation]) -> RecordPlace:
    told = place.explanation
    other = others.get((*told.awaited, place.connection_id)) if told.awaited else None
    if other is None or other.state is RecordState.SYNCED:
        return place
    # What keeps that one out is no answer for what needs it: either that is ended, or this is changed.
    step = other.next_step.removeprefix(NOTHING_TO_DO).strip() if other.state is RecordState.EXCLUDED else ""
    if told.state is RecordState.PROBLEM or not step:
        step = told.next_step if other.state is RecordState.EXCLUDED else other.next_step
    return replace(
        place,
        explanation=replace(
            told,
            state=_state(told.state, other.state),
            sentence=f"{told.sentence} {other.sentence}",
            next_step=step,
            problem_ids=tuple(dict.fromkeys([*told.problem_ids, *other.problem_ids])),
        ),
    )


def _state(own: RecordState, awaited: RecordState) -> RecordState:
    """Returns how a record stands that waits for one that stands so."""
    if awaited in _STUCK:
        return RecordState.PROBLEM
    return awaited if own is RecordState.PENDING else own


def _row(place: RecordPlace) -> SyncStateRow:
    link = place.link
    present = link is not None and link.is_present
    return SyncStateRow(
        place.integration,
        place.connection_id,
        place.name,
        link.remote_id if link and present else None,
        (remote_url(link) or None) if link and present else None,
        link.pushed_at if link else None,
        link.pulled_at if link else None,
        place.explanation,
    )
