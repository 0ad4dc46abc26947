"""A refusal of the whole calendar is no record's fault: it is one problem of the calendar, by its name, and what waits
is written by the first run that may."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Visit
from integrations import errors
from integrations.models import Link, Problem
from integrations.records import WriteResult
from integrations.services.connections import set_up
from tests.integrations.sync.memory import MemoryClient

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


@pytest.mark.slow
def test_edits_wait_for_a_calendar_that_may_only_be_read(dana, person, sync, make_visits, memory, settings):
    settings.PAUSE_AFTER_FAILURES = 1
    make_visits(dana.member, 30)  # more than a batch
    sync()
    memory.read_only.add(person.main)
    Visit.objects.update(title="Retitled")
    make_visits(dana.member, 1, title="New")
    person.add("Dentist", timezone.now() + dt.timedelta(days=3))
    for mode in ("incremental", "full"):
        memory.forget_requests()
        job = sync(mode=mode)
        assert (job.status, job.pushed, job.failed) == ("partial", 0, 0)
        [told] = job.errors
        assert told["code"] == "CALENDAR_UNAVAILABLE" and "“Calendar”" in told["message"] and "record" not in told
        assert len(memory.requests("/batch")) <= 2  # a look, and the one try that tells whether it is over
    assert Problem.objects.open().count() == 1
    assert BlockedTime.objects.count() == 1  # it is read all the same
    assert not Link.objects.filter(parked=True).exists()
    dana.refresh_from_db()
    assert (dana.state, dana.failures) == ("active", 0)
    memory.read_only.clear()
    job = sync()
    assert (job.status, job.pushed, job.errors) == ("succeeded", 31, [])
    assert sorted(event.title[:8] for event in person.ours().values()) == ["New · Ki", *["Retitled"] * 30]
    assert not Problem.objects.open().exists()
    quiet = sync()
    assert (quiet.pulled, quiet.pushed) == (0, 0)


@pytest.mark.slow
def test_the_first_sync_into_a_calendar_that_may_only_be_read_is_made_up_for(dana, person, sync, make_visits, memory):
    memory.read_only.add(person.main)
    visits = make_visits(dana.member, 3)
    assert sync().status == sync().status == "partial"
    memory.read_only.clear()
    assert sync().status == "succeeded"
    assert set(person.ours()) == {visit.pk for visit in visits}


@pytest.mark.slow
@pytest.mark.parametrize("writable", [True, False])
def test_what_is_said_of_one_event_among_others_is_believed_of_the_calendar_only_where_that_says_so_too(
    dana, person, sync, make_visits, memory, monkeypatch, writable
):
    """Vendors refuse single events (those of other organizers, say) in the words for a whole calendar."""
    visits = make_visits(dana.member, 4)
    bad, real = visits[1].pk, MemoryClient.write

    def write(self, container_id, operations):
        taken = {result.key: result for result in real(self, container_id, [o for o in operations if o.key != bad])}
        refusal = errors.ContainerUnavailable("No.", doubtful=True)
        if not writable:
            memory.read_only.add(container_id)
        return [taken.get(operation.key) or WriteResult(operation.key, error=refusal) for operation in operations]

    with monkeypatch.context() as patch:
        patch.setattr(MemoryClient, "write", write)
        job = sync()
    assert (job.status, job.pushed) == ("partial", 3)
    [problem] = Problem.objects.open()
    if writable:
        assert (problem.code, problem.record_id) == ("RECORD_REJECTED", bad)
        return
    assert (problem.code, problem.record_kind) == ("CALENDAR_UNAVAILABLE", "stream")
    memory.read_only.clear()
    assert sync().status == "succeeded"
    assert len(person.ours()) == 4 and not Problem.objects.open().exists()


@pytest.mark.slow
def test_an_account_without_a_mailbox_goes_on_by_itself_when_it_has_one(
    dana, person, sync, make_visits, memory, monkeypatch, settings
):
    settings.PAUSE_AFTER_FAILURES = 1
    set_up(connection=dana, member=dana.member, target_container_id=person.main,
           busy_container_ids=[person.main, "family"])  # fmt: skip
    make_visits(dana.member, 2)

    def nothing(self, container_id, cursor, window):
        raise errors.MailboxUnavailable("It has no licence.")

    with monkeypatch.context() as patch:
        patch.setattr(MemoryClient, "changes", nothing)
        for _ in range(2):
            assert sync().status == "failed"
    [problem] = Problem.objects.open()
    assert (problem.code, problem.record_id) == ("CALENDAR_UNAVAILABLE", "")
    dana.refresh_from_db()
    assert dana.state == "active"
    assert sync().status == "succeeded" and not Problem.objects.open().exists()


def test_every_error_says_what_it_is_about():
    """Whoever adds one decides what waits for it."""

    def kinds(base):
        return {base, *(kind for child in base.__subclasses__() for kind in kinds(child))}

    about = {kind.__name__: kind.about for kind in kinds(errors.ProviderError)}
    records = {"ProviderError", "Rejected", "Stale", "Gone", "Duplicate"}
    assert {name for name, subject in about.items() if subject == "record"} == records
    containers = {"Unavailable", "TimedOut", "Endless", "ContainerMissing", "ContainerUnavailable", "ContainerGone",
                  "CursorExpired", "SettingMissing", "PushUnsupported"}  # fmt: skip
    assert {name for name, subject in about.items() if subject == "container"} == containers
    assert {name for name, subject in about.items() if subject == "app"} == {"Misconfigured", "PushMisconfigured"}


@pytest.mark.slow
def test_googles_own_words_for_a_calendar_that_may_only_be_read(dana, google, person, sync, make_visits, vendors):
    make_visits(dana.member, 3)
    sync()
    Visit.objects.update(title="Retitled")
    body = {"error": {"errors": [{"domain": "calendar", "reason": "requiredAccessLevel"}], "code": 403}}
    vendors.fault("status", method="PATCH", path="/events/", times=3, status=403, body=body)
    job = sync()
    assert (job.status, job.failed, job.errors[0]["code"]) == ("partial", 0, "CALENDAR_UNAVAILABLE")
    job = sync()
    assert (job.status, job.pushed, job.errors) == ("succeeded", 3, [])
