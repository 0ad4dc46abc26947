"""Mails as a person reads them: plain text and the same in simple HTML, with links that work from anywhere."""

import zoneinfo
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone

from fieldcamp.formats import in_currency
from fieldcamp.texts import in_one_line
from fieldcamp.workspace.models import Workspace
from integrations.selectors.links import dashboard_url


def send_mail(
    name: str,
    *,
    to: Sequence[str],
    subject: str,
    workspace: Workspace | None,
    context: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> None:
    """Sends `templates/mail/<name>` in both forms, its times in the company's zone, amounts in its currency. OSError if
    it cannot be sent.

    A mail without a workspace is for whoever runs the site; its times are UTC."""
    values = {"workspace": workspace, "subject": subject, "desk_url": dashboard_url(), **context}
    zone, currency = (workspace.timezone, workspace.currency) if workspace else ("UTC", "")
    with timezone.override(zoneinfo.ZoneInfo(zone)), in_currency(currency):
        text = render_to_string(f"mail/{name}.txt", values)
        page = render_to_string(f"mail/{name}.html", values)
    mail = EmailMultiAlternatives(
        in_one_line(subject), text, settings.DEFAULT_FROM_EMAIL, list(to), headers=dict(headers or {})
    )
    mail.attach_alternative(page, "text/html")
    mail.send()
