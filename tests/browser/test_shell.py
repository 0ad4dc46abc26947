"""The desk's frame: by keyboard alone, without scripts, over the wire, and the palette."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from integrations.models import Link, Problem, SyncJob
from tests.browser.conftest import FIREFOX
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.once]
PHONE = {"width": 360, "height": 800}


def _focus(person: Person) -> str:
    return person.page.evaluate(
        "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent).trim()"
    )


def _tab_to(person: Person, words: str, most: int = 60) -> None:
    """Presses Tab until what has the focus is called so."""
    for _ in range(most):
        person.page.keyboard.press("Tab")
        if words in _focus(person):
            return
    raise AssertionError(f"{words} is no stop; the last one is {_focus(person)!r}.")


@pytest.mark.slow
def test_a_day_by_keyboard_alone(person, connected, worker):
    page, press = person.page, person.page.keyboard.press
    page.goto("/admin/")
    press("Tab")
    assert _focus(person) == "Skip to the content"
    press("Enter")
    _tab_to(person, "Sync now")
    press("Enter")
    expect(page.get_by_role("status").filter(has_text="Sync started.")).to_be_visible()
    person.wait()
    press("Control+k")
    page.keyboard.type("da")
    box = page.get_by_role("combobox")
    expect(box).to_be_focused()
    option = page.get_by_role("option", name="Dana").first
    expect(option).to_be_visible()
    for _ in range(20):
        if page.locator("[role=option][aria-selected=true] .fc-found-name").inner_text().startswith("Dana"):
            break
        press("ArrowDown")
    assert box.get_attribute("aria-activedescendant")
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Dana")
    press("Control+k")
    page.keyboard.type("team")
    expect(page.locator("[role=option][aria-selected=true]")).to_contain_text("Team")
    press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    # Phone: the menu's button opens it, Escape closes it and gives the focus back.
    page.set_viewport_size(PHONE)
    page.get_by_role("button", name="Menu", exact=True).focus()
    press("Enter")
    assert _focus(person) == "Close the menu"
    press("Escape")
    assert _focus(person) == "Menu"
    press("Enter")
    who = page.get_by_role("button", name="olivia")
    expect(who).to_have_attribute("aria-expanded", "false")
    who.focus()
    press("Enter")
    expect(who).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="Log out").focus()
    press("Enter")
    expect(page.get_by_role("main")).to_contain_text("successfully logged out")


@pytest.mark.slow
def test_a_day_without_scripts_on_a_phone(open_page, google, connected, worker):
    person = Person(open_page(viewport=PHONE, java_script_enabled=False), google)
    person.sign_in()
    person.press("Sync now", person.card)
    expect(person.page.locator("main")).to_contain_text("Sync started.")
    worker.finish()
    person.page.get_by_role("link", name="Menu", exact=True).click()
    person.page.get_by_role("link", name="Visits").click()
    expect(person.page.get_by_role("heading", level=1)).to_have_text("Visits")
    person.page.get_by_role("link", name="Menu", exact=True).click()
    person.page.get_by_role("link", name="Find anything").click()
    person.page.get_by_role("searchbox").fill("dana")
    person.press("Find")
    expect(person.page.get_by_role("link", name="Dana").first).to_be_visible()
    person.page.get_by_role("link", name="Menu", exact=True).click()
    person.page.get_by_role("button", name="Log out").click()
    expect(person.page.locator("main")).to_contain_text("successfully logged out")


def test_problems_are_walked_and_answered_by_keys(person, connected):
    page, press = person.page, person.page.keyboard.press
    here, there = ({"start": f"2026-11-24T{hour}:00:00Z"} for hour in (14, 18))
    codes = {"RECORD_REJECTED": {}, "CONFLICT": {"local": here, "remote": there}}
    for link, (code, data) in zip(Link.objects.order_by("record_id"), codes.items(), strict=False):
        Problem.objects.create(
            workspace=connected.workspace, integration=connected.integration, connection=connected, link=link,
            code=code, record_kind="visit", record_id=link.record_id, message="It differs.", data=data,
            occurred_at=timezone.now(),
        )  # fmt: skip
    page.goto("/admin/")
    cards = person.needs.locator(".fc-problem")
    expect(cards).to_have_count(2)
    first, second = cards.nth(0), cards.nth(1)
    for key, card in (("j", first), ("j", second), ("j", second), ("k", first)):
        press(key)
        expect(card).to_be_focused()
    press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    press("Escape")
    expect(first).to_be_focused()
    press("e")
    expect(first.get_by_role("status")).to_be_focused()
    assert Problem.objects.exclude(ignored_at=None).count() == 1
    expect(page.locator(".htmx-added")).to_have_count(0)
    press("j")
    expect(second).to_be_focused()
    press("Enter")
    expect(page).to_have_url(re.compile("/problem/"))
    # The list of them is walked by the same keys, which are letters where somebody types.
    page.goto("/admin/integrations/problem/")
    press("j")
    expect(page.locator("#result_list tbody tr").first.get_by_role("link").first).to_be_focused()
    press("/")
    page.keyboard.type("jke")
    expect(page.locator("#searchbar")).to_have_value("jke")


SHIFT = """() => new Promise((resolve) => {
  let sum = 0;
  const add = (list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value; };
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
})"""


@pytest.mark.skipif(FIREFOX, reason="Only Chromium tells of what has moved.")
def test_nothing_jumps_while_a_page_loads(person, connected):
    job = f"/admin/integrations/syncjob/{SyncJob.objects.get().pk}/change/"
    lists = ["/admin/workspace/visit/", "/admin/integrations/problem/"]
    for address in ["/admin/", *lists, job, "/admin/integrations/calendar/"]:
        for width in (1440, 360):
            person.page.set_viewport_size({"width": width, "height": 900})
            person.page.goto(address, wait_until="networkidle")
            assert person.page.evaluate(SHIFT) <= 0.05, (address, width)
