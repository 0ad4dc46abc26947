"""Between any two steps somebody else may act: no edit, no decision and no record is lost by it."""

import datetime as dt

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Visit
from integrations.calendar import busy
from integrations.calendar.visits import VisitsOfStream
from integrations.calendar.window import window_at
from integrations.ledger.stream import StreamLedger
from integrations.models import ChangeRow, DirtyRow, Hold, JobStatus, Link, Problem, Stream, SyncJob
from integrations.services import decisions
from integrations.services.observe import observe_pending
from tests.integrations.engine import counts, finish
from tests.integrations.identifiers import known_as
from tests.integrations.sync.test_faults import agree

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.engine,
]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def admin(db):
    return get_user_model().objects.create_user("admin", is_staff=True)


@pytest.fixture
def once(monkeypatch):
    """Calls `act` one time, right before or right after the first call of a method."""

    def arm(owner, name: str, act, *, after: bool = False, when=lambda *args: True) -> None:
        original = getattr(owner, name)

        def wrapped(*args, **kwargs):
            if not when(*args):
                return original(*args, **kwargs)
            monkeypatch.setattr(owner, name, original)
            if not after:
                act()
            answer = original(*args, **kwargs)
            if after:
                act()
            return answer

        monkeypatch.setattr(owner, name, wrapped)

    return arm


@pytest.mark.slow
@pytest.mark.parametrize("times", [2, 1000])
def test_a_first_sync_that_breaks_off_while_writing_is_made_up_by_the_next(
    dana, person, vendors, sync, make_visits, times
):
    visits = make_visits(dana.member, 120)
    DirtyRow.objects.all().delete()  # as if they had been there before the account was connected
    vendors.fault("status", path=person.batch_path, status=503, times=1000, after=1)
    assert sync().status == JobStatus.FAILED
    vendors.heal()
    assert sync().status == JobStatus.SUCCEEDED
    assert agree(person, visits)


@pytest.mark.slow
def test_a_first_sync_that_was_cancelled_is_made_up_by_the_next(dana, person, sync, make_visits, once, workspace):
    visits = make_visits(dana.member, 120)
    DirtyRow.objects.all().delete()
    once(
        StreamLedger,
        "save_written",
        lambda: SyncJob.objects.update(cancel_requested_at=timezone.now()),
        after=True,
    )
    assert sync().status == JobStatus.CANCELLED
    assert sync().status == JobStatus.SUCCEEDED
    assert agree(person, visits)


@pytest.mark.slow
def test_what_a_full_sync_could_not_write_is_written_by_the_next_incremental_one(
    dana, person, vendors, sync, make_visits
):
    visits = make_visits(dana.member, 20)
    sync()
    for visit in visits[:3]:
        person.delete(person.ours()[visit.pk].id)
    sync()
    vendors.fault("status", path=person.batch_path, status=503, times=1000)
    assert sync("full").status == JobStatus.FAILED
    vendors.heal()
    sync()
    assert agree(person, visits)


@pytest.mark.slow
def test_an_edit_between_the_two_looks_at_our_own_side_stays_dirty(dana, person, sync, make_visits, once):
    [visit] = make_visits(dana.member, 1)
    sync()
    person.rename(person.ours()[visit.pk].id, f"{visit.title} · {visit.client}")
    Link.objects.update(unsettled=True)
    once(
        VisitsOfStream,
        "read",
        lambda: Visit.objects.filter(pk=visit.pk).update(title="Edited meanwhile"),
        after=True,
        when=lambda self, kind, ids: bool(ids),
    )
    sync()
    sync()
    assert person.ours()[visit.pk].title.startswith("Edited meanwhile")


@pytest.mark.slow
def test_a_decision_made_while_a_job_looks_at_the_conflict_is_carried_out(dana, person, sync, make_visits, once, admin):
    Stream.objects.update(policy="ask")
    [visit] = make_visits(dana.member, 1)
    sync()
    event = person.ours()[visit.pk].id
    theirs = visit.scheduled_start + 5 * HOUR
    person.move(event, theirs)
    Visit.objects.filter(pk=visit.pk).update(
        scheduled_start=visit.scheduled_start + HOUR, scheduled_end=visit.scheduled_end + HOUR
    )
    assert sync().failed == 1
    once(
        StreamLedger,
        "save_local",
        lambda: decisions.resolve_conflict(link=Link.objects.get(), choice="remote", user=admin),
    )
    sync("full")
    sync()
    visit.refresh_from_db()
    assert visit.scheduled_start == theirs
    assert not Problem.objects.filter(resolved_at=None).exists()


@pytest.mark.slow
def test_a_decision_about_a_hold_made_while_a_job_looks_at_it_is_carried_out(
    dana, person, sync, make_visits, once, admin
):
    visits = make_visits(dana.member, 24)
    sync()
    for visit in visits[:10]:
        person.delete(person.ours()[visit.pk].id)
    assert sync().status == JobStatus.NEEDS_CONFIRMATION
    hold = Hold.objects.get()
    once(StreamLedger, "save_local", lambda: decisions.decide_hold(hold=hold, decision="reject", user=admin))
    sync()
    sync()
    assert agree(person, visits)


