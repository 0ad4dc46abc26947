"""Addresses of pages as they are written in mails, answers of the API and calendar events: absolute, made by name."""

import ipaddress
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse


def absolute(name: str, *args: str, **query: str) -> str:
    """Returns the address of the page with this URL name below PUBLIC_URL."""
    return settings.PUBLIC_URL + reverse(name, args=args) + (f"?{urlencode(query)}" if query else "")


def is_address(host: str) -> bool:
    """Returns whether the host is an IP address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Returns whether only this machine reaches the host."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)
