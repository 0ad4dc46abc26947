"""One stream's run over a world in memory: its steps, what is written, and what a person has decided."""

import pytest

from integrations.errors import Unavailable
from integrations.records import Marker, Verb
from integrations.sync import run as run_module
from integrations.sync.policy import SyncPolicy
from integrations.sync.state import Action
from tests.integrations.sync.sides import busy, times
from tests.integrations.sync.world import WINDOW, World


def test_a_quiet_run_asks_once_and_writes_nothing():
    world = World()
    world.agreed("vis_1", times(9))
    assert world.sync() is False
    assert world.calls() == ["changes"]
    assert world.ledger.outcomes == {}
    assert world.ledger.finished == 1


def test_a_run_with_nothing_to_do_ends_before_it_begins_to_push():
    world = World()
    world.ledger.idle = True
    assert world.sync() is False
    assert world.steps("begin_push") == [] and len(world.steps("finish")) == 1
    assert world.ledger.cursors_read == 1


def test_the_steps_of_a_run_in_their_order():
    world = World()
    world.visit("vis_1", times(9))
    world.sync()
    assert world.ledger.trail == [
        ("begin_pull",),
        ("page", "cursor0", False, ()),
        ("vanished", False),
        ("begin_push", False),
        ("intend", "vis_1"),
        ("written", "vis_1"),
        ("finish", False),
    ]


def test_a_visit_is_made_there_with_our_mark_and_an_id_of_our_own():
    world = World()
    world.visit("vis_1", times(9), link="https://fieldcamp.test/vis_1")
    world.sync()
    [[operation]] = world.remote.written
    assert operation.verb is Verb.CREATE
    assert (operation.key, operation.kind, operation.tag) == ("vis_1", "visit", "")
    assert operation.remote_id == "id(str_1|vis_1|0)"
    assert operation.marker == Marker("wsp_1", "vis_1", "id(str_1|vis_1|0)")
    assert operation.link == "https://fieldcamp.test/vis_1"
    assert operation.fields == times(9)
    assert world.ledger.outcomes == {"vis_1": (Action.CREATE_REMOTE, "")}
    assert world.ledger.dirty_rows == {}
    assert world.sync() is False and len(world.remote.written) == 1


def test_an_edit_is_written_under_the_tag_that_was_seen_with_what_belongs_together():
    world = World()
    row = world.agreed("vis_1", times(9))
    world.visit("vis_1", times(9) | {"end": "2026-11-23T11:00:00Z"}, link="https://fieldcamp.test/vis_1")
    tag = row.tag
    world.sync()
    [[operation]] = world.remote.written
    assert (operation.verb, operation.key, operation.kind) == (Verb.UPDATE, "vis_1", "visit")
    assert (operation.remote_id, operation.tag) == ("event-vis_1", tag)
    assert operation.fields == {"start": "2026-11-23T09:00:00Z", "end": "2026-11-23T11:00:00Z"}
    assert operation.marker == Marker("wsp_1", "vis_1", "event-vis_1")
    assert operation.link == "https://fieldcamp.test/vis_1"


def test_an_edit_of_what_was_never_seen_is_written_as_it_is():
    world = World()
    row = world.agreed("vis_1", times(9))
    row.seen = None
    world.visit("vis_1", times(10))
    world.sync()
    [[operation]] = world.remote.written
    assert (operation.verb, operation.fields["start"]) == (Verb.UPDATE, times(10)["start"])


def test_an_edit_of_what_stands_alone_is_written_alone():
    world = World()
    world.agreed("vis_1", times(9))
    world.visit("vis_1", times(9, title="Retitled"))
    world.sync()
    [[operation]] = world.remote.written
    assert operation.fields == {"title": "Retitled"}


def test_what_is_taken_off_the_calendar_is_removed_there():
    world = World()
    world.agreed("vis_1", times(9))
    world.visit("vis_1", None)
    world.sync()
    [[operation]] = world.remote.written
    assert (operation.verb, operation.remote_id) == (Verb.DELETE, "event-vis_1")
    assert world.remote.records == {}
    assert world.ledger.links_by_id[1].cut


def test_what_is_made_again_gets_a_new_id():
    """A removed event keeps its id for good."""
    world = World()
    row = world.agreed("vis_1", times(9))
    world.visit("vis_1", None)
    world.sync()
    world.visit("vis_1", times(10))
    world.sync()
    assert world.remote.written[-1][0].remote_id == "id(str_1|vis_1|1)"
    assert (row.generation, row.remote_id) == (1, "id(str_1|vis_1|1)")
    world.visit("vis_1", None)
    world.sync()
    world.visit("vis_1", times(11))
    world.sync()
    assert row.generation == 2


@pytest.mark.parametrize("taken", [1, 2])
def test_an_id_of_somebody_elses_record_is_passed_over(taken):
    world = World()
    for generation in range(taken):
        world.ledger.link("", f"id(str_1|vis_1|{generation})", times(9), kind="block")
    world.visit("vis_1", times(9))
    world.visit("vis_2", times(9))
    world.sync()
    assert [operation.remote_id for operation in world.remote.written[0]] == [
        f"id(str_1|vis_1|{taken})",
        "id(str_1|vis_2|0)",
    ]
    assert world.ledger.link_of("vis_1").generation == taken


