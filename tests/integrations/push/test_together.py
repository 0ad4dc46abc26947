"""Posts that come at the same moment are written in one go."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError

from integrations.push.together import WrittenTogether


def test_who_waits_is_written_with_the_others_and_nothing_twice():
    batches: list[list[int]] = []
    first, go_on = threading.Event(), threading.Event()

    def write(items) -> None:
        batches.append(list(items))
        if len(batches) == 1:
            first.set()
            go_on.wait(20)

    together = WrittenTogether(write)
    with ThreadPoolExecutor(40) as pool:
        leader = pool.submit(together.put, 0, 20.0)
        assert first.wait(20)
        others = [pool.submit(together.put, number, 20.0) for number in range(1, 40)]
        while len(together._waiting) < 39:
            pass
        go_on.set()
        for each in (leader, *others):
            each.result(20)
    assert [len(batch) for batch in batches] == [1, 39]
    assert sorted(number for batch in batches for number in batch) == list(range(40))


def test_what_goes_wrong_is_told_to_all_whom_it_concerns_and_the_next_go_on():
    together = WrittenTogether(lambda items: 1 / items[0])
    with pytest.raises(ZeroDivisionError):
        together.put(0, 1.0)
    together.put(1, 1.0)


def test_who_has_no_turn_in_time_is_not_written():
    written: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def write(items) -> None:
        begun.set()
        go_on.wait(20)
        written.extend(items)

    together = WrittenTogether(write)
    thread = threading.Thread(target=together.put, args=(1, 20.0))
    thread.start()
    assert begun.wait(20)
    with pytest.raises(OperationalError):
        together.put(2, 0.01)
    go_on.set()
    thread.join()
    assert written == [1]
