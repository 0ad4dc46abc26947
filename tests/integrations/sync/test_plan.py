"""The plan, exhaustively: every row of the table, every combination of what changed where, and its laws."""

import dataclasses
import itertools

import pytest

from integrations.kinds import BLOCK, INVOICE, VISIT
from integrations.sync.guard import judge
from integrations.sync.plan import decide, takes
from integrations.sync.policy import SyncPolicy, Winner
from integrations.sync.state import REMOTE_WRITES, Action, Local, Pair

BASE = {
    "start": "2026-11-23T09:00:00Z",
    "end": "2026-11-23T10:00:00Z",
    "title": "Leak",
    "text": "Client: Kim",
    "place": "1 Main St",
}
LATER = {"start": "2026-11-23T15:00:00Z", "end": "2026-11-23T16:00:00Z"}
EARLIER = {"start": "2026-11-23T07:00:00Z", "end": "2026-11-23T08:00:00Z"}
PLAIN = SyncPolicy()


def pair(local=BASE, base=BASE, seen=BASE, **fields) -> Pair:
    view = local if isinstance(local, Local) else Local(fields=local)
    return Pair(VISIT, "vis_1", "event1", view, **{"link_id": 1, "base": base, "seen": seen, "tag": "t"} | fields)


def block(base, seen, **fields) -> Pair:
    return Pair(BLOCK, "", "event1", Local(None, exists=False), link_id=1, base=base, seen=seen, **fields)


NEW = pair(base=None, seen=None, link_id=None)


@pytest.mark.parametrize(
    ("given", "action"),
    [
        (pair(), Action.NOTHING),
        (pair(seen=BASE | LATER), Action.PULL),
        (pair(gone=True), Action.CUT),
        (pair(local=BASE | LATER), Action.UPDATE_REMOTE),
        (pair(local=BASE | LATER, seen=BASE | EARLIER), Action.UPDATE_REMOTE),
        (pair(local=BASE | LATER, gone=True), Action.CREATE_REMOTE),
        (pair(local=None), Action.REMOVE_REMOTE),
        (pair(local=None, seen=BASE | LATER), Action.REMOVE_REMOTE),
        (pair(local=None, gone=True), Action.FORGET),
        (NEW, Action.CREATE_REMOTE),
        (pair(base=None), Action.SETTLE),
        (pair(base=None, seen=BASE | LATER), Action.UPDATE_REMOTE),
        (pair(local=BASE | LATER, seen=BASE | LATER), Action.SETTLE),
        (pair(seen=BASE | {"title": "Renamed"}), Action.UPDATE_REMOTE),
        (pair(cut=True, gone=True), Action.NOTHING),
        (pair(local=BASE | LATER, cut=True, gone=True), Action.CREATE_REMOTE),
        (pair(local=None, base=None, seen=None), Action.FORGET),
    ],
)
def test_the_table(given, action):
    assert decide(given, PLAIN).action is action


def test_only_the_changed_fields_are_written():
    decision = decide(pair(local=BASE | {"text": "New"}, seen=BASE | LATER), PLAIN)
    assert decision.pull == LATER and decision.push == {"text": "New"}


@pytest.mark.parametrize(
    ("winner", "action", "pull", "push"),
    [
        ("local", Action.UPDATE_REMOTE, {}, LATER),
        ("remote", Action.PULL, EARLIER, {}),
        ("ask", Action.ASK, {}, {}),
    ],
)
def test_a_conflict_goes_to_the_policy_and_a_person_overrules_it(winner, action, pull, push):
    given = pair(local=BASE | LATER, seen=BASE | EARLIER)
    decision = decide(given, SyncPolicy(winner=winner))
    assert (decision.action, decision.pull, decision.push) == (action, pull, push)
    if winner != "ask":
        decided = pair(local=BASE | LATER, seen=BASE | EARLIER, decision={"winner": winner})
        assert decide(decided, SyncPolicy(winner="ask")).action is action


def test_a_person_may_choose_by_field():
    choice = {"fields": {"start": "local", "end": "remote"}}
    local = BASE | {"start": "2026-11-23T06:00:00Z", "end": "2026-11-23T10:30:00Z"}
    seen = BASE | {"start": "2026-11-23T06:30:00Z", "end": "2026-11-23T11:00:00Z"}
    decision = decide(pair(local=local, seen=seen, decision=choice), SyncPolicy(winner="ask"))
    assert decision.pull == {"end": seen["end"]} and decision.push == {"start": local["start"]}


def test_a_merge_that_makes_no_sense_is_a_conflict():
    local = BASE | {"start": "2026-11-23T12:00:00Z", "end": BASE["end"]}
    seen = BASE | {"end": "2026-11-23T09:30:00Z"}
    assert decide(pair(local=local, seen=seen), SyncPolicy(winner="ask")).action is Action.ASK


