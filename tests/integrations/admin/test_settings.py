"""The settings of a connection and of an integration: changed by owners and admins, read by everybody, on record."""

import datetime as dt
import re
from dataclasses import replace

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import AuditEntry
from integrations.errors import Unavailable
from integrations.models import Connection, ProviderBudget, Stream, WorkspaceIntegration
from integrations.providers.google_calendar.api import GoogleCalendarClient
from integrations.records import Container, Lack
from tests.integrations.admin.test_pages import text_of

GOOGLE_SETTINGS = "/admin/integrations/settings/google-calendar/"
CALENDARS = [
    Container("main", "Main", primary=True),
    Container("side", "Side", primary=False),
    Container("read", "Holidays", primary=False, lacks=Lack.CHANGE),
    Container("lent", "Crew", primary=False, lacks=Lack.READ, owner="lee@google.test"),
]
CHOICES = {"target": "side", "busy": ["main", "side"], "direction": "push", "policy": "ask"}


@pytest.fixture
def calendars(monkeypatch):
    """What the provider lists; a list of its own for each test."""
    listed = [*CALENDARS]
    monkeypatch.setattr(GoogleCalendarClient, "containers", lambda self: listed)
    return listed


def page_of(rows) -> str:
    return f"/admin/integrations/connections/{rows.connection.pk}/settings/"


@pytest.mark.slow
def test_reached_from_the_card_and_from_the_passport(desk, ours):
    for role in ("owner", "viewer"):
        assert page_of(ours) in desk(role).get("/admin/").content.decode()
        passport = desk(role).get(f"/admin/integrations/connection/{ours.connection.pk}/change/").content.decode()
        assert page_of(ours) in passport


def test_what_is_chosen_is_saved_and_on_record(desk, ours, calendars):
    Stream.objects.filter(pk=ours.stream.pk).update(first_synced_at=timezone.now())
    page = desk("admin").get(page_of(ours)).content.decode()
    assert '<option value="main" selected>Main calendar' in page
    assert 'value="two_way" checked' in page
    answer = desk("admin").post(page_of(ours), CHOICES | {"target": "main", "busy": ["main"]})
    assert answer["Location"] == page_of(ours)
    stream = Stream.objects.get(pk=ours.stream.pk)
    assert (stream.direction, stream.policy, stream.reads_busy) == ("push", "ask", True)
    entry = AuditEntry.objects.get(action="connection.set_up")
    assert entry.actor.startswith("admin")
    assert (entry.before["policy"], entry.after["policy"]) == ("local", "ask")


def test_another_calendar_is_previewed_before_it_is_synced(desk, ours, calendars):
    answer = desk().post(page_of(ours), CHOICES)
    assert answer["Location"] == page_of(ours).replace("settings", "preview")
    assert Stream.objects.get(is_target=True, is_active=True).container_id == "side"


def options(page: str, name: str) -> set[str]:
    """Returns the values that a list or the boxes of a form offer."""
    field = re.search(rf'<select name="{name}".*?</select>', page, re.DOTALL)
    return set(
        re.findall(r'<option value="(\w+)"', field[0]) if field else re.findall(rf'"{name}" value="(\w+)"', page)
    )


def test_calendars_that_cannot_be_used_are_not_offered_and_the_page_says_why(desk, ours, calendars):
    page = desk().get(page_of(ours)).content.decode()
    assert (options(page, "target"), options(page, "busy")) == ({"main", "side"}, {"main", "side", "read"})
    assert "as this account may only read them: Holidays." in page
    assert "as this account may not see their events: Crew (of lee@google.test)." in page
    for wrong, why in (
        ({"target": "read", "direction": "two_way"}, "This account may only read that calendar."),
        ({"target": "lent"}, "This account may not see the events of that calendar."),
        ({"busy": ["lent"]}, "This account may not see the events in Crew."),
    ):
        answer = desk().post(page_of(ours), CHOICES | wrong)
        assert answer.status_code == 400 and why in answer.content.decode()
    assert Stream.objects.get(is_target=True).container_id == "main"


def test_a_target_that_may_only_be_read_meanwhile_stands_there_as_such(desk, ours, calendars):
    calendars[0] = replace(CALENDARS[0], lacks=Lack.CHANGE)
    page = desk().get(page_of(ours)).content.decode()
    assert '<option value="main" selected>Main calendar (read only)' in page
    answer = desk().post(page_of(ours), CHOICES | {"target": "main"})
    assert answer.status_code == 400 and "may only read that calendar" in answer.content.decode()
    # Where nothing is written there is nothing to lack.
    assert desk().post(page_of(ours), CHOICES | {"target": "main", "direction": "pull"}).status_code == 302


@pytest.mark.parametrize(
    "wrong", [{"target": "read", "direction": "two_way"}, {"target": "none"}, {"policy": "newest"}, {"busy": ["none"]}]
)
def test_a_choice_that_cannot_be_taken_is_said_and_kept(wrong, desk, ours, calendars):
    answer = desk().post(page_of(ours), CHOICES | wrong)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert 'role="alert"' in page
    assert Stream.objects.get(pk=ours.stream.pk).direction == "two_way"


@pytest.mark.slow
def test_staff_and_viewers_only_read(desk, ours, theirs):
    for role in ("staff", "viewer"):
        page = desk(role).get(page_of(ours)).content.decode()
        words = text_of(page)
        assert "Calendar of Ours" in words
        assert "Both ways" in words
        assert "FieldCamp wins" in words
        assert 'name="direction"' not in page
        assert ">Pause</button>" not in page
        assert desk(role).post(page_of(ours), CHOICES).status_code == 403
        assert desk(role).get(page_of(theirs)).status_code == 404
    assert Stream.objects.get(pk=ours.stream.pk).policy == "local"


