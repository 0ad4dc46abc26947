"""Fix-it cards: a sentence and a button for every problem, and what came of the button in the card's place."""

import re

import pytest

from fieldcamp.api.error_codes import JOB_ERRORS
from fieldcamp.workspace.models import AuditEntry
from integrations.models import JobItem, Link, Problem, SyncJob
from integrations.services.problems.fix_reasons import REASONS, FixTarget
from integrations.services.problems.fixes import CODES
from tests.integrations.admin.conftest import posts_of
from tests.integrations.admin.test_buttons import newest, press
from tests.integrations.admin.test_pages import text_of

HTMX = {"HX-Request": "true"}
# Which cards have of their own (tests/integrations/books/test_cards.py, test_conflicts.py).
OWN_BUTTONS = {"match", "merged", "moved_far", "gross_price"}
KNOWN = {
    "duplicate_name", "duplicate_number", "inactive_reference", "closed_period", "deposited", "settled", "has_payments",
    "tax_mapping", "item_mapping", "currency", "subscription", "name_taken_by_vendor", "limits",
    "name_taken_by_employee", "internal", "moved", "holds_more", "unreadable", "over_applied",
    "merged_here", "category", "email",
}  # fmt: skip


def test_every_code_of_the_api_has_a_fix():
    assert set(JOB_ERRORS) <= set(CODES)


def test_every_reason_has_a_sentence_and_a_button():
    assert set(REASONS) == KNOWN | OWN_BUTTONS
    for reason, fix in REASONS.items():
        assert fix.sentence.endswith(".")
        assert fix.button or reason in OWN_BUTTONS
        assert bool(fix.link) == (fix.leads is not FixTarget.NOWHERE)


def refused(ours, **data) -> Problem:
    Problem.objects.filter(pk=ours.conflict.pk).update(code="RECORD_REJECTED", message="Refused.", data=data)
    return Problem.objects.get(pk=ours.conflict.pk)


@pytest.mark.slow
@pytest.mark.parametrize("reason", [*sorted(KNOWN), "never heard of", ""])
def test_a_reason_has_its_card(reason, desk, ours):
    problem = refused(ours, reason=reason)
    page = desk().get(f"/admin/integrations/problem/{problem.pk}/change/").content.decode()
    fix = REASONS.get(reason) or CODES["RECORD_REJECTED"]
    words = text_of(page).replace("&#x27;", "'")
    for text in map(str, (fix.title, fix.sentence, fix.link, fix.button)):
        assert text in words
    leads = {
        FixTarget.RECORD: ours.visit.pk,
        FixTarget.MAPPING: ours.connection.pk,
        FixTarget.CONNECTION: ours.connection.pk,
    }
    href = re.search(rf'<a id="fix-{problem.pk}" href="([^"]+)"', page)[1]
    assert leads[fix.leads] in href
    if fix.leads is not FixTarget.MAPPING:  # a page of books, which this connection does not keep
        assert desk().get(href).status_code == 200
    staff = desk("staff").get(f"/admin/integrations/problem/{problem.pk}/change/").content.decode()
    assert f'id="fix-{problem.pk}"' not in staff
    assert str(fix.button) in text_of(staff)


@pytest.mark.slow
def test_a_retry_shows_its_run_and_then_its_result_in_place(desk, ours):
    refused(ours)
    browser, url = desk("staff"), posts_of(ours)["retry"][0]
    page = browser.get("/admin/integrations/needs/").content.decode()
    assert f'hx-post="{url}"' in page
    answer = browser.post(url, headers=HTMX).content.decode()
    assert "Tried again. Sync started." in answer
    assert "autofocus" in answer
    live = re.search(r'hx-get="([^"]+)"', answer)[1].replace("&amp;", "&")
    assert "Waiting for a worker" in browser.get(live).content.decode()
    job = newest()
    JobItem.objects.create(
        job=job, connection=ours.connection, kind="visit", key=ours.visit.pk, outcome="pushed", action="update_remote"
    )
    SyncJob.objects.filter(pk=job.pk).update(status="succeeded")
    still = browser.get(live).content.decode()
    assert "the problem is still there" in still
    assert "Try again" in still
    Problem.objects.filter(pk=ours.conflict.pk).update(resolved_at=job.created_at)
    over = browser.get(live).content.decode()
    assert "Solved. Changed in Google Calendar." in over
    assert "hx-get" not in over
    assert "autofocus" not in over
    assert "Tried again" not in browser.get("/admin/").content.decode()  # said once


def test_without_scripts_the_page_is_loaded_anew(desk, ours):
    refused(ours)
    response, said = press(desk("staff"), posts_of(ours)["retry"][0], {"next": "/admin/"})
    assert (response["Location"], said) == ("/admin/", ["Tried again. Sync started."])


