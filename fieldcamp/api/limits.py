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
_ONE = f"INSERT INTO {RateWindow._meta.db_table} (id, ends_at, used) VALUES (%s, %s, %s)"  # noqa: S608
_COUNT = f" ON CONFLICT (id) DO UPDATE SET used = {RateWindow._meta.db_table}.used + excluded.used RETURNING id, used"


@dataclass(frozen=True)
class WindowState:
    """One window as it stands after a call; `refused`: so many calls as were counted are not drawn after all."""

    name: str
    limit: int
    used: int
    ends_at: int
    policy: str = "minute"  # how the `RateLimit` header calls it
    length: int = MINUTE  # seconds
    refused: int = 0

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used + self.refused)

    @property
    def exceeded(self) -> bool:
        return self.used > self.limit


@dataclass(frozen=True)
class Quota:
    """What a call was told: the window with fewer calls left, whether the call was too many, and all windows."""

    window: WindowState
    now: float
    windows: tuple[WindowState, ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        """Returns FieldCamp's own headers, and those of draft-ietf-httpapi-ratelimit-headers: all policies at once."""
        windows = self.windows or (self.window,)
        return {
            "X-RateLimit-Limit": str(self.window.limit),
            "X-RateLimit-Remaining": str(self.window.remaining),
            "X-RateLimit-Reset": str(self.window.ends_at),
            "RateLimit-Policy": ", ".join(f'"{each.policy}";q={each.limit};w={each.length}' for each in windows),
            "RateLimit": ", ".join(f'"{each.policy}";r={each.remaining};t={self._left(each)}' for each in windows),
        }

    def _left(self, window: WindowState) -> int:
        """Returns the whole seconds until the window ends, at least one."""
        return max(1, -int(-(window.ends_at - self.now) // 1))

    def check(self) -> None:
        """Raises 429 when the call was one too many."""
        if self.window.exceeded:
            wait = self._left(self.window)
            left = f"has {self.window.remaining} of its {self.window.limit} calls left, which is too few for this"
            used_up = left if self.window.remaining else f"is used up ({self.window.limit} calls)"
            raise ApiError(
                "RATE_LIMITED",
                f"{self.window.name} {used_up}. Try again in {wait} seconds.",
                details={"limit": self.window.limit},
                headers={"Retry-After": str(wait)},
            )


def _end(now: float, length: int) -> int:
    return (int(now) // length + 1) * length


def take(key: ApiKey, also: Callable[[], None] | None = None, *, calls: int = 1) -> Quota:
    """Draws a call, or several, on the key's minute, on those of the keys that it comes from, and on the workspace's
    day; what is refused draws on none of them.

    `also` writes in the same transaction: a commit is the most expensive part of counting.
    """
    now = timezone.now().timestamp()
    minute = _end(now, MINUTE)
    wanted = [("This key's minute", key.pk, per_minute(key), minute, "minute", MINUTE)]
    for number, maker in enumerate(key.makers, 1):
        shared = f"The minute that this key shares with {maker.pk}"
        wanted.append((shared, maker.pk, per_minute(maker), minute, f"shared-minute-{number}", MINUTE))
    if key.workspace.daily_request_limit is not None:
        limit, ends_at = key.workspace.daily_request_limit, _end(now, DAY)
        wanted.append(("This workspace's day", key.workspace_id, limit, ends_at, "day", DAY))
    used = _count([(f"{owner}:{ends_at}", ends_at, limit) for _, owner, limit, ends_at, *_ in wanted], calls, also)
    refused = calls if any(used[f"{owner}:{ends_at}"] > limit for _, owner, limit, ends_at, *_ in wanted) else 0
    windows = tuple(
        WindowState(name, limit, used[f"{owner}:{ends_at}"], ends_at, policy, length, refused)
        for name, owner, limit, ends_at, policy, length in wanted
    )
    exceeded = [window for window in windows if window.exceeded]
    if exceeded:
        return Quota(max(exceeded, key=lambda window: window.ends_at), now, windows)
    return Quota(min(windows, key=lambda window: window.remaining), now, windows)


def _count(rows: list[tuple[str, int, int]], calls: int, also: Callable[[], None] | None) -> dict[str, int]:
    """Adds the calls to each row, or to none of them if that would pass a row's limit."""
    limits = {row_id: limit for row_id, _, limit in rows}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                _ONE + ", (%s, %s, %s)" * (len(rows) - 1) + _COUNT + _hurry(),
                [value for row_id, ends_at, _ in rows for value in (row_id, ends_at, calls)],
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