def test_a_provider_that_does_not_answer(desk, ours, monkeypatch):
    def silent(self):
        raise Unavailable("Google Calendar did not answer.")

    monkeypatch.setattr(GoogleCalendarClient, "containers", silent)
    for answer in (desk().get(page_of(ours)), desk().post(page_of(ours), CHOICES)):
        assert answer.status_code == 503
        assert "Google Calendar did not answer." in answer.content.decode()
        assert "Calendar of Ours" in answer.content.decode()


def test_a_connection_that_cannot_sync_leads_to_its_repair(desk, ours):
    Connection.objects.update(state="needs_reconnect")
    assert desk().get(page_of(ours))["Location"] == page_of(ours).replace("settings", "setup")
    assert "/connection/" in desk("viewer").get(page_of(ours))["Location"]


def test_pause_and_resume_are_there_too(desk, ours, calendars):
    assert ">Pause<" in desk().get(page_of(ours)).content.decode()
    pause = f"/admin/integrations/connections/{ours.connection.pk}/pause/"
    assert desk().post(pause, {"next": page_of(ours)})["Location"] == page_of(ours)
    assert ">Resume<" in desk().get(page_of(ours)).content.decode()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "by hand only"), (5, "every 5 min"), (60, "every hour"), (240, "every 4 h"), (1440, "once a day")],
)
def test_the_schedule_is_shown_on_the_card_and_moves_the_next_sync(minutes, words, desk, ours):
    answer = desk("admin").post(GOOGLE_SETTINGS, {"minutes": str(minutes)})
    assert answer["Location"] == GOOGLE_SETTINGS
    row = WorkspaceIntegration.objects.get(workspace=ours.workspace)
    assert row.interval_minutes == minutes
    if minutes:
        distance = (row.next_sync_at - timezone.now()) / dt.timedelta(minutes=minutes)
        assert 0.85 < distance < 1.15
    else:
        assert row.next_sync_at is None
    assert f"Synced {words}" in text_of(desk().get("/admin/").content.decode())
    entry = AuditEntry.objects.get(action="integration.schedule_changed")
    assert (entry.before, entry.after) == ({"interval_minutes": 30}, {"interval_minutes": minutes})


@pytest.mark.slow
@pytest.mark.parametrize("minutes", ["1", "4", "1441", "-5", "x", "", "²", "99999999999"])
def test_an_interval_that_makes_no_sense(minutes, desk, ours):
    answer = desk().post(GOOGLE_SETTINGS, {"minutes": minutes})
    assert answer.status_code == 400
    assert "Choose 5 minutes to 24 hours, or off." in answer.content.decode()
    assert WorkspaceIntegration.objects.get().interval_minutes == 30


def test_saving_the_same_schedule_changes_nothing(desk, ours):
    before = WorkspaceIntegration.objects.get().next_sync_at
    desk().post(GOOGLE_SETTINGS, {"minutes": "30"})
    assert WorkspaceIntegration.objects.get().next_sync_at == before
    assert not AuditEntry.objects.filter(action="integration.schedule_changed").exists()


@pytest.mark.slow
def test_who_may_set_the_schedule(desk, ours):
    for role in ("staff", "viewer"):
        assert 'name="minutes"' not in desk(role).get(GOOGLE_SETTINGS).content.decode()
        assert desk(role).post(GOOGLE_SETTINGS, {"minutes": "5"}).status_code == 403
    assert desk().get("/admin/integrations/settings/nothing/").status_code == 404
    assert desk().get("/admin/integrations/settings/outlook-calendar/").status_code == 200


@pytest.mark.slow
def test_the_calls_of_the_minute_and_of_the_day(desk, ours, theirs):
    now = timezone.now()
    number = int(now.timestamp() // 5)
    ProviderBudget.objects.create(
        connection=ours.connection, buckets={str(number): 12, str(number - 40): 99}, calls_today=1234,
        day=now.astimezone(dt.UTC).date(), paced_until=now + dt.timedelta(minutes=5),
    )  # fmt: skip
    words = text_of(desk("viewer").get(GOOGLE_SETTINGS).content.decode())
    assert f"{ours.connection.account_name} 12 Slowed down 570 1,234" in words
    assert theirs.connection.account_name not in words
    passport = text_of(desk().get(f"/admin/integrations/connection/{ours.connection.pk}/change/").content.decode())
    assert "12 in the last minute (of 570), 1234 today" in passport
    ProviderBudget.objects.update(day=now.date() - dt.timedelta(days=1))
    assert "570 0" in text_of(desk().get(GOOGLE_SETTINGS).content.decode())


def test_how_often_books_are_read_is_left_to_their_vendor_or_chosen(desk, ours):
    page = "/admin/integrations/settings/quickbooks/"
    words = "every 30 min; every 3 h while QuickBooks tells of changes by itself"
    assert f'<option value="" selected>{words}</option>' in desk("admin").get(page).content.decode()
    for minutes, chosen in (("30", True), ("", False)):
        assert desk("admin").post(page, {"minutes": minutes})["Location"] == page
        row = WorkspaceIntegration.objects.get(workspace=ours.workspace, integration="quickbooks")
        assert (row.interval_minutes, row.interval_chosen) == (30, chosen)
        assert f'<option value="{minutes}" selected>' in desk("admin").get(page).content.decode()
    changed = AuditEntry.objects.filter(action="integration.schedule_changed").order_by("pk")
    assert [entry.after for entry in changed] == [{"interval_minutes": 30}, {"interval_minutes": None}]
    assert desk().post(GOOGLE_SETTINGS, {"minutes": ""}).status_code == 400
