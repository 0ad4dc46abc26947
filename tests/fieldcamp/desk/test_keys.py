"""API keys at the desk: a secret is shown once and kept nowhere."""

import re

import pytest
from django.contrib.sessions.models import Session

from fieldcamp.api.models import ApiKey
from fieldcamp.api.scopes import SCOPES
from fieldcamp.api.services import create_key, update_key
from fieldcamp.workspace.models import AuditEntry
from tests.conftest import api_client
from tests.integrations.admin.conftest import pages_of, posts_of
from tests.integrations.hostile import VALUES, assert_refused, stored

ADD = "/admin/api/apikey/add/"
NEW = {"name": "Zapier", "scopes": ["integrations:read"], "expires_at_0": "2099-01-01", "expires_at_1": "00:00:00"}


def secret_in(html: str) -> str:
    return re.search(r'id="secret" value="([^"]+)"', html)[1]


@pytest.mark.slow
def test_the_secret_is_on_the_answer_and_nowhere_else(desk, ours):
    browser = desk()
    response = browser.post(ADD, NEW)
    secret = secret_in(response.content.decode())
    key = ApiKey.objects.get(name="Zapier")
    assert (key.workspace, key.scopes, key.created_by) == (ours.workspace, ["integrations:read"], "Owner")
    assert api_client(secret).get("/api/v1/integrations/google-calendar/status").status_code == 200
    assert "no-store" in response["Cache-Control"]
    kept = str(ApiKey.objects.values().get(pk=key.pk)) + str([row.get_decoded() for row in Session.objects.all()])
    assert secret not in kept
    assert secret not in str(response.cookies)
    for url in ("/admin/api/apikey/", f"/admin/api/apikey/{key.pk}/change/", "/admin/"):
        assert secret not in browser.get(url).content.decode()


@pytest.mark.parametrize(
    "wrong", [{"scopes": ["all:things"]}, {"scopes": []}, {"name": ""}, {"expires_at_0": "2001-01-01"}]
)
def test_a_wrong_form_makes_no_key(wrong, desk, ours):
    before = ApiKey.objects.count()
    assert desk().post(ADD, NEW | wrong).status_code == 200
    assert ApiKey.objects.count() == before


def test_only_owners_make_keys(desk, ours):
    for role in ("admin", "staff", "viewer"):
        assert desk(role).get(ADD).status_code == 403
        assert desk(role).post(ADD, NEW).status_code == 403
    assert not ApiKey.objects.filter(name="Zapier").exists()


def test_a_revoked_key_is_refused(desk, ours):
    secret = secret_in(desk().post(ADD, NEW).content.decode())
    key = ApiKey.objects.get(name="Zapier")
    url = f"/admin/api/apikey/{key.pk}/revoke/"
    assert "cannot be undone" in desk().get(url).content.decode()
    assert desk().post(url).status_code == 302
    assert api_client(secret).get("/api/v1/visits").status_code == 401
    assert desk().post(url).status_code == 404


def test_what_a_key_has_made_is_shown_and_ends_with_it_or_is_kept(desk, ours):
    browser = desk()
    kept, _ = create_key(workspace=ours.workspace, name="Kept", by=ours.key)
    page = f"/admin/api/apikey/{kept.pk}/change/"
    revoke = "/admin/api/apikey/{}/revoke/"
    assert f">{ours.key.name}</a>" in browser.get(page).content.decode()
    assert ">Kept</a>" in browser.get(pages_of(ours)["key"]).content.decode()
    assert "They end with it" in browser.get(revoke.format(ours.key.pk)).content.decode()
    browser.post(revoke.format(ours.key.pk), {"keep": "1"})
    kept.refresh_from_db()
    assert kept.revoked_at is None and kept.made_by is None
    made, _ = create_key(workspace=ours.workspace, name="Gone", by=kept)
    answer = browser.post(revoke.format(kept.pk), follow=True)
    assert "and so is what was made with it: Gone." in answer.content.decode()
    made.refresh_from_db()
    assert made.revoked_at and "They end with it" not in browser.get(revoke.format(made.pk)).content.decode()


@pytest.mark.slow
def test_a_key_that_gets_more_than_its_maker_has_is_said_to_be_parted(desk, ours):
    update_key(ours.key, changes={"scopes": ["visits:read", "api_keys:write"]})
    made, _ = create_key(workspace=ours.workspace, name="Made", scopes=["visits:read"], by=ours.key)
    url = f"/admin/api/apikey/{made.pk}/change/"
    page = desk().post(url, edit_form(made) | {"name": "Other"}, follow=True).content.decode()
    assert "stands for itself" not in page and ApiKey.objects.get(pk=made.pk).made_by == ours.key
    page = desk().post(url, edit_form(made) | {"scopes": ["visits:write"]}, follow=True).content.decode()
    assert "stands for itself" in page and ApiKey.objects.get(pk=made.pk).made_by is None


