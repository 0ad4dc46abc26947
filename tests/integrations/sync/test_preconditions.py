"""Events that are changed between our look and our write: the refusal is looked into and decided, and is no error."""

import datetime as dt

import pytest

from fieldcamp.workspace.models import Visit, VisitStatus
from integrations.models import Problem
from tests.integrations.sync.google import Google
from tests.integrations.sync.outlook import Outlook

pytestmark = pytest.mark.django_db
REFUSALS = {
    Google: [(412, {"error": {"code": 412, "errors": [{"reason": "conditionNotMet", "locationType": "header"}]}})],
    Outlook: [(status, {"error": {"code": "ErrorIrresolvableConflict", "message": "The send or update operation could"
                                  " not be performed because the change key passed in the request does not match the"
                                  " current change key for the item."}}) for status in (412, 409)],
}  # fmt: skip
EVENT = "/events/"


@pytest.fixture
def sandboxed(people):
    """Only for vendors that speak HTTP."""
    if people not in REFUSALS:
        pytest.skip("The vendor in memory has no statuses.")


def quiet(job) -> bool:
    return (job.pulled, job.pushed, job.failed, job.errors) == (0, 0, 0, [])


@pytest.mark.slow
def test_a_refused_precondition_is_read_again_and_decided(sandboxed, dana, people, person, vendors, sync, make_visits):
    visits = make_visits(dana.member, 2)
    sync()
    for status, body in REFUSALS[people]:
        Visit.objects.filter(pk=visits[0].pk).update(title=f"Retitled {status}")
        vendors.fault("status", path=EVENT, method="PATCH", status=status, body=body)
        job = sync()
        assert (job.status, job.pushed, job.failed, job.errors) == ("succeeded", 1, 0, [])
        assert f"Retitled {status}" in person.ours()[visits[0].pk].title
    for visit, (status, body) in zip(visits, [*REFUSALS[people]] * 2, strict=False):
        Visit.objects.filter(pk=visit.pk).update(visit_status=VisitStatus.CANCELLED)
        vendors.fault("status", path=EVENT, method="DELETE", status=status, body=body)
        job = sync()
        assert (job.status, job.pushed, job.failed, job.errors) == ("succeeded", 1, 0, [])
    assert not person.ours() and quiet(sync()) and not Problem.objects.open().exists()


@pytest.mark.slow
def test_one_that_is_refused_for_ever_is_its_own_problem_and_ends_by_itself(
    sandboxed, dana, people, person, vendors, sync, make_visits
):
    visits = make_visits(dana.member, 2)
    sync()
    events = person.ours()
    for visit in visits:
        Visit.objects.filter(pk=visit.pk).update(title="Retitled")
    for status, body in REFUSALS[people]:
        vendors.fault("status", path=events[visits[0].pk].id, method="PATCH", status=status, body=body, times=1000)
        job = sync()
        assert job.status == "partial" and job.failed == 1
        assert "keeps changing" in Problem.objects.open().get().message
        vendors.heal()
    assert "Retitled" in person.ours()[visits[1].pk].title
    assert sync().errors == [] and "Retitled" in person.ours()[visits[0].pk].title
    assert quiet(sync()) and not Problem.objects.open().exists()


@pytest.mark.engine(daily="sandbox")
def test_an_event_that_its_owner_moves_just_before_we_remove_it(
    sandboxed, dana, people, person, vendors, sync, make_visits
):
    [visit] = make_visits(dana.member, 1)
    sync()
    event, done = person.ours()[visit.pk], []

    def move_it_first(path, send):
        if people.batch in path and not done:
            done.append(path)
            person.move(event.id, visit.scheduled_start + dt.timedelta(days=3))
        return send()

    Visit.objects.filter(pk=visit.pk).update(visit_status=VisitStatus.CANCELLED)
    heal = vendors.around(move_it_first)
    job = sync()
    heal()
    assert done and (job.status, job.failed, job.errors) == ("succeeded", 0, [])
    sync()
    assert not person.ours() and quiet(sync()) and not Problem.objects.open().exists()
