"""An id that we would choose and that is not free: the next one is chosen, and the visit gets its event."""

import datetime as dt

import pytest

from fieldcamp.workspace.models import BlockedTime
from integrations.models import JobStatus, Link, Stream
from integrations.providers import PROVIDERS
from tests.integrations.engine import counts

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


@pytest.fixture
def taken(dana, google, sync, make_visits):
    """A visit to be pushed, and somebody's event under the very id that its own would get."""

    def make():
        [visit] = make_visits(dana.member, 1)
        event_id = PROVIDERS["google_calendar"].make_id(f"{Stream.objects.get().pk}|{visit.pk}|0")
        google.add("Theirs", visit.scheduled_start + dt.timedelta(days=3), id=event_id)
        return visit, event_id

    return make


@pytest.mark.slow
def test_the_id_of_an_event_that_was_removed_is_never_used_again(google, vendors, sync, taken):
    sync()
    visit, event_id = taken()
    google.delete(event_id)
    vendors.forget_requests()
    job = sync()
    assert (job.status, counts(job)["pushed"]) == (JobStatus.SUCCEEDED, 1)
    assert google.ours()[visit.pk].id != event_id
    assert len(vendors.requests(google.batch)) == 3  # the refusal, a look, and the one that succeeds
    assert Link.objects.get(record_id=visit.pk).generation == 1


@pytest.mark.parametrize(
    "first", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["the first sync", "a later sync"]
)
def test_somebodys_event_under_our_id_stays_theirs(google, vendors, sync, taken, first):
    if not first:
        sync()
    visit, event_id = taken()
    vendors.forget_requests()
    job = sync()
    assert (job.status, job.errors, counts(job)["pushed"]) == (JobStatus.SUCCEEDED, [], 1)
    assert google.ours()[visit.pk].id != event_id
    assert {event.title for event in google.events()} == {"Theirs", google.ours()[visit.pk].title}
    assert len(vendors.requests(google.batch)) == 1  # it is known to be taken
    assert BlockedTime.objects.count() == 1
    assert counts(sync()) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}


@pytest.mark.slow
def test_an_event_that_appears_under_our_id_between_our_look_and_our_write(
    dana, google, vendors, sync, make_visits, monkeypatch
):
    sync()
    [visit] = make_visits(dana.member, 1)
    send = vendors.adapter.send

    def made_meanwhile(request, **kwargs):
        if google.batch in request.url:
            monkeypatch.setattr(vendors.adapter, "send", send)
            link = Link.objects.get(record_id=visit.pk)
            google.add("Theirs", visit.scheduled_start + dt.timedelta(days=3), id=link.remote_id)
        return send(request, **kwargs)

    monkeypatch.setattr(vendors.adapter, "send", made_meanwhile)
    job = sync()
    assert (job.status, job.errors, counts(job)["pushed"]) == (JobStatus.SUCCEEDED, [], 1)
    assert {event.title for event in google.events()} == {"Theirs", google.ours()[visit.pk].title}
    assert counts(sync()) == {"pulled": 1, "pushed": 0, "skipped": 0, "failed": 0}  # their event blocks time
    assert counts(sync()) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}
