"""One record's fault stays that record's, and what kills a process is found out: over a world in memory."""

from collections.abc import Callable

import pytest

from integrations.errors import Unavailable
from integrations.records import Verb
from integrations.sync.ports import CursorMoved
from tests.integrations.sync.sides import busy, pages, times
from tests.integrations.sync.world import SliceOver, World
from tests.killing import Killed

BAD = "vis_2"
DIED = ("DiedBefore", "The process has died at this record more than once.")


def world_of_three(**more) -> World:
    world = World(**more)
    for number in (1, 2, 3):
        world.visit(f"vis_{number}", times(8 + number))
    return world


def break_at(thing: object, method: str, is_bad: Callable[..., bool], error: BaseException) -> None:
    """From now on this method raises where it gets what is bad."""
    work = getattr(thing, method)

    def broken(*arguments):
        if is_bad(*arguments):
            raise error
        return work(*arguments)

    setattr(thing, method, broken)


def made(world: World) -> set[str]:
    return {record.marker.record_id for record in world.remote.records.values()}


def failed(world: World) -> list[str]:
    """Who was left with a problem, which says why."""
    keys = [key for _, key in world.steps("failure")]
    assert {world.ledger.outcomes[key] for key in keys if key == BAD} <= {("ValueError", "No."), DIED}
    return keys


def test_a_record_that_cannot_be_planned(monkeypatch):
    from integrations.sync import apply

    plan = apply.plan

    def broken(pairs, policy):
        if any(pair.key == BAD for pair in pairs):
            raise ValueError("No.")
        return plan(pairs, policy)

    monkeypatch.setattr(apply, "plan", broken)
    world = world_of_three()
    world.sync()
    assert made(world) == {"vis_1", "vis_3"}
    assert failed(world) == [BAD]


def test_a_record_whose_local_half_cannot_be_saved():
    world = World()
    for number in (1, 2, 3):
        row = world.agreed(f"vis_{number}", times(8 + number))
        row.seen, row.unsettled = times(8 + number) | {"start": "2026-11-23T07:00:00Z"}, True
    break_at(world.ledger, "save_local", lambda some: any(d.pair.key == BAD for d in some), ValueError("No."))
    world.sync()
    assert failed(world) == [BAD]
    assert [world.ledger.link_of(f"vis_{number}").unsettled for number in (1, 2, 3)] == [False, True, False]
    assert world.remote.written == []


def test_the_write_of_a_record_whose_pulled_half_failed_is_not_sent():
    world = World()
    row = world.agreed(BAD, times(9))
    row.seen, row.unsettled = times(9) | {"start": "2026-11-23T07:00:00Z", "end": "2026-11-23T08:00:00Z"}, True
    world.visit(BAD, times(9, title="Retitled"))
    break_at(world.ledger, "save_local", lambda some: any(d.pair.key == BAD for d in some), ValueError("No."))
    world.sync()
    assert failed(world) == [BAD]
    assert world.remote.written == []


def test_a_record_whose_write_cannot_be_written_down_first():
    world = world_of_three()
    break_at(world.ledger, "intend", lambda some: any(d.pair.key == BAD for d, _, _ in some), ValueError("No."))
    world.sync()
    assert [operation.key for operation in world.remote.written[0]] == ["vis_1", "vis_3"]
    assert failed(world) == [BAD]


def test_where_nothing_can_be_written_down_nothing_is_sent():
    world = World(batch_size=1)
    world.visit(BAD, times(9))
    break_at(world.ledger, "intend", lambda some: True, ValueError("No."))
    world.sync()
    assert world.remote.written == [] and failed(world) == [BAD]


def test_an_answer_that_cannot_be_saved_stays_an_open_write():
    world = world_of_three()
    break_at(
        world.ledger, "save_written", lambda some: any(w.decision.pair.key == BAD for w in some), ValueError("No.")
    )
    world.sync()
    assert failed(world) == [BAD]
    row = world.ledger.link_of(BAD)
    assert row.parked and row.intent["verb"] is Verb.CREATE
    assert [world.ledger.link_of(pk).intent for pk in ("vis_1", "vis_3")] == [None, None]
    assert len(world.remote.written) == 1


def test_a_batch_that_cannot_be_sent_goes_record_by_record():
    world = world_of_three()
    tried = []

    def is_bad(_container_id, operations):
        tried.append([operation.key for operation in operations])
        return any(operation.key == BAD for operation in operations)

    break_at(world.remote, "write", is_bad, ValueError("No."))
    world.sync()
    assert tried == [["vis_1", "vis_2", "vis_3"], ["vis_1"], ["vis_2"], ["vis_3"]]
    assert [[op.key for op in batch] for batch in world.remote.written] == [["vis_1"], ["vis_3"]]
    assert made(world) == {"vis_1", "vis_3"}
    assert failed(world) == [BAD]
    assert world.ledger.link_of(BAD).parked