@pytest.mark.parametrize(
    "edit",
    [
        {"start": "2026-11-23", "end": "2026-11-24"},
        {"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T10:00:00Z"},
    ],
)
def test_times_that_a_visit_cannot_have_are_put_back(edit):
    decision = decide(pair(seen=BASE | edit), PLAIN)
    assert decision.action is Action.UPDATE_REMOTE and not decision.pull
    assert decision.push == {name: BASE[name] for name in edit if BASE[name] != edit[name]}


def test_a_completed_visit_is_not_moved():
    decision = decide(pair(local=Local(BASE, fixed=True), seen=BASE | LATER), PLAIN)
    assert decision.action is Action.UPDATE_REMOTE and decision.push.keys() == LATER.keys() and not decision.pull


def test_directions_hold_back_and_say_so():
    pulls, pushes = SyncPolicy(pushes=False), SyncPolicy(pulls=False)
    assert decide(NEW, pulls).action is Action.NOTHING
    assert decide(pair(seen=BASE | LATER), pushes).action is Action.NOTHING
    assert decide(pair(seen=BASE | LATER), pushes).reason
    merge = pair(local=BASE | {"text": "New"}, seen=BASE | LATER)
    assert decide(merge, pulls).action is Action.PULL
    assert decide(merge, pushes).push == {"text": "New"}
    assert decide(pair(seen=BASE | LATER), SyncPolicy(pulls=False, full=True)).push == {
        name: BASE[name] for name in LATER
    }


def bill(local: str | None, base: str | None, seen: str | None) -> Pair:
    """An invoice with these deposits; None is not said."""
    sides = [{} if deposit is None else {"deposit": deposit} for deposit in (local, base, seen)]
    view, agreed, there = [{"memo": "Hello", "voided": False, **side} for side in sides]
    return Pair(INVOICE, "inv_1", "7", Local(fields=view), link_id=1, base=agreed, seen=there, tag="t")


@pytest.mark.parametrize(
    "policy",
    [
        PLAIN,
        SyncPolicy(full=True),
        SyncPolicy(winner=Winner.LOCAL),
        SyncPolicy(winner=Winner.ASK),
        SyncPolicy(pushes=False),
    ],
)
def test_what_is_the_other_sides_alone_is_taken_over_and_never_written(policy):
    decided = [
        decide(bill("", "", "20.00"), policy),
        decide(bill("20.00", "20.00", ""), policy),
        decide(bill("30.00", "10.00", "20.00"), policy),
        decide(dataclasses.replace(bill("", None, "20.00"), base=None), policy),
    ]
    assert [(one.action, one.pull, one.push) for one in decided] == [
        (Action.PULL, {"deposit": deposit}, {}) for deposit in ("20.00", "", "20.00", "20.00")
    ]
    assert decide(bill("20.00", "20.00", None), policy).action is Action.NOTHING
    assert decide(bill("30.00", "20.00", None), policy).push == {}


@pytest.mark.parametrize("full", [False, True])
def test_where_only_fieldcamp_writes_it_is_left_alone(full):
    policy = SyncPolicy(pulls=False, full=full)
    assert decide(bill("", "", "20.00"), policy).action is Action.NOTHING
    edited = bill("", "", "20.00")
    edited = dataclasses.replace(edited, local=Local(fields={**(edited.local.fields or {}), "memo": "Bye"}))
    assert decide(edited, policy).push == {"memo": "Bye"}


def test_a_full_sync_makes_removed_events_again_and_removes_orphans():
    full = SyncPolicy(full=True)
    assert decide(pair(gone=True), full).action is Action.CREATE_REMOTE
    assert decide(pair(cut=True, gone=True), full).action is Action.CREATE_REMOTE
    orphan = pair(local=Local(None, exists=False), base=None)
    assert decide(orphan, full).removal and decide(orphan, full).action is Action.REMOVE_REMOTE
    assert decide(orphan, PLAIN).action is Action.NOTHING
    assert decide(orphan, SyncPolicy(full=True, first=True)).action is Action.NOTHING


def test_what_is_held_stays_until_a_person_decides():
    assert decide(pair(gone=True, held=True), PLAIN).action is Action.HOLD
    assert decide(pair(gone=True, held=True), SyncPolicy(full=True)).action is Action.HOLD
    assert decide(pair(gone=True, decision={"removal": "cut"}), PLAIN).action is Action.CUT
    assert not decide(pair(gone=True, decision={"removal": "cut"}), PLAIN).removal
    assert decide(pair(gone=True, decision={"removal": "put_back"}), PLAIN).action is Action.CREATE_REMOTE


def test_visits_outside_the_window_are_neither_created_nor_removed():
    outside = Local(BASE, in_window=False)
    assert decide(pair(local=outside, base=None, seen=None, link_id=None), PLAIN).action is Action.NOTHING
    assert decide(pair(local=outside), PLAIN).action is Action.NOTHING
    assert decide(pair(local=Local(BASE | LATER, in_window=False)), PLAIN).action is Action.UPDATE_REMOTE