def test_writes_go_in_full_batches_and_the_rest_at_the_end(monkeypatch):
    monkeypatch.setattr(run_module, "CHUNK", 2)
    world = World(batch_size=3)
    for number in range(7):
        world.visit(f"vis_{number}", times(9))
    world.sync()
    assert [[operation.key for operation in batch] for batch in world.remote.written] == [
        ["vis_0", "vis_1", "vis_2"],
        ["vis_3", "vis_4", "vis_5"],
        ["vis_6"],
    ]


def test_what_a_person_moved_there_is_taken_in_before_anything_is_written():
    world = World()
    world.agreed("vis_1", times(9))
    edited = world.remote.put("event-vis_1", times(15), marker=Marker("wsp_1", "vis_1", "event-vis_1"))
    world.remote.listing(edited)
    world.visit("vis_1", times(9, title="Retitled"))
    world.sync()
    pulled = {name: times(15)[name] for name in ("start", "end")}
    assert world.steps("local", "intend") == [
        ("local", ("vis_1", Action.UPDATE_REMOTE)),
        ("intend", "vis_1"),
    ]
    [[operation]] = world.remote.written
    assert operation.fields == {"title": "Retitled"} and operation.tag == edited.tag
    assert world.ledger.link_of("vis_1").base == {**times(15), "title": "Retitled"}
    assert pulled.items() <= world.ledger.link_of("vis_1").base.items()


def test_what_somebody_edited_meanwhile_is_not_written():
    world = World()
    world.agreed("vis_1", times(9))
    world.visit("vis_1", times(9, title="Retitled"))
    edited = world.remote.put("event-vis_1", times(15))
    world.remote.listing(edited)
    world.ledger.overtaken = {"vis_1"}
    world.sync()
    assert world.remote.written == []
    assert world.ledger.dirty_rows  # the next run looks again


def test_a_dirty_record_is_looked_at_once_and_first():
    """Not again among the unsettled links; busy time has no record and comes by its link."""
    world = World()
    world.agreed("vis_1", times(9))
    edited = world.remote.put("event-vis_1", times(15))
    world.remote.listing(edited, busy("b1"))
    world.visit("vis_1", times(9))
    world.sync()
    looked = [pair for entry in world.steps("local") for pair in entry[1:]]
    assert looked == [("vis_1", Action.PULL), ("b1", Action.PULL)]
    assert world.ledger.progress["after_dirty"] > 0 and world.ledger.progress["after_link"] > 0


def test_single_pairs_are_brought_into_agreement_without_a_listing():
    world = World(batch_size=50)
    for number in range(3):
        world.agreed(f"vis_{number}", times(9))
        world.visit(f"vis_{number}", times(9, title="Retitled"), dirty=False)
    world.run(SyncPolicy()).only([world.ledger.link_of(pk).pk for pk in ("vis_0", "vis_1")])
    assert world.calls() == ["write"]
    assert [operation.key for operation in world.remote.written[0]] == ["vis_0", "vis_1"]
    assert world.ledger.finished == 0


def test_single_pairs_are_taken_by_chunks(monkeypatch):
    monkeypatch.setattr(run_module, "CHUNK", 2)
    world = World(batch_size=50)
    for number in range(5):
        world.agreed(f"vis_{number}", times(9))
        world.visit(f"vis_{number}", times(9, title="Retitled"), dirty=False)
    world.run().only([world.ledger.link_of(f"vis_{number}").pk for number in range(5)])
    sent = [[operation.key for operation in batch] for batch in world.remote.written]
    assert sent == [["vis_0", "vis_1"], ["vis_2", "vis_3"], ["vis_4"]]


def test_an_open_intent_is_looked_at_before_anything_is_decided():
    world = World()
    row = world.agreed("vis_1", times(9))
    row.intent = {"verb": Verb.UPDATE, "fields": times(9)}
    run = world.run()
    run.only([row.pk])
    assert world.calls() == ["get"]
    assert row.intent is None
    assert run.applier.barred is None


def test_an_intent_that_the_provider_does_not_answer_for_is_looked_at_once():
    world = World()
    row = world.agreed("vis_1", times(9))
    row.intent = {"verb": Verb.UPDATE, "fields": times(9)}
    world.remote.get = lambda container_id, ids, sent=None: {}
    with pytest.raises(Unavailable, match="^The provider answers about other records than those that it was asked"):
        world.sync()
    assert row.intent


def test_the_window_and_the_calendar_are_the_runs():
    world = World()
    asked = []
    changes, get, write = world.remote.changes, world.remote.get, world.remote.write
    world.remote.changes = lambda *a: asked.append(("changes", a[0], a[2])) or changes(*a)
    world.remote.get = lambda container, ids, sent=None: asked.append(("get", container)) or get(container, ids, sent)
    world.remote.write = lambda container, ops: asked.append(("write", container)) or write(container, ops)
    world.agreed("vis_1", times(9)).mark = "before"
    world.remote.listing()
    world.visit("vis_2", times(9))
    world.sync(full=True)
    assert asked == [("changes", "main", WINDOW), ("get", "main"), ("write", "main")]
