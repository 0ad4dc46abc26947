"""Every change of a tracked record is written down once, in the record's own transaction."""

import datetime as dt

import pytest
from django.db.models import F, Value
from django.db.models.functions import Concat, Upper

from fieldcamp.workspace import tracking
from fieldcamp.workspace.models import Change, Client, Visit
from fieldcamp.workspace.tracking import attributed
from tests.fieldcamp.workspace.changes import log, stored_version
from tests.fieldcamp.workspace.conftest import NOON

pytestmark = pytest.mark.django_db


def test_creation(make_client, seen):
    client = make_client(first_name="Ann")
    [(action, version, before, after)] = log()
    assert (action, version, before) == ("created", 1, {})
    assert set(after) == set(Client.tracked) and after["first_name"] == "Ann"
    change = Change.objects.get()
    assert (change.kind, change.record_id, change.workspace_id) == ("client", client.pk, client.workspace_id)
    assert [[row.seq for row in call] for call in seen] == [[change.seq]]


def test_save_notes_only_what_differs(visit):
    visit.title = "Burner"
    visit.scheduled_start = NOON + dt.timedelta(minutes=30)
    visit.save()
    assert log() == [
        (
            "updated",
            2,
            {"title": "Boiler", "scheduled_start": "2026-11-22T12:00:00Z"},
            {"title": "Burner", "scheduled_start": "2026-11-22T12:30:00Z"},
        )
    ]
    assert visit.version == stored_version(visit) == 2


def test_save_without_a_difference_is_no_change(visit, seen):
    visit.save()
    visit.job_id = "untracked"
    visit.save()
    assert log() == [] and seen == [] and stored_version(visit) == 1


def test_a_stale_instance_does_not_turn_the_version_back(visit):
    stale = Visit.objects.get(pk=visit.pk)
    for number in range(3):
        visit.title = f"Title {number}"
        visit.save()
    stale.job_id = "other"
    stale.save(update_fields=["job_id"])
    assert stored_version(visit) == 4
    stale.notes = "later"
    stale.save()  # writes its stale title too, and says so
    assert log()[-1] == ("updated", 5, {"title": "Title 2", "notes": ""}, {"title": "Boiler", "notes": "later"})
    assert stored_version(visit) == 5


def test_update_fields_save_and_note_only_these(visit):
    visit.title, visit.notes = "Burner", "not saved"
    visit.save(update_fields=["title"])
    assert log() == [("updated", 2, {"title": "Boiler"}, {"title": "Burner"})]
    assert stored_version(visit) == 2
    visit.refresh_from_db()
    visit.notes = "not saved either"
    visit.save(update_fields=["job_id"])
    assert len(log()) == 1 and stored_version(visit) == 2


def test_update_fields_may_name_the_relation(visit, make_technician):
    visit.technician = make_technician()
    visit.save(update_fields=["technician"])
    assert log() == [("updated", 2, {"technician_id": None}, {"technician_id": visit.technician_id})]


def test_updated_at_moves_with_every_save_and_update(visit):
    times = [visit.updated_at]
    visit.save(update_fields=["job_id"])
    times.append(Visit.objects.get().updated_at)
    Visit.objects.update(job_id="x")
    times.append(Visit.objects.get().updated_at)
    Visit.objects.update(title="x")
    times.append(Visit.objects.get().updated_at)
    assert times == sorted(set(times))


def test_deferred_fields_are_left_alone(visit):
    partly = Visit.objects.only("title").get(pk=visit.pk)
    partly.title = "Burner"
    partly.save()
    assert log() == [("updated", 2, {"title": "Boiler"}, {"title": "Burner"})]


def test_expressions_in_save_and_update(visit):
    visit.title = Upper("title")
    visit.save()
    assert log()[-1] == ("updated", 2, {"title": "Boiler"}, {"title": "BOILER"})
    Visit.objects.update(scheduled_end=F("scheduled_start") + dt.timedelta(hours=2))
    assert log()[-1][3] == {"scheduled_end": "2026-11-22T14:00:00Z"}
    Visit.objects.update(title=Concat("title", Value("!")))
    assert log()[-1] == ("updated", 4, {"title": "BOILER"}, {"title": "BOILER!"})
    assert stored_version(visit) == 4


def test_an_expression_that_changes_nothing_is_no_change(visit):
    visit.title = F("title")
    visit.save()
    Visit.objects.update(title=F("title"))
    assert log() == [] and stored_version(visit) == 1 and Visit.objects.get().title == "Boiler"


def test_an_expression_on_creation_is_read_back(workspace, make_client, seen):
    Visit.objects.create(workspace=workspace, client=make_client(), title=Upper(Value("loud")))
    assert log()[-1][3]["title"] == "LOUD"


def test_update_of_many(make_visit, seen):
    visits = [make_visit(title=title) for title in ("a", "b", "same")]
    Change.objects.all().delete()
    seen.clear()
    assert Visit.objects.filter(pk__in=[visit.pk for visit in visits]).update(title="same") == 3
    assert log(visits[0]) == [("updated", 2, {"title": "a"}, {"title": "same"})]
    assert log(visits[2]) == [] and stored_version(visits[2]) == 1
    assert [len(call) for call in seen] == [2]
    assert {change.version for change in seen[0]} == {2}


def test_update_of_untracked_fields_only(visit, seen):
    assert Visit.objects.update(job_id="x") == 1
    assert log() == [] and seen == []


