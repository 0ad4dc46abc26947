"""Writes whose answer says no, or never comes: what is looked at again, what is given up, and in which order."""

import pytest

from integrations.errors import (
    ContainerUnavailable,
    Duplicate,
    Gone,
    NeedsPermission,
    Rejected,
    SettingMissing,
    Stale,
    Unavailable,
)
from integrations.kinds import CUSTOMER, INVOICE
from integrations.records import Marker, Operation, Verb
from integrations.sync.apply import TRIES
from integrations.sync.state import Action, Local, Pair
from tests.integrations.sync.sides import times
from tests.integrations.sync.world import SliceOver, World


def keys(world: World) -> list[list[str]]:
    return [[operation.key for operation in batch] for batch in world.remote.written]


def calls(world: World) -> list[str]:
    return [name for name, _ in world.remote.calls]


def lost(world: World, *, done: bool):
    """The whole call's answer is lost, after it was carried out or before."""

    def answer(operations):
        if done:
            for operation in operations:
                world.remote.carry_out(operation)
        world.remote.before_write = lambda operations: None
        raise Unavailable("No answer.")

    world.remote.before_write = answer


# --- a lost answer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("done", [True, False], ids=["carried out", "not carried out"])
def test_a_lost_answer_to_a_create_is_resolved_by_looking(done):
    world = World()
    world.visit("vis_1", times(9))
    lost(world, done=done)
    world.sync()
    assert calls(world) == ["changes", "write", "get"] + ["write"] * (not done)
    assert list(world.remote.records) == ["id(str_1|vis_1|0)"]
    row = world.ledger.link_of("vis_1")
    assert (row.intent, row.base, row.unsettled) == (None, times(9), False)
    assert len(world.time.slept) == 1


@pytest.mark.parametrize("done", [True, False], ids=["carried out", "not carried out"])
def test_a_lost_answer_to_an_update_is_resolved_by_looking(done):
    world = World()
    row = world.agreed("vis_1", times(9))
    world.visit("vis_1", times(10))
    lost(world, done=done)
    world.sync()
    assert calls(world) == ["changes", "write", "get"] + ["write"] * (not done)
    assert world.remote.records["event-vis_1"].fields == times(10)
    assert (row.intent, row.base) == (None, times(10))


def test_what_is_written_again_after_a_look_has_the_tag_that_was_seen_then():
    world = World()
    world.agreed("vis_1", times(9))
    world.visit("vis_1", times(10))
    lost(world, done=False)
    before = world.remote.records["event-vis_1"].tag
    world.sync()
    assert [batch[0].tag for batch in world.remote.written] == [before, before]
    assert world.remote.records["event-vis_1"].tag != before


def test_intents_of_an_earlier_run_are_looked_at_before_the_listing_and_in_batches():
    world = World(batch_size=2)
    for number in range(5):
        row = world.agreed(f"vis_{number}", times(9))
        row.intent = {"verb": Verb.UPDATE, "fields": times(9)}
    sent = []
    get = world.remote.get
    world.remote.get = lambda container, ids, intents=None: sent.append((container, intents)) or get(container, ids)
    world.sync()
    assert calls(world) == ["get", "get", "get", "changes"]
    assert [len(ids) for name, ids in world.remote.calls if name == "get"] == [2, 2, 1]
    assert {container for container, _ in sent} == {"main"}
    assert all(intents.keys() == {f"event-vis_{number}" for number in range(5)} for _, intents in sent)
    assert world.checkpoints >= 3
    assert world.ledger.open_intents() == {}


def test_a_slice_may_end_between_two_looks():
    world = World(batch_size=1)
    for number in range(3):
        row = world.agreed(f"vis_{number}", times(9))
        row.intent = {"verb": Verb.UPDATE, "fields": times(9)}
    world.ends_at = 1
    with pytest.raises(SliceOver):
        world.run().everything()
    assert len(world.ledger.open_intents()) == 2


def test_a_create_whose_id_is_taken_gets_another():
    """By somebody else's record that no listing has shown: looked at, and the next id chosen."""
    world = World()
    world.visit("vis_1", times(9))
    world.remote.put("id(str_1|vis_1|0)", times(20))
    world.remote.answers["vis_1"] = [Duplicate("Taken.")]
    world.sync()
    assert [batch[0].remote_id for batch in world.remote.written] == ["id(str_1|vis_1|0)", "id(str_1|vis_1|1)"]
    assert world.ledger.link_of("vis_1").generation == 1
    assert world.time.slept == []  # nobody is ill


