"""Syncing, as a person sees it on both sides."""

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from fieldcamp.workspace.models import BlockedTime, Visit
from integrations.models import ConflictPolicy, Stream
from tests.browser.person import DANA, Person

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(connected) -> Visit:
    return Visit.objects.order_by("scheduled_start")[1]


def move(person: Person, visit: Visit, hours: int) -> None:
    """Moves the visit's event by the form on its page at Google."""
    row = person.look_at(DANA, visit.scheduled_start.date()).filter(has_text=visit.title)
    start = dt.datetime.fromisoformat(row.get_attribute("data-start")) + dt.timedelta(hours=hours)
    row.get_by_role("link", name="Edit").click()
    form = person.page.locator("#move")
    form.get_by_label("Start").fill(f"{start:%Y-%m-%dT%H:%M}")
    form.get_by_role("button", name="Move").click()
    expect(row).to_have_attribute("data-start", start.isoformat())


def test_a_run_is_followed_on_the_card(person, worker, visit):
    visit.title = "Boiler inspection"
    visit.save()
    worker.rest()
    person.page.goto("/admin/")
    person.press("Sync now", person.card)
    expect(person.card).to_contain_text("Waiting for a worker")
    expect(person.card.get_by_role("button", name="Cancel")).to_be_visible()
    worker.go_on()
    person.wait()
    person.expect_counts(pushed=1)
    person.card.get_by_role("link", name="Last run").click()
    expect(person.page.locator("#records")).to_contain_text("Boiler inspection")


def test_a_waiting_run_is_cancelled(person, worker, visit):
    visit.title = "Boiler inspection"
    visit.save()
    worker.rest()
    person.page.goto("/admin/")
    person.press("Sync now", person.card)
    person.press("Cancel", person.card)
    worker.go_on()
    person.wait()
    expect(person.card).to_contain_text("Last run: cancelled")
    person.expect_counts()


def test_a_move_at_google_moves_the_visit(person, visit):
    before = visit.scheduled_start
    move(person, visit, hours=2)
    person.sync()
    person.expect_counts(pulled=1)
    visit.refresh_from_db()
    assert visit.scheduled_start == before + dt.timedelta(hours=2)
    person.page.goto(f"/admin/workspace/visit/{visit.pk}/change/")
    expect(person.page.get_by_role("region", name="History")).to_contain_text(f"in Google Calendar by {DANA}")
    expect(person.page.get_by_role("region", name="Synced with")).to_contain_text("In step")


def test_an_event_is_dragged(person, visit):
    before = visit.scheduled_start
    row = person.look_at(DANA, before.date()).filter(has_text=visit.title)
    start = dt.datetime.fromisoformat(row.get_attribute("data-start")) + dt.timedelta(hours=1)
    event = person.page.locator("#week a").filter(has_text=visit.title)
    event.drag_to(person.page.locator(f'#week [data-slot="{start:%Y-%m-%dT%H}"]'))
    expect(row).to_have_attribute("data-start", start.isoformat())
    person.sync()
    person.expect_counts(pulled=1)
    visit.refresh_from_db()
    assert visit.scheduled_start == before + dt.timedelta(hours=1)


def test_a_private_event_blocks_time_without_its_words(person, visit):
    day = visit.scheduled_start.date()
    person.look_at(DANA, day)
    form = person.page.locator("#add")
    form.get_by_label("Title").fill("Dentist")
    form.get_by_label("Start").fill(f"{day}T05:00")
    form.get_by_role("button", name="Add").click()
    expect(person.page.locator("#list")).to_contain_text("Dentist")
    person.sync()
    person.expect_counts(pulled=1)
    person.page.goto("/admin/workspace/blockedtime/")
    expect(person.page.locator("#result_list tbody tr")).to_have_count(1)
    assert "Dentist" not in person.page.content()
    assert BlockedTime.objects.get().member == visit.technician


@pytest.mark.parametrize(
    ("decision", "counts", "left"),
    [("Put the events back", {"pushed": 10}, 12), ("Leave them removed", {"pulled": 10}, 2)],
)
def test_ten_deletions_wait_for_a_decision(person, worker, visit, decision, counts, left):
    rows = person.look_at(DANA, visit.scheduled_start.date() - dt.timedelta(days=1))
    expect(rows).to_have_count(12)
    for row in rows.all()[:10]:
        row.get_by_role("checkbox").check()
    person.press("Delete the ticked")
    expect(rows).to_have_count(2)
    person.sync()
    expect(person.card).to_contain_text("removals wait for your answer")
    expect(person.needs).to_contain_text(re.compile("10 of .+ 12 events are gone from Google Calendar"))
    if left == 2:  # asks once more, with the ten
        person.needs.get_by_role("link", name=decision).click()
        expect(person.page.get_by_role("row", name=visit.title)).not_to_have_count(0)
        person.press(decision)
        expect(person.needs).to_contain_text("10 left removed")
    else:
        person.press(decision, person.needs)
        expect(person.needs.get_by_role("status")).to_contain_text("10 are made again.")
    worker.finish()
    person.page.goto("/admin/")
    person.expect_counts(**counts)
    expect(person.needs).to_contain_text("Nothing needs you.")
    expect(person.look_at(DANA, visit.scheduled_start.date() - dt.timedelta(days=1))).to_have_count(left)
    assert Visit.objects.count() == 12


def test_a_conflict_is_asked_about_and_decided(person, worker, visit):
    Stream.objects.update(policy=ConflictPolicy.ASK)
    before = visit.scheduled_start
    move(person, visit, hours=2)
    visit.scheduled_start, visit.scheduled_end = before + dt.timedelta(hours=4), before + dt.timedelta(hours=5)
    visit.save()
    person.sync()
    person.expect_counts(failed=1)
    expect(person.needs.get_by_role("row", name="Start")).to_contain_text(":")
    person.press("Keep Google", person.needs)
    expect(person.needs.get_by_role("status")).to_contain_text("Solved. Changed in FieldCamp.")
    worker.finish()
    person.page.goto("/admin/")
    person.expect_counts(pulled=1)
    expect(person.needs).to_contain_text("Nothing needs you.")
    visit.refresh_from_db()
    assert visit.scheduled_start == before + dt.timedelta(hours=2)


def test_a_refused_record_is_tried_again(person, vendors, worker, visit):
    visit.title = "Boiler inspection"
    visit.save()
    vendors.fault("status", status=400, path="/events/", times=3)
    person.sync()
    person.expect_counts(failed=1)
    expect(person.needs).to_contain_text("A record was refused")
    vendors.call("DELETE", "faults")
    person.press("Try again", person.needs)
    expect(person.needs.get_by_role("status")).to_contain_text("Solved. Changed in Google Calendar.")
    worker.finish()
    person.page.goto("/admin/")
    person.expect_counts(pushed=1)
    expect(person.needs).to_contain_text("Nothing needs you.")


def test_access_removed_at_google_is_renewed_in_two_clicks(person, connected):
    person.page.goto(f"{person.google}/google/ui/{DANA}/apps")
    for button in person.page.get_by_role("button", name="Remove access").all()[::-1]:
        button.click()
    expect(person.page.get_by_text("No app has access")).to_be_visible()
    person.page.goto("/admin/")
    person.press("Sync now", person.card)
    expect(person.card).to_contain_text("Needs reconnect")
    person.page.goto("/admin/")
    person.press("Reconnect", person.needs)
    person.consent(DANA)
    expect(person.page.get_by_role("heading", name=f"{DANA} is connected")).to_be_visible()
