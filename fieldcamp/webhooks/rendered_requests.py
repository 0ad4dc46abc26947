"""A delivery's request as it is shown, and as a command that sends it by hand."""

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


def _headers(delivery: WebhookDelivery, raw: bytes) -> list[tuple[str, str]]:
    """Returns the headers as they would be sent now."""
    number = max(delivery.tries.count(), 1)
    return [*headers_of(delivery, delivery.endpoint, raw, attempt=number, now=timezone.now()).items()]


def _cut(name: str, value: str) -> str:
    return value[:8] + "…" if name.lower().endswith("signature") else value


@dataclass(frozen=True)
class ShownRequest:
    """`headers` as they were sent, signatures cut; `body` in lines, `raw` byte for byte."""

    headers: list[tuple[str, str]]
    body: str
    raw: str
    size: int


def shown(delivery: WebhookDelivery) -> ShownRequest:
    raw = _body(delivery)
    headers = [(name, _cut(name, value)) for name, value in _headers(delivery, raw)]
    return ShownRequest(headers, pretty(raw), raw.decode(errors="replace")[:_SHOWN], len(raw))


def pretty(raw: bytes) -> str:
    """Returns a body in lines, as people read it."""
    try:
        return json.dumps(json.loads(raw), indent=2, ensure_ascii=False)[:_SHOWN]
    except ValueError:
        return raw.decode(errors="replace")[:_SHOWN]


def as_curl(delivery: WebhookDelivery) -> str:
    """Returns a shell command that sends the delivery with a signature of this moment. The secret is not in it."""
    raw = _body(delivery)
    lines = [f"curl -i -X POST {shlex.quote(delivery.endpoint.url)}"]
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in _headers(delivery, raw)]
    lines.append(f"--data-binary {shlex.quote(raw.decode())}")
    return " \\\n  ".join(lines)
