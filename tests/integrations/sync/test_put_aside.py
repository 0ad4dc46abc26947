"""What a person has put aside has not failed; and every problem ends where it was opened."""

import pytest
from django.utils import timezone

from integrations.accounts.acting import KeyActor
from integrations.accounts.disconnecting import disconnect
from integrations.errors import ProblemCode
from integrations.kinds import SubjectKind
from integrations.ledger.problems import open_problem
from integrations.models import Connection, Hold, Link, Problem, Stream, WorkspaceIntegration
from integrations.selectors.status import status
from integrations.services.decisions import ignore, unignore

pytestmark = [pytest.mark.django_db, pytest.mark.engine]
OLGA = KeyActor("olga")
# Ends with the person's coming back, not with a run: none is made while they are away.
BY_ITS_STATE = ProblemCode.MEMBER_INACTIVE
# A calendar that had to be read anew, or holds what is not understood, says itself when that is over.
BY_ITSELF = (ProblemCode.FULL_SYNC_FORCED, ProblemCode.RECORD_UNREADABLE)


@pytest.fixture(autouse=True)
def memory(memory_vendor):
    """The vendor in memory is enough."""


@pytest.fixture
def in_doubt(dana, person, sync, make_visits):
    """One of three visits, moved on both sides to other times, with the question which is right."""
    Stream.objects.filter(connection=dana).update(policy="ask")
    visit, *_others = make_visits(dana.member, 3)
    sync()
    _move(visit, person, hours=20)
    assert sync().failed == 1
    return visit, Problem.objects.listed().get()


def _move(visit, person, hours: int) -> None:
    visit.refresh_from_db()
    event, start = person.ours()[visit.pk], visit.scheduled_start
    person.move(event.id, start + hours * (visit.scheduled_end - visit.scheduled_start))
    visit.title = f"Edited {hours}"
    visit.scheduled_start, visit.scheduled_end = (
        moment + (hours + 5) * (visit.scheduled_end - visit.scheduled_start)
        for moment in (visit.scheduled_start, visit.scheduled_end)
    )
    visit.save()


def test_what_is_ignored_is_skipped_and_the_run_has_gone_well(in_doubt, dana, person, sync, workspace):
    _visit, problem = in_doubt
    ignore(problem=problem, user=OLGA)
    for mode in ("incremental", "full"):
        Link.objects.filter(parked=True).update(parked=False, unsettled=True)  # so that it is met again
        before = timezone.now()
        job = sync(mode=mode)
        assert (job.status, job.failed, job.skipped >= 1, job.errors) == ("succeeded", 0, True, [])
        assert "somebody ignores" in job.items.get(message__contains="ignores").message
        assert WorkspaceIntegration.objects.get().last_synced_at >= before
        assert Connection.objects.get().last_synced_at >= before
    shown = status(workspace, dana.integration)
    assert shown["errors"] == [] and shown["last_synced_at"] is not None


def test_what_is_ignored_is_tried_and_fails_again_as_soon_as_it_is_edited(in_doubt, person, sync):
    visit, problem = in_doubt
    ignore(problem=problem, user=OLGA)
    _move(visit, person, hours=40)
    job = sync()
    assert (job.status, job.failed) == ("partial", 1)
    assert Problem.objects.listed().get().pk == problem.pk  # awake again


def test_what_is_brought_back_is_a_failure_again(in_doubt, sync):
    _visit, problem = in_doubt
    ignore(problem=problem, user=OLGA)
    unignore(problem=problem, user=OLGA)
    Link.objects.filter(parked=True).update(parked=False, unsettled=True)
    assert sync().failed == 1


@pytest.mark.parametrize("code", [code for code in ProblemCode if code != BY_ITS_STATE])
@pytest.mark.parametrize("level", ["account", "calendar"])
def test_a_good_run_of_the_same_scope_ends_what_was_open(ready, sync, code, level):
    if level == "calendar" and code in BY_ITSELF:
        return
    stream = ready.streams.get(is_target=True)
    about = {"kind": SubjectKind.STREAM, "record_id": stream.pk} if level == "calendar" else {}
    problem = open_problem(ready, code, "The whole of it was refused.", now=timezone.now(), **about)
    assert sync().status == "succeeded"
    problem.refresh_from_db()
    assert problem.resolved_at is not None


@pytest.fixture
def ready(dana, sync):
    assert sync().status == "succeeded"
    return dana


def test_disconnecting_ends_all_that_was_open_and_what_waited_is_asked_anew(in_doubt, dana, sync):
    stream = dana.streams.get(is_target=True)
    now = timezone.now()
    for number, code in enumerate(ProblemCode):
        open_problem(dana, code, "Open.", now=now, notice=number % 2 == 0)
        open_problem(dana, code, "Open.", now=now, kind=SubjectKind.STREAM, record_id=stream.pk)
        open_problem(dana, code, "Open.", now=now, kind="visit", record_id=f"vis_{number}")
    Link.objects.update(hold=Hold.objects.create(stream=stream, removals=1, of=3))
    disconnect(connection=dana, user=OLGA)
    assert not Problem.objects.open().exists() and not Hold.objects.exists()
    assert not Link.objects.filter(parked=True).exists() and Link.objects.filter(unsettled=True).exists()


@pytest.mark.parametrize(
    ("change", "wakes"),
    [
        ({}, False),
        ({"message": "Another sentence."}, True),
        ({"data": {"reason": "closed_period"}}, True),
        ({"met_as": {"seq": 7, "tag": "a"}}, False),
        ({"met_as": {"seq": None, "tag": ""}}, False),
        ({"met_as": {"seq": 8, "tag": "a"}}, True),
        ({"met_as": {"seq": 7, "tag": "b"}}, True),
    ],
)
def test_what_is_ignored_wakes_when_it_is_another(dana, change, wakes):
    first = {"message": "Refused.", "data": {"reason": "limits"}, "met_as": {"seq": 7, "tag": "a"}}
    problem = _meet(dana, **first)
    ignore(problem=problem, user=OLGA)
    again = _meet(dana, **(first | change))
    assert again.pk == problem.pk and (again.ignored_at is None) is wakes


def _meet(connection, message, **fields):
    about = {"kind": "visit", "record_id": "vis_1", "now": timezone.now()}
    return open_problem(connection, ProblemCode.RECORD_REJECTED, message, **about, **fields)
