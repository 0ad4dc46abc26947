"""Whether the books are right, seen by a person: from the card to the page, to the days, to the table."""

import datetime as dt

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from integrations.models import SyncJob
from integrations.services.jobs import trigger_sync
from tests.browser.person import Person
from tests.integrations.books.conftest import books, company, connect_books  # noqa: F401  (fixtures)
from tests.integrations.reconciliation.planting import Planting

pytestmark = [pytest.mark.browser, pytest.mark.once]


@pytest.fixture
def intuit(google, vendors):
    vendors = vendors.at("intuit")
    vendors.throttle(False)
    return vendors


@pytest.fixture
def planting(google, worker, owner, company, books) -> Planting:  # noqa: F811
    planting = Planting(company, books)
    planting.fill(unpaid=4, paid=2)
    trigger_sync(
        workspace=company.workspace, integration=company.integration, triggered_by=SyncJob.Trigger.ADMIN, actor="Olivia"
    )
    worker.finish()
    planting.total_there(planting.invoices[0], "1108.25")
    planting.deleted_there(planting.paid[0][1])
    planting.by_hand(planting.clients[1], "H-1", "1234567.89")
    planting.voided_there(planting.invoices[1])
    line = planting.there(planting.invoices[2])["Line"][0]
    customer = {"value": planting.remote_id(planting.clients[2])}
    books.add("CreditMemo", CustomerRef=customer, Line=[line], DocNumber="CM-7", TxnDate="2026-11-20")
    return planting


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_books_are_asked_and_each_difference_is_shown(scheme, planting, open_page, google):
    person = Person(open_page(color_scheme=scheme), google)
    person.sign_in()
    page = person.page
    page.goto(f"/admin/integrations/connections/{planting.connection.pk}/reconciliation/")
    person.press("Ask QuickBooks now")
    expect(page.get_by_role("heading", name="4 differences")).to_be_visible()
    expect(page.get_by_role("link", name=f"Open here Invoice {planting.invoices[0].number}")).to_be_visible()
    expect(page.get_by_role("cell", name="CM-7")).to_be_visible()
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    root = "document.documentElement"
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") <= 0, width
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
    page.get_by_label("From").fill(dt.date(2026, 12, 1).isoformat())
    page.get_by_role("button", name="Show these days").click()
    expect(page.get_by_text("Dated from 1 Dec 2026 on.")).to_be_visible()
    page.goto("/admin/")
    page.get_by_role("link", name="4 differences").click()
    expect(page.get_by_role("heading", name="4 differences")).to_be_visible()
