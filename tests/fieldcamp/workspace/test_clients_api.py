"""`/clients` and `/team`, seen from outside."""

import pytest

from fieldcamp.workspace.models import Client, Role, Visit
from tests.conftest import api_client
from tests.fieldcamp.workspace.test_visits_api import data, details

pytestmark = pytest.mark.django_db

FULL = {
    "firstName": "Ann",
    "lastName": "Lee",
    "companyName": "Lee Ltd",
    "displayName": "Lee, Ann",
    "email": "ann@lee.test",
    "phoneNumber": {"countryCode": "+1", "number": "555 0100", "countryIdentifier": "US"},
    "billingAddress": {"street": "1 Main St", "city": "Troy", "state": "NY", "postalCode": "12180", "country": "US"},
    "propertyAddress": {"street": "2 Side St", "city": "Troy", "state": "NY", "postalCode": "12180", "country": "US"},
    "stage": "New Lead",
}
EMPTY = {**dict.fromkeys(FULL), "stage": "Active Client"}


@pytest.fixture
def create(api):
    return lambda **body: data(api.post("/api/v1/clients", body), 201)


def test_everything_comes_back(api, create):
    client = create(**FULL)
    assert list(client) == ["id", *FULL, "parentId", "createdAt", "updatedAt"]
    assert {name: client[name] for name in FULL} == FULL and client["id"].startswith("cli_")
    assert data(api.get(f"/api/v1/clients/{client['id']}")) == client


@pytest.mark.parametrize("body", [{"firstName": "Ann"}, {"companyName": "Lee Ltd"}, {"displayName": "55 Twin Lane"}])
def test_one_name_is_enough(create, body):
    client = create(**body)
    assert {name: client[name] for name in FULL} == EMPTY | body


@pytest.mark.parametrize("body", [{}, {"lastName": "Lee"}, {"firstName": "", "companyName": None}, {"firstName": "  "}])
def test_no_name_is_not(api, body):
    assert list(details(api.post("/api/v1/clients", body))) == ["firstName"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"firstName": "x" * 81}, "firstName"),
        ({"firstName": {}}, "firstName"),
        ({"email": "nobody"}, "email"),
        ({"email": "x" * 250 + "@x.test"}, "email"),
        ({"email": 5}, "email"),
        ({"email": "ann@lee.test, nobody"}, "email"),
        ({"parentId": "cli_1"}, "parentId"),
        ({"phoneNumber": "555"}, "phoneNumber"),
        ({"phoneNumber": []}, "phoneNumber"),
        ({"phoneNumber": {"number": 555}}, "phoneNumber.number"),
        ({"phoneNumber": {"dialCode": "1"}}, "phoneNumber.dialCode"),
        ({"billingAddress": {"street": "x" * 201}}, "billingAddress.street"),
        ({"propertyAddress": {"street": None, "zip": "1"}}, "propertyAddress.zip"),
        ({"stage": ""}, "stage"),
        ({"stage": None}, "stage"),
        ({"id": "cli_1"}, "id"),
        ({"first_name": "Ann"}, "first_name"),
    ],
)
def test_bad_values_name_their_field(api, create, body, field):
    assert list(details(api.post("/api/v1/clients", {"companyName": "x"} | body))) == [field]
    client = create(companyName="x")
    assert list(details(api.patch(f"/api/v1/clients/{client['id']}", body))) == [field]


def test_patch_and_put(api, create):
    client = create(**FULL)
    path = f"/api/v1/clients/{client['id']}"
    changed = data(api.patch(path, {"phoneNumber": {"number": "1"}, "email": None}))
    phone = {"countryCode": None, "number": "1", "countryIdentifier": None}
    assert changed == client | {"phoneNumber": phone, "email": None, "updatedAt": changed["updatedAt"]}
    replaced = data(api.put(path, {"firstName": "Bea"}))
    assert {name: replaced[name] for name in FULL} == EMPTY | {"firstName": "Bea"}
    assert list(details(api.patch(path, {"firstName": None}))) == ["firstName"]
    assert data(api.patch(path, {"firstName": "", "companyName": "Bea Ltd"}))["firstName"] is None


