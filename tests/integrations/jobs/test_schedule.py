"""The schedule: who is due when, what a job's end changes, and when an account is paused."""

import datetime as dt

import pytest
from django.core import mail

from integrations.jobs import schedule
from integrations.models import Connection, ConnectionState, Problem, SyncJob
from integrations.queue.planning import LONGEST_BACKOFF
from tests.integrations import build
from tests.integrations.build import GOOGLE, NOW

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)
OUTAGE = {"code": "PROVIDER_UNAVAILABLE", "message": "Google Calendar did not answer."}


def middle() -> float:
    """No jitter."""
    return 0.5


def planned(workspace, **fields):
    row = schedule.integration_of(workspace, GOOGLE)
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    return row


def test_one_job_for_each_due_integration_however_many_supervisors_ask():
    due, later, nobody = (build.workspace(name) for name in ("due", "later", "nobody"))
    build.connection(due)
    build.connection(due)
    build.connection(later)
    planned(due, next_sync_at=NOW)
    planned(later, next_sync_at=NOW + MINUTE)
    planned(nobody, next_sync_at=NOW)
    assert schedule.dispatch_due(NOW, middle) == 1
    assert schedule.dispatch_due(NOW, middle) == 0
    (job,) = SyncJob.objects.all()
    assert (job.workspace, job.triggered_by, job.status) == (due, "schedule", "queued")
    assert schedule.integration_of(due, GOOGLE).next_sync_at == NOW + 30 * MINUTE
    assert schedule.integration_of(nobody, GOOGLE).next_sync_at is None


def test_a_stale_supervisor_starts_nothing():
    workspace = build.workspace()
    build.connection(workspace)
    stale = planned(workspace, next_sync_at=NOW)
    assert schedule._dispatch(stale, NOW, middle)
    SyncJob.objects.all().delete()
    assert not schedule._dispatch(stale, NOW, middle)
    assert not SyncJob.objects.exists()


def test_the_schedule_leaves_paused_connections_alone_and_says_so():
    workspace = build.workspace()
    paused = build.connection(workspace, ConnectionState.PAUSED, paused_by_person=True)
    row = planned(workspace, next_sync_at=NOW)
    assert schedule.dispatch_due(NOW) == 0
    assert not SyncJob.objects.exists()
    row.refresh_from_db()
    assert row.next_sync_at is None
    Connection.objects.filter(pk=paused.pk).update(state=ConnectionState.ACTIVE)
    schedule.dispatch_due(NOW, middle)
    row.refresh_from_db()
    assert row.next_sync_at == NOW + 30 * MINUTE


def test_a_new_connection_enters_the_schedule_by_itself():
    workspace = build.workspace()
    build.connection(workspace)
    schedule.dispatch_due(NOW, middle)
    assert schedule.integration_of(workspace, GOOGLE).next_sync_at == NOW + 30 * MINUTE
    assert not SyncJob.objects.exists()


def test_an_interval_of_zero_means_no_schedule():
    workspace = build.workspace()
    build.connection(workspace)
    row = planned(workspace, interval_minutes=0)
    schedule.dispatch_due(NOW)
    row.refresh_from_db()
    assert row.next_sync_at is None


@pytest.mark.parametrize(("spread", "minutes"), [(0.0, 27), (1.0, 33)])
def test_times_are_spread_by_a_tenth(spread, minutes):
    workspace = build.workspace()
    build.connection(workspace)
    row = planned(workspace)
    assert schedule.next_sync(row, NOW, lambda: spread) == NOW + minutes * MINUTE


def test_the_account_that_must_wait_has_its_own_time():
    workspace = build.workspace()
    build.connection(workspace, retry_at=NOW + 5 * MINUTE)
    row = planned(workspace)
    assert schedule.next_sync(row, NOW, middle) == NOW + 5 * MINUTE
    Connection.objects.update(retry_at=NOW + 120 * MINUTE)
    assert schedule.next_sync(row, NOW, middle) == NOW + 120 * MINUTE
    build.connection(workspace)
    assert schedule.next_sync(row, NOW, middle) == NOW + 30 * MINUTE


def test_success_moves_the_watermark_and_the_clocks():
    workspace = build.workspace()
    connection = build.connection(workspace, failures=3)
    planned(workspace, feed_seq=7, watermark=2, failures=4)
    job = build.ended(workspace, "succeeded", {connection: "done"}, finished_at=NOW - MINUTE)
    schedule.after_job(job, NOW, middle)
    row = schedule.integration_of(workspace, GOOGLE)
    connection.refresh_from_db()
    assert (row.watermark, row.failures, row.last_direction) == (7, 0, "bidirectional")
    assert row.last_synced_at == connection.last_synced_at == NOW - MINUTE
    assert row.next_sync_at == NOW + 30 * MINUTE
    assert connection.failures == 0


