"""A job that outlasts its slice, listings that repeat themselves or lose their place, and what must never be stored."""

import datetime as dt
import itertools

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Visit, VisitStatus
from integrations.accounts.clients import open_remote
from integrations.jobs import runner, slices
from integrations.models import ChangeRow, JobStatus, Link, Stream, SyncJob
from integrations.records import Page
from integrations.services.jobs import trigger_sync
from tests.integrations.engine import abandoned, counts, finish
from tests.integrations.identifiers import known_as
from tests.integrations.sync.test_faults import Killed, agree

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.engine,
]


def changed_on_both_sides(dana, person, visits, make_visits) -> list[Visit]:
    """3 events moved there, 4 visits edited here, 1 cancelled, 120 made, 2 private events: 130 records."""
    events = person.ours()
    for visit in visits[:3]:
        person.move(events[visit.pk].id, visit.scheduled_start + dt.timedelta(days=2))
    for visit in visits[3:7]:
        Visit.objects.filter(pk=visit.pk).update(title="Edited")
    Visit.objects.filter(pk=visits[7].pk).update(visit_status=VisitStatus.CANCELLED)
    person.add("Dentist", visits[0].scheduled_start)
    person.add("School", visits[1].scheduled_start)
    return [*visits, *make_visits(dana.member, 120, title="New")]


def shown(visits) -> list[Visit]:
    for visit in visits:
        visit.refresh_from_db()
    return [visit for visit in visits if visit.visit_status != VisitStatus.CANCELLED]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["incremental", "full"])
def test_a_job_of_many_slices_counts_each_record_once(dana, person, sync, make_visits, monkeypatch, mode):
    visits = make_visits(dana.member, 24)
    sync()
    visits = changed_on_both_sides(dana, person, visits, make_visits)
    monkeypatch.setattr(slices, "SLICE", -1.0)  # every step is the last of its slice
    job = sync(mode)
    assert job.status == JobStatus.SUCCEEDED
    assert counts(job) == {"pulled": 5, "pushed": 125, "skipped": 0 if mode == "incremental" else 16, "failed": 0}
    assert agree(person, shown(visits))
    assert BlockedTime.objects.count() == 2
    monkeypatch.undo()
    assert counts(sync()) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}


@pytest.mark.slow
def test_removals_are_held_once_however_often_the_guard_is_taken_up(dana, person, sync, make_visits, monkeypatch):
    visits = make_visits(dana.member, 24)
    sync()
    events = person.ours()
    for visit in visits[:10]:
        person.delete(events[visit.pk].id)
    monkeypatch.setattr(slices, "SLICE", -1.0)
    job = sync()
    assert job.status == JobStatus.NEEDS_CONFIRMATION
    assert counts(job) == {"pulled": 0, "pushed": 0, "skipped": 10, "failed": 0}
    assert counts(sync("full")) == {"pulled": 0, "pushed": 0, "skipped": 24, "failed": 0}


def test_rows_that_a_listing_repeats_are_taken_once(dana, person, sync, make_visits, monkeypatch):
    visits = make_visits(dana.member, 5)
    client = type(open_remote(dana))
    changes = client.changes

    def stuttering(self, container_id, cursor, window):
        for page in changes(self, container_id, cursor, window):
            yield Page([*page.records, *page.records], page.cursor + " ", last=False)
            yield Page(page.records, page.cursor, page.last)

    monkeypatch.setattr(client, "changes", stuttering)
    person.add("Dentist", visits[0].scheduled_start)
    sync()
    person.add("School", visits[1].scheduled_start)
    job = sync()
    assert counts(job) == {"pulled": 1, "pushed": 0, "skipped": 0, "failed": 0}
    assert BlockedTime.objects.count() == 2
    assert ChangeRow.objects.count() == 2
    assert agree(person, visits)


@pytest.mark.slow
def test_a_first_listing_whose_place_is_forgotten_starts_again_and_misses_nothing(
    dana, google, vendors, sync, workspace, monkeypatch
):
    vendors.call("POST", "bulk", json={"vendor": "google", "account": "dana@google.test", "events": 5200})
    job = trigger_sync(workspace=workspace, integration="google_calendar", triggered_by="api", actor="test")
    send, pages = vendors.adapter.send, itertools.count(1)

    def dies_at_the_second_page(request, **kwargs):
        if request.method == "GET" and "/events?" in request.url and next(pages) == 2:
            raise Killed
        return send(request, **kwargs)

    monkeypatch.setattr(vendors.adapter, "send", dies_at_the_second_page)
    with pytest.raises(Killed):
        runner.run(job.pk)
    monkeypatch.setattr(vendors.adapter, "send", send)
    abandoned(job)
    stored = Link.objects.count()
    assert 0 < stored < 5200
    vendors.fault("status", path="/events", status=400, times=1)  # the page token is not known any more
    job = finish(job)
    assert job.status == JobStatus.SUCCEEDED
    since = (timezone.now() - dt.timedelta(days=29)).isoformat()
    listed: set[str] = set()
    page: dict = {}
    while page is not None:
        answer = google.call("GET", "", params={"maxResults": 2500, "timeMin": since, **page})
        listed |= {event["id"] for event in answer["items"]}
        page = {"pageToken": answer["nextPageToken"]} if "nextPageToken" in answer else None
    assert set(map(known_as, listed)) <= set(Link.objects.filter(seen_gone=False).values_list("remote_id", flat=True))
    assert counts(sync()) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}


