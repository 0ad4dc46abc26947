"""Mails to owners and admins about a webhook that does not arrive."""

import zoneinfo
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.links import absolute
from fieldcamp.texts import in_one_line
from fieldcamp.webhooks.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from fieldcamp.workspace.notices import WEBHOOKS, addresses_for

log = structlog.get_logger(__name__)

_ENDED = (WebhookDelivery.State.SKIPPED, WebhookDelivery.State.PENDING)


def send(name: str, endpoint: WebhookEndpoint) -> bool:
    """Sends `templates/desk/webhook_<name>.txt`, its times in the company's zone; whether nothing is left to send.
    Nothing that goes wrong with a mail undoes what the mail is about."""
    to = addresses_for(endpoint.workspace_id, WEBHOOKS)
    if not to:
        return True
    host = urlsplit(endpoint.url).hostname or ""  # checked: letters of names
    last = DeliveryAttempt.objects.filter(delivery__endpoint=endpoint).order_by("-at", "-pk").first()
    context = {
        "endpoint": endpoint,
        "host": host,
        "company": endpoint.workspace.name,
        "last": last,
        "waiting": WebhookDelivery.objects.filter(endpoint=endpoint, state__in=_ENDED).count(),
        "url": absolute("admin:webhooks_webhookendpoint_change", endpoint.pk),
    }
    try:
        with timezone.override(zoneinfo.ZoneInfo(endpoint.workspace.timezone)):
            text = render_to_string(f"desk/webhook_{name}.txt", context)
        send_mail(in_one_line(_subject(name).format(host=host)), text, settings.DEFAULT_FROM_EMAIL, to)
    except Exception:  # a mail server's answer, a full disk
        log.exception("webhook_mail_failed", webhook_id=endpoint.pk, mail=name)
        return False
    log.info("webhook_mail_sent", webhook_id=endpoint.pk, mail=name)
    return True


def _subject(name: str) -> str:
    return {
        "failing": gettext("The webhook to {host} has been failing for an hour"),
        "ending": gettext("The webhook to {host} will be disabled"),
        "disabled": gettext("The webhook to {host} was disabled"),
    }[name]
