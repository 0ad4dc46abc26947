"""Browsers in which somebody has signed in before, by a signed cookie: their owner's tries are counted apart from those
of strangers, and a sign-in from another one is mailed."""

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import get_random_string, salted_hmac

COOKIE = "fieldcamp_device"
SALT = "fieldcamp.signin.devices"
LIFE = 400 * 86_400  # seconds; browsers keep no cookie longer
MOST = 8  # people who share a browser


def known_as(request: HttpRequest, username: str) -> str:
    """Returns the browser's id if somebody has signed in there under this name, else ""."""
    device, people = _read(request)
    return device if _mark(username) in people else ""


def remember(request: HttpRequest, response: HttpResponseBase, username: str) -> None:
    """Notes on the browser that this person signs in there."""
    device, people = _read(request)
    people = [_mark(username), *(mark for mark in people if mark != _mark(username))][:MOST]
    response.set_cookie(
        _cookie(),
        signing.dumps([device or get_random_string(22), people], salt=SALT),
        max_age=LIFE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _cookie() -> str:
    """Returns the cookie's name: over https one that no other host of the domain can plant."""
    return f"__Host-{COOKIE}" if settings.SESSION_COOKIE_SECURE else COOKIE


def _read(request: HttpRequest) -> tuple[str, list[str]]:
    try:
        device, people = signing.loads(request.COOKIES.get(_cookie(), ""), salt=SALT, max_age=LIFE)
    except signing.BadSignature:
        return "", []
    return device, people


def _mark(username: str) -> str:
    return salted_hmac(SALT, username.strip().casefold()).hexdigest()[:20]
