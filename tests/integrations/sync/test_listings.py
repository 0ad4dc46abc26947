"""What a run reads, incremental or full, over a world in memory: page by page, and gone on with after a break."""

from dataclasses import replace

import pytest

from integrations.errors import CursorExpired, Endless, Unavailable
from integrations.records import Page
from integrations.sync import run as run_module
from integrations.sync.ports import CursorMoved
from integrations.sync.state import Action
from tests.integrations.sync.sides import busy, pages, times
from tests.integrations.sync.world import SliceOver, World


def test_each_page_is_saved_with_its_cursor_and_the_slice_may_end_after_it():
    world = World()
    world.remote.pages = pages([busy("b1")], [busy("b2")], [busy("b3")])
    world.sync()
    assert [entry[1] for entry in world.steps("page")] == ["cursor0", "after0", "after1"]
    assert world.ledger.cursors["cursor"] == "after2"
    world = World()
    world.remote.pages = pages([busy("b1")], [busy("b2")], [busy("b3")])
    world.ends_at = 1
    with pytest.raises(SliceOver):
        world.run().everything()
    assert world.ledger.cursors["cursor"] == "after0"
    world.ends_at = None
    world.run().everything()
    assert [entry[1] for entry in world.steps("page")] == ["cursor0", "after0", "after1"]


def test_a_listing_of_one_page_is_not_broken_off_behind_it():
    """Else each slice would end there, and none get beyond."""
    world = World()
    world.remote.listing(busy("b1"))
    world.ends_at = 1
    with pytest.raises(SliceOver):
        world.run().everything()
    assert world.ledger.progress["phase"] == "apply"


def test_a_reader_who_was_faster_is_gone_on_behind():
    world = World()
    world.remote.pages = pages([busy("b1")], [busy("b2")])
    save, moved = world.ledger.save_page, []

    def overtaken(page, expected, full):
        if not moved:
            moved.append(expected)
            world.ledger.cursors["cursor"] = "further on"
            raise CursorMoved
        save(page, expected, full)

    world.ledger.save_page = overtaken
    world.sync()
    assert [call for name, call in world.remote.calls if name == "changes"] == [["cursor0"], ["further on"]]


def test_without_a_cursor_everything_is_read():
    world = World()
    world.ledger.cursors["cursor"] = ""
    world.remote.listing(busy("b1"))
    world.sync()
    assert world.ledger.progress["full"] is True
    assert world.steps("begin_full", "finish_full") == [("begin_full", False), ("finish_full",)]
    assert world.steps("begin_push") == [("begin_push", True)]
    assert world.ledger.cursors["cursor"] and world.ledger.cursors["full_cursor"] == ""


def test_an_expired_cursor_makes_a_full_run_from_the_start_and_says_so():
    world = World()
    world.remote.expired = True
    world.agreed("vis_1", times(9))
    run = world.run()
    run.everything()
    assert run.progress.full and run.progress.forced
    assert world.steps("begin_full") == [("begin_full", True)]
    assert [call for name, call in world.remote.calls if name == "changes"] == [["cursor0"], [""]]
    assert ("vanished", True) in world.ledger.trail  # absence counts now


def test_an_expired_cursor_of_a_full_listing_begins_it_anew():
    world = World()
    world.ledger.full_mark, world.ledger.cursors["full_cursor"] = "mark", "half-way"
    world.remote.expired = True
    world.sync(full=True)
    assert [call for name, call in world.remote.calls if name == "changes"] == [["half-way"], [""]]


def test_a_cursor_that_expires_again_at_once_is_an_error():
    world = World()

    def changes(*_):
        raise CursorExpired("Again.")
        yield

    world.remote.changes = changes
    with pytest.raises(CursorExpired):
        world.sync()


