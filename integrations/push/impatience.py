"""Waiting for the database for less than a second: a sender that waits longer counts us as failed, and comes again."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from django.db import OperationalError, connection, transaction

LONGEST_WAIT = 800  # milliseconds
_WRITING = Lock()


@contextmanager
def impatient(milliseconds: int = LONGEST_WAIT, *, writes: bool) -> Iterator[None]:
    """Makes all that is done inside one transaction, which waits for no lock longer than this. Raises
    django.db.OperationalError where it would have to. What only reads waits for nobody in SQLite."""
    if connection.vendor == "sqlite" and not writes:
        yield
    elif connection.vendor == "sqlite":
        with _sqlite(milliseconds), transaction.atomic():
            yield
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)",
                    [str(milliseconds), str(milliseconds)],
                )
            yield


@contextmanager
def _sqlite(milliseconds: int) -> Iterator[None]:
    """Shortens how long this thread's connection waits for a writer, which is as long as it lives otherwise."""
    # One at a time in this process: SQLite's waiters poll, and many of them take the lock from each other.
    if not _WRITING.acquire(timeout=milliseconds / 2000):
        raise OperationalError("database is locked")
    try:
        yield from _waiting_for(milliseconds // 2)
    finally:
        _WRITING.release()


def _waiting_for(milliseconds: int) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        usual = int(cursor.fetchone()[0])
        cursor.execute(f"PRAGMA busy_timeout = {int(milliseconds)}")
    try:
        yield
    finally:
        if connection.connection is not None:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {usual}")
