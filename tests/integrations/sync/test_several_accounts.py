"""Several accounts of one job at a time, with real threads: each for itself, and the counts are right."""

import threading

import pytest

from fieldcamp.workspace.models import BlockedTime
from integrations.jobs import runner
from integrations.models import Connection, ConnectionState, JobPart, JobStatus, Link, SyncJob
from integrations.services.jobs import cancel_job, trigger_sync
from tests.integrations.engine import abandoned, counts, finish
from tests.killing import Killed

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
NAMES = ("dana", "lee", "ravi", "maria")
WAIT = 20  # seconds, which nothing here takes


@pytest.fixture
def four(google, connect, make_visits, settings, transactional_db) -> list[Connection]:
    """Four technicians with three visits each, all synced at the same time."""
    settings.ACCOUNTS_AT_ONCE = 4
    connections = [connect(name) for name in NAMES]
    for connection in connections:
        make_visits(connection.member, 3)
    return connections


def events(vendors, google) -> list[int]:
    return [len(type(google)(vendors, name).ours()) for name in NAMES]


def test_four_accounts_are_asked_at_the_same_time(four, google, vendors, sync):
    """The first call of each waits for the first calls of the others: one after the other, none would get through."""
    meeting, seen = threading.Barrier(4, timeout=WAIT), threading.local()

    def wait(path, send):
        if not getattr(seen, "once", False):
            seen.once = True
            meeting.wait()
        return send()

    end = vendors.around(wait)
    job = sync()
    end()
    assert (job.status, counts(job)) == (JobStatus.SUCCEEDED, {"pulled": 0, "pushed": 12, "skipped": 0, "failed": 0})
    assert (job.done, job.total) == (12, 12)
    assert events(vendors, google) == [3, 3, 3, 3]
    quiet = sync()
    assert (quiet.status, quiet.done) == (JobStatus.SUCCEEDED, 0)


def test_one_dead_account_costs_the_others_nothing(four, google, vendors, sync):
    vendors.revoke(four[1].account_name)
    job = sync()
    assert (job.status, job.pushed) == (JobStatus.PARTIAL, 9)
    assert [error["code"] for error in job.errors] == ["NEEDS_RECONNECT"]
    assert sorted(Connection.objects.values_list("state", flat=True)) == [ConnectionState.ACTIVE] * 3 + [
        "needs_reconnect"
    ]


def test_cancelling_ends_all_of_them_within_their_call(four, google, vendors, workspace):
    job = trigger_sync(workspace=workspace, integration=google.integration, triggered_by="api", actor="test")
    meeting, seen = threading.Barrier(4, timeout=WAIT), threading.local()

    def cancel(path, send):
        if not getattr(seen, "once", False):
            seen.once = True
            if meeting.wait() == 0:
                cancel_job(job=job, actor="test")
        return send()

    end = vendors.around(cancel)
    runner.run(job.pk)
    end()
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED
    assert len(vendors.requests("/events")) <= 8
    assert finish_all(workspace, google).status == JobStatus.SUCCEEDED
    assert events(vendors, google) == [3, 3, 3, 3]


def finish_all(workspace, google) -> SyncJob:
    return finish(trigger_sync(workspace=workspace, integration=google.integration, triggered_by="api", actor="test"))


def test_a_kill_in_the_middle_makes_no_event_twice(four, google, vendors, workspace):
    """The process dies while all four write: a call that has reached the vendor has no answer here."""
    job = trigger_sync(workspace=workspace, integration=google.integration, triggered_by="api", actor="test")

    def die(path, send):
        answer = send()
        if "batch" in path:
            raise Killed
        return answer

    end = vendors.around(die)
    with pytest.raises(Killed):
        runner.run(job.pk)
    end()
    abandoned(job)
    job = finish(job)
    assert job.status == JobStatus.SUCCEEDED, job.errors
    assert events(vendors, google) == [3, 3, 3, 3]
    assert Link.objects.live().count() == 12
    assert set(JobPart.objects.filter(job=job).values_list("status", flat=True)) == {JobPart.Status.DONE}
    assert not BlockedTime.objects.exists()
