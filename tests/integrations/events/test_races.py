"""What several do at once is told once, and of many writers none is lost."""

import contextlib
import random

import pytest
from django.db import transaction

from integrations.accounts.state import mark_needs_reconnect
from integrations.errors import ProblemCode
from integrations.jobs import sweeper
from integrations.ledger.problems import PASSES_WITHIN, open_problem, resolve_problems, tell_of_lasting
from integrations.models import Connection, Problem, SyncJob
from integrations.queue.lease import Lease
from integrations.services import connections
from integrations.services.jobs import JobFinished, cancel_job
from tests.integrations import build
from tests.integrations.build import NOW
from tests.integrations.events.seen import bodies, names, objects

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 8
REJECTED = ProblemCode.RECORD_REJECTED


@pytest.fixture
def account(workspace) -> Connection:
    return build.connection(workspace)


@pytest.mark.slow
def test_one_problem_that_many_open_and_close_is_told_once(account, in_parallel):
    for _ in range(3):
        in_parallel(AT_ONCE, lambda n: open_problem(account, REJECTED, "No.", now=NOW, kind="visit", record_id="v"))
        assert sum(in_parallel(AT_ONCE, lambda n: resolve_problems(account, now=NOW))) == 1
    assert names() == ["problem.opened", "problem.resolved"] * 3


def test_what_lasts_is_told_by_one_of_many_supervisors(account, in_parallel):
    for number in range(20):
        open_problem(account, ProblemCode.RATE_LIMITED, "Wait.", now=NOW, kind="visit", record_id=f"v{number}")
    in_parallel(AT_ONCE, lambda n: tell_of_lasting(NOW + PASSES_WITHIN))
    tell_of_lasting(NOW + PASSES_WITHIN)  # what others were just telling of, nobody waits for
    assert sorted(shown["record"]["id"] for shown in objects("problem.opened")) == sorted(f"v{n}" for n in range(20))


@pytest.mark.slow
def test_one_account_that_many_move_is_told_once(account, in_parallel):
    in_parallel(AT_ONCE, lambda n: connections.pause(connection=Connection.objects.get(pk=account.pk), user=None))
    in_parallel(AT_ONCE, lambda n: connections.resume(connection=Connection.objects.get(pk=account.pk), user=None))
    in_parallel(AT_ONCE, lambda n: mark_needs_reconnect(account.pk, "Ended."))
    in_parallel(AT_ONCE, lambda n: connections.disconnect(connection=Connection.objects.get(pk=account.pk), user=None))
    assert names("connection") == [f"connection.{move}" for move in ("paused", "resumed", "needs_reconnect",
                                                                     "disconnected")]  # fmt: skip


@pytest.mark.slow
def test_one_job_is_cancelled_or_begins_and_either_is_told_once(workspace, in_parallel):
    for _ in range(5):
        job = build.job(workspace)
        known = len(bodies())

        def act(number: int, job: SyncJob = job) -> None:
            if number % 2:
                with transaction.atomic():
                    Lease.claim(job.pk)
            else:
                with contextlib.suppress(JobFinished):
                    cancel_job(job=SyncJob.objects.get(pk=job.pk), actor="test")
                sweeper.sweep(NOW)

        in_parallel(AT_ONCE, act)
        job.refresh_from_db()
        assert names()[known:] == ["sync.cancelled"] * (job.status == "cancelled")
        job.delete()


@pytest.mark.slow
def test_of_200_transactions_at_once_each_that_commits_is_told_and_no_other(workspace, in_parallel):
    """Each with a record of its own, in one transaction; some of them think better of it."""
    accounts = [build.connection(workspace) for _ in range(4)]

    class ThoughtBetter(Exception):
        pass

    def write(writer: int) -> list[str]:
        done, dice = [], random.Random(writer)
        for number in range(10):
            record_id = f"v{writer}-{number}"
            try:
                with transaction.atomic():
                    open_problem(accounts[writer % 4], REJECTED, "No.", now=NOW, kind="visit", record_id=record_id)
                    if dice.random() < 0.3:
                        raise ThoughtBetter
                done.append(record_id)
            except ThoughtBetter:
                pass
        return done

    committed = {record_id for done in in_parallel(20, write) for record_id in done}
    assert 100 < len(committed) < 200
    told = [shown["record"]["id"] for shown in objects("problem.opened")]
    assert sorted(told) == sorted(committed)
    assert set(Problem.objects.values_list("record_id", flat=True)) == committed