def test_a_create_that_was_done_before_is_known_again_by_its_mark():
    """An answer that was lost with the worker: the id is taken by our own record."""
    world = World()
    world.visit("vis_1", times(9))
    world.remote.put("id(str_1|vis_1|0)", times(9), marker=Marker("wsp_1", "vis_1", "id(str_1|vis_1|0)"))
    world.remote.answers["vis_1"] = [Duplicate("Taken.")]
    world.sync()
    assert calls(world) == ["changes", "write", "get"]
    assert list(world.remote.records) == ["id(str_1|vis_1|0)"]


# --- one record of a batch --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [Stale("Moved on."), Gone("Gone."), Duplicate("Taken."), Unavailable("Ill.")])
def test_one_record_in_trouble_is_tried_again_alone_and_the_rest_is_saved_at_once(error):
    world = World()
    for number in range(3):
        world.agreed(f"vis_{number}", times(9))
        world.visit(f"vis_{number}", times(10))
    world.remote.answers["vis_1"] = [error]
    world.sync()
    assert keys(world) == [["vis_0", "vis_1", "vis_2"], ["vis_1"]]
    written = [entry[1:] for entry in world.ledger.trail if entry[0] == "written" and entry[1:]]
    assert written == [("vis_0", "vis_2"), ("vis_1",)]
    assert [ids for name, ids in world.remote.calls if name == "get"] == [["event-vis_1"]]
    assert len(world.time.slept) == isinstance(error, Unavailable)


def test_what_is_tried_again_goes_first_and_together():
    """Some providers know a batch that is sent twice by its contents."""
    world = World(batch_size=2)
    for number in range(4):
        world.visit(f"vis_{number}", times(9))
    world.remote.answers["*"] = [Unavailable("Ill.")]
    world.sync()
    assert keys(world) == [["vis_0", "vis_1"], ["vis_0", "vis_1"], ["vis_2", "vis_3"]]


def test_a_record_that_was_edited_there_since_is_decided_anew():
    """The refusal is not answered with the same write: what a person moved there meanwhile is taken in."""
    world = World()
    world.agreed("vis_1", times(9))
    world.visit("vis_1", times(9, title="Retitled"))

    def moved(operation):
        world.remote.put("event-vis_1", times(15), marker=operation.marker)
        return Stale("Moved on.")

    world.remote.answers["vis_1"] = [moved]
    world.sync()
    assert world.remote.records["event-vis_1"].fields == times(15, title="Retitled")
    assert world.ledger.link_of("vis_1").base == times(15, title="Retitled")


def test_a_record_that_keeps_moving_is_tried_so_often_and_no_more():
    world = World()
    world.visit("vis_1", times(9))
    world.visit("vis_2", times(9))
    world.remote.answers["vis_1"] = [Stale("Moved on.")] * 99
    world.sync()
    assert keys(world) == [["vis_1", "vis_2"], *[["vis_1"]] * (TRIES - 1)]
    error, message = world.ledger.outcomes["vis_1"]
    assert error == "Stale" and "tried again later" in message
    assert world.ledger.outcomes["vis_2"] == (Action.CREATE_REMOTE, "")
    assert [seq for seq, _ in world.ledger.dirty_rows.values()] == ["vis_1"]


def test_each_record_has_tries_of_its_own():
    world = World(batch_size=1)
    for number in range(3):
        world.visit(f"vis_{number}", times(9))
        world.remote.answers[f"vis_{number}"] = [Stale("Moved on.")] * (TRIES - 1)
    world.sync()
    assert {action for action, _ in world.ledger.outcomes.values()} == {Action.CREATE_REMOTE}


def test_one_ill_record_that_stays_so_ends_the_run_and_what_was_written_is_saved():
    world = World()
    world.visit("vis_1", times(9))
    world.visit("vis_2", times(9))
    world.remote.answers["vis_1"] = [Unavailable("Ill.")] * 99
    with pytest.raises(Unavailable, match="Ill"):
        world.sync()
    assert world.ledger.outcomes == {"vis_2": (Action.CREATE_REMOTE, "")}
    assert list(world.ledger.open_intents()) == ["id(str_1|vis_1|0)"]