def test_update_by_the_relation_and_over_joins(visit, make_technician):
    technician = make_technician()
    Visit.objects.filter(client__first_name__startswith="Client", technician__first_name=None).update(
        technician=technician
    )
    assert log() == [("updated", 2, {"technician_id": None}, {"technician_id": technician.pk})]


def test_update_of_nothing(visit):
    assert Visit.objects.filter(title="nobody's").update(title="x") == 0
    assert Visit.objects.none().update(title="x") == 0
    assert log() == []


def test_a_conditional_update_tells_whether_it_won(visit):
    assert Visit.objects.filter(pk=visit.pk, version=1).update(title="first") == 1
    assert Visit.objects.filter(pk=visit.pk, version=1).update(title="second") == 0


def test_bulk_create(workspace, make_client, seen):
    client = make_client()
    seen.clear()
    visits = [Visit(workspace=workspace, client=client, title=f"Visit {number}") for number in range(3)]
    Visit.objects.bulk_create(visits, batch_size=2)
    assert [log(visit)[0][:2] for visit in visits] == [("created", 1)] * 3
    assert [[change.record_id for change in call] for call in seen] == [[visit.pk for visit in visits]]
    assert Visit.objects.bulk_create([]) == []


@pytest.mark.parametrize("conflicts", [{"ignore_conflicts": True}, {"update_conflicts": True}])
def test_bulk_create_over_conflicts_is_refused(workspace, conflicts):
    with pytest.raises(ValueError, match="conflicts"):
        Visit.objects.bulk_create([], **conflicts)


def test_bulk_update(make_visit, seen):
    visits = [make_visit(title="old") for _ in range(3)]
    Change.objects.all().delete()
    for number, visit in enumerate(visits[:2]):
        visit.title = f"new {number}"
    assert Visit.objects.bulk_update(visits, ["title", "client"]) == 3
    assert log(visits[1]) == [("updated", 2, {"title": "old"}, {"title": "new 1"})]
    assert log(visits[2]) == [] and stored_version(visits[2]) == 1


def test_deletion_of_one_and_of_many(make_visit):
    one, *many = (make_visit(title=f"Visit {number}") for number in range(3))
    stale = Visit.objects.get(pk=one.pk)
    one.title = "renamed"
    one.save()
    stale.delete()
    action, version, before, after = log(one)[-1]
    assert (action, version, before["title"], after) == ("deleted", 3, "renamed", {})
    assert Visit.objects.filter(pk__in=[visit.pk for visit in many]).delete() == (2, {"workspace.Visit": 2})
    assert [log(visit)[-1][:2] for visit in many] == [("deleted", 2)] * 2
    assert not Visit.objects.exists()


def test_a_soft_deletion_reads_as_one(visit):
    visit.deleted_at = NOON
    visit.save()
    assert log() == [("deleted", 2, {"deleted_at": None}, {"deleted_at": "2026-11-22T12:00:00Z"})]
    visit.notes = "afterwards"
    visit.save()
    assert log()[-1][0] == "updated"
    assert list(Visit.objects.alive()) == []


def test_what_django_does_when_a_member_is_deleted_is_tracked(visit, make_technician):
    technician = make_technician()
    visit.technician = technician
    visit.save()
    technician_id = technician.pk
    technician.delete()
    assert log()[-1] == ("updated", 3, {"technician_id": technician_id}, {"technician_id": None})


def test_get_or_create_and_update_or_create(workspace, make_client, seen):
    client = make_client()
    Change.objects.all().delete()
    for title in ("one", "one", "two"):
        Visit.objects.update_or_create(workspace=workspace, client=client, defaults={"title": title})
    assert [row[0] for row in log()] == ["created", "updated"]


def test_attribution(visit, make_client):
    with attributed(actor="Dana", origin="str_1"):
        visit.title = "a"
        visit.save()
        with attributed(actor="Lee"):
            Visit.objects.update(title="b")
        with attributed(origin=""):
            Visit.objects.update(title="c")
        make_client()
    Visit.objects.update(title="d")
    assert list(Change.objects.order_by("seq").values_list("actor", "origin")) == [
        ("Dana", "str_1"),
        ("Lee", "str_1"),
        ("Dana", ""),
        ("Dana", "str_1"),
        ("", ""),
    ]


def test_attribution_ends_with_an_exception(visit):
    with pytest.raises(RuntimeError), attributed(actor="Dana"):
        raise RuntimeError
    Visit.objects.update(title="x")
    assert Change.objects.get().actor == ""


def test_a_very_long_actor_is_cut(visit):
    with attributed(actor="x" * 500):
        Visit.objects.update(title="x")
    assert Change.objects.get().actor == "x" * 200


def test_a_consumer_is_registered_once(seen):
    def consumer(changes):
        pass

    before = len(tracking._consumers)
    tracking.register_consumer(consumer)
    tracking.register_consumer(consumer)
    assert len(tracking._consumers) == before + 1


def test_more_rows_than_one_statement_takes(workspace, make_client, seen, monkeypatch):
    monkeypatch.setattr(tracking, "_AT_ONCE", 3)
    client = make_client()
    Visit.objects.bulk_create([Visit(workspace=workspace, client=client, title=str(n)) for n in range(8)])
    assert Visit.objects.update(notes="x") == 8
    assert Visit.objects.all().delete()[0] == 8
    assert [len(call) for call in seen] == [1, 8, 8, 8]
