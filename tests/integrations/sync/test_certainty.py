"""What a listing could not tell is asked for one by one, and nothing else is."""

import pytest

from integrations.records import Page, RemoteRecord
from integrations.sync.observe import with_certainty
from tests.integrations.sync.sides import times
from tests.integrations.sync.world import WINDOW

EXACT = RemoteRecord("e1", "t1", "block", times(9))


class Memory:
    """What is known of the stream."""

    def __init__(self, known=(), of_series=None):
        self._known, self._of_series = set(known), of_series or {}
        self.asked: list = []

    def known(self, names):
        self.asked.append(sorted(names))
        return self._known & set(names)

    def instances(self, series, window):
        assert window is WINDOW
        self.asked.append(tuple(series))
        return {name for one in series for name in self._of_series.get(one, ())}


class Remote:
    """The provider's single answers: `what`, by id."""

    def __init__(self, **what: RemoteRecord):
        self.what, self.asked = what, []

    def get(self, container_id, ids, sent=None):
        assert container_id == "main"
        self.asked.append(list(ids))
        return {id: self.what[id] for id in ids if id in self.what}


def page(*records: RemoteRecord, series=()) -> Page:
    return Page(list(records), "after", last=False, series=series)


def record(id: str, **fields) -> RemoteRecord:
    return RemoteRecord(id, "t1", "block", times(9), **fields)


def test_a_page_without_doubts_is_taken_as_it_is():
    listed, remote, memory = page(EXACT, record("e2", gone=True)), Remote(), Memory()
    assert with_certainty(listed, remote, "main", memory, WINDOW) is listed
    assert remote.asked == memory.asked == []


def test_a_doubtful_stranger_is_looked_at():
    """It may be ours."""
    ours = record("e2")
    remote = Remote(e2=ours)
    found = with_certainty(page(EXACT, record("e2", doubtful=True)), remote, "main", Memory(), WINDOW)
    assert found.records == [EXACT, ours] and found.records[1] is ours
    assert remote.asked == [["e2"]]
    assert (found.cursor, found.last) == ("after", False)


@pytest.mark.parametrize("last", [True, False])
def test_whether_it_is_the_last_page_is_kept(last):
    listed = Page([record("e2", doubtful=True)], "after", last=last, restart="anew")
    found = with_certainty(listed, Remote(), "main", Memory(), WINDOW)
    assert (found.last, found.restart) == (last, "anew")


def test_a_doubtful_record_that_is_known_is_ours_already():
    doubtful = record("e2", doubtful=True)
    remote = Remote()
    found = with_certainty(page(doubtful), remote, "main", Memory(known=["e2"]), WINDOW)
    assert found.records == [doubtful] and remote.asked == []


def test_it_may_be_known_by_the_id_that_its_create_was_sent_with():
    """Its answer was lost; the provider has given it another id since."""
    doubtful = record("e2", made_with="ours2", doubtful=True)
    remote, memory = Remote(), Memory(known=["ours2"])
    found = with_certainty(page(doubtful), remote, "main", memory, WINDOW)
    assert found.records == [doubtful] and remote.asked == []
    assert memory.asked == [["e2", "ours2"]]


def test_what_was_known_and_is_called_gone_is_looked_at():
    """It may only have left the time that is listed."""
    there = record("e2")
    remote = Remote(e2=there)
    gone = record("e2", gone=True, doubtful=True)
    found = with_certainty(page(gone), remote, "main", Memory(known=["e2"]), WINDOW)
    assert found.records == [there] and remote.asked == [["e2"]]


def test_what_was_known_and_is_gone_indeed_stays_gone():
    tombstone = record("e2", gone=True)
    found = with_certainty(
        page(record("e2", gone=True, doubtful=True)), Remote(e2=tombstone), "main", Memory(known=["e2"]), WINDOW
    )
    assert found.records == [tombstone]


def test_the_going_of_what_was_never_known_is_none_of_our_business():
    remote = Remote()
    found = with_certainty(page(EXACT, record("e2", gone=True, doubtful=True)), remote, "main", Memory(), WINDOW)
    assert found.records == [EXACT] and remote.asked == []


def test_a_tombstone_without_a_doubt_is_kept_beside_doubtful_ones():
    sure = record("e3", gone=True)
    found = with_certainty(page(sure, record("e2", gone=True, doubtful=True)), Remote(), "main", Memory(), WINDOW)
    assert found.records == [sure]


def test_what_the_provider_does_not_answer_for_is_taken_as_it_was_listed():
    doubtful = record("e2", doubtful=True)
    assert with_certainty(page(doubtful), Remote(), "main", Memory(), WINDOW).records == [doubtful]


def test_the_lost_occurrences_of_a_series_are_looked_for():
    """Those that are known, and that the page does not list any more."""
    lost, other = record("s1_3", gone=True), record("s1_2")
    memory = Memory(of_series={"s1": ["s1_1", "s1_3", "s1_2"], "s2": ["s2_1"]})
    remote = Remote(s1_3=lost, s1_2=other)
    found = with_certainty(page(EXACT, record("s1_1"), series=["s1"]), remote, "main", memory, WINDOW)
    assert remote.asked == [["s1_2", "s1_3"]]
    assert found.records == [EXACT, record("s1_1"), other, lost]
    assert memory.asked == [[], ("s1",)]


def test_a_series_all_of_whose_occurrences_are_listed_costs_no_call():
    memory, remote = Memory(of_series={"s1": ["s1_1"]}), Remote()
    found = with_certainty(page(record("s1_1"), series=["s1"]), remote, "main", memory, WINDOW)
    assert found.records == [record("s1_1")] and remote.asked == []


def test_doubts_and_series_are_asked_for_in_one_call():
    memory = Memory(of_series={"s1": ["s1_1"]})
    remote = Remote(s1_1=record("s1_1", gone=True), e2=record("e2"))
    found = with_certainty(page(record("e2", doubtful=True), series=["s1"]), remote, "main", memory, WINDOW)
    assert remote.asked == [["e2", "s1_1"]]
    assert found.records == [record("e2"), record("s1_1", gone=True)]


def test_without_a_series_none_is_asked_about():
    memory = Memory()
    with_certainty(page(record("e2", doubtful=True)), Remote(), "main", memory, WINDOW)
    assert memory.asked == [["e2"]]
