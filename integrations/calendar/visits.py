"""FieldCamp's side of a calendar stream: the visits that it should show, and what a pull does to them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from fieldcamp.workspace.models import Visit, VisitStatus
from fieldcamp.workspace.tracking import attributed
from integrations.calendar import busy
from integrations.errors import ProblemCode
from integrations.kinds import BLOCK, VISIT
from integrations.ledger.dirty import write_rows
from integrations.models import Link, Stream
from integrations.providers import PROVIDERS
from integrations.records import Window, instant, parse_instant, tidy
from integrations.selectors.links import visit_url
from integrations.sync.state import Absence, Action, Decision, Local

# A visit in one of these states has no place in a calendar.
_UNSHOWN = (VisitStatus.UNSCHEDULED, VisitStatus.CANCELLED)
REMOVED_THERE = "Its event was removed in the calendar. The visit is unchanged. Put it back, or cancel the visit."


def event_fields(visit: Visit) -> dict[str, Any]:
    """Returns the visit as its calendar event shows it (`records.VISIT`); the provider adds `Local.link`."""
    assert visit.scheduled_start and visit.scheduled_end
    lines = [f"Client: {visit.client}", f"Service: {visit.title}"]
    phone = (visit.client.phone_number or {}).get("number")
    if phone:
        lines.append(f"Phone: {phone}")
    if visit.notes:
        lines += ["", visit.notes.strip()]
    return {
        "start": instant(visit.scheduled_start),
        "end": instant(visit.scheduled_end),
        "title": tidy(f"{visit.title} · {visit.client}"),
        "text": tidy("\n".join(lines)),
        "place": tidy(visit.address or visit.client.address),
        "repeats": False,
    }


def absence_of(visit: Visit) -> Absence | None:
    """Returns why the visit has no place in any calendar; None where it has one."""
    if visit.deleted_at is not None:
        return Absence.DELETED
    if visit.visit_status == VisitStatus.CANCELLED:
        return Absence.CANCELLED
    if visit.visit_status in _UNSHOWN or visit.scheduled_start is None or visit.scheduled_end is None:
        return Absence.UNSCHEDULED
    return Absence.NO_TECHNICIAN if visit.technician_id is None else None


class VisitsOfStream:
    """One calendar: its member's visits."""

    def __init__(self, stream: Stream, window: Window):
        self.stream, self.window = stream, window
        self.connection = stream.connection
        self.made: dict[int, str] = {}
        self.ready: busy.Ready = {}
        self._kept = PROVIDERS[self.connection.integration].kept  # what is compared is what there is room for there

    def read(self, kind: str, record_ids: Iterable[str]) -> Mapping[str, Local]:
        """Returns what the stream should show of these records; ids that name no record of the workspace are left
        out."""
        if kind != VISIT.name:
            return {}
        # By primary key alone: asked for the workspace as well, SQLite reads all of its visits.
        visits = Visit.objects.filter(pk__in=set(record_ids)).select_related("client").order_by()
        mine = self.connection.workspace_id
        return {visit.pk: self.view(visit) for visit in visits if visit.workspace_id == mine}

    def view(self, visit: Visit) -> Local:
        """Returns the visit, whose client is at hand, as the calendar should show it; without a query."""
        start, end = visit.scheduled_start, visit.scheduled_end
        absence = absence_of(visit) or self._elsewhere(visit)
        return Local(
            fields=None if absence else self._kept(VISIT.name, event_fields(visit)),
            absence=absence,
            in_window=bool(start and end and end > self.window.start and start < self.window.end),
            fixed=visit.is_over,
            version=visit.version,
            link=visit_url(visit.pk),
        )

    def _elsewhere(self, visit: Visit) -> Absence | None:
        """Returns why a visit that belongs into some calendar does not belong into this one."""
        if visit.technician_id != self.connection.member_id:
            return Absence.OTHER_TECHNICIAN
        if not self.stream.is_target:
            return Absence.OTHER_CALENDAR
        return Absence.LEAVING if self.connection.leaving is not None else None

    def enters(self, visit: Visit) -> bool:
        """Returns whether the visit lay beyond the window at the last run; what has come into it since is looked at by
        the next."""
        entered, start = self.stream.window_end, visit.scheduled_start
        return entered is None or (start is not None and start >= entered)

    def unlinked(self, after: str, limit: int) -> list[str]:
        """Returns ids of visits in the window that have no live event in this calendar, in order."""
        return list(self._unlinked().filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:limit])

    def count_unlinked(self) -> int:
        return self._unlinked().count()

    def first_unlinked(self, most: int) -> list[Visit]:
        """Returns the first visits that get an event, in their order, with their clients."""
        rows = self._unlinked().select_related("client__parent").order_by("scheduled_start", "pk")
        return list(rows[:most])

    def enter_window(self) -> None:
        """Makes dirty the visits that lay beyond the window at the last run and have come into it since."""
        if self.stream.window_end and self.stream.window_end < self.window.end:
            entered = self._unlinked().filter(scheduled_start__gte=self.stream.window_end)
            write_rows((self.stream.pk, pk, 0) for pk in entered.values_list("pk", flat=True))

    def _unlinked(self) -> QuerySet[Visit]:
        linked = Link.objects.filter(stream=self.stream, kind=VISIT.name, record_id=OuterRef("pk"))
        visits = Visit.objects.filter(
            ~Exists(linked),
            technician_id=self.connection.member_id if self.stream.is_target else None,
            technician__isnull=False,
            deleted_at=None,
            scheduled_end__gt=self.window.start,
            scheduled_start__lt=self.window.end,
        )
        return visits.exclude(visit_status__in=_UNSHOWN)

    def apply(self, decisions: Sequence[Decision]) -> set[str]:
        overtaken: set[str] = set()
        # In the order in which all writers of visits lock them.
        for decision in sorted(decisions, key=lambda decision: decision.pair.record_id):
            if decision.pair.kind is VISIT and decision.pull and not self._move(decision):
                overtaken.add(decision.pair.key)
        return overtaken

    def _move(self, decision: Decision) -> bool:
        names = {"start": "scheduled_start", "end": "scheduled_end"}
        values = {names[name]: parse_instant(text) for name, text in decision.pull.items()}
        visit = Visit.objects.filter(pk=decision.pair.record_id, version=decision.pair.local.version)
        integration = self.connection.integration
        with attributed(actor=self.connection.account_name, origin=self.stream.pk, integration=integration):
            return bool(visit.update(**values))

    def prepare(self, decisions: Sequence[Decision]) -> None:
        """Works out the series that come in, which may take its time."""
        coming = [d.pair.seen for d in decisions if d.pair.kind is BLOCK and d.action is Action.PULL]
        self.ready = busy.work_out(self.stream, coming, self.window)

    def expand(self, decisions: Sequence[Decision]) -> None:
        """Shows the busy time of the events that these decisions are about, inside the caller's transaction."""
        roots = {
            (decision.pair.seen or decision.pair.base or {}).get("series_id") or decision.pair.remote_id
            for decision in decisions
            if decision.pair.kind is BLOCK and decision.action in (Action.PULL, Action.REMOVE_LOCAL, Action.FORGET)
        }
        busy.expand(self.stream, sorted(roots), self.window, self.ready)

    def orphans(self, links: Any) -> Any:
        return links.exclude(record_id="").filter(~Exists(Visit.objects.filter(pk=OuterRef("record_id"))))

    def match(self, everything: bool) -> None:
        """Matches nothing: our marker on an event says whose it is. Busy time follows what it is worked out from."""
        busy.keep_up(self.stream, timezone.now())

    def unmatched(self, links: Sequence[Link]) -> Mapping[int, Local]:
        return {}

    def circumstances(self, record_ids: Collection[str]) -> Mapping[str, str]:
        return {}

    def removed_remotely(self) -> tuple[ProblemCode, str]:
        return ProblemCode.EVENT_REMOVED, REMOVED_THERE
