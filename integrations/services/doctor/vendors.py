"""What can be asked of the vendors without an account: do they answer, do they know our app, what time is it there?"""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from fieldcamp.links import absolute, is_address, is_loopback
from integrations.errors import Misconfigured, NeedsReconnect, ProviderError
from integrations.providers import PROVIDERS
from integrations.providers.base import Provider
from integrations.providers.oauth import OAuth
from integrations.services.doctor.certificates import app_certificate, is_readable
from integrations.services.doctor.findings import Finding, Weight, examined
from integrations.services.security_events import last_received
from integrations.transport.client import HttpClient

PATIENCE = 8.0  # seconds
SKEW = dt.timedelta(seconds=30)  # tokens are renewed minutes early, events are compared to the second
MADE_UP = "made-up-by-manage-py-doctor"


@dataclass
class Heard:
    """How late our clock is by the Date header of each answer, which has whole seconds."""

    late: list[dt.timedelta] = field(default_factory=list)

    def listen(self, response: Any) -> str:
        try:
            there = parsedate_to_datetime(response.headers.get("Date", ""))
        except ValueError:
            return ""
        self.late.append(there.replace(tzinfo=there.tzinfo or dt.UTC) - timezone.now())
        return ""


def examine_vendors(*, offline: bool) -> Iterator[Finding]:
    """Looks at each vendor whose app is set, and at the clock."""
    heard = Heard()
    for provider in PROVIDERS.values():
        oauth = provider.authentication
        if not isinstance(oauth, OAuth):
            continue
        if not oauth.client["client_id"]:
            yield Finding(
                Weight.NOTE,
                provider.label,
                f"No app is set: nobody can connect {provider.label}.",
                f"Set {oauth.app}_CLIENT_ID and {oauth.app}_CLIENT_SECRET.",
            )
            continue
        yield from examined(provider.label, partial(_redirect_address, provider))
        yield from examined(provider.label, partial(app_certificate, provider.label, oauth))
        if provider.security_events and urlsplit(settings.PUBLIC_URL).scheme == "https":
            yield from examined(provider.label, partial(_events, provider))
        if not offline:
            yield from examined(provider.label, partial(_addresses, provider, oauth, heard))
            yield from examined(provider.label, partial(_document, provider, oauth))
            if is_readable(oauth):
                yield from examined(provider.label, partial(_credentials, provider, oauth, heard))
    if not offline:
        yield from _clock(heard)


def _redirect_address(provider: Provider) -> Iterator[Finding]:
    """Shows where the vendor sends people back to; it has to be registered letter for letter, and some are refused."""
    address = absolute(f"{provider.slug}_callback")
    parts = urlsplit(address)
    host = parts.hostname or ""
    here = is_loopback(host)
    if parts.scheme != "https" and not here:
        refused = "vendors take https only, but for a loopback address"
    elif is_address(host) and not here:
        refused = "vendors want a name and no IP address"
    else:
        yield Finding(
            Weight.NOTE if here and not settings.SANDBOX_URL else Weight.FINE,
            provider.label,
            f"The redirect address is {address}",
            "Register exactly this one at the vendor, with its last slash."
            + (" Only a browser on this machine can come back to it." if here else ""),
        )
        return
    yield Finding(
        Weight.WRONG,
        provider.label,
        f"The redirect address is {address}, which is refused: {refused}.",
        "Serve this site under a name with https, set PUBLIC_URL to it, and register the new redirect address.",
    )


def _events(provider: Provider) -> Iterator[Finding]:
    """Looks whether the vendor tells this site of its accounts: then at least a test has come once in a while."""
    last = max(filter(None, (last_received(provider, tests=tests) for tests in (True, False))), default=None)
    if last:
        sentence = f"The last security event came on {last:%-d %B %Y}."
        yield Finding(Weight.FINE, provider.label, sentence)
        return
    yield Finding(
        Weight.NOTE,
        provider.label,
        "No security event has come for two months, nor a test of one: that an account was taken over, or access "
        "withdrawn, is noticed by the next sync.",
        f"`python manage.py security_events register {provider.slug}` has them sent here, `verify` tries them; "
        "docs/operating.md says how.",
    )


