"""Connecting an account through Google's consent page, as a person does it."""

import datetime as dt
import re
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, expect

from fieldcamp.workspace.models import BlockedTime
from integrations.models import Connection, ConnectionState, SyncJob
from tests.browser.person import PASSWORD, Person

pytestmark = [pytest.mark.browser, pytest.mark.once]

RAVI = "ravi@google.test"
MISSING = "View and edit events on all your calendars"


@pytest.fixture
def ravi(transactional_db, make_technician, make_visit):
    """A technician with three visits to come."""
    ravi = make_technician(first_name="Ravi", email=RAVI)
    for day in range(1, 4):
        start = timezone.now().replace(hour=15, minute=0, second=0, microsecond=0) + dt.timedelta(days=day)
        end = start + dt.timedelta(hours=1)
        make_visit(technician=ravi, scheduled_start=start, scheduled_end=end, visit_status="scheduled")
    return ravi


def busy(person: Person, title: str, days: int) -> None:
    """Adds an event on Google's page, and comes back to the desk."""
    day = timezone.now().date() + dt.timedelta(days=days)
    person.look_at(RAVI, day)
    form = person.page.locator("#add")
    form.get_by_label("Title").fill(title)
    form.get_by_label("Start").fill(f"{day}T09:00")
    form.get_by_role("button", name="Add").click()
    expect(person.page.locator("#list")).to_contain_text(title)
    person.page.goto("/admin/")


def test_consent_is_reached_through_other_hosts(person, vendors, ravi):
    """Vendors lead from one host to the next before they ask, and the browser's rules for forms hold for redirects."""
    port = urlsplit(person.google).port
    hosts = [f"http://login.localhost:{port}", f"http://consent.localhost:{port}"]
    vendors.call("POST", "consent_hosts", json={"vendor": "google", "hosts": hosts})
    person.connect()
    expect(person.page).to_have_url(re.compile(rf"^{re.escape(hosts[-1])}/"))
    person.consent(RAVI)
    expect(person.page.get_by_role("heading", name="ravi@google.test is connected")).to_be_visible()
    Connection.objects.update(state=ConnectionState.NEEDS_RECONNECT)
    person.page.goto("/admin/")
    person.press("Reconnect", person.card)
    expect(person.page).to_have_url(re.compile(rf"^{re.escape(hosts[-1])}/"))


def test_from_consent_to_the_first_sync(person, ravi):
    busy(person, "Dentist", 2)
    page = person.page
    person.connect()
    person.consent(RAVI)
    expect(page.get_by_role("heading", name="ravi@google.test is connected")).to_be_visible()
    expect(page.get_by_label("Whose calendar is it?").locator("option:checked")).to_have_text(str(ravi))
    expect(page.get_by_label("Visits go to").locator("option:checked")).to_have_text("Main calendar")
    expect(page.get_by_role("checkbox", name="Main")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Family")).not_to_be_checked()
    assert not SyncJob.objects.exists()
    person.press("Save")
    said = "First sync: 3 events to create, 1 busy time to read, nothing to remove."
    expect(page.get_by_text(said)).to_be_visible()
    person.press("Start")
    person.wait()
    person.expect_counts(pulled=1, pushed=3)
    expect(person.card.get_by_role("row", name="ravi@google.test")).to_contain_text("Connected")
    assert BlockedTime.objects.get().member == ravi
    assert "Dentist" not in page.content()


def test_access_that_was_refused(person, ravi):
    person.connect()
    person.consent(RAVI, answer="Deny")
    heading = "Google Calendar was not connected: access was refused."
    expect(person.page.get_by_role("heading", name=heading)).to_be_visible()
    assert not Connection.objects.exists()
    person.press("Try again")
    person.consent(RAVI)
    expect(person.page.get_by_role("heading", name="ravi@google.test is connected")).to_be_visible()


def test_a_box_left_unticked_is_named_and_repaired(person, ravi):
    person.connect()
    person.consent(RAVI, without="View and edit events")
    expect(person.page.locator("main")).to_contain_text(MISSING)
    person.page.goto("/admin/")
    expect(person.card).to_contain_text("Needs permission")
    expect(person.card.get_by_role("button", name="Sync now")).to_have_count(0)
    expect(person.needs).to_contain_text(MISSING)
    person.press("Reconnect", person.needs)
    expect(person.page.get_by_label("Account")).to_have_value(RAVI)  # the page proposes the same account
    person.consent("nina@google.test")
    expect(person.page.get_by_role("heading", name="You chose another account")).to_be_visible()
    assert Connection.objects.get().state == ConnectionState.NEEDS_PERMISSION
    person.press("Choose again")
    person.consent(RAVI)
    expect(person.page.get_by_role("heading", name="ravi@google.test is connected")).to_be_visible()
    person.page.goto("/admin/")
    expect(person.needs).to_contain_text("Nothing needs you.")


def test_the_back_button_after_a_consent(person, ravi):
    person.connect()
    consent = person.page.url
    person.consent(RAVI)
    expect(person.page.get_by_role("heading", name="ravi@google.test is connected")).to_be_visible()
    person.page.goto(consent)
    person.consent(RAVI)
    expect(person.page.get_by_role("heading", name="This sign-in is not valid any more")).to_be_visible()
    assert Connection.objects.count() == 1


def test_with_the_keyboard_alone(open_page, google, owner, ravi):
    person = Person(open_page(), google)
    page, keys = person.page, person.page.keyboard

    def tab_to(target: Locator) -> None:
        for _ in range(60):
            keys.press("Tab")
            if target.evaluate("element => element === document.activeElement"):
                return
        pytest.fail(f"{target} is not reached with the Tab key.")

    page.goto("/admin/")
    expect(page.get_by_label("Username")).to_be_focused()
    keys.type("olivia")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(person.card).to_be_visible()
    tab_to(person.card.get_by_role("link", name="Connect"))
    keys.press("Enter")
    tab_to(page.get_by_role("button", name="Continue to Google Calendar"))
    keys.press("Enter")
    tab_to(page.get_by_label("Account"))
    keys.type("ravi")
    for box in page.get_by_role("checkbox").all():
        tab_to(box)
        keys.press("Space")
    tab_to(page.get_by_role("button", name="Allow"))
    keys.press("Enter")
    for button in ("Save", "Start"):
        tab_to(page.get_by_role("button", name=button))
        keys.press("Enter")
    person.wait()
    tab_to(person.card.get_by_role("button", name="Sync now"))
    keys.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Sync started.")).to_be_visible()


def test_without_scripts(open_page, google, worker, owner, ravi):
    person = Person(open_page(java_script_enabled=False), google)
    person.sign_in()
    person.connect()
    person.consent(RAVI)
    person.press("Save")
    person.press("Start")
    expect(person.page.get_by_role("status").filter(has_text="Sync started.")).to_be_visible()
    worker.finish()
    person.page.reload()
    person.expect_counts(pushed=3)
    person.card.get_by_role("link", name="Last run").click()
    expect(person.page.locator("#records")).to_contain_text("Created in Google Calendar")
