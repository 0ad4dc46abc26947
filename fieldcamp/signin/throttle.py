"""Brakes on guessing: asked before a password is hashed, counted in the database, and so shared by all processes.

A try counts as failed from its start until it has succeeded, so that many at once do not slip by together. The limits
are the same for names that exist and for names that do not.
"""

import math
from dataclasses import dataclass
from typing import NoReturn

import structlog
from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from fieldcamp.api.models import RateWindow
from fieldcamp.signin.addresses import neighbourhood

log = structlog.get_logger(__name__)

MINUTE = 60
PER_PAIR = 10  # failures a minute for one name from one address
PER_ADDRESS = 60  # tries a minute from one address
FAILURES_PER_ADDRESS = 30  # failures among them
FREE = 10  # failures of one name, from wherever, before it has to wait
LONGEST = 900  # seconds that a name waits at most, so that nobody is locked out for good
FORGOTTEN_AFTER = 3600  # seconds after which a name's failures count no more

_TABLE = RateWindow._meta.db_table
# A window begins with its first try, so that a minute is never two.
_IN_WINDOW = f"""
    INSERT INTO {_TABLE} (id, ends_at, used) VALUES (%(id)s, %(end)s, 1)
    ON CONFLICT (id) DO UPDATE SET
        used = CASE WHEN {_TABLE}.ends_at <= %(now)s THEN 1 ELSE {_TABLE}.used + 1 END,
        ends_at = CASE WHEN {_TABLE}.ends_at <= %(now)s THEN %(end)s ELSE {_TABLE}.ends_at END
    RETURNING used, ends_at
"""  # noqa: S608
# `ends_at` is when the name may be tried again: from FREE failures on twice as long after each.
_DELAYED = f"""
    INSERT INTO {_TABLE} (id, ends_at, used) VALUES (%(id)s, %(now)s, 1)
    ON CONFLICT (id) DO UPDATE SET
        used = CASE WHEN {_TABLE}.ends_at <= %(old)s THEN 1 ELSE {_TABLE}.used + 1 END,
        ends_at = %(now)s + CASE
            WHEN {_TABLE}.ends_at <= %(old)s OR {_TABLE}.used + 1 < %(free)s THEN 0
            WHEN {_TABLE}.used + 1 >= %(free)s + 10 THEN %(longest)s
            ELSE 1 << ({_TABLE}.used + 1 - %(free)s) END
    WHERE {_TABLE}.ends_at <= %(now)s
    RETURNING used, ends_at
"""  # noqa: S608


class Throttled(Exception):
    """One try too many. `wait` is in seconds; `first` is true once a minute, for what is to be written down once."""

    def __init__(self, wait: int, first: bool = False):
        super().__init__(f"Try again in {wait} seconds.")
        self.wait, self.first = max(wait, 1), first


@dataclass(frozen=True)
class Attempt:
    """A try that may go on: the rows that count it."""

    pair: str
    failures: str
    name: str

    def succeeded(self) -> None:
        """Takes the try back, and forgets the failures of this name."""
        with transaction.atomic():
            RateWindow.objects.filter(pk__in=(self.pair, self.name)).delete()
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE {_TABLE} SET used = used - 1 WHERE id = %s AND used > 0", [self.failures])  # noqa: S608


def attempt(action: str, name: str, address: str, device: str = "") -> Attempt:
    """Counts a try of `action` ("login", "code", …) for `name`, or raises Throttled.

    `device` names a browser in which this person has signed in before: its delays are its own, so that strangers who
    try a name cannot make its owner wait.
    """
    name, caller = name.strip().casefold(), neighbourhood(address)
    found = Attempt(
        pair=_id(action, "pair", name, caller),
        failures=_id(action, "failures", caller),
        name=_id(action, "name", name, device),
    )
    # The rows in one order, so that two tries never wait for each other; all of them stay counted when one refuses.
    with transaction.atomic():
        refused = (
            _over(found.pair, PER_PAIR)
            or _over(_id(action, "address", caller), PER_ADDRESS)
            or _over(found.failures, FAILURES_PER_ADDRESS)
            or _delayed(found.name)
        )
    if refused:
        _refuse(found.pair, refused)
    return found


def calls(action: str, address: str, limit: int = PER_PAIR) -> None:
    """Counts a call of `action` from the address, of which there are `limit` a minute; raises Throttled."""
    row = _id(action, "calls", neighbourhood(address))
    if wait := _over(row, limit):
        _refuse(row, wait)


def once(what: str, *parts: str, seconds: int = MINUTE) -> bool:
    """Returns whether this happens for the first time within so many seconds."""
    return not _over(_id(what, *parts), 1, seconds)


def _refuse(row: str, wait: int) -> NoReturn:
    raise Throttled(wait, first=once("refused", row))


def _id(*parts: str) -> str:
    """Returns the row's key. Names and addresses are in it as a hash."""
    return f"signin:{salted_hmac('fieldcamp.signin.throttle', repr(parts)).hexdigest()[:40]}"


def _over(row: str, limit: int, seconds: int = MINUTE) -> int:
    """Counts in the row's window; how long it lasts if that was too much, else 0."""
    now = timezone.now().timestamp()
    with connection.cursor() as cursor:
        # Rounded up, so that a window is never shorter than it says.
        cursor.execute(_IN_WINDOW, {"id": row, "now": int(now), "end": math.ceil(now) + seconds})
        used, ends_at = cursor.fetchone()
    return math.ceil(ends_at - now) if used > limit else 0


def _delayed(row: str) -> int:
    """Counts a failure of the name; how long it has to wait before that, else 0."""
    now = int(timezone.now().timestamp())
    values: dict[str, str | int] = {
        "id": row,
        "now": now,
        "old": now - FORGOTTEN_AFTER,
        "free": FREE,
        "longest": LONGEST,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DELAYED, values)
        if cursor.fetchone():
            return 0
    ends_at = RateWindow.objects.values_list("ends_at", flat=True).filter(pk=row).first() or now
    return max(ends_at - now, 1)
