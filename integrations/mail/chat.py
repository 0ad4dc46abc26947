"""Saying notices in a company's chat, beside the mails and with no more than these have: a sentence and a link.

A sentence is written down first and said by the queue; what is not taken is tried again as a webhook's delivery is, for
a day. It goes through the webhooks' own exit to the network, which leads to public addresses only.
"""

import datetime as dt
import json
import random

import structlog
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from fieldcamp.encryption import DecryptionError
from fieldcamp.texts import in_one_line
from fieldcamp.webhooks import policy
from fieldcamp.webhooks.addresses import address_rules
from fieldcamp.workspace.notices import MailKind
from integrations.models import ChatAddress, ChatMessage
from integrations.queue.ring import queue_broker
from integrations.transport.webhook_client import WebhookAnswer, post

log = structlog.get_logger(__name__)

TOO_OLD = dt.timedelta(days=1)  # nobody wants to hear of it any more
LEASE = dt.timedelta(seconds=60)
MOST_WAITING = 100  # of a company: where nobody listens, the newest are said
AT_ONCE, SECONDS = 20, 10.0
LONGEST = 3_000  # characters; Slack cuts what is longer than 40,000
_GONE = (404, 410)  # Slack's words for an address, a channel or an app that is no more: a new address is needed


def say(workspace_id: str, kind: MailKind, sentence: str, url: str = "") -> None:
    """Has it said in the company's chat, if it has one and wants this kind. Never raises: the mail has gone out, and is
    not sent a second time for this."""
    try:
        address = ChatAddress.objects.defer("url").filter(workspace=workspace_id).first()
        if address is None or kind.name in address.off:
            return
        text = "\n".join(part for part in (escaped(in_one_line(sentence)), url) if part)[:LONGEST]
        _write_down(address, text)
    except Exception:
        log.exception("chat_not_told", workspace_id=workspace_id, kind=kind.name)


def _write_down(address: ChatAddress, text: str) -> None:
    with transaction.atomic():
        waiting = ChatMessage.objects.filter(address=address).order_by("-pk").values_list("pk", flat=True)
        for old in waiting[MOST_WAITING - 1 :]:
            ChatMessage.objects.filter(pk=old).delete()
        ChatMessage.objects.create(address=address, text=text)
        transaction.on_commit(ring, robust=True)


def ring() -> None:
    """Has a worker say what is due; if none hears it, the next minute does."""
    async_task("integrations.jobs.tasks.say_in_chats", broker=queue_broker())


def is_due(now: dt.datetime) -> bool:
    return ChatMessage.objects.filter(next_at__lte=now).exists()


def escaped(text: str) -> str:
    """Returns the text as Slack reads it: these three are its own. https://docs.slack.dev/messaging/formatting-message-text"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def body_of(text: str) -> bytes:
    return json.dumps({"text": text}).encode()


def post_to(address: ChatAddress, text: str) -> WebhookAnswer:
    """Says it now and returns what was answered. No transaction may be open."""
    headers = {"Content-Type": "application/json", "User-Agent": "FieldCamp-Chat/1"}
    return post(address.url, body_of(text), headers, address_rules(), total=SECONDS)


def send_due(now: dt.datetime) -> int:
    """Says what is due, the oldest first; how many were taken. Any number of processes may do this at once. A chat that
    did not take one is not tried with another in the same round: it may be slow."""
    taken, given_up = 0, set()
    for message in ChatMessage.objects.filter(next_at__lte=now).order_by("next_at", "pk")[:AT_ONCE]:
        if message.address_id in given_up:
            continue
        claim = ChatMessage.objects.filter(pk=message.pk, next_at=message.next_at)
        if not claim.update(next_at=timezone.now() + LEASE, attempts=message.attempts + 1):
            continue
        if _send(message, timezone.now()):
            taken += 1
        else:
            given_up.add(message.address_id)
    return taken


def _send(message: ChatMessage, now: dt.datetime) -> bool:
    try:
        address = ChatAddress.objects.filter(pk=message.address_id).first()
        answer = post_to(address, message.text) if address else None
    except DecryptionError:
        log.error("chat_address_unreadable", address_id=message.address_id)
        answer = WebhookAnswer(0, error="INTERNAL")
    if answer is None:
        return False
    log.info("chat_tried", address_id=message.address_id, status=answer.status, error=answer.error, ms=answer.ms)
    mine = ChatMessage.objects.filter(pk=message.pk)
    keep_answer(message.address_id, answer, now)
    if answer.is_accepted:
        mine.delete()
        return True
    again = policy.next_attempt(message.attempts + 1, now, random.random())  # noqa: S311  # spreads, and hides nothing
    asked = policy.asked_to_wait(answer, now)
    again = max(again, asked) if again and asked else again
    if answer.status in _GONE or again is None or again > message.made_at + TOO_OLD:
        mine.delete()
    else:
        mine.update(next_at=again)
    return False


def keep_answer(address_id: int, answer: WebhookAnswer, now: dt.datetime) -> None:
    """Keeps with the address what became of a try."""
    row = ChatAddress.objects.filter(pk=address_id)
    if answer.is_accepted:
        row.update(delivered_at=now, failed_at=None, last_status=None, last_error="")
    else:
        row.update(failed_at=now, last_status=answer.status, last_error=answer.error[:20])


def say_week(workspace_id: str, week: dt.date, kind: MailKind, sentence: str, url: str) -> None:
    """Says the week once, however many people have a mail of it."""
    claim = ChatAddress.objects.filter(workspace=workspace_id).exclude(told_week=week)
    if claim.update(told_week=week):
        say(workspace_id, kind, sentence, url)
