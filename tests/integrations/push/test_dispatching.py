"""What is due before the schedule's time: one job of exactly the accounts concerned, and nobody's way is blocked."""

import pytest

from fieldcamp.workspace.attribution import by_key
from integrations.jobs import schedule
from integrations.models import (
    Connection,
    ConnectionState,
    DirtyRow,
    JobPart,
    JobStatus,
    PushMark,
    ReceivedPush,
    Stream,
    SyncJob,
    WorkspaceIntegration,
)
from integrations.push.channels import make_due
from integrations.push.dispatching import SAVED, dispatch_prompt
from integrations.push.marks import mark
from integrations.selectors.freshness import freshness_of
from tests.integrations import build
from tests.integrations.build import GOOGLE, NOW
from tests.integrations.push.prompting import MINUTE, SECOND, account, company, planned, run, save

__all__ = ["company"]
pytestmark = pytest.mark.django_db


def test_a_push_makes_one_job_of_the_accounts_concerned(company):
    pushed, other = account(company), account(company)
    mark([pushed.pk], NOW, kind="exists")
    assert dispatch_prompt(NOW + SECOND) == 0
    assert dispatch_prompt(NOW + 2 * SECOND) == 1
    assert dispatch_prompt(NOW + 2 * SECOND) == 0
    job = SyncJob.objects.get()
    assert (job.triggered_by, job.mode, job.narrowed) == ("push", "incremental", True)
    assert [part.connection for part in job.parts.all()] == [pushed.connection]
    assert ReceivedPush.objects.get().job == job
    assert other.connection not in {part.connection for part in job.parts.all()}


def test_a_hundred_pushes_make_one_job_and_one_that_came_during_it_another(company):
    stream = account(company)
    for number in range(100):
        mark([stream.pk], NOW + number * SECOND / 100, kind="exists")
    dispatch_prompt(NOW + 3 * SECOND)
    first = SyncJob.objects.get()
    mark([stream.pk], NOW + 4 * SECOND, kind="exists")
    run(first, NOW + 3 * SECOND)
    assert dispatch_prompt(NOW + 6 * SECOND) == 0  # 4 s between two of one account
    assert dispatch_prompt(NOW + 7 * SECOND) == 1
    run(SyncJob.objects.get(status="queued"), NOW + 8 * SECOND)
    assert dispatch_prompt(NOW + 300 * SECOND) == 0
    assert PushMark.objects.get().due_at is None


@pytest.mark.parametrize("trigger", ["api", "schedule"])
def test_any_run_takes_a_push_in(company, trigger):
    stream = account(company)
    mark([stream.pk], NOW, kind="exists")
    job = build.job(company, triggered_by=trigger)
    JobPart.objects.create(job=job, connection=stream.connection)
    assert dispatch_prompt(NOW + 5 * SECOND) == 0  # in flight
    run(job, NOW + 31 * SECOND)
    assert dispatch_prompt(NOW + 300 * SECOND) == 0
    assert ReceivedPush.objects.get().job == job


def test_a_run_of_other_kinds_or_single_records_takes_nothing_in(company):
    stream = account(company)
    mark([stream.pk], NOW, kind="exists")
    job = build.job(company, only=[1])
    JobPart.objects.create(job=job, connection=stream.connection)
    run(job, NOW + SECOND)
    assert dispatch_prompt(NOW + 5 * SECOND) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"state": ConnectionState.PAUSED, "paused_by_person": True},
        {"state": ConnectionState.PAUSED, "retry_at": NOW - MINUTE},
        {"state": ConnectionState.NEEDS_RECONNECT, "refused_at": NOW, "retry_at": NOW - MINUTE},
        {"state": ConnectionState.DISCONNECTED},
        {"state": ConnectionState.SETUP},
        {"retry_at": NOW + 60 * MINUTE},
        {"leaving": {"by": "Dana"}},
    ],
)
def test_accounts_that_may_not_run_wait_and_nothing_is_lifted(company, fields):
    stream = account(company, fields.pop("state", ConnectionState.ACTIVE), **fields)
    before = Connection.objects.values().get()
    mark([stream.pk], NOW, kind="exists")
    save(stream, NOW)
    assert dispatch_prompt(NOW + 5 * MINUTE) == 0
    assert Connection.objects.values().get() == before
    Connection.objects.update(state=ConnectionState.ACTIVE, retry_at=None, leaving=None)
    assert dispatch_prompt(NOW + 5 * MINUTE) == 1  # they have waited


def test_people_who_left_are_left_alone_before_their_accounts_say_so(company):
    stream = account(company)
    mark([stream.pk], NOW, kind="exists")
    member = stream.connection.member
    member.is_active = False
    member.save()
    assert dispatch_prompt(NOW + MINUTE) == 0