@pytest.mark.slow
def test_half_a_merge_is_not_written_when_the_visit_was_edited_meanwhile(dana, person, sync, make_visits, once):
    Stream.objects.update(policy="remote")
    [visit] = make_visits(dana.member, 1)
    sync()
    theirs = visit.scheduled_start + 5 * HOUR
    person.move(person.ours()[visit.pk].id, theirs)
    Visit.objects.filter(pk=visit.pk).update(title="Other title")
    mine = visit.scheduled_start + HOUR
    once(
        StreamLedger,
        "save_local",
        lambda: Visit.objects.filter(pk=visit.pk).update(scheduled_start=mine, scheduled_end=mine + HOUR),
    )
    sync()
    sync()
    visit.refresh_from_db()
    assert visit.scheduled_start == theirs  # the stream's policy: the calendar wins a conflict


@pytest.mark.slow
def test_removals_that_were_held_and_came_back_wait_for_nobody(dana, google, sync, make_visits):
    visits = make_visits(dana.member, 24)
    sync()
    gone = [google.ours()[visit.pk]["id"] for visit in visits[:10]]
    for event in gone:
        google.delete(event)
    assert sync().status == JobStatus.NEEDS_CONFIRMATION
    for event in gone[:4]:
        google.edit(event, status="confirmed")
    sync()
    assert Hold.objects.get(decision="").removals == 6
    assert Problem.objects.get(resolved_at=None).data["removals"] == 6
    for event in gone[4:]:
        google.edit(event, status="confirmed")
    sync()
    assert not Hold.objects.filter(decision="").exists()
    assert not Problem.objects.filter(resolved_at=None).exists()
    assert agree(google, visits)
    google.delete(gone[0])
    assert counts(sync()) == {"pulled": 1, "pushed": 0, "skipped": 0, "failed": 0}


@pytest.mark.slow
def test_a_hold_grows_and_is_confirmed_as_one(dana, person, sync, make_visits, admin):
    visits = make_visits(dana.member, 24)
    sync()
    events = person.ours()
    for visit in visits[:10]:
        person.delete(events[visit.pk].id)
    assert sync().status == JobStatus.NEEDS_CONFIRMATION
    for visit in visits[10:12]:
        person.delete(events[visit.pk].id)
    assert sync().status == JobStatus.NEEDS_CONFIRMATION
    hold = Hold.objects.get(decision="")
    assert hold.removals == 12
    job = decisions.decide_hold(hold=hold, decision="confirm", user=admin)
    assert counts(finish(job)) == {"pulled": 12, "pushed": 0, "skipped": 0, "failed": 0}
    assert len(person.ours()) == 12
    assert counts(sync()) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}


@pytest.mark.slow
def test_our_own_removal_with_a_lost_answer_is_no_row_of_the_feed(dana, person, vendors, sync, make_visits, workspace):
    [visit] = make_visits(dana.member, 1)
    sync()
    Visit.objects.filter(pk=visit.pk).update(visit_status="cancelled")
    vendors.fault("drop_after_commit", path=person.batch_path, times=1)
    vendors.fault("status", path=person.batch_path, status=503, times=1000, after=1)
    assert sync().status == JobStatus.FAILED
    vendors.heal()
    observe_pending(workspace, person.integration)
    assert not ChangeRow.objects.exists()
    sync()
    assert not ChangeRow.objects.exists()
    assert person.ours() == {}


def test_patience_ends_where_a_provider_asks_for_it_for_ever(dana, person, vendors, sync, make_visits, workspace):
    make_visits(dana.member, 3)
    vendors.fault("status", status=429, headers={"Retry-After": "30"}, times=100_000)
    job = sync()
    assert job.status == JobStatus.FAILED
    assert job.errors[0]["code"] == "RATE_LIMITED"


@pytest.mark.slow
def test_a_series_that_is_removed_takes_its_exceptions_with_it(dana, person, sync):
    begin = (timezone.now() + dt.timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    series = person.add("Standup", begin, repeat=("daily", 10))
    person.move(person.instances(series)[3].id, begin + dt.timedelta(days=3, hours=5))
    sync()
    assert BlockedTime.objects.count() == 10
    person.delete(series.id)
    sync()
    assert not BlockedTime.objects.exists()
    assert not Link.objects.filter(kind="block", seen_gone=False).exists()
    assert counts(sync("full"))["pulled"] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule",
    [
        "RRULE:FREQ=SECONDLY",
        "RRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;BYMINUTE=0,1,2,3,4,5,6,7,8,9;BYSECOND=0,1,2,3,4,5,6,7,8,9",
        "RRULE:FREQ=FORTNIGHTLY",
        "RRULE:FREQ=DAILY;UNTIL=nonsense",
    ],
)
def test_a_rule_that_nobody_can_read_or_finish_stops_nothing(dana, person, sync, rule):
    begin = (timezone.now() + dt.timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    event = person.add("Dentist", begin)
    sync()
    other = person.add("Other", begin + dt.timedelta(days=1))
    Link.objects.filter(remote_id=known_as(event.id)).update(seen_tag="older")
    stored = Link.objects.get(remote_id=known_as(event.id))
    stored.base = stored.seen = {**stored.seen, "recurrence": [rule]}
    stored.save()
    stream = Stream.objects.select_related("connection__workspace", "connection__member").get()
    started = dt.datetime.now()
    busy.expand(stream, [known_as(event.id)], window_at(timezone.now()))
    assert (dt.datetime.now() - started).total_seconds() < 5
    sync()
    assert BlockedTime.objects.filter(starts_at=begin).exists()
    assert BlockedTime.objects.count() <= 6001
    assert other
