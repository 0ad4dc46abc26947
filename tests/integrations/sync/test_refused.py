"""A calendar that refuses writes: as a whole, or single events of it, which some providers say in the same words."""

import pytest

from integrations.errors import ContainerUnavailable, Rejected
from integrations.records import Verb
from integrations.sync.policy import SyncPolicy
from tests.integrations.sync.sides import times
from tests.integrations.sync.world import World

REFUSED = "The calendar may be changed, but not this event in it."


def world_with(*answers: Exception | None, is_writable: bool = True) -> World:
    """A calendar to which as many visits are going, in one batch each of three, answered in this order."""
    world = World()
    world.is_writable = is_writable
    for number, answer in enumerate(answers):
        world.visit(f"vis_{number}", times(9))
        world.remote.answers[f"vis_{number}"] = [answer] if answer else []
    return world


def doubtful() -> ContainerUnavailable:
    return ContainerUnavailable("You may not write here.", detail="403 forbiddenForNonOrganizer", doubtful=True)


def certain() -> ContainerUnavailable:
    return ContainerUnavailable("The mailbox is full.")


def test_what_is_refused_where_others_are_taken_is_the_records_own_problem():
    world, seen = world_with(None, doubtful()), []
    save = world.ledger.save_written
    world.ledger.save_written = lambda written: (seen.extend(written), save(written))
    world.sync()
    [refused] = [item.error for item in seen if item.error]
    assert (str(refused), refused.detail) == (REFUSED, "403 forbiddenForNonOrganizer")
    assert world.steps("wait") == []
    assert world.ledger.progress["phase"] == "done"


def test_it_is_so_too_where_the_others_were_taken_before():
    """What was taken counts for the whole run, whatever else was refused since."""
    world = world_with(None, None, None, doubtful(), doubtful())
    world.sync()
    assert world.steps("wait") == []
    assert len(world.remote.written) == 2


def test_what_was_taken_counts_whatever_else_is_refused():
    world = world_with(None, None, None, Rejected("Too long."), doubtful())
    world.sync()
    assert world.steps("wait") == []


@pytest.mark.parametrize(
    ("answers", "is_writable", "waiting"),
    [
        ([doubtful()], True, {"vis_0"}),
        ([None, doubtful()], False, {"vis_1"}),
        ([None, certain()], True, {"vis_1"}),
        ([None, doubtful(), certain()], True, {"vis_1", "vis_2"}),
        ([None, certain(), doubtful()], True, {"vis_1", "vis_2"}),
    ],
    ids=["none is taken", "it may not be written", "certain", "certain later", "certain first"],
)
def test_where_the_calendar_is_refused_all_waits(answers, is_writable, waiting):
    world = world_with(*answers, is_writable=is_writable)
    with pytest.raises(ContainerUnavailable):
        world.sync()
    assert {key for _, *keys in world.steps("wait") for key in keys} == waiting
    assert not any(row.intent for row in world.ledger.links_by_id.values())


def test_a_removal_that_is_taken_says_nothing_of_what_may_be_written():
    """Where a calendar may only be read, what is gone already counts as removed."""
    world = World()
    world.is_writable = True
    world.agreed("vis_1", times(9))
    world.visit("vis_1", None)
    world.visit("vis_2", times(11))
    world.remote.answers["vis_2"] = [doubtful()]
    with pytest.raises(ContainerUnavailable):
        world.sync()
    assert [operation.verb for batch in world.remote.written for operation in batch] == [Verb.DELETE, Verb.CREATE]
    assert world.steps("wait") == [("wait", "vis_2")]


def test_the_next_run_writes_what_has_waited():
    world = world_with(certain())
    with pytest.raises(ContainerUnavailable):
        world.sync()
    world.sync()
    assert len(world.remote.records) == 1


def test_a_refusal_after_the_first_leaves_the_rest_unsent():
    world = world_with(certain(), None, None, None)
    with pytest.raises(ContainerUnavailable):
        world.sync()
    assert [len(batch) for batch in world.remote.written] == [3]
    assert ("wait", "vis_3") in world.steps("wait")


def test_removals_go_without_anything_being_read():
    """The account is being left: what has no place there goes, and nothing else is asked or written."""
    world = World(batch_size=50)
    for number in range(2):
        world.agreed(f"vis_{number}", times(9))
    world.visit("vis_0", None)
    run = world.run(SyncPolicy(full=True))
    run.removals()
    assert world.calls() == ["write"]
    assert [*world.remote.records] == ["event-vis_1"]
    assert world.steps("begin_push") == [("begin_push", True)]
    assert (run.progress.phase, run.progress.full) == ("apply", True)
