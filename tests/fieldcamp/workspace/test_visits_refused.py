"""`/visits`: what is refused, and that the answer names it."""

import pytest

from fieldcamp.workspace.models import Visit
from tests.fieldcamp.workspace.answers import data, details

pytestmark = pytest.mark.django_db

START, END = "2026-11-22T09:00:00Z", "2026-11-22T10:00:00Z"
BAD = [
    ({"title": ""}, "title"),
    ({"title": None}, "title"),
    ({"title": "x" * 201}, "title"),
    ({"title": 5}, "title"),
    ({"title": ["x"]}, "title"),
    ({"clientId": None}, "clientId"),
    ({"clientId": "cli_nope"}, "clientId"),
    ({"clientId": 7}, "clientId"),
    ({"clientId": "x" * 5000}, "clientId"),
    ({"technicianId": "mem_nope"}, "technicianId"),
    ({"technicianId": ""}, "technicianId"),
    ({"technicianId": {}}, "technicianId"),
    ({"scheduledStart": "tomorrow"}, "scheduledStart"),
    ({"scheduledStart": "2026-11-22T09:00:00"}, "scheduledStart"),
    ({"scheduledStart": "2026-11-22"}, "scheduledStart"),
    ({"scheduledStart": 1795334460}, "scheduledStart"),
    ({"scheduledStart": "0001-01-01T00:00:00+14:00"}, "scheduledStart"),
    ({"scheduledStart": "9999-12-31T23:59:59Z"}, "scheduledStart"),
    ({"scheduledStart": True}, "scheduledStart"),
    ({"scheduledStart": START, "scheduledEnd": START}, "scheduledEnd"),
    ({"scheduledStart": END, "scheduledEnd": START}, "scheduledEnd"),
    ({"scheduledEnd": END}, "scheduledEnd"),
    ({"timezone": "Mars/Olympus"}, "timezone"),
    ({"timezone": "../../etc/passwd"}, "timezone"),
    ({"visitStatus": "done"}, "visitStatus"),
    ({"visitStatus": None}, "visitStatus"),
    ({"visitStatus": ["scheduled"]}, "visitStatus"),
    ({"visitStatus": "scheduled"}, "visitStatus"),
    ({"visitStatus": "unscheduled", "scheduledStart": START}, "visitStatus"),
    ({"notes": "x" * 4001}, "notes"),
    ({"address": "x" * 301}, "address"),
    ({"jobId": 5}, "jobId"),
    ({"colour": "red"}, "colour"),
    ({"id": "vis_1"}, "id"),
    ({"createdAt": START}, "createdAt"),
    ({"client_id": "x"}, "client_id"),
]


@pytest.mark.parametrize(("body", "field"), BAD)
def test_bad_values_name_their_field(api, client, create, body, field):
    found = details(api.post("/api/v1/visits", {"clientId": client.pk, "title": "Boiler"} | body))
    assert list(found) == [field] and all(text.endswith(".") for text in found[field])
    assert not Visit.objects.exists()


@pytest.mark.parametrize(("body", "field"), BAD)
def test_bad_values_in_a_patch(create, patch, body, field):
    visit = create()
    assert list(details(patch(visit, body))) == [field]
    assert Visit.objects.get().version == 1


def test_required_fields(api):
    assert set(details(api.post("/api/v1/visits", {}))) == {"clientId", "title"}
    assert set(details(api.post("/api/v1/visits", {"x": 1}))) == {"clientId", "title", "x"}


def test_foreign_and_unknown_references_read_the_same(api, client, make_client, make_technician, second_workspace):
    foreign_client, foreign_person = (
        make_client(workspace=second_workspace),
        make_technician(workspace=second_workspace),
    )
    deleted = make_client()
    api.delete(f"/api/v1/clients/{deleted.pk}")
    sentences = {
        str(details(api.post("/api/v1/visits", {"clientId": client_id, "technicianId": member_id, "title": "x"})))
        for client_id in (foreign_client.pk, deleted.pk, "cli_nope")
        for member_id in (foreign_person.pk, "mem_nope")
    }
    assert len(sentences) == 1


def test_an_inactive_person_gets_no_new_visit_but_keeps_theirs(api, client, create, patch, make_technician):
    person = make_technician()
    visit = create(technicianId=person.pk)
    person.is_active = False
    person.save()
    body = {"clientId": client.pk, "title": "x", "technicianId": person.pk}
    assert list(details(api.post("/api/v1/visits", body))) == ["technicianId"]
    assert data(patch(visit, {"title": "y", "technicianId": person.pk}))["title"] == "y"