def test_deleting_hides_the_client_and_leaves_its_visits(api, create):
    client = create(firstName="Ann")
    visit = data(api.post("/api/v1/visits", {"clientId": client["id"], "title": "Boiler"}), 201)
    assert data(api.delete(f"/api/v1/clients/{client['id']}")) == {"id": client["id"], "deleted": True}
    details(api.get(f"/api/v1/clients/{client['id']}"), 404, "NOT_FOUND")
    details(api.delete(f"/api/v1/clients/{client['id']}"), 404, "NOT_FOUND")
    assert data(api.get("/api/v1/clients")) == []
    path = f"/api/v1/visits/{visit['id']}"
    assert data(api.get(path)) == visit
    assert data(api.patch(path, {"title": "y", "clientId": client["id"]}))["title"] == "y"
    assert list(details(api.post("/api/v1/visits", {"clientId": client["id"], "title": "x"}))) == ["clientId"]
    assert Client.objects.get().deleted_at and Visit.objects.alive().exists()


def test_search_stage_and_since(api, create):
    create(**FULL)
    create(firstName="Bob", email="bob%@x.test")
    create(companyName="Ann & Sons", stage="New Lead")

    def found(**query):
        return {client["firstName"] or client["companyName"] for client in data(api.get("/api/v1/clients", query))}

    assert found(search="ann@lee.test") == {"Ann"}
    assert found(search="ANN") == {"Ann", "Ann & Sons"}
    assert found(search="lee ann") == {"Ann"}
    assert found(search="%") == {"Bob"}
    assert found(search="_") == set()
    assert found(search="ann", stage="New Lead", since="2026-01-01T00:00:00Z") == {"Ann", "Ann & Sons"}
    assert found(stage="Archived") == set()
    assert found(search="") == {"Ann", "Bob", "Ann & Sons"}


def test_if_match_and_not_modified(api, create):
    client = create(firstName="Ann")
    path = f"/api/v1/clients/{client['id']}"
    etag = api.get(path)["ETag"]
    assert api.get(path, HTTP_IF_NONE_MATCH=etag).status_code == 304
    assert api.patch(path, {"lastName": "Lee"}, HTTP_IF_MATCH=etag).status_code == 200
    details(api.delete(path, HTTP_IF_MATCH=etag), 412, "PRECONDITION_FAILED")


def test_lists_take_a_constant_number_of_queries(
    api, make_client, make_member, django_assert_num_queries, call_queries
):
    for _ in range(3):
        make_client(), make_member()
    api.get("/api/v1/clients")
    for path, queries in (("clients", 2), ("team", 1)):
        with django_assert_num_queries(call_queries + queries):
            assert len(data(api.get(f"/api/v1/{path}"))) == 3


class TestTeam:
    def test_people(self, api, make_member):
        person = make_member(first_name="Dana", last_name="Ray", role=Role.OWNER, is_technician=True, is_active=False)
        shown = {
            "id": person.pk,
            "firstName": "Dana",
            "lastName": "Ray",
            "email": person.email,
            "role": "owner",
            "isTechnician": True,
            "isActive": False,
        }
        assert data(api.get("/api/v1/team")) == [shown]
        response = api.get(f"/api/v1/team/{person.pk}")
        assert data(response) == shown
        assert api.get(f"/api/v1/team/{person.pk}", HTTP_IF_NONE_MATCH=response["ETag"]).status_code == 304

    def test_other_workspaces(self, api_key, make_member, second_workspace):
        person = make_member()
        other = api_client(api_key(workspace=second_workspace))
        assert data(other.get("/api/v1/team")) == []
        details(other.get(f"/api/v1/team/{person.pk}"), 404, "NOT_FOUND")
        details(other.get("/api/v1/team/mem_nope"), 404, "NOT_FOUND")

    def test_read_only(self, api, make_member):
        for method in (api.patch, api.put, api.delete, api.post):
            details(method(f"/api/v1/team/{make_member().pk}", {}), 405, "METHOD_NOT_ALLOWED")
