"""The bookkeeper's pages in a real Chromium, on a desk and on a phone."""

import os
import shutil
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fieldcamp.sandbox.app import Sandbox
from fieldcamp.sandbox.server import Server

from .conftest import PLUMBING

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PLACES = ("customers", "customers/1", "items", "items/9", "invoices", "invoices/3", "invoices/new", "payments",
          "payments/4", "payments/new?customer=4", "estimates", "estimates/new", "credits", "credits/new", "deposits",
          "deposits/new", "classes", "classes/new", "locations", "vendors", "settings", "apps")  # fmt: skip
MESSY = ("customers/16", "customers/13", "items/7", "invoices/10", "invoices/1", "payments/new?customer=7",
         "payments/21", "deposits/16", "credits/18", "estimates/8", "settings")  # fmt: skip

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("NO CHROMIUM: the pages were not driven in a browser. Install the package chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def address(app: Sandbox) -> Iterator[str]:
    app.reset("demo")
    server = Server(("127.0.0.1", 0), app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/intuit/ui/{PLUMBING}"
    server.shutdown()
    thread.join()
    server.server_close()


def opened(browser: Browser, width: int, scheme: str) -> Page:
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    page.set_default_timeout(15_000)
    return page


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
@pytest.mark.parametrize(("seed", "places"), [("demo", PLACES), ("messy", MESSY)])
def test_nothing_sticks_out(chromium, app, address, width, scheme, seed, places):
    app.reset(seed)
    page = opened(chromium, width, scheme)
    for place in places:
        assert page.goto(f"{address}/{place}").status == 200, place
        assert page.evaluate("document.documentElement.scrollWidth") <= width, place
        unnamed = (
            "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(e => !e.labels.length)"
        )
        assert page.evaluate(f"{unnamed}.length") == 0, place
    page.context.close()


def test_a_day_at_the_books(chromium, address):
    page = opened(chromium, 360, "light")
    page.goto(f"{address}/customers")
    page.get_by_role("link", name="Hudson Dental").click()
    page.get_by_role("link", name="New invoice").click()
    first = page.get_by_role("group", name="Line 1")
    first.get_by_label("Product or service").select_option(label="Sump pump, 1/2 HP")
    first.get_by_label("Quantity").fill("2")
    first.get_by_label("Tax").select_option(label="Taxable")
    page.get_by_label("Sales tax").select_option(label="Albany")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Open")
    expect(page.locator("dl")).to_contain_text("841.32")  # twice 389.50, and 8 percent
    page.get_by_role("link", name="Receive a payment").click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dl")).to_contain_text("841.32")
    page.get_by_role("button", name="Mark as deposited").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Deposited")
    page.get_by_role("button", name="Void").click()
    expect(page.get_by_role("alert")).to_contain_text("remove it from the deposit")
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Payment")
    page.context.close()


def test_a_form_that_nobody_touches_changes_nothing(chromium, app, address):
    app.reset("messy")
    page = opened(chromium, 1280, "light")
    before = app.vendors["intuit"].dump(PLUMBING)["accounts"][PLUMBING]["Invoice"]
    for each in before:
        page.goto(f"{address}/invoices/{each['Id']}")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(f"Invoice {each['DocNumber']}")
    assert app.vendors["intuit"].dump(PLUMBING)["accounts"][PLUMBING]["Invoice"] == before
    page.context.close()
