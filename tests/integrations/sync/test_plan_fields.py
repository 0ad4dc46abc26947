"""The plan of one pair, field by field: what is merged, what is fought over, and what a side does not say."""

import pytest

from integrations.kinds import CUSTOMER, INVOICE, ITEM, OWN_REMOVED, PAYMENT
from integrations.sync.folding import SPELLED_THERE
from integrations.sync.policy import SyncPolicy
from integrations.sync.state import Action, Local
from tests.integrations.sync.test_plan_rows import (
    ASKS,
    BILL,
    FULL,
    ITEM_FIELDS,
    MONEY,
    NINE,
    PERSON,
    PLAIN,
    PULLS,
    PUSHES,
    TEN,
    brief,
    nothing,
    pair,
    unlinked,
)


def without(fields: dict, *names: str) -> dict:
    return {name: value for name, value in fields.items() if name not in names}


@pytest.mark.parametrize("policy", [PLAIN, FULL, ASKS, SyncPolicy(winner="remote")])
def test_what_a_side_does_not_say_is_no_difference(policy):
    taxed = BILL | {"tax_code": "4"}
    computed = pair(INVOICE, taxed, base=taxed, seen=without(BILL, "tax_code"))
    assert brief(computed, policy) == nothing()
    assert brief(pair(INVOICE, without(BILL, "tax_code"), base=taxed, seen=taxed), policy) == nothing()
    moved = without(BILL, "tax_code") | {"due_date": "2026-12-20"}
    assert brief(pair(INVOICE, taxed, base=taxed, seen=moved), policy)[:3] == (
        Action.PULL, {"due_date": "2026-12-20"}, {},
    )  # fmt: skip


def test_an_edit_of_what_the_other_side_does_not_say_is_sent_to_be_judged_there():
    unread = without(BILL, "lines")
    edited = BILL | {"lines": [{"description": "Drain"}]}
    assert brief(pair(INVOICE, edited, base=BILL, seen=unread))[:3] == (
        Action.UPDATE_REMOTE, {}, {"lines": edited["lines"]},
    )  # fmt: skip
    assert brief(pair(INVOICE, edited, base=None, seen=unread))[0] is Action.SETTLE
    void = unread | {"voided": True}
    assert brief(pair(INVOICE, edited, base=BILL, seen=void))[:3] == (Action.PULL, {"voided": True}, {})


def test_two_that_have_just_been_matched_fill_each_others_gaps():
    """What only one side says is taken; where both say something, FieldCamp does."""
    mine = {**PERSON, "email": "", "phone": "555 0101", "company": "Reed Inc."}
    there = {**PERSON, "email": "kim@example.test", "phone": "", "company": "Reed Ltd."}
    assert brief(pair(CUSTOMER, mine, None, there)) == (
        Action.UPDATE_REMOTE, {"email": "kim@example.test"}, {"phone": "555 0101", "company": "Reed Inc."}, False, "",
    )  # fmt: skip
    assert brief(pair(CUSTOMER, mine, None, there), ASKS) == (Action.ASK, {}, {}, False, "company")  # gaps are none


@pytest.mark.parametrize("blank", ["", None, [], {}])
def test_a_gap_is_a_gap_however_it_is_written(blank):
    mine = {**PERSON, "bill_address": blank}
    there = {**PERSON, "bill_address": {"city": "Troy"}}
    assert brief(pair(CUSTOMER, mine, None, there))[:3] == (Action.PULL, {"bill_address": {"city": "Troy"}}, {})
    assert brief(pair(CUSTOMER, there, None, mine))[:3] == (
        Action.UPDATE_REMOTE,
        {},
        {"bill_address": {"city": "Troy"}},
    )


def test_a_spelling_there_is_no_edit_there_that_ours_would_have_to_be_asked_about():
    base, there = PERSON | {"email": "kim@example.test"}, PERSON | {"email": "Kim@Example.test"}
    mine = PERSON | {"email": "reed@example.test"}
    assert brief(pair(CUSTOMER, mine, base, there), ASKS)[:3] == (
        Action.UPDATE_REMOTE, {}, {"email": "reed@example.test"},
    )  # fmt: skip


def test_a_spelling_that_was_taken_over_once_is_not_taken_over_again():
    known = PERSON | {SPELLED_THERE: {"email": "Kim@Example.test"}}
    assert brief(pair(CUSTOMER, PERSON, known, PERSON | {"email": "Kim@Example.test"}))[1:3] == ({}, {})


def test_an_own_affair_that_both_have_changed_alike_is_not_written():
    both = ITEM_FIELDS | {"name": "Drain cleaning"}
    assert brief(pair(ITEM, both, ITEM_FIELDS, both))[2] == {}


def test_what_is_left_of_a_series_that_somebody_has_made_is_removed_and_it_is_said_why():
    left = NINE | {"repeats": OWN_REMOVED}
    assert brief(pair(seen=left)) == (
        Action.REMOVE_REMOTE, {}, {}, False, "Its counterpart was removed at the other side.",
    )  # fmt: skip