BUSY = {"start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z", "busy": True, "uid": "u"}
FREE = BUSY | {"busy": False}


@pytest.mark.parametrize(
    ("base", "seen", "gone", "action"),
    [
        (None, BUSY, False, Action.PULL),
        (None, FREE, False, Action.SETTLE),
        (BUSY, BUSY, False, Action.NOTHING),
        (BUSY, FREE, False, Action.PULL),
        (FREE, BUSY, False, Action.PULL),
        (BUSY, BUSY | LATER, False, Action.PULL),
        (BUSY, BUSY, True, Action.REMOVE_LOCAL),
        (None, BUSY, True, Action.FORGET),
    ],
)
def test_busy_time_follows_the_calendar(base, seen, gone, action):
    decision = decide(block(base, seen, gone=gone), PLAIN)
    assert decision.action is action and not decision.removal and not decision.push


VARIANTS = [
    BASE,
    BASE | LATER,
    BASE | EARLIER,
    BASE | {"title": "Other"},
    BASE | {"start": "2026-11-23", "end": "2026-11-24"},
]
POLICIES = [
    SyncPolicy(pulls, pushes, winner, full, first)
    for pulls, pushes, winner, full, first in itertools.product(
        (True, False), (True, False), ("local", "remote", "ask"), (True, False), (True, False)
    )
    if pulls or pushes
]


def everything():
    locals_ = [Local(None, exists=False), Local(None)]
    locals_ += [
        Local(fields, in_window=inside, fixed=fixed)
        for fields in VARIANTS[:4]
        for inside in (True, False)
        for fixed in (True, False)
    ]
    for local, base, seen in itertools.product(locals_, [None, *VARIANTS[:4]], [None, *VARIANTS]):
        for gone, cut, held in itertools.product((False, True), repeat=3):
            for link_id in (None, 1):
                if link_id is None and (base or seen or gone or cut or held):
                    continue
                yield pair(local, base, seen, gone=gone, cut=cut, held=held, link_id=link_id)


@pytest.mark.parametrize("step", [pytest.param(1, id="every", marks=pytest.mark.slow), pytest.param(11, id="some")])
def test_the_laws_hold_for_every_pair_under_every_policy(step):
    """Nothing that a policy forbids, nothing that makes no sense, and after carrying it out: quiet."""
    count = 0
    # 11 has no divisor in common with the number of policies, so that each pair and each policy has its turn.
    for given, policy in itertools.islice(itertools.product(everything(), POLICIES), 0, None, step):
        decision = decide(given, policy)
        count += 1
        if not policy.pushes:
            assert decision.action not in REMOTE_WRITES, (given, policy)
        if not policy.pulls:
            assert not decision.pull, (given, policy)
        if policy.first:
            assert not decision.removal
        if decision.pull:
            assert decision.pull.keys() <= set(VISIT.two_way) and not given.local.fixed
            assert takes(VISIT, {**(given.local.fields or {}), **decision.pull})
        if decision.action is Action.UPDATE_REMOTE:
            assert decision.push and given.local.fields is not None and not given.gone
        if decision.action is Action.CREATE_REMOTE:
            assert given.local.fields and (given.gone or given.cut or not given.has_counterpart)
        if decision.action is Action.ASK:
            assert policy.winner == "ask"
        if decision.removal:
            assert decision.action in (Action.CUT, Action.REMOVE_REMOTE)
        if decision.action is Action.UPDATE_REMOTE and policy.pulls and policy.winner != "ask":
            now = {**(given.seen or {}), **decision.push}
            here = {**(given.local.fields or {}), **decision.pull}
            after = pair(Local(here, in_window=given.local.in_window, fixed=given.local.fixed), now, now)
            assert decide(after, SyncPolicy(policy.pulls, policy.pushes, policy.winner)).action is Action.NOTHING
    assert count > 10_000


@pytest.mark.parametrize(
    ("removals", "links", "tripped"),
    [(3, 9, False), (9, 9, False), (3, 10, False), (4, 10, True), (10, 24, True), (7, 24, False), (0, 100, False)],
)
def test_the_guard(removals, links, tripped):
    assert judge(removals, links).tripped is tripped


def test_the_short_way_of_settled_pairs_decides_nothing_otherwise(monkeypatch):
    sides = [BASE, BASE | LATER, BASE | {"notes": ""}, {**BASE, "title": "Other"}, {}, None]
    given = [
        pair(local=local, base=base, seen=seen, **more)
        for local, base, seen in itertools.product(sides, repeat=3)
        for more in ({}, {"gone": True}, {"cut": True}, {"held": True})
    ]
    policies = [PLAIN, SyncPolicy(pulls=False, full=True), SyncPolicy(pushes=False), SyncPolicy(winner=Winner.ASK)]
    short = [decide(one, policy) for one in given for policy in policies]
    assert sum(one.is_settled for one in given) > 20
    monkeypatch.setattr(Pair, "is_settled", False)
    assert short == [decide(one, policy) for one in given for policy in policies]
