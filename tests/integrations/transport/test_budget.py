"""No minute may hold more calls than the limit, whichever minute one looks at."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.errors import RateLimited
from integrations.providers import PROVIDERS
from integrations.transport.budget import PACED_FOR, MinuteBudget
from integrations.transport.client import HttpClient, OneToken
from tests.faketime import FakeTime

START = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)


class Memory:
    def __init__(self):
        self.version, self.buckets, self.until = 0, {}, dt.datetime.max.replace(tzinfo=dt.UTC)

    def paced(self, now):
        return now < self.until

    def pace(self, until):
        self.until = until

    def read(self):
        return self.version, dict(self.buckets)

    def swap(self, version, buckets):
        if version != self.version:
            return False
        self.version, self.buckets = version + 1, buckets
        return True


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 60)), max_size=60))
def test_no_sliding_minute_holds_more_than_the_limit(steps):
    budget, now, taken = MinuteBudget(Memory(), 100), START, []
    for pause, cost in steps:
        now += dt.timedelta(seconds=pause)
        if budget.take(cost, now) == 0:
            taken.append((now, cost))
    for moment, _ in taken:
        window = sum(cost for at, cost in taken if moment - dt.timedelta(seconds=60) < at <= moment)
        assert window <= 100


@given(st.integers(1, 100), st.floats(0, 59))
def test_the_wait_it_names_is_enough(cost, offset):
    budget, now = MinuteBudget(Memory(), 100), START + dt.timedelta(seconds=offset)
    assert budget.take(100, now) == 0
    wait = budget.take(cost, now)
    assert 0 < wait <= 66
    assert budget.take(cost, now + dt.timedelta(seconds=wait)) == 0


def test_a_call_that_costs_more_than_a_minute_is_let_through_alone():
    assert MinuteBudget(Memory(), 10).take(50, START) == 0


def test_calls_are_only_paced_after_the_provider_has_asked_for_it():
    store = Memory()
    store.until = START
    budget = MinuteBudget(store, 10)
    assert [budget.take(10, START) for _ in range(3)] == [0, 0, 0]
    budget.slow_down(START)
    assert budget.take(1, START) > 0
    assert budget.take(10, START + PACED_FOR) == 0


def test_a_racing_process_is_counted():
    class Raced(Memory):
        raced = False

        def swap(self, version, buckets):
            if not self.raced:
                self.raced, self.version, self.buckets = True, 1, {int(START.timestamp() // 5): 8}
                return False
            return super().swap(version, buckets)

    store = Raced()
    assert MinuteBudget(store, 10).take(2, START) == 0
    assert sum(store.buckets.values()) == 10


def test_the_client_waits_a_little_and_else_leaves(vendors):
    time = FakeTime(START + dt.timedelta(seconds=2))
    store = Memory()
    store.buckets = {int(START.timestamp() // 5) - 12: 10}  # free again in three seconds
    http = HttpClient(
        PROVIDERS["google_calendar"],
        OneToken(vendors.token()["access_token"]),
        budget=MinuteBudget(store, 10),
        **time.kwargs(),
    )
    url = "http://sandbox.test/google/api/calendar/v3/users/me/calendarList"
    http.request("GET", url, cost=10)
    assert time.slept == [pytest.approx(3.0)]
    with pytest.raises(RateLimited) as caught:
        http.request("GET", url)
    assert caught.value.retry_at > time.now + dt.timedelta(seconds=50)
    assert len(vendors.requests("calendarList")) == 1
