"""A worker whose lease was taken over writes nothing more, here or at the provider, wherever it stands."""

import json

import pytest
from django.core import serializers

from fieldcamp.workspace.models import BlockedTime, Change, Visit
from integrations.jobs import runner
from integrations.ledger.writes import Writes
from integrations.models import (
    ChangeRow,
    Connection,
    DirtyRow,
    Hold,
    JobItem,
    JobPart,
    Link,
    Occurrence,
    Problem,
    Stream,
    SyncJob,
    WorkspaceIntegration,
)
from integrations.queue.lease import Lease, LeaseLost
from integrations.services.jobs import trigger_sync
from tests.integrations.engine import finish
from tests.integrations.sync.test_faults import agree

pytestmark = pytest.mark.django_db
KEPT = (
    *(Visit, Change, BlockedTime, Link, DirtyRow, Occurrence, Stream, Hold, Problem, ChangeRow),
    *(JobItem, JobPart, Connection, WorkspaceIntegration),
)
SHOWN = ("status", "stage", "done", "total", "pulled", "pushed", "skipped", "failed", "errors", "finished_at")


def everything() -> str:
    rows = [serializers.serialize("json", model.objects.order_by("pk")) for model in KEPT]
    return json.dumps([*rows, serializers.serialize("json", SyncJob.objects.order_by("pk"), fields=SHOWN)])


@pytest.fixture
def stolen_at_step(monkeypatch):
    """Gives the job to another worker right before the n-th time that the first asks whether it still has it."""
    seen: dict[str, str] = {}

    def arm(number: int) -> dict[str, str]:
        steps = iter(range(1, 10_000))
        held, check = Lease.assert_held, runner.SyncSlice.check

        def steal(job_id: str) -> None:
            if next(steps) == number:
                SyncJob.objects.filter(pk=job_id).update(lease_owner="thief")
                seen["then"] = everything()

        def asked(self) -> None:
            steal(self.job_id)
            held(self)

        def checked(self) -> None:
            steal(self.job.pk)
            check(self)

        monkeypatch.setattr(Lease, "assert_held", asked)
        monkeypatch.setattr(runner.SyncSlice, "check", checked)
        return seen

    return arm


@pytest.fixture
def take_over(dana, person, sync, make_visits, workspace, stolen_at_step, monkeypatch):
    """Lets another worker take a job over at this step, and sees that the first wrote nothing more."""

    def take(step: int) -> None:
        visits = make_visits(dana.member, 60)
        sync()
        person.add("Dentist", visits[0].scheduled_start)
        person.move(person.ours()[visits[5].pk].id, visits[5].scheduled_end)
        Visit.objects.filter(pk__in=[visit.pk for visit in visits[10:15]]).update(title="Edited")
        Visit.objects.filter(pk=visits[20].pk).update(visit_status="cancelled")
        visits += make_visits(dana.member, 3, title="New")
        job = trigger_sync(workspace=workspace, integration=person.integration, triggered_by="api", actor="test")
        seen = stolen_at_step(step)
        runner.run(job.pk)
        monkeypatch.undo()
        if "then" in seen:
            assert everything() == seen["then"]
        else:
            assert step > 14  # the job was over before
        SyncJob.objects.filter(pk=job.pk, status="running").update(lease_owner="", lease_until=None)
        job.refresh_from_db()
        if job.in_flight:
            finish(job)
        for visit in visits:
            visit.refresh_from_db()
        assert agree(person, [visit for visit in visits if visit.visit_status != "cancelled"])
        assert not Link.objects.filter(intent__isnull=False).exists()

    return take


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.parametrize("step", range(2, 24, 3))
def test_nothing_is_written_after_the_lease_was_taken_over(take_over, step):
    take_over(step)


@pytest.mark.slow
@pytest.mark.parametrize("step", [5, 11, 17])
def test_nothing_is_written_where_it_was_taken_over_between_two_calls(take_over, google, step):
    """The exit to the network asks before each call, too."""
    take_over(step)


@pytest.mark.engine
def test_a_transaction_whose_lease_is_gone_leaves_no_trace(dana, person, sync, make_visits, monkeypatch):
    make_visits(dana.member, 3)
    before = Link.objects.count()

    real = Writes.intend

    def intend(self, items):
        real(self, items)
        raise LeaseLost(self.log.job.pk)

    monkeypatch.setattr(Writes, "intend", intend)
    job = trigger_sync(workspace=dana.workspace, integration=person.integration, triggered_by="api", actor="test")
    runner.run(job.pk)
    assert Link.objects.count() == before
