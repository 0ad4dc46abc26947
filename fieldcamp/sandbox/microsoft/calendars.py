"""Mailboxes and their calendars."""

import json
import struct
import uuid
from base64 import b64encode
from dataclasses import dataclass, replace
from typing import Any

from fieldcamp.sandbox.microsoft import errors, ids
from fieldcamp.sandbox.microsoft.shares import READERS, WRITERS, Share, Shares
from fieldcamp.sandbox.state import State


@dataclass(frozen=True)
class Account:
    """A sample user. `trait` is what is special about the mailbox, or empty."""

    email: str
    oid: str
    mailbox: bytes
    given_name: str
    family_name: str
    trait: str

    @property
    def name(self) -> str:
        """As other people read it."""
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True)
class Calendar:
    """A calendar, as its owner or as a recipient has it.

    `account` is the owner. With `share` it is the copy in a recipient's `mailbox`: another id, a name of its own, and
    ids of events that belong to that mailbox.
    """

    n: int
    id: str
    account: str
    body: dict[str, Any]
    change: int
    share: Share | None = None
    mailbox: bytes = b""

    @property
    def shared(self) -> bool:
        """Whether it is somebody else's."""
        return self.share is not None

    @property
    def of_a_main_one(self) -> bool:
        """Whether it is the copy of somebody's own calendar, which wants a permission for shared ones."""
        return bool(self.share and self.body.get("ofMain"))

    @property
    def can_read(self) -> bool:
        """Whether its events may be read."""
        return self.share is None or self.share.role in READERS

    @property
    def sees_private(self) -> bool:
        """Whether private events are shown as what they are."""
        return self.share is None or self.share.role == "delegateWithPrivateEventAccess"

    @property
    def is_default(self) -> bool:
        """Whether new events go here when no calendar is named."""
        return bool(self.body["isDefaultCalendar"])

    @property
    def can_edit(self) -> bool:
        """Whether its owner may write into it."""
        return bool(self.body["canEdit"])


def change_key(mailbox: bytes, n: int, change: int) -> str:
    """A version as Exchange writes it: mailbox and counter."""
    return b64encode(mailbox + struct.pack(">HI", n, change)).decode()


