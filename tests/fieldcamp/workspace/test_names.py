"""How clients are called, and what becomes of a name whose parts change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcamp.workspace.models import Client
from fieldcamp.workspace.names import Names, reformed
from tests.fieldcamp.workspace.answers import data

JANE, MARRIED = Names("Jane", "Smith", "Jane's"), Names("Jane", "Smith-Doe", "Jane's")
PARTS = st.text("ab' ", max_size=3).map(str.strip)
NAMES = st.builds(Names, PARTS, PARTS, PARTS)


@pytest.mark.parametrize(
    ("shown", "new", "expected"),
    [
        ("Smith, Jane", MARRIED, "Smith-Doe, Jane"),
        ("Jane Smith", MARRIED, "Jane Smith-Doe"),
        ("Smith", MARRIED, "Smith-Doe"),
        ("Jane Smith (rental)", MARRIED, "Jane Smith-Doe (rental)"),
        ("Jane's", Names("Jane", "Smith", "Jane's Inc"), "Jane's Inc"),
        ("Jane's", Names("Jane", "Smith", ""), "Jane Smith"),
        ("Smith, Jane", Names("Jane", "", ""), "Jane"),
        ("55 Twin Lane", MARRIED, "55 Twin Lane"),
        ("Mrs. Jane Smith", MARRIED, "Mrs. Jane Smith"),
        ("Jane's", Names("", "", ""), "Jane's"),
    ],
)
def test_a_name_keeps_its_form(shown, new, expected):
    assert reformed(shown, JANE, new) == expected


@given(PARTS, NAMES, NAMES)
def test_a_name_is_never_lost_and_stays_if_nothing_of_it_changes(shown, old, new):
    assert reformed(shown, old, old) == shown
    assert bool(reformed(shown, old, new)) == bool(shown)


@pytest.mark.django_db
class TestClients:
    @pytest.fixture
    def client(self, make_client) -> Client:
        return make_client(first_name="Jane", last_name="Smith", display_name="Smith, Jane")

    @pytest.mark.parametrize(
        ("body", "shown"),
        [
            ({"lastName": "Smith-Doe"}, "Smith-Doe, Jane"),
            ({"lastName": "Smith-Doe", "displayName": "Smith, Jane"}, "Smith, Jane"),
            ({"lastName": "Smith-Doe", "displayName": None}, None),
            ({"email": "jane@smith.test, office@smith.test"}, "Smith, Jane"),
        ],
    )
    def test_an_edit_of_the_name_takes_the_display_name_along(self, api, client, body, shown):
        changed = data(api.patch(f"/api/v1/clients/{client.pk}", body))
        assert changed == changed | body | {"displayName": shown}

    def test_a_name_is_needed_of_whatever_kind(self, api, make_client):
        client = make_client(first_name="", display_name="55 Twin Lane")
        assert api.patch(f"/api/v1/clients/{client.pk}", {"email": None}).status_code == 200
        assert api.patch(f"/api/v1/clients/{client.pk}", {"displayName": None}).status_code == 400

    def test_a_place_is_known_by_itself_and_its_parent(self, api, client, make_client):
        place = make_client(first_name="", display_name="55 Twin Lane", parent=client)
        [found] = data(api.get("/api/v1/clients", {"search": "twin"}))
        assert (found["id"], found["parentId"], found["displayName"]) == (place.pk, client.pk, "55 Twin Lane")
        assert str(place) == "Smith, Jane: 55 Twin Lane"
