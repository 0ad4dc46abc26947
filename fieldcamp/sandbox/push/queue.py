"""Messages that wait, and the list of what became of them."""

import json
import sqlite3
from dataclasses import dataclass, replace
from typing import Any

from fieldcamp.sandbox.push.wire import Answer, Post
from fieldcamp.sandbox.state import State

KEPT_IN_LOG = 20_000
CHANGE = "change"  # the kind of a message about somebody's change, which trouble on demand strikes
HELD = "held"


@dataclass(frozen=True)
class Message:
    """One message for one receiver. `payload` is its vendor's own; `due` the moment of the (next) attempt."""

    vendor: str
    lane: str
    channel: str
    account: str
    url: str
    payload: dict[str, Any]
    kind: str = CHANGE
    due: float | None = None
    blocking: bool = False
    held: str = ""
    n: int = 0
    made_at: float = 0.0
    attempts: int = 0
    batch: int | None = None


# What may be sent now: the time has come, nobody holds it back, and in a blocking lane nothing before it waits.
_READY = """SELECT m.* FROM p_messages m WHERE m.held = '' AND m.due <= ?
 AND (m.vendor || ' ' || m.lane) NOT IN (SELECT value FROM json_each(?))
 AND NOT EXISTS (SELECT 1 FROM p_pauses p WHERE p.vendor = m.vendor AND p.account IN ('', m.account))
 AND (NOT m.blocking OR NOT EXISTS (SELECT 1 FROM p_messages b WHERE b.vendor = m.vendor AND b.lane = m.lane
   AND b.n < m.n AND (b.due > ? OR b.held <> '' OR b.attempts > 0) AND coalesce(b.batch, -1) <> coalesce(m.batch, -2)))
 ORDER BY m.due, m.n LIMIT 1"""


