"""The queue as the settings choose it: the database's or Redis."""

import pytest
from django_q.brokers import Broker

from integrations.queue.ring import queue_broker
from tests.integrations.sync.memory import memory, memory_vendor  # noqa: F401  (fixtures)


@pytest.fixture
def queue(db) -> Broker:
    """The queue, empty."""
    broker = queue_broker()
    broker.purge_queue()
    return broker
