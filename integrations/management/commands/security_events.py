"""`manage.py security_events`: has a vendor tell this site what becomes of its accounts, and tries whether it does."""

import secrets
import time
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from fieldcamp.env import read_private
from integrations.errors import ProviderError
from integrations.providers import BY_SLUG
from integrations.providers.base import Provider
from integrations.providers.security_events import EventKind, EventStream
from integrations.services.security_events import address_of, has_arrived, last_received, stream_of

SOURCES = {slug: provider for slug, provider in BY_SLUG.items() if provider.security_events}
POLL = 0.5  # seconds


class Command(BaseCommand):
    help = (
        "register: has the vendor send its security events to this site, in the place of wherever it sent them. "
        "status: shows where they go, and what has come. verify: has a test sent, and waits for it. "
        "docs/operating.md says how the key file is made."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("register", "status", "verify"))
        parser.add_argument("vendor", choices=sorted(SOURCES))
        parser.add_argument("--key", required=True, metavar="FILE", help="the key of a service account (JSON)")
        parser.add_argument("--wait", type=float, default=60, metavar="SECONDS", help="for the test to come (60)")

    def handle(self, *args: Any, what: str, vendor: str, key: str, wait: float, **options: Any) -> None:
        """Does it; ends with 1 where it cannot be done, or the test does not come."""
        provider = SOURCES[vendor]
        try:
            stream = stream_of(provider, read_private(key))
            if what == "register":
                self._register(provider, stream)
            elif what == "status":
                self._status(provider, stream)
            else:
                self._verify(provider, stream, wait)
        except (ImproperlyConfigured, ProviderError) as error:
            raise CommandError(str(error)) from None

    def _register(self, provider: Provider, stream: EventStream) -> None:
        address = address_of(provider)
        if not address.startswith("https://"):
            raise CommandError(f"Events would be sent to {address}: serve this site with https, and set PUBLIC_URL.")
        stream.register(address)
        self.stdout.write(f"Registered: events are sent to {address}. Try it: security_events verify.")

    def _status(self, provider: Provider, stream: EventStream) -> None:
        found, address = stream.status(), address_of(provider)
        for what, tests in (("event", False), ("test", True)):
            at = last_received(provider, tests=tests)
            self.stdout.write(f"Last {what} received here: {f'{at:%Y-%m-%d %H:%M} UTC' if at else 'none yet'}.")
        if found.url != address:
            raise CommandError(f"Events are sent to {found.url or 'nobody'}, and not to {address}: register.")
        if not found.enabled:
            raise CommandError("The stream is switched off: nothing is sent. register switches it on.")
        if missing := [kind.value for kind in EventKind if kind not in found.kinds]:
            raise CommandError(f"These are not sent: {', '.join(missing)}. register asks for all.")
        self.stdout.write(f"All {len(found.kinds)} kinds of events are sent to {address}.")

    def _verify(self, provider: Provider, stream: EventStream, wait: float) -> None:
        state = secrets.token_urlsafe(16)
        stream.verify(state)
        until = time.monotonic() + wait
        while not has_arrived(provider, state):
            if time.monotonic() >= until:
                raise CommandError(
                    f"No test has come within {wait:.0f} s. Look for security_event_refused in the web server's log, "
                    f"and whether {address_of(provider)} is reached from outside."
                )
            time.sleep(POLL)
        self.stdout.write("The test has come, and was believed.")