@pytest.mark.parametrize(("status", "part"), [("partial", "done"), ("needs_confirmation", "held")])
def test_one_open_question_never_freezes_the_clocks(status, part):
    """Nor does a record that failed: the run has gone through all accounts."""
    workspace = build.workspace()
    connection = build.connection(workspace)
    planned(workspace, feed_seq=7)
    schedule.after_job(build.ended(workspace, status, {connection: part}, finished_at=NOW - MINUTE), NOW, middle)
    row = schedule.integration_of(workspace, GOOGLE)
    assert (row.last_synced_at, row.watermark) == (NOW - MINUTE, 7)


def test_partial_moves_only_the_account_that_worked():
    workspace = build.workspace()
    good, bad = build.connection(workspace), build.connection(workspace)
    planned(workspace, feed_seq=7)
    schedule.after_job(build.ended(workspace, "partial", {good: "done", bad: "failed"}, OUTAGE), NOW, middle)
    row = schedule.integration_of(workspace, GOOGLE)
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (row.last_synced_at, row.watermark) == (None, 0)
    assert (good.last_synced_at, bad.last_synced_at) == (NOW, None)
    assert (good.failures, bad.failures) == (0, 1)


def test_a_job_of_one_account_does_not_move_the_watermark_over_the_other():
    workspace = build.workspace()
    covered, _other = build.connection(workspace), build.connection(workspace)
    planned(workspace, feed_seq=7)
    schedule.after_job(build.ended(workspace, "succeeded", {covered: "done"}, connection=covered), NOW)
    assert schedule.integration_of(workspace, GOOGLE).watermark == 0


@pytest.mark.parametrize(("scope", "watermark"), [("all", 7), ("taxes", 0)])
def test_a_job_of_one_kind_of_record_does_not_move_the_watermark_over_the_others(scope, watermark):
    workspace = build.workspace()
    connection = build.connection(workspace, integration="quickbooks")
    row = schedule.integration_of(workspace, "quickbooks")
    row.feed_seq = 7
    row.save()
    job = build.ended(workspace, "succeeded", {connection: "done"}, integration="quickbooks", scope=scope)
    schedule.after_job(job, NOW, middle)
    assert schedule.integration_of(workspace, "quickbooks").watermark == watermark


@pytest.mark.parametrize(("scope", "planned_anew"), [("all", True), ("taxes", False)])
def test_a_job_of_one_kind_of_record_does_not_put_off_the_next_sync_of_all(scope, planned_anew):
    workspace = build.workspace()
    connection = build.connection(workspace, integration="quickbooks")
    row = schedule.integration_of(workspace, "quickbooks")
    row.next_sync_at = NOW + MINUTE
    row.save()
    job = build.ended(workspace, "succeeded", {connection: "done"}, integration="quickbooks", scope=scope)
    schedule.after_job(job, NOW, middle)
    row.refresh_from_db()
    assert (row.next_sync_at > NOW + MINUTE) is planned_anew


def test_a_job_of_one_account_does_not_put_off_the_next_sync_of_all():
    """Not even where it is the only account: the sync that was announced comes when it was announced."""
    workspace = build.workspace()
    connection = build.connection(workspace)
    row = planned(workspace, next_sync_at=NOW + MINUTE, feed_seq=7)
    job = build.ended(workspace, "succeeded", {connection: "done"}, connection=connection)
    schedule.after_job(job, NOW, middle)
    row.refresh_from_db()
    assert (row.next_sync_at, row.watermark) == (NOW + MINUTE, 0)


@pytest.mark.parametrize("before", [None, NOW - MINUTE], ids=["not planned", "overdue"])
def test_a_job_of_one_account_plans_the_next_sync_where_none_is_ahead(before):
    workspace = build.workspace()
    connection = build.connection(workspace)
    row = planned(workspace, next_sync_at=before)
    schedule.after_job(build.ended(workspace, "failed", {connection: "failed"}, connection=connection), NOW, middle)
    row.refresh_from_db()
    assert row.next_sync_at == NOW + 60 * MINUTE


def test_a_cancelled_job_is_neither_a_failure_nor_a_success():
    workspace = build.workspace()
    connection = build.connection(workspace, failures=3)
    planned(workspace, failures=4)
    schedule.after_job(build.ended(workspace, "cancelled", {connection: "running"}), NOW, middle)
    row = schedule.integration_of(workspace, GOOGLE)
    connection.refresh_from_db()
    assert (row.failures, row.last_synced_at, connection.failures) == (4, None, 3)


def test_a_good_run_closes_its_own_companys_problem():
    ours, theirs = build.workspace(), build.workspace("Other Inc.")
    for workspace in (ours, theirs):
        Problem.objects.create(
            workspace=workspace, integration=GOOGLE, code="INTERNAL_ERROR", message="Given up.", occurred_at=NOW
        )
    schedule.after_job(build.ended(ours, "succeeded", {build.connection(ours): "done"}), NOW)
    assert list(Problem.objects.filter(resolved_at=None).values_list("workspace", flat=True)) == [theirs.pk]


