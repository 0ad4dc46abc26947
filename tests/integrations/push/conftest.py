"""What tests of channels share."""

import pytest

from integrations.models import Stream
from tests.faketime import moved_clock
from tests.integrations import build
from tests.integrations.push.switchboard import switchboard  # noqa: F401  (a fixture)


@pytest.fixture
def clock():
    with moved_clock() as clock:
        yield clock


@pytest.fixture
def tasks(monkeypatch) -> list[tuple]:
    """What is handed to the queue."""
    handed: list[tuple] = []
    monkeypatch.setattr("integrations.push.tending.async_task", lambda *args: handed.append(args))
    return handed


@pytest.fixture
def stream(clock, workspace, switchboard) -> Stream:  # noqa: F811
    build.owner(workspace)
    return Stream.objects.create(connection=build.connection(workspace), container_id="main", is_target=True)
