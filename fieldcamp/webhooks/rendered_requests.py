"""A delivery's request as it is shown, and as a command that sends it by hand."""

import copy
import json
import shlex
from dataclasses import dataclass

from django.utils import timezone

from fieldcamp.webhooks.models import WebhookDelivery
from fieldcamp.webhooks.signing import body_of, headers_of

# A page stays a page: what is longer is cut where it is shown, never where it is sent.
_SHOWN = 64_000


def _body(delivery: WebhookDelivery) -> bytes:
    return body_of(delivery.endpoint, delivery.event)


@dataclass(frozen=True)
class ShownRequest:
    """`headers` as they were sent, signatures cut; `body` in lines, `raw` byte for byte."""

    headers: list[tuple[str, str]]
    body: str
    raw: str
    size: int


def shown(delivery: WebhookDelivery) -> ShownRequest:
    """Returns the request of the last attempt, or as it would be sent now. The secret is not read for it."""
    raw = _body(delivery)
    last = delivery.tries.order_by("number").last()
    unsigned = copy.copy(delivery.endpoint)
    unsigned.secret = unsigned.previous_secret = ""
    number, moment = (last.number, last.at) if last else (1, timezone.now())
    found = headers_of(delivery, unsigned, raw, attempt=number, now=moment)
    headers = [(name, "…" if name.lower().endswith("signature") else value) for name, value in found.items()]
    return ShownRequest(headers, pretty(raw), raw.decode(errors="replace")[:_SHOWN], len(raw))


def pretty(raw: bytes) -> str:
    """Returns a body in lines, as people read it."""
    try:
        return json.dumps(json.loads(raw), indent=2, ensure_ascii=False)[:_SHOWN]
    except ValueError:
        return raw.decode(errors="replace")[:_SHOWN]


def as_curl(delivery: WebhookDelivery) -> str:
    """Returns a shell command that sends the delivery with a signature of this moment. The secret is not in it.

    Raises `encryption.DecryptionError` where the secret cannot be read.
    """
    raw = _body(delivery)
    found = headers_of(delivery, delivery.endpoint, raw, attempt=max(delivery.attempts, 1), now=timezone.now())
    lines = [f"curl -i -X POST {shlex.quote(delivery.endpoint.url)}"]
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in found.items()]
    lines.append(f"--data-binary {shlex.quote(raw.decode())}")
    return " \\\n  ".join(lines)
