"""What a vendor says in a bad hour ends no account: what only a person can mend takes more than one answer of an API,
and what was concluded wrongly heals by itself."""

import pytest
from django.core import mail

from fieldcamp.workspace.models import Visit
from integrations.models import Connection, Problem, SyncJob
from integrations.queue.enqueue import create_job
from tests.integrations.engine import finish
from tests.integrations.providers.test_no_answers import NO_ANSWERS

pytestmark = [pytest.mark.django_db, pytest.mark.engine(daily="sandbox")]


@pytest.fixture
def sandboxed(google, outlook):
    """For tests of the vendors that speak HTTP."""


@pytest.fixture
def refuse(vendors, person):
    """The API refuses every access from now on, the token endpoint is well."""
    return lambda times=10**6: vendors.fault("status", status=401, path=f"^{person.api}", times=times)


@pytest.fixture
def by_schedule(workspace, person):
    def run() -> SyncJob:
        job = create_job(workspace=workspace, integration=person.integration, triggered_by="schedule", actor="schedule")
        return finish(job)

    return run


@pytest.mark.slow
def test_ten_minutes_of_refusals_disconnect_nobody(sandboxed, dana, vendors, sync, make_visits, refuse, clock):
    make_visits(dana.member, 2)
    refuse(3)
    assert sync().pushed == 2  # three in a row are tried again at once
    for minutes in (0, 5, 4):
        clock.move(60 * minutes)
        refuse()
        job = sync()
        assert job.status == "failed"
        assert [error["code"] for error in job.errors] == ["PROVIDER_UNAVAILABLE"]
        assert Connection.objects.get().state == "active"
        vendors.heal()
    clock.move(600)
    assert sync().status == "succeeded"
    assert not Problem.objects.open().exists() and not mail.outbox
    refuse()  # a day later, say: what was refused before that one is forgotten
    assert sync().errors[0]["code"] == "PROVIDER_UNAVAILABLE"
    assert Connection.objects.get().state == "active"


@pytest.mark.slow
def test_a_refusal_that_lasts_is_believed_and_tried_again(
    sandboxed, dana, vendors, sync, make_visits, refuse, clock, by_schedule
):
    make_visits(dana.member, 1)
    refuse()
    sync()
    clock.move(601)
    assert [error["code"] for error in sync().errors] == ["NEEDS_RECONNECT"]
    assert Connection.objects.get().state == "needs_reconnect"
    clock.move(3601)
    assert by_schedule().status == "failed"
    assert Connection.objects.get().state == "needs_reconnect" and Problem.objects.open().count() == 1
    clock.move(1800)
    vendors.heal()
    vendors.forget_requests()
    by_schedule()
    assert not vendors.requests()  # once an hour is enough
    clock.move(1801)
    assert by_schedule().pushed == 1
    connection = Connection.objects.get()
    assert (connection.state, connection.state_reason, connection.refused_at) == ("active", "", None)
    assert not Problem.objects.open().exists()


@pytest.mark.slow
def test_the_word_of_the_token_endpoint_is_final(google, dana, person, vendors, sync, clock, by_schedule):
    sync()
    vendors.revoke(person.account)
    assert sync().errors[0]["code"] == "NEEDS_RECONNECT"
    clock.move(86_400)
    vendors.forget_requests()
    by_schedule()
    assert not vendors.requests()


@pytest.mark.slow
def test_one_answer_that_a_calendar_is_not_there_is_no_proof(
    sandboxed, dana, person, vendors, sync, make_visits, clock
):
    visits = make_visits(dana.member, 2)
    sync()
    vendors.fault("status", status=404, path=person.listing + r"$", times=1)
    assert (sync().status, Problem.objects.open().count()) == ("succeeded", 0)
    for _ in range(2):
        vendors.fault("status", status=404, path=person.listing + r"$", times=2)
        [told] = sync().errors
        assert told["code"] == "PROVIDER_UNAVAILABLE" and "not there any more" not in told["message"]
    vendors.heal()
    assert (sync().status, Problem.objects.open().count()) == ("succeeded", 0)
    assert len(person.ours()) == len(visits)


@pytest.mark.slow
@pytest.mark.parametrize("by_hand", [True, False])
def test_a_pause_of_ours_ends_with_the_trouble(
    memory, dana, vendors, sync, make_visits, settings, clock, by_schedule, by_hand
):
    settings.PAUSE_AFTER_FAILURES = 2
    make_visits(dana.member, 1)
    vendors.fault("status", status=503, times=10**6)
    sync(), sync()
    assert Connection.objects.get().state == "paused"
    vendors.heal()
    assert by_schedule().pushed == 0  # not before its time
    if not by_hand:
        clock.move(6 * 3600 + 1)
    assert (sync if by_hand else by_schedule)().pushed == 1
    connection = Connection.objects.get()
    assert (connection.state, connection.retry_at) == ("active", None)


@pytest.mark.slow
def test_a_write_that_is_not_answered_is_looked_for(sandboxed, dana, person, vendors, sync, make_visits):
    visits = make_visits(dana.member, 3)
    sync()
    kind, body = NO_ANSWERS["a sign-in page"]
    spec = {"path": person.batch_path, "status": 200, "body": body, "headers": {"Content-Type": kind}}
    Visit.objects.update(title="Retitled")
    visits += make_visits(dana.member, 1, title="New")
    vendors.fault("status", **spec, times=10**6)
    assert {error["code"] for error in sync().errors} == {"PROVIDER_UNAVAILABLE"}
    vendors.heal()
    vendors.fault("status", **spec, times=1)
    job = sync()
    assert (job.status, job.errors) == ("succeeded", [])
    assert set(person.ours()) == {visit.pk for visit in visits}
