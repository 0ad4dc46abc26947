"""The first page, left open: it follows by itself, and all that it says of one thing moves at once."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from integrations.models import Heartbeat, Problem
from integrations.selectors.dashboard import WORKER

pytestmark = [pytest.mark.browser, pytest.mark.once]
QUARTER_MINUTE = 16_000  # milliseconds


def beat(seconds_ago: int) -> None:
    at = timezone.now() - dt.timedelta(seconds=seconds_ago)
    Heartbeat.objects.update_or_create(name=WORKER, defaults={"at": at})


def test_the_open_page_says_what_has_become_of_it(person, connected):
    beat(-60)
    page = person.page
    page.clock.install()
    page.goto("/admin/")
    sentence, count = page.locator("#state-sentence"), page.locator("#needs-count")
    expect(sentence).to_contain_text("All in step. Checked")
    expect(person.needs).to_contain_text("Nothing needs you.")
    Problem.objects.create(
        workspace=connected.workspace, integration=connected.integration, connection=connected, code="MISCONFIGURED",
        message="The app is not accepted.", occurred_at=timezone.now(),
    )  # fmt: skip
    page.clock.fast_forward(QUARTER_MINUTE)
    expect(sentence).to_contain_text("1 thing needs you.")
    expect(count).to_have_text("1")
    expect(person.needs).to_contain_text("The app is not accepted.")
    beat(90)
    page.locator("summary[id^=menu-]").focus()
    page.clock.fast_forward(QUARTER_MINUTE)
    expect(sentence).to_contain_text("Syncing has stopped: nothing has run since")
    expect(page.locator("#queue")).to_contain_text("No sign of life")
    expect(page.locator("summary[id^=menu-]")).to_be_focused()
    assert sentence.get_attribute("role") == "status"
