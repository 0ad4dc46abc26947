"""The desk's frame: by keyboard alone, without scripts, over the wire, and the palette."""

import pytest
from playwright.sync_api import expect

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


SHIFT = """() => new Promise((resolve) => {
  let sum = 0;
  const add = (list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value; };
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
})"""


def test_nothing_jumps_while_a_page_loads(person, connected):
    for address in ("/admin/", "/admin/workspace/visit/", "/admin/integrations/problem/"):
        for width in (1440, 360):
            person.page.set_viewport_size({"width": width, "height": 900})
            person.page.goto(address, wait_until="networkidle")
            assert person.page.evaluate(SHIFT) <= 0.05, (address, width)
