"""From a person's events to the times at which they cannot be booked.

Series are stored as the provider has them (a master with its rules, exceptions beside it); their occurrences inside
the window are worked out here, and again once a day as the window moves, without asking the provider.
"""

import datetime as dt
import hashlib
import zoneinfo
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Workspace
from integrations.calendar.series import Occurrences, home_of, occurrences, series_key, worked_out
from integrations.calendar.window import window_at
from integrations.errors import ProblemCode
from integrations.kinds import BLOCK, SubjectKind
from integrations.ledger.failures import end_unreadable
from integrations.ledger.private import forget_lost_secret, where
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import Connection, Link, OAuthGrant, Occurrence, Problem, Stream
from integrations.records import Window, is_day, parse_instant
from integrations.sync.isolation import isolated

log = structlog.get_logger(__name__)

FATAL = (OperationalError, InterfaceError)  # no event's fault
RULES = "3"  # changes when the same events come to other blocked times
UNREADABLE_SERIES = (
    "A repeating event in {calendar} has rules that FieldCamp cannot read in full. It blocks rather more time than it "
    "takes, so that nobody is booked over it. Its owner can enter it anew."
)


Ready = dict[Hashable, Occurrences]


def work_out(stream: Stream, events: Iterable[Mapping[str, Any] | None], window: Window) -> Ready:
    """Returns when these series take place, for `expand`: that may take its time, and comes before its transaction."""
    zone = zoneinfo.ZoneInfo(stream.connection.workspace.timezone)
    series = [event for event in events if event and event.get("recurrence") and event.get("busy")]
    return {series_key(event): worked_out(dict(event), window, zone) for event in series}


def expand(stream: Stream, roots: Collection[str], window: Window, ready: Ready | None = None) -> None:
    """Works out the occurrences of these events (a series by its master's id) and shows them as blocked times. `ready`
    are those that were worked out before.

    Runs inside the caller's transaction.
    """
    if not roots or stream.connection.member_id is None:
        return
    links = Link.objects.filter(stream=stream, kind=BLOCK.name)
    masters = {link.remote_id: link for link in links.filter(remote_id__in=roots)}
    exceptions: dict[str, list[Link]] = {}
    for link in links.filter(series_id__in=roots):
        exceptions.setdefault(link.series_id, []).append(link)
    zone = zoneinfo.ZoneInfo(stream.connection.workspace.timezone)
    made: list[Occurrence] = []
    unread: set[int] = set()
    for root in roots:
        master, others = masters.get(root), exceptions.get(root, [])
        for link, times in _occurrences(master, others, window, zone, unread, ready):
            made.append(Occurrence(link=link, member_id=stream.connection.member_id, **times))
    concerned = [link.pk for link in masters.values()] + [link.pk for group in exceptions.values() for link in group]
    before = set(Occurrence.objects.filter(link__in=concerned).values_list("key", flat=True))
    Occurrence.objects.filter(link__in=concerned).delete()
    unique = {(occurrence.link_id, occurrence.key): occurrence for occurrence in made}
    Occurrence.objects.bulk_create(unique.values(), batch_size=500)
    show(stream, before | {occurrence.key for occurrence in made})
    _tell_of_unread(stream, {link.pk for link in masters.values()}, unread)


def _tell_of_unread(stream: Stream, looked_at: Collection[int], unread: Collection[int]) -> None:
    """Opens the calendar's problem about series that could not be read in full, or ends it."""
    code, now = ProblemCode.RECORD_UNREADABLE, timezone.now()
    kind, connection = SubjectKind.STREAM, stream.connection
    known = Problem.objects.open().filter(connection=connection, code=code, record_kind=kind, record_id=stream.pk)
    before = set((known.values_list("data", flat=True).first() or {}).get("series", ()))
    still = Link.objects.filter(pk__in=before - set(looked_at)) if before else Link.objects.none()
    after = set(still.values_list("pk", flat=True)) | set(unread)
    if after and after != before:
        message = UNREADABLE_SERIES.format(calendar=stream)
        data = {"series": sorted(after)}
        open_problem(connection, code, message, now=now, kind=kind, record_id=stream.pk, data=data)
    elif before and not after:
        resolve_problems(connection, now=now, codes=[code], kind=kind, record_ids=[stream.pk])


def show(stream: Stream, keys: Collection[str]) -> None:
    """Makes the person's blocked times agree with the occurrences behind these keys: one row a meeting."""
    member = stream.connection.member
    if not keys or member is None:
        return
    behind = {
        occurrence.key: occurrence
        for occurrence in Occurrence.objects.filter(member=member, key__in=keys).order_by("-link_id")
    }
    BlockedTime.objects.filter(member=member, key__in=set(keys) - behind.keys()).delete()
    BlockedTime.objects.bulk_create(
        [
            BlockedTime(
                workspace_id=member.workspace_id,
                member=member,
                key=key,
                updated_at=timezone.now(),
                **{name: getattr(occurrence, name) for name in _TIMES},
            )
            for key, occurrence in sorted(behind.items())
        ],
        batch_size=500,
        update_conflicts=True,
        unique_fields=["member", "key"],
        update_fields=[*_TIMES, "updated_at"],
    )


def forget(stream: Stream) -> None:
    """Removes the busy time of a calendar that is not read any more. Runs inside the caller's transaction."""
    links = Link.objects.filter(stream=stream, kind=BLOCK.name)
    keys = set(Occurrence.objects.filter(link__in=links).values_list("key", flat=True))
    links.delete()
    show(stream, keys)
    end_unreadable(stream)
    _tell_of_unread(stream, (), ())


