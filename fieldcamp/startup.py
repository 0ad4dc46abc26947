"""What must not serve: mistakes in the settings with which no process starts, whichever it is.

`settings` refuses them while it is read, so gunicorn, the worker and every command end alike; Django's own checks are
run by commands only. `integrations.checks` has them with their hints for `manage.py check`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from fieldcamp.certificates import AppCertificate
from fieldcamp.links import is_loopback

SHORTEST_SECRET = 32  # characters
FEWEST_DIFFERENT = 8  # of them; random ones have far more
SECRETS = ("SECRET_KEY", "API_KEY_PEPPER")
POSITIVE = (
    "SYNC_WINDOW_PAST_DAYS",
    "SYNC_WINDOW_FUTURE_DAYS",
    "ASK_WHEN_MOVED_DAYS",
    "ASK_WHEN_LONGER_HOURS",
    "SYNC_INTERVAL_MINUTES",
    "FEED_RETENTION_DAYS",
    "JOB_RETENTION_DAYS",
    "CHANGE_RETENTION_DAYS",
    "DELETED_RETENTION_DAYS",
    "PAUSE_AFTER_FAILURES",
    "OUTAGE_MAIL_AFTER_MINUTES",
    "ACCOUNTS_AT_ONCE",
    "EVENT_RETENTION_DAYS",
)
_MAKE_RANDOM = 'python -c "import secrets; print(secrets.token_urlsafe(50))"'
_MAKE_FERNET = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Mistake:
    """One mistake: its number among the checks' ids, what is wrong, and what to write instead."""

    id: str
    sentence: str
    mend: str = ""


def refuse_mistakes(settings: Settings) -> None:
    """Raises ImproperlyConfigured with every mistake, one a line."""
    if found := list(mistakes(settings)):
        lines = (f"{each.sentence} {each.mend} (integrations.{each.id})" for each in found)
        raise ImproperlyConfigured("\n".join(["This does not start:", *lines]))


def mistakes(settings: Settings) -> Iterator[Mistake]:
    """Yields what is wrong with these settings, given by their names."""
    yield from _sandbox(settings)
    yield from _encryption_keys(settings)
    yield from _public_url(settings)
    yield from _secrets(settings)
    yield from _vendor_urls(settings)
    yield from _vendor_apps(settings)
    for name in POSITIVE:
        if settings[name] <= 0:
            yield Mistake("E006", f"{name} is {settings[name]}: it must be 1 or more.")
    if settings["Q_CLUSTER"]["workers"] < 1:
        yield Mistake("E007", "WORKERS must be at least 1.")


def host_of(url: str) -> str:
    """Returns the host of a site's address, "" where it is no address of a site."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return ""
    sound = parts.scheme in ("http", "https") and not (parts.query or parts.fragment or parts.username)
    return host or "" if sound else ""


def _sandbox(settings: Settings) -> Iterator[Mistake]:
    if settings["SANDBOX_URL"] and not settings["DEBUG"] and not settings["ALLOW_SANDBOX"]:
        yield Mistake(
            "E001",
            "SANDBOX_URL is set and DEBUG is off: accounts would be connected with a simulator.",
            "Remove SANDBOX_URL, or set ALLOW_SANDBOX=1 if this is a demo.",
        )
    if settings["WEBHOOK_ALLOW_PRIVATE"] and not settings["DEBUG"] and not settings["ALLOW_SANDBOX"]:
        yield Mistake(
            "E014",
            "WEBHOOK_ALLOW_PRIVATE is set and DEBUG is off: customers could have this machine and its network called.",
            "Remove WEBHOOK_ALLOW_PRIVATE, or set ALLOW_SANDBOX=1 if this is a demo.",
        )


def _encryption_keys(settings: Settings) -> Iterator[Mistake]:
    if not settings["TOKEN_ENCRYPTION_KEYS"]:
        yield Mistake("E002", "TOKEN_ENCRYPTION_KEYS is empty: no token could be stored.", f"Make one: {_MAKE_FERNET}")
    for number, key in enumerate(settings["TOKEN_ENCRYPTION_KEYS"], start=1):
        try:
            Fernet(key)
        except ValueError:
            sentence = f"Key {number} of TOKEN_ENCRYPTION_KEYS is no Fernet key (32 bytes in URL-safe base64)."
            yield Mistake("E003", sentence, f"Make one: {_MAKE_FERNET}")
            continue
        if len(set(key)) < FEWEST_DIFFERENT:
            yield Mistake("E003", f"Key {number} of TOKEN_ENCRYPTION_KEYS can be guessed.", f"Make one: {_MAKE_FERNET}")


def _public_url(settings: Settings) -> Iterator[Mistake]:
    url = settings["PUBLIC_URL"]
    host = host_of(url)
    if not host:
        yield Mistake(
            "E004",
            f"PUBLIC_URL is {url!r}: that is no address of a site.",
            "Write where people reach this site, such as https://sync.example.com.",
        )
        return
    if is_loopback(host):
        return
    if settings["DEBUG"]:
        yield Mistake(
            "E009",
            f"DEBUG is on, and PUBLIC_URL is {url}: whoever meets an error there would be shown settings and code.",
            "Set DEBUG=0.",
        )
    if urlsplit(url).scheme == "http" and not settings["ALLOW_PLAIN_HTTP"]:
        yield Mistake(
            "E010",
            f"PUBLIC_URL is {url}: passwords, API keys and the vendors' codes would cross the network in clear.",
            "Serve the site over https and say so in PUBLIC_URL, or set ALLOW_PLAIN_HTTP=1 if nobody can listen there.",
        )


def _secrets(settings: Settings) -> Iterator[Mistake]:
    for name in SECRETS:
        value = settings[name]
        if len(value) < SHORTEST_SECRET or len(set(value)) < FEWEST_DIFFERENT or value.startswith("django-insecure-"):
            yield Mistake(
                "E011",
                f"{name} can be guessed: it needs {SHORTEST_SECRET} random characters, {FEWEST_DIFFERENT} of them "
                "different.",
                f"Make one: {_MAKE_RANDOM}",
            )


def _vendor_urls(settings: Settings) -> Iterator[Mistake]:
    """Yields addresses to which the app's secret, people's codes and their tokens would be sent in clear."""
    sandbox = settings["SANDBOX_URL"]
    for name, path in settings["VENDOR_URLS"].items():
        url = settings[name]
        simulated = bool(sandbox) and url == sandbox + path
        if urlsplit(url).scheme == "https" or is_loopback(host_of(url)) or simulated:
            continue
        yield Mistake(
            "E012",
            f"{name} is {url}: the app's secret and people's tokens would cross the network in clear.",
            "Write an address that starts with https://.",
        )


def _vendor_apps(settings: Settings) -> Iterator[Mistake]:
    for name, app in settings.items():
        if not name.endswith("_CLIENT") or not isinstance(app, dict):
            continue
        certificate = settings.get(f"{name.removesuffix('_CLIENT')}_CERTIFICATE") or {}
        if any(certificate.values()):
            try:
                AppCertificate.load(**certificate)
            except ImproperlyConfigured as error:
                yield Mistake("E013", str(error), "docs/operating.md says how a certificate is made.")
            if not app["client_id"]:
                yield Mistake("E008", f"{name}_ID is missing: a certificate says nothing without the app's id.")
        elif bool(app["client_id"]) != bool(app["secret"]):
            missing = "SECRET" if app["client_id"] else "ID"
            yield Mistake("E008", f"{name}_{missing} is missing: the app's id and secret only work together.")
