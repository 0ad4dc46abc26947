"""Addresses of pages as they are written in mails, answers of the API and calendar events: absolute, made by name."""

import functools
import ipaddress
from urllib.parse import quote, urlencode

from django.conf import settings
from django.urls import get_script_prefix, reverse


def absolute(name: str, *args: str, **query: str) -> str:
    """Returns the address of the page with this URL name below PUBLIC_URL."""
    path = _path(name, args, settings.ROOT_URLCONF, get_script_prefix())
    return settings.PUBLIC_URL + path + (f"?{urlencode(query)}" if query else "")


@functools.lru_cache(maxsize=5_000)
def _path(name: str, args: tuple[str, ...], urlconf: str, prefix: str) -> str:
    """Returns a path, looked up once: what is told of a list of records names pages for each of them."""
    return reverse(name, args=args)


def support_url(reference: str = "") -> str:
    """Returns where people ask for help, filled in with the id of a request or a job: the operator's page or mailbox,
    or our own page about that where none is named. Nothing else of what was asked for goes along."""
    target = settings.SUPPORT_URL or settings.OPERATOR_EMAIL
    if not target:
        return absolute("support")
    if is_mailbox(target):
        subject = f"FieldCamp {reference}".strip()
        return f"mailto:{quote(mailbox_of(target), safe='@+')}?subject={quote(subject)}"
    return target.replace("{reference}", quote(reference, safe=""))


def support_shown(reference: str = "") -> str:
    """Returns the same as it is read in a text: the mailbox or the page's address, "" where none is named."""
    target = settings.SUPPORT_URL or settings.OPERATOR_EMAIL
    return mailbox_of(target) or (support_url(reference) if target else "")


def mailbox_of(target: str) -> str:
    """Returns the mailbox that is written to; "" where it is a page."""
    return target.removeprefix("mailto:") if is_mailbox(target) else ""


def is_mailbox(target: str) -> bool:
    """Returns whether this is written to, and no page."""
    return "@" in target and "://" not in target


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
