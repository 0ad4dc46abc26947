"""Intuit's webhooks: one address for the whole app, entered in its portal, signed, with events of all companies.

https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks
CloudEvents since 2026, and the body before it.
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings

from integrations.providers.push import NotBelieved, NoticeKind, PostedPush, PushNotice, PushSource

SIGNATURE = "intuit-signature"
# An entity as it is called in events, in small letters -> the kinds of records that may be others now; none: all of
# them. There is no event for tax codes and rates: those are read by the schedule.
_CONCERNS: Mapping[str, tuple[str, ...]] = {
    "customer": ("customer",),
    "item": ("item",),
    "invoice": ("invoice",),
    "payment": ("payment",),
    "taxagency": ("tax",),
    "preferences": (),
}


def is_signed(posted: PostedPush) -> bool:
    """Returns whether Intuit has signed these very bytes, for this app. All verifier tokens are tried, so that the time
    tells nothing of which."""
    sent = posted.headers.get(SIGNATURE, "").strip().encode("latin-1", "replace")
    right = False
    for verifier in settings.INTUIT_WEBHOOK_VERIFIERS:
        signature = base64.b64encode(hmac.new(verifier.encode(), posted.body, hashlib.sha256).digest())
        right |= hmac.compare_digest(signature, sent)
    return right


def read(posted: PostedPush) -> Iterable[PushNotice]:
    """Returns what is told of entities that are synced. Whatever else is in a post that is signed is no error, or
    Intuit would hold back all that comes after it. Raises `NotBelieved`."""
    if not is_signed(posted):
        raise NotBelieved
    try:
        body = json.loads(posted.body)
    except (ValueError, RecursionError):
        return ()
    return _events(body)


def _events(body: Any) -> Iterator[PushNotice]:
    if isinstance(body, dict) and "eventNotifications" in body:
        for company in _dicts(body["eventNotifications"]):
            changes = company.get("dataChangeEvent")
            for entity in _dicts(changes.get("entities") if isinstance(changes, dict) else None):
                yield from _of_old_body(company, entity)
        return
    for event in _dicts(body if isinstance(body, list) else [body]):
        type_ = _text(event.get("type"))  # qbo.invoice.updated.v1
        parts = type_.split(".")
        entity_name = parts[1] if len(parts) > 1 else ""
        yield from _notice(_text(event.get("intuitaccountid")), entity_name, type_, _text(event.get("id")))


def _of_old_body(company: dict[str, Any], entity: dict[str, Any]) -> Iterator[PushNotice]:
    name, operation = _text(entity.get("name")), _text(entity.get("operation"))
    at = _text(entity.get("lastUpdated"))
    # It has no id: a repeated one says the same of the same record, of the same moment.
    message_id = f"{name}-{_text(entity.get('id'))}-{operation}-{at}" if at else ""
    yield from _notice(_text(company.get("realmId")), name, f"{name} {operation}".strip(), message_id)


def _notice(account_id: str, entity: str, told: str, message_id: str) -> Iterator[PushNotice]:
    kinds = _CONCERNS.get(entity.lower())
    if account_id and kinds is not None:
        yield PushNotice(
            NoticeKind.CHANGED, told, account_id=account_id, record_kinds=kinds, message_id=message_id[:120]
        )


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def _text(value: Any) -> str:
    return str(value)[:200] if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


PUSH = PushSource(
    address="intuit",
    read=read,
    usable=lambda: bool(settings.INTUIT_WEBHOOK_VERIFIERS),
    late_after=dt.timedelta(minutes=15),  # events are gathered for up to five
    never_told=frozenset({"tax"}),
    scheduled_every=dt.timedelta(hours=3),
)
