"""Who else may use a calendar, and the copy of it that stands in their own mailbox.

https://learn.microsoft.com/graph/outlook-share-or-delegate-calendar
"""

import sqlite3
from base64 import b64encode
from dataclasses import dataclass

from fieldcamp.sandbox.microsoft import ids
from fieldcamp.sandbox.state import State

WRITERS = ("write", "delegateWithoutPrivateEventAccess", "delegateWithPrivateEventAccess")
READERS = ("read", *WRITERS)
ROLES = ("freeBusyRead", "limitedRead", *READERS)
ORGANIZATION, ORGANIZATION_ID = "My Organization", "RGVmYXVsdA=="
_FIRST_COPY = 1_000_000  # numbers of folders; the mailboxes' own ones are counted from 1


@dataclass(frozen=True)
class Share:
    """One recipient's permission for one calendar. `copy_id` is the id that the calendar has in the own mailbox."""

    cal: int
    email: str
    role: str
    copy_id: str
    name: str

    @property
    def id(self) -> str:
        """The permission's id."""
        return b64encode(f"/o=ExchangeLabs/{self.cal}/{self.email}".encode()).decode()


class Shares:
    """The store of permissions. Those of a recipient who has not accepted yet are permissions without a copy."""

    def __init__(self, state: State) -> None:
        self.state = state

    def of_calendar(self, cal: int) -> list[Share]:
        """All recipients of a calendar."""
        return [_share(row) for row in self.state.all("SELECT * FROM m_shares WHERE cal = ? ORDER BY rowid", cal)]

    def of_recipient(self, email: str) -> list[Share]:
        """The calendars of others that this user has accepted."""
        query = "SELECT * FROM m_shares WHERE email = ? AND accepted ORDER BY rowid"
        return [_share(row) for row in self.state.all(query, email)]

    def put(self, cal: int, email: str, mailbox: bytes, role: str, accepted: bool = False) -> Share:
        """Invites a recipient, or changes the role of one; `mailbox` is the recipient's."""
        known = self.state.one("SELECT * FROM m_shares WHERE cal = ? AND email = ?", cal, email)
        if known is None:
            n = self.state.the("SELECT coalesce(max(rowid), 0) + 1 AS n FROM m_shares")["n"]
            copy_id = ids.folder_id(mailbox, _FIRST_COPY + n)
            self.state.execute(
                "INSERT INTO m_shares (cal, email, role, copy_id, name, accepted) VALUES (?, ?, ?, ?, '', ?)",
                *(cal, email, role, copy_id, int(accepted)),
            )
        else:
            values = (role, int(accepted or known["accepted"]), cal, email)
            self.state.execute("UPDATE m_shares SET role = ?, accepted = ? WHERE cal = ? AND email = ?", *values)
        return _share(self.state.the("SELECT * FROM m_shares WHERE cal = ? AND email = ?", cal, email))

    def rename(self, share: Share, name: str) -> None:
        """The recipient calls it otherwise; nobody else sees that."""
        self.state.execute("UPDATE m_shares SET name = ? WHERE cal = ? AND email = ?", name, share.cal, share.email)

    def remove(self, cal: int, email: str) -> None:
        """The recipient has it no more, whoever of the two has ended it."""
        self.state.execute("DELETE FROM m_shares WHERE cal = ? AND email = ?", cal, email)


def _share(row: sqlite3.Row) -> Share:
    return Share(row["cal"], row["email"], row["role"], row["copy_id"], row["name"])
