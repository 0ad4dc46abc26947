"""Many calls in one: Google's multipart batches. https://developers.google.com/workspace/calendar/api/guides/batch"""

import email.parser
import email.policy
import json
import re
from collections.abc import Sequence

from integrations.providers.batches import Answer, Call

BOUNDARY = "fieldcamp_batch"
_ITEM = re.compile(r"item(\d+)")
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})")


def encode(calls: Sequence[Call]) -> tuple[bytes, str]:
    """Returns the batch's body and its content type."""
    lines: list[str] = []
    for number, call in enumerate(calls):
        lines += [f"--{BOUNDARY}", "Content-Type: application/http", f"Content-ID: <item{number}:fieldcamp>", ""]
        lines += [f"{call.method} {call.path} HTTP/1.1", *(f"{name}: {value}" for name, value in call.headers.items())]
        if call.body is None:
            lines += ["", ""]
        else:
            # ASCII, so that no value can hold a line break or the boundary's dashes at the start of a line.
            text = json.dumps(call.body)
            lines += ["Content-Type: application/json", f"Content-Length: {len(text)}", "", text]
    lines += [f"--{BOUNDARY}--", ""]
    return "\r\n".join(lines).encode("ascii"), f"multipart/mixed; boundary={BOUNDARY}"


def decode(content_type: str, body: bytes, count: int) -> list[Answer | None]:
    """Returns the answers in the calls' order; None for each that is missing or broken off."""
    answers: list[Answer | None] = [None] * count
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    # The older policy: the newer takes every header to pieces, which costs more than all else of a sync.
    message = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(head + body)
    parts = message.get_payload() if message.is_multipart() else []
    for position, part in enumerate(parts):
        named = _ITEM.search(str(part.get("Content-ID", "")))
        number = int(named[1]) if named else position
        if number < count and answers[number] is None:
            answers[number] = _answer(part.get_payload(decode=True) or b"")
    return answers


def _answer(http: bytes) -> Answer | None:
    status = _STATUS.match(http.lstrip())
    head, _, text = http.lstrip().replace(b"\r\n", b"\n").partition(b"\n\n")
    if not status:
        return None
    if not text.strip():
        return Answer(int(status[1]), None)
    try:
        return Answer(int(status[1]), json.loads(text))
    except (ValueError, RecursionError):
        return None
