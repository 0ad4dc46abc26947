"""Many calls in one: Graph's JSON batches. https://learn.microsoft.com/en-us/graph/json-batching

No `dependsOn`: Graph itself runs at most four of a batch at a time against one mailbox, which is as many as a mailbox
takes, and a chain would make one refused call refuse all behind it (424).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.transport.answers import retry_after

BATCH_SIZE = 20


@dataclass(frozen=True)
class Call:
    """One part: `path` follows the version (`/me/…`), `body` is JSON."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def wait(self, now: dt.datetime) -> float:
        """How long this part asks to wait, in seconds; 0 where it does not say."""
        named = {name.casefold(): str(value) for name, value in self.headers.items()}
        return retry_after(named.get("retry-after"), now) or 0.0


def encode(calls: Sequence[Call]) -> dict[str, Any]:
    """The batch's JSON."""
    return {"requests": [_part(number, call) for number, call in enumerate(calls)]}


def _part(number: int, call: Call) -> dict[str, Any]:
    part: dict[str, Any] = {"id": str(number), "method": call.method, "url": call.path, "headers": dict(call.headers)}
    if call.body is not None:
        part["headers"]["Content-Type"] = "application/json"
        part["body"] = call.body
    return part


def decode(body: Mapping[str, Any], count: int) -> list[Answer | None]:
    """The answers in the calls' order, whatever order they came in; None for each that is missing."""
    answers: list[Answer | None] = [None] * count
    parts = body.get("responses")
    for part in parts if isinstance(parts, list) else ():
        number = part.get("id") if isinstance(part, dict) else None
        if not (isinstance(number, str) and number.isdecimal() and int(number) < count):
            continue
        status, headers = part.get("status"), part.get("headers")
        if isinstance(status, int) and answers[int(number)] is None:
            answers[int(number)] = Answer(status, part.get("body"), headers if isinstance(headers, dict) else {})
    return answers
