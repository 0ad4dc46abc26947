"""Many calls in one: Graph's JSON batches. https://learn.microsoft.com/en-us/graph/json-batching

No `dependsOn`: Graph itself runs at most four of a batch at a time against one mailbox, which is as many as a mailbox
takes, and a chain would make one refused call refuse all behind it (424).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.providers.batches import Answer, Call


def encode(calls: Sequence[Call]) -> dict[str, Any]:
    """Returns the batch's JSON."""
    return {"requests": [_part(number, call) for number, call in enumerate(calls)]}


def _part(number: int, call: Call) -> dict[str, Any]:
    part: dict[str, Any] = {"id": str(number), "method": call.method, "url": call.path, "headers": dict(call.headers)}
    if call.body is not None:
        part["headers"]["Content-Type"] = "application/json"
        part["body"] = call.body
    return part


def decode(body: Mapping[str, Any], count: int) -> list[Answer | None]:
    """Returns the answers in the calls' order, whatever order they came in; None for each that is missing."""
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
