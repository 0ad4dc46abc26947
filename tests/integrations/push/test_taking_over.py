"""Who asks has the way: a sync that somebody triggers takes the place of one that nobody asked for."""

import pytest

from integrations.models import (
    Connection,
    ReceivedPush,
    SyncJob,
)
from integrations.push.dispatching import dispatch_prompt
from integrations.push.marks import mark
from integrations.queue.enqueue import SyncInProgress, create_job
from integrations.queue.lease import Lease
from integrations.services.jobs import cancel_job, trigger_sync
from tests.integrations import build
from tests.integrations.build import GOOGLE, NOW
from tests.integrations.push.prompting import MINUTE, SECOND, account, company, planned

__all__ = ["company"]
pytestmark = pytest.mark.django_db


def test_a_trigger_takes_the_place_of_what_nobody_asked_for(company):
    pushed = account(company)
    account(company)
    mark([pushed.pk], NOW, kind="exists")
    dispatch_prompt(NOW + 2 * SECOND)
    waiting = SyncJob.objects.get()
    job = trigger_sync(
        workspace=company, integration=GOOGLE, mode="full", triggered_by="api", actor="key_1", request_id="req_1"
    )
    assert (job.pk, job.mode, job.triggered_by, job.actor, job.narrowed) == (waiting.pk, "full", "api", "key_1", False)
    assert not job.parts.exists() and SyncJob.objects.count() == 1
    with pytest.raises(SyncInProgress):
        trigger_sync(workspace=company, integration=GOOGLE, triggered_by="api", actor="key_2")
    assert ReceivedPush.objects.get().job == job


def test_it_does_not_once_a_worker_has_it(company):
    pushed = account(company)
    mark([pushed.pk], NOW, kind="exists")
    dispatch_prompt(NOW + 2 * SECOND)
    assert Lease.claim(SyncJob.objects.get().pk)
    with pytest.raises(SyncInProgress):
        trigger_sync(workspace=company, integration=GOOGLE, triggered_by="api", actor="key_1")
    with pytest.raises(SyncInProgress):
        create_job(workspace=company, integration=GOOGLE, triggered_by="api", actor="key_1")
    assert SyncJob.objects.get().narrowed


def test_a_push_does_not_take_another_ones_place(company):
    account(company)
    build.job(company)
    with pytest.raises(SyncInProgress):
        create_job(workspace=company, integration=GOOGLE, triggered_by="push", actor="push", narrowed=True)


def test_one_that_was_cancelled_comes_again_after_a_while(company):
    pushed = account(company)
    mark([pushed.pk], NOW, kind="exists")
    dispatch_prompt(NOW + 2 * SECOND)
    cancel_job(job=SyncJob.objects.get(), actor="Dana")
    backs_off = Connection.objects.get().backs_off_until
    assert dispatch_prompt(backs_off - SECOND) == 0
    planned(company, next_sync_at=backs_off + MINUTE)
    assert dispatch_prompt(backs_off + SECOND) == 1
