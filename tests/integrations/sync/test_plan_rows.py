"""The plan where the records are not visits, where a person has decided, and why nothing is done where nothing is."""

import pytest

from integrations.kinds import BLOCK, CUSTOMER, INVOICE, PAYMENT, VISIT
from integrations.sync.guard import judge
from integrations.sync.plan import decide, plan, takes
from integrations.sync.policy import SyncPolicy
from integrations.sync.state import Action, Local, Pair
from tests.integrations.sync.sides import times

PLAIN, FULL, FIRST = SyncPolicy(), SyncPolicy(full=True), SyncPolicy(first=True)
PULLS, PUSHES, ASKS = SyncPolicy(pushes=False), SyncPolicy(pulls=False), SyncPolicy(winner="ask")
NINE, TEN = times(9), times(10)
PERSON = {
    "display_name": "Kim Reed", "given_name": "Kim", "family_name": "Reed", "company": "", "email": "kim@example.test",
    "phone": "", "bill_address": None, "ship_address": None, "active": True, "currency": None,
}  # fmt: skip
ITEM_FIELDS = {
    "name": "Drain", "description": "", "price": "120", "sku": "D-1", "taxable": True, "active": True,
    "type": "service", "income_account": "1",
}  # fmt: skip
BILL = {
    "number": "1", "customer": "7", "date": "2026-11-20", "due_date": None, "lines": [], "discount": None,
    "tax_code": "", "memo": "", "bill_email": "", "voided": False,
}  # fmt: skip
MONEY = {
    "customer": "7", "date": "2026-11-20", "amount": "50.00", "method": "cash", "reference": "", "allocations": [],
    "voided": False,
}  # fmt: skip


def pair(kind=VISIT, local=NINE, base=NINE, seen=NINE, **fields) -> Pair:
    view = local if isinstance(local, Local) else Local(local)
    values = {"record_id": "rec_1", "remote_id": "r1", "link_id": 1, "base": base, "seen": seen, "tag": "t"} | fields
    return Pair(kind, values.pop("record_id"), values.pop("remote_id"), view, **values)


def unlinked(kind=VISIT, local=NINE, **fields) -> Pair:
    return pair(kind, local, base=None, seen=None, **{"link_id": None, **fields})


def brief(given: Pair, policy: SyncPolicy = PLAIN) -> tuple:
    decision = decide(given, policy)
    assert decision.pair is given
    return decision.action, decision.pull, decision.push, decision.removal, decision.reason


def nothing(reason: str = "") -> tuple:
    return Action.NOTHING, {}, {}, False, reason


def test_a_plan_is_a_decision_for_each_pair_in_their_order():
    pairs = [pair(), pair(local=None), unlinked()]
    assert [decision.pair for decision in plan(pairs, PLAIN)] == pairs
    assert [decision.action for decision in plan(pairs, PLAIN)] == [
        Action.NOTHING, Action.REMOVE_REMOTE, Action.CREATE_REMOTE,
    ]  # fmt: skip
    assert [decision.action for decision in plan(pairs, PULLS)] == [Action.NOTHING] * 3


# --- why nothing is done ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "policy", "reason"),
    [
        (pair(), PLAIN, ""),
        (unlinked(), PULLS, "FieldCamp only reads here."),
        (pair(local=TEN), PULLS, "FieldCamp only reads here."),
        (pair(local=None), PULLS, "FieldCamp only reads here."),
        (pair(seen=TEN), PUSHES, "FieldCamp only writes here."),
        (unlinked(local=Local(NINE, in_window=False)), PLAIN, "Outside the time that is synced."),
        (unlinked(local=None), PLAIN, "Nothing to show there."),
        (pair(local=None, cut=True, gone=True), PLAIN, "Nothing to show there."),
        (pair(local=Local(TEN, in_window=False), cut=True, gone=True), PLAIN, "Nothing to show there."),
        (pair(cut=True, gone=True), PLAIN, "Its counterpart was removed at the other side."),
        (pair(gone=True), FIRST, "The first sync of a connection never removes."),
        (pair(local=Local(None, exists=False)), PLAIN, "An event of ours without a record; a full sync removes it."),
        (pair(CUSTOMER, None, PERSON, PERSON), PLAIN,
         "It was removed in FieldCamp, and stays where it is at the other side."),
        (pair(BLOCK, None, {"busy": True}, {"busy": True}), PLAIN, ""),
    ],
)  # fmt: skip
def test_nothing_is_done_and_it_is_said_why(given, policy, reason):
    assert brief(given, policy) == nothing(reason)


