"""A calendar that is dead, forbidden or broken fails alone, by its name, and can be left."""

import datetime as dt
from dataclasses import replace

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Visit
from integrations import errors
from integrations.models import Connection, Link, Problem, Stream
from integrations.services.connections import set_up
from tests.integrations.sync.memory import MemoryClient

pytestmark = [pytest.mark.django_db, pytest.mark.engine]
GONE = errors.ContainerGone("This calendar is not there any more. Choose another calendar.")
FAULTS = [GONE, ValueError("A defect."),
          *(pytest.param(error, marks=pytest.mark.slow)
            for error in (errors.Rejected("No."), errors.Unavailable("Down."), errors.Gone("Gone.")))]  # fmt: skip


@pytest.fixture
def broken(memory, monkeypatch):
    """Makes all calls about one calendar fail, from some page of its listing on."""
    real = {name: getattr(MemoryClient, name) for name in ("changes", "get", "write")}
    state: dict = {}

    def changes(self, container_id, cursor, window):
        for number, page in enumerate(real["changes"](self, container_id, cursor, window)):
            if container_id == state.get("id") and number >= state["page"]:
                raise state["error"]
            yield page

    def other(name):
        def call(self, container_id, *args):
            if container_id == state.get("id"):
                raise state["error"]
            return real[name](self, container_id, *args)

        return call

    monkeypatch.setattr(MemoryClient, "changes", changes)
    monkeypatch.setattr(MemoryClient, "get", other("get"))
    monkeypatch.setattr(MemoryClient, "write", other("write"))

    def order(container_id: str, error: Exception | None, page: int = 0) -> None:
        state.update(id=container_id if error else None, error=error, page=page)

    return order


def busy(person, container_id: str, title: str, day: int) -> None:
    """A private event in one of the person's calendars."""
    event = person.add(title, timezone.now() + dt.timedelta(days=day))
    record = person.vendors.events(person.account, person.main).pop(event.id)
    name = f"{container_id} {day}"
    moved = replace(record, id=name, fields={**record.fields, "uid": f"{name}@memory.test"})
    person.vendors.put(person.vendors.events(person.account, container_id), moved)


def chosen(connection: Connection, target: str, *read: str) -> None:
    set_up(connection=connection, member=connection.member, target_container_id=target, busy_container_ids=list(read))


@pytest.mark.slow
@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("page", [0, 1])
def test_one_calendar_that_fails_is_alone(dana, person, sync, make_visits, broken, monkeypatch, error, page):
    person.small_pages(monkeypatch)
    chosen(dana, person.main, person.main, "family", "holidays")
    make_visits(dana.member, 3)
    for day in (1, 2, 3):
        busy(person, "family", "Surgery", day)
    sync()
    assert BlockedTime.objects.count() == 3
    broken("family", error, page)
    busy(person, "holidays", "Holiday", 8)
    for day in (4, 5, 6):
        busy(person, "family", "Surgery", day)
    person.add("Dentist", timezone.now() + dt.timedelta(days=9))
    Visit.objects.update(title="Retitled")
    for _ in range(1 if page else 2):  # what was read before the fault is behind the next run
        job = sync()
        assert job.status == "partial"
        [told] = job.errors
        assert told["connection_id"] == dana.pk and "Family" in told["message"] and "record" not in told
    assert all("Retitled" in event.title for event in person.ours().values())
    assert BlockedTime.objects.count() >= 3 + 2  # what is known of the broken one stays
    broken("family", None)
    assert sync().status == "succeeded"
    assert BlockedTime.objects.count() == 8
    assert not Problem.objects.open().exists()


def test_where_every_calendar_is_down_the_account_is(dana, person, sync, broken):
    broken(person.main, errors.Unavailable("Down."))
    job = sync()
    assert job.status == "failed"
    [problem] = Problem.objects.open()
    assert (problem.code, problem.record_id) == ("PROVIDER_UNAVAILABLE", "")


@pytest.mark.slow
@pytest.mark.parametrize("read", [True, False])
def test_a_target_that_is_not_there_any_more_can_be_left(dana, person, sync, make_visits, broken, read):
    visits = make_visits(dana.member, 4)
    chosen(dana, "family", *([person.main] if read else []))
    sync()
    broken("family", GONE)
    told = {"was not to be found": "partial" if read else "failed", "is not there any more": "partial"}
    for said, status in told.items():  # once may be a mistake of theirs
        job = sync()
        assert job.status == status
        assert "Family" in job.errors[0]["message"] and said in job.errors[0]["message"]
    chosen(dana, person.main, *([person.main] if read else []))
    assert not Problem.objects.open().exists()
    sync()
    assert set(person.ours()) == {visit.pk for visit in visits}
    for mode in ("incremental", "full"):
        quiet = sync(mode=mode)
        assert (quiet.status, quiet.pulled, quiet.pushed, quiet.errors) == ("succeeded", 0, 0, [])


def test_a_dead_calendar_that_is_read_no_more_is_no_problem(dana, person, sync, broken):
    chosen(dana, person.main, person.main, "family")
    broken("family", GONE)
    assert sync().status == "partial"
    chosen(dana, person.main, person.main)
    assert not Problem.objects.open().exists()
    assert sync().status == "succeeded"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "read"), [(GONE, True), (errors.ContainerUnavailable("Read only."), False)], ids=["gone", "read-only"]
)
def test_a_calendar_that_was_let_go_is_taken_up_again_when_it_comes_back(
    dana, person, sync, make_visits, memory_vendor, broken, clock, error, read
):
    """Its events are told of as given up, and removed once that is possible: their visits are elsewhere by then."""
    visits = make_visits(dana.member, 4)
    chosen(dana, "family", "family")
    sync()
    chosen(dana, person.main, *(["family"] if read else []))
    if error is GONE:
        broken("family", error)
        sync()  # once may be a mistake of theirs
    else:
        memory_vendor.read_only.add("family")
    job = sync()
    told = job.items.filter(message__contains="given up")
    assert told.count() == 4 and job.failed == 0
    assert job.status == ("partial" if read and error is GONE else "succeeded")
    problem = Problem.objects.open().get()
    assert problem.record_kind == "stream" and "Family" in problem.message
    assert problem.notice == (job.status == "succeeded")
    assert set(person.ours()) == {visit.pk for visit in visits}
    for _ in range(2):
        assert sync().pushed == 0
    broken("family", None)
    memory_vendor.read_only.clear()
    clock.reach(timezone.now() + dt.timedelta(days=1, minutes=1))
    assert sync().pushed + sync().pushed == 4
    there = memory_vendor.events(person.account, "family").values()
    assert not [record for record in there if not record.gone and record.marker]
    assert not Problem.objects.open().exists()
    assert set(person.ours()) == {visit.pk for visit in visits}
    quiet = sync()
    assert (quiet.status, quiet.pulled, quiet.pushed) == ("succeeded", 0, 0)


@pytest.mark.slow
def test_nothing_is_let_go_for_what_one_run_has_seen(dana, person, sync, make_visits, broken):
    visits = make_visits(dana.member, 3)
    chosen(dana, "family")
    sync()
    chosen(dana, person.main)
    broken("family", GONE)
    sync()
    assert Link.objects.live().filter(stream__container_id="family").count() == len(visits)
    broken("family", None)
    sync()
    held = person.vendors.events(person.account, "family")
    assert all(event.gone for event in held.values())  # found again: nothing was left behind
    assert not Stream.objects.exclude(missing_in="").exists()