def test_a_refusal_stands_in_the_card(desk, ours):
    refused(ours)
    Problem.objects.filter(pk=ours.conflict.pk).update(link=None)
    desk().post("/admin/integrations/sync/google-calendar/")
    answer = desk().post(posts_of(ours)["retry"][0], headers=HTMX).content.decode()
    assert "already queued" in answer
    assert "Try again" in answer


def test_a_decision_meets_a_run_and_is_followed_there(desk, ours):
    desk().post("/admin/integrations/sync/google-calendar/")
    answer = desk().post(posts_of(ours)["resolve"][0], {"choice": "local"}, headers=HTMX).content.decode()
    assert "The sync that is running now, or the next one, carries it out." in answer
    assert newest().pk in answer


def test_a_decision_that_came_too_late_for_a_run_is_tried_by_the_next(desk, ours):
    """The run had looked at the record before: that it is still open does not mean that it was tried."""
    desk().post("/admin/integrations/sync/google-calendar/")
    answer = desk().post(posts_of(ours)["resolve"][0], {"choice": "local"}, headers=HTMX).content.decode()
    live = re.search(r'hx-get="([^"]+)"', answer)[1].replace("&amp;", "&")
    SyncJob.objects.filter(pk=newest().pk).update(status="succeeded")
    over = desk().get(live).content.decode()
    assert "The sync that is running now, or the next one, carries it out." in over
    assert "It was tried" not in over
    Link.objects.filter(pk=ours.link.pk).update(decision=None)  # carried out by a run, and refused again
    assert "It was tried" in desk().get(live).content.decode()


def test_a_run_about_other_records_has_not_tried_this_one(desk, ours):
    refused(ours)
    answer = desk().post(posts_of(ours)["retry"][0], headers=HTMX).content.decode()
    live = re.search(r'hx-get="([^"]+)"', answer)[1].replace("&amp;", "&")
    SyncJob.objects.filter(pk=newest().pk).update(status="succeeded", only=[ours.held.pk])
    assert "It was tried" not in desk().get(live).content.decode()


def test_ignored_in_place_and_undone_in_place(desk, ours):
    answer = desk().post(posts_of(ours)["ignore"][0], headers=HTMX).content.decode()
    assert "Ignored until it changes" in answer
    assert ">Undo</button>" in answer
    assert Problem.objects.get(pk=ours.conflict.pk).ignored_at
    answer = desk().post(posts_of(ours)["unignore"][0], headers=HTMX).content.decode()
    assert "Back on the list." in answer
    assert "Keep FieldCamp&#x27;s" in answer


def test_held_removals_are_decided_in_place(desk, ours):
    answer = desk().post(posts_of(ours)["decide"][0], {"decision": "confirm"}, headers=HTMX).content.decode()
    assert "10 are left removed. Sync started." in answer and "Undo: put them back" in answer
    assert Link.objects.get(pk=ours.held.pk).decision == {"removal": "cut"}


@pytest.mark.slow
def test_an_outcome_is_the_own_companys(desk, ours, theirs):
    url = f"/admin/integrations/problems/{theirs.conflict.pk}/outcome/"
    assert desk().get(url).status_code == 404
    mine = f"/admin/integrations/problems/{ours.conflict.pk}/outcome/"
    for job in (theirs.job.pk, "x\x00", ""):
        answer = desk("viewer").get(mine, {"job": job})
        assert answer.status_code == 200
        assert theirs.job.pk not in answer.content.decode()


@pytest.mark.slow
def test_all_notices_are_put_away_at_once(desk, ours, theirs):
    for number in range(3):
        for rows in (ours, theirs):
            Problem.objects.create(
                workspace=rows.workspace, integration="google_calendar", connection=rows.connection, notice=True,
                code="EVENT_REMOVED", record_id=str(number), message="Removed.", occurred_at=rows.job.created_at,
            )  # fmt: skip
    assert "Put all of them away" in desk("staff").get("/admin/").content.decode()
    assert "Put all of them away" not in desk("viewer").get("/admin/").content.decode()
    assert desk("viewer").post("/admin/integrations/notices/dismiss/").status_code == 403
    _, said = press(desk("staff"), "/admin/integrations/notices/dismiss/")
    assert said == ["3 notices put away. They stay under Problems."]
    assert Problem.objects.filter(notice=True, ignored_at=None, workspace=theirs.workspace).count() == 3
    assert "Good to know" not in desk().get("/admin/").content.decode()
    assert Problem.objects.get(pk=ours.conflict.pk).ignored_at is None
    assert AuditEntry.objects.get(action="problem.notices_dismissed").after == {"notices": 3}
