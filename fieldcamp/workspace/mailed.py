"""Links in mails: made, sent, found again. What is done when one is followed is for `logins` and `addresses`."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from fieldcamp.texts import in_one_line
from fieldcamp.workspace.models import AddressChange, Invitation, Member

log = structlog.get_logger(__name__)

Link = TypeVar("Link", Invitation, AddressChange)

PAGES = {Invitation: "invitation", AddressChange: "address_change"}  # the URL names of what the links lead to


def make(kind: type[Link], member: Member, address: str) -> tuple[Link, str]:
    """Returns the member's one link of this kind, and its token, which is kept nowhere; the link before ends."""
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    facts = {
        "address": address,
        "digest": _digest(token),
        "expires_at": now + dt.timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
        "sent_at": None,
        "created_at": now,
    }
    return kind._default_manager.update_or_create(member=member, defaults=facts)[0], token


def find(kind: type[Link], token: str) -> Link | None:
    """Returns the link that has this token and is still good."""
    rows = kind._default_manager.select_related("member__workspace", "member__user")
    link = rows.filter(digest=_digest(token)).first()
    return link if link is not None and link.is_open else None


def locked(kind: type[Link], token: str) -> Link | None:
    """Returns the same for the transaction that uses it up. The member's row is the lock, as for all that is done with
    a login."""
    link = find(kind, token)
    if link is None:
        return None
    Member.objects.select_for_update().get(pk=link.member_id)
    return find(kind, token)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def deliver(link: Link, token: str, *, subject: str, template: str, context: Mapping[str, Any]) -> bool:
    """Mails the link, after the transaction that made it; whether that worked is kept in `sent_at`."""
    page = settings.PUBLIC_URL + reverse(PAGES[type(link)], kwargs={"token": token})
    days = max(settings.PASSWORD_RESET_TIMEOUT // 86_400, 1)
    if not send(link.address, subject=subject, template=template, context={**context, "link": page, "days": days}):
        return False
    type(link)._default_manager.filter(pk=link.pk, digest=link.digest).update(sent_at=timezone.now())
    return True


def send(to: str, *, subject: str, template: str, context: Mapping[str, Any]) -> bool:
    """Sends one mail; whether that worked. Nothing that goes wrong with a mail undoes what the mail is about."""
    try:
        text = render_to_string(template, {"address": settings.PUBLIC_URL, **context})
        send_mail(in_one_line(subject), text, settings.DEFAULT_FROM_EMAIL, [to])
    except Exception as error:  # a library's too: what it says of the mail may hold the link
        log.warning("mail_not_sent", template=template, error=type(error).__name__)
        return False
    return True
