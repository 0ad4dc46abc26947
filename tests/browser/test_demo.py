"""The demo's first minutes, times that stay true, and watching a run without scripts."""

import json

import pytest
from playwright.sync_api import expect

from fieldcamp.workspace.models import Visit
from tests.browser.person import PASSWORD, Person

pytestmark = [pytest.mark.browser, pytest.mark.once]


def test_one_click_and_a_tour(open_page, google, owner, settings, tmp_path):
    settings.ALLOW_SANDBOX, settings.SANDBOX_URL, settings.FIELDCAMP_DATA = True, google, tmp_path
    (tmp_path / "demo.json").write_text(json.dumps({"admin": {"username": "olivia", "password": PASSWORD}}))
    person = Person(open_page(viewport={"width": 360, "height": 800}), google)
    page = person.page
    page.goto("/admin/")
    page.get_by_role("button", name="Open the demo").click()
    tour = page.get_by_role("region", name="Try it in four steps")
    tour.get_by_role("link", name="Google").click()
    expect(page.get_by_role("link", name="dana@google.test").first).to_be_visible()
    page.go_back()
    person.press("Put the tour away", tour)
    expect(person.card).to_be_visible()
    expect(tour).to_have_count(0)
    page.reload()
    expect(person.card).to_be_visible()
    expect(tour).to_have_count(0)


def test_how_long_ago_stays_true(person, connected):
    page = person.page
    page.clock.install()
    page.goto("/admin/integrations/syncjob/")
    asked = page.locator("#result_list time[data-ago]").first
    expect(asked).to_have_text("just now")
    exact = asked.get_attribute("title")
    page.clock.fast_forward("03:10")
    expect(asked).to_have_text("3 min ago")
    assert asked.get_attribute("title") == exact


def test_a_run_is_watched_without_scripts(open_page, google, worker, connected):
    visit = Visit.objects.order_by("scheduled_start")[0]
    visit.title = "Boiler inspection"
    visit.save()
    person = Person(open_page(java_script_enabled=False), google)
    person.sign_in()
    worker.rest()
    person.press("Sync now", person.card)
    person.card.get_by_role("link", name="Watch").click()
    expect(person.page.locator("#job-live")).to_contain_text("Waiting for a worker")
    worker.go_on()
    worker.finish()
    person.page.reload()
    expect(person.page.locator("#job-live")).to_contain_text("Succeeded")
    expect(person.page.locator("#records")).to_contain_text("Boiler inspection")
