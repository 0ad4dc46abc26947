"""Mails to a person about their own login, so that they hear of what somebody else has done with it.

They go out when the transaction is through, and a mail server that does not take them breaks nothing.
"""

import zoneinfo
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from fieldcamp.workspace.models import Member

log = structlog.get_logger(__name__)


def tell(user: Any, subject: str, sentence: str) -> None:
    """Mails the sentence to the person; what to do if it was not them stands below.

    Nothing is sent to who has no address. Subject and sentence are plain text in the person's language.
    """
    address = user.email or (user.get_username() if "@" in user.get_username() else "")
    if address:
        transaction.on_commit(partial(_send, user, address, subject, sentence), robust=True)


def _send(user: Any, address: str, subject: str, sentence: str) -> None:
    member = Member.objects.select_related("workspace").filter(user=user).first()
    zone = zoneinfo.ZoneInfo(member.workspace.timezone if member else "UTC")
    moment = timezone.localtime(timezone.now(), zone)
    values = {
        "sentence": " ".join(sentence.split()),
        "moment": f"{date_format(moment, 'j F Y, H:i')} ({zone.key})",
        "address": settings.PUBLIC_URL,
    }
    try:
        send_mail(
            " ".join(subject.split()),
            render_to_string("desk/notice.txt", values),
            settings.DEFAULT_FROM_EMAIL,
            [address],
        )
    except Exception as error:  # the deed is done, whatever is wrong with the mail
        log.warning("notice_not_sent", user_id=user.pk, error=type(error).__name__)


def key_made(user: Any, key: str) -> None:
    tell(
        user,
        gettext("A new API key"),
        gettext("An API key was made with your login: {key}.").format(key=key),
    )


def key_rotated(user: Any, key: str) -> None:
    tell(
        user,
        gettext("A new secret for an API key"),
        gettext("A new secret was made with your login for the API key {key}.").format(key=key),
    )