def test_zero_and_no_are_no_gaps():
    mine, there = {**ITEM_FIELDS, "taxable": False}, {**ITEM_FIELDS, "taxable": True}
    assert brief(pair(ITEM, mine, None, there))[:3] == (Action.UPDATE_REMOTE, {}, {"taxable": False})


def test_what_is_each_sides_own_affair_is_written_only_when_it_changes_here():
    renamed_there = {**ITEM_FIELDS, "name": "Unblocking"}
    assert brief(pair(ITEM, ITEM_FIELDS, ITEM_FIELDS, renamed_there)) == nothing()
    renamed_here = {**ITEM_FIELDS, "name": "Cleaning"}
    assert brief(pair(ITEM, renamed_here, ITEM_FIELDS, renamed_there))[:3] == (
        Action.UPDATE_REMOTE, {}, {"name": "Cleaning"},
    )  # fmt: skip
    assert brief(pair(ITEM, renamed_here, None, ITEM_FIELDS))[0] is Action.SETTLE


SPELLED = [
    (CUSTOMER, PERSON | {"company": "Reed, Inc."}, "company", "REED INC"),
    (CUSTOMER, PERSON | {"phone": "(555) 010-0101"}, "phone", "+1 555 010 0101"),
    (CUSTOMER, PERSON, "email", "KIM@example.test"),
    (ITEM, ITEM_FIELDS, "sku", "d-1"),
    (PAYMENT, MONEY | {"reference": "0042"}, "reference", "42"),
    (PAYMENT, MONEY, "method", "other"),
]


@pytest.mark.parametrize(("kind", "mine", "field", "theirs"), SPELLED)
def test_what_says_the_same_in_another_spelling_is_left_on_both_sides(kind, mine, field, theirs):
    there = mine | {field: theirs}
    agreed = mine | {"spelled_there": {field: theirs}}
    for policy in (PLAIN, FULL, ASKS, SyncPolicy(winner="remote")):
        assert brief(pair(kind, mine, agreed, there), policy) == nothing()
        assert brief(pair(kind, mine, None, there), policy) == (Action.SETTLE, {}, {}, False, "")


@pytest.mark.parametrize(("kind", "mine", "field", "theirs"), SPELLED)
def test_a_new_spelling_there_is_taken_over_and_never_written_back(kind, mine, field, theirs):
    """Whatever stood there before; who has paid how is no spelling."""
    there, before = mine | {field: theirs}, mine | {"spelled_there": {field: mine[field].upper() + " "}}
    taken = {field: theirs} if field != "method" else {}
    for policy in (PLAIN, FULL, ASKS, SyncPolicy(winner="remote")):
        for base in (mine, before):
            assert brief(pair(kind, mine, base, there), policy)[1:3] == (taken, {})
    assert brief(pair(kind, mine, mine, there), SyncPolicy(pulls=False, full=True))[1:3] == ({}, {})
    respelled = mine | {field: f" {theirs}"}  # here as well: FieldCamp's is sent, as any edit
    assert brief(pair(kind, respelled, mine, there))[1] == {}


@pytest.mark.parametrize(("kind", "mine", "field", "theirs"), SPELLED[:-1])
def test_a_new_spelling_in_fieldcamp_is_an_edit_and_one_from_the_start_is_none(kind, mine, field, theirs):
    there = mine | {field: theirs}
    assert brief(pair(kind, there, mine, mine))[:3] == (Action.UPDATE_REMOTE, {}, {field: theirs})
    assert brief(pair(kind, without(there, field), mine, mine))[2] == {}
    assert brief(pair(kind, there, mine, without(mine, field)))[2] == {field: theirs}  # sent, to be judged there
    assert brief(pair(kind, there, without(mine, field), mine))[2] == {}


def test_a_new_spelling_does_not_win_over_what_was_really_changed_there():
    respelled, there = PERSON | {"email": "Kim@example.test"}, PERSON | {"email": "new@example.test"}
    assert brief(pair(CUSTOMER, respelled, PERSON, there), ASKS) == (Action.ASK, {}, {}, False, "email")


def test_a_method_that_nobody_has_stated_is_a_gap():
    nobody_said = MONEY | {"method": "other"}
    assert brief(pair(PAYMENT, nobody_said, None, MONEY))[:3] == (Action.PULL, {"method": "cash"}, {})
    assert brief(pair(PAYMENT, MONEY | {"reference": "other"}, None, MONEY | {"reference": "7"}))[:3] == (
        Action.UPDATE_REMOTE, {}, {"reference": "other"},
    )  # fmt: skip


def test_what_waits_here_is_nothing_where_fieldcamp_only_reads():
    waiting = Local(BILL, blocked="Its client waits.")
    assert brief(unlinked(INVOICE, waiting), PULLS) == nothing("FieldCamp only reads here.")
    assert brief(unlinked(INVOICE, waiting)) == (Action.WAIT, {}, {}, False, "Its client waits.")
    assert brief(pair(INVOICE, waiting, BILL, BILL), PULLS) == (Action.WAIT, {}, {}, False, "Its client waits.")
    assert brief(pair(INVOICE, BILL, BILL, BILL), PULLS) == nothing()


