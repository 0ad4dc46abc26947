"""A connected technician, both sides of the sync at hand, and the time between them."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import Visit, VisitStatus
from integrations.jobs import runner, sweeper
from integrations.models import Connection, SyncJob
from integrations.queue.lease import Lease, LeaseLost
from integrations.services.connections import set_up, take_grant
from integrations.services.jobs import trigger_sync
from tests.faketime import ProcessClock, moved_clock, process_clock
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
    monkeypatch.setattr("integrations.jobs.sweeper.ring", rung.append)
    return rung


class Heartbeat:
    """The heartbeats of the workers in this process, driven by the moved clock or by hand.

    The real one is a thread with a database connection of its own, which would wait for the test's open transaction
    for ever (`tests/integrations/queue/test_heartbeat.py` has it).
    """

    def __init__(self) -> None:
        self.leases: list[Lease] = []
        self.stopped = False

    def beat(self) -> None:
        for lease in [] if self.stopped else list(self.leases):
            try:
                lease.assert_held()
            except LeaseLost:
                self.leases.remove(lease)

    def stop(self) -> None:
        """The workers are paused as by SIGSTOP, or cannot write: time goes on without them."""
        self.stopped = True


@pytest.fixture
def heartbeat() -> Iterator[Heartbeat]:
    made = Heartbeat()

    def enter(lease: Lease) -> Lease:
        made.leases.append(lease)
        return lease

    def leave(lease: Lease, *_error: object) -> None:
        if lease in made.leases:
            made.leases.remove(lease)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lease, "__enter__", enter)
        patch.setattr(Lease, "__exit__", leave)
        yield made


@pytest.fixture(autouse=True)
def clock(heartbeat) -> Iterator[ProcessClock]:
    """Sunday, 22 November 2026, 8 o'clock UTC, going on from there."""
    with moved_clock() as clock:
        clock.beat = heartbeat.beat
        yield clock


PEOPLE = (Memory, Google, Outlook)


def pytest_generate_tests(metafunc):
    """Every test runs once for each vendor's people; one that names a vendor's fixture only with those.

    Where a test is about the engine alone (`engine`), the vendor in memory is enough for every day, and with a few of
    them (`engine(daily="sandbox")`) Outlook in the sandbox, whose listings say less than Google's. What the vendors'
    own sides promise is in their tests and in the contract of all clients. One leg is tried on each database.
    """
    if "people" not in metafunc.fixturenames:
        return
    named = [people for people in PEOPLE if people.__name__.lower() in metafunc.fixturenames]
    spare: set[type[Person]] = set()
    if engine := metafunc.definition.get_closest_marker("engine"):
        spare = {Google} if engine.kwargs.get("daily") == "sandbox" else {Google, Outlook}
    if len(named) == 1:
        spare = set()
    legs = [
        pytest.param(
            people,
            marks=[*[pytest.mark.slow] * (people in spare), *[pytest.mark.once] * (not named and people is not Memory)],
        )
        for people in named or PEOPLE
    ]
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
def vendors_of(request, clock):
    """The vendor of these people, wherever it lives."""

    def at(people: type[Person]):
        vendors = request.getfixturevalue(people.world)
        if people.world == "sandbox":
            clock.follow(vendors.adapter)
        return vendors.at(people.vendor)

    return at


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
    """Works on a job as a worker does, slice by slice, each when it is due and not before."""
    for _ in range(50):
        runner.run(job.pk)
        job.refresh_from_db()
        if not job.in_flight:
            return job
        process_clock().reach(job.run_after)
    raise AssertionError(f"{job.pk} does not end: {job.status}")


def abandoned(job: SyncJob) -> None:
    """The worker is dead: its lease runs out, and the sweeper finds that."""
    job.refresh_from_db()
    process_clock().reach(job.lease_until + dt.timedelta(seconds=1))
    sweeper.sweep(process_clock().now)
    job.refresh_from_db()


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
