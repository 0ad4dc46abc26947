"""From a person's events to the times at which they cannot be booked.

Series are stored as the provider has them (a master with its rules, exceptions beside it); their occurrences inside
the window are worked out here, and again once a day as the window moves, without asking the provider.
"""

import datetime as dt
import hashlib
import zoneinfo
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import icalendar
import recurring_ical_events
import structlog
from django.db import transaction
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime
from integrations.kinds import BLOCK
from integrations.models import Link, Occurrence, Stream
from integrations.records import Window, instant, is_day, parse_instant

log = structlog.get_logger(__name__)

MOST_A_DAY = 48  # a person's events do not; working such a rule out would only keep everybody waiting


def expand(stream: Stream, roots: Collection[str], window: Window) -> None:
    """Works out the occurrences of these events (a series by its master's id) and shows them as blocked times.

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
    for root in roots:
        master, others = masters.get(root), exceptions.get(root, [])
        for link, times in _occurrences(master, others, window, zone):
            made.append(Occurrence(link=link, member_id=stream.connection.member_id, **times))
    concerned = [link.pk for link in masters.values()] + [link.pk for group in exceptions.values() for link in group]
    before = set(Occurrence.objects.filter(link__in=concerned).values_list("key", flat=True))
    Occurrence.objects.filter(link__in=concerned).delete()
    unique = {(occurrence.link_id, occurrence.key): occurrence for occurrence in made}
    Occurrence.objects.bulk_create(unique.values(), batch_size=500)
    show(stream, before | {occurrence.key for occurrence in made})


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


_TIMES = ("starts_at", "ends_at", "all_day", "start_date", "end_date")


def expand_all(now: dt.datetime) -> int:
    """Works out the occurrences of every series in a window that has moved on by a day; how many series there were."""
    from integrations.calendar.window import window_at

    count = 0
    for stream in Stream.objects.filter(is_active=True, reads_busy=True).select_related(
        "connection__workspace", "connection__member"
    ):
        if stream.expanded_on == now.date():
            continue
        roots = [
            link.remote_id
            for link in Link.objects.filter(stream=stream, kind=BLOCK.name, series_id="", seen_gone=False).iterator()
            if (link.base or {}).get("recurrence")
        ]
        for start in range(0, len(roots), 200):
            with transaction.atomic():
                expand(stream, roots[start : start + 200], window_at(now))
        Stream.objects.filter(pk=stream.pk).update(expanded_on=now.date())
        count += len(roots)
    return count


def _occurrences(
    master: Link | None, exceptions: Sequence[Link], window: Window, zone: zoneinfo.ZoneInfo
) -> Iterator[tuple[Link, dict[str, Any]]]:
    """Yields (link, times) of everything that one event or series blocks. A removed series takes its exceptions
    along."""
    event = None if master is None or master.seen_gone else master.base
    if master is not None and event is None and (master.seen or {}).get("recurrence"):
        return  # (a single event that is gone says nothing: it may have become the series that it is named after)
    if event and event.get("recurrence"):
        assert master is not None
        excluded = [link.base or link.seen or {} for link in exceptions]
        instead_of = [e.get("original_start") or "" for e in excluded]
        try:
            found = list(_recur(event, instead_of, window, zone)) if event.get("busy") else []
        except Exception as error:  # a rule that no library understands must not stop the other events
            log.warning("series_unreadable", link_id=master.pk, error=type(error).__name__)
            found = [] if event["start"] in instead_of else [(event["start"], event["end"])]
        for start, end in found:
            yield master, _times(event["uid"], start, start, end, zone)
    elif event and event.get("busy"):
        assert master is not None
        yield master, _times(event["uid"], event.get("original_start") or "", event["start"], event["end"], zone)
    for link in exceptions:
        exception = link.base
        if exception and exception.get("busy") and not link.seen_gone:
            yield (
                link,
                _times(exception["uid"], exception["original_start"], exception["start"], exception["end"], zone),
            )


def _recur(
    event: dict[str, Any], excluded: Sequence[str], window: Window, zone: zoneinfo.ZoneInfo
) -> Iterator[tuple[str, str]]:
    """Yields the series' own occurrences in the window, without those that an exception stands for, as (start, end)."""
    day = is_day(event["start"])
    home = zoneinfo.ZoneInfo(event["zone"]) if event.get("zone") else zone

    def local(text: str) -> dt.date | dt.datetime:
        return dt.date.fromisoformat(text) if is_day(text) else parse_instant(text).astimezone(home)

    component = icalendar.Event()
    component.add("uid", event["uid"])
    component.add("dtstart", local(event["start"]))
    component.add("dtend", local(event["end"]))
    rules = "\r\n".join(event["recurrence"])
    parsed = icalendar.Event.from_ical(f"BEGIN:VEVENT\r\n{rules}\r\nEND:VEVENT\r\n")
    for name in ("RRULE", "RDATE", "EXDATE", "EXRULE"):
        if name in parsed:
            component[name] = parsed[name]
    if any(_a_day(rule) > MOST_A_DAY for rule in _each(component.get("RRULE", ()))):
        raise ValueError("It takes place too often.")
    calendar = icalendar.Calendar()
    calendar.add_component(component)
    gone = set(excluded)
    for occurrence in recurring_ical_events.of(calendar).between(window.start, window.end):
        start, end = occurrence["DTSTART"].dt, occurrence["DTEND"].dt
        texts = (start.isoformat(), end.isoformat()) if day else (instant(start), instant(end))
        if texts[0] not in gone:
            yield texts


def _each(rules: Any) -> list[dict[str, Any]]:
    return rules if isinstance(rules, list) else [rules] if rules else []


def _a_day(rule: dict[str, Any]) -> int:
    """Returns how often a rule may take place in a day, at most."""
    often = {"SECONDLY": 86_400, "MINUTELY": 1_440, "HOURLY": 24}.get(str((rule.get("FREQ") or ["?"])[0]).upper(), 1)
    for name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        often *= max(1, len(rule.get(name) or ()))
    return often


def _times(uid: str, original: str, start: str, end: str, zone: zoneinfo.ZoneInfo) -> dict[str, Any]:
    key = hashlib.sha256(f"{uid}|{original}".encode()).hexdigest()[:40]
    if not is_day(start):
        return {"key": key, "starts_at": parse_instant(start), "ends_at": parse_instant(end), "all_day": False}
    first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    return {
        "key": key,
        "starts_at": dt.datetime.combine(first, dt.time(), zone),
        "ends_at": dt.datetime.combine(last, dt.time(), zone),
        "all_day": True,
        "start_date": first,
        "end_date": last,
    }
