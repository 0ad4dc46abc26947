"""Which addresses a customer may have FieldCamp send to: public ones, by https, named by a name.

A name is judged by all of its addresses, at the time at which it is connected to: one that was checked earlier may
point elsewhere by then. The lists are those of https://www.iana.org/assignments/iana-ipv4-special-registry and
iana-ipv6-special-registry, multicast and the ways of writing an IPv4 address inside an IPv6 one; what Python's
`ipaddress` calls global is not enough (3.11.7 lets 192.0.0.8, 224.0.0.1, 2002:7f00:1:: and fec0::1 pass).
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

LONGEST = 2048  # characters of an address
_NOT_UNICAST_V4 = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24
192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4
240.0.0.0/4
"""
_REFUSED_V4 = [ipaddress.IPv4Network(text) for text in _NOT_UNICAST_V4.split()]
# IPv4-mapped, IPv4-compatible, NAT64, link-local, site-local, unique local and multicast ones all lie outside.
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_INSIDE_REFUSED_V6 = "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20"
_REFUSED_V6 = [ipaddress.IPv6Network(text) for text in _INSIDE_REFUSED_V6.split()]
_PRIVATE_ENDINGS = ("local", "internal", "localhost", "home.arpa", "localdomain", "lan", "intranet", "corp", "onion")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_PRINTABLE = re.compile(r"[!-~]+")


class Refusal(StrEnum):
    """Why an address is refused."""

    NO_URL = "no_url"
    TOO_LONG = "too_long"
    NOT_HTTPS = "not_https"
    PORT = "port"
    USER = "user"
    FRAGMENT = "fragment"
    LITERAL = "literal"
    PRIVATE_NAME = "private_name"
    OURS = "ours"
    UNKNOWN_NAME = "unknown_name"
    PRIVATE_ADDRESS = "private_address"


class AddressRefused(Exception):
    """Nothing is sent to this address."""

    def __init__(self, reason: Refusal):
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class AddressRules:
    """Which ports and names are allowed. `allow_private` is for demo and tests: this machine, private networks, names
    and numbers, any port, plain http."""

    allow_private: bool = False
    ports: frozenset[int] = frozenset({443})
    own_hosts: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Destination:
    """An address taken apart, once: what was checked is what is connected to. `target` is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def host_header(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == {"https": 443, "http": 80}[self.scheme] else f"{shown}:{self.port}"


def destination_of(url: str, rules: AddressRules) -> Destination:
    """Returns where this address leads, without asking anybody. Raises `AddressRefused`."""
    if len(url) > LONGEST:
        raise AddressRefused(Refusal.TOO_LONG)
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").removesuffix("."), parts.port
    except ValueError:
        raise AddressRefused(Refusal.NO_URL) from None
    # `urlsplit` leaves line breaks and tabs out, and other programs take a backslash for a slash.
    if not _PRINTABLE.fullmatch(url) or "\\" in url or not host or parts.scheme not in ("https", "http"):
        raise AddressRefused(Refusal.NO_URL)
    if parts.scheme != "https" and not rules.allow_private:
        raise AddressRefused(Refusal.NOT_HTTPS)
    if "@" in parts.netloc:
        raise AddressRefused(Refusal.USER)
    if "#" in url:
        raise AddressRefused(Refusal.FRAGMENT)
    port = {"https": 443, "http": 80}[parts.scheme] if port is None else port
    if not rules.allow_private:
        _check_host(host, rules)
        if port not in rules.ports:
            raise AddressRefused(Refusal.PORT)
    query = f"?{parts.query}" if parts.query else ""
    return Destination(parts.scheme, host, port, f"{parts.path or '/'}{query}")


def _check_host(host: str, rules: AddressRules) -> None:
    labels = host.split(".")
    # A name whose last part begins with a digit is a number to some resolvers: 127.1, 0x7f.0.0.1, 2130706433.
    if ":" in host or host.startswith("[") or labels[-1][:1].isdigit():
        raise AddressRefused(Refusal.LITERAL)
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused(Refusal.NO_URL)
    if len(labels) < 2 or any(host == each or host.endswith(f".{each}") for each in _PRIVATE_ENDINGS):
        raise AddressRefused(Refusal.PRIVATE_NAME)
    if host in rules.own_hosts:
        raise AddressRefused(Refusal.OURS)


def is_public(address: str) -> bool:
    """Returns whether this number is one of the public internet's."""
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(number, ipaddress.IPv4Address):
        return number.is_global and not any(number in network for network in _REFUSED_V4)
    inside = number in _UNICAST_V6 and not any(number in network for network in _REFUSED_V6)
    return inside and number.is_global and number.scope_id is None


def checked(addresses: Iterable[str], rules: AddressRules) -> list[str]:
    """Returns the addresses of a name where every one of them is allowed. Raises `AddressRefused` where one is not."""
    found = list(addresses)
    if not rules.allow_private and not all(is_public(each) for each in found):
        raise AddressRefused(Refusal.PRIVATE_ADDRESS)
    return found
