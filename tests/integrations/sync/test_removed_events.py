"""A visit whose event its technician has removed: it is told among the errors, and put back, left or cancelled."""

import pytest

from fieldcamp.workspace.models import Visit, VisitStatus
from integrations.accounts.acting import KeyActor
from integrations.errors import ProblemCode
from integrations.models import Problem
from integrations.selectors.status import status
from integrations.services.decisions import AlreadyDecided
from integrations.services.jobs import trigger_sync
from integrations.services.removed_events import cancel_visit, leave_removed, put_back
from tests.integrations.engine import finish

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


@pytest.fixture
def removed(dana, person, sync, make_visits):
    """One of two visits, without its event, and the problem about it."""
    visit = make_visits(dana.member, 2)[0]
    sync()
    person.delete(person.ours()[visit.pk].id)
    job = sync()
    assert job.status == "succeeded" and job.errors[0]["code"] == "EVENT_REMOVED"
    return visit, Problem.objects.listed().get()


@pytest.mark.slow
def test_it_is_put_back_at_once(removed, dana, person, sync, workspace):
    visit, problem = removed
    [told] = status(workspace, dana.integration)["errors"]
    assert (told["code"], told["record"]) == ("EVENT_REMOVED", {"kind": "visit", "id": visit.pk})
    job = finish(put_back(problem=problem, user=KeyActor("olga")))
    assert (job.status, job.pushed, job.errors) == ("succeeded", 1, [])
    assert visit.pk in person.ours() and not Problem.objects.open().exists()
    with pytest.raises(AlreadyDecided):
        put_back(problem=problem, user=KeyActor("olga"))
    quiet = sync()
    assert (quiet.pulled, quiet.pushed, quiet.skipped) == (0, 0, 0)


@pytest.mark.slow
def test_what_is_put_back_while_a_job_runs_is_made_by_the_next(removed, dana, person, workspace, memory):
    visit, problem = removed
    job = trigger_sync(workspace=workspace, integration=dana.integration, triggered_by="api", actor="test")
    assert put_back(problem=problem, user=KeyActor("olga")) is None
    finish(job)
    assert visit.pk in person.ours()


@pytest.mark.slow
def test_what_a_person_leaves_removed_stays_so_until_an_edit(removed, person, sync, memory):
    visit, problem = removed
    leave_removed(problem=problem, user=KeyActor("olga"))
    for mode in ("incremental", "full"):
        assert (sync(mode=mode).pushed, Problem.objects.listed().count()) == (0, 0)
    assert visit.pk not in person.ours()
    Visit.objects.filter(pk=visit.pk).update(title="Edited")
    assert sync().pushed == 1
    assert visit.pk in person.ours()


@pytest.mark.slow
def test_cancelling_the_visit_ends_it(removed, person, sync, memory):
    visit, problem = removed
    cancel_visit(problem=problem, user=KeyActor("olga"))
    assert Visit.objects.get(pk=visit.pk).visit_status == VisitStatus.CANCELLED
    assert sync().errors == [] and visit.pk not in person.ours()


@pytest.mark.slow
def test_a_visit_that_is_given_to_somebody_else_is_no_problem_any_more(removed, sync, make_technician, memory):
    visit, _ = removed
    Visit.objects.filter(pk=visit.pk).update(technician=make_technician(first_name="Lee"))
    sync()
    assert not Problem.objects.listed().filter(code=ProblemCode.EVENT_REMOVED).exists()
