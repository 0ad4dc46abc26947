"""Accounts that a provider has told to wait: who covers them when, and what is not called synced meanwhile."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Member
from integrations.jobs import runner, schedule
from integrations.models import Connection, JobStatus, SyncJob, WorkspaceIntegration
from integrations.queue.planning import integration_of
from integrations.selectors.feed import Feed
from integrations.services.connections import pause, set_up, take_grant
from tests.integrations.engine import finish
from tests.integrations.identifiers import known_as

pytestmark = [pytest.mark.django_db, pytest.mark.engine]
GOOGLE = "google_calendar"


@pytest.fixture
def lee(dana, google, connect) -> Connection:
    """The account beside Dana's that is told to wait."""
    return connect("lee")


@pytest.fixture
def scheduled(workspace, clock):
    """Lets the clock run to the next sync by schedule, and works on it."""

    def run() -> SyncJob | None:
        clock.reach(integration_of(workspace, GOOGLE).next_sync_at)
        before = set(SyncJob.objects.values_list("pk", flat=True))
        schedule.dispatch_due(clock.now)
        job = SyncJob.objects.exclude(pk__in=before).first()
        return finish(job) if job else None

    schedule.dispatch_due(clock.now)
    return run


def covered(job: SyncJob) -> set[str]:
    return set(job.parts.values_list("connection_id", flat=True))


def tell_to_wait(connection: Connection, clock, minutes: float) -> None:
    Connection.objects.filter(pk=connection.pk).update(retry_at=clock.now + dt.timedelta(minutes=minutes))


@pytest.mark.slow
def test_the_schedule_leaves_out_who_has_to_wait_and_a_person_does_not(dana, lee, sync, scheduled, clock):
    clock.reach(integration_of(dana.workspace, GOOGLE).next_sync_at)
    tell_to_wait(lee, clock, 5)
    assert covered(scheduled()) == {dana.pk}
    assert covered(sync()) == {dana.pk, lee.pk}
    clock.move(6 * 60)
    assert covered(scheduled()) == {dana.pk, lee.pk}


def test_nothing_is_asked_of_an_account_that_waits_even_by_hand(dana, lee, sync, vendors, clock):
    sync()
    tell_to_wait(lee, clock, 120)
    vendors.forget_requests()
    job = sync()
    assert job.status == JobStatus.PARTIAL
    assert job.errors[0]["code"] == "RATE_LIMITED" and job.errors[0]["connection_id"] == lee.pk
    assert len(vendors.requests()) == 1  # Dana's
    clock.move(2 * 3600)
    assert sync().status == JobStatus.SUCCEEDED


@pytest.mark.slow
def test_the_watermark_stays_where_an_account_was_not_covered(dana, lee, google, scheduled, sync, vendors, clock):
    """Else a reader of the feed would never see what the account that waited has to tell."""
    scheduled()
    row = WorkspaceIntegration.objects.get(workspace=dana.workspace)
    clock.reach(row.next_sync_at)
    tell_to_wait(lee, clock, 5)
    danas, lees = (type(google)(vendors, name) for name in ("dana", "lee"))  # signed in anew: an hour has passed
    private = lees.add("Dentist", timezone.now() + dt.timedelta(days=1))
    danas.add("School", timezone.now() + dt.timedelta(days=1))
    job = scheduled()
    assert (job.status, covered(job)) == (JobStatus.SUCCEEDED, {dana.pk})
    assert WorkspaceIntegration.objects.get(workspace=dana.workspace).watermark == row.watermark
    clock.move(6 * 60)
    feed = Feed(dana.workspace, GOOGLE)
    before = feed.after_watermark()
    assert sync().status == JobStatus.SUCCEEDED
    assert known_as(private.id) in {change.remote_id for change in Feed(dana.workspace, GOOGLE).page(before, 100).rows}
    assert Feed(dana.workspace, GOOGLE).after_watermark() > before
    assert BlockedTime.objects.count() == 2