def test_a_full_run_goes_on_with_its_listing_where_it_stood():
    world = World()
    world.remote.pages = pages([busy("b1")], [busy("b2")])
    world.ends_at = 1
    with pytest.raises(SliceOver):
        world.run(full=True).everything()
    world.ends_at = None
    world.run(full=True).everything()
    assert [call for name, call in world.remote.calls if name == "changes"] == [[""], ["after0"]]
    assert {row.remote_id for row in world.ledger.links_by_id.values()} == {"b1", "b2"}


def test_a_full_run_asks_after_each_record_that_was_not_listed():
    world = World(batch_size=2)
    for number in range(5):
        world.agreed(f"vis_{number}", times(9))
    world.remote.records.pop("event-vis_3")
    world.remote.listing(world.remote.records["event-vis_0"])
    before = world.checkpoints
    world.sync(full=True)
    asked = [call for name, call in world.remote.calls if name == "get"]
    assert asked == [["event-vis_1", "event-vis_2"], ["event-vis_3", "event-vis_4"]]
    assert world.checkpoints - before >= 2
    assert world.steps("refreshed") == [
        ("refreshed", "event-vis_1", "event-vis_2"),
        ("refreshed", "event-vis_3", "event-vis_4"),
    ]
    trail = [entry[0] for entry in world.ledger.trail]
    assert trail.index("finish_full") > len(trail) - 1 - trail[::-1].index("refreshed")


def test_a_full_run_repairs_what_no_listing_and_no_edit_has_told(monkeypatch):
    """What is gone is made again, what is missing made, what differs written, and an orphan removed."""
    monkeypatch.setattr(run_module, "CHUNK", 2)
    world = World(batch_size=2)
    for number in range(12):
        world.agreed(f"vis_{number:02}", times(9))
    del world.remote.records["event-vis_00"]
    world.remote.put("event-vis_01", times(9, title="Renamed there"))
    del world.local.records["vis_02"]
    world.visit("vis_20", times(10), dirty=False)
    world.visit("vis_21", times(11), dirty=False)
    world.visit("vis_22", None, dirty=False)
    world.sync(full=True)
    done = {key: action for key, (action, _) in world.ledger.outcomes.items()}
    assert done["vis_00"] == done["vis_20"] == done["vis_21"] == Action.CREATE_REMOTE
    assert done["vis_01"] == Action.UPDATE_REMOTE
    assert done["vis_02"] == Action.REMOVE_REMOTE
    assert done["vis_03"] == Action.NOTHING
    assert "vis_22" not in done
    assert ("begin_push", True) in world.ledger.trail
    assert world.ledger.progress["after_record"] == "vis_21"
    assert all(len(batch) <= 2 for batch in world.remote.written)


def test_every_chunk_of_a_full_run_is_written_before_its_place_is_saved(monkeypatch):
    """A worker that takes it up behind the place would never come back to what was not written."""
    monkeypatch.setattr(run_module, "CHUNK", 2)
    world = World(batch_size=50)
    for number in range(5):
        world.visit(f"vis_{number}", times(9), dirty=False)
    world.sync(full=True)
    assert [len(batch) for batch in world.remote.written] == [2, 2, 1]


def test_a_full_run_that_is_broken_off_anywhere_ends_as_one_that_is_not(monkeypatch):
    monkeypatch.setattr(run_module, "CHUNK", 2)

    def world() -> World:
        made = World(batch_size=2)
        for number in range(5):
            made.agreed(f"vis_{number}", times(9))
        made.remote.put("event-vis_1", times(9, title="Renamed"))
        made.visit("vis_8", times(10), dirty=False)
        made.visit("vis_9", times(11))
        made.remote.pages = pages(list(made.remote.records.values())[:3], list(made.remote.records.values())[3:])
        return made

    whole = world()
    whole.sync(full=True)
    for ends_at in range(1, whole.checkpoints + 1):
        broken = world()
        broken.ends_at = ends_at
        with pytest.raises(SliceOver):
            broken.run(full=True).everything()
        broken.ends_at = None
        broken.run(full=True).everything()
        assert broken.ledger.outcomes.keys() == whole.ledger.outcomes.keys(), ends_at
        assert broken.remote.records.keys() == whole.remote.records.keys(), ends_at
        assert len(broken.remote.written) == len(whole.remote.written), ends_at


