"""The demo signs people in at once and shows them around. No other site does."""

import json
import re

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client as Browser

from fieldcamp.workspace.models import Member

LOGIN, DASHBOARD, DISMISS = "/admin/login/", "/admin/", "/admin/integrations/tour/dismiss/"
OFFER, TOUR = "This is a demo", "Try it in four steps"


@pytest.fixture
def demo(ours, settings, tmp_path):
    """A site that is the demo, with what scripts/demo writes down."""
    settings.ALLOW_SANDBOX, settings.SANDBOX_URL = True, "http://sandbox.test:8001"
    settings.FIELDCAMP_DATA = tmp_path
    user = User.objects.create_user("demo", password="let <me> in", is_staff=True)
    Member.objects.create(workspace=ours.workspace, user=user, first_name="Olivia", role="owner")
    file = tmp_path / "demo.json"
    file.write_text(json.dumps({"admin": {"username": "demo", "password": "let <me> in"}}))
    return file


def fields_of(page: str) -> dict[str, str]:
    form = re.search(r"<section[^>]*fc-demo.*?</section>", page, re.DOTALL)[0]
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: value.replace("&lt;", "<").replace("&gt;", ">") for name, value in found}


def test_one_click_signs_in(demo):
    browser = Browser(enforce_csrf_checks=True)
    page = browser.get(LOGIN).content.decode()
    assert OFFER in page
    assert "let &lt;me&gt; in" in page
    answer = browser.post(LOGIN, fields_of(page), follow=True)
    assert answer.redirect_chain == [(DASHBOARD, 302)]
    assert TOUR in answer.content.decode()


def test_it_leads_to_the_page_that_was_asked_for(demo):
    wanted = "/admin/workspace/visit/"
    browser = Browser()
    asked = browser.get(wanted)
    page = browser.get(asked.url).content.decode()
    answer = browser.post(asked.url, fields_of(page))
    assert answer.url == wanted


@pytest.mark.parametrize("missing", ["file", "permission", "sandbox", "user", "sense"])
def test_only_in_the_demo(demo, settings, missing):
    if missing == "file":
        demo.unlink()
    elif missing == "permission":
        settings.ALLOW_SANDBOX = False
    elif missing == "sandbox":
        settings.SANDBOX_URL = ""
    elif missing == "user":
        User.objects.filter(username="demo").update(is_active=False)
    else:
        demo.write_text('{"admin": ["')
    page = Browser().get(LOGIN).content.decode()
    assert OFFER not in page
    assert "let &lt;me&gt; in" not in page


@pytest.mark.slow
def test_the_tour_is_put_away_for_good(demo, desk):
    browser = desk("staff")
    page = browser.get(DASHBOARD).content.decode()
    assert TOUR in page
    assert 'href="http://sandbox.test:8001/google/ui"' in page
    assert browser.get(DISMISS).status_code == 405
    assert browser.post(DISMISS).url == DASHBOARD
    assert TOUR not in browser.get(DASHBOARD).content.decode()
    assert TOUR not in desk("staff").get(DASHBOARD).content.decode()  # in another browser, too
    assert TOUR in desk("owner").get(DASHBOARD).content.decode()


def test_somebody_of_no_company_puts_it_away(demo, desk):
    browser = desk("root")
    assert TOUR in browser.get(DASHBOARD).content.decode()
    browser.post(DISMISS)
    assert TOUR not in browser.get(DASHBOARD).content.decode()


def test_no_tour_on_other_sites(desk, ours, settings):
    settings.ALLOW_SANDBOX = False
    assert django_settings.ALLOW_SANDBOX is False
    assert TOUR not in desk().get(DASHBOARD).content.decode()
