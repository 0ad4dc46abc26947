"""A delivery's request as it is shown, and as a command that sends it by hand."""

import json
import shlex
from dataclasses import dataclass

from fieldcamp.webhooks.models import WebhookDelivery

# A page stays a page: what is longer is cut where it is shown, never where it is sent.
_SHOWN = 64_000


def body_of(delivery):  # INTERIM
    return bytes(delivery.event.body)


def headers_of(delivery, raw):  # INTERIM
    import base64
    import hashlib
    import hmac
    import time

    t = int(time.time())
    key = base64.b64decode(delivery.endpoint.secret[6:])
    mac = hmac.new(key, f"{delivery.event_id}.{t}.".encode() + raw, hashlib.sha256).digest()
    return [
        ("Content-Type", "application/json"),
        ("X-FieldCamp-Delivery-Id", delivery.event_id),
        ("webhook-id", delivery.event_id),
        ("webhook-timestamp", str(t)),
        ("webhook-signature", "v1," + base64.b64encode(mac).decode()),
    ]


def _cut(name, value):
    return value[:8] + "…" if name.lower().endswith("signature") else value


@dataclass(frozen=True)
class ShownRequest:
    """`headers` as they were sent, signatures cut; `body` in lines, `raw` byte for byte."""

    headers: list[tuple[str, str]]
    body: str
    raw: str
    size: int


def shown(delivery: WebhookDelivery) -> ShownRequest:
    raw = body_of(delivery)
    headers = [(name, _cut(name, value)) for name, value in headers_of(delivery, raw)]
    return ShownRequest(headers, pretty(raw), raw.decode(errors="replace")[:_SHOWN], len(raw))


def pretty(raw: bytes) -> str:
    """Returns a body in lines, as people read it."""
    try:
        return json.dumps(json.loads(raw), indent=2, ensure_ascii=False)[:_SHOWN]
    except ValueError:
        return raw.decode(errors="replace")[:_SHOWN]


def as_curl(delivery: WebhookDelivery) -> str:
    """Returns a shell command that sends the delivery with a signature of this moment. The secret is not in it."""
    raw = body_of(delivery)
    lines = [f"curl -i -X POST {shlex.quote(delivery.endpoint.url)}"]
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers_of(delivery, raw)]
    lines.append(f"--data-binary {shlex.quote(raw.decode())}")
    return " \\\n  ".join(lines)
