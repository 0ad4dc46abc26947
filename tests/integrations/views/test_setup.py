"""The set-up page of an account's calendars: what cannot be taken is said at its field, and saves nothing."""

import re

import pytest
from django.utils.html import escape

from integrations.models import Connection, ConnectionState, Stream
from integrations.providers.google_calendar.api import GoogleCalendarClient
from integrations.records import Container, Lack
from tests.integrations.connecting import MAIN, only_connection
from tests.integrations.hostile import VALUES, assert_refused, stored

CHOICES = {"target": MAIN, "busy": [MAIN], "direction": "push", "policy": "ask"}


@pytest.fixture
def setup(desk, dana) -> str:
    """The page's address."""
    return desk.consent()["Location"]


@pytest.fixture
def choices(dana) -> dict:
    return CHOICES | {"member": dana.pk}


@pytest.mark.slow
@pytest.mark.parametrize("field", ["member", "target", "busy", "direction", "policy"])
def test_hostile_values(field, desk, setup, choices):
    before = stored()
    for value in VALUES:
        said = assert_refused(desk.post(setup, choices | {field: value}), before, field)
        assert said[field].startswith("Choose ")
    assert_refused(desk.post(setup, choices | {"busy": [MAIN, "none"]}), before, "busy")
    assert not Stream.objects.exists()


@pytest.mark.slow
@pytest.mark.parametrize("field", ["member", "target", "direction", "policy"])
def test_a_field_that_was_sent_twice(field, desk, setup, choices):
    before = stored()
    said = assert_refused(desk.post(setup, choices | {field: [choices[field], choices[field]]}), before, field)
    assert said[field] == "This was sent more than once. Choose one."


def test_everything_that_is_wrong_is_said_at_once_and_the_rest_kept(desk, setup, choices):
    response = desk.post(setup, choices | {"member": "", "policy": "newest"})
    said = assert_refused(response, stored(), "member", "policy")
    assert said == {"member": "Choose whose calendar it is.", "policy": "Choose who wins."}
    page = response.content.decode()
    assert f'value="{MAIN}" checked' in page
    assert '<option value="push" selected>' in page
    assert "Nothing was saved." in page


def test_a_form_with_nothing_in_it(desk, setup):
    assert_refused(desk.post(setup, {}), stored(), "member", "target")


def test_what_only_the_service_knows_stands_at_its_field(desk, setup, choices, new, lee, monkeypatch):
    readable = [Container(MAIN, "Main", lacks=Lack.CHANGE, primary=True)]
    monkeypatch.setattr(GoogleCalendarClient, "containers", lambda self: readable)
    said = assert_refused(desk.post(setup, choices), stored(), "target")
    assert "may only read that calendar" in said["target"]
    other = new("lee@google.test")
    Connection.objects.filter(pk=other.pk).update(member=lee, state=ConnectionState.ACTIVE)
    page = desk.get(setup).content.decode()
    assert f'value="{lee.pk}"' not in page and "they have another account connected: Lee." in page
    taken = choices | {"member": lee.pk, "direction": "pull"}
    said = assert_refused(desk.post(setup, taken), stored(), "member")
    assert said["member"] == "Lee has another Google Calendar account connected. Disconnect that one first."


def test_what_most_do_not_think_about_need_not_be_sent(desk, setup, dana):
    desk.post(setup, {"member": dana.pk, "target": MAIN})
    stream = only_connection().streams.get()
    assert (stream.direction, stream.policy, stream.reads_busy) == ("two_way", "local", False)
    Stream.objects.update(direction="push", policy="ask")
    desk.post(setup, {"member": dana.pk, "target": MAIN})
    stream.refresh_from_db()
    assert (stream.direction, stream.policy) == ("push", "ask")


@pytest.mark.slow
def test_a_calendar_that_is_not_there_any_more_is_not_replaced_unasked(desk, setup, choices, monkeypatch):
    desk.post(setup, choices)
    other = [Container("other", "<b>Other</b>", primary=False)]
    monkeypatch.setattr(GoogleCalendarClient, "containers", lambda self: other)
    page = desk.get(setup).content.decode()
    assert re.search(r'name="target"[^>]*>\s*<option value="">Choose</option>\s*<option value="other">', page)
    assert escape("<b>Other</b>") in page
    assert_refused(desk.post(setup, choices | {"target": "", "busy": []}), stored(), "target")


@pytest.mark.parametrize("query", ["connection=%00", "connection=" + "x" * 1000, "switch=2", "switch=0&switch=1"])
def test_a_consent_that_no_button_asks_for(query, desk):
    assert desk.get(f"{desk.connect_page}?{query}").status_code == 404
    assert desk.get("/admin/integrations/connections/%00/setup/").status_code == 404