def begin_anew(connection: Connection) -> None:
    """Has all busy time of the account's company read anew where the secret under which events were known is lost for
    good, and this account was connected again: nobody can tell any more which event is which. Does nothing where the
    secret can be read. Runs inside the caller's transaction."""
    workspace = Workspace.objects.select_for_update().get(pk=connection.workspace_id)
    granted_at = OAuthGrant.objects.filter(connection=connection).values_list("granted_at", flat=True).first()
    if not forget_lost_secret(workspace.pk, granted_at):
        return
    streams = Stream.objects.filter(connection__workspace=workspace, kind="")
    for stream in streams.select_related("connection__member").order_by("pk"):
        forget(stream)
    streams.update(cursor="", full_cursor="", full_mark="", expanded_for="", expanded_on=None)


_TIMES = ("starts_at", "ends_at", "all_day", "start_date", "end_date")


def expand_all(now: dt.datetime) -> int:
    """Works out the occurrences of every series in a window that has moved on by a day; how many there were. A calendar
    at which that fails is left to its next sync."""
    streams = Stream.objects.filter(is_active=True, reads_busy=True)
    count = 0
    for stream in streams.select_related("connection__workspace", "connection__member"):
        try:
            count += keep_up(stream, now)
        except FATAL:
            raise
        except Exception as error:
            log.error("calendar_not_kept_up", stream_id=stream.pk, **where(error))
    return count


def keep_up(stream: Stream, now: dt.datetime) -> int:
    """Works out what the calendar's events block where that is something else by now, without asking the provider:
    series once a day as the window moves, and everything where the company is in another zone or our own rules have
    changed. Returns how many events and series it looked at. One at which that fails keeps what it blocks, and is told
    of as one that cannot be read."""
    inputs = f"{RULES} {stream.connection.workspace.timezone}"
    # A calendar that was never worked out has nothing to bring up to date: what comes in is worked out as it comes.
    changed = stream.expanded_for not in ("", inputs)
    if not stream.reads_busy or (stream.expanded_on == now.date() and stream.expanded_for == inputs):
        return 0
    links = Link.objects.filter(stream=stream, kind=BLOCK.name, series_id="", seen_gone=False)
    roots = [link.remote_id for link in links.iterator() if changed or (link.base or {}).get("recurrence")]
    if changed:  # exceptions whose series is not known
        rest = Link.objects.filter(stream=stream, kind=BLOCK.name).exclude(series_id__in=["", *roots])
        roots += sorted(set(rest.values_list("series_id", flat=True)))
    failed: list[str] = []

    def work(some: Sequence[str]) -> None:
        ready = work_out(stream, links.filter(remote_id__in=some).values_list("base", flat=True), window_at(now))
        with transaction.atomic():
            expand(stream, some, window_at(now), ready)

    def fail(root: str, error: Exception) -> None:
        log.error("series_not_kept_up", stream_id=stream.pk, **where(error))
        failed.append(root)

    for start in range(0, len(roots), 200):
        isolated(roots[start : start + 200], work, fail, FATAL)
    if failed:
        masters = set(links.filter(remote_id__in=failed).values_list("pk", flat=True))
        with transaction.atomic():
            _tell_of_unread(stream, masters, masters)
    stream.expanded_on, stream.expanded_for = now.date(), inputs
    Stream.objects.filter(pk=stream.pk).update(expanded_on=now.date(), expanded_for=inputs)
    return len(roots)


def _occurrences(
    master: Link | None,
    exceptions: Sequence[Link],
    window: Window,
    zone: zoneinfo.ZoneInfo,
    unread: set[int],
    ready: Ready | None,
) -> Iterator[tuple[Link, dict[str, Any]]]:
    """Yields (link, times) of everything that one event or series blocks. A removed series takes its exceptions
    along. Adds the masters whose rules could not be read in full to `unread`."""
    event = None if master is None or master.seen_gone else master.base
    if master is not None and event is None and (master.seen or {}).get("recurrence"):
        return  # (a single event that is gone says nothing: it may have become the series that it is named after)
    if event and event.get("recurrence"):
        assert master is not None
        excluded = [link.base or link.seen or {} for link in exceptions]
        instead_of = [e.get("original_start") or "" for e in excluded]
        if event.get("busy"):
            found = occurrences(event, instead_of, window, zone, ready)
            if not found.understood:
                unread.add(master.pk)
            for start, end in found.times:
                yield master, _times(event, start, end, zone)
    elif event and event.get("busy"):
        assert master is not None
        yield master, _times(event, event["start"], event["end"], zone)
    for link in exceptions:
        exception = link.base
        if exception and exception.get("busy") and not link.seen_gone:
            yield link, _times(exception, exception["start"], exception["end"], zone)


def _times(event: dict[str, Any], start: str, end: str, company: zoneinfo.ZoneInfo) -> dict[str, Any]:
    """Returns when it blocks, and the key by which the same meeting in another calendar is known: it is the same if it
    is at the same time, too (a stale copy is another one)."""
    key = hashlib.sha256(f"{event.get('uid')}|{start}|{end}".encode()).hexdigest()[:40]
    if not is_day(start):
        starts_at = parse_instant(start)
        return {"key": key, "starts_at": starts_at, "ends_at": max(starts_at, parse_instant(end)), "all_day": False}
    zone = home_of(event, company)
    first = dt.date.fromisoformat(start)
    last = max(first, dt.date.fromisoformat(end))
    return {
        "key": key,
        "starts_at": dt.datetime.combine(first, dt.time(), zone),
        "ends_at": dt.datetime.combine(last, dt.time(), zone),
        "all_day": True,
        "start_date": first,
        "end_date": last,
    }
