"""What the vendor bills, seen by a person: from the card's warning to the limit, and the export for its support."""

import datetime as dt
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from integrations.models import Connection, DailyCalls, SyncJob
from integrations.services.jobs import trigger_sync
from tests.browser.person import Person
from tests.integrations.books.conftest import books, company, connect_books  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.browser, pytest.mark.once]


@pytest.fixture
def intuit(google, vendors):
    vendors = vendors.at("intuit")
    vendors.throttle(False)
    return vendors


@pytest.fixture
def job(google, worker, owner, company) -> SyncJob:  # noqa: F811
    """A company that has used most of its day."""
    job = trigger_sync(
        workspace=company.workspace, integration=company.integration, triggered_by=SyncJob.Trigger.ADMIN, actor="Olivia"
    )
    worker.finish()
    DailyCalls.objects.filter(connection=company).update(metered=1700, reads=1700, writes=12345, unsettled=230)
    for back in range(1, 8):
        day = timezone.now().date() - dt.timedelta(days=back)
        DailyCalls.objects.create(connection=company, day=day, metered=1500, reads=1500, writes=200)
    Connection.objects.filter(pk=company.pk).update(metered_reads_per_day=2000)
    return job


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_limit_is_seen_and_raised(scheme, job, company, open_page, google):  # noqa: F811
    person = Person(open_page(color_scheme=scheme), google)
    person.sign_in()
    page = person.page

    def look(name: str) -> None:
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
        root = "document.documentElement"
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") <= 0, (name, width)
        page.set_viewport_size({"width": 1280, "height": 900})

    page.goto("/admin/")
    warning = page.get_by_role("link", name="1,700 of 2,000 reads that QuickBooks may bill today are used.")
    expect(warning).to_be_visible()
    look("card")
    warning.click()
    expect(page.get_by_role("heading", name="Limit")).to_be_visible()
    look("limit")
    page.get_by_label("Billed reads a day").fill("10")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Write a whole number from 50 to 1,000,000, or 0 for no limit.").first).to_be_visible()
    look("refused")
    page.get_by_label("Billed reads a day").fill("5000")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Requests to QuickBooks, by day").click()
    expect(page.get_by_role("cell", name="1,700 of 5,000")).to_be_visible()
    look("account")
    page.goto(f"/admin/integrations/syncjob/{job.pk}/change/")
    look("job")
    page.get_by_role("heading", name="Details for support").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export for Intuit support").click()
    assert re.fullmatch(r"quickbooks-\d{4}-\d\d-\d\d-\d{6}-calls\.csv", download.value.suggested_filename)
