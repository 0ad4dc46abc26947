"""Accounts, their calendars, and the list in which each account has them."""

import hashlib
import json
import secrets
import sqlite3
from base64 import b32hexencode
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from fieldcamp.sandbox.google import errors
from fieldcamp.sandbox.google.rules import ROLES, Rules
from fieldcamp.sandbox.push.sender import Noted
from fieldcamp.sandbox.state import State

# What a new account's primary calendar has; no other calendar has either.
# https://developers.google.com/workspace/calendar/api/v3/reference/calendarList#resource
REMINDERS = [{"method": "popup", "minutes": 10}]
NOTIFICATIONS = [
    {"type": kind, "method": "email"} for kind in ("eventCreation", "eventChange", "eventCancellation", "eventResponse")
]


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

    @property
    def view(self) -> str:
        """Names what this account sees of it. Sync tokens do not outlive a change of the role:
        https://developers.google.com/workspace/calendar/api/guides/sync#full_sync_required_by_server"""
        return f"{self.id} {self.account} {self.role}"

    def may(self, role: str) -> bool:
        """Whether the account has this role here, or a greater one."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def must_be(self, role: str) -> None:
        """403 for who has a lesser role. The lesser of the two kinds of writers is one."""
        if not self.may("writerWithoutPrivateAccess" if role == "writer" else role):
            raise errors.role_missing(role)

    def hides(self, visibility: str) -> bool:
        """Whether the account sees of an event with that visibility only when it is.
        https://developers.google.com/workspace/calendar/api/concepts/sharing
        """
        return not self.may("reader" if visibility in ("default", "public") else "writer")


def base32hex(text: str, length: int = 26) -> str:
    """A well-formed id that depends on the text alone."""
    return b32hexencode(hashlib.sha256(text.encode()).digest()).decode().lower()[:length]


def new_id() -> str:
    """A fresh id as Google makes them: 26 characters of base32hex."""
    return b32hexencode(secrets.token_bytes(20)).decode().lower()[:26]


class Calendars:
    """The store of calendars and of the entries in the accounts' lists."""

    def __init__(self, state: State) -> None:
        self.state, self.rules = state, Rules(state)

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
        """The calendar under that id, or under "primary", when a rule lets the account see it; else 404. Whether it is
        in the account's list makes no difference."""
        self.end_what_is_due()
        wanted = account if calendar_id == "primary" else calendar_id.lower()
        row = self.state.one("SELECT * FROM g_calendars WHERE id = ? AND NOT deleted", wanted)
        role = self.rules.role(row["n"], account) if row else "none"
        if row is None or role == "none":
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
            role=role,
        )

    def of(self, account: str) -> list[Calendar]:
        """The calendars in the account's list, the own ones first, and of these the primary one."""
        self.end_what_is_due()
        rows = self.state.all(
            "SELECT c.id FROM g_calendars c JOIN g_entries e ON e.cal = c.n"
            " WHERE e.account = ? AND NOT c.deleted AND NOT e.deleted ORDER BY c.owner <> ?, c.n",
            account,
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
            self.rules.put(n, "user", account, "owner")
            body = {"colorId": str(n % 24 + 1), "selected": True}
            if calendar_id == account:
                body |= {"defaultReminders": REMINDERS, "notificationSettings": {"notifications": NOTIFICATIONS}}
            self.put_entry(account, n, "owner", body)
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
        self._remove(cal.n)

    def _remove(self, n: int) -> None:
        with self.state.transaction():
            self.state.execute("UPDATE g_calendars SET deleted = 1 WHERE n = ?", n)
            self.state.execute("DELETE FROM g_events WHERE cal = ?", n)
            self.state.note(Noted("google", f"events {n}", "gone"))
            for row in self.state.all("SELECT * FROM g_entries WHERE cal = ?", n):
                self.put_entry(row["account"], n, row["role"], json.loads(row["body"]), deleted=True)

    def allow(self, cal: Calendar, kind: str, value: str, role: str) -> sqlite3.Row:
        """Writes a rule. The entries in the lists of those whom it is about say the new role, or go."""
        with self.state.transaction():
            rule = self.rules.put(cal.n, kind, value, role)
            self.state.note(Noted("google", f"acl {cal.n}"))
            for row in self.state.all("SELECT * FROM g_entries WHERE cal = ?", cal.n):
                now = self.rules.role(cal.n, row["account"])
                if now != row["role"]:
                    gone = bool(row["deleted"]) or now == "none"
                    self.put_entry(row["account"], cal.n, now, json.loads(row["body"]), gone)
            return rule

    def transfer(self, calendar_id: str, to: str) -> Calendar:
        """Makes another account the data owner of a secondary calendar; who had it before keeps the owner's role.

        https://developers.google.com/workspace/calendar/api/v3/reference/calendars/transferOwnership
        """
        with self.state.transaction():
            row = self.state.one("SELECT * FROM g_calendars WHERE id = ? AND NOT deleted", calendar_id.lower())
            if row is None or self.account(to) is None:
                raise errors.not_found()
            if row["id"] == row["owner"]:
                raise errors.invalid("The ownership of a primary calendar cannot be transferred.")
            self.state.execute("UPDATE g_calendars SET owner = ? WHERE n = ?", to, row["n"])
            self.state.execute("DELETE FROM g_ends WHERE cal = ?", row["n"])
            self.rules.put(row["n"], "user", to, "owner")
            self.put_entry(to, row["n"], "owner", {"selected": True})
            return self.find(to, row["id"])

    def leave(self, account: str, seconds: float) -> None:
        """The account is deleted: its primary calendar at once, its secondary ones after so many seconds, unless they
        are transferred before. https://support.google.com/a/answer/33314
        """
        with self.state.transaction():
            for row in self.state.all("SELECT * FROM g_calendars WHERE owner = ? AND NOT deleted", account):
                due = self.state.now() + (0 if row["id"] == account else seconds)
                self.state.execute("INSERT OR REPLACE INTO g_ends VALUES (?, ?)", row["n"], due)
            self.end_what_is_due()

    def end_what_is_due(self) -> None:
        """Deletes the calendars whose time has come."""
        for row in self.state.all("SELECT cal FROM g_ends WHERE at <= ?", self.state.now()):
            self.state.execute("DELETE FROM g_ends WHERE cal = ?", row["cal"])
            self._remove(row["cal"])

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
            self.state.note(Noted("google", f"calendarList {account}"))

    def tick(self, cal: Calendar) -> tuple[int, int]:
        """The calendar's next change number and its `updated` in microseconds, both unique and growing."""
        row = self.state.the(
            "UPDATE g_calendars SET change = change + 1, updated_us = max(updated_us + 1, ?) WHERE n = ?"
            " RETURNING change, updated_us",
            int(self.state.now() * 1_000_000),
            cal.n,
        )
        return row["change"], row["updated_us"]
