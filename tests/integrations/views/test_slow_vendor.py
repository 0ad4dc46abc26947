"""A vendor that takes its time holds no page: what waits for it says so after some seconds in all."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.utils import timezone

from integrations.models import Connection, OAuthGrant
from integrations.transport.client import READ_TIMEOUT
from integrations.transport.patience import PAGE_SECONDS
from tests.faketime import process_clock

AT = "/admin/integrations/connections"


@pytest.fixture
def slow(vendors):
    """Makes Google take ten seconds for each answer."""
    process_clock().follow(vendors.adapter)
    return lambda: vendors.fault("delay", seconds=10, times=50)


@contextmanager
def seconds_at_most() -> Iterator[None]:
    clock = process_clock()
    before = clock._skipped  # what was waited for vendors and between calls, and none of our own work
    yield
    assert clock._skipped - before <= PAGE_SECONDS + 0.1


@pytest.mark.slow
@pytest.mark.parametrize("page", ["settings", "setup", "preview"])
def test_no_page_waits_longer_than_some_seconds(desk, active, slow, page):
    assert PAGE_SECONDS <= 4 < READ_TIMEOUT
    # The access has to be renewed first, which may take its time, too.
    OAuthGrant.objects.filter(connection=active).update(expires_at=timezone.now() - dt.timedelta(hours=1))
    slow()
    with seconds_at_most():
        answer = desk.get(f"{AT}/{active.pk}/{page}/")
    assert answer.status_code == 503 and "did not answer" in answer.content.decode()


def test_what_a_button_waits_for(desk, active, slow):
    slow()
    with seconds_at_most():
        assert desk.post(f"{AT}/{active.pk}/disconnect/").status_code == 302
    active.refresh_from_db()
    assert active.state == "disconnected" and active.revoked_at_provider is None


def test_what_a_return_from_consent_waits_for(desk, dana, slow):
    answered = desk.answer(desk.start())
    slow()
    with seconds_at_most():
        answer = desk.come_back(answered)
    assert "Google Calendar did not answer" in answer.content.decode()
    assert not Connection.objects.exists()
