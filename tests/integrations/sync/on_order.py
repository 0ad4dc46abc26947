"""The tests' hold on a vendor that lives in this process: its calls written down, and trouble on order, as the sandbox
has both (`tests.sandboxed.Vendors` offers the same)."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fieldcamp.sandbox.faults import Fault, Faults
from integrations import errors
from integrations.transport.client import utc_now

Made = TypeVar("Made")
Wrapper = Callable[[str, Callable[[], Any]], Any]


@dataclass(frozen=True)
class Call:
    """What the trouble on order wants to know of a call."""

    method: str
    plain_path: str
    cursor: str = ""
    bearer: str = ""


class OnOrder:
    """Answers calls, or does not."""

    name = "memory"

    def __init__(self) -> None:
        self.age = 0  # cursors that were given out at an earlier one have expired
        self._faults = Faults()
        self._log: list[dict[str, Any]] = []
        self._revoked: set[str] = set()
        self._wrapper: Wrapper = lambda path, send: send()

    def answer(self, account: str, call: Call, work: Callable[[], Made], items: int) -> Made:
        """Does the work as a vendor would."""

        def send() -> Made:
            row = {"method": call.method, "path": call.plain_path, "items": items, "at": utc_now().timestamp()}
            self._log.append(row)
            if account in self._revoked:
                raise errors.NeedsReconnect(
                    "It does not accept the access any more. Reconnect the account.", proven=True
                )
            fault = self._faults.take(self, call)
            kind = fault.kind if fault else ""
            if fault and kind in ("drop", "status"):
                raise refusal(fault)
            if kind == "expire_cursor":
                self.age += 1
            made = work()
            if kind in ("drop_after_commit", "truncate"):
                raise errors.Unavailable("Its answer was lost.")
            return made

        return self._wrapper(call.plain_path, send)

    def check(self, part: Call, batch: str) -> None:
        """Raises what is on order for one part of a batch."""
        if fault := self._faults.take(self, part, batch):
            raise refusal(fault)

    def cursor_of(self, call: Call) -> str:
        return call.cursor

    def at(self, vendor: str) -> "OnOrder":
        assert vendor == self.name
        return self

    def token(self, account: str, scopes: Sequence[str] = ()) -> dict[str, Any]:
        return {"access_token": f"of {account}"}

    def fault(self, kind: str, **spec: Any) -> None:
        self._faults.add({"kind": kind, **spec})

    def heal(self) -> None:
        self._faults.clear()

    def around(self, wrapper: Wrapper) -> Callable[[], None]:
        self._wrapper, before = wrapper, self._wrapper
        return lambda: setattr(self, "_wrapper", before)

    def requests(self, path: str = "") -> list[dict[str, Any]]:
        return [row for row in self._log if path in row["path"]]

    def forget_requests(self) -> None:
        self._log.clear()

    def revoke(self, account: str = "dana@memory.test") -> None:
        self._revoked.add(account)

    def throttle(self, enabled: bool) -> None:
        """It has no quotas of its own."""


def refusal(fault: Fault) -> errors.ProviderError:
    """What a vendor's answer with this status would mean."""
    if fault.kind == "status" and fault.status == 429:
        wait = dt.timedelta(seconds=float(fault.headers.get("Retry-After", 0)))
        return errors.RateLimited("It asks to slow down.", retry_at=utc_now() + wait)
    if fault.kind == "status" and fault.status < 500:
        return errors.Rejected("It does not accept this.")
    return errors.Unavailable("It is not answering properly.")
