"""Addresses of pages as they are written in mails, answers of the API and calendar events: absolute, made by name."""

from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse


def absolute(name: str, *args: str, **query: str) -> str:
    """Returns the address of the page with this URL name below PUBLIC_URL."""
    return settings.PUBLIC_URL + reverse(name, args=args) + (f"?{urlencode(query)}" if query else "")
