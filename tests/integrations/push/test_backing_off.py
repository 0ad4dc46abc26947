"""Streams and accounts that fail are tried less and less often, and nothing that was pushed or saved is forgotten."""

import datetime as dt

import pytest

from integrations.ledger.dirty import write_rows
from integrations.models import (
    Connection,
    DirtyRow,
    JobPart,
    JobStatus,
    PushMark,
    Stream,
    SyncJob,
    WorkspaceIntegration,
)
from integrations.push.dispatching import dispatch_prompt, take_pushed
from integrations.push.marks import mark
from integrations.selectors.freshness import freshness_of
from tests.integrations import build
from tests.integrations.build import NOW
from tests.integrations.push.test_dispatching import MINUTE, SECOND, account, company, planned, run, save  # noqa: F401

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def pair(company):  # noqa: F811
    """Two calendars of one account; the schedule comes late."""
    planned(company, next_sync_at=NOW + 400 * HOUR)
    well = account(company)
    return well, Stream.objects.create(
        connection=well.connection, container_id="other", first_synced_at=NOW - HOUR, looked_at=NOW - HOUR
    )


def runs(until: dt.datetime, fails, *, since: dt.datetime = NOW, each=lambda at: None, step=10 * SECOND) -> list:
    """When jobs were started until then, each of which fails as `fails` says."""
    at, started = since, []
    while at < until:
        each(at)
        if dispatch_prompt(at):
            started.append(at)
            fails(SyncJob.objects.get(status="queued"), at)
        at += step
    return started


def alone(stream: Stream):
    def fails(job: SyncJob, at: dt.datetime) -> None:
        job.parts.update(progress={"failed": [stream.pk]})
        run(job, at, JobPart.Status.PARTIAL, JobStatus.PARTIAL)

    return fails


def altogether(code: str):
    def fails(job: SyncJob, at: dt.datetime) -> None:
        job.parts.update(error={"code": code})
        run(job, at, JobPart.Status.FAILED, JobStatus.FAILED)

    return fails


