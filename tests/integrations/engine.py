"""A connected technician, and both sides of the sync at hand."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import Visit, VisitStatus
from integrations.jobs import runner
from integrations.models import Connection, SyncJob
from integrations.services.connections import set_up, take_grant
from integrations.services.jobs import trigger_sync
from integrations.transport.client import HttpClient
from tests.integrations.sync.google import Google
from tests.integrations.sync.memory import Memory
from tests.integrations.sync.outlook import Outlook
from tests.integrations.sync.people import Person


@pytest.fixture(autouse=True)
def quiet_queue(monkeypatch):
    """Tests run jobs themselves; what would be rung for is kept here."""
    rung: list[str] = []
    monkeypatch.setattr("integrations.queue.ring.ring", rung.append)
    monkeypatch.setattr("integrations.jobs.runner.ring", rung.append)
    return rung


@pytest.fixture(autouse=True)
def no_heartbeat(monkeypatch):
    """The heartbeat has a connection of its own, which would wait for the test's open transaction for ever."""
    monkeypatch.setattr("integrations.queue.lease.BEAT", 3600.0)


@pytest.fixture
def no_naps(monkeypatch):
    """Nobody waits for a vendor that asks for patience, or before a call is sent again."""
    monkeypatch.setattr("integrations.jobs.streams.time.sleep", lambda seconds: None)
    monkeypatch.setitem(HttpClient.__init__.__kwdefaults__, "sleep", lambda seconds: None)


PEOPLE = (Memory, Google, Outlook)


def pytest_generate_tests(metafunc):
    """Every test runs once for each vendor's people; one that names a vendor's fixture only with those.

    Where a test is about the engine alone (`engine`), one vendor in the sandbox is enough for every day: Outlook, whose
    listings say less. What Google's own side promises is in its tests and in the contract of all clients. Where many
    runs differ only in the moment at which something happens (`engine(daily="memory")`), even that one is spared.
    """
    if "people" not in metafunc.fixturenames:
        return
    named = [people for people in PEOPLE if people.__name__.lower() in metafunc.fixturenames]
    spare: set[type[Person]] = set()
    if engine := metafunc.definition.get_closest_marker("engine"):
        spare = {Google, Outlook} if engine.kwargs.get("daily") == "memory" else set() if named else {Google}
    legs = [pytest.param(people, marks=[pytest.mark.slow] if people in spare else []) for people in named or PEOPLE]
    metafunc.parametrize("people", legs, ids=lambda people: people.vendor, indirect=True)


@pytest.fixture
def people(request) -> type[Person]:
    return request.param


@pytest.fixture
def google(person) -> Person:
    """For tests of what only Google has."""
    return person


@pytest.fixture
def outlook(person) -> Person:
    """For tests of what only Outlook has."""
    return person


@pytest.fixture
def vendors_of(request):
    """The vendor of these people, wherever it lives."""
    return lambda people: request.getfixturevalue(people.world).at(people.vendor)


@pytest.fixture
def vendors(vendors_of, people):
    return vendors_of(people)


@pytest.fixture
def person(vendors, people) -> Person:
    vendors.throttle(False)
    return people(vendors)


@pytest.fixture
def connect(workspace, vendors_of, make_technician, people):
    """Connects an account to a technician, as the connect flow does after the consent."""

    def make(name: str = "dana", busy: bool = True, kind: type[Person] = people, member=None, **choices) -> Connection:
        vendors = vendors_of(kind)
        account, tokens = kind.granted(vendors, name)
        connection = take_grant(
            workspace=workspace, integration=kind.integration, account=account, tokens=tokens, user=None
        )
        main = kind(vendors, name).main
        return set_up(
            connection=connection,
            member=member or make_technician(first_name=name.title(), email=account.name),
            target_container_id=main,
            busy_container_ids=[main] if busy else [],
            **choices,
        )

    return make


@pytest.fixture
def dana(connect) -> Connection:
    return connect()


@pytest.fixture
def sync(workspace, people):
    """Triggers a sync, runs it to its end and gives the finished job."""

    def run(mode: str = "incremental", integration: str = people.integration, **fields) -> SyncJob:
        job = trigger_sync(
            workspace=workspace, integration=integration, mode=mode, triggered_by="api", actor="test", **fields
        )
        return finish(job)

    return run


def finish(job: SyncJob) -> SyncJob:
    for _ in range(50):
        SyncJob.objects.filter(pk=job.pk).update(run_after=None)
        runner.run(job.pk)
        job.refresh_from_db()
        if not job.in_flight:
            return job
    raise AssertionError(f"{job.pk} does not end: {job.status}")


@pytest.fixture
def make_visits(workspace, make_client):
    """Visits of a technician, an hour each, from tomorrow nine o'clock on."""

    def make(member, count: int, **fields) -> list[Visit]:
        client = make_client(first_name="Kim", last_name="Reed")
        first = (timezone.now() + dt.timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
        return Visit.objects.bulk_create(
            [
                Visit(
                    **{
                        "workspace": workspace,
                        "client": client,
                        "technician": member,
                        "title": f"Leak {number}",
                        "scheduled_start": first + dt.timedelta(hours=number),
                        "scheduled_end": first + dt.timedelta(hours=number + 1),
                        "visit_status": VisitStatus.SCHEDULED,
                    }
                    | fields
                )
                for number in range(count)
            ]
        )

    return make


def counts(job: SyncJob) -> dict[str, int]:
    return {name: getattr(job, name) for name in ("pulled", "pushed", "skipped", "failed")}
