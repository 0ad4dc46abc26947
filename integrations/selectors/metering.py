"""How many of its calls an account may be billed for: by day, the last days, and what the month will come to."""

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from integrations.models import Connection, DailyCalls
from integrations.providers import PROVIDERS
from integrations.providers.base import Provider

LAST = 30  # days that are shown
WEEK = 7  # days that the forecast goes by
WARN_AT = 0.8  # of a day's limit


def utc_day(now: dt.datetime) -> dt.date:
    return now.astimezone(dt.UTC).date()


def midnight_after(now: dt.datetime) -> dt.datetime:
    """Returns when the day (UTC) ends, and the counting begins anew."""
    return dt.datetime.combine(utc_day(now) + dt.timedelta(days=1), dt.time(), dt.UTC)


@dataclass(frozen=True)
class Allowance:
    """What may be billed on one day: `limit` calls (0: any number), of which `used` are gone."""

    limit: int
    used: int

    @property
    def left(self) -> int | None:
        """Returns how many are left; None where there is no limit."""
        return max(self.limit - self.used, 0) if self.limit else None

    @property
    def spent(self) -> bool:
        return self.left == 0

    @property
    def nearly_spent(self) -> bool:
        """Returns whether so many are used that somebody should know."""
        return bool(self.limit) and self.used >= self.limit * WARN_AT


def limit_of(chosen: int | None, provider: Provider) -> int:
    """Returns the limit of an account for which this was chosen; 0: none."""
    if not provider.meters_reads:
        return 0
    return max(provider.metered_reads_per_day if chosen is None else chosen, 0)


def allowance_of(connection_id: str, provider: Provider, now: dt.datetime) -> Allowance:
    """Returns what the account may still be billed for today, as it stands in the database; two queries at most."""
    if not provider.meters_reads:
        return Allowance(0, 0)
    chosen = Connection.objects.filter(pk=connection_id).values_list("metered_reads_per_day", flat=True).first()
    limit = limit_of(chosen, provider)
    used = DailyCalls.objects.filter(connection=connection_id, day=utc_day(now)).values_list("metered", flat=True)
    return Allowance(limit, (used.first() or 0) if limit else 0)


@dataclass(frozen=True)
class Day:
    """The calls of one day, or of several together."""

    reads: int = 0
    writes: int = 0
    counted: int = 0
    metered: int = 0
    unsettled: int = 0


@dataclass(frozen=True)
class MeterReading:
    """What an account's calls come to. `month` is what its metered ones will by the end of the month (UTC), if the
    rest of it is like the last seven days; None where the provider bills nothing."""

    days: list[tuple[dt.date, Day]]  # the last week's, newest first
    today: Day
    yesterday: Day
    last: Day
    month: int | None
    allowance: Allowance


def meters_of(connections: Sequence[Connection], now: dt.datetime) -> dict[str, MeterReading]:
    """Returns what they come to, by connection; one query."""
    today = utc_day(now)
    first = min(today - dt.timedelta(days=LAST - 1), today.replace(day=1))
    days: dict[str, dict[dt.date, Day]] = {connection.pk: {} for connection in connections}
    names = ("reads", "writes", "counted", "metered", "unsettled")
    for pk, day, *counts in DailyCalls.objects.filter(connection__in=connections, day__gte=first).values_list(
        "connection_id", "day", *names
    ):
        days[pk][day] = Day(*counts)
    return {connection.pk: _meter(connection, days[connection.pk], today) for connection in connections}


def calls_today(connections: Sequence[Connection], now: dt.datetime) -> dict[str, int]:
    """Returns how many calls they have made today (UTC) as their providers count them, by connection; one query."""
    if not connections:
        return {}
    rows = DailyCalls.objects.filter(connection__in=connections, day=utc_day(now))
    return dict(rows.values_list("connection_id", "counted"))


def _meter(connection: Connection, days: dict[dt.date, Day], today: dt.date) -> MeterReading:
    provider = PROVIDERS[connection.integration]
    now = days.get(today, Day())
    week = [today - dt.timedelta(days=back) for back in range(WEEK)]
    return MeterReading(
        days=[(day, days.get(day, Day())) for day in week],
        today=now,
        yesterday=days.get(today - dt.timedelta(days=1), Day()),
        last=_sum([count for day, count in days.items() if today - day < dt.timedelta(days=LAST)]),
        month=forecast({day: count.metered for day, count in days.items()}, today) if provider.meters_reads else None,
        allowance=Allowance(limit_of(connection.metered_reads_per_day, provider), now.metered),
    )


def _sum(days: Sequence[Day]) -> Day:
    return Day(
        sum(day.reads for day in days),
        sum(day.writes for day in days),
        sum(day.counted for day in days),
        sum(day.metered for day in days),
        sum(day.unsettled for day in days),
    )


def forecast(days: dict[dt.date, int], today: dt.date) -> int:
    """Returns what a month's calls will come to: those so far, and for each day that is left, today among them, as many
    as a day of the last seven had. Days before the first call do not count; today counts with what it already has,
    where that is more."""
    whole = [today - dt.timedelta(days=back) for back in range(1, WEEK + 1)]
    begun = min(days, default=today)
    known = [days.get(day, 0) for day in whole if day >= begun]
    so_far = sum(count for day, count in days.items() if day.month == today.month and day < today)
    usual = sum(known) / len(known) if known else days.get(today, 0)
    left = calendar.monthrange(today.year, today.month)[1] - today.day
    return round(so_far + max(usual, days.get(today, 0)) + usual * left)
