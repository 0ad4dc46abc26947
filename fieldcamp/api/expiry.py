"""Warnings before a key expires: on the desk, and one mail."""

import datetime as dt

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from fieldcamp.api.models import ApiKey
from fieldcamp.links import absolute, support_shown
from fieldcamp.texts import said
from fieldcamp.workspace.notices import KEYS, addresses_for

log = structlog.get_logger(__name__)

WARN_BEFORE = dt.timedelta(days=14)


def expiring(now: dt.datetime) -> QuerySet[ApiKey]:
    """Returns live keys that end soon, the soonest first."""
    return ApiKey.objects.filter(revoked_at=None, expires_at__gt=now, expires_at__lte=now + WARN_BEFORE).order_by(
        "expires_at"
    )


def expires_soon(key: ApiKey, now: dt.datetime) -> bool:
    return not key.revoked_at and key.expires_at is not None and now < key.expires_at <= now + WARN_BEFORE


def warn(now: dt.datetime) -> int:
    """Mails the owners of each key that ends soon, once, however many processes do this; how many were written."""
    sent = 0
    for key in expiring(now).filter(expiry_warned_at=None).select_related("workspace"):
        # Claimed first: a second mail is worse than none, and a mail server that is down gives the claim back.
        mine = ApiKey.objects.filter(pk=key.pk, expiry_warned_at=None)
        if mine.update(expiry_warned_at=now):
            try:
                sent += _mail(key)
            except Exception:  # the others are warned, whatever is wrong with this one
                log.exception("expiry_mail_failed", key_id=key.pk)
                ApiKey.objects.filter(pk=key.pk).update(expiry_warned_at=None)
    return sent


def _help() -> str:
    shown = support_shown()
    return "\n" + gettext("Need help? Ask {where}").format(where=shown) + "\n" if shown else ""


def _mail(key: ApiKey) -> int:
    addresses = addresses_for(key.workspace_id, KEYS)
    if not addresses or key.expires_at is None:
        return 0
    page = absolute("admin:api_apikey_change", key.pk)
    name, day = said(key.name), formats.day(key.expires_at)
    company = said(key.workspace.name)
    refused = gettext("From then on FieldCamp refuses every call with the key {key} ({prefix}…) of {company}.")
    advice = gettext("Create a new key and put it where your program reads its secrets, or move this one's end:")
    return send_mail(
        gettext("The API key {key} expires on {day}").format(key=name, day=day),
        f"{refused.format(key=name, prefix=key.prefix, company=company)}\n\n{advice}\n{page}\n{_help()}",
        settings.DEFAULT_FROM_EMAIL,
        addresses,
    )


class KeyState(TextChoices):
    """How it stands with a key now."""

    ACTIVE = "active", _("Active")
    EXPIRES_SOON = "expires_soon", _("Expires soon")
    ROTATING = "rotating", _("Rotating")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


def state_of(key: ApiKey, now: dt.datetime) -> KeyState:
    if key.revoked_at:
        return KeyState.REVOKED
    if key.expires_at and key.expires_at <= now:
        return KeyState.EXPIRED
    if expires_soon(key, now):
        return KeyState.EXPIRES_SOON
    return KeyState.ROTATING if key.previous_until and key.previous_until > now else KeyState.ACTIVE