def test_a_refused_record_is_told_and_not_tried_again():
    world = World()
    for number in range(3):
        world.visit(f"vis_{number}", times(9))
    world.remote.answers["vis_1"] = [Rejected("No such time.")]
    world.sync()
    assert keys(world) == [["vis_0", "vis_1", "vis_2"]]
    assert world.ledger.outcomes["vis_1"] == ("Rejected", "No such time.")
    assert world.ledger.outcomes["vis_2"] == (Action.CREATE_REMOTE, "")


@pytest.mark.parametrize("whole", [True, False])
def test_a_refusal_of_the_container_leaves_everything_waiting_and_is_asked_for_once(whole):
    """Whether it is said of each record, or of the whole call."""
    world = World()
    for number in range(5):
        world.visit(f"vis_{number}", times(9))
    no = ContainerUnavailable("Read only.")
    world.remote.answers.update({"*": [no]} if whole else {f"vis_{number}": [no] for number in range(3)})
    with pytest.raises(ContainerUnavailable, match="Read only"):
        world.sync()
    assert keys(world) == [["vis_0", "vis_1", "vis_2"]]
    assert world.ledger.outcomes == {f"vis_{number}": ("waiting", "Read only.") for number in range(5)}
    assert not world.ledger.open_intents() and world.ledger.finished == 0


@pytest.mark.parametrize("batch_size", [1, 2, 9])
def test_what_bars_only_what_is_new_lets_changes_and_removals_through(batch_size):
    world = World(batch_size=batch_size)
    for name in ("old_1", "old_2"):
        world.agreed(name, times(9))
    bar = SettingMissing("Choose a class.")
    for name in ("new_1", "new_2", "new_3"):
        world.remote.answers[name] = [bar]
    for name, fields in [("new_1", times(9)), ("old_1", times(10)), ("new_2", times(9)), ("old_2", None),
                         ("new_3", times(9))]:  # fmt: skip
        world.visit(name, fields)
    with pytest.raises(SettingMissing):
        world.sync()
    waits = ("waiting", "Choose a class.")
    assert {name: world.ledger.outcomes[name] for name in ("new_1", "new_2", "new_3")} == dict.fromkeys(
        ("new_1", "new_2", "new_3"), waits
    )
    assert world.ledger.outcomes["old_1"] == (Action.UPDATE_REMOTE, "")
    assert world.ledger.outcomes["old_2"] == (Action.REMOVE_REMOTE, "")
    assert world.remote.records["event-old_1"].fields == times(10) and "event-old_2" not in world.remote.records
    assert not world.ledger.open_intents()


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_container_that_takes_nothing_is_not_taken_for_one_that_takes_nothing_new(first):
    world = World()
    for name in ("old_1", "old_2"):
        world.agreed(name, times(9))
    whole, part = ContainerUnavailable("Read only."), SettingMissing("Choose a class.")
    world.remote.answers |= {"a": [whole if first == "a" else part], "b": [part if first == "a" else whole]}
    for name in ("a", "b", "old_1", "old_2"):
        world.visit(name, times(10))
    with pytest.raises(ContainerUnavailable, match="Read only"):
        world.sync()
    assert world.ledger.outcomes["old_2"] == ("waiting", "Read only.")


@pytest.mark.parametrize(("doubtful", "writable"), [(True, True), (True, False), (False, True)])
def test_what_may_be_one_records_refusal_is_that_only_where_others_were_taken(doubtful, writable):
    world = World()
    for number in range(3):
        world.visit(f"vis_{number}", times(9))
    world.remote.answers["vis_1"] = [ContainerUnavailable("No.", doubtful=doubtful)]
    run = world.run()
    run.applier.is_writable = lambda: writable
    if doubtful and writable:
        run.everything()
        assert world.ledger.outcomes["vis_1"][0] == "Rejected"
        return
    with pytest.raises(ContainerUnavailable):
        run.everything()
    assert world.ledger.outcomes["vis_1"] == ("waiting", "No.")
    assert world.ledger.outcomes["vis_2"] == (Action.CREATE_REMOTE, "")


def test_a_refusal_of_the_account_among_answers_is_the_accounts():
    world = World()
    for number in range(3):
        world.visit(f"vis_{number}", times(9))
    world.remote.answers["vis_1"] = [NeedsPermission("Not granted.")]
    with pytest.raises(NeedsPermission):
        world.sync()
    assert world.ledger.outcomes == {f"vis_{number}": (Action.CREATE_REMOTE, "") for number in (0, 2)}


