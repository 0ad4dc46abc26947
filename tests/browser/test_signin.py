"""A passkey in a real browser, with an authenticator that Chromium simulates."""

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from tests.browser.conftest import FIREFOX
from tests.browser.person import PASSWORD, Person
from tests.browser.test_pages import EVERYTHING
from tests.browser.test_pages import _serious as serious

pytestmark = [pytest.mark.browser, pytest.mark.once]


@pytest.mark.skipif(FIREFOX, reason="Only Chromium simulates an authenticator.")
def test_a_passkey_is_the_second_step(person: Person):
    page = person.page
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options | {"automaticPresenceSimulation": True}})

    page.goto("/admin/security/")
    person.page.get_by_role("link", name="Add a passkey").click()
    page.locator("#content").get_by_label("Name").fill("My telephone")
    person.press("Make the passkey")
    expect(page.locator(".fc-codes li")).to_have_count(10)
    findings = serious(person, EVERYTHING)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("My telephone: added")).to_be_visible()

    # A while later the page asks who it is, and goes on with what was pressed.
    for row in Session.objects.all():
        kept = row.get_decoded() | {"signin_confirmed": 0}
        Session.objects.filter(pk=row.pk).update(session_data=Session.objects.encode(kept))
    person.press("Make new codes")
    expect(page.get_by_role("heading", name="Is it still you?").first).to_be_visible()
    findings += serious(person, EVERYTHING)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    person.press("Confirm")
    expect(page.locator(".fc-codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()

    person.press("Sign out everywhere")
    page.get_by_label("Username").fill("olivia")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Code")).to_be_focused()
    findings += serious(person, EVERYTHING)
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") <= 0
    person.press("Use a passkey")
    expect(person.card).to_be_visible()
    assert findings == []
