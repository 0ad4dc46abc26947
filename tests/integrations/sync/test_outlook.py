"""What Graph's listings ask of the engine: nothing is lost or doubled where they say too little or forget."""

import datetime as dt
import json

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime
from integrations.models import ChangeRow, JobStatus, Link
from integrations.providers.outlook_calendar import listing
from integrations.services.observe import observe_pending
from tests.integrations.engine import counts
from tests.integrations.sync.people import HOME

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(listing, "PAGE", "odata.maxpagesize=100")


NOW = timezone.now().replace(microsecond=0)


def begin(days: float) -> dt.datetime:
    return NOW + dt.timedelta(days=days)


@pytest.mark.slow
def test_a_first_sync_whose_listing_is_forgotten_midway(dana, outlook, vendors, sync, small_pages, make_visits):
    vendors.call("POST", "bulk", json={"vendor": "microsoft", "account": "dana@outlook.test", "events": 1000})
    visits = make_visits(dana.member, 3)
    vendors.fault("expire_cursor", after=2)
    job = sync()
    assert (job.status, job.errors) == (JobStatus.SUCCEEDED, [])
    assert Link.objects.filter(kind="block").count() == BlockedTime.objects.count() > 500
    assert set(outlook.ours()) == {visit.pk for visit in visits}
    assert counts(sync()) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}


@pytest.mark.slow
def test_an_event_that_leaves_the_listed_time_and_comes_back(dana, outlook, sync, make_visits, settings):
    settings.ASK_WHEN_MOVED_DAYS = 365
    [visit] = make_visits(dana.member, 1)
    private = outlook.add("Dentist", begin(3))
    sync()
    event = outlook.ours()[visit.pk]
    outlook.move(event.id, begin(300))
    outlook.move(private.id, begin(300))
    assert sync().pulled == 2
    visit.refresh_from_db()
    assert visit.scheduled_start == begin(300)
    assert outlook.ours()[visit.pk].id == event.id
    assert not ChangeRow.objects.filter(action="deleted").exists()
    outlook.move(private.id, begin(4))
    sync()
    assert BlockedTime.objects.count() == 1
    assert counts(sync()) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}


@pytest.mark.slow
def test_a_stranger_beyond_the_listed_time_is_none_of_our_business(dana, outlook, vendors, sync):
    sync()
    far = outlook.add("Far away", begin(400))
    vendors.forget_requests()
    assert sync().pulled == 0
    outlook.delete(far.id)
    assert sync().pulled == 0
    assert [row["method"] for row in vendors.requests()] == ["GET", "DELETE", "GET"]  # the person's is the middle one
    assert not Link.objects.exists()


@pytest.mark.slow
def test_a_series_that_is_moved_gets_new_occurrences_for_old(dana, outlook, sync):
    series = outlook.add("Standup", begin(1), repeat=("daily", 6))
    sync()
    assert BlockedTime.objects.count() == 6
    outlook.move(series.id, begin(1) + dt.timedelta(hours=1))
    sync()
    at_home = begin(1).astimezone(HOME) + dt.timedelta(hours=1)  # by the clock on the wall, also over a change of time
    assert set(BlockedTime.objects.values_list("starts_at", flat=True)) == {
        at_home + dt.timedelta(days=n) for n in range(6)
    }
    for mode in ("incremental", "full"):
        assert sync(mode).pulled == 0


@pytest.mark.slow
def test_an_event_that_becomes_a_series_and_one_again(dana, outlook, sync):
    event = outlook.add("Standup", begin(1))
    sync()
    first = f"{begin(1).astimezone(HOME):%Y-%m-%d}"
    rule = {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "numbered", "startDate": first, "numberOfOccurrences": 3},
    }
    outlook.call("PATCH", f"events/{event.id}", json={"recurrence": rule})
    sync()
    assert BlockedTime.objects.count() == 3
    outlook.call("PATCH", f"events/{event.id}", json={"recurrence": None})
    sync()
    assert BlockedTime.objects.count() == 1


@pytest.mark.slow
def test_reading_the_feed_sees_what_single_looks_say(workspace, dana, outlook, sync, make_visits):
    visits = make_visits(dana.member, 2)
    sync()
    events = outlook.ours()
    outlook.delete(events[visits[0].pk].id)
    outlook.move(events[visits[1].pk].id, begin(300))
    observe_pending(workspace, "outlook_calendar")
    assert set(ChangeRow.objects.values_list("action", "record_id")) == {
        ("deleted", visits[0].pk),
        ("updated", visits[1].pk),
    }


@pytest.mark.slow
def test_half_of_a_mailboxes_calls_refused_costs_patience_only(dana, outlook, vendors, sync, make_visits):
    """Four calls at a time: what is refused in a batch is tried again alone, whether or not it says when."""
    sync()
    visits = make_visits(dana.member, 60)
    body = {"error": {"code": "ApplicationThrottled", "message": "Application is over its MailboxConcurrency limit."}}
    for after, headers in ((3, {"Retry-After": "1"}), (9, {}), (15, {"Retry-After": "0.75"})):
        vendors.fault(
            "status", path=outlook.creates, method="POST", after=after, times=4, status=429, headers=headers, body=body
        )
    job = sync()
    assert counts(job) == {"pulled": 0, "pushed": 60, "skipped": 0, "failed": 0}
    assert set(outlook.ours()) == {visit.pk for visit in visits}


@pytest.mark.slow
def test_times_are_written_together_and_nothing_else_is(dana, outlook, vendors, sync, make_visits, monkeypatch):
    [visit] = make_visits(dana.member, 1)
    sync()
    tag = outlook.ours()[visit.pk].tag
    sent = []
    send = vendors.adapter.send
    monkeypatch.setattr(vendors.adapter, "send", lambda request, **k: sent.append(request) or send(request, **k))
    visit.scheduled_end += dt.timedelta(minutes=15)
    visit.save()
    assert sync().pushed == 1
    [batch] = [json.loads(request.body) for request in sent if outlook.batch in request.url]
    [part] = batch["requests"]
    assert (part["method"], part["headers"]["If-Match"]) == ("PATCH", tag)
    assert part["body"].keys() == {"start", "end", "isAllDay"}
