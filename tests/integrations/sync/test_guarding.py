"""The mass-removal guard in a run over a world in memory."""

import pytest

from integrations.records import RemoteRecord
from integrations.sync.state import Action
from tests.integrations.sync.sides import times
from tests.integrations.sync.world import SliceOver, World


def with_removals(count: int, of: int) -> World:
    world = World(batch_size=50)
    gone = []
    for number in range(of):
        world.agreed(f"vis_{number:02}", times(9))
        if number < count:
            tombstone = RemoteRecord(f"event-vis_{number:02}", "gone", "visit", gone=True)
            world.remote.records.pop(tombstone.id)
            gone.append(tombstone)
    world.remote.listing(*gone)
    return world


def test_a_few_removals_are_taken_over():
    world = with_removals(3, of=12)
    assert world.sync() is False
    assert {action for action, _ in world.ledger.outcomes.values()} == {Action.CUT}
    assert world.steps("hold") == []


def test_many_removals_are_held_and_the_rest_is_done():
    world = with_removals(4, of=12)
    world.visit("vis_99", times(10))
    assert world.sync() is True
    assert world.steps("hold") == [("hold", 4, 12)]
    assert sorted(world.ledger.outcomes) == ["vis_00", "vis_01", "vis_02", "vis_03", "vis_99"]
    assert world.ledger.outcomes["vis_00"][0] == Action.HOLD
    assert world.ledger.outcomes["vis_99"][0] == Action.CREATE_REMOTE
    assert world.ledger.progress["held"] is True
    assert world.sync() is False  # held already: nobody is asked twice
    assert len(world.steps("hold")) == 1


def test_removals_that_come_one_by_one_are_held_once_they_are_many_together():
    """What is held already counts, or a calendar would be emptied in small steps."""
    world = with_removals(4, of=12)
    world.sync()
    tombstone = RemoteRecord("event-vis_07", "gone", "visit", gone=True)
    world.remote.records.pop(tombstone.id)
    world.remote.listing(tombstone)
    assert world.sync() is True
    assert world.steps("hold")[-1] == ("hold", 1, 12)


def test_held_removals_are_said_by_every_slice_of_the_run():
    world = with_removals(4, of=12)
    world.ends_at = 2  # after the guard
    with pytest.raises(SliceOver):
        world.run().everything()
    world.ends_at = None
    assert world.run().everything() is True
    assert len(world.steps("hold")) == 1 and len(world.steps("vanished")) == 1


def test_a_first_sync_removes_nothing_and_has_nothing_to_hold():
    world = with_removals(12, of=12)
    assert world.sync(first=True) is False
    assert world.steps("hold") == []
    assert {action for action, _ in world.ledger.outcomes.values()} == {Action.NOTHING}


def test_orphans_count_among_the_removals_of_a_full_run_only():
    for full, held in ((True, True), (False, False)):
        world = World(batch_size=50)
        for number in range(12):
            world.agreed(f"vis_{number:02}", times(9))
        for number in range(4):
            del world.local.records[f"vis_{number:02}"]
        world.remote.listing(*world.remote.records.values())
        assert world.sync(full=full) is held
        assert world.remote.written == []


@pytest.mark.parametrize(("gone", "held"), [(3, False), (4, True), (12, True)])
def test_nor_does_a_full_run_make_many_again_unasked(gone, held):
    world = with_removals(gone, of=12)
    world.remote.listing(*world.remote.records.values())
    assert world.sync(full=True) is held
    made = [key for key, (action, _) in world.ledger.outcomes.items() if action is Action.CREATE_REMOTE]
    assert len(made) == (0 if held else gone)
    assert world.steps("hold") == ([("hold", gone, 12)] if held else [])


def test_what_a_person_has_decided_is_made_again_without_a_question():
    world = with_removals(6, of=12)
    for number in range(6):
        world.ledger.link_of(f"vis_{number:02}").decision = {"choice": "restore"}
    assert world.sync(full=True) is False
    assert world.steps("hold") == []


def test_what_was_edited_here_is_made_again_without_a_question():
    world = with_removals(6, of=12)
    for number in range(6):
        world.visit(f"vis_{number:02}", times(11))
    assert world.sync() is False
    assert {action for action, _ in world.ledger.outcomes.values()} == {Action.CREATE_REMOTE}
