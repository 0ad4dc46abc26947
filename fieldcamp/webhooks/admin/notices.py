"""Mails to a person about what was done to webhooks with their login, as those about API keys are (`desk.notices`)."""

from typing import Any

from django.utils.translation import gettext

from fieldcamp.desk.notices import tell
from fieldcamp.webhooks.admin.words import plain_host
from fieldcamp.webhooks.models import WebhookEndpoint


def webhook_made(user: Any, endpoint: WebhookEndpoint) -> None:
    tell(
        user,
        gettext("A new webhook"),
        gettext("A webhook was made with your login: events are sent to {host}.").format(host=plain_host(endpoint)),
    )


def webhook_changed(user: Any, endpoint: WebhookEndpoint) -> None:
    tell(
        user,
        gettext("A webhook's address was changed"),
        gettext("With your login a webhook was given a new address: {host}.").format(host=plain_host(endpoint)),
    )


def webhook_rotated(user: Any, endpoint: WebhookEndpoint) -> None:
    tell(
        user,
        gettext("A new secret for a webhook"),
        gettext("A new secret was made with your login for the webhook to {host}.").format(host=plain_host(endpoint)),
    )
