"""The real heartbeat: a thread with a database connection of its own."""

import datetime as dt
import threading

import pytest
from django.db import OperationalError
from django.utils import timezone

from integrations.models import SyncJob
from integrations.queue import lease as lease_module
from integrations.queue.lease import Lease, LeaseLost
from tests.integrations import build

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Real time, with quick beats."""
    monkeypatch.setattr(lease_module, "BEAT", 0.01)


@pytest.fixture
def job(clock) -> SyncJob:
    return build.job(build.workspace())


@pytest.fixture
def beats(monkeypatch):
    """What each beat comes to: errors that it raises before it writes, and a signal after each."""
    held, errors, beaten = Lease.assert_held, [], threading.Semaphore(0)

    def beat(self):
        try:
            if errors:
                raise errors.pop(0)
            held(self)
        finally:
            beaten.release()

    monkeypatch.setattr(Lease, "assert_held", beat)
    return errors, lambda: beaten.acquire(timeout=10)


def beating(job: SyncJob) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == f"heartbeat {job.pk}"]


def test_it_renews_the_lease_until_the_work_ends(job, beats):
    _, beaten = beats
    with Lease.claim(job.pk):
        nearly_over = timezone.now() + dt.timedelta(seconds=2)
        SyncJob.objects.filter(pk=job.pk).update(lease_until=nearly_over)
        assert beaten() and beaten()
        job.refresh_from_db()
        assert job.lease_until > nearly_over + dt.timedelta(seconds=20)
        assert beating(job)
    assert not beating(job)


def test_a_beat_that_fails_is_made_up_for_by_the_next(job, beats):
    errors, beaten = beats
    errors += [OperationalError("database is locked")] * 2
    with Lease.claim(job.pk) as lease:
        assert beaten() and beaten() and beaten()
        lease.assert_held()
        assert beating(job)


def test_it_ends_with_the_lease(job, beats):
    _, beaten = beats
    with Lease.claim(job.pk):
        [thread] = beating(job)
        SyncJob.objects.filter(pk=job.pk).update(lease_owner="somebody else")
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_it_keeps_nobody_from_ending(job):
    """A process that is to end does not wait for it, and what was given up is not renewed."""
    with Lease.claim(job.pk) as lease:
        [thread] = beating(job)
        assert thread.daemon
        assert lease.let_go(status="succeeded")
        thread.join(timeout=10)
        assert not thread.is_alive()
    with pytest.raises(LeaseLost):
        lease.assert_held()
