"""System checks of the settings: each mistake has an id, says what is wrong, and what to write instead."""

import math
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from fieldcamp.links import is_loopback
from integrations.providers import PROVIDERS
from integrations.providers.oauth import OAuth

POSITIVE = (
    "SYNC_WINDOW_PAST_DAYS",
    "SYNC_WINDOW_FUTURE_DAYS",
    "ASK_WHEN_MOVED_DAYS",
    "ASK_WHEN_LONGER_HOURS",
    "SYNC_INTERVAL_MINUTES",
    "FEED_RETENTION_DAYS",
    "JOB_RETENTION_DAYS",
    "CHANGE_RETENTION_DAYS",
    "PAUSE_AFTER_FAILURES",
    "ACCOUNTS_AT_ONCE",
)


@register(Tags.security)
def check_settings(**_kwargs) -> list[CheckMessage]:
    """Returns everything that an operator can get wrong in the environment."""
    return [
        *_sandbox(),
        *_encryption_keys(),
        *_public_url(),
        *_queue(),
        *_numbers(),
        *_vendor_credentials(),
    ]


def _sandbox() -> Iterator[CheckMessage]:
    if settings.SANDBOX_URL and not settings.DEBUG and not settings.ALLOW_SANDBOX:
        yield Error(
            "SANDBOX_URL is set and DEBUG is off: accounts would be connected with a simulator.",
            hint="Remove SANDBOX_URL, or set ALLOW_SANDBOX=1 if this is a demo.",
            id="integrations.E001",
        )


def _encryption_keys() -> Iterator[CheckMessage]:
    if not settings.TOKEN_ENCRYPTION_KEYS:
        yield Error("TOKEN_ENCRYPTION_KEYS is empty: no token could be stored.", id="integrations.E002")
    for number, key in enumerate(settings.TOKEN_ENCRYPTION_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            yield Error(
                f"Key {number} of TOKEN_ENCRYPTION_KEYS is no Fernet key (32 bytes in URL-safe base64).",
                hint='Make one: python -c "from cryptography.fernet import Fernet; '
                'print(Fernet.generate_key().decode())"',
                id="integrations.E003",
            )


def _public_url() -> Iterator[CheckMessage]:
    try:
        parts = urlsplit(settings.PUBLIC_URL)
        host, _port = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        yield Error(
            f"PUBLIC_URL is {settings.PUBLIC_URL!r}: that is no address of a site.",
            hint="Write where people reach this site, such as https://sync.example.com.",
            id="integrations.E004",
        )
    elif parts.scheme == "http" and not is_loopback(host):
        yield Warning(
            "PUBLIC_URL is plain http: passwords and the vendors' codes would cross the network in clear, and most of "
            "them refuse such a redirect address.",
            hint="Serve the site over https and say so in PUBLIC_URL.",
            id="integrations.W001",
        )


def _queue() -> Iterator[CheckMessage]:
    # A task waits inside the cluster behind up to queue_limit + 1 others, with its lock already running.
    queue: dict[str, Any] = settings.Q_CLUSTER
    if queue["workers"] < 1:
        yield Error("WORKERS must be at least 1.", id="integrations.E007")
        return
    needed = queue["timeout"] * (2 + math.ceil((queue["queue_limit"] + 1) / queue["workers"]))
    if queue["retry"] < needed:
        yield Error(
            f"Q_CLUSTER retry is {queue['retry']} s and must be at least {needed} s: a task that still waits would be "
            "delivered twice.",
            hint="retry >= timeout * (2 + ceil((queue_limit + 1) / workers))",
            id="integrations.E005",
        )


def _numbers() -> Iterator[CheckMessage]:
    for name in POSITIVE:
        if getattr(settings, name) <= 0:
            yield Error(f"{name} is {getattr(settings, name)}: it must be 1 or more.", id="integrations.E006")


def _vendor_credentials() -> Iterator[CheckMessage]:
    declared = [provider.authentication for provider in PROVIDERS.values()]
    clients = {oauth.app: oauth.client for oauth in declared if isinstance(oauth, OAuth)}
    for app, client in clients.items():
        if bool(client["client_id"]) != bool(client["secret"]):
            missing = "SECRET" if client["client_id"] else "ID"
            yield Error(
                f"{app}_CLIENT_{missing} is missing: the app's id and secret only work together.",
                id="integrations.E008",
            )
