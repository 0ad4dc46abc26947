"""Where a request comes from. X-Forwarded-For is heard from the proxies in TRUSTED_PROXIES, and from nobody else."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(request: HttpRequest) -> str:
    """Returns the caller's address; "0.0.0.0" for who speaks through a Unix socket, which has none.

    Each proxy adds whom it heard from on the right, so the first one from the right that is no proxy of ours is the
    caller; whatever stands left of it the caller has written.
    """
    found = _parse(request.META.get("REMOTE_ADDR", "")) or ipaddress.IPv4Address(0)
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while _trusted(found) and hops:
        further = _parse(hops.pop())
        if further is None:
            break
        found = further
    return str(found)


def neighbourhood(address: str) -> str:
    """Returns what counts as one caller: an IPv4 address, or the /64 that a customer of an IPv6 provider has whole."""
    found = _parse(address)
    return str(ipaddress.ip_network((found, 64), strict=False)) if found and found.version == 6 else address


def _parse(text: str) -> Address | None:
    """Reads an address; some proxies write its port behind it."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)