@pytest.mark.slow
def test_a_schedule_whose_only_account_waits_starts_nothing_before_its_time(dana, google, scheduled, vendors, clock):
    clock.reach(integration_of(dana.workspace, GOOGLE).next_sync_at)
    tell_to_wait(dana, clock, 20)
    vendors.forget_requests()
    assert scheduled() is None
    assert vendors.requests() == []
    retry_at = Connection.objects.get().retry_at
    assert integration_of(dana.workspace, GOOGLE).next_sync_at == retry_at
    assert scheduled().status == JobStatus.SUCCEEDED
    assert Connection.objects.get().retry_at is None


@pytest.mark.slow
def test_a_vendor_that_names_no_time_is_left_alone_for_a_full_minute(
    dana, person, vendors, sync, make_visits, workspace, clock
):
    sync()
    make_visits(dana.member, 3)
    vendors.fault("status", path=person.creates, method="POST", status=429, times=100_000)
    job = sync_once(workspace, person.integration)
    retry_at = Connection.objects.get().retry_at
    assert (retry_at - clock.now).total_seconds() > 59
    assert (job.status, job.run_after, job.lease_owner) == (JobStatus.RUNNING, retry_at, "")
    vendors.heal()
    vendors.forget_requests()
    clock.move(58)
    runner.run(job.pk)
    assert vendors.requests() == []
    assert finish(job).status == JobStatus.SUCCEEDED
    assert min(row["at"] for row in vendors.requests()) >= retry_at.timestamp()


def sync_once(workspace, integration: str) -> SyncJob:
    """One slice of a new job."""
    job = SyncJob.objects.create(
        workspace=workspace, integration=integration, triggered_by="api", created_at=timezone.now()
    )
    runner.run(job.pk)
    job.refresh_from_db()
    return job


@pytest.mark.slow
def test_an_account_that_waits_does_not_hold_up_the_others(dana, lee, google, vendors, sync, make_visits, workspace):
    """Dana's calendar is synced in the first slice; the job then waits for Lee's minute."""
    sync()
    visits = make_visits(dana.member, 2)
    make_visits(lee.member, 2)
    vendors.fault("status", status=429, headers={"Retry-After": "45"}, path=google.address("lee"), times=1)
    job = sync_once(workspace, GOOGLE)
    assert job.status == JobStatus.RUNNING and job.run_after
    assert set(google.ours()) == {visit.pk for visit in visits}
    assert finish(job).status == JobStatus.SUCCEEDED
    assert len(type(google)(vendors, "lee").ours()) == 2


@pytest.mark.slow
def test_patience_ends_after_five_waits_without_a_step_forward(dana, google, vendors, make_visits, workspace, clock):
    """Each of a minute at most; then the account leaves the job, which would else hold off everybody for ever."""
    make_visits(dana.member, 3)
    vendors.fault("status", status=429, headers={"Retry-After": "30"}, times=100_000)
    started = clock.now
    job = finish(sync_once(workspace, GOOGLE))
    assert job.status == JobStatus.FAILED
    assert job.errors[0]["code"] == "RATE_LIMITED"
    assert 5 * 30 <= (clock.now - started).total_seconds() < 6 * 70


@pytest.mark.slow
def test_a_job_is_about_its_own_companys_accounts(dana, google, sync, vendors, second_workspace):
    """The other company has connected the same Google account."""
    account, tokens = google.granted(vendors, "dana")
    twin = take_grant(workspace=second_workspace, integration=GOOGLE, account=account, tokens=tokens, user=None)
    member = Member.objects.create(workspace=second_workspace, first_name="Dana", is_technician=True)
    set_up(connection=twin, member=member, target_container_id=google.main, busy_container_ids=[google.main])
    google.add("Dentist", timezone.now() + dt.timedelta(days=1))
    before = Connection.objects.values().get(pk=twin.pk)
    assert covered(sync()) == {dana.pk}
    assert Connection.objects.values().get(pk=twin.pk) == before
    assert set(BlockedTime.objects.values_list("workspace", flat=True)) == {dana.workspace_id}
    assert not WorkspaceIntegration.objects.filter(workspace=second_workspace, last_synced_at__isnull=False).exists()


@pytest.mark.slow
def test_a_pause_takes_an_account_off_the_schedule_and_not_out_of_hand(dana, lee, sync, scheduled):
    pause(connection=lee, user=None)
    assert covered(scheduled()) == {dana.pk}
    assert covered(sync()) == {dana.pk, lee.pk}
