"""Waiting for the database for less than a second: a sender that waits longer counts us as failed, and comes again."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

LONGEST_WAIT = 800  # milliseconds


@contextmanager
def impatient(milliseconds: int = LONGEST_WAIT, *, writes: bool) -> Iterator[None]:
    """Makes all that is done inside one transaction, which waits for no lock longer than this (half of it in SQLite,
    where posts wait for each other as well). Raises
    django.db.OperationalError where it would have to. What only reads waits for nobody in SQLite."""
    if connection.vendor == "sqlite" and not writes:
        yield
    elif connection.vendor == "sqlite":
        with _sqlite(milliseconds // 2), transaction.atomic():
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
