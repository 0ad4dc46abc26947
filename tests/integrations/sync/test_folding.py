"""When two texts say the same, and that the plan leaves alone what does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.kinds import CUSTOMER, INVOICE, ITEM, PAYMENT
from integrations.ledger.links import agreed
from integrations.sync import folding
from integrations.sync.plan import decide
from integrations.sync.policy import SyncPolicy
from integrations.sync.state import Action, Decision, Local, Pair

ASKS = SyncPolicy(winner="ask")
SPELLED = [  # field, ours, theirs
    ("email", "Kim@Reed.test", "kim@reed.test"),
    ("email", "josé@reed.test", "jose@reed.test"),
    ("email", "kim@reed.test", " kim@reed.test "),
    ("email", "kim@reed.test", "ｋｉｍ@ｒｅｅｄ.test"),
    ("email", "kim@reed.test", "office@reed.test, KIM@reed.test"),
    ("email", "kim@reed.test", "office@reed.test;kim@reed.test"),
    ("email", "b@x.test, a@x.test", "A@x.test; B@x.test"),
    ("display_name", "KIM  Réed", "Kim Reed"),
    ("given_name", "KIM", "kim"),
    ("given_name", "José", "Jose"),
    ("family_name", "O'Hara", "OHara "),
    ("family_name", "Ｒｅｅｄ", "Reed"),
    ("company", "Reed, Inc.", "REED INC"),
    ("company", "Reed & Sons", "Reed and Sons"),
    ("phone", "+1 (555) 010-0001", "5550100001"),
    ("phone", "５５５ 010 0001", "555-010-0001"),
    ("bill_address", {"street": "1 ELM St", "city": "Troy"}, {"street": "1 Elm  st", "city": "TROY"}),
]
DIFFERENT = [
    ("email", "kim@reed.test", "lee@reed.test"),
    ("email", "kim@reed.test, lee@reed.test", "kim@reed.test"),
    ("email", "", "kim@reed.test"),
    ("given_name", "Kim", "Kimberly"),
    ("display_name", "Jane Smith", "Smith, Jane"),  # the form is the books' own
    ("company", "***", "###"),
    ("phone", "555 010 0001", "555 010 0002"),
    ("phone", "12", "13"),
    ("bill_address", {"street": "1 Elm St"}, {"street": "1 Elm St", "city": "Troy"}),
    ("bill_address", None, {"street": "1 Elm St"}),
]


def pair(kind=CUSTOMER, base=None, seen=None, **local) -> Pair:
    return Pair(kind, "r1", "17", Local(local), link_id=1, base=base, seen=seen or {}, tag="0")


@pytest.mark.parametrize(("name", "ours", "theirs"), SPELLED)
def test_what_is_the_same_is_not_written_at_either_side(name, ours, theirs):
    """Neither when the two meet, nor by any run after it, nor when something else is edited."""
    met = decide(pair(seen={name: theirs}, **{name: ours}), ASKS)
    assert (met.action, met.push, met.pull) == (Action.SETTLE, {}, {})
    base = agreed(met.pair, met.pair.seen)
    assert decide(pair(base=base, seen={name: theirs}, **{name: ours}), ASKS).action is Action.NOTHING
    more = {"base": {**base, "ship_address": None}, "seen": {name: theirs, "ship_address": None}}
    edited = decide(pair(**more, **{name: ours, "ship_address": {"city": "Troy"}}), ASKS)
    assert edited.push == {"ship_address": {"city": "Troy"}}


@pytest.mark.parametrize(("name", "ours", "theirs"), SPELLED)
def test_an_edit_here_is_sent_however_small(name, ours, theirs):
    base = {name: theirs}
    assert decide(pair(base=base, seen={name: theirs}, **{name: ours}), ASKS).push == {name: ours}


@pytest.mark.parametrize(("name", "ours", "theirs"), SPELLED)
def test_a_new_spelling_there_is_taken_over_and_contests_nothing(name, ours, theirs):
    base = {name: ours}
    taken = decide(pair(base=base, seen={name: theirs}, **{name: ours}), ASKS)
    assert (taken.action, taken.pull, taken.push) == (Action.PULL, {name: theirs}, {})
    base = agreed(taken.pair, taken.pair.seen, Local(taken.pull))
    assert decide(pair(base=base, seen={name: theirs}, **{name: theirs}), ASKS).action is Action.NOTHING


@pytest.mark.parametrize(("name", "ours", "theirs"), DIFFERENT)
def test_what_differs_is_a_difference(name, ours, theirs):
    assert not folding.same(CUSTOMER, name, ours, theirs)
    assert decide(pair(base={name: ours}, seen={name: theirs}, **{name: ours}), ASKS).pull == {name: theirs}


@pytest.mark.parametrize(
    ("kind", "name", "ours", "theirs", "same"),
    [
        (ITEM, "sku", "é-1 ", "E-1", True),
        (ITEM, "sku", "01", "1", False),  # an item's number is no count
        (ITEM, "description", "Drain", "drain", False),
        (INVOICE, "number", "a-17", "A-17", True),
        (INVOICE, "number", "03050", "３０５０", True),
        (INVOICE, "number", "3050", "30500", False),
        (PAYMENT, "reference", "Check 77", "check  77", True),
        (PAYMENT, "method", "check", "other", True),
        (PAYMENT, "method", "check", None, True),
        (PAYMENT, "method", "check", "cash", False),
        (PAYMENT, "method", "other", "cash", False),
    ],
)
def test_what_other_records_say(kind, name, ours, theirs, same):
    assert folding.same(kind, name, ours, theirs) is same


def test_a_method_that_one_side_does_not_state_is_learned_from_the_other():
    assert decide(pair(PAYMENT, seen={"method": "cash"}, method="other"), ASKS).pull == {"method": "cash"}
    assert decide(pair(PAYMENT, seen={"method": "other"}, method="cash"), ASKS).action is Action.SETTLE
    assert decide(pair(PAYMENT, seen={"method": "check"}, method="cash"), ASKS).action is Action.ASK


@given(st.text(max_size=20))
def test_folding_once_is_enough(text):
    for fold in (folding.plain, folding.name, folding.number, folding.phone):
        assert fold(fold(text)) == fold(text)
        assert fold(f" {text.upper()} ") == fold(text.upper())


def test_an_answered_write_remembers_how_each_side_spells_it():
    sent = pair(base=None, seen=None, email="Kim@Reed.test", phone="555 010 0001")
    written = Decision(sent, Action.CREATE_REMOTE).pair
    base = agreed(written, {"email": "kim@reed.test", "phone": "555 010 0002"})
    assert {name: base[name] for name in ("email", "phone")} == {"email": "Kim@Reed.test", "phone": "555 010 0002"}