class Queue:
    """The store of waiting messages, and the log of attempts."""

    def __init__(self, state: State) -> None:
        self.state = state

    def add(self, message: Message, alone: bool = False) -> Message:
        """A new message; with `alone` it shares its post with no other."""
        now = self.state.now()
        due = now if message.due is None else message.due
        self.state.stir()
        with self.state.transaction():
            cursor = self.state.execute(
                "INSERT INTO p_messages (vendor, lane, channel, account, url, kind, payload, made_at, due, blocking,"
                " held) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(message.vendor, message.lane, message.channel, message.account, message.url, message.kind),
                *(json.dumps(message.payload), now, due, int(message.blocking), message.held),
            )
            n = int(cursor.lastrowid or 0)
            if alone:
                self.state.execute("UPDATE p_messages SET batch = n WHERE n = ?", n)
            made = replace(message, n=n, due=due, made_at=now, batch=n if alone else None)
            if message.blocking:
                before = self._all("vendor = ? AND lane = ? AND attempts > 0", message.vendor, message.lane, limit=1)
                if before:
                    self.write([made], HELD, next_at=before[0].due)
        return made

    def ready(self, busy: list[str]) -> Message | None:
        """The message that is to be sent next; `busy` names lanes ("vendor lane") in which one is on its way."""
        row = self.state.one(_READY, self.state.now(), json.dumps(busy), self.state.now())
        return _message(row) if row else None

    def get(self, n: int) -> Message | None:
        """The waiting message of that number."""
        return next(iter(self._all("n = ?", n)), None)

    def batch(self, head: Message, most: int, mixed: bool) -> list[Message]:
        """What goes into one post with `head`: what was tried together before, else what is due in the same lane; of
        one account only unless `mixed`."""
        if head.batch is not None:
            return self._all("vendor = ? AND lane = ? AND batch = ?", head.vendor, head.lane, head.batch)
        found = self._all(
            "vendor = ? AND lane = ? AND batch IS NULL AND held = '' AND due <= ? AND kind = ? AND (? OR account = ?)",
            *(head.vendor, head.lane, self.state.now(), head.kind, int(mixed), head.account),
            limit=most,
        )
        numbers = json.dumps([each.n for each in found])
        query = "UPDATE p_messages SET batch = ? WHERE n IN (SELECT value FROM json_each(?))"
        self.state.execute(query, head.n, numbers)
        return [replace(each, batch=head.n) for each in found]

    def soonest(self) -> float | None:
        """When the next message falls due that nobody holds back."""
        row = self.state.the("SELECT min(due) AS due FROM p_messages WHERE held = ''")
        return row["due"]

    def remove(self, messages: list[Message]) -> None:
        """They are over."""
        numbers = json.dumps([each.n for each in messages])
        self.state.execute("DELETE FROM p_messages WHERE n IN (SELECT value FROM json_each(?))", numbers)

    def put_off(self, messages: list[Message], due: float) -> None:
        """They are tried again then."""
        query = "UPDATE p_messages SET attempts = attempts + 1, due = ? WHERE n IN (SELECT value FROM json_each(?))"
        self.state.execute(query, due, json.dumps([each.n for each in messages]))

    def follow(self, vendor: str, lane: str, at: float) -> None:
        """What has waited in the lane for one before it is not older than that moment."""
        query = "UPDATE p_messages SET due = ? WHERE vendor = ? AND lane = ? AND attempts = 0 AND due < ?"
        self.state.execute(query, at, vendor, lane, at)

    def waiting(self, vendor: str, channel: str) -> list[Message]:
        """What waits for a channel's receiver."""
        return self._all("vendor = ? AND channel = ?", vendor, channel)

    def held(self, why: str) -> list[Message]:
        """What is held back for that reason."""
        return self._all("held = ?", why)

    def of_vendor(self, vendor: str, limit: int = 100) -> list[Message]:
        """What waits of one vendor's."""
        return self._all("vendor = ?", vendor, limit=limit)

    def hold(self, message: Message, why: str) -> None:
        """Holds a message back, or with an empty reason lets it go, now."""
        query = "UPDATE p_messages SET held = ?, due = max(due, ?) WHERE n = ?"
        self.state.execute(query, why, self.state.now(), message.n)

    def set_due(self, message: Message, due: float) -> None:
        """Moves a message's moment."""
        self.state.execute("UPDATE p_messages SET held = '', due = ? WHERE n = ?", due, message.n)

    def write(
        self, messages: list[Message], outcome: str, post: Post | None = None, answer: Answer | None = None,
        next_at: float | None = None, why: str = "", at: float | None = None,
    ) -> None:  # fmt: skip
        """Logs what became of messages that share a fate."""
        first, told = messages[0], answer or Answer(0)
        channels = ", ".join(dict.fromkeys(each.channel for each in messages))
        accounts = ", ".join(dict.fromkeys(each.account for each in messages))
        attempt = first.attempts + 1 if post else first.attempts
        text = (post.body if post else b"").decode("utf-8", "replace")
        cursor = self.state.execute(
            "INSERT INTO p_log (at, vendor, channel, account, url, kind, items, headers, body, attempt, status, ms,"
            " outcome, next_at, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(self.state.now() if at is None else at, first.vendor, channels, accounts),
            *(post.url if post else first.url, first.kind, len(messages), json.dumps(post.headers if post else {})),
            *(text, attempt, told.status, round(told.seconds * 1000), outcome, next_at, why or told.why),
        )
        self.state.execute("DELETE FROM p_log WHERE n <= ?", int(cursor.lastrowid or 0) - KEPT_IN_LOG)

    def write_held(self, head: Message, next_at: float) -> None:
        """Logs that all behind `head` in its lane wait for it."""
        for each in self._all("vendor = ? AND lane = ? AND attempts = 0", head.vendor, head.lane):
            self.write([each], HELD, next_at=next_at)

    def entries(self, vendor: str | None, since: int, account: str | None = None) -> list[dict[str, Any]]:
        """The log behind number `since`, the oldest first."""
        rows = self.state.all(
            "SELECT * FROM p_log WHERE n > ? AND vendor = coalesce(?, vendor)"
            " AND (? IS NULL OR instr(', ' || account || ',', ', ' || ? || ',')) ORDER BY n",
            *(since, vendor, account, account),
        )
        return [{name: row[name] for name in row.keys()} | {"headers": json.loads(row["headers"])} for row in rows]  # noqa: SIM118

    def _all(self, where: str, *params: Any, limit: int = -1) -> list[Message]:
        query = f"SELECT * FROM p_messages WHERE {where} ORDER BY due, n LIMIT ?"  # noqa: S608  our own conditions
        return [_message(row) for row in self.state.all(query, *params, limit)]


def _message(row: sqlite3.Row) -> Message:
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118  a row has no items
    return Message(**(values | {"payload": json.loads(row["payload"]), "blocking": bool(row["blocking"])}))
