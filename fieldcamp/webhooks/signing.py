"""What a delivery's request carries: the event's bytes, and headers with signatures of this very moment.

FieldCamp's headers and those of Standard Webhooks stand side by side, made with the same secret: a receiver checks
either. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.recording import JSON
from fieldcamp.webhooks.secret import PREFIX

USER_AGENT = "FieldCamp-Webhooks/1"


def body_of(endpoint: WebhookEndpoint, event: WebhookEvent) -> bytes:
    """Returns what is sent: the event as it is stored; to an endpoint that wants nothing of people, the ids alone, and
    of who did it no more than which key."""
    stored = bytes(event.body)
    if endpoint.payload == WebhookEndpoint.Payload.FULL:
        return stored
    body = json.loads(stored)
    shown = body["data"]["object"]
    thin = {"id": shown.get("id") if isinstance(shown, dict) else None, "object": event.type.partition(".")[0]}
    if isinstance(shown, dict) and shown.get("deleted"):
        thin["deleted"] = True
    content: dict[str, object] = {"object": thin}
    if "previous_attributes" in body["data"]:
        content["previous_attributes"] = dict.fromkeys(body["data"]["previous_attributes"])
    source = body["source"]
    if not _is_key(source):
        source = {**source, "actor": None}
    return JSON.render({**body, "source": source, "data": content})


def _is_key(source: Mapping[str, Any]) -> bool:
    """Returns whether the actor of an event's source is a key, and not a person by their name."""
    actor = source.get("actor")
    is_named_so = isinstance(actor, str) and actor.startswith("API key ")  # as `api.services.signature` does
    return is_named_so and source.get("kind") == WebhookEvent.Source.API


def secrets_of(endpoint: WebhookEndpoint, now: dt.datetime) -> list[str]:
    """Returns the secrets that sign now, the newest first: during a rotation there are two."""
    until = endpoint.previous_secret_until
    old = endpoint.previous_secret if until is not None and now < until else ""
    return [endpoint.secret, *([old] if old else [])]


def signatures(secrets: Sequence[str], event_id: str, timestamp: int, body: bytes) -> tuple[str, str]:
    """Returns the values of `X-FieldCamp-Signature` and of `webhook-signature`."""
    keys = [_key(secret) for secret in secrets]
    ours = [hmac.new(key, b"%d." % timestamp + body, hashlib.sha256).hexdigest() for key in keys]
    text = f"{event_id}.{timestamp}.".encode() + body
    theirs = [base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode() for key in keys]
    return ",".join([f"t={timestamp}", *(f"v1={each}" for each in ours)]), " ".join(f"v1,{each}" for each in theirs)


def _key(secret: str) -> bytes:
    """Returns the bytes that a secret stands for. Raises ValueError without saying it."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("The secret is no base64.") from None


def headers_of(
    delivery: WebhookDelivery, endpoint: WebhookEndpoint, body: bytes, *, attempt: int, now: dt.datetime
) -> dict[str, str]:
    """Returns the headers of one attempt: the ids stay, timestamp and signatures are new."""
    timestamp = int(now.timestamp())
    ours, theirs = signatures(secrets_of(endpoint, now), delivery.event_id, timestamp, body)
    return _headers(delivery, attempt, timestamp, ours, theirs)


def shown_headers(delivery: WebhookDelivery, *, attempt: int, now: dt.datetime) -> dict[str, str]:
    """Returns the headers of an attempt as they may be shown: the signatures are cut off."""
    timestamp = int(now.timestamp())
    return _headers(delivery, attempt, timestamp, f"t={timestamp},v1=…", "v1,…")


def _headers(delivery: WebhookDelivery, attempt: int, timestamp: int, ours: str, theirs: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Accept": "*/*",
        "User-Agent": USER_AGENT,
        "X-FieldCamp-Delivery-Id": delivery.event_id,
        "X-FieldCamp-Event": delivery.event.type,
        "X-FieldCamp-Attempt": str(attempt),
        "X-FieldCamp-Webhook-Id": delivery.endpoint_id,
        "X-FieldCamp-Signature": ours,
        "webhook-id": delivery.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": theirs,
        **({"X-FieldCamp-Replay": "true"} if delivery.replay_of_id else {}),
    }
