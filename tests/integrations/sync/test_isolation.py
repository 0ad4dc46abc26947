"""One record at which our own side fails, wherever that is: it alone has a problem, all others are synced, the job
ends, and nothing is made twice once the fault is gone."""

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError

from fieldcamp.workspace.models import Visit
from integrations.calendar.visits import VisitsOfStream
from integrations.jobs import runner
from integrations.ledger import local_half, observations, writes
from integrations.models import JobStatus, Link, Problem, SyncJob
from integrations.services.decisions import retry
from integrations.services.jobs import trigger_sync
from integrations.sync import plan
from integrations.sync.isolation import RunEnds, isolated
from integrations.transport.client import HttpClient
from tests.integrations.engine import finish
from tests.killing import Killed

pytestmark = [pytest.mark.django_db, pytest.mark.engine]
FAULTS = (IntegrityError, ValueError, KeyError)  # one kind of them at each place, by turns


def plant(patch: pytest.MonkeyPatch, owner: Any, name: str, when: Callable[..., bool], error: type[Exception]) -> None:
    """Makes a function raise when it is called about one record."""
    real = getattr(owner, name)

    def faulty(*args: Any, **kwargs: Any) -> Any:
        if when(*args, **kwargs):
            raise error("planted")
        return real(*args, **kwargs)

    patch.setattr(owner, name, faulty)


# Where our side touches one record that is to be made there: (owner, function, is it this record?).
CREATING = {
    "reading it": (VisitsOfStream, "view", lambda bad: lambda self, visit: visit.pk == bad),
    "deciding": (plan, "decide", lambda bad: lambda pair, policy: pair.record_id == bad),
    "storing the write": (
        writes.Writes,
        "intend",
        lambda bad: lambda self, items: any(decision.pair.record_id == bad for decision, _, _ in items),
    ),
    "saving the answer": (writes, "agree", lambda bad: lambda link, decision, record: link.record_id == bad),
}


@pytest.mark.slow
@pytest.mark.parametrize(("place", "error"), list(zip(CREATING, itertools.cycle(FAULTS))))
def test_a_record_that_cannot_be_made_is_alone(place, error, dana, person, sync, make_visits, monkeypatch):
    visits = make_visits(dana.member, 5)
    bad = visits[2].pk
    owner, name, about = CREATING[place]
    with monkeypatch.context() as patch:
        plant(patch, owner, name, about(bad), error)
        job = sync()
    assert job.status == JobStatus.PARTIAL
    assert (job.pushed, job.failed) == (4, 1)
    [problem] = Problem.objects.open()
    assert (problem.record_kind, problem.record_id) == ("visit", bad)
    assert job.errors[0]["record"] == {"kind": "visit", "id": bad}
    _retry_what_waits(problem)
    sync()
    assert set(person.ours()) == {visit.pk for visit in visits}
    assert not Problem.objects.open().exists()
    quiet = sync(mode="full")
    assert (quiet.pulled, quiet.pushed, quiet.failed) == (0, 0, 0)


def _retry_what_waits(problem: Problem) -> None:
    """What was parked because its answer could not be saved is tried again by a person's press."""
    if problem.link_id:
        finish(retry(problem=problem, user=User.objects.create_user("olga")))


