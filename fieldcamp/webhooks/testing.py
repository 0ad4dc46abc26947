"""Test deliveries: sent at once, while whoever asks waits, with an event that nothing has happened for."""

from dataclasses import dataclass

from fieldcamp.webhooks.models import WebhookEndpoint
from fieldcamp.webhooks.subscriptions import ON_REQUEST
from fieldcamp.workspace.errors import InvalidTransition


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What became of a test: `status` is what was answered (None where nothing was, then `error` is one of our words),
    `ms` how long that took, `excerpt` the beginning of the answer; `enabled` whether it has enabled the endpoint."""

    __test__ = False  # nothing of pytest's

    event_id: str
    delivered: bool
    status: int | None
    error: str
    ms: int
    excerpt: str
    enabled: bool


def send_test(endpoint: WebhookEndpoint, event_type: str = ON_REQUEST) -> TestOutcome:
    """Sends a test of this type and returns what became of it; one that is accepted enables a pending endpoint.

    It waits for the server, twenty seconds at most: no transaction may be open.
    """
    raise InvalidTransition("Tests are not sent yet.")
