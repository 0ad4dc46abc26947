"""Throttles: for each company 500 calls a minute, for each company and app 10 a second, and 40 batches a minute.

https://developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features#limits-and-throttles
"""

from fieldcamp.sandbox.intuit import errors
from fieldcamp.sandbox.traffic import Window


class Limits:
    """The windows of the sandbox's clock."""

    def __init__(self) -> None:
        self.enabled = True
        self._minute, self._second, self._batches = Window(500, 60), Window(10, 1), Window(40, 60)

    def enter(self, realm: str, client_id: str, now: float, batch: bool) -> None:
        """Counts a call, or refuses it with 429."""
        if not self.enabled:
            return
        app = f"{realm} {client_id}"
        admitted = self._second.admits(app, now) and self._minute.admits(realm, now)
        if not admitted or (batch and not self._batches.admits(app, now)):
            raise errors.throttled()

    def clear(self) -> None:
        """Forgets all calls."""
        for window in (self._minute, self._second, self._batches):
            window.clear()
