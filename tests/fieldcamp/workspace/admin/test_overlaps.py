"""The visit's page asks before somebody is booked twice, and takes yes for an answer."""

import datetime as dt
import re

import pytest

from fieldcamp import formats
from fieldcamp.workspace.models import BlockedTime, Change, Visit
from tests.integrations.admin.conftest import pages_of
from tests.integrations.admin.test_pages import text_of
from tests.integrations.admin.test_records import form_of, utc  # noqa: F401  (utc: a fixture)

NINE = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)
ADD = "/admin/workspace/visit/add/"


@pytest.fixture(autouse=True)
def busy(ours, utc):  # noqa: F811
    """The technician is blocked on 1 December from half past nine to ten."""
    blocked = BlockedTime.objects.filter(pk=ours.blocked.pk)
    blocked.update(starts_at=NINE + dt.timedelta(minutes=30), ends_at=NINE + dt.timedelta(hours=1))


def at(hour: int) -> dict[str, str]:
    return {
        "scheduled_start_0": "2026-12-01", "scheduled_start_1": f"{hour:02}:00:00",
        "scheduled_end_0": "2026-12-01", "scheduled_end_1": f"{hour + 1:02}:00:00",
    }  # fmt: skip


def asked(response) -> dict[str, str]:
    """What the page's button sends besides the form: the page has asked."""
    assert response.status_code == 200
    page = response.content.decode()
    assert "Not saved yet: the technician is not free then" in text_of(page)
    assert re.search(r'<button[^>]*type="submit" name="_save"[^>]*>Save all the same</button>', page)
    form = page.partition('id="visit_form"')[2].partition("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="(overlaps_seen)" value="(\w+)">', form)) | {"_save": "1"}


@pytest.mark.slow
def test_a_moved_visit_is_saved_when_the_person_has_seen_it(desk, ours):
    url, browser, changes = pages_of(ours)["visit"], desk(), Change.objects.count()
    data = form_of(browser, url) | at(9)
    response = browser.post(url, data)
    shown = text_of(response.content.decode())
    since, until = (formats.moment(NINE + dt.timedelta(minutes=minutes)) for minutes in (30, 60))
    assert f"Blocked in the technician's own calendar: {since} – {until}" in shown
    yes = asked(response)
    assert Change.objects.count() == changes and Visit.objects.get().scheduled_start == ours.visit.scheduled_start
    assert browser.post(url, data | yes).status_code == 302
    assert Visit.objects.get().scheduled_start == NINE
    # The page goes on saying so, and asks no more where nothing of it changes.
    assert "The technician is not free then" in text_of(browser.get(url).content.decode())
    assert browser.post(url, form_of(browser, url) | {"title": "Other"}).status_code == 302


@pytest.mark.slow
def test_what_came_in_between_is_asked_for_anew(desk, ours, make_visit):
    url, browser = pages_of(ours)["visit"], desk()
    data = form_of(browser, url) | at(9)
    yes = asked(browser.post(url, data))
    other = make_visit(
        workspace=ours.workspace, technician=ours.tech, title="A second one", visit_status="scheduled",
        scheduled_start=NINE, scheduled_end=NINE + dt.timedelta(hours=1),
    )  # fmt: skip
    response = browser.post(url, data | yes)
    page = response.content.decode()
    assert other.pk in page and f"A second one : {formats.weekday(NINE.date())}" in text_of(page)
    assert browser.post(url, data | asked(response)).status_code == 302


@pytest.mark.slow
def test_a_new_visit_and_a_free_time(desk, ours):
    browser = desk()
    data = {"title": "New", "client": ours.client.pk, "technician": ours.tech.pk, "visit_status": "unscheduled"}
    yes = asked(browser.post(ADD, data | at(9)))
    assert not Visit.objects.filter(title="New").exists()
    assert browser.post(ADD, data | at(10)).status_code == 302  # touches
    assert browser.post(ADD, data | at(9) | yes).status_code == 302
    assert Visit.objects.filter(title="New").count() == 2
