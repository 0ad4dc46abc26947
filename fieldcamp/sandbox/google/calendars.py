"""Accounts, their calendars, and the list in which each account has them."""

import hashlib
import json
import secrets
from base64 import b32hexencode
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from fieldcamp.sandbox.google import errors
from fieldcamp.sandbox.state import State

ROLES = ("none", "freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner")


@dataclass(frozen=True)
class Calendar:
    """A calendar as one account sees it."""

    n: int
    id: str
    owner: str
    made_by: str
    body: dict[str, Any]
    change: int
    updated_us: int
    account: str
    role: str

    @property
    def zone(self) -> ZoneInfo:
        """Its time zone."""
        return ZoneInfo(self.body["timeZone"])

    @property
    def is_primary(self) -> bool:
        """Whether it is its owner's main calendar, whose id is the e-mail address."""
        return self.id == self.owner


def base32hex(text: str, length: int = 26) -> str:
    """A well-formed id that depends on the text alone."""
    return b32hexencode(hashlib.sha256(text.encode()).digest()).decode().lower()[:length]


def new_id() -> str:
    """A fresh id as Google makes them: 26 characters of base32hex."""
    return b32hexencode(secrets.token_bytes(20)).decode().lower()[:26]


class Calendars:
    """The store of calendars and of the entries in the accounts' lists."""

    def __init__(self, state: State) -> None:
        self.state = state

    def account(self, email: str) -> dict[str, Any] | None:
        """A sample account by its address or its `sub`."""
        row = self.state.one("SELECT * FROM g_accounts WHERE email = ? OR sub = ?", email.lower(), email)
        return dict(row) if row else None

    def accounts(self) -> list[dict[str, Any]]:
        """All sample accounts, in the order in which they are offered."""
        return [dict(row) for row in self.state.all("SELECT * FROM g_accounts ORDER BY sub")]

    def list_change(self, account: str) -> int:
        """The change number of the account's list."""
        return int(self.state.the("SELECT list_change FROM g_accounts WHERE email = ?", account)["list_change"])

    def find(self, account: str, calendar_id: str) -> Calendar:
        """The calendar under that id, or under "primary", when it is in the account's list; else 404."""
        row = self.state.one(
            "SELECT c.*, e.role FROM g_calendars c JOIN g_entries e ON e.cal = c.n"
            " WHERE c.id = ? AND e.account = ? AND NOT c.deleted AND NOT e.deleted",
            account if calendar_id == "primary" else calendar_id.lower(),
            account,
        )
        if row is None:
            raise errors.not_found()
        return Calendar(
            n=row["n"],
            id=row["id"],
            owner=row["owner"],
            made_by=row["made_by"],
            body=json.loads(row["body"]),
            change=row["change"],
            updated_us=row["updated_us"],
            account=account,
            role=row["role"],
        )

    def of(self, account: str) -> list[Calendar]:
        """The calendars in the account's list, the primary one first."""
        rows = self.state.all(
            "SELECT c.id FROM g_calendars c JOIN g_entries e ON e.cal = c.n"
            " WHERE e.account = ? AND NOT c.deleted AND NOT e.deleted ORDER BY c.n",
            account,
        )
        return [self.find(account, row["id"]) for row in rows]

    def create(self, account: str, calendar_id: str, body: dict[str, Any], made_by: str = "") -> Calendar:
        """A new calendar, listed for its owner."""
        with self.state.transaction():
            now = int(self.state.now() * 1_000_000)
            cursor = self.state.execute(
                "INSERT INTO g_calendars (id, owner, made_by, body, change, updated_us) VALUES (?, ?, ?, ?, 0, ?)",
                calendar_id,
                account,
                made_by,
                json.dumps(body),
                now,
            )
            n = int(cursor.lastrowid or 0)
            self.put_entry(account, n, "owner", {"colorId": str(n % 24 + 1), "selected": True})
            return self.find(account, calendar_id)

    def save(self, cal: Calendar, body: dict[str, Any]) -> Calendar:
        """Writes the calendar's own properties; its entry in the list changes with them."""
        with self.state.transaction():
            self.state.execute("UPDATE g_calendars SET body = ? WHERE n = ?", json.dumps(body), cal.n)
            for row in self.state.all("SELECT * FROM g_entries WHERE cal = ?", cal.n):
                self.put_entry(row["account"], cal.n, row["role"], json.loads(row["body"]), bool(row["deleted"]))
            return self.find(cal.account, cal.id)

    def remove(self, cal: Calendar) -> None:
        """Deletes the calendar for everybody."""
        with self.state.transaction():
            self.state.execute("UPDATE g_calendars SET deleted = 1 WHERE n = ?", cal.n)
            self.state.execute("DELETE FROM g_events WHERE cal = ?", cal.n)
            for row in self.state.all("SELECT * FROM g_entries WHERE cal = ?", cal.n):
                self.put_entry(row["account"], cal.n, row["role"], json.loads(row["body"]), deleted=True)

    def put_entry(self, account: str, cal: int, role: str, body: dict[str, Any], deleted: bool = False) -> None:
        """Writes a calendar's entry in an account's list under that list's next change number."""
        with self.state.transaction():
            now = int(self.state.now() * 1_000_000)
            self.state.execute("UPDATE g_accounts SET list_change = list_change + 1 WHERE email = ?", account)
            self.state.execute(
                "INSERT OR REPLACE INTO g_entries VALUES (?, ?, ?, ?,"
                " (SELECT list_change FROM g_accounts WHERE email = ?), ?, ?)",
                account,
                cal,
                role,
                json.dumps(body),
                account,
                now,
                int(deleted),
            )

    def tick(self, cal: Calendar) -> tuple[int, int]:
        """The calendar's next change number and its `updated` in microseconds, both unique and growing."""
        row = self.state.the(
            "UPDATE g_calendars SET change = change + 1, updated_us = max(updated_us + 1, ?) WHERE n = ?"
            " RETURNING change, updated_us",
            int(self.state.now() * 1_000_000),
            cal.n,
        )
        return row["change"], row["updated_us"]
