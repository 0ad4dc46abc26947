"""System checks of the settings: each mistake has an id, says what is wrong, and what to write instead."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from fieldcamp.links import is_loopback, is_mailbox
from fieldcamp.startup import host_of, mistakes

PRIVATE = ("secrets", "mail", "logs")  # folders in FIELDCAMP_DATA


@register(Tags.security)
def check_settings(**_kwargs) -> list[CheckMessage]:
    """Returns everything that an operator can get wrong in the environment. Nothing starts with most of it."""
    return [*_fatal(), *_plain_http(), *_queue()]


@register(Tags.security)
def check_operator(**_kwargs) -> list[CheckMessage]:
    """Returns what the public pages cannot say yet. Vendors look at them, and people before they connect an account."""
    if is_loopback(host_of(settings.PUBLIC_URL)):
        return []
    needed = ("OPERATOR_NAME", "OPERATOR_ADDRESS", "OPERATOR_EMAIL")
    found: list[CheckMessage] = []
    if missing := [name for name in needed if not getattr(settings, name)]:
        found.append(
            Warning(
                f"{', '.join(missing)} not set: the privacy policy and the terms do not say who runs this site.",
                hint="Write them as people and the vendors' reviewers should read them.",
                id="integrations.W003",
            )
        )
    target = settings.SUPPORT_URL
    if target and not is_mailbox(target) and urlsplit(target).scheme not in ("http", "https"):
        found.append(
            Warning(
                f"SUPPORT_URL is {target!r}: people cannot open that.",
                hint="Write an e-mail address, or an address that starts with https://.",
                id="integrations.W004",
            )
        )
    return found


@register(Tags.security)
def check_files(**_kwargs) -> list[CheckMessage]:
    """Returns what others on this machine can read of what we keep. All that we make is closed; this is older than
    that, or somebody has opened it."""
    data: Path = settings.FIELDCAMP_DATA
    if not data.is_dir():
        return []
    inside = [path for folder in (data, *(data / name for name in PRIVATE)) for path in _entries(folder)]
    open_ones = [path for path in inside if path.stat().st_mode & 0o077]
    shown = ", ".join(str(path) for path in open_ones[:3]) + (" …" if len(open_ones) > 3 else "")
    if open_ones:
        said = f"Others on this machine can read {shown}: secrets, mails with links that let people in, and data."
    elif data.stat().st_mode & 0o077:
        said = f"Others on this machine can look into {data}, though they can read no file there that is ours."
    else:
        return []
    return [Warning(said, hint=f"chmod -R go= {data}", id="integrations.W002")]


def _entries(folder: Path) -> list[Path]:
    """Returns what is in the folder; what is public in any case (static files) is left out, and so are links."""
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if path.name != "static" and not path.is_symlink()]


def _fatal() -> Iterator[CheckMessage]:
    given = {name: getattr(settings, name) for name in dir(settings) if name.isupper()}
    for mistake in mistakes(given):
        yield Error(mistake.sentence, hint=mistake.mend or None, id=f"integrations.{mistake.id}")


def _plain_http() -> Iterator[CheckMessage]:
    host = host_of(settings.PUBLIC_URL)
    if settings.ALLOW_PLAIN_HTTP and not settings.SECURE_SSL_REDIRECT and host and not is_loopback(host):
        yield Warning(
            "PUBLIC_URL is plain http, by ALLOW_PLAIN_HTTP: whoever can listen on the way reads passwords and keys, "
            "and most vendors refuse such a redirect address.",
            hint="Serve the site over https and say so in PUBLIC_URL.",
            id="integrations.W001",
        )


def _queue() -> Iterator[CheckMessage]:
    # A task waits inside the cluster behind up to queue_limit + 1 others, with its lock already running.
    queue: dict[str, Any] = settings.Q_CLUSTER
    if queue["workers"] < 1:
        return  # which is a mistake of its own
    needed = queue["timeout"] * (2 + math.ceil((queue["queue_limit"] + 1) / queue["workers"]))
    if queue["retry"] < needed:
        yield Error(
            f"Q_CLUSTER retry is {queue['retry']} s and must be at least {needed} s: a task that still waits would be "
            "delivered twice.",
            hint="retry >= timeout * (2 + ceil((queue_limit + 1) / workers))",
            id="integrations.E005",
        )
