"""The channels that clients have opened, of every vendor that has channels."""

import json
import sqlite3
from dataclasses import dataclass, replace
from typing import Any

from fieldcamp.sandbox.state import State

LIVE, STOPPED, EXPIRED, REMOVED, LOST = "live", "stopped", "expired", "removed", "lost"


@dataclass(frozen=True)
class Channel:
    """One channel, or subscription. `details` is the vendor's own; `number` counts its messages."""

    vendor: str
    id: str
    account: str
    client_id: str
    topic: str
    resource: str
    url: str
    state: str
    opened_at: float
    expires_at: float | None
    ended_at: float | None
    number: int
    details: dict[str, Any]

    def shown(self) -> dict[str, Any]:
        """As `/_control/channels` lists it. Secrets of its own stay out."""
        names = ("vendor", "account", "client_id", "resource", "url", "state", "opened_at", "expires_at", "ended_at")
        return {"channel": self.id, **{name: getattr(self, name) for name in names}, "messages": self.number}


class Channels:
    """The store of one vendor's channels. Ended ones stay, so that their ids stay taken."""

    def __init__(self, state: State, vendor: str) -> None:
        self.state, self.vendor = state, vendor

    def open(
        self,
        *,
        channel_id: str,
        account: str,
        client_id: str,
        topic: str,
        resource: str,
        url: str,
        expires_at: float,
        details: dict[str, Any],
    ) -> Channel:
        """A new channel, from now on until `expires_at`."""
        self.state.execute(
            "INSERT INTO p_channels (vendor, id, account, client_id, topic, resource, url, state, opened_at,"
            " expires_at, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(self.vendor, channel_id, account, client_id, topic, resource, url, LIVE, self.state.now(), expires_at),
            json.dumps(details),
        )
        found = self.get(channel_id)
        if found is None:
            raise LookupError(channel_id)
        return found

    def get(self, channel_id: str) -> Channel | None:
        """The channel of that id, an ended one too."""
        self.end_what_is_due()
        return self._found("id = ?", channel_id)

    def live(self, topic: str) -> list[Channel]:
        """The live channels about a topic, the oldest first."""
        self.end_what_is_due()
        return self._all("topic = ? AND state = 'live'", topic)

    def all_live(self) -> list[Channel]:
        """All live channels."""
        self.end_what_is_due()
        return self._all("state = 'live'")

    def of(self, account: str, client_id: str) -> list[Channel]:
        """What this client has open for the account."""
        self.end_what_is_due()
        return self._all("account = ? AND client_id = ? AND state = 'live'", account, client_id)

    def newest(self, state: str, account: str | None) -> Channel | None:
        """The channel that was last opened among those in that state, of one account or of any."""
        self.end_what_is_due()
        return self._found("state = ? AND account = coalesce(?, account)", state, account, order="opened_at DESC")

    def count_live(self, account: str) -> int:
        """How many live ones there are about what is the account's."""
        self.end_what_is_due()
        query = "SELECT count(*) AS n FROM p_channels WHERE vendor = ? AND account = ? AND state = 'live'"
        return int(self.state.the(query, self.vendor, account)["n"])

    def end(self, channel: Channel, state: str) -> Channel:
        """The channel is over."""
        ended = replace(channel, state=state, ended_at=self.state.now())
        query = "UPDATE p_channels SET state = ?, ended_at = ? WHERE vendor = ? AND id = ?"
        self.state.execute(query, ended.state, ended.ended_at, self.vendor, channel.id)
        return ended

    def change(self, channel: Channel, **values: Any) -> Channel:
        """Writes `expires_at`, `url` or `details` of a channel."""
        changed = replace(channel, **values)
        query = "UPDATE p_channels SET expires_at = ?, url = ?, details = ? WHERE vendor = ? AND id = ?"
        row = (changed.expires_at, changed.url, json.dumps(changed.details), self.vendor, channel.id)
        self.state.execute(query, *row)
        return changed

    def step(self, channel: Channel, by: int) -> int:
        """The number of the channel's next message."""
        query = "UPDATE p_channels SET number = number + ? WHERE vendor = ? AND id = ? RETURNING number"
        return int(self.state.the(query, by, self.vendor, channel.id)["number"])

    def end_what_is_due(self) -> None:
        """Live channels whose time is over are expired, from that moment on."""
        self.state.execute(
            "UPDATE p_channels SET state = 'expired', ended_at = expires_at"
            " WHERE vendor = ? AND state = 'live' AND expires_at <= ?",
            self.vendor,
            self.state.now(),
        )

    def shown(self, account: str | None) -> list[dict[str, Any]]:
        """All channels that ever were, as `/_control/channels` lists them."""
        self.end_what_is_due()
        return [each.shown() for each in self._all("account = coalesce(?, account)", account)]

    def _found(self, where: str, *params: Any, order: str = "opened_at") -> Channel | None:
        query = f"SELECT * FROM p_channels WHERE vendor = ? AND {where} ORDER BY {order}, rowid LIMIT 1"  # noqa: S608
        row = self.state.one(query, self.vendor, *params)
        return _channel(row) if row else None

    def _all(self, where: str, *params: Any) -> list[Channel]:
        query = f"SELECT * FROM p_channels WHERE vendor = ? AND {where} ORDER BY opened_at, rowid"  # noqa: S608
        return [_channel(row) for row in self.state.all(query, self.vendor, *params)]


def _channel(row: sqlite3.Row) -> Channel:
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118  a row has no items
    return Channel(**(values | {"details": json.loads(row["details"])}))
