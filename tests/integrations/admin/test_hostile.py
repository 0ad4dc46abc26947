"""Forms of the desk that are sent what no page of it sends: a sentence at the field, never a crash, nothing saved."""

import re

import pytest
from django.contrib.messages import get_messages

from integrations.models import Problem, Stream, SyncJob
from integrations.providers.google_calendar.api import GoogleCalendarClient
from tests.integrations.admin.conftest import posts_of
from tests.integrations.admin.test_buttons import TRIGGER
from tests.integrations.admin.test_conflicts import asked, customer_conflict  # noqa: F401  (a fixture)
from tests.integrations.admin.test_settings import CALENDARS, CHOICES, GOOGLE_SETTINGS, page_of
from tests.integrations.hostile import VALUES, assert_refused, stored

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def calendars(monkeypatch):
    monkeypatch.setattr(GoogleCalendarClient, "containers", lambda self: CALENDARS)


@pytest.mark.slow
@pytest.mark.parametrize("field", ["target", "busy", "direction", "policy"])
def test_the_settings_of_an_account(field, desk, ours):
    browser = desk()
    before = stored()
    for value in VALUES:
        said = assert_refused(browser.post(page_of(ours), CHOICES | {field: value}), before, field)
        assert said[field].startswith("Choose ")
    if field != "busy":
        missing = {name: value for name, value in CHOICES.items() if name != field}
        assert_refused(browser.post(page_of(ours), missing), before, field)
        twice = CHOICES | {field: [CHOICES[field], CHOICES[field]]}
        said = assert_refused(browser.post(page_of(ours), twice), before, field)
        assert "more than once" in said[field]


def test_one_wrong_choice_keeps_the_others_from_being_saved_and_on_the_page(desk, ours):
    browser = desk()
    response = browser.post(page_of(ours), CHOICES | {"policy": "newest"})
    assert_refused(response, stored(), "policy")
    page = response.content.decode()
    assert '<option value="side" selected>' in page
    assert 'value="push" checked' in page
    assert 'value="side" checked' in page


@pytest.mark.slow
def test_what_the_service_refuses(desk, ours):
    browser = desk()
    response = browser.post(page_of(ours), CHOICES | {"target": "read", "direction": "two_way"})
    assert "may only read" in assert_refused(response, stored(), "target")["target"]
    ours.connection.member = None
    ours.connection.save()
    before = stored()
    response = browser.post(page_of(ours), CHOICES)  # no field is wrong: it is how the connection is by now
    assert (response.status_code, stored()) == (409, before)
    assert "choose whose it is first" in response.content.decode()


@pytest.mark.slow
def test_the_schedule(desk, ours):
    browser = desk()
    before = stored()
    for value in (*VALUES, "", "4", "1441", "9" * 5000, "²", "٣٠٠٠", "30.5"):
        said = assert_refused(browser.post(GOOGLE_SETTINGS, {"minutes": value}), before, "minutes")
        assert said["minutes"] == "Choose 5 minutes to 24 hours, or off."
    assert_refused(browser.post(GOOGLE_SETTINGS, {}), before, "minutes")
    assert_refused(browser.post(GOOGLE_SETTINGS, {"minutes": ["5", "15"]}), before, "minutes")
    # A select cannot show it, and no other number may stand in its place.
    page = browser.post(GOOGLE_SETTINGS, {"minutes": "1441"}).content.decode()
    assert re.search(r'name="minutes"[^>]*>\s*<option value="">Choose</option>', page)
    assert "selected>every" not in page


def test_a_mode_that_there_is_not(desk, ours):
    browser = desk()
    before = stored()
    for value in (*VALUES, ["full", "incremental"]):
        response = browser.post(TRIGGER, {"mode": value})
        assert response["Location"] == "/admin/"
        said = [str(message) for message in get_messages(response.wsgi_request)][-1]
        assert said.endswith(("None was started.", "Choose one."))
    assert stored() == before
    assert not SyncJob.objects.filter(status="queued").exists()


@pytest.mark.slow
def test_what_a_conflict_is_decided_with(desk, asked):  # noqa: F811
    url, browser = posts_of(asked)["resolve"][0], desk()
    before = stored()
    for value in VALUES:
        assert browser.post(url, {"choice": value}).status_code == 404
        assert browser.post(url, {"choice": "local", "remember": value}).status_code == 404
        for picks in ({"pick-start": value}, {"pick-title": "local"}, {"pick-end": "local"}, {}):
            page = browser.post(url, picks, headers=HTMX).content.decode()
            assert "Choose a side for each field." in page
    assert browser.post(url, {"choice": ["local", "remote"]}).status_code == 404
    assert stored() == before


@pytest.mark.slow
def test_one_field_of_several_without_a_side_decides_none(desk, ours):
    problem = customer_conflict(
        ours, local={"email": "a", "phone": "1"}, remote={"email": "b", "phone": "2"}, fields="email, phone"
    )
    url, browser = f"/admin/integrations/problems/{problem.pk}/resolve/", desk()
    before = stored()
    for wrong in ({}, {"pick-phone": "up"}, {"pick-phone": ["local", "remote"]}):
        browser.post(url, {"pick-email": "local", **wrong})
        assert stored() == before


def test_what_becomes_of_removals(desk, ours):
    url, browser = posts_of(ours)["decide"][0], desk()
    before = stored()
    for value in (*VALUES, "", ["reject", "confirm"]):
        assert browser.post(url, {"decision": value}).status_code == 404
    assert stored() == before


@pytest.mark.slow
def test_which_record_it_is(desk, ours):
    url, browser = f"/admin/integrations/problems/{ours.conflict.pk}/match/", desk()
    before = stored()
    assert browser.post(url, {}).status_code == 404
    assert browser.post(url, {"choice": ["new", "61"]}).status_code == 404
    for name, words in (("x" * 101, "100 characters at most"), ("a\x00b", "Null characters")):
        page = browser.post(url, {"choice": "new", "name": name}, headers=HTMX).content.decode()
        assert words in page
    for value in VALUES:
        response = browser.post(url, {"choice": value}, headers=HTMX)
        assert response.status_code in (200, 404)
        assert Problem.objects.get(pk=ours.conflict.pk).resolved_at is None
    assert stored() == before
    assert Stream.objects.get(pk=ours.stream.pk).policy == "local"


def test_which_company_an_operator_looks_at(desk, ours, theirs):
    browser = desk("root")
    browser.post("/admin/integrations/company/", {"company": theirs.workspace.pk})
    chosen = dict(browser.session)
    for value in (*VALUES, [ours.workspace.pk, theirs.workspace.pk]):
        assert browser.post("/admin/integrations/company/", {"company": value}).status_code == 404
    assert dict(browser.session) == chosen
