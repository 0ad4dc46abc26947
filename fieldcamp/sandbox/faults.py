"""Trouble on demand: which calls shall fail, and how."""

import re
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from fieldcamp.sandbox.http import BadInput, Dropped, Request, Response, json_response
from fieldcamp.sandbox.oauth import Grants
from fieldcamp.sandbox.repeating import Paging, Repeats
from fieldcamp.sandbox.state import State

KINDS = ("status", "delay", "drop", "drop_after_commit", "truncate", "expire_token", "expire_cursor", "repeat_page",
         "endless")  # fmt: skip
MAX_DELAY = 3600
MAX_LASTING = 366 * 86_400


class Subject(Protocol):
    """What a fault needs to know of the vendor it strikes."""

    name: str
    state: State
    grants: Grants
    paging: Paging | None

    def cursor_of(self, request: Request) -> str: ...
    def expire_token(self, token: str) -> None: ...
    def expire_cursor(self, cursor: str) -> None: ...
    def error_response(self, status: int) -> Response: ...


@dataclass
class Fault:
    """One order: the next `times` matching calls, after `after` untouched ones, go wrong. With `lasting` all of them do
    for so many seconds by the sandbox's clock, with `account` only that account's."""

    kind: str
    vendor: str | None = None
    account: str | None = None
    method: str | None = None
    path: str | None = None
    times: int = 1
    after: int = 0
    status: int = 500
    seconds: float = 0.0
    lasting: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    def __post_init__(self) -> None:
        self._path = re.compile(self.path) if self.path is not None else None
        self.n, self.ends = 0, 0.0

    def meets(self, subject: Subject, request: Request, outer_path: str | None) -> bool:
        """Whether this call is one it is meant for. `outer_path` is the batch that carries the call, if one does."""
        if self.vendor not in (None, subject.name) or self.method not in (None, request.method):
            return False
        if outer_path is not None and (self._path is None or self._path.search(outer_path)):
            return False  # it was meant for the batch as a whole
        if self._path is not None and not self._path.search(request.plain_path):
            return False
        if self.account is not None:
            token = subject.grants.lookup(request.bearer) if request.bearer else None
            if token is None or token.account != self.account:
                return False
        if self.kind == "repeat_page":
            return subject.paging is not None and request.method == "GET"
        if self.kind == "expire_token":
            return bool(request.bearer)
        return self.kind != "expire_cursor" or bool(subject.cursor_of(request))


class Faults:
    """The orders that are still open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[Fault] = []
        self._taken = 0
        self._repeats = Repeats()

    def add(self, spec: dict[str, Any], now: float = 0.0) -> dict[str, Any]:
        """Takes an order; BadInput says what is wrong with it. `n` names it."""
        fault = _parse(spec)
        fault.ends = now + fault.lasting
        with self._lock:
            self._taken += 1
            fault.n = self._taken
            self._open.append(fault)
        return {"n": fault.n, **asdict(fault)}

    def clear(self, n: int | None = None) -> None:
        """Forgets all orders, or this one."""
        with self._lock:
            self._open = [fault for fault in self._open if n is not None and fault.n != n]

    def take(self, subject: Subject, request: Request, outer_path: str | None = None) -> Fault | None:
        """The fault that strikes this call, used up by one; each order counts its own matches."""
        with self._lock:
            struck = None
            self._open = [each for each in self._open if not each.lasting or each.ends > subject.state.now()]
            for fault in self._open:
                if not fault.meets(subject, request, outer_path):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                elif struck is None:
                    fault.times -= 0 if fault.lasting else 1
                    struck = fault
            self._open = [fault for fault in self._open if fault.times > 0]
            return struck

    def around(
        self,
        subject: Subject,
        request: Request,
        handle: Callable[[Request], Response],
        outer_path: str | None = None,
    ) -> Response:
        """Answers the call through `handle`, with the fault that is due, if one is."""
        fault = self.take(subject, request, outer_path)
        request = self._repeats.resolved(subject.paging, request)
        if fault is None:
            return handle(request)
        if fault.kind == "drop":
            raise Dropped("fault: drop")
        if fault.kind == "status":
            return _ordered_answer(fault, subject)
        if fault.kind == "delay":
            request.sleep(fault.seconds)
        elif fault.kind == "expire_token":
            subject.expire_token(request.bearer)
        elif fault.kind == "expire_cursor":
            subject.expire_cursor(subject.cursor_of(request))
        response = handle(request)
        if fault.kind == "drop_after_commit":
            raise Dropped("fault: drop_after_commit")
        if fault.kind == "repeat_page" and subject.paging:
            return self._repeats.again(subject.paging, request, response)
        if fault.kind == "truncate":
            response.cut = len(response.body) // 2
        if fault.kind == "endless":
            response.endless = fault.seconds
        return response


def _ordered_answer(fault: Fault, subject: Subject) -> Response:
    if fault.body is None:
        response = subject.error_response(fault.status)
    elif isinstance(fault.body, str):
        response = Response(fault.status, fault.body.encode())
        response.headers["Content-Type"] = "text/plain; charset=UTF-8"  # `headers` may say another
    else:
        response = json_response(fault.body, fault.status)
    for name, value in fault.headers.items():
        response.headers[name] = value
    return response


def _parse(spec: dict[str, Any]) -> Fault:
    unknown = set(spec) - set(Fault.__dataclass_fields__)
    if unknown:
        raise BadInput(f"Unknown field {sorted(unknown)[0]!r} in a fault.")
    if spec.get("kind") not in KINDS:
        raise BadInput(f"kind must be one of {', '.join(KINDS)}.")
    for name in ("vendor", "account", "method", "path"):
        if not isinstance(spec.get(name), str | None):
            raise BadInput(f"{name} must be a string.")
    for name, low, high in (("times", 1, 10**9), ("after", 0, 10**9), ("status", 200, 599)):
        value = spec.get(name, low)
        if type(value) is not int or not low <= value <= high:
            raise BadInput(f"{name} must be a whole number from {low} to {high}.")
    for name, longest in (("seconds", MAX_DELAY), ("lasting", MAX_LASTING)):
        seconds = spec.get(name, 0)
        if type(seconds) not in (int, float) or not 0 <= seconds <= longest:
            raise BadInput(f"{name} must be a number from 0 to {longest}.")
    headers = {} if spec.get("headers") is None else spec["headers"]
    if not isinstance(headers, dict):
        raise BadInput("headers must be an object of strings.")
    headers = {str(name): str(value) for name, value in headers.items()}
    if any(c in text for item in headers.items() for text in item for c in "\r\n"):
        raise BadInput("headers must not contain line breaks.")
    values = {name: value for name, value in spec.items() if value is not None} | {"headers": headers}
    if "method" in values:
        values["method"] = values["method"].upper()
    try:
        return Fault(**values)
    except re.error as error:
        raise BadInput(f"path is not a regular expression: {error}.") from None