def test_a_run_asks_about_what_its_listing_could_not_tell():
    """An occurrence of a series that the listing names without it, and an event that may be ours."""
    world = World()
    world.ledger.link("", "b1", times(9) | {"series_id": "s1"}, kind="block")
    theirs = world.remote.put("b2", times(10), kind="block")
    world.remote.listing(replace(theirs, doubtful=True), series=["s1"])
    world.sync()
    assert world.calls() == ["changes", "get"]
    assert world.remote.calls[-1] == ("get", ["b1", "b2"])
    assert world.remote.containers == ["main", "main"]
    assert [(row.remote_id, row.gone) for row in world.ledger.links_by_id.values()] == [("b1", True), ("b2", False)]


def test_behind_a_page_that_could_not_be_taken_in_the_listing_goes_on():
    world = World()
    world.remote.pages = pages([busy("b1")], [busy("b2")])
    save_page, cursors = world.ledger.save_page, []

    def broken(page, expected, full):
        if any(record.id == "b1" for record in page.records):
            raise ValueError("No.")
        cursors.append((page.last, full))
        save_page(page, expected, full)

    world.ledger.save_page = broken
    world.sync(full=True)
    assert cursors == [(False, True), (True, True)]
    assert {row.remote_id for row in world.ledger.links_by_id.values()} == {"b1", "b2"}


def test_a_listing_that_leads_nowhere_is_begun_anew_by_the_next_run():
    """What it has led to is no place to go on from: the cursor is the one that the provider gives to begin with."""
    world = World()
    world.remote.pages = [Page([busy("b1")], f"after{n}", last=False, restart="anew") for n in range(30)]
    run = world.run()
    with pytest.raises(Endless):
        run.everything()
    assert world.ledger.cursors["cursor"] == "anew"
    assert world.ledger.last_page.last is False  # there is more to come
    assert world.steps("page")[-1] == ("page", "after2", False, ())
    assert world.ledger.link_of("").remote_id == "b1"  # what was read is kept
    assert run.progress.listing == {}
    world.remote.pages = []
    world.sync()
    assert [call for name, call in world.remote.calls if name == "changes"] == [["cursor0"], ["anew"]]


def test_a_listing_that_leads_nowhere_is_left_to_a_reader_who_was_faster():
    world = World()
    world.remote.pages = [Page([busy("b1")], f"after{n}", last=False, restart="anew") for n in range(30)]
    save = world.ledger.save_page

    def overtaken(page, expected, full):
        if page.cursor == "anew":
            raise CursorMoved
        save(page, expected, full)

    world.ledger.save_page = overtaken
    with pytest.raises(Endless):
        world.run().everything()


def test_pages_of_one_listing_are_counted_over_slices():
    """A listing that leads nowhere ends also where each slice gets through two of its pages only."""
    world, slices = World(), 0
    with pytest.raises(Endless):
        while slices < 20:
            slices += 1
            world.remote.pages = [Page([busy("b1")], f"more{slices} {n}", last=False) for n in range(9)]
            world.ends_at = world.checkpoints + 2
            try:
                world.run().everything()
            except SliceOver:
                continue
    assert 1 < slices < 4


def test_records_that_were_asked_about_count_as_read():
    world = World(batch_size=2)
    for number in range(5):
        world.agreed(f"vis_{number}", times(9))
    run = world.run(full=True)
    run.everything()
    assert run.progress.listing["rows"] == 5


def test_a_provider_that_answers_about_others_is_out_of_order():
    """Else a full run would ask for ever."""
    world = World()
    world.agreed("vis_1", times(9))
    world.remote.get = lambda container_id, ids, sent=None: {"another": busy("another")}
    with pytest.raises(Unavailable, match="^The provider answers about other records than those that it was asked"):
        world.sync(full=True)
