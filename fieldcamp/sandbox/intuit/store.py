"""The books on disk: objects by type and id, their tokens and times, tombstones, sequences, companies."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

# ruff: noqa: S608  column lists and conditions are this package's own; values are always bound
from fieldcamp.sandbox.intuit.schema import COLUMNS
from fieldcamp.sandbox.push.sender import Noted
from fieldcamp.sandbox.state import State

SELECT = f"SELECT {COLUMNS} FROM q_objects WHERE realm = ? AND type = ?"
SAVE = f"INSERT OR REPLACE INTO q_objects ({COLUMNS}) VALUES ({', '.join('?' * 12)})"


@dataclass(frozen=True)
class Company:
    """A company: `switches` say how it behaves (subscription, warnings), beyond what its preferences say."""

    realm: str
    name: str
    zone: str
    switches: dict[str, Any]


@dataclass(frozen=True)
class Stored:
    """An object as it is kept. `body` is without Id, SyncToken, MetaData, domain and sparse."""

    realm: str
    type: str
    id: str
    token: int
    created: int
    updated: int
    change: int
    deleted: bool
    active: bool
    space: str | None
    name_key: str | None
    body: dict[str, Any]


class Store:
    """Reads and writes rows; knows nothing of what the objects mean."""

    def __init__(self, state: State) -> None:
        self.state = state

    def add_company(self, realm: str, name: str, zone: str) -> None:
        """A new company without any objects."""
        self.state.execute("INSERT INTO q_companies (realm, name, zone) VALUES (?, ?, ?)", realm, name, zone)

    def company(self, realm: str) -> Company | None:
        """The company of that realm id."""
        row = self.state.one("SELECT * FROM q_companies WHERE realm = ?", realm)
        return Company(row["realm"], row["name"], row["zone"], json.loads(row["switches"])) if row else None

    def companies(self) -> list[Company]:
        """All companies."""
        rows = self.state.all("SELECT realm, name, zone, switches FROM q_companies ORDER BY realm")
        return [Company(row["realm"], row["name"], row["zone"], json.loads(row["switches"])) for row in rows]

    def switch(self, realm: str, values: dict[str, Any]) -> None:
        """Sets switches of a company; None takes one back to its default."""
        with self.state.transaction():
            company = self.company(realm)
            if company is None:
                raise LookupError(realm)
            switches = {name: value for name, value in (company.switches | values).items() if value is not None}
            self.state.execute("UPDATE q_companies SET switches = ? WHERE realm = ?", json.dumps(switches), realm)

    def get(self, realm: str, entity: str, object_id: str) -> Stored | None:
        """The object of that id, a deleted one too."""
        row = self.state.one(f"{SELECT} AND id = ?", realm, entity, object_id)
        return _stored(row) if row else None

    def named(self, realm: str, space: str, key: str) -> list[Stored]:
        """The objects that bear a name, of all types that share its name space."""
        query = f"SELECT {COLUMNS} FROM q_objects WHERE realm = ? AND space = ? AND name_key = ? AND NOT deleted"
        return [_stored(row) for row in self.state.all(query, realm, space, key)]

    def rows(
        self,
        realm: str,
        entity: str,
        where: str = "NOT deleted",
        *params: Any,
        order: str = "n, id",
        limit: int = -1,
        offset: int = 0,
    ) -> Iterator[Stored]:
        """Objects of one type. `where` and `order` are ours, never a client's."""
        # The sign keeps SQLite from walking the whole type in that order where a value's own index finds a few rows.
        sign = "+" if "json_extract" in where else ""
        query = f"{SELECT} AND {where} ORDER BY {sign}{order} LIMIT ? OFFSET ?"
        for row in self.state.all(query, realm, entity, *params, limit, offset):
            yield _stored(row)

    def count(self, realm: str, entity: str, where: str = "NOT deleted", *params: Any) -> int:
        """How many objects of one type."""
        query = f"SELECT count(*) AS n FROM q_objects WHERE realm = ? AND type = ? AND {where}"
        return int(self.state.the(query, realm, entity, *params)["n"])

    def total(self, realm: str, entity: str, value: str, where: str = "NOT deleted", *params: Any) -> float:
        """The sum of an expression over objects of one type; it and the condition are ours, never a client's."""
        query = f"SELECT total({value}) AS n FROM q_objects WHERE realm = ? AND type = ? AND {where}"
        return float(self.state.the(query, realm, entity, *params)["n"])

    def next_id(self, realm: str, sequence: str) -> str:
        """The next number of a sequence, e.g. the one that all transactions share."""
        with self.state.transaction():
            row = self.state.one("SELECT last FROM q_sequences WHERE realm = ? AND name = ?", realm, sequence)
            number = (row["last"] if row else 0) + 1
            self._set_sequence(realm, sequence, number)
        return str(number)

    def reserve(self, realm: str, sequence: str, number: int) -> None:
        """The sequence goes on after that number at the earliest."""
        row = self.state.one("SELECT last FROM q_sequences WHERE realm = ? AND name = ?", realm, sequence)
        if row is None or row["last"] < number:
            self._set_sequence(realm, sequence, number)

    def save(self, stored: Stored, bump: bool = True) -> Stored:
        """Writes an object at the company's clock: a new one (token -1) gets token 0, another the next one.

        `bump=False` moves LastUpdatedTime alone, as a balance does that changed because of a transaction.
        """
        with self.state.transaction():
            second, change = self.tick(stored.realm)
            is_new = stored.token < 0
            stored = replace(
                stored,
                token=stored.token + 1 if bump or is_new else stored.token,
                created=second if is_new else stored.created,
                updated=second,
                change=change,
            )
            self.state.execute(SAVE, *_row(stored))
            # Balances and stock move without a word; of an invoice's payment the invoice is told as well.
            if is_new or stored.deleted or bump or stored.type == "Invoice":
                self.note(stored, "created" if is_new else "deleted" if stored.deleted else "updated")
        return stored

    def note(self, stored: Stored, verb: str, **more: str) -> None:
        """Says of a write what webhooks call it: created, updated, deleted, merged (`gone`: the id that vanished),
        void, emailed."""
        what = {"entity": stored.type, "id": stored.id, "verb": verb, **more}
        self.state.note(Noted("intuit", stored.realm, what))

    def rewrite(self, stored: Stored) -> None:
        """Writes an object's body and nothing else: neither its SyncToken nor its times move, and no change is told."""
        self.state.execute(SAVE, *_row(stored))

    def save_many(self, objects: Iterable[Stored]) -> None:
        """Writes many new objects of one moment with ids of their own."""
        with self.state.transaction():
            self.state.executemany(SAVE, self._remembered(objects))

    def bury(self, stored: Stored) -> Stored:
        """Leaves a tombstone: only CDC still tells of it."""
        tombstone = replace(stored, deleted=True, active=False, space=None, name_key=None, body={})
        return self.save(tombstone)

    def tick(self, realm: str) -> tuple[int, int]:
        """This write's second and number. The second never goes back; writes of one second share it."""
        with self.state.transaction():
            row = self.state.the("SELECT last_second, change FROM q_companies WHERE realm = ?", realm)
            second, change = max(row["last_second"], int(self.state.now())), row["change"] + 1
            self.state.execute(
                "UPDATE q_companies SET last_second = ?, change = ? WHERE realm = ?", second, change, realm
            )
        return second, change

    def _remembered(self, objects: Iterable[Stored]) -> Iterator[tuple[Any, ...]]:
        """The rows as they pass by, each of them noted."""
        for stored in objects:
            self.note(stored, "created", bulk="yes")
            yield _row(stored)

    def _set_sequence(self, realm: str, sequence: str, number: int) -> None:
        self.state.execute("INSERT OR REPLACE INTO q_sequences VALUES (?, ?, ?)", realm, sequence, number)


def _row(stored: Stored) -> tuple[Any, ...]:
    body = json.dumps(stored.body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()
    return (
        *(stored.realm, stored.type, stored.id, stored.token, stored.created, stored.updated, stored.change),
        *(int(stored.deleted), int(stored.active), stored.space, stored.name_key, body),
    )


def _stored(row: sqlite3.Row) -> Stored:
    flags = {"deleted": bool(row["deleted"]), "active": bool(row["active"]), "body": json.loads(row["body"])}
    return Stored(**({name: row[name] for name in row.keys()} | flags))  # noqa: SIM118  a row has no items