MOVING = {
    "reading it": (VisitsOfStream, "view", lambda bad: lambda self, visit: visit.pk == bad),
    "moving it": (VisitsOfStream, "_move", lambda bad: lambda self, decision: decision.pair.record_id == bad),
    "settling it": (
        local_half,
        "apply_effect",
        lambda bad: lambda decision, link, circumstances: decision.pair.record_id == bad,
    ),
    "writing down what was seen": (
        observations.Observations,
        "_notice",
        lambda bad: lambda self, link, record: link.record_id == bad,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("place", "error"), list(zip(MOVING, itertools.cycle(FAULTS))))
def test_a_record_that_cannot_be_taken_in_is_alone(place, error, dana, person, sync, make_visits, monkeypatch):
    visits = make_visits(dana.member, 5)
    bad = visits[2].pk
    sync()
    later = visits[0].scheduled_start + dt.timedelta(days=3)
    for visit_id, event in person.ours().items():
        person.move(event.id, later)
        assert visit_id
    owner, name, about = MOVING[place]
    with monkeypatch.context() as patch:
        plant(patch, owner, name, about(bad), error)
        job = sync()
    moved = set(Visit.objects.filter(scheduled_start=later).values_list("pk", flat=True))
    assert moved == {visit.pk for visit in visits} - {bad}
    assert not job.in_flight and job.status in (JobStatus.PARTIAL, JobStatus.SUCCEEDED)
    [problem] = Problem.objects.open()
    assert problem.record_id in (bad, Link.objects.get(record_id=bad).remote_id)
    sync(mode="full")
    assert Visit.objects.filter(scheduled_start=later).count() == 5
    assert not Problem.objects.open().filter(record_id=bad).exists()
    quiet = sync()
    assert (quiet.pulled, quiet.pushed, quiet.failed) == (0, 0, 0)


@pytest.mark.slow
def test_a_lost_answer_that_cannot_be_resolved_is_alone(dana, person, sync, vendors, make_visits, monkeypatch):
    """Its write stays open and is looked for before it is tried again, so that it is not made twice."""
    visits = make_visits(dana.member, 4)
    bad = visits[1].pk
    vendors.fault("drop_after_commit", method="POST", path=person.batch_path, times=1)
    with monkeypatch.context() as patch:
        plant(patch, writes, "resolved", lambda link, record: link.record_id == bad, ValueError)
        job = sync()
    assert (job.status, job.failed) == (JobStatus.PARTIAL, 1)
    assert set(person.ours()) == {visit.pk for visit in visits}  # `ours` fails where a visit has two
    [problem] = Problem.objects.open()
    assert problem.record_id == bad
    again = sync()
    assert (again.pushed, again.failed) == (0, 0)
    finish(retry(problem=problem, user=User.objects.create_user("olga")))
    assert set(person.ours()) == {visit.pk for visit in visits}
    assert not Problem.objects.open().exists()


@pytest.mark.slow
def test_a_write_that_our_side_cannot_send_is_alone(dana, google, person, sync, make_visits, monkeypatch):
    visits = make_visits(dana.member, 4)
    Visit.objects.filter(pk=visits[1].pk).update(title="Unsendable")
    real = HttpClient.request

    def request(self, method, url, **kwargs):
        if "Unsendable" in repr(kwargs):
            raise ValueError("planted")
        return real(self, method, url, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(HttpClient, "request", request)
        job = sync()
    assert (job.status, job.pushed, job.failed) == (JobStatus.PARTIAL, 3, 1)
    assert Problem.objects.open().get().record_id == visits[1].pk
    _retry_what_waits(Problem.objects.open().get())
    sync()
    assert len(person.ours()) == 4


@pytest.mark.slow
def test_what_kills_the_process_is_left_out_and_named(dana, person, sync, make_visits, monkeypatch):
    """A record at which the process itself dies: from the third attempt on it is known which one that is."""

    visits = make_visits(dana.member, 4)
    bad = visits[2].pk
    plant(monkeypatch, plan, "decide", lambda pair, policy: pair.record_id == bad, Killed)
    job = trigger_sync(workspace=dana.workspace, integration=dana.integration, triggered_by="api", actor="test")
    deaths = 0
    for _ in range(6):
        try:
            runner.run(job.pk)
        except Killed:
            deaths += 1
            SyncJob.objects.filter(pk=job.pk).update(lease_owner="", lease_until=None)
        job.refresh_from_db()
        if not job.in_flight:
            break
    assert job.status == JobStatus.PARTIAL
    assert deaths == 3
    assert Problem.objects.open().get().record_id == bad
    assert set(person.ours()) == {visit.pk for visit in visits} - {bad}


def test_a_database_that_is_away_is_no_records_fault(dana, sync, make_visits, monkeypatch):
    make_visits(dana.member, 2)
    plant(monkeypatch, writes.Writes, "intend", lambda self, items: True, OperationalError)
    with pytest.raises(OperationalError):
        sync()
    assert not Problem.objects.exists()


def test_a_constraint_that_fails_for_a_whole_account_fails_that_account(dana, sync, make_visits, monkeypatch):
    make_visits(dana.member, 2)
    plant(monkeypatch, VisitsOfStream, "count_unlinked", lambda self: True, IntegrityError)
    job = sync()
    assert (job.status, job.errors[0]["code"]) == (JobStatus.FAILED, "INTERNAL_ERROR")


# --- the halving itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [set(), {0}, {4}, {1, 2}, {0, 3, 6}, set(range(7))])
def test_what_fails_is_found_and_all_others_are_done_once(bad):
    done: list[int] = []
    failed: list[int] = []

    def work(some):
        if bad & set(some):
            raise ValueError
        done.extend(some)

    found = isolated(range(7), work, lambda item, error: failed.append(item), (RunEnds,))
    assert sorted(done) == sorted(set(range(7)) - bad)
    assert found == failed == sorted(bad)


def test_what_is_fatal_is_passed_on():
    def work(some):
        raise RunEnds

    with pytest.raises(RunEnds):
        isolated([1, 2], work, lambda item, error: None, (RunEnds,))
