"""Several accounts at a time: how many, and what one of them does to the others."""

import threading

import pytest

from integrations.jobs.at_once import AtOnce, Stopped

WAIT = 10  # seconds, which nothing here takes


def test_as_many_as_allowed_at_a_time():
    together, most, lock = 0, 0, threading.Lock()
    meeting = threading.Barrier(3, timeout=WAIT)

    def do(_account: int) -> None:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        meeting.wait()  # broken unless three are here at the same time
        with lock:
            together -= 1

    assert AtOnce(3).each(range(9), do) == []
    assert most == 3


def test_one_at_a_time_in_order_and_in_this_thread():
    done = []
    assert AtOnce(1).each("abc", lambda account: done.append((account, threading.current_thread()))) == []
    assert done == [(account, threading.current_thread()) for account in "abc"]


def test_a_single_account_needs_no_thread():
    done = []
    AtOnce(8).each(["a"], lambda account: done.append(threading.current_thread()))
    assert done == [threading.current_thread()]


@pytest.mark.parametrize("limit", [1, 2])
def test_what_ends_the_run_for_one_ends_it_for_all(limit):
    """Those under way end where they ask, and no further one is begun."""
    at_once, begun, under_way = AtOnce(limit), [], threading.Event()

    def do(account: str) -> None:
        begun.append(account)
        if account == "dead":
            limit == 1 or under_way.wait(WAIT)
            raise ConnectionError("the database is away")
        under_way.set()
        while True:
            at_once.check()

    raised = at_once.each(["dead", "busy", "never begun"], do)
    assert [type(error) for error in raised] == [ConnectionError]
    assert set(begun) == ({"dead"} if limit == 1 else {"dead", "busy"})


def test_stopped_is_no_records_fault():
    """It goes through what keeps one record's fault to itself."""
    from integrations.jobs.streams import FATAL

    assert issubclass(Stopped, FATAL)