class Calendars:
    """The store of accounts and calendars."""

    def __init__(self, state: State) -> None:
        self.state, self.shares = state, Shares(state)

    def add_account(self, email: str, given_name: str, family_name: str, trait: str = "") -> Account:
        """A new sample user; the same address always has the same ids."""
        mailbox = ids.digest(f"mailbox {email}")
        oid = str(uuid.UUID(bytes=ids.digest(f"user {email}"), version=4))
        row = (email, oid, mailbox, given_name, family_name, trait)
        self.state.execute(
            "INSERT INTO m_accounts (email, oid, mailbox, given_name, family_name, trait) VALUES (?, ?, ?, ?, ?, ?)",
            *row,
        )
        return Account(*row)

    def account(self, name: str) -> Account | None:
        """A sample user by address or object id."""
        columns = "email, oid, mailbox, given_name, family_name, trait"
        row = self.state.one(
            f"SELECT {columns} FROM m_accounts WHERE email = ? OR oid = ?",  # noqa: S608  our own columns
            name.lower(),
            name.lower(),
        )
        return Account(*row) if row else None

    def the_account(self, email: str) -> Account:
        """A sample user that must be there."""
        found = self.account(email)
        if found is None:
            raise LookupError(email)
        return found

    def accounts(self) -> list[Account]:
        """All sample users, in the order in which they are offered."""
        emails = self.state.all("SELECT email FROM m_accounts ORDER BY n")
        return [self.the_account(row["email"]) for row in emails]

    def create(self, account: Account, name: str, default: bool = False, can_edit: bool = True) -> Calendar:
        """A new calendar."""
        with self.state.transaction():
            n = int(self.state.the("SELECT coalesce(max(n), 0) + 1 AS n FROM m_calendars")["n"])
            body = {
                "name": name,
                "color": "auto",
                "hexColor": "",
                "isDefaultCalendar": default,
                "canShare": can_edit,
                "canEdit": can_edit,
                "isRemovable": not default,
            }
            calendar_id = ids.folder_id(account.mailbox, n)
            self.state.execute(
                "INSERT INTO m_calendars (n, id, account, body, written_us) VALUES (?, ?, ?, ?, ?)",
                n,
                calendar_id,
                account.email,
                json.dumps(body),
                int(self.state.now() * 1_000_000),
            )
            return Calendar(n, calendar_id, account.email, body, 0)

    def of(self, account: str) -> list[Calendar]:
        """The mailbox's calendars, the default one first."""
        rows = self.state.all("SELECT * FROM m_calendars WHERE account = ? AND NOT deleted ORDER BY n", account)
        return [_calendar(row) for row in rows]

    def visible(self, account: str) -> list[Calendar]:
        """The mailbox's calendars, and behind them the accepted ones of others."""
        found = (self.seen(account, share.cal) for share in self.shares.of_recipient(account))
        return [*self.of(account), *(cal for cal in found if cal)]

    def seen(self, account: str, n: int) -> Calendar | None:
        """The calendar of that number as this account has it; None when it has not."""
        row = self.state.one("SELECT * FROM m_calendars WHERE n = ? AND NOT deleted", n)
        if row is None or row["account"] == account:
            return _calendar(row) if row else None
        share = next((each for each in self.shares.of_recipient(account) if each.cal == n), None)
        return self._copy(_calendar(row), share, self.the_account(account).mailbox) if share else None

    def _copy(self, cal: Calendar, share: Share, mailbox: bytes) -> Calendar:
        name = self.the_account(cal.account).name if cal.is_default else cal.body["name"]
        own = {"name": share.name or name, "canShare": False, "canEdit": cal.can_edit and share.role in WRITERS}
        own |= {"isDefaultCalendar": False, "isRemovable": True, "ofMain": cal.is_default}
        return replace(cal, id=share.copy_id, body=cal.body | own, share=share, mailbox=mailbox)

    def default(self, account: str) -> Calendar:
        """The mailbox's own calendar."""
        own = self.of(account)
        if not own:
            raise errors.not_found()
        return own[0]

    def find(self, account: str, calendar_id: str | None) -> Calendar:
        """The calendar of that id, or without one the default; 404 for ids of another mailbox."""
        if calendar_id is None:
            return self.default(account)
        found = next((cal for cal in self.visible(account) if cal.id == calendar_id), None)
        if found is None:
            raise errors.not_found()
        return found

    def numbered(self, n: int) -> Calendar:
        """The calendar that an event's row names."""
        return _calendar(self.state.the("SELECT * FROM m_calendars WHERE n = ?", n))

    def rename(self, cal: Calendar, changes: dict[str, Any]) -> Calendar:
        """Changes the calendar's own properties, or a recipient's name for it."""
        if cal.share:
            self.shares.rename(cal.share, changes.get("name", cal.body["name"]))
            return self.seen(cal.share.email, cal.n) or cal
        body = cal.body | changes
        self.state.execute("UPDATE m_calendars SET body = ? WHERE n = ?", json.dumps(body), cal.n)
        self.tick(cal)
        return self.numbered(cal.n)

    def remove(self, cal: Calendar) -> None:
        """Deletes a calendar and all that is in it; of a recipient's the copy alone."""
        if cal.share:
            self.shares.remove(cal.n, cal.share.email)
            return
        with self.state.transaction():
            self.state.execute("UPDATE m_calendars SET deleted = 1 WHERE n = ?", cal.n)
            self.state.execute("DELETE FROM m_events WHERE cal = ?", cal.n)

    def tick(self, cal: Calendar) -> tuple[int, int]:
        """The calendar's next generation and its moment in microseconds, both unique and growing."""
        row = self.state.the(
            "UPDATE m_calendars SET change = change + 1, written_us = max(written_us + 1, ?) WHERE n = ?"
            " RETURNING change, written_us",
            int(self.state.now() * 1_000_000),
            cal.n,
        )
        return row["change"], row["written_us"]

    def render(self, cal: Calendar) -> dict[str, Any]:
        """The calendar as Graph shows it."""
        account = self.the_account(cal.account)
        providers = ["unknown"] if cal.can_edit else []
        return {
            "id": cal.id,
            "name": cal.body["name"],
            "color": cal.body["color"],
            "hexColor": cal.body["hexColor"],
            "groupClassId": "0006f0b7-0000-0000-c000-000000000046",
            "isDefaultCalendar": cal.is_default,
            "changeKey": change_key(account.mailbox, cal.n, 0),
            "canShare": cal.body["canShare"],
            "canViewPrivateItems": cal.sees_private,
            "canEdit": cal.can_edit,
            "allowedOnlineMeetingProviders": providers,
            "defaultOnlineMeetingProvider": "unknown",
            "isTallyingResponses": cal.is_default,
            "isRemovable": cal.body["isRemovable"],
            "owner": {"name": account.name, "address": account.email},
        }


def _calendar(row: Any) -> Calendar:
    return Calendar(row["n"], row["id"], row["account"], json.loads(row["body"]), row["change"])