@pytest.mark.slow
def test_rotation_keeps_the_old_secret_for_a_while(desk, ours):
    old = secret_in(desk().post(ADD, NEW).content.decode())
    key = ApiKey.objects.get(name="Zapier")
    url = f"/admin/api/apikey/{key.pk}/rotate/"
    new = secret_in(desk().post(url, {"overlap": "24"}).content.decode())
    for secret in (old, new):
        assert api_client(secret).get("/api/v1/integrations/google-calendar/status").status_code == 200
    newest = secret_in(desk().post(url, {"overlap": "0"}).content.decode())
    statuses = [
        api_client(secret).get("/api/v1/integrations/google-calendar/status").status_code
        for secret in (old, new, newest)
    ]
    assert statuses == [401, 401, 200]
    assert 'id="secret"' not in desk().post(url, {"overlap": "9999"}).content.decode()


def edit_form(key: ApiKey) -> dict:
    return {"name": key.name, "scopes": key.scopes, "expires_at_0": "", "expires_at_1": "", "rate_limit_override": ""}


def test_a_key_is_narrowed_by_its_tick_boxes(desk, ours):
    url = pages_of(ours)["key"]
    page = desk().get(url).content.decode()
    for scope in SCOPES:
        assert re.search(rf'name="scopes" value="{scope}" id="id_scopes_\w+" checked', page), scope
    scopes = ["visits:read", "clients:read"]
    assert desk().post(url, edit_form(ours.key) | {"scopes": scopes, "name": "Reader"}).status_code == 302
    key = ApiKey.objects.get(pk=ours.key.pk)
    assert (key.name, key.scopes) == ("Reader", ["clients:read", "visits:read"])
    entry = AuditEntry.objects.filter(action="key.updated").latest("id")
    assert (entry.actor, entry.after["scopes"]) == ("Owner", ["clients:read", "visits:read"])
    assert entry.after["name"] == "Reader"
    page = desk().get(url).content.decode()
    assert len(re.findall(r'name="scopes" value="[a-z_:]+" id="\w+" checked', page)) == 2


@pytest.mark.slow
def test_an_edit_that_makes_no_sense_changes_nothing(desk, ours):
    url = pages_of(ours)["key"]
    for wrong in ({"scopes": []}, {"scopes": ["all:things"]}, {"name": ""}, {"expires_at_0": "2001-01-01"}):
        assert desk().post(url, edit_form(ours.key) | {"expires_at_1": "00:00:00"} | wrong).status_code == 200
    assert ApiKey.objects.get(pk=ours.key.pk).scopes == ours.key.scopes


@pytest.mark.slow
def test_a_revoked_key_is_only_read(desk, ours):
    desk().post(posts_of(ours)["revoke"][0])
    url = pages_of(ours)["key"]
    page = desk().get(url).content.decode()
    assert "visits:read" in page
    assert "New secret" not in page
    assert desk().post(url, edit_form(ours.key) | {"name": "Other"}).status_code == 403
    assert ApiKey.objects.get(pk=ours.key.pk).name == "Key of Ours"


def test_who_revoked_and_rotated_is_on_record(desk, ours):
    assert desk().post(posts_of(ours)["rotate"][0], {}).status_code == 200  # asks how long
    answer = desk().post(posts_of(ours)["rotate"][0], {"overlap": "24"}).content.decode()
    assert "The old secret stays good until" in answer
    desk().post(posts_of(ours)["revoke"][0])
    entries = AuditEntry.objects.filter(object_id=ours.key.pk).exclude(action="key.created").order_by("id")
    assert list(entries.values_list("action", "actor")) == [("key.rotated", "Owner"), ("key.revoked", "Owner")]


@pytest.mark.slow
def test_an_end_of_the_old_secret_that_is_not_offered(desk, ours):
    browser = desk()
    before = stored()
    page = f"/admin/api/apikey/{ours.key.pk}/rotate/"
    for value in (*VALUES, "", "2", ["1", "24"]):
        assert_refused(browser.post(page, {"overlap": value}), before, "overlap")
    assert '<option value="24" selected>after 1 day</option>' in browser.get(page).content.decode()
