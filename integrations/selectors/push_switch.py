"""Whether vendors can push to this installation, and why not: of one vendor, whatever account it is."""

import datetime as dt
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.links import is_loopback
from integrations.models import Heartbeat
from integrations.providers import PROVIDERS

REFUSED = "push-refused:"
TRIED_AGAIN_AFTER = dt.timedelta(days=1)


def push_url(integration: str) -> str:
    """Returns the address that the vendor posts to; "" where it does not push."""
    push = PROVIDERS[integration].push
    return f"{settings.PUBLIC_URL}/push/{push.address}" if push else ""


def refusal_name(integration: str) -> str:
    """Returns under which name it is kept that the vendor has refused our address."""
    return f"{REFUSED}{integration}"[:40]


def why_off(integration: str, now: dt.datetime | None = None) -> str:
    """Returns why the vendor cannot push, for people; "" where it can, as far as this installation is concerned."""
    push = PROVIDERS[integration].push
    if push is None:
        return gettext("{integration} does not push.").format(integration=PROVIDERS[integration].label)
    if not push.usable():
        return gettext("it is not set up at this installation")
    if not _is_reached(integration):
        return gettext("this site has no public https address")
    if is_refused(integration, now):
        return gettext("{integration} refuses this site's address").format(integration=PROVIDERS[integration].label)
    return ""


def is_refused(integration: str, now: dt.datetime | None = None) -> bool:
    """Returns whether the vendor has refused our address within a day."""
    since = (now or timezone.now()) - TRIED_AGAIN_AFTER
    return Heartbeat.objects.filter(name=refusal_name(integration), at__gt=since).exists()


def _is_reached(integration: str) -> bool:
    """Returns whether the vendor can reach us: at a public https address, or as its simulator next door."""
    public = urlsplit(settings.PUBLIC_URL)
    if public.scheme == "https" and not is_loopback(public.hostname or ""):
        return True
    return all(_is_simulated(base) for base in PROVIDERS[integration].hosts(""))


def _is_simulated(base: str) -> bool:
    host = urlsplit(base).hostname or ""
    return (
        is_loopback(host)
        or host.endswith(".test")
        or bool(settings.SANDBOX_URL and base.startswith(settings.SANDBOX_URL))
    )
