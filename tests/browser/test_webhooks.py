"""A webhook at the desk, as a person makes it, tests it and looks at what was sent."""

import datetime as dt
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from fieldcamp.webhooks.services import replay
from tests.browser.person import Person
from tests.fieldcamp.webhooks.receivers import receiving
from tests.integrations.admin.conftest import sent_webhook

pytestmark = [pytest.mark.browser, pytest.mark.once]


@pytest.fixture(autouse=True)
def on_this_machine(settings) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True


def look(page: Page, name: str) -> None:
    found = Axe().run(page).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(name, each["id"], each["nodes"][0]["html"][:200]) for each in serious] == []
    root = "document.documentElement"
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") <= 0, (name, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_webhook_is_made_tested_and_looked_at(scheme, open_page, google, owner):
    person = Person(open_page(color_scheme=scheme), google)
    person.sign_in()
    page = person.page
    page.goto("/admin/webhooks/webhookendpoint/add/")
    address = page.get_by_label("Address")
    address.press_sequentially("https://user:pw@example.com")
    expect(page.get_by_text("The address must hold no user name or password.")).to_be_visible()
    chosen = page.get_by_role("group", name="Visits")
    expect(chosen).to_be_hidden()
    page.get_by_role("radio", name="Custom").check()
    expect(chosen).to_be_visible()
    look(page, "form")
    chosen.get_by_role("checkbox", name="visit.updated").check()
    with receiving((200, {}, b"<b>Thanks</b>")) as receiver:
        address.fill(receiver.url)
        expect(page.get_by_text("Events can be sent here.")).to_be_visible()
        page.get_by_role("button", name="Add webhook").click()
        expect(page.get_by_label("Secret", exact=True)).to_have_value(re.compile("whsec_.+"))
        look(page, "secret")
        page.get_by_role("button", name="Copy").click()
        expect(page.get_by_role("status").filter(has_text="The secret is copied.")).to_have_count(1)
        person.press("Send test")
        expect(page.get_by_text("The webhook is enabled")).to_be_visible()
        expect(page.get_by_label("Secret", exact=True)).to_be_visible()
    assert WebhookEndpoint.objects.get().events == ["visit.updated"]
    page.get_by_role("link", name="I have copied it").click()
    look(page, "webhook")
    page.get_by_role("link", name="webhook.test").click()
    expect(page.get_by_text(re.compile(r"Answered 200 after"))).to_be_visible()
    page.get_by_text("What was answered").click()
    expect(page.get_by_text("<b>Thanks</b>")).to_be_visible()
    person.press("Copy as curl")
    expect(page.get_by_label("The command, signed at this moment")).to_have_value(re.compile("^curl -i -X POST "))
    look(page, "delivery")


def test_without_scripts(open_page, google, owner):
    person = Person(open_page(java_script_enabled=False), google)
    person.sign_in()
    page = person.page
    page.goto("/admin/webhooks/webhookendpoint/add/")
    page.get_by_label("Address").fill("ftp://example.com")
    page.get_by_role("button", name="Add webhook").click()
    expect(page.get_by_role("alert")).to_be_visible()
    with receiving() as receiver:
        page.get_by_label("Address").fill(receiver.url)
        page.get_by_role("button", name="Add webhook").click()
        secret = page.get_by_label("Secret", exact=True)
        expect(secret).to_have_value(re.compile("whsec_.+"))
        with page.context.expect_page() as opened:
            person.press("Send test")
        # There: Chromium's new tab is not told that it has no scripts, and waits for them with what it shows.
        expect(opened.value.get_by_text("The webhook is enabled")).to_have_count(1)
        expect(secret).to_have_value(re.compile("whsec_.+"))
    page.get_by_role("link", name="I have copied it").click()
    person.press("Pause")
    expect(page.get_by_text("Paused: events are kept").last).to_be_visible()
    person.press("Resume")
    page.get_by_role("link", name="webhook.test").click()
    person.press("Copy as curl")
    expect(page.get_by_label("The command, signed at this moment")).to_have_value(re.compile("^curl -i -X POST "))


def test_what_fails_is_seen_on_the_dashboard_and_led_to(person, owner):
    page = person.page
    endpoint, event, delivery = sent_webhook(owner.workspace, "vis_1", "syn_1")
    since = timezone.now() - dt.timedelta(hours=2)
    WebhookEndpoint.objects.update(status="failing", failing_since=since, probe_at=since + dt.timedelta(hours=3))
    WebhookDelivery.objects.update(state="failed", last_status=500)
    replay(delivery)
    page.goto("/admin/")
    banner = page.get_by_role("region", name="A webhook needs somebody")
    expect(banner).to_contain_text("your server answers 500. Next try")
    look(page, "dashboard")
    banner.get_by_role("link").click()
    expect(page.get_by_text("1 event waits, none is lost.")).to_be_visible()
    look(page, "failing")
    page.get_by_role("link", name="Delete").click()
    look(page, "delete")
    for place in ("webhookendpoint/", "webhookevent/", f"webhookevent/{event.pk}/change/"):
        page.goto(f"/admin/webhooks/{place}")
        look(page, place)
    page.goto(f"/admin/webhooks/webhookendpoint/{endpoint.pk}/change/")
    page.get_by_label("State").select_option("Failed")
    person.press("Show")
    expect(page.get_by_role("row").filter(has_text="visit.updated")).to_have_count(1)
