"""Supervisors, triggers, workers and receivers at once, each in a thread of its own."""

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.utils import timezone

from integrations.jobs import schedule
from integrations.models import JobPart, PushMark, Stream, SyncJob, WorkspaceIntegration
from integrations.push.dispatching import dispatch_prompt
from integrations.push.marks import mark
from integrations.queue.enqueue import SyncInProgress
from integrations.queue.lease import Lease
from integrations.services.jobs import trigger_sync
from tests.integrations import build
from tests.integrations.build import GOOGLE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at_once(in_parallel) -> Callable[..., list[object]]:
    """Gives what the works return that are done at the same time, or what they raise."""

    def done(work: Callable[[], object]) -> object:
        try:
            return work()
        except Exception as error:
            return error

    return lambda *works: in_parallel(len(works), lambda number: done(works[number]))


@pytest.fixture
def company():
    made = build.workspace()
    row = schedule.integration_of(made, GOOGLE)
    WorkspaceIntegration.objects.filter(pk=row.pk).update(next_sync_at=timezone.now() + dt.timedelta(hours=1))
    for _ in range(3):
        Stream.objects.create(
            connection=build.connection(made), container_id="primary", is_target=True, first_synced_at=timezone.now()
        )
    return made


def pushed(company) -> list[str]:
    ids = sorted(Stream.objects.values_list("pk", flat=True))
    mark(ids, timezone.now() - dt.timedelta(seconds=5), kind="exists")
    return ids


def test_of_many_supervisors_one_makes_the_job(company, at_once):
    pushed(company)
    came = at_once(*[lambda: dispatch_prompt(timezone.now())] * 8)
    assert sorted(came) == [0] * 7 + [1]
    assert (SyncJob.objects.count(), JobPart.objects.count()) == (1, 3)


@pytest.mark.slow
def test_of_a_worker_and_many_triggers_one_gets_the_job(company, at_once):
    def trigger(number: int) -> SyncJob:
        return trigger_sync(workspace=company, integration=GOOGLE, triggered_by="api", actor=f"key_{number}")

    for _ in range(4):
        SyncJob.objects.all().delete()
        PushMark.objects.all().delete()
        pushed(company)
        dispatch_prompt(timezone.now())
        job = SyncJob.objects.get()
        came = at_once(lambda pk=job.pk: Lease.claim(pk), *[lambda n=n: trigger(n) for n in range(6)])
        lease, answers = came[0], came[1:]
        won = [each for each in answers if isinstance(each, SyncJob)]
        assert all(isinstance(each, (SyncJob, SyncInProgress)) for each in answers), answers
        assert isinstance(lease, Lease), lease  # it gets the job in either form: it stays the same one
        job.refresh_from_db()
        assert SyncJob.objects.count() == 1 and len(won) <= 1
        assert job.narrowed == (not won)
        assert job.parts.count() == (0 if won else 3)
        assert [each.pk for each in won] in ([], [job.pk])


@pytest.mark.slow
def test_pushes_while_jobs_begin_and_end_are_never_lost(company, at_once):
    """Each push is answered by a run that began after it, or is still due."""
    ids, stop = sorted(Stream.objects.values_list("pk", flat=True)), threading.Event()

    def push() -> None:
        for _ in range(40):
            mark(ids, timezone.now(), kind="exists")
        stop.set()

    def work() -> None:
        while not stop.is_set():
            PushMark.objects.update(rests_until=None)
            dispatch_prompt(timezone.now() + dt.timedelta(seconds=3))
            if (job := SyncJob.objects.filter(status="queued").first()) and (lease := Lease.claim(job.pk)):
                job.refresh_from_db()
                job.parts.update(status="done", direction="bidirectional")
                lease.let_go(status="succeeded", finished_at=timezone.now())
                job.refresh_from_db()
                schedule.after_job(job)

    came = at_once(push, work)
    assert came == [None, None]
    last = SyncJob.objects.exclude(started_at=None).order_by("-started_at").first()
    for row in PushMark.objects.all():
        assert row.due_at is not None or (last and last.started_at >= row.pushed_at)