def test_what_is_held_says_so_and_is_not_done():
    for given in (
        pair(gone=True, held=True),
        pair(gone=True, held=True, local=TEN),
        pair(local=None, held=True),
    ):
        assert brief(given) == (Action.HOLD, {}, {}, False, "Waits for a person to confirm the removal.")
    assert decide(pair(held=True, seen=TEN), PLAIN).action is Action.PULL  # it has come back


def test_what_waits_says_for_what_and_whatever_else_is_true():
    waits = Local(None, blocked="Its client is not there yet.")
    for given in (
        unlinked(INVOICE, waits),
        pair(INVOICE, waits, BILL, BILL),
        pair(INVOICE, waits, BILL, BILL, gone=True),
    ):
        assert brief(given) == (Action.WAIT, {}, {}, False, "Its client is not there yet.")


# --- what only the other side has -------------------------------------------------------------------------------------


def nobodys(seen, local=None, **fields) -> Pair:
    view = local or Local(None, exists=False)
    return pair(CUSTOMER, view, base=None, seen=seen, record_id="", **fields)


def test_a_customer_that_only_the_books_have_is_taken_in():
    assert brief(nobodys(PERSON)) == (Action.CREATE_LOCAL, PERSON, {}, False, "")
    assert brief(nobodys(PERSON), PUSHES) == nothing("FieldCamp only writes here.")
    assert brief(nobodys(PERSON), PULLS)[0] is Action.CREATE_LOCAL
    assert brief(nobodys(None)) == (Action.CREATE_LOCAL, {}, {}, False, "")


def test_one_that_is_not_wanted_here_is_left_alone_with_the_reason():
    unwanted = Local(None, exists=False, blocked="Only in QuickBooks.")
    assert brief(nobodys(PERSON, unwanted)) == nothing("Only in QuickBooks.")


def test_one_that_is_gone_is_forgotten_wanted_or_not():
    unwanted = Local(None, exists=False, blocked="Only in QuickBooks.")
    assert brief(nobodys(PERSON, gone=True)) == (Action.FORGET, {}, {}, False, "")
    assert decide(nobodys(PERSON, unwanted, gone=True), PLAIN).action is Action.FORGET


# --- busy time --------------------------------------------------------------------------------------------------------


BUSY = {"start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z", "busy": True, "uid": "u"}


def block(base, seen, **fields) -> Pair:
    return pair(BLOCK, Local(None, exists=False), base, seen, record_id="", **fields)


def test_busy_time_is_taken_over_whole():
    assert brief(block(None, BUSY)) == (Action.PULL, BUSY, {}, False, "")
    moved = BUSY | {"end": "2026-11-23T12:00:00Z"}
    assert brief(block(BUSY, moved)) == (Action.PULL, moved, {}, False, "")


def test_what_does_not_block_is_remembered_as_seen():
    free = BUSY | {"busy": False}
    assert brief(block(None, free)) == (Action.SETTLE, {}, {}, False, "Does not block time.")
    assert brief(block(free, free | {"uid": "other"})) == (Action.SETTLE, {}, {}, False, "Does not block time.")
    assert brief(block(BUSY, free))[0] is Action.PULL
    assert brief(block(None, None))[0] is Action.SETTLE


