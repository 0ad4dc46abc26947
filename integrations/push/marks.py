"""What a push leaves behind: the streams concerned are due, and the desk's log of seven days has a line.

A message is never trusted for more than that. It is taken in by two statements, both of which go through their rows in
the order of the keys, so that receivers never wait for each other in a circle. The log's foreign keys share the rows of
streams and accounts on PostgreSQL; runs lock those without their keys (`no_key`), so they do not wait for receivers
with the marks in their hands.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db import connection as db

from integrations.models import PushMark, ReceivedPush, Stream
from integrations.queue.planning import MOST_MISSED

# One change makes several messages, which come together: the run waits for the rest of them.
SETTLING = dt.timedelta(seconds=2)
# Our own writes come back as pushes. What comes so soon after one is looked at together, so much after it.
ECHOES_FOR = dt.timedelta(seconds=10)
AFTER_ECHOES = dt.timedelta(seconds=30)

_T = TypeVar("_T")
_MARKS, _LOG, _STREAMS = PushMark._meta.db_table, ReceivedPush._meta.db_table, Stream._meta.db_table
# Keeps the earlier of two due times, unless our own write is so fresh that this is probably its echo. Written out,
# since Django's upserts set columns to what was sent and to nothing else.
_MARK = f"""
    INSERT INTO {_MARKS} (stream_id, due_at, pushed_at, pushes, missed, failures, news_seq)
    SELECT id, %(due)s, %(now)s, CASE WHEN {{is_new}} THEN 1 ELSE 0 END, 0, 0, 0
    FROM {_STREAMS} WHERE id IN ({{ids}}) ORDER BY id
    ON CONFLICT (stream_id) DO UPDATE SET
        due_at = CASE
            WHEN {_MARKS}.due_at <= %(due)s THEN {_MARKS}.due_at
            WHEN {_MARKS}.written_at > %(echoes_since)s THEN COALESCE({_MARKS}.due_at, %(after_echoes)s)
            ELSE excluded.due_at END,
        pushed_at = CASE WHEN {_MARKS}.pushed_at > %(now)s THEN {_MARKS}.pushed_at ELSE excluded.pushed_at END,
        taken_at = NULL,
        pushes = {_MARKS}.pushes + excluded.pushes,
        owed_by = NULL,
        missed = CASE WHEN {_MARKS}.missed >= {MOST_MISSED} THEN 0 ELSE {_MARKS}.missed END
"""  # noqa: S608
_HOLD = f"""
    INSERT INTO {_MARKS} (stream_id, pushes, missed, failures, news_seq)
    SELECT id, 0, 0, 0, 0 FROM {_STREAMS} WHERE id IN ({{ids}}) ORDER BY id
    ON CONFLICT (stream_id) DO UPDATE SET pushes = {_MARKS}.pushes
"""  # noqa: S608
_NOTE = f"""
    INSERT INTO {_LOG} (integration, connection_id, stream_id, message_id, kinds, received_at) VALUES {{rows}}
    ON CONFLICT DO NOTHING RETURNING connection_id, message_id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class PushMessage:
    """One thing that a vendor told: the ids of the streams that it is about, its kind in the vendor's words, and the
    id by which a repeated one is known ("" where the vendor gives none)."""

    stream_ids: Collection[str]
    kind: str
    message_id: str = ""


def mark(stream_ids: Collection[str], now: dt.datetime, *, kind: str, message_id: str = "") -> None:
    """Makes the streams due in two seconds, and remembers that they were pushed at `now`.

    A message that comes again (`message_id`) marks again, which costs a quiet run at most, and is counted once. Streams
    that are not there any more are left out.
    """
    mark_all([PushMessage(stream_ids, kind, message_id)], now)


def mark_all(messages: Sequence[PushMessage], now: dt.datetime) -> None:
    """Does so for several messages that came in one post, in one short transaction."""
    try:
        _take_in(messages, now)
    except IntegrityError:  # an account has been deleted meanwhile, and is not there when it is looked for again
        _take_in(messages, now)


def _take_in(messages: Sequence[PushMessage], now: dt.datetime) -> None:
    wanted = {stream_id for message in messages for stream_id in message.stream_ids}
    rows = Stream.objects.filter(pk__in=wanted).values_list("pk", "connection_id", "connection__integration")
    streams = {pk: (connection_id, integration) for pk, connection_id, integration in rows}
    if not streams:
        return
    with transaction.atomic():
        fresh = _note(messages, streams, now)
        _mark(sorted(streams), fresh, now)


def _note(messages: Sequence[PushMessage], streams: dict[str, tuple[str, str]], now: dt.datetime) -> set[str]:
    """Writes the log; returns the ids of the streams that something new was told of."""
    lines: dict[tuple[str, str, str, str], list[str]] = {}  # one for each account that a message is about
    for number, message in enumerate(messages):
        for stream_id in sorted({*message.stream_ids} & {*streams}):
            connection_id, integration = streams[stream_id]
            message_id = _plain(message.message_id)[:120]
            key = (connection_id, message_id or f"\0{number}", integration, _plain(message.kind)[:200])
            lines.setdefault(key, []).append(stream_id)
    new: set[tuple[str, str]] = set()
    values: list[tuple[Any, ...]] = [
        (integration, connection_id, ids[0] if len(ids) == 1 else None, "" if key[0] == "\0" else key, kind, now)
        for (connection_id, key, integration, kind), ids in sorted(lines.items())
    ]
    for portion in _portions(values, 1000):
        marks = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(portion))
        parameters = [_adapted(value) for row in portion for value in row]
        with db.cursor() as cursor:
            cursor.execute(_NOTE.format(rows=marks), parameters)
            new |= {(connection_id, message_id) for connection_id, message_id in cursor.fetchall()}
    return {
        stream_id
        for (connection_id, key, _integration, _kind), ids in lines.items()
        if (connection_id, "" if key[0] == "\0" else key) in new
        for stream_id in ids
    }


def _mark(stream_ids: Sequence[str], fresh: set[str], now: dt.datetime) -> None:
    for portion in _portions(stream_ids, 500):
        ids = {f"id{number}": stream_id for number, stream_id in enumerate(portion)}
        names = [f"%({name})s" for name in ids]
        new = [name for name, stream_id in zip(names, portion, strict=True) if stream_id in fresh]
        is_new = f"id IN ({', '.join(new)})" if new else "1 = 0"
        times = {
            "now": now,
            "due": now + SETTLING,
            "echoes_since": now - ECHOES_FOR,
            "after_echoes": now + AFTER_ECHOES,
        }
        parameters = {**ids, **{name: _adapted(moment) for name, moment in times.items()}}
        with db.cursor() as cursor:
            cursor.execute(_MARK.format(is_new=is_new, ids=", ".join(names)), parameters)


def hold(stream_ids: Collection[str]) -> None:
    """Locks the marks of these streams, and makes those that there are not: in the order of the keys, as a push does.
    For transactions that are to change several of them in several steps."""
    for portion in _portions(sorted(stream_ids), 500):
        with db.cursor() as cursor:
            cursor.execute(_HOLD.format(ids=", ".join(["%s"] * len(portion))), list(portion))


def _plain(text: str) -> str:
    return text.replace("\0", "")  # PostgreSQL takes none


def _adapted(value: Any) -> Any:
    return db.ops.adapt_datetimefield_value(value) if isinstance(value, dt.datetime) else value


def _portions(values: Sequence[_T], size: int) -> Iterable[Sequence[_T]]:
    return (values[start : start + size] for start in range(0, len(values), size))
