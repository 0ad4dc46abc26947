"""A form that cannot be taken: what is wrong is heard first, and each line of it leads to its field."""

import pytest
from playwright.sync_api import Page, expect

from integrations.models import Stream
from tests.browser.person import Person
from tests.browser.test_pages import EVERYTHING
from tests.browser.test_pages import _serious as serious

pytestmark = [pytest.mark.browser, pytest.mark.once]

WIDTHS = (1280, 360)


def expect_errors(page: Page, *labels: str) -> None:
    """The summary has the focus, and its links lead to the fields."""
    alert = page.get_by_role("alert")
    expect(alert).to_be_focused()
    expect(alert.get_by_role("link")).to_have_text([*labels])
    for label in labels:
        alert.get_by_role("link", name=label).click()
        field = page.locator(":target")
        expect(field).to_be_in_viewport()
        expect(field).to_have_accessible_description(page.locator(".fc-error").first.inner_text())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_wrong_is_heard_and_leads_to_the_field(open_page, google, connected, scheme):
    person = Person(open_page(color_scheme=scheme), google)
    person.sign_in()
    page, at = person.page, f"/admin/integrations/connections/{connected.pk}"
    before = list(Stream.objects.values())
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{at}/setup/")
        page.locator("form").evaluate("form => form.noValidate = true")  # else the browser would ask for it
        page.get_by_label("Whose calendar is it?").select_option("Choose")
        page.get_by_label("Direction").select_option("FieldCamp to calendar only")
        person.press("Save")
        expect_errors(page, "Whose calendar is it?")
        expect(page.get_by_label("Direction").locator("option:checked")).to_have_text("FieldCamp to calendar only")
        assert serious(person, EVERYTHING) == []
        page.goto(f"{at}/settings/")
        page.get_by_role("radio", name="Both ways").evaluate("radio => radio.checked = false")
        person.press("Save")
        expect_errors(page, "Direction")
        assert serious(person, EVERYTHING) == []
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert list(Stream.objects.values()) == before


def test_without_scripts(open_page, google, connected):
    person = Person(open_page(java_script_enabled=False), google)
    person.sign_in()
    person.page.goto(f"/admin/integrations/connections/{connected.pk}/setup/")
    person.page.get_by_role("checkbox", name="Family").check()
    person.press("Save")
    expect(person.page.get_by_text("First sync:")).to_be_visible()