@pytest.mark.parametrize(
    ("policy", "decision", "pull", "push"),
    [
        (SyncPolicy(winner="local"), None, {}, {"phone": "1"}),
        (SyncPolicy(winner="remote"), None, {"phone": "2"}, {}),
        (SyncPolicy(winner="local"), {"winner": "remote"}, {"phone": "2"}, {}),
        (SyncPolicy(winner="remote"), {"fields": {"phone": "local"}}, {}, {"phone": "1"}),
        (SyncPolicy(winner="remote"), {"fields": {"email": "local"}}, {"phone": "2"}, {}),
    ],
)
def test_who_wins_where_both_have_changed_it(policy, decision, pull, push):
    given = pair(CUSTOMER, {**PERSON, "phone": "1"}, PERSON, {**PERSON, "phone": "2"}, decision=decision)
    assert brief(given, policy)[1:3] == (pull, push)


def test_only_the_contested_fields_are_asked_about():
    mine = {**PERSON, "phone": "1", "email": "mine@example.test", "company": "A"}
    there = {**PERSON, "phone": "2", "email": "kim@example.test", "company": "B"}
    assert brief(pair(CUSTOMER, mine, PERSON, there), ASKS) == (Action.ASK, {}, {}, False, "company, phone")


def test_what_is_over_at_either_side_is_all_that_still_counts():
    """A void invoice is no more compared line by line."""
    mine, there = {**BILL, "voided": True, "memo": "Mine"}, {**BILL, "voided": True, "memo": "Theirs", "lines": [1]}
    assert brief(pair(INVOICE, mine, BILL, there))[0] is Action.SETTLE
    assert brief(pair(INVOICE, mine, BILL, BILL))[:3] == (Action.UPDATE_REMOTE, {}, {"voided": True})
    assert brief(pair(INVOICE, {**BILL, "memo": "Mine"}, BILL, there))[:3] == (Action.PULL, {"voided": True}, {})
    assert brief(pair(INVOICE, {**BILL, "memo": "Mine"}, BILL, BILL))[2] == {"memo": "Mine"}


def test_equal_to_what_was_agreed_is_nothing_and_equal_to_each_other_is_remembered():
    assert brief(pair()) == nothing()
    assert brief(pair(local=TEN, seen=TEN)) == (Action.SETTLE, {}, {}, False, "")
    assert brief(pair(base=None)) == (Action.SETTLE, {}, {}, False, "")


def test_a_merge_may_be_written_and_taken_in_at_once():
    mine, there = {**NINE, "title": "Retitled"}, {**NINE, "start": "2026-11-23T08:00:00Z"}
    assert brief(pair(local=mine, seen=there)) == (
        Action.UPDATE_REMOTE, {"start": "2026-11-23T08:00:00Z"}, {"title": "Retitled"}, False, "",
    )  # fmt: skip


def test_a_merge_of_times_that_makes_no_sense_is_decided_as_a_whole():
    mine, there = {**NINE, "start": "2026-11-23T09:45:00Z"}, {**NINE, "end": "2026-11-23T09:30:00Z"}
    given = pair(local=mine, seen=there)
    assert brief(given)[:3] == (
        Action.UPDATE_REMOTE, {}, {"start": "2026-11-23T09:45:00Z", "end": NINE["end"]},
    )  # fmt: skip
    assert brief(given, SyncPolicy(winner="remote"))[:3] == (
        Action.PULL, {"start": NINE["start"], "end": "2026-11-23T09:30:00Z"}, {},
    )  # fmt: skip
    assert brief(given, ASKS) == (Action.ASK, {}, {}, False, "end, start")


def test_a_fixed_visit_gives_back_its_times_and_still_takes_none():
    fixed = Local({**NINE, "title": "Retitled"}, fixed=True)
    assert brief(pair(local=fixed, seen={**NINE, "start": "2026-11-23T08:00:00Z"}))[:3] == (
        Action.UPDATE_REMOTE, {}, {"title": "Retitled", "start": NINE["start"]},
    )  # fmt: skip


def test_a_direction_leaves_the_half_of_a_merge_that_it_allows():
    merge = pair(local={**NINE, "title": "Retitled"}, seen=TEN)
    taken = {name: TEN[name] for name in ("start", "end")}
    assert brief(merge, PULLS) == (Action.PULL, taken, {}, False, "")
    assert brief(merge, PUSHES) == (Action.UPDATE_REMOTE, {}, {"title": "Retitled"}, False, "")
    everything = {"title": "Retitled", "start": NINE["start"], "end": NINE["end"]}
    assert brief(merge, SyncPolicy(pulls=False, full=True))[:3] == (Action.UPDATE_REMOTE, {}, everything)


# --- small parts ------------------------------------------------------------------------------------------------------
