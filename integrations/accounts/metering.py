"""An account's calls, counted day by day in the database, and held to what may be billed in a day.

Days are those of UTC, for every company: the provider's own month is one for all of them. What was counted is written
now and then, so that a run of thousands of calls does not write thousands of times; a worker that is killed loses what
it has counted since.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import structlog
from django.db import DatabaseError, transaction
from django.db import connection as database
from django.db.backends.utils import CursorWrapper

from integrations.errors import AllowanceSpent
from integrations.models import Connection, DailyCalls, JobCall, ProviderCalls
from integrations.providers.base import Provider
from integrations.selectors.metering import allowance_of, midnight_after, utc_day
from integrations.transport.meter import Metered, Sent

log = structlog.get_logger(__name__)

IN_A_JOB = 25  # calls that a job counts before it writes them down
LONGEST = dt.timedelta(seconds=10)  # and no longer than that

# SQLite (from 3.35) and PostgreSQL both take this; workers that count at the same time add up.
_NAMES = ("reads", "writes", "counted", "metered", "unsettled")
_TABLE = DailyCalls._meta.db_table
_ADD = (
    f"INSERT INTO {_TABLE} (connection_id, day, {', '.join(_NAMES)}) VALUES (%s, %s, %s, %s, %s, %s, %s) "  # noqa: S608
    "ON CONFLICT (connection_id, day) DO UPDATE SET "
    + ", ".join(f"{name} = {_TABLE}.{name} + excluded.{name}" for name in _NAMES)
)


_CALLS = ProviderCalls._meta.db_table
_ADD_STATUS = (
    f"INSERT INTO {_CALLS} (integration, status, count) VALUES (%s, %s, %s) "  # noqa: S608
    f"ON CONFLICT (integration, status) DO UPDATE SET count = {_CALLS}.count + excluded.count"
)


@dataclass
class _Count:
    reads: int = 0
    writes: int = 0
    counted: int = 0
    metered: int = 0
    unsettled: int = 0


class CallMeter:
    """`Meter` of one connection. With a `job_id` its calls are kept for the provider's support, too, where that wants
    them; it is then to be flushed at the end. `at_once` calls are written together."""

    def __init__(self, connection: Connection, provider: Provider, *, job_id: str = "", at_once: int = 1):
        self.connection_id, self.provider, self.at_once = connection.pk, provider, at_once
        self.job_id = job_id if provider.support else ""
        self._counts: dict[dt.date, _Count] = {}
        self._statuses: Counter[str] = Counter()
        self._calls: list[Sent] = []
        self._waiting = 0
        self._since: dt.datetime | None = None
        self._left: tuple[dt.date, int | None] | None = None  # what may still be billed on that day; None: anything

    def admit(self, now: dt.datetime) -> None:
        """Raises `AllowanceSpent` where no more of this account's calls may be billed today."""
        day = utc_day(now)
        if self._left is None or self._left[0] != day or self._near_the_end(day):
            self.flush()
            self._left = (day, allowance_of(self.connection_id, self.provider, now).left)
        left = self._left[1]
        if left is not None and left <= self._pending(day):
            raise spent(self.connection_id, self.provider, now)

    def _near_the_end(self, day: dt.date) -> bool:
        """Returns whether so little is left that it has to be looked up before each call: others make calls as well."""
        left, pending = self._left[1] if self._left else None, self._pending(day)
        return left is not None and pending > 0 and left - pending <= IN_A_JOB

    def _pending(self, day: dt.date) -> int:
        return self._counts[day].metered if day in self._counts else 0

    def count(self, call: Sent) -> None:
        """Counts a call, and writes down what has come together where that is enough."""
        count = self._counts.setdefault(utc_day(call.at), _Count())
        if call.reads:
            count.reads += 1
        else:
            count.writes += 1
        count.counted += call.counted
        self._statuses[str(call.status)[:40]] += 1
        if call.billed:
            count.metered += call.metered is Metered.YES
            count.unsettled += call.metered is Metered.UNSETTLED
        if self.job_id:
            self._calls.append(call)
        self._waiting += 1
        self._since = self._since or call.at
        if self._waiting >= self.at_once or call.at - self._since >= LONGEST:
            self.flush()

    def flush(self) -> None:
        """Writes down what was counted. What cannot be written now is written with the next; a count is not worth a
        call."""
        if not self._waiting:
            return
        try:
            with transaction.atomic():
                with database.cursor() as cursor:
                    for day, count in sorted(self._counts.items()):
                        cursor.execute(_ADD, [self.connection_id, day, *asdict(count).values()])
                    add_statuses(cursor, self.provider.name, self._statuses)
                JobCall.objects.bulk_create([self._row(call) for call in self._calls])
        except DatabaseError:
            log.warning("calls_not_counted", connection_id=self.connection_id, calls=self._waiting)
            return
        self._counts, self._calls, self._waiting, self._since, self._left = {}, [], 0, None, None
        self._statuses = Counter()

    def _row(self, call: Sent) -> JobCall:
        return JobCall(
            job_id=self.job_id,
            connection_id=self.connection_id,
            at=call.at,
            method=call.method[:10],
            path=call.path[:300],
            status=str(call.status)[:40],
            ms=max(call.ms, 0),
            trace=call.trace[:100],
        )


def add_statuses(cursor: CursorWrapper, integration: str, statuses: Mapping[str, int]) -> None:
    """Adds to the provider's calls by status; always in their order, so that nobody waits for each other."""
    for status, number in sorted(statuses.items()):
        cursor.execute(_ADD_STATUS, [integration, status, number])


def spent(connection_id: str, provider: Provider, now: dt.datetime) -> AllowanceSpent:
    """Returns the error that says what was used up, and when it goes on."""
    allowance, until = allowance_of(connection_id, provider, now), midnight_after(now)
    return AllowanceSpent(
        f"The {allowance.limit:,} reads a day that {provider.label} may bill for this account are used up. Nothing is "
        f"lost: what has changed on either side waits, and it goes on at {until:%H:%M} UTC on {until.day} {until:%b}. "
        "An owner or admin can allow more on the account's page.",
        retry_at=until,
    )


def check_allowance(connection: Connection, provider: Provider, now: dt.datetime) -> None:
    """Raises `AllowanceSpent` where no more of this account's calls may be billed today."""
    left = allowance_of(connection.pk, provider, now).left
    if left is not None and left <= 0:
        raise spent(connection.pk, provider, now)
