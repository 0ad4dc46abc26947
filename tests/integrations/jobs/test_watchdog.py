"""A cluster that hangs is told from one that is busy, idle, or shares its queue with others."""

import datetime as dt

import pytest

from integrations.jobs import watchdog
from integrations.models import Heartbeat
from integrations.queue import shutdown
from tests.integrations import build
from tests.integrations.build import NOW

pytestmark = pytest.mark.django_db

SECOND = dt.timedelta(seconds=1)
MINE = "cluster-a"


def beat(name: str, at: dt.datetime) -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"at": at})


@pytest.fixture
def dog() -> watchdog.Watchdog:
    return watchdog.Watchdog(MINE, NOW)


def test_nothing_asked_nothing_wrong(dog):
    assert not dog.is_stuck(NOW + 3600 * SECOND)


def test_a_pulse_that_does_not_come_back(dog):
    dog.send(NOW + SECOND)
    assert not dog.is_stuck(NOW + 25 * SECOND)
    assert dog.is_stuck(NOW + 26 * SECOND)


def test_a_pulse_that_came_back(dog):
    dog.send(NOW + SECOND)
    beat(f"sent:{MINE}", NOW + 2 * SECOND)
    beat(f"ran:{MINE}", NOW + 2 * SECOND)
    assert not dog.is_stuck(NOW + 60 * SECOND)


def test_a_busy_cluster_is_not_stuck(dog):
    """Its pulse waits in a long queue; meanwhile it runs other tasks, or one long job whose lease it renews."""
    dog.send(NOW + SECOND)
    beat(f"ran:{MINE}", NOW + 20 * SECOND)
    assert not dog.is_stuck(NOW + 40 * SECOND)
    build.job(build.workspace(), "running", lease_owner=f"{MINE}:1", heartbeat_at=NOW + 60 * SECOND)
    assert not dog.is_stuck(NOW + 80 * SECOND)


def test_another_clusters_work_is_no_sign_of_life(dog):
    dog.send(NOW + SECOND)
    beat("ran:cluster-b", NOW + 20 * SECOND)
    build.job(build.workspace(), "running", lease_owner="cluster-b:1", heartbeat_at=NOW + 20 * SECOND)
    assert dog.is_stuck(NOW + 30 * SECOND)


def test_among_several_clusters_it_takes_longer_to_be_sure(dog):
    """Another one answers all our pulses: bad luck at first, after many no more."""
    for number in range(12):
        dog.send(NOW + (1 + 10 * number) * SECOND)
        beat(f"sent:{MINE}", NOW + (2 + 10 * number) * SECOND)
        assert not dog.is_stuck(NOW + (3 + 10 * number) * SECOND)
    assert dog.is_stuck(NOW + 121 * SECOND)


def test_pulses_do_not_pile_up(dog, queue):
    for number in range(10):
        dog.send(NOW + number * SECOND)
    assert queue.queue_size() == watchdog.MOST_WAITING


def test_after_a_time_without_database_it_is_judged_anew(dog):
    dog.send(NOW + SECOND)
    dog.restarted(NOW + 60 * SECOND)
    assert not dog.is_stuck(NOW + 61 * SECOND)


def test_a_pulse_says_whose_it_was_and_who_ran_it(monkeypatch):
    monkeypatch.setenv(shutdown.NAME_VARIABLE, "cluster-b")
    watchdog.answer(MINE)
    watchdog.answer(MINE)
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"worker", f"sent:{MINE}", "ran:cluster-b"}