def test_busy_time_that_is_gone_goes_and_what_was_never_shown_is_forgotten():
    assert brief(block(BUSY, BUSY, gone=True)) == (Action.REMOVE_LOCAL, {}, {}, False, "")
    assert brief(block(None, BUSY, gone=True)) == (Action.FORGET, {}, {}, False, "")


@pytest.mark.parametrize("given", [block(None, BUSY), block(BUSY, BUSY, gone=True)])
def test_busy_time_is_no_removal_in_a_first_sync_and_no_pull_where_nothing_is_read(given):
    assert decide(given, FIRST) == decide(given, PLAIN)
    # What the calendar has taken away is free here as well, whatever the direction.
    assert decide(given, PUSHES).action is (Action.REMOVE_LOCAL if given.gone else Action.NOTHING)


# --- what has vanished there ------------------------------------------------------------------------------------------


def vanished(kind=VISIT, local=NINE, base=NINE, **fields) -> Pair:
    return pair(kind, local, base, base, gone=True, **fields)


def test_a_visits_lost_event_is_cut_and_counted_unless_somebody_decided_it():
    assert brief(vanished()) == (Action.CUT, {}, {}, True, "")
    assert brief(vanished(decision={"removal": "cut"})) == (Action.CUT, {}, {}, False, "")
    assert brief(vanished(decision={"removal": "put_back"})) == (Action.CREATE_REMOTE, {}, NINE, False, "")
    assert brief(vanished(decision={"removal": "cut"}), FULL)[0] is Action.CUT
    assert brief(vanished(decision={"winner": "local"})) == (Action.CUT, {}, {}, True, "")


def test_it_comes_back_with_an_edit_or_a_full_sync_inside_the_window():
    assert brief(vanished(local=TEN)) == (Action.CREATE_REMOTE, {}, TEN, False, "")
    assert brief(vanished(base=None)) == (Action.CREATE_REMOTE, {}, NINE, False, "")
    assert brief(vanished(), FULL) == (Action.CREATE_REMOTE, {}, NINE, False, "")
    outside = Local(TEN, in_window=False)
    assert brief(vanished(local=outside), FULL) == (Action.CUT, {}, {}, True, "")
    assert brief(vanished(local=TEN, decision={"removal": "cut"}))[0] is Action.CUT


def test_what_was_made_there_may_be_taken_away_there():
    theirs = Local(MONEY, theirs=True)
    assert brief(vanished(PAYMENT, theirs, MONEY)) == (Action.REMOVE_LOCAL, {}, {}, True, "")
    assert brief(vanished(PAYMENT, theirs, MONEY, decision={"removal": "cut"}))[3] is False
    assert brief(vanished(PAYMENT, theirs, MONEY), PUSHES) == nothing("FieldCamp only writes here.")
    assert brief(vanished(PAYMENT, theirs, MONEY), PULLS)[0] is Action.REMOVE_LOCAL


def test_both_gone_is_forgotten():
    assert brief(vanished(local=None)) == (Action.FORGET, {}, {}, False, "")
    assert brief(vanished(PAYMENT, Local(None, theirs=True), MONEY)) == (Action.FORGET, {}, {}, False, "")


def test_books_are_made_again_only_by_a_person():
    for policy in (PLAIN, FULL):
        assert brief(vanished(INVOICE, {**BILL, "memo": "Edited"}, BILL), policy) == (Action.CUT, {}, {}, True, "")
    put_back = vanished(INVOICE, BILL, BILL, decision={"removal": "put_back"})
    assert brief(put_back) == (Action.CREATE_REMOTE, {}, BILL, False, "")


def cut(kind=VISIT, local=NINE, base=NINE, **fields) -> Pair:
    return pair(kind, local, base, base, gone=True, cut=True, **fields)


