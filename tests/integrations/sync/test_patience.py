"""What a run does about a provider that asks for patience, and where it stands when it breaks off: over a world in
memory, whose clock moves only when the run sleeps."""

import datetime as dt

import pytest

from integrations.errors import RateLimited, Stale, Unavailable
from integrations.sync import run as run_module
from tests.integrations.sync.sides import times
from tests.integrations.sync.world import SliceOver, World

MINUTE = dt.timedelta(minutes=1)


def limited(world: World, seconds: float = 0.0) -> RateLimited:
    """A refusal that asks for so many seconds; most ask for none."""
    return RateLimited("Too many calls.", retry_at=world.time.now + dt.timedelta(seconds=seconds))


def test_a_short_wait_is_slept_out_and_the_write_is_made():
    world = World()
    world.visit("vis_1", times(9))
    world.remote.answers["vis_1"] = [lambda operation: limited(world, 3)]
    world.sync()
    assert world.time.slept == [3.0]
    assert [operation.key for batch in world.remote.written for operation in batch] == ["vis_1", "vis_1"]
    assert world.ledger.link_of("vis_1").base == times(9)


def test_refusals_without_a_time_double_the_wait_up_to_a_full_minute_that_is_not_slept():
    world = World()
    world.visit("vis_1", times(9))
    world.remote.answers["vis_1"] = [lambda operation: limited(world)] * 9
    with pytest.raises(RateLimited) as caught:
        world.sync()
    assert all(low <= wait <= 2 * low for wait, low in zip(world.time.slept, (1, 2, 4), strict=False))
    assert sum(wait > 5 for wait in world.time.slept) == 0
    assert caught.value.retry_at == world.time.now + MINUTE


def test_a_refusal_that_names_a_later_time_is_believed():
    world = World()
    world.visit("vis_1", times(9))
    world.remote.answers["vis_1"] = [lambda operation: limited(world, 300)]
    with pytest.raises(RateLimited) as caught:
        world.sync()
    assert world.time.slept == []
    assert caught.value.retry_at == world.time.now + 5 * MINUTE


def test_the_longest_of_several_waits_counts():
    world = World()
    for number, seconds in enumerate((2, 4, 3)):
        world.visit(f"vis_{number}", times(9))
        world.remote.answers[f"vis_{number}"] = [lambda operation, seconds=seconds: limited(world, seconds)]
    world.sync()
    assert world.time.slept == [4.0]


def test_after_a_success_the_next_refusal_waits_as_the_first_did():
    """429, success, 429, success, 429: each waits one to two seconds, and none is the doubled one."""
    world = World(batch_size=1)
    for number in range(3):
        world.visit(f"vis_{number}", times(9))
        world.remote.answers[f"vis_{number}"] = [lambda operation: limited(world)]
    world.sync()
    assert len(world.time.slept) == 3
    assert all(1 <= wait <= 2 for wait in world.time.slept)


def test_what_was_put_off_is_known_not_to_have_been_written():
    """Its intent is forgotten: nothing asks the provider for it, and the next run writes it."""
    world = World()
    world.visit("vis_1", times(9))
    world.remote.answers["vis_1"] = [lambda operation: limited(world, 300)]
    with pytest.raises(RateLimited):
        world.sync()
    assert world.ledger.open_intents() == {}
    world.sync()
    assert [name for name, _ in world.remote.calls] == ["changes", "write", "changes", "write"]


def test_an_ill_provider_is_asked_again_after_growing_pauses_and_then_left():
    world = World()
    world.visit("vis_1", times(9))
    world.remote.answers["*"] = [Unavailable("Away.")] * 9
    with pytest.raises(Unavailable):
        world.sync()
    assert len(world.remote.written) == 4
    assert all(low <= wait <= 2 * low for wait, low in zip(world.time.slept, (1, 2, 4), strict=True))
    assert world.ledger.open_intents()  # whether it was done is for the next run to find out


def test_a_pause_is_never_longer_than_the_longest_sleep():
    world = World(seed=7)
    world.visit("vis_1", times(9))
    world.remote.answers["*"] = [Unavailable("Away.")] * 9
    world.rng.uniform = lambda low, high: high
    with pytest.raises(Unavailable):
        world.sync()
    assert world.time.slept == [2.0, 4.0, 5.0]


def test_a_record_that_keeps_changing_there_is_left_to_the_next_run_without_a_pause():
    world = World()
    world.agreed("vis_1", times(9))
    world.visit("vis_1", times(10))
    world.remote.answers["vis_1"] = [Stale("It has moved on.")] * 9
    world.sync()
    assert (len(world.remote.written), world.time.slept) == (4, [])
    assert world.ledger.outcomes["vis_1"] == (
        "Stale",
        "It keeps changing at the other side. It is tried again later.",
    )
    assert world.ledger.dirty_rows, "it is looked at again"


def test_a_long_walk_over_what_needs_nothing_is_saved_on_the_way(monkeypatch):
    """One write waits for a full batch while thousands are passed over: after four chunks it is sent, so that a run
    that is killed then is taken up behind them."""
    monkeypatch.setattr(run_module, "CHUNK", 2)
    world = World(batch_size=50)
    world.visit("vis_00", times(9))
    for number in range(1, 20):
        world.visit(f"vis_{number:02}", None)  # not to be shown: nothing to write
    world.ends_at = 2  # the write; then the fourth chunk's progress
    run = world.run()
    with pytest.raises(SliceOver):
        run.everything()
    assert world.ledger.link_of("vis_00").base == times(9)
    done = world.ledger.progress["after_dirty"]
    assert done == 8
    world.ends_at = None
    world.remote.calls.clear()
    world.run().everything()
    assert world.ledger.progress["phase"] == "done" and world.remote.calls == []


def test_a_write_that_waits_for_a_full_batch_is_never_behind_the_saved_progress(monkeypatch):
    """The slice does not end between: the progress would stand behind a write that was not made."""
    monkeypatch.setattr(run_module, "CHUNK", 2)
    world = World(batch_size=50)
    world.visit("vis_0", times(9))
    for number in range(1, 4):
        world.visit(f"vis_{number}", None)
    world.sync()
    saved = [entry for entry in world.ledger.trail if entry[0] in ("progress", "written")]
    at = saved.index(("written", "vis_0"))
    assert all(entry[2] == 0 for entry in saved[:at] if entry[0] == "progress")
