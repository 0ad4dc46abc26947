"""A link that is made at the desk and followed by somebody without a login, in a browser of their own."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from integrations.models import Connection, ConnectionState
from tests.browser.person import DANA, Person
from tests.browser.test_agenda import serious

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.slow]


def test_from_the_desk_to_the_technician_and_back(person, vendors, open_page, google, make_technician):
    dana = make_technician(first_name="Dana", email=DANA)
    page = person.page
    page.goto(f"/admin/workspace/member/{dana.pk}/change/")
    page.get_by_role("link", name="send a connect link").click()
    expect(page.get_by_label("Whose calendar").locator("option:checked")).to_have_text("Dana")
    page.get_by_label("What is connected").select_option("Google Calendar")
    person.press("Make the link")
    expect(page.get_by_text(f"It is on its way to {DANA}.")).to_be_visible()
    path = urlsplit(page.get_by_label("Link", exact=True).input_value()).path
    # The vendor leads from one host to the next, and the browser's rules for forms hold for redirects.
    port = urlsplit(google).port
    hosts = [f"http://login.localhost:{port}", f"http://consent.localhost:{port}"]
    vendors.call("POST", "consent_hosts", json={"vendor": "google", "hosts": hosts})
    theirs = Person(open_page(viewport={"width": 360, "height": 740}, color_scheme="dark"), google)
    theirs.page.goto(path)
    expect(theirs.page).to_have_url(re.compile(r"/connect-links/cnl_\w+/$"))
    assert theirs.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    findings = serious(theirs.page)
    theirs.press("Continue to Google Calendar")
    theirs.consent(DANA, without="View and edit events")
    expect(theirs.page.get_by_role("alert")).to_contain_text("View and edit events on all your calendars")
    assert not Connection.objects.exists()
    theirs.press("Continue to Google Calendar")
    theirs.consent(DANA)
    expect(theirs.page.get_by_role("heading", name="Google Calendar is connected")).to_be_visible()
    assert findings + serious(theirs.page) == []
    connection = Connection.objects.get()
    assert (connection.member, connection.state) == (dana, ConnectionState.SETUP)
    theirs.page.goto("/admin/")
    expect(theirs.page.get_by_label("Password")).to_be_visible()  # the link is no way in
    other = open_page()
    other.goto(path)
    expect(other.get_by_role("heading", name="This link has been used")).to_be_visible()
    page.goto("/admin/integrations/connectlink/")
    page.get_by_role("link", name="Dana").first.click()
    page.get_by_role("link", name="Set the account up").click()
    expect(page.get_by_label("Whose calendar is it?").locator("option:checked")).to_have_text("Dana")
