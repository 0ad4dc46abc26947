"""What the buttons do: one call of the service each, and a sentence for the person."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.utils import timezone

from integrations.models import Connection, Hold, Link, OAuthGrant, Problem, SyncJob
from tests.integrations.admin.conftest import GOOGLE, posts_of

TRIGGER = "/admin/integrations/sync/google-calendar/"


def press(browser, url, data=None):
    """The page after the button, and what it says."""
    response = browser.post(url, data or {})
    return response, [str(message) for message in get_messages(response.wsgi_request)]


@pytest.fixture
def quiet(ours):
    """The company with no job in flight, and nobody to ask at the provider."""
    return ours


def newest() -> SyncJob:
    return SyncJob.objects.order_by("-created_at").first()


@pytest.mark.parametrize("mode", ["incremental", "full"])
def test_sync_now_starts_a_job_in_the_persons_name(mode, desk, quiet):
    response, said = press(desk("staff"), TRIGGER, {"mode": mode})
    job = newest()
    assert response["Location"] == "/admin/"
    assert (job.mode, job.status, job.triggered_by, job.actor) == (mode, "queued", "admin", "Staff")
    assert job.connection is None
    assert job.request_id == response["X-Request-Id"]
    assert said == ["Everything is checked again." if mode == "full" else "Sync started."]


def test_a_second_sync_meets_the_first(desk, quiet):
    press(desk(), TRIGGER)
    _, said = press(desk(), TRIGGER)
    assert SyncJob.objects.filter(status="queued").count() == 1
    assert "already queued" in said[0]


def test_sync_of_one_account_goes_back_to_the_page_with_the_button(desk, quiet):
    page = f"/admin/integrations/connection/{quiet.connection.pk}/change/"
    response, _ = press(desk(), posts_of(quiet)["sync"][0], {"next": page})
    assert response["Location"] == page
    assert newest().connection == quiet.connection


@pytest.mark.parametrize("place", ["https://evil.test/", "//evil.test", "javascript:alert(1)", ""])
def test_no_button_leads_off_the_site(place, desk, quiet):
    response, _ = press(desk(), posts_of(quiet)["pause"][0], {"next": place})
    assert response["Location"] == "/admin/"


def test_nothing_to_sync_is_said(desk, quiet):
    Connection.objects.update(state="needs_reconnect")
    _, said = press(desk(), TRIGGER)
    assert "Connect the account again" in said[0]
    assert not SyncJob.objects.filter(status="queued").exists()


def test_cancel(desk, quiet):
    press(desk(), TRIGGER)
    press(desk(), f"/admin/integrations/jobs/{newest().pk}/cancel/")
    assert newest().status == "cancelled"
    _, said = press(desk(), f"/admin/integrations/jobs/{newest().pk}/cancel/")
    assert said == ["This job has already ended (cancelled). There is nothing to cancel."]


def test_pause_and_resume_are_on_record(desk, quiet):
    posts = posts_of(quiet)
    press(desk(), posts["pause"][0])
    assert (Connection.objects.get().state, Connection.objects.get().paused_by_person) == ("paused", True)
    press(desk(), posts["resume"][0])
    assert Connection.objects.get().state == "active"
    shown = desk().get(f"/admin/integrations/connection/{quiet.connection.pk}/change/").content.decode()
    assert "is paused until somebody resumes it" in shown
    assert LogEntry.objects.filter(object_id=quiet.connection.pk, user__username__startswith="owner").count() == 2


def test_disconnect_asks_first_and_then_forgets_the_grant(desk, quiet, monkeypatch):
    explicit = []
    monkeypatch.setattr("integrations.accounts.disconnecting._revoke", lambda connection, token: explicit.append(token))
    url = posts_of(quiet)["disconnect"][0]
    asked = desk().get(url).content.decode()
    assert "This is what will happen" in asked
    assert "The 2 events that FieldCamp made" in asked and "Leave them there" in asked
    assert Connection.objects.get().state == "active"
    press(desk(), url)
    assert Connection.objects.get().state == "disconnected"
    assert OAuthGrant.objects.get().refresh_token == ""
    assert len(explicit) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("decision", "removal"), [("confirm", "cut"), ("reject", "put_back")])
def test_held_removals_are_decided_once(decision, removal, desk, quiet):
    url = posts_of(quiet)["decide"][0]
    press(desk("admin"), url, {"decision": decision})
    assert Hold.objects.get().decision == decision
    assert Hold.objects.get().decided_by.username.startswith("admin")
    assert Link.objects.get(pk=quiet.held.pk).decision == {"removal": removal}
    assert newest().only == [quiet.held.pk]
    _, said = press(desk(), url, {"decision": "reject"})
    assert said == ["This has been decided already. Reload the page to see how."]
    assert "Put the events back" not in desk().get("/admin/").content.decode()


def test_a_conflict_is_settled_by_the_chosen_side(desk, quiet):
    url = posts_of(quiet)["resolve"][0]
    assert press(desk(), url, {"choice": "neither"})[0].status_code == 404
    _, said = press(desk("staff"), url, {"choice": "remote"})
    assert Link.objects.get(pk=quiet.link.pk).decision == {"winner": "remote"}
    assert newest().only == [quiet.link.pk]
    assert said == ["Google Calendar's side is kept. Sync started."]


def test_a_decision_during_a_sync_waits_for_it(desk, quiet):
    press(desk(), TRIGGER)
    _, said = press(desk(), posts_of(quiet)["resolve"][0], {"choice": "local"})
    assert said == ["FieldCamp's side is kept. Saved. The sync that is running now, or the next one, carries it out."]


def test_ignore_can_be_undone(desk, quiet):
    posts = posts_of(quiet)
    press(desk(), posts["ignore"][0])
    assert Problem.objects.get(pk=quiet.conflict.pk).ignored_by.username.startswith("owner")
    assert f'id="{quiet.conflict.pk}"' not in desk().get("/admin/integrations/needs/").content.decode()
    listed = desk().get("/admin/integrations/problem/?state=ignored").content.decode()
    assert "Conflict of Ours" in listed
    assert (
        posts["unignore"][0] in desk().get(f"/admin/integrations/problem/{quiet.conflict.pk}/change/").content.decode()
    )
    press(desk(), posts["unignore"][0])
    assert "Conflict of Ours" in desk().get("/admin/integrations/needs/").content.decode()


def test_retry_tries_just_that_record(desk, quiet):
    Problem.objects.filter(pk=quiet.conflict.pk).update(code="RECORD_REJECTED")
    press(desk("staff"), posts_of(quiet)["retry"][0])
    job = newest()
    assert (job.integration, job.only) == (GOOGLE, [quiet.link.pk])
    assert Link.objects.get(pk=quiet.link.pk).parked is False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("button", "roles", "said"),
    [
        ("put-back", {"staff", "admin"}, "The event is put back. Sync started."),
        ("leave-removed", {"staff", "admin"}, "It stays without an event until the visit is edited."),
        ("cancel-visit", {"admin"}, "The visit is cancelled."),
    ],
)
def test_what_becomes_of_a_visit_whose_event_was_removed(button, roles, said, desk, quiet):
    link = Link.objects.filter(record_id=quiet.visit.pk).first()
    Link.objects.filter(pk=link.pk).update(cut_at=timezone.now(), seen_gone=True)
    problem = Problem.objects.create(
        workspace=quiet.workspace, integration=GOOGLE, connection=quiet.connection, link=link, code="EVENT_REMOVED",
        record_kind="visit", record_id=quiet.visit.pk, message="Removed.", occurred_at=timezone.now(),
    )  # fmt: skip
    url = f"/admin/integrations/problems/{problem.pk}/{button}/"
    pages = ("/admin/", f"/admin/workspace/visit/{quiet.visit.pk}/change/")
    for role in ("viewer", "staff", "admin"):
        asked = f"/problems/{problem.pk}/sure/" if button == "cancel-visit" else url  # once more, what cannot be undone
        assert all((asked in desk(role).get(page).content.decode()) == (role in roles) for page in pages)
    assert desk("viewer").post(url).status_code == 403
    _, told = press(desk("admin"), url)
    assert told == [said]
    _, told = press(desk("admin"), url)
    assert told == ["This has been decided already. Reload the page to see how."]
