"""What people change at the provider is told as the change feed tells it: each row once."""

import datetime as dt

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.webhooks.models import WebhookEvent
from integrations.models import ChangeRow
from integrations.selectors.feed import change
from tests.integrations.engine import *  # noqa: F403
from tests.integrations.events.seen import bodies, forget, objects

pytestmark = pytest.mark.django_db


@pytest.fixture
def feed(api, dana):
    """All rows of the feed, as the API tells them."""
    path = "/api/v1/integrations/google-calendar/sync"
    return lambda **query: api.get(path, {"since": "2026-11-22T00:00:00Z", **query}).json()["changes"]


def by_id(rows: list[dict]) -> list[dict]:
    return sorted(rows, key=lambda row: row["id"])


@pytest.mark.slow
def test_each_row_of_the_feed_is_an_event(google, dana, sync, person, make_visits, feed):
    [visit] = make_visits(dana.member, 1)
    sync()
    person.add("Dentist", timezone.now() + dt.timedelta(hours=2))
    [event] = person.ours().values()
    person.move(event.id, visit.scheduled_start + dt.timedelta(hours=3))
    forget()
    sync()
    told = by_id(objects("change.detected"))
    assert told == by_id(feed())
    assert sorted(row["action"] for row in told) == ["created", "updated"]
    private, ours = sorted(told, key=lambda row: bool(row["visit_id"]))
    assert ours["visit_id"] == visit.pk and private["event"]["summary"] is None
    assert "Dentist" not in str(bodies("change"))
    person.delete(event.id)
    forget()
    sync()
    [gone] = objects("change.detected")
    assert gone == feed()[-1] and (gone["action"], gone["event"]) == ("deleted", None)
    assert WebhookEvent.objects.get(type="change.detected").record_id == visit.pk
    forget()
    sync()
    assert objects("change.detected") == []


def test_our_own_writes_are_none(memory, dana, sync, make_visits):
    make_visits(dana.member, 2)
    sync()
    assert objects("change.detected") == []


@pytest.mark.slow
def test_many_changes_are_written_with_a_few_statements(memory, dana, sync, person):
    sync()
    for number in range(60):
        person.add(f"Busy {number}", timezone.now() + dt.timedelta(hours=number))
    forget()
    with CaptureQueriesContext(database) as queries:
        sync()
    written = [query["sql"] for query in queries if query["sql"].startswith('INSERT INTO "webhooks_webhookevent"')]
    rows = ChangeRow.objects.order_by("seq")
    assert by_id(objects("change.detected")) == [change(row) for row in rows] and len(rows) == 60
    assert len(written) <= 8
