"""Texts in an event: what technicians type beside ours stays, and none is written twice, however it is kept there."""

import datetime as dt
import re
from dataclasses import replace

import pytest

from fieldcamp.workspace.history import history_of
from fieldcamp.workspace.models import Visit
from integrations.providers.texts import without_page
from tests.integrations.sync.people import Event, Person

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.mark.slow
def test_what_a_technician_types_stays_through_every_later_write(google, outlook, person, dana, sync, make_visits):
    [visit] = make_visits(dana.member, 1, notes="Use the side door")
    sync()
    event = person.ours()[visit.pk]
    assert plain(person, event).startswith("Open in FieldCamp: http")
    person.type(event, above="call first\n", below="\ngate code 99 & <up>".replace("<up>", "&lt;up&gt;"))
    assert sync().pushed == 0
    for notes in ("Use the front door", "n" * 9000):
        Visit.objects.filter(pk=visit.pk).update(notes=notes)
        assert sync().pushed == 1
        text = plain(person, event)
        assert text.startswith("Open in FieldCamp: http") and notes[:50] in text and "side door" not in text
        assert text.endswith("call first\ngate code 99 & <up>")
        assert sync(mode="full").pushed == 0
    person.delete(event.id)
    sync()
    sync(mode="full")
    assert plain(person, person.ours()[visit.pk]).endswith("call first\ngate code 99 & <up>")


def plain(person: Person, event: Event) -> str:
    return re.sub(r"\n+", "\n", without_page(person.text(event)))


@pytest.mark.slow
def test_what_is_put_back_or_taken_away_stands_in_the_visits_history(memory, person, dana, sync, make_visits, vendors):
    renamed, cancelled = make_visits(dana.member, 2)
    sync()
    events = person.ours()
    person.rename(events[renamed.pk].id, "Ring twice")
    there = vendors.events(person.account, person.main)
    noted = there[events[cancelled.pk].id]
    vendors.put(there, replace(noted, fields={**noted.fields, "notes": "gate code 99"}))
    sync()
    Visit.objects.filter(pk=cancelled.pk).update(visit_status="cancelled")
    sync()
    said = {visit.pk: [entry.sentence for entry in history_of(visit, {})] for visit in (renamed, cancelled)}
    assert said[renamed.pk][0] == "Title “Ring twice” of its event was put back, in the calendar of dana@memory.test."
    assert any("gate code 99" in sentence for sentence in said[cancelled.pk])
    Visit.objects.filter(pk=renamed.pk).update(title="Leak again")
    sync()
    assert sum("put back" in entry.sentence for entry in history_of(renamed, {})) == 1


@pytest.mark.slow
def test_texts_that_are_longer_than_the_vendor_keeps_are_written_once(
    google, outlook, person, dana, sync, make_visits, make_client
):
    client = make_client(first_name="K" * 80, last_name="R" * 80)
    texts = {"title": "Leak " * 40, "notes": "<b>markup & more</b>\n" * 430, "address": "1 Main St\n" * 29}
    make_visits(dana.member, 1, client=client, **texts)
    assert sync().pushed == 1
    [event] = person.events()
    assert event.title.endswith("…") == (person.vendor == "microsoft")
    assert plain(person, event).startswith("Open in FieldCamp: http")
    assert [sync(mode=mode).pushed for mode in ("full", "incremental", "full")] == [0, 0, 0]
    assert [(same.id, same.tag) for same in person.events()] == [(event.id, event.tag)]


@pytest.mark.slow
def test_a_vendor_that_spells_everything_its_own_way_is_written_to_once(
    memory, person, dana, sync, make_visits, vendors
):
    make_visits(dana.member, 3, notes="Ring  the bell\n" * 9)
    put = vendors.put

    def put_its_way(events, record):
        own = {name: record.fields[name][:60].upper() for name in ("title", "text") if record.fields.get(name)}
        return put(events, replace(record, fields={**record.fields, **own}))

    vendors.put = put_its_way
    assert sync().pushed == 3
    events = [(event.id, event.tag) for event in person.events()]
    assert [sync(mode=mode).pushed for mode in ("full", "incremental", "full")] == [0, 0, 0]
    assert events == [(event.id, event.tag) for event in person.events()]
    person.rename(events[0][0], "Renamed")
    assert sync().pushed == 1 and sync(mode="full").pushed == 0