def minutes(started: list) -> list[int]:
    return [(later - sooner) // MINUTE for sooner, later in zip(started, started[1:], strict=False)]


@pytest.mark.slow
def test_what_fails_alone_is_tried_less_and_less_often(pair):
    _well, failing = pair
    mark([failing.pk], NOW, kind="exists")
    # Each minute; the job itself takes a second.
    assert minutes(runs(NOW + 18 * HOUR, alone(failing), step=MINUTE)) == [6, 11, 21, 41, 81, 161, 321, 361]


@pytest.mark.slow
def test_pushes_that_come_all_the_time_do_not_hurry_it(pair):
    _well, failing = pair
    started = runs(NOW + HOUR, alone(failing), each=lambda at: mark([failing.pk], at, kind="exists"), step=30 * SECOND)
    assert len(started) == 4


def test_the_other_calendars_go_on_meanwhile(pair):
    well, failing = pair
    PushMark.objects.create(stream=failing, due_at=NOW, pushed_at=NOW, failures=9, backs_off_until=NOW + 6 * HOUR)
    mark([well.pk], NOW, kind="exists")
    assert dispatch_prompt(NOW + 2 * SECOND) == 1


@pytest.mark.slow
def test_a_good_look_ends_it(pair):
    _well, failing = pair
    mark([failing.pk], NOW, kind="exists")
    *_, last = runs(NOW + HOUR, alone(failing), step=30 * SECOND)
    assert PushMark.objects.get(stream=failing).failures == 4
    assert dispatch_prompt(last + 41 * MINUTE) == 1
    run(SyncJob.objects.get(status="queued"), last + 41 * MINUTE)
    row = PushMark.objects.get(stream=failing)
    assert (row.due_at, row.failures, row.backs_off_until) == (None, 0, None)


@pytest.mark.slow
def test_a_saved_record_waits_for_its_failing_calendar_and_no_longer(pair):
    _well, failing = pair
    save(failing, NOW)
    assert minutes(runs(NOW + 20 * MINUTE, alone(failing))) == [5, 10]


@pytest.mark.slow
def test_a_saved_record_is_not_held_up_by_another_calendar(pair):
    well, failing = pair
    save(well, NOW)
    started = runs(NOW + 10 * MINUTE, alone(failing))
    assert len(started) == 2  # the second since the record waits, and the first came so soon after it was saved
    assert Stream.objects.get(pk=failing.pk).looked_at == NOW - HOUR


@pytest.mark.slow
@pytest.mark.parametrize("code", ["misconfigured", "rate_limited", "provider_unavailable", "internal_error"])
def test_accounts_that_fail_altogether_are_tried_less_and_less_often_whosever_fault(pair, code):
    well, _other = pair
    mark([well.pk], NOW, kind="exists")
    assert minutes(runs(NOW + 3 * HOUR, altogether(code), step=MINUTE)) == [6, 11, 21, 41, 81]
    assert Connection.objects.get().failures == 0


@pytest.mark.slow
def test_what_backs_off_is_not_called_late_before_it_is_tried(pair):
    _well, failing = pair
    Connection.objects.update(fresh_from=NOW, last_synced_at=NOW)
    mark([failing.pk], NOW, kind="exists")
    runs(NOW + 12 * MINUTE, alone(failing))
    fresh = freshness_of(Connection.objects.all(), WorkspaceIntegration.objects.all(), {}, NOW + 12 * MINUTE)
    assert not fresh[failing.connection_id].stalled(NOW + 12 * MINUTE)


# What a run may have missed


@pytest.mark.slow
def test_what_was_saved_just_before_a_run_and_seen_just_after_is_looked_at_once_more(pair):
    well, _other = pair
    save(well, NOW)
    assert dispatch_prompt(NOW + 6 * SECOND) == 1
    DirtyRow.objects.all().delete()
    save(well, NOW + 5 * SECOND, record="vis_2")  # its transaction ends, or by its clock
    run(SyncJob.objects.get(), NOW + 6 * SECOND)
    started = runs(NOW + 18 * MINUTE, run, since=NOW + 8 * SECOND)
    assert len(started) == 1 and DirtyRow.objects.count() == 1


def test_a_push_that_a_run_did_not_know_of_makes_exactly_one_more(pair):
    well, _other = pair
    mark([well.pk], NOW, kind="exists")
    assert dispatch_prompt(NOW + 2 * SECOND) == 1
    mark([well.pk], NOW - 5 * SECOND, kind="exists")  # by another machine's clock, which is slow
    run(SyncJob.objects.get(), NOW + 3 * SECOND)
    assert PushMark.objects.get(stream=well).due_at is not None
    assert len(runs(NOW + 18 * MINUTE, run, since=NOW + 5 * SECOND)) == 1


def test_a_push_that_a_run_knew_of_makes_no_other_whatever_the_clocks_say(pair):
    well, other = pair
    mark([well.pk], NOW, kind="exists")
    mark([other.pk], NOW + SECOND, kind="exists")  # due a second later, and known as well
    assert dispatch_prompt(NOW + 2 * SECOND) == 1
    run(SyncJob.objects.get(), NOW - 20 * SECOND)
    assert not PushMark.objects.exclude(due_at=None).exists()


def test_the_engine_does_not_forget_who_saved_a_record(pair):
    well, _other = pair
    save(well, NOW)
    write_rows([(well.pk, "vis_1", 0), (well.pk, "vis_2", 0)])
    saved, made = DirtyRow.objects.order_by("record_id")
    assert (saved.seq, saved.changed_at, made.changed_at) == (0, NOW, None)  # a run that has read it leaves it
    assert dispatch_prompt(NOW + MINUTE) == 1
    write_rows([(well.pk, "vis_2", 7)])
    assert DirtyRow.objects.get(record_id="vis_2").changed_at is not None


def test_a_job_of_everything_counts_failures_as_well(pair):
    _well, failing = pair
    job = build.job(failing.connection.workspace)
    JobPart.objects.create(job=job, connection=failing.connection)
    alone(failing)(job, NOW)
    mark([failing.pk], NOW + 2 * SECOND, kind="exists")
    assert dispatch_prompt(NOW + 4 * MINUTE) == 0
    assert dispatch_prompt(NOW + 6 * MINUTE) == 1


def test_who_asks_for_one_sync_after_the_other_is_not_met_by_that_of_a_push(pair):
    well, _other = pair
    job = build.job(well.connection.workspace, triggered_by="api")
    JobPart.objects.create(job=job, connection=well.connection)
    take_pushed(job, NOW)
    mark([well.pk], NOW, kind="exists")  # as it began
    run(job, NOW, begun=True)
    assert dispatch_prompt(NOW + 5 * SECOND) == 0
    assert dispatch_prompt(NOW + 7 * SECOND) == 1