def _addresses(provider: Provider, oauth: OAuth, heard: Heard) -> Iterator[Finding]:
    """Asks every address of the vendor for anything: whatever it answers, it is reached."""
    bad = []
    addresses = sorted({*oauth.addresses, *provider.hosts("")})
    for address in addresses:
        if trouble := _trouble(provider, address, heard):
            bad.append(f"{address} ({trouble})")
    if bad:
        yield Finding(
            Weight.WRONG,
            provider.label,
            f"No good answer from {', '.join(bad)}.",
            "Let this machine reach them: firewall, proxy, name server and certificates; else the vendor is down.",
        )
    else:
        yield Finding(Weight.FINE, provider.label, f"All {len(addresses)} addresses answer.")


def _trouble(provider: Provider, address: str, heard: Heard) -> str:
    """Returns why the address does not answer; "" where it does."""
    answers: list[int | str] = []
    with contextlib.suppress(ProviderError):
        _exit(provider, heard, answers.append).request("GET", f"{address}/")
    status = answers[-1] if answers else "not asked"
    return "" if isinstance(status, int) and status < 500 else str(status)


def _document(provider: Provider, oauth: OAuth) -> Iterator[Finding]:
    """Asks for the vendor's discovery document, which says where its OAuth endpoints are."""
    if trouble := oauth.discovery.trouble():
        yield Finding(
            Weight.NOTE,
            provider.label,
            f"The discovery document {oauth.document()} is not used: {trouble}",
            "The addresses in the settings are used instead. Those that you have not set are the vendor's own.",
        )
        return
    yield Finding(Weight.FINE, provider.label, f"{oauth.vendor}'s discovery document says where its endpoints are.")


def _credentials(provider: Provider, oauth: OAuth, heard: Heard) -> Iterator[Finding]:
    """Asks to renew an access that never was: a vendor that knows the app refuses the access, else the app."""
    try:
        oauth.refresh(_exit(provider, heard), MADE_UP)
    except NeedsReconnect:
        yield Finding(Weight.FINE, provider.label, f"{oauth.vendor} knows the app by its id and {_proof(oauth)}.")
    except ProviderError as error:
        # A vendor may find the made-up access not even well formed, which says nothing of the app.
        if not isinstance(error, Misconfigured) or "invalid_request" in error.detail:
            sentence = f"Whether {oauth.vendor} knows the app could not be found out: {error}"
            yield Finding(Weight.NOTE, provider.label, sentence, "Connect an account: its consent page shows.")
            return
        yield Finding(
            Weight.WRONG,
            provider.label,
            f"{oauth.vendor} refuses the app: {error} {error.detail}".strip(),
            _compare(oauth),
        )


def _proof(oauth: OAuth) -> str:
    return "certificate" if oauth.certificate else "secret"


def _compare(oauth: OAuth) -> str:
    if oauth.certificate:
        return f"Compare {oauth.app}_CLIENT_ID with what the vendor shows, and upload the certificate there."
    return (
        f"Compare {oauth.app}_CLIENT_ID and {oauth.app}_CLIENT_SECRET with what the vendor shows; a secret may have "
        "ended."
    )


def _exit(provider: Provider, heard: Heard, after_call: Callable[[int | str], None] = lambda _: None) -> HttpClient:
    listening = replace(provider, trace=heard.listen)
    return HttpClient(listening, None, attempts=1, read_timeout=PATIENCE, after_call=after_call)


def _clock(heard: Heard) -> Iterator[Finding]:
    if not heard.late:
        return
    # A slow answer makes our clock look early: the quickest one counts.
    late = min(heard.late, key=abs)
    if abs(late) <= SKEW:
        yield Finding(Weight.FINE, "Clock", "This machine's clock agrees with the vendors'.")
        return
    way = "late" if late > dt.timedelta(0) else "early"
    yield Finding(
        Weight.WRONG,
        "Clock",
        f"This machine's clock is {abs(late).total_seconds():.0f} s {way}, by the vendors' answers.",
        "Let it be set by a time server (NTP), such as with `timedatectl set-ntp true`.",
    )
