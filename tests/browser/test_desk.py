"""Working at the desk: deciding conflicts, undoing, inviting people, keys, settings."""

import datetime as dt
import re

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from fieldcamp.workspace.models import Member, Visit
from integrations.models import ConflictPolicy, Link, Problem, Stream, WorkspaceIntegration
from tests.browser.person import PASSWORD, Person
from tests.browser.test_syncing import move

pytestmark = pytest.mark.browser


@pytest.fixture
def contested(person, worker, connected) -> Visit:
    """A visit that was moved on both sides, on a connection that asks."""
    Stream.objects.update(policy=ConflictPolicy.ASK)
    visit = Visit.objects.order_by("scheduled_start")[1]
    move(person, visit, hours=2)
    visit.scheduled_start += dt.timedelta(hours=4)
    visit.scheduled_end += dt.timedelta(hours=4)
    visit.save()
    person.sync()
    worker.finish()
    return visit


def test_a_conflict_is_decided_in_the_inbox_and_remembered(person, worker, contested):
    page = person.page
    there = contested.scheduled_start - dt.timedelta(hours=2)
    page.get_by_role("link", name="Conflicts").click()
    inbox = page.get_by_role("region", name=contested.title)
    expect(inbox.get_by_role("row", name="Start and end").get_by_role("radio")).to_have_count(2)
    person.press("Apply my choice", inbox)  # nothing is chosen: the browser asks for it
    assert Link.objects.get(record_id=contested.pk).parked
    inbox.get_by_label("Start and end: keep Google Calendar's").check()
    inbox.get_by_label("Next time on this connection").select_option("Always prefer Google Calendar")
    person.press("Apply my choice", inbox)
    expect(inbox.get_by_role("status")).to_be_focused()
    expect(inbox.get_by_role("status")).to_contain_text("Solved. Changed in FieldCamp.")
    worker.finish()
    contested.refresh_from_db()
    assert contested.scheduled_start == there
    assert Stream.objects.get(is_target=True).policy == ConflictPolicy.REMOTE
    page.reload()
    expect(page.get_by_role("heading", name="No open conflicts")).to_be_visible()


def test_ignoring_is_undone_with_the_keyboard(person, contested):
    page = person.page
    page.goto("/admin/")
    person.needs.get_by_role("button", name="Ignore until it changes").focus()
    page.keyboard.press("Enter")
    expect(person.needs.get_by_role("status")).to_be_focused()
    # What came in takes the focus twice: when the browser has it, and when htmx has settled it a moment later.
    expect(page.locator(".htmx-added")).to_have_count(0)
    page.keyboard.press("Tab")
    expect(person.needs.get_by_role("link", name=contested.title)).to_be_focused()
    page.keyboard.press("Tab")
    expect(person.needs.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(person.needs.get_by_role("button", name="Keep FieldCamp's")).to_be_visible()
    assert Problem.objects.get(code="CONFLICT").ignored_at is None


def test_a_result_stays_until_it_was_read(person, worker, contested):
    """Neither the card's news nor the next refresh takes the result away before it was read."""
    page = person.page
    page.goto("/admin/")
    worker.rest()
    news = "htmx.trigger(document.body, 'desk-changed')"
    page.evaluate(f"document.body.addEventListener('htmx:afterSwap', () => {news}, {{once: true}})")  # at once, and …
    person.press("Keep FieldCamp's", person.needs)
    expect(person.needs.get_by_role("progressbar")).to_be_visible()
    page.evaluate(news)  # … a moment later
    expect(person.needs.get_by_role("status")).to_contain_text("FieldCamp's side is kept.")
    worker.go_on()
    expect(person.needs.get_by_role("status")).to_contain_text("Solved. Changed in Google Calendar.")


def test_a_button_ends_the_refresh_that_was_under_way(person, contested):
    """Its answer was made before the button was pressed, and would take the result and the focus away."""
    page = person.page
    page.goto("/admin/")
    page.route("**/admin/integrations/needs/", lambda _: None)  # which is never answered
    with page.expect_request("**/admin/integrations/needs/") as refresh:
        page.evaluate("htmx.trigger(document.body, 'desk-changed')")
    with page.expect_event("requestfailed", lambda request: request == refresh.value):
        person.press("Ignore until it changes", person.needs)
    expect(person.needs.get_by_role("status")).to_be_focused()


def test_a_member_is_invited_and_signs_in(person, open_page, google, connected):
    nia = Member.objects.create(
        workspace=connected.workspace, first_name="Nia", email="nia@fieldcamp.test", role="staff"
    )
    page = person.page
    page.goto(f"/admin/workspace/member/{nia.pk}/change/")
    login = page.get_by_role("region", name="Login")
    expect(login).to_contain_text("No login")
    person.press("Invite", login)
    expect(login).to_contain_text("Invited")
    link = re.search(r"(/admin/password/\S+)", mail.outbox[-1].body)[1]
    hers = open_page(java_script_enabled=False)
    hers.goto(link)
    hers.get_by_label("New password:").fill(PASSWORD)
    hers.get_by_label("New password confirmation:").fill(PASSWORD)
    hers.get_by_role("button", name="Accept the invitation").click()
    hers.get_by_role("link", name="Sign in").click()
    Person(hers, google).sign_in("nia@fieldcamp.test")
    page.reload()
    expect(login).to_contain_text("Signs in as nia@fieldcamp.test")
    login.get_by_role("link", name="Revoke the login").click()
    person.press("Revoke the login")
    expect(login).to_contain_text("Revoked")
    hers.goto("/admin/")
    expect(hers.get_by_role("link", name="Forgotten your password")).to_be_visible()


def test_a_keys_secret_is_copied_and_shown_without_scripts_too(person, open_page, google):
    for scripts in (True, False):
        someone = person if scripts else Person(open_page(java_script_enabled=False), google)
        if not scripts:
            someone.sign_in()
        page = someone.page
        page.goto("/admin/api/apikey/add/")
        page.locator("#id_name").fill("Zapier")
        for box in page.get_by_role("checkbox", name="api_keys:").all():
            box.uncheck()
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_label("Secret", exact=True)).to_have_value(re.compile(r"fc_live_\w{60}"))
        copy = page.get_by_role("button", name="Copy")
        if scripts:
            copy.click()
            expect(page.get_by_role("status").filter(has_text="The secret is copied.")).to_have_count(1)
        else:
            expect(copy).to_be_hidden()


def test_the_schedule_and_the_settings_of_an_account(person, connected):
    page = person.page
    page.goto("/admin/")
    person.card.get_by_role("link", name="Schedule").click()
    page.get_by_label("Sync by itself").select_option("every 2 h")
    person.press("Save")
    page.get_by_role("link", name="Back to the dashboard").click()
    expect(person.card).to_contain_text("Synced every 2 h")
    assert WorkspaceIntegration.objects.get().next_sync_at > timezone.now() + dt.timedelta(minutes=90)
    person.card.locator("summary").first.click()
    person.card.get_by_role("link", name="Settings").click()
    page.get_by_role("radio", name="Ask a person").check()
    person.press("Save")
    expect(page.get_by_role("status").filter(has_text="are saved.")).to_be_visible()
    expect(page.get_by_role("radio", name="Ask a person")).to_be_checked()
    assert Stream.objects.get(is_target=True).policy == ConflictPolicy.ASK