def test_a_defect_of_ours_is_no_refusal():
    world = World()
    world.visit("vis_1", times(9))
    world.remote.answers["vis_1"] = [ZeroDivisionError("ours")]
    with pytest.raises(ZeroDivisionError):
        world.sync()


def test_an_answer_to_each_record_is_found_by_its_key_and_not_by_its_place():
    world = World()
    for number in range(3):
        world.visit(f"vis_{number}", times(9, title=f"Leak {number}"))
    write = world.remote.write
    world.remote.write = lambda container, operations: list(reversed(write(container, operations)))
    world.sync()
    assert {row.record_id: row.base["title"] for row in world.ledger.links_by_id.values()} == {
        "vis_0": "Leak 0", "vis_1": "Leak 1", "vis_2": "Leak 2",
    }  # fmt: skip


def test_a_slice_may_end_after_each_batch():
    world = World(batch_size=1)
    for number in range(3):
        world.visit(f"vis_{number}", times(9))
    world.ends_at = 1
    with pytest.raises(SliceOver):
        world.run().everything()
    assert keys(world) == [["vis_0"]]
    world.ends_at = None
    world.run().everything()
    assert keys(world) == [["vis_0"], ["vis_1"], ["vis_2"]]


# --- what is sent -----------------------------------------------------------------------------------------------------


def operation_for(pair: Pair) -> Operation:
    """What is sent for one pair."""
    world = World()
    applier = world.run().applier
    world.ledger.intend = lambda items: None
    world.ledger.save_written = lambda written: None
    world.ledger.save_local = lambda decisions: set()
    world.remote.carry_out = lambda operation: None
    applier.do([pair])
    applier.flush(rest=True)
    [[operation]] = world.remote.written
    return operation


LINE = {"item": "1", "description": "Work", "quantity": "1", "unit_price": "100", "amount": "100.00", "taxable": False}
BILL = {
    "number": "1", "customer": "7", "date": "2026-11-20", "due_date": None, "lines": [LINE], "discount": None,
    "tax_code": "", "memo": "", "bill_email": "", "voided": False, "total": "100.00", "tax_total": "0.00",
    "balance": "100.00",
}  # fmt: skip


def test_lines_are_written_with_the_discount_and_the_tax_that_they_make_sense_with():
    seen = {**BILL, "discount": {"percent": "10"}, "tax_code": "3"}
    local = {**seen, "lines": [{**LINE, "quantity": "2"}], "total": "200.00", "tax_total": "16.00"}
    operation = operation_for(Pair(INVOICE, "inv_1", "145", Local(local), link_id=1, base=seen, seen=seen, tag="3"))
    assert operation.fields == {
        "lines": [{**LINE, "quantity": "2"}], "discount": {"percent": "10"}, "tax_code": "3",
        # What is never compared, as FieldCamp has it: the books are told the tax that we came to.
        "total": "200.00", "tax_total": "16.00", "balance": "100.00",
    }  # fmt: skip


def test_a_memo_is_written_without_the_lines():
    local = {**BILL, "memo": "Please"}
    operation = operation_for(Pair(INVOICE, "inv_1", "145", Local(local), link_id=1, base=BILL, seen=BILL, tag="3"))
    assert operation.fields.keys() == {"memo", "total", "tax_total", "balance"}


def test_what_is_told_goes_with_a_write_where_it_is_said():
    told = {**BILL, "class": "7"}
    pair = Pair(INVOICE, "inv_1", "145", Local({**told, "memo": "New"}), link_id=1, base=BILL, seen=BILL, tag="3")
    fields = operation_for(pair).fields
    assert (fields["class"], fields["memo"]) == ("7", "New") and "lines" not in fields
    assert "class" not in INVOICE.pick(told)


def test_a_create_has_what_is_never_compared_as_well():
    operation = operation_for(Pair(INVOICE, "inv_1", "", Local(BILL)))
    assert operation.fields == BILL


def test_what_a_person_has_named_is_made_under_that_name():
    fields = {"display_name": "Kim Reed", "email": "kim@example.test"}
    named = {"match": "new", "create": {"display_name": "Kim Reed (C)"}}
    operation = operation_for(Pair(CUSTOMER, "cli_1", "", Local(fields), decision=named))
    assert operation.fields["display_name"] == "Kim Reed (C)"
    assert operation.fields["active"] is None and operation.fields["currency"] is None