def test_what_was_cut_comes_back_with_an_edit_a_full_sync_or_a_person():
    assert brief(cut(local=TEN)) == (Action.CREATE_REMOTE, {}, TEN, False, "")
    assert brief(cut(), FULL) == (Action.CREATE_REMOTE, {}, NINE, False, "")
    assert brief(cut(base=None)) == (Action.CREATE_REMOTE, {}, NINE, False, "")
    assert brief(cut(decision={"removal": "put_back"})) == (Action.CREATE_REMOTE, {}, NINE, False, "")
    assert brief(cut(INVOICE, BILL, BILL, decision={"removal": "put_back"})) == (
        Action.CREATE_REMOTE, {}, BILL, False, "",
    )  # fmt: skip
    for policy in (PLAIN, FULL):
        edited = cut(INVOICE, {**BILL, "memo": "Edited"}, BILL)
        assert brief(edited, policy) == nothing("Its counterpart was removed at the other side.")
    assert brief(cut(decision={"removal": "cut"}))[0] is Action.NOTHING


# --- what was taken away here -----------------------------------------------------------------------------------------


def test_an_event_of_ours_without_a_record_goes_by_a_full_sync_or_a_persons_word():
    orphan = Local(None, exists=False)
    assert brief(pair(local=orphan), FULL) == (Action.REMOVE_REMOTE, {}, {}, True, "")
    assert brief(pair(local=orphan, decision={"removal": "cut"})) == (Action.REMOVE_REMOTE, {}, {}, False, "")
    assert brief(pair(local=orphan, decision={"removal": "put_back"}), FULL)[0] is Action.NOTHING
    assert brief(pair(local=None), FULL) == (Action.REMOVE_REMOTE, {}, {}, False, "")
    for policy in (PLAIN, FULL):
        assert brief(pair(CUSTOMER, orphan, PERSON, PERSON), policy)[0] is Action.NOTHING


def test_a_create_that_never_came_about_is_forgotten_where_it_is_not_wanted_any_more():
    assert brief(unlinked(local=None, link_id=1)) == (Action.FORGET, {}, {}, False, "Nothing to show there.")
    assert brief(unlinked(link_id=1)) == (Action.CREATE_REMOTE, {}, NINE, False, "")


def test_a_new_record_may_have_been_given_another_name():
    chosen = {"match": "new", "create": {"display_name": "Kim Reed (C)"}}
    given = unlinked(CUSTOMER, PERSON, decision=chosen)
    assert brief(given) == (Action.CREATE_REMOTE, {}, {**PERSON, "display_name": "Kim Reed (C)"}, False, "")
    assert brief(unlinked(CUSTOMER, PERSON, decision={"match": "new"}))[2] == PERSON


@pytest.mark.parametrize(
    ("fields", "may"),
    [
        (NINE, True),
        ({"start": "2026-11-23T09:00:00Z", "end": "2026-11-23T09:00:00Z"}, False),
        ({"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T09:00:00Z"}, False),
        ({"start": "2026-11-23", "end": "2026-11-24"}, False),
        ({"start": "2026-11-22", "end": "2026-11-23T09:00:00Z"}, False),
        ({"start": "2026-11-22T09:00:00Z", "end": "2026-11-24"}, False),
        ({"start": None, "end": None}, False),
        ({"end": "2026-11-23T09:00:00Z"}, True),  # a start that is not said is no later than the end
        ({}, False),
    ],
)
def test_the_times_that_a_visit_can_have(fields, may):
    assert takes(VISIT, fields) is may


def test_what_has_no_times_takes_anything():
    assert takes(CUSTOMER, {})


def test_a_held_removal_is_told_in_numbers():
    assert judge(10, 24).sentence(VISIT) == "10 of 24 visits would lose their calendar event (42 %)."
    assert judge(1, 3).sentence(INVOICE) == "1 of 3 invoices would lose their posted invoice (33 %)."
    assert judge(0, 0).sentence(VISIT) == "0 of 0 visits would lose their calendar event (0 %)."
    assert (judge(4, 10).removals, judge(4, 10).of) == (4, 10)
