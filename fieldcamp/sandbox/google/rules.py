"""Who may do what with a calendar: its access control list.

https://developers.google.com/workspace/calendar/api/v3/reference/acl
https://developers.google.com/workspace/calendar/api/concepts/sharing
"""

import sqlite3

from fieldcamp.sandbox.google import errors
from fieldcamp.sandbox.state import State

ROLES = ("none", "freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner")
SCOPES = ("default", "user", "group", "domain")


def rule_id(kind: str, value: str) -> str:
    """A rule's id: `user:dana@google.test`, or `default` for everybody."""
    return kind if kind == "default" else f"{kind}:{value.lower()}"


class Rules:
    """The rules of all calendars. A rule that was taken away stays with the role "none", as lists have it."""

    def __init__(self, state: State) -> None:
        self.state = state

    def role(self, cal: int, account: str) -> str:
        """The most that any rule gives this account; "none" without one. Nobody here is in a group."""
        domain = account.partition("@")[2]
        rows = self.state.all(
            "SELECT role FROM g_rules WHERE cal = ? AND id IN ('default', ?, ?)",
            cal,
            rule_id("user", account),
            rule_id("domain", domain),
        )
        return max((row["role"] for row in rows), key=ROLES.index, default="none")

    def of(self, cal: int, since: int = 0) -> list[sqlite3.Row]:
        """All rules of a calendar that have changed after change number `since`, the oldest change first."""
        return self.state.all("SELECT * FROM g_rules WHERE cal = ? AND change > ? ORDER BY change", cal, since)

    def find(self, cal: int, name: str) -> sqlite3.Row:
        """One rule by its id; 404 for none."""
        row = self.state.one("SELECT * FROM g_rules WHERE cal = ? AND id = ? AND role <> 'none'", cal, name)
        if row is None:
            raise errors.not_found()
        return row

    def put(self, cal: int, kind: str, value: str, role: str) -> sqlite3.Row:
        """Writes the rule of one scope under the next change number."""
        name = rule_id(kind, value)
        self.state.execute(
            "INSERT OR REPLACE INTO g_rules VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(change), 0) + 1 FROM g_rules))",
            cal,
            name,
            kind,
            value.lower(),
            role,
        )
        return self.state.the("SELECT * FROM g_rules WHERE cal = ? AND id = ?", cal, name)