def test_a_company_enters_the_schedule_whatever_is_planned_for_others():
    ours, theirs = build.workspace(), build.workspace("Other Inc.")
    for workspace in (ours, theirs):
        build.connection(workspace)
    planned(theirs, next_sync_at=NOW + MINUTE)
    schedule.dispatch_due(NOW, middle)
    assert schedule.integration_of(ours, GOOGLE).next_sync_at == NOW + 30 * MINUTE
    assert schedule.integration_of(theirs, GOOGLE).next_sync_at == NOW + MINUTE


def test_another_integration_of_the_company_does_not_count_as_planned():
    workspace = build.workspace()
    build.connection(workspace)
    row = schedule.integration_of(workspace, "quickbooks")
    row.next_sync_at = NOW + MINUTE
    row.save()
    schedule.dispatch_due(NOW, middle)
    assert schedule.integration_of(workspace, GOOGLE).next_sync_at == NOW + 30 * MINUTE


def test_who_is_off_the_schedule_takes_no_place_in_the_queue_for_it(django_assert_num_queries):
    """Two hundred are looked at in a round: one that is never planned must not be among them each time."""
    workspace = build.workspace()
    build.connection(workspace)
    planned(workspace, interval_minutes=0)
    with django_assert_num_queries(7):  # two of which look for pushes and saved records
        schedule.dispatch_due(NOW, middle)


def test_a_job_about_single_records_moves_nothing():
    workspace = build.workspace()
    connection = build.connection(workspace)
    planned(workspace, feed_seq=7)
    schedule.after_job(build.ended(workspace, "succeeded", {connection: "done"}, only={"links": [1]}), NOW)
    row = schedule.integration_of(workspace, GOOGLE)
    assert (row.watermark, row.last_synced_at, row.next_sync_at) == (0, None, None)


def test_failures_back_off_up_to_a_cap():
    workspace = build.workspace()
    connection = build.connection(workspace)
    waits = []
    for _ in range(6):
        schedule.after_job(build.ended(workspace, "failed", {connection: "failed"}, OUTAGE), NOW, middle)
        waits.append((schedule.integration_of(workspace, GOOGLE).next_sync_at - NOW) / MINUTE)
    assert waits == [60, 120, 240, 360, 360, 360]


def test_too_many_failures_pause_the_connection_and_tell_its_owners_once(settings, django_capture_on_commit_callbacks):
    settings.PAUSE_AFTER_FAILURES = 2
    workspace = build.workspace()
    build.owner(workspace)
    connection = build.connection(workspace)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(3):
            schedule.after_job(build.ended(workspace, "failed", {connection: "failed"}, OUTAGE), NOW)
    connection.refresh_from_db()
    assert connection.state == ConnectionState.PAUSED
    assert not connection.paused_by_person
    assert "2 failed syncs in a row" in connection.state_reason
    assert OUTAGE["message"] in connection.state_reason
    # It is tried again, though not as often, and no more where a person has paused it.
    again = schedule.integration_of(workspace, GOOGLE).next_sync_at
    assert again == NOW + LONGEST_BACKOFF
    assert list(Connection.objects.scheduled()) == [connection]
    connection.paused_by_person = True
    connection.save()
    assert not Connection.objects.scheduled().exists()
    (message,) = mail.outbox
    assert message.to == ["owner@fieldcamp.test"]
    assert connection.account_name in message.subject
    assert f"/admin/integrations/connection/{connection.pk}/change/" in message.body


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("RATE_LIMITED", ConnectionState.ACTIVE),
        ("MISCONFIGURED", ConnectionState.ACTIVE),
        ("NEEDS_RECONNECT", ConnectionState.ACTIVE),
        ("NEEDS_PERMISSION", ConnectionState.ACTIVE),
        ("PROVIDER_UNAVAILABLE", ConnectionState.PAUSED),
        ("INTERNAL_ERROR", ConnectionState.PAUSED),
    ],
)
def test_waiting_and_the_operators_faults_do_not_count_against_an_account(code, state):
    workspace = build.workspace()
    connection = build.connection(workspace)
    for _ in range(10):
        error = {"code": code, "message": "…"}
        schedule.after_job(build.ended(workspace, "failed", {connection: "failed"}, error), NOW)
    connection.refresh_from_db()
    assert connection.state == state


@pytest.mark.parametrize(("by_person", "state"), [(False, "active"), (True, "paused")])
def test_a_good_run_lifts_our_own_pause_and_never_a_persons(by_person, state):
    workspace = build.workspace()
    connection = build.connection(workspace, ConnectionState.PAUSED, paused_by_person=by_person, state_reason="why")
    schedule.after_job(build.ended(workspace, "succeeded", {connection: "done"}), NOW)
    connection.refresh_from_db()
    assert connection.state == state
