"""Which moves in a calendar are far, and what a plan makes of one."""

import pytest

from integrations.kinds import OWN_REMOVED, VISIT
from integrations.sync.far import FarMoves
from integrations.sync.plan import decide
from integrations.sync.policy import SyncPolicy, Winner
from integrations.sync.state import Action, Local, Pair

FAR = FarMoves("2026-11-22T08:00:00Z", days=30, hours=24)
BASE = {"start": "2026-11-23T14:00:00Z", "end": "2026-11-23T15:00:00Z", "title": "Leak", "text": "", "place": "",
        "repeats": False}  # fmt: skip


def times(start: str, end: str) -> dict[str, str]:
    return {"start": f"{start}:00Z", "end": f"{end}:00Z"}


@pytest.mark.parametrize(
    ("after", "question"),
    [
        (times("2026-12-23T14:00", "2026-12-23T15:00"), ""),  # exactly 30 days
        (times("2026-12-23T14:15", "2026-12-23T15:15"), "Moved by 30 days"),
        (times("2028-01-01T14:00", "2028-01-01T15:00"), "Moved by 404 days"),
        (times("2026-11-22T07:30", "2026-11-22T08:30"), ""),  # it goes on
        (times("2026-11-22T07:00", "2026-11-22T08:00"), "Moved into the past"),
        (times("2026-10-01T14:00", "2026-10-01T15:00"), "Moved by 53 days"),
        (times("2026-11-23T14:00", "2026-11-24T14:00"), ""),  # exactly 24 hours
        (times("2026-11-23T14:00", "2026-11-24T14:30"), "Made 24.5 hours long"),
        ({"start": "2026-11-23", "end": "2026-11-30"}, ""),  # whole days are put back
        ({"start": "2026-11-23T14:00:00Z"}, ""),
    ],
)
def test_which_moves_are_far(after, question):
    asked = FAR.question(BASE, after)
    assert asked.startswith(question) and bool(asked) == bool(question)


def test_what_was_long_or_over_before_may_be_moved():
    long = times("2026-11-23T14:00", "2026-11-25T14:00")
    assert not FAR.question(long, times("2026-11-24T14:00", "2026-11-26T14:00"))
    assert FAR.question(long, times("2026-11-23T14:00", "2026-11-25T15:00"))
    assert not FAR.question(
        times("2026-11-20T14:00", "2026-11-20T15:00"), times("2026-11-20T10:00", "2026-11-20T11:00")
    )


def far_pair(**more) -> Pair:
    seen = {**BASE, **times("2027-11-23T14:00", "2027-11-23T15:00"), **more.pop("there", {})}
    local = {**BASE, **more.pop("here", {})}
    return Pair(VISIT, "vis_1", "event", Local(local), 1, base=BASE, seen=seen, **more)


def asks(pair: Pair, **policy) -> tuple:
    decision = decide(pair, SyncPolicy(far=FAR, **policy))
    return decision.action, {*decision.pull}, {*decision.push}


def test_a_far_move_is_asked_about_and_the_event_is_left_alone_meanwhile():
    for more in ({}, {"there": {"title": "Renamed", "repeats": True}}, {"here": {"title": "Retitled"}}):
        assert asks(far_pair(**more)) == (Action.ASK, set(), set())
        assert asks(far_pair(**more), winner=Winner.REMOTE, full=True) == (Action.ASK, set(), set())


def test_what_is_asked_names_the_fields_and_the_move():
    given = far_pair()
    decision = decide(given, SyncPolicy(far=FAR))
    assert decision.pair is given and decision.reason == "end, start"
    assert decision.question == FAR.question(BASE, {**BASE, **(given.seen or {})}) != ""


def test_a_move_that_is_put_back_takes_no_edit_of_ours_along():
    answered = {"decision": {"fields": {"start": "local", "end": "local"}}, "here": {"title": "Retitled"}}
    assert asks(far_pair(**answered)) == (Action.UPDATE_REMOTE, set(), {"title", "start", "end"})


def test_the_answer_is_carried_out():
    taken, back = {"decision": {"winner": "remote"}}, {"decision": {"fields": {"start": "local", "end": "local"}}}
    assert asks(far_pair(**taken)) == (Action.PULL, {"start", "end"}, set())
    assert asks(far_pair(**back)) == (Action.UPDATE_REMOTE, set(), {"start", "end"})


def test_nobody_is_asked_where_the_move_does_not_count():
    moved_too = far_pair(here=times("2026-11-24T14:00", "2026-11-24T15:00"))
    assert asks(moved_too) == (Action.UPDATE_REMOTE, set(), {"start", "end"})
    assert asks(moved_too, winner=Winner.REMOTE)[0] is Action.ASK
    assert asks(far_pair(), pulls=False)[0] is Action.NOTHING
    completed = Pair(VISIT, "vis_1", "event", Local(BASE, fixed=True), 1, base=BASE, seen=far_pair().seen)
    assert asks(completed) == (Action.UPDATE_REMOTE, set(), {"start", "end"})


def test_what_is_left_of_a_series_without_the_visits_own_occurrence():
    def left(**more) -> Pair:
        return Pair(
            VISIT, "vis_1", "event", Local({**BASE, **more}), 1, base=BASE, seen={**BASE, "repeats": OWN_REMOVED}
        )

    assert asks(left()) == (Action.REMOVE_REMOTE, set(), set())
    assert asks(left(), full=True) == (Action.UPDATE_REMOTE, set(), {"repeats"})
    assert asks(left(title="Retitled")) == (Action.UPDATE_REMOTE, set(), {"repeats", "title"})
    assert asks(left(), pushes=False)[0] is Action.NOTHING