def test_what_a_broken_batch_has_done_in_part_is_not_done_again():
    world = world_of_three()
    write = world.remote.write

    def broken(container_id, operations):
        if len(operations) > 1:
            write(container_id, operations[:1])
            raise ValueError("No.")
        return write(container_id, operations)

    world.remote.write = broken
    world.sync()
    assert [[op.key for op in batch] for batch in world.remote.written] == [["vis_1"], ["vis_2"], ["vis_3"]]
    assert failed(world) == []
    assert made(world) == {"vis_1", "vis_2", "vis_3"}
    assert world.ledger.dirty_rows == {}


def test_between_records_that_go_alone_the_slice_may_end():
    world = world_of_three()
    break_at(world.remote, "write", lambda _, some: len(some) > 1, ValueError("No."))
    world.ends_at = 2  # the look at the open writes, then the first record
    with pytest.raises(SliceOver):
        world.run().everything()
    assert [[op.key for op in batch] for batch in world.remote.written] == [["vis_1"]]


def test_a_provider_that_is_ill_is_no_records_fault():
    world = world_of_three()
    break_at(world.remote, "write", lambda _, some: True, Unavailable("Ill."))
    with pytest.raises(Unavailable):
        world.sync()
    assert failed(world) == []


def test_an_open_write_that_cannot_be_resolved():
    world = world_of_three()
    write = world.remote.write
    break_at(world.remote, "write", lambda _, some: True, Killed())
    with pytest.raises(Killed):
        world.sync()
    world.remote.write = write
    bad = world.ledger.link_of(BAD).remote_id
    break_at(world.ledger, "settle_intents", lambda records: bad in records, ValueError("No."))
    world.sync()
    assert failed(world) == [BAD]
    assert made(world) == {"vis_1", "vis_3"}
    assert [world.ledger.link_of(pk).intent for pk in ("vis_1", "vis_3")] == [None, None]


def test_a_page_with_a_record_that_cannot_be_taken_in():
    world = World()
    world.remote.listing(busy("b1"), busy("b2"), busy("b3"))
    is_bad = "b2".__eq__
    break_at(world.ledger, "save_page", lambda page, *_: any(is_bad(r.id) for r in page.records), ValueError("No."))
    break_at(world.ledger, "save_refreshed", lambda records: any(map(is_bad, records)), ValueError("No."))
    cursor = world.remote.pages[0].cursor
    world.sync()
    assert failed(world) == ["b2"]
    assert {row.remote_id for row in world.ledger.links_by_id.values()} == {"b1", "b3"}
    assert world.ledger.cursor(full=False) == cursor


def test_a_reader_that_was_faster_is_gone_on_behind():
    world = World()
    world.remote.listing(busy("b1"))
    moved = [CursorMoved()]

    def faster(page, *_):
        if moved:
            world.remote.pages = pages([busy("b2")])
            raise moved.pop()
        return False

    break_at(world.ledger, "save_page", faster, ValueError("Not reached."))
    world.sync()
    assert world.calls() == ["changes", "changes"]
    assert {row.remote_id for row in world.ledger.links_by_id.values()} == {"b2"}
    assert failed(world) == []


def kill_at_bad(world: World) -> None:
    break_at(world.ledger, "intend", lambda some: any(d.pair.key == BAD for d, _, _ in some), Killed())


def test_what_kills_a_careful_run_is_known_and_left_out_of_the_next():
    world = world_of_three()
    kill_at_bad(world)
    with pytest.raises(Killed):
        world.run(careful=True).everything()
    assert world.ledger.progress["in_hand"] == BAD
    assert made(world) == {"vis_1"}
    world.run(careful=True).everything()
    assert made(world) == {"vis_1", "vis_3"}
    assert world.ledger.progress["left_out"] == [BAD] and world.ledger.progress["in_hand"] == ""
    assert world.ledger.outcomes[BAD] == DIED
    assert failed(world) == [BAD]


def test_a_careful_run_goes_record_by_record():
    world = world_of_three(batch_size=50)
    world.run(careful=True).everything()
    assert [[op.key for op in batch] for batch in world.remote.written] == [["vis_1"], ["vis_2"], ["vis_3"]]
    assert failed(world) == []


def test_a_slice_that_ends_in_a_careful_run_is_no_death():
    world = world_of_three()
    world.ends_at = 3
    with pytest.raises(SliceOver):
        world.run(careful=True).everything()
    assert world.ledger.progress["in_hand"] == ""
    world.ends_at = None
    world.run(careful=True).everything()
    assert made(world) == {"vis_1", "vis_2", "vis_3"}
    assert failed(world) == []
