"""Receiving what vendors tell of their accounts by themselves."""

import datetime as dt

import structlog
from django.db import transaction
from django.utils import timezone

from fieldcamp.links import absolute
from integrations.accounts.security_events import take_in
from integrations.models import ReceivedSecurityEvent
from integrations.providers.base import Provider
from integrations.providers.security_events import LONGEST_TOKEN, EventKind, EventRefused, EventStream, EventToken
from integrations.transport.client import HttpClient

log = structlog.get_logger(__name__)

# With the vendor's keys at hand nobody is asked. Else whoever has sent the token waits, and not for long.
ATTEMPTS = 2
READ_TIMEOUT = 2.0
LONGEST_STATE = 100


def address_of(provider: Provider) -> str:
    """Returns where the vendor is to send its events."""
    return absolute("security_events", provider.slug)


def stream_of(provider: Provider, key_file: str) -> EventStream:
    """Returns what can be chosen at the vendor with a key. Raises `ProviderError` for what is none."""
    assert provider.security_events
    return provider.security_events.open_stream(key_file)


def has_arrived(provider: Provider, state: str) -> bool:
    """Returns whether the test that says `state` has come here."""
    return ReceivedSecurityEvent.objects.filter(integration=provider.name, test_state=state).exists()


def last_received(provider: Provider, *, tests: bool) -> dt.datetime | None:
    """Returns when the last test came, or the last event that was none."""
    rows = ReceivedSecurityEvent.objects.filter(integration=provider.name)
    rows = rows.exclude(test_state="") if tests else rows.filter(test_state="")
    return rows.order_by("-received_at").values_list("received_at", flat=True).first()


def receive(provider: Provider, body: bytes) -> None:
    """Takes in an event token, once. Raises `EventRefused`, after which nothing has changed, and `ProviderError` where
    the vendor's keys cannot be had just now. Events about accounts that nobody has connected change nothing."""
    assert provider.security_events
    if len(body) > LONGEST_TOKEN:
        raise EventRefused("invalid_request", "The body is too long.")
    try:
        text = body.decode("ascii").strip()
    except UnicodeDecodeError:
        raise EventRefused("invalid_request", "The body is no signed token.") from None
    http = HttpClient(provider, None, attempts=ATTEMPTS, read_timeout=READ_TIMEOUT)
    token = provider.security_events.read(http, text)
    kinds = ",".join(event.kind.value for event in token.events)
    with transaction.atomic():
        if not _is_new(provider, token, kinds):
            log.info("security_event_repeated", integration=provider.name, kinds=kinds)
            return
        count = sum(take_in(provider, event, token.issued_at) for event in token.events)
    log.info("security_event_received", integration=provider.name, kinds=kinds, connections=count)


def _is_new(provider: Provider, token: EventToken, kinds: str) -> bool:
    """Writes the token down; false where it has come before. Raises `EventRefused` where another of its id has."""
    state = next((event.state for event in token.events if event.kind is EventKind.VERIFICATION), "")
    row, made = ReceivedSecurityEvent.objects.get_or_create(
        integration=provider.name,
        jti=token.id,
        defaults={
            "digest": token.digest,
            "kinds": kinds[:200],
            "test_state": state[:LONGEST_STATE],
            "received_at": timezone.now(),
        },
    )
    if not made and row.digest != token.digest:
        raise EventRefused("invalid_request", "Another token with this jti has come before.")
    return made