@pytest.mark.parametrize("fields", [{"interval_minutes": 0, "next_sync_at": None}, {"next_sync_at": NOW}])
def test_what_is_done_by_hand_or_about_to_be_done_by_schedule_is_left_to_it(company, fields):
    stream = account(company)
    planned(company, **fields)
    mark([stream.pk], NOW, kind="exists")
    assert dispatch_prompt(NOW + MINUTE) == 0


def test_a_scheduled_sync_comes_right_after_a_job_of_a_few_accounts(company):
    pushed, other = account(company), account(company)
    mark([pushed.pk], NOW, kind="exists")
    dispatch_prompt(NOW + 2 * SECOND)
    narrowed = SyncJob.objects.get()
    SyncJob.objects.update(status="running", started_at=NOW + 2 * SECOND, lease_owner="worker")
    planned(company, next_sync_at=NOW + 3 * SECOND)
    assert schedule.dispatch_due(NOW + 4 * SECOND) == 0
    run(narrowed, NOW + 2 * SECOND)
    assert schedule.dispatch_due(NOW + 5 * SECOND) == 1
    scheduled = SyncJob.objects.get(status="queued")
    assert (scheduled.triggered_by, scheduled.narrowed) == ("schedule", False)
    assert other.connection in schedule.scheduled_connections(company.pk, GOOGLE)


def test_the_schedule_does_not_move_and_the_feed_does_not_either(company):
    pushed, _other = account(company), account(company)
    planned(company, feed_seq=7, watermark=3)
    mark([pushed.pk], NOW, kind="exists")
    dispatch_prompt(NOW + 2 * SECOND)
    run(SyncJob.objects.get(), NOW + 2 * SECOND)
    row = WorkspaceIntegration.objects.get()
    assert (row.next_sync_at, row.watermark, row.last_synced_at) == (NOW + 20 * MINUTE, 3, None)
    assert Connection.objects.get(pk=pushed.connection_id).last_synced_at == NOW + 3 * SECOND


def test_the_only_accounts_push_is_a_sync_of_all(company):
    pushed = account(company)
    mark([pushed.pk], NOW, kind="exists")
    dispatch_prompt(NOW + 2 * SECOND)
    run(SyncJob.objects.get(), NOW + 2 * SECOND)
    assert WorkspaceIntegration.objects.get().last_synced_at == NOW + 3 * SECOND


def test_an_account_that_failed_keeps_its_push_and_backs_off(company):
    stream = account(company)
    mark([stream.pk], NOW, kind="exists")
    dispatch_prompt(NOW + 2 * SECOND)
    run(SyncJob.objects.get(), NOW + 2 * SECOND, JobPart.Status.FAILED, JobStatus.FAILED)
    assert PushMark.objects.get().due_at is not None
    mark([stream.pk], NOW + 60 * SECOND, kind="exists")
    save(stream, NOW + 60 * SECOND)
    assert dispatch_prompt(NOW + 5 * MINUTE) == 0
    assert dispatch_prompt(NOW + 6 * MINUTE) == 1
    connection = stream.connection
    connection.refresh_from_db()
    assert (connection.failures, connection.state) == (0, ConnectionState.ACTIVE)
    assert WorkspaceIntegration.objects.get().failures == 0


def test_a_calendar_that_failed_alone_keeps_its_push_for_later(company):
    stream = account(company)
    other = Stream.objects.create(connection=stream.connection, container_id="other", first_synced_at=NOW)
    mark([stream.pk, other.pk], NOW, kind="exists")
    dispatch_prompt(NOW + 2 * SECOND)
    JobPart.objects.update(progress={"failed": [other.pk]})
    run(SyncJob.objects.get(), NOW + 2 * SECOND, JobPart.Status.PARTIAL, JobStatus.PARTIAL)
    assert PushMark.objects.get(pk=stream.pk).due_at is None
    assert dispatch_prompt(NOW + 4 * MINUTE) == 0
    assert dispatch_prompt(NOW + 6 * MINUTE) == 1


def test_a_stream_that_is_not_synced_makes_no_jobs(company):
    stream = account(company)
    Stream.objects.update(is_active=False)
    mark([stream.pk], NOW, kind="exists")
    save(stream, NOW)
    assert dispatch_prompt(NOW + MINUTE) == 0


def test_no_push_makes_a_calendars_first_sync(company):
    """Its channel is opened as soon as it is chosen: before anybody has seen what a sync would write."""
    stream = account(company)
    Stream.objects.update(first_synced_at=None)
    make_due([stream.pk], NOW)
    mark([stream.pk], NOW, kind="exists")
    assert dispatch_prompt(NOW + MINUTE) == 0
    fresh = freshness_of([stream.connection], WorkspaceIntegration.objects.all(), {}, NOW + 10 * MINUTE)
    assert not fresh[stream.connection_id].push_waits
    job = build.job(company)
    JobPart.objects.create(job=job, connection=stream.connection)
    Stream.objects.update(first_synced_at=NOW + 3 * MINUTE)
    run(job, NOW + 2 * MINUTE)
    assert PushMark.objects.get().due_at is None
    mark([stream.pk], NOW + 5 * MINUTE, kind="exists")
    assert dispatch_prompt(NOW + 6 * MINUTE) == 1