@pytest.mark.slow
def test_an_edit_there_between_our_lost_write_and_its_look_is_taken_in(dana, person, vendors, sync, make_visits):
    [visit] = make_visits(dana.member, 1)
    sync()
    event = person.ours()[visit.pk].id
    Visit.objects.filter(pk=visit.pk).update(title="Retitled")
    vendors.fault("drop_after_commit", path=person.batch_path, times=1)
    vendors.fault("status", path=person.batch_path, status=503, times=1000, after=1)
    assert sync().status == JobStatus.FAILED
    vendors.heal()
    theirs = visit.scheduled_start + dt.timedelta(hours=6)
    person.move(event, theirs)
    assert sync().status == JobStatus.SUCCEEDED
    visit.refresh_from_db()
    assert visit.scheduled_start == theirs
    assert person.ours()[visit.pk].title.startswith("Retitled")
    assert agree(person, [visit])


@pytest.mark.slow
@pytest.mark.parametrize("then", ["cancel", "edit", "reassign"])
@pytest.mark.parametrize("kind", ["drop", "drop_after_commit"])
@pytest.mark.parametrize("verb", ["create", "update", "delete"])
def test_a_visit_changed_between_a_lost_answer_and_the_look_ends_right(
    dana, connect, person, vendors, sync, make_visits, then, kind, verb
):
    lee = connect("lee")
    [visit] = make_visits(dana.member, 1)
    if verb != "create":
        sync()
        Visit.objects.filter(pk=visit.pk).update(
            **{"title": "B"} if verb == "update" else {"visit_status": "cancelled"}
        )
    else:
        Stream.objects.update(cursor="")
    vendors.fault(kind, path=person.batch_path, times=1)
    vendors.fault("status", path=person.batch_path, status=503, times=1000, after=1)
    assert sync().status in (JobStatus.FAILED, JobStatus.PARTIAL)
    vendors.heal()
    changes = {
        "cancel": {"visit_status": "cancelled"},
        "edit": {"title": "C", "visit_status": "scheduled"},
        "reassign": {"technician": lee.member, "visit_status": "scheduled"},
    }[then]
    Visit.objects.filter(pk=visit.pk).update(**changes)
    assert sync().status == JobStatus.SUCCEEDED
    theirs = type(person)(vendors, "lee")
    visit.refresh_from_db()
    assert agree(person, [visit] if then == "edit" else [])
    assert agree(theirs, [visit] if then == "reassign" else [])
    if then == "edit":
        assert person.ours()[visit.pk].title.startswith("C")
    assert counts(sync()) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}
    assert not SyncJob.objects.filter(status__in=("queued", "running")).exists()


@pytest.mark.slow
def test_an_event_restored_from_the_bin_is_the_same_visit_again(dana, google, sync, make_visits):
    visits = make_visits(dana.member, 12)
    sync()
    event = google.ours()[visits[0].pk]["id"]
    google.delete(event)
    assert counts(sync())["pulled"] == 1
    google.edit(event, status="confirmed")
    sync()
    assert agree(google, visits)
    assert Link.objects.get(remote_id=event).cut_at is None
    Visit.objects.filter(pk=visits[0].pk).update(title="Again")
    assert counts(sync()) == {"pulled": 0, "pushed": 1, "skipped": 0, "failed": 0}


@pytest.mark.slow
def test_a_tombstone_of_an_earlier_event_says_nothing_of_the_one_made_since(dana, google, sync, make_visits):
    visits = make_visits(dana.member, 12)
    sync()
    first = google.ours()[visits[0].pk]["id"]
    google.delete(first)
    sync()
    sync("full")
    assert google.ours()[visits[0].pk]["id"] != first
    google.edit(first, status="confirmed")
    google.delete(first)
    job = sync()
    assert job.failed == 0
    assert agree(google, visits)
    assert counts(sync()) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}
    assert Visit.objects.filter(deleted_at=None).count() == 12
