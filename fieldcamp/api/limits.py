"""Request quotas: two fixed windows, exact under concurrency and shared by all processes."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from fieldcamp.api.errors import ApiError
from fieldcamp.api.gate import per_minute
from fieldcamp.api.models import ApiKey, RateWindow

MINUTE, DAY = 60, 86_400

# SQLite (from 3.35) and PostgreSQL both take this. Rows are locked in the order of the values, the key's before its
# maker's, these before the workspace's, and each has one: no two calls can wait for each other.
_ONE = f"INSERT INTO {RateWindow._meta.db_table} (id, ends_at, used) VALUES (%s, %s, 1)"  # noqa: S608
_COUNT = f" ON CONFLICT (id) DO UPDATE SET used = {RateWindow._meta.db_table}.used + 1 RETURNING id, used"


@dataclass(frozen=True)
class WindowState:
    """One window as it stands after a call."""

    name: str
    limit: int
    used: int
    ends_at: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def exceeded(self) -> bool:
        return self.used > self.limit


@dataclass(frozen=True)
class Quota:
    """What a call was told: the window with fewer calls left, and whether the call was too many."""

    window: WindowState
    now: float

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.window.limit),
            "X-RateLimit-Remaining": str(self.window.remaining),
            "X-RateLimit-Reset": str(self.window.ends_at),
        }

    def check(self) -> None:
        """Raises 429 when the call was one too many."""
        if self.window.exceeded:
            wait = max(1, -int(-(self.window.ends_at - self.now) // 1))
            raise ApiError(
                "RATE_LIMITED",
                f"{self.window.name} is used up ({self.window.limit} calls). Try again in {wait} seconds.",
                details={"limit": self.window.limit},
                headers={"Retry-After": str(wait)},
            )


def _end(now: float, length: int) -> int:
    return (int(now) // length + 1) * length


def take(key: ApiKey, also: Callable[[], None] | None = None) -> Quota:
    """Draws one call on the key's minute, on those of the keys that it comes from, and on the workspace's day; a
    refused call draws on none of them.

    `also` writes in the same transaction: a commit is the most expensive part of counting.
    """
    now = timezone.now().timestamp()
    minute = _end(now, MINUTE)
    wanted = [("This key's minute", key.pk, per_minute(key), minute)]
    for maker in key.makers:
        wanted.append((f"The minute that this key shares with {maker.pk}", maker.pk, per_minute(maker), minute))
    if key.workspace.daily_request_limit is not None:
        wanted.append(("This workspace's day", key.workspace_id, key.workspace.daily_request_limit, _end(now, DAY)))
    used = _count([(f"{owner}:{ends_at}", ends_at, limit) for _, owner, limit, ends_at in wanted], also)
    windows = [WindowState(name, limit, used[f"{owner}:{ends_at}"], ends_at) for name, owner, limit, ends_at in wanted]
    exceeded = [window for window in windows if window.exceeded]
    if exceeded:
        return Quota(max(exceeded, key=lambda window: window.ends_at), now)
    return Quota(min(windows, key=lambda window: window.remaining), now)


def _count(rows: list[tuple[str, int, int]], also: Callable[[], None] | None) -> dict[str, int]:
    """Adds one to each row, or to none of them if that would pass a row's limit."""
    limits = {row_id: limit for row_id, _, limit in rows}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                _ONE + ", (%s, %s, 1)" * (len(rows) - 1) + _COUNT + _hurry(),
                [value for row_id, ends_at, _ in rows for value in (row_id, ends_at)],
            )
            used = {row[0]: row[1] for row in cursor.fetchall()}
        if any(count > limits[row_id] for row_id, count in used.items()):
            transaction.set_rollback(True)
        elif also:
            also()
    return used


def _hurry() -> str:
    """Keeps calls on PostgreSQL from waiting for the disk on the counters' behalf: a crash may forget the last few.
    Said in the statement that counts, which saves a round trip."""
    return ", set_config('synchronous_commit', 'off', true)" if connection.vendor == "postgresql" else ""


def prune(now: dt.datetime) -> int:
    """Forgets windows that ended more than a day ago."""
    count, _ = RateWindow.objects.filter(ends_at__lt=int(now.timestamp()) - DAY).delete()
    return count
