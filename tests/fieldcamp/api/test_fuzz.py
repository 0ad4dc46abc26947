"""The document is true: schemathesis drives every operation with good and bad data, for a few seconds.

`docs/operating.md` says how to do the same at length against a running server.
"""

from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings

from fieldcamp.wsgi import application
from integrations.transport.public_addresses import destination_of
from tests.integrations import build

# Well-formed, and refused for what it says: a cursor or a reference that does not exist, an ETag that is not current,
# an end before its start. A schema cannot say such things.
EXPECTED = ["2xx", "3xx", "400", "401", "403", "404", "409", "410", "412", "422", "429"]
config = schemathesis.Config.from_dict({"checks": {"positive_data_acceptance": {"expected-statuses": EXPECTED}}})
schema = schemathesis.openapi.from_wsgi("/api/v1/schema", application, config=config)


@pytest.fixture
def key(db, api_key, workspace, no_provider, no_receiver) -> Iterator[str]:
    """A key, while requests keep the test's own database connection, as Django's test client has them do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    build.connection(workspace)
    yield api_key()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def no_provider(monkeypatch):
    """Reads of the feed take nothing in."""
    from integrations.services import feed

    monkeypatch.setattr(feed, "observe_pending", lambda workspace, integration, **_: build.NOW)


@pytest.fixture
def no_receiver(monkeypatch):
    """No name of a webhook's address is looked up, and nothing is sent there."""
    monkeypatch.setattr("fieldcamp.webhooks.addresses.check_reachable", destination_of)


@pytest.mark.slow
@schema.parametrize()
@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_every_answer_is_as_documented(case, key):
    case.call_and_validate(headers={"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"})