def test_our_own_writes_make_one_echo_run(company):
    stream = account(company)
    save(stream, NOW)
    dispatch_prompt(NOW + 5 * SECOND)
    job = SyncJob.objects.get()
    job.items.create(connection=stream.connection, kind="visit", key="vis_1", record_id="vis_1", outcome="pushed")
    mark([stream.pk], NOW + 6 * SECOND, kind="exists")
    DirtyRow.objects.all().delete()
    run(job, NOW + 5 * SECOND, pushed=1)
    mark([stream.pk], NOW + 8 * SECOND, kind="exists")
    assert dispatch_prompt(NOW + 35 * SECOND) == 0
    assert dispatch_prompt(NOW + 36 * SECOND) == 1


# Saved records


def test_a_saved_record_is_synced_some_seconds_after_the_last_change(company):
    stream, other = account(company), account(company)
    save(stream, NOW)
    save(stream, NOW + 4 * SECOND, record="vis_2")
    assert dispatch_prompt(NOW + 8 * SECOND) == 0
    assert dispatch_prompt(NOW + 9 * SECOND) == 1
    job = SyncJob.objects.get()
    assert (job.triggered_by, job.actor, job.narrowed) == ("schedule", SAVED, True)
    assert [part.connection for part in job.parts.all()] == [stream.connection]
    assert other.connection_id != stream.connection_id


def test_a_client_of_the_api_has_longer(company):
    stream = account(company)
    save(stream, NOW, actor=by_key("Zapier"))
    assert dispatch_prompt(NOW + 11 * SECOND) == 0
    assert dispatch_prompt(NOW + 12 * SECOND) == 1


def test_edits_that_do_not_end_wait_two_minutes_at_most(company):
    stream = account(company)
    for seconds in range(0, 121, 3):
        save(stream, NOW + seconds * SECOND, first=NOW)
    assert dispatch_prompt(NOW + 119 * SECOND) == 0
    assert dispatch_prompt(NOW + 120 * SECOND) == 1


def test_what_waits_is_looked_at_once_for_each_time_that_it_is_saved(company):
    stream = account(company)
    save(stream, NOW)
    dispatch_prompt(NOW + 5 * SECOND)
    run(SyncJob.objects.get(), NOW + 5 * SECOND)  # refused: its row stays
    assert dispatch_prompt(NOW + 60 * MINUTE - MINUTE) == 0
    planned(company, next_sync_at=NOW + 200 * MINUTE)
    save(stream, NOW + 60 * MINUTE, first=NOW)
    assert dispatch_prompt(NOW + 60 * MINUTE + 4 * SECOND) == 0
    assert dispatch_prompt(NOW + 60 * MINUTE + 5 * SECOND) == 1


def test_what_the_engine_made_dirty_by_itself_makes_no_job(company):
    stream = account(company)
    DirtyRow.objects.create(stream=stream, kind="visit", record_id="vis_1", seq=0)
    assert dispatch_prompt(NOW + MINUTE) == 0


def test_what_was_saved_during_a_run_makes_another(company):
    stream = account(company)
    save(stream, NOW)
    dispatch_prompt(NOW + 5 * SECOND)
    save(stream, NOW + 7 * SECOND)
    run(SyncJob.objects.get(), NOW + 6 * SECOND)
    assert dispatch_prompt(NOW + 13 * SECOND) == 1


def test_the_company_may_leave_it_to_the_schedule(company):
    stream = account(company)
    planned(company, sync_on_save=False)
    save(stream, NOW)
    assert dispatch_prompt(NOW + MINUTE) == 0
    mark([stream.pk], NOW, kind="exists")
    assert dispatch_prompt(NOW + MINUTE) == 1  # pushes are another thing


def test_the_doorbell_leaves_to_the_round_what_was_saved_a_while_ago(company):
    stream = account(company)
    save(stream, NOW)
    assert dispatch_prompt(NOW + 6 * MINUTE, everything=False) == 0
    assert dispatch_prompt(NOW + 6 * MINUTE) == 1


@pytest.mark.slow
def test_ten_thousand_records_make_one_job(company):
    stream = account(company)
    DirtyRow.objects.bulk_create(
        DirtyRow(stream=stream, kind="visit", record_id=f"vis_{n}", seq=n + 1, changed_at=NOW) for n in range(10_000)
    )
    DirtyRow.objects.update(at=NOW)
    assert dispatch_prompt(NOW + 5 * SECOND, everything=False) == 1
