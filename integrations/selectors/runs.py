"""What the last runs of accounts came to: the newest of each, and the last days, a square a day."""

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import (
    Case,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    IntegerField,
    Max,
    Q,
    QuerySet,
    Sum,
    When,
)

from fieldcamp.workspace.models import Workspace
from integrations.models import Connection, JobPart

DAYS = 14


class DayResult(StrEnum):
    """What a day's runs of an account came to, the worst that counts first."""

    FAILED = "failed"
    WAITS = "waits"
    DONE = "done"
    NONE = "none"


@dataclass
class DayOfRuns:
    """One account's runs of one day, in the company's zone. `longest`: from being asked for to its end."""

    date: dt.date
    runs: int = 0
    failed_runs: int = 0
    waiting_runs: int = 0
    records: int = 0
    failed: int = 0
    longest: dt.timedelta | None = None

    @property
    def result(self) -> DayResult:
        """Returns failed only where no run went through; a record or an account that waited leaves it at that."""
        if not self.runs:
            return DayResult.NONE
        if self.failed_runs == self.runs:
            return DayResult.FAILED
        return DayResult.WAITS if self.failed_runs or self.waiting_runs or self.failed else DayResult.DONE


@dataclass
class RunStrip:
    """The last days of one account, oldest first."""

    connection: Connection
    days: list[DayOfRuns] = field(default_factory=list)

    @property
    def runs(self) -> int:
        return sum(day.runs for day in self.days)

    @property
    def records(self) -> int:
        return sum(day.records for day in self.days)

    @property
    def longest(self) -> dt.timedelta | None:
        return max((day.longest for day in self.days if day.longest), default=None)


def last_parts(accounts: Collection[Connection]) -> dict[str, JobPart]:
    """Returns the newest run of each account, but for dry ones; two queries, the first in an index alone, and two more
    where the newest was dry."""
    wanted = [account.pk for account in accounts]
    found = _newest(JobPart.objects.filter(connection__in=wanted)) if wanted else {}
    if dry := [pk for pk, part in found.items() if part.job.dry_run]:
        found = {pk: part for pk, part in found.items() if pk not in dry}
        found |= _newest(JobPart.objects.filter(connection__in=dry, job__dry_run=False))
    return found


def _newest(rows: QuerySet[JobPart]) -> dict[str, JobPart]:
    newest = [pk for _connection, pk in rows.order_by().values_list("connection").annotate(Max("pk"))]
    found = JobPart.objects.filter(pk__in=newest).select_related("job") if newest else ()
    return {part.connection_id: part for part in found}


def strips_of(
    workspace: Workspace, accounts: Sequence[Connection], now: dt.datetime, days: int = DAYS
) -> list[RunStrip]:
    """Returns the last days of each account, in the company's own days; one query."""
    zone = zoneinfo.ZoneInfo(workspace.timezone)
    today = now.astimezone(zone).date()
    dates = [today - dt.timedelta(days=back) for back in reversed(range(days))]
    # Compared with midnights, as TruncDate is a Python function for each row on SQLite.
    midnights = [dt.datetime.combine(date, dt.time(), zone) for date in dates]
    cases = [When(job__created_at__gte=at, then=number) for number, at in reversed(list(enumerate(midnights)))]
    took = ExpressionWrapper(F("job__finished_at") - F("job__created_at"), output_field=DurationField())
    parts = JobPart.objects.of_syncs().filter(
        job__workspace=workspace, job__created_at__gte=midnights[0], connection__in=[each.pk for each in accounts]
    )
    rows = parts.order_by().annotate(day=Case(*cases, output_field=IntegerField())).values_list("connection", "day")
    counted = rows.annotate(
        runs=Count("pk", filter=Q(status__in=JobPart.OVER)),
        failed_runs=Count("pk", filter=Q(status=JobPart.Status.FAILED)),
        waiting_runs=Count("pk", filter=Q(status__in=[JobPart.Status.HELD, JobPart.Status.PARTIAL])),
        records=Sum(F("pulled") + F("pushed")),
        failed=Sum("failed"),
        longest=Max(took),
    )
    found: dict[str, list[DayOfRuns]] = defaultdict(lambda: [DayOfRuns(date) for date in dates])
    if accounts:
        for pk, number, runs, failed_runs, waiting_runs, records, failed, longest in counted:
            found[pk][number] = DayOfRuns(dates[number], runs, failed_runs, waiting_runs, records, failed, longest)
    return [RunStrip(account, found[account.pk]) for account in accounts]
