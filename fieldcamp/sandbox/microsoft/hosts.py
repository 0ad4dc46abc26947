"""Which receivers' hosts answer too slowly, and what Graph does to them: first it is late, then it drops.

All subscriptions whose receivers share a host share its fate. The shares are those of the page as it was in 2024, and
slow is what misses the three seconds of the present one; that less than ten answers mark nobody is a choice of ours.
https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
"""

from fieldcamp.sandbox.state import State

OK, SLOW, DROP = "ok", "slow", "drop"
WINDOW_SECONDS = 600.0
SLOW_SECONDS = 10.0
SLOW_SHARE, DROP_SHARE = 0.10, 0.15
FEWEST = 10


class Hosts:
    """The answers of the last ten minutes by host, and the marks that came of them."""

    def __init__(self, state: State, vendor: str) -> None:
        self.db, self.vendor = state, vendor

    def state(self, host: str) -> str:
        """How the host is treated now."""
        row = self.db.one("SELECT state, until FROM p_hosts WHERE vendor = ? AND host = ?", self.vendor, host)
        return str(row["state"]) if row and row["until"] > self.db.now() else OK

    def count(self, host: str, slow: bool) -> bool:
        """One more answer; whether the host is treated otherwise from now on."""
        now = self.db.now()
        since = now - WINDOW_SECONDS
        self.db.execute("DELETE FROM p_answers WHERE vendor = ? AND (at < ? OR at > ?)", self.vendor, since, now)
        self.db.execute("INSERT INTO p_answers VALUES (?, ?, ?, ?)", self.vendor, host, now, int(slow))
        query = "SELECT count(*) AS n, avg(slow) AS share FROM p_answers WHERE vendor = ? AND host = ?"
        row = self.db.the(query, self.vendor, host)
        if row["n"] < FEWEST or row["share"] <= SLOW_SHARE:
            return False
        state, before = DROP if row["share"] > DROP_SHARE else SLOW, self.state(host)
        if before in (DROP, state):
            return False
        self.db.execute(
            "INSERT OR REPLACE INTO p_hosts VALUES (?, ?, ?, ?)", self.vendor, host, state, now + WINDOW_SECONDS
        )
        return True

    def healed(self) -> list[str]:
        """The hosts whose mark is over by now; they begin anew."""
        query = "DELETE FROM p_hosts WHERE vendor = ? AND until <= ? RETURNING host"
        found = [str(row["host"]) for row in self.db.all(query, self.vendor, self.db.now())]
        for host in found:
            self.db.execute("DELETE FROM p_answers WHERE vendor = ? AND host = ?", self.vendor, host)
        return found

    def soonest(self) -> float | None:
        """When the next mark is over."""
        row = self.db.the("SELECT min(until) AS until FROM p_hosts WHERE vendor = ?", self.vendor)
        return row["until"]
