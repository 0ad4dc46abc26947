"""Mails to a person about their own login, so that they hear of what somebody else has done with it.

They go out when the transaction is through, and a mail server that does not take them breaks nothing.
"""

import zoneinfo
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp import formats
from fieldcamp.workspace import mailed
from fieldcamp.workspace.models import Member


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
    with timezone.override(zone):
        values = {"sentence": " ".join(sentence.split()), "moment": formats.zoned(timezone.now())}
    mailed.send(address, subject=subject, template="desk/notice.txt", context=values)


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
