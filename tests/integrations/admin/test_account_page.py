"""An account's page in sentences, and the ways from a list's row to what it names."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.webhooks.models import WebhookEvent
from fieldcamp.workspace.models import Client
from integrations.models import Connection, OAuthGrant, Problem, Stream
from tests.integrations.admin.conftest import company, pages_of
from tests.integrations.admin.test_ids import ids_in
from tests.integrations.admin.test_today import NOW  # a moment, nothing of its fixtures

pytestmark = pytest.mark.django_db


def told(browser, rows) -> str:
    return " ".join(browser.get(pages_of(rows)["connection"]).content.decode().split())


def test_an_account_says_how_it_stands_what_is_synced_and_how_long_it_lasts(desk, ours):
    Problem.objects.filter(workspace=ours.workspace).delete()
    mine = Stream.objects.filter(connection=ours.connection)
    mine.update(container_name="Main <calendar>", is_target=True, is_active=True, reads_busy=True, direction="two_way",
                policy="ask")  # fmt: skip
    Stream.objects.create(connection=ours.connection, container_id="f", container_name="Family", reads_busy=True)
    now = timezone.now()
    Connection.objects.filter(pk=ours.connection.pk).update(
        connected_at=dt.datetime(2026, 11, 3, 15, tzinfo=dt.UTC), last_synced_at=now, connected_by=None
    )
    OAuthGrant.objects.filter(connection=ours.connection).update(refresh_expires_at=None)
    html = told(desk(), ours)
    assert "Tech of Ours&#x27;s Google Calendar</h2>" in html
    assert "Visits go to “Main &lt;calendar&gt;”, both ways: what is moved there moves here." in html
    assert "Busy time is read from “Main &lt;calendar&gt;”, “Family”; of it only when, never what." in html
    assert "If both sides changed the same: you are asked." in html
    assert "Connected on 3 Nov 2026." in html and "Renews itself; Google Calendar gave no end." in html
    assert html.count("fc-day fc-day-") == 30
    assert f"/connections/{ours.connection.pk}/settings/" in html
    assert 'id="change-synced"' not in told(desk("viewer"), ours)

    mine.update(direction="push")
    ends = dt.datetime(2027, 3, 7, 15, tzinfo=dt.UTC)
    OAuthGrant.objects.filter(connection=ours.connection).update(refresh_expires_at=ends, granted_at=NOW)
    html = told(desk(), ours)
    assert "What is changed there is not taken over." in html and "If both sides changed" not in html
    assert "Renews itself; reconnect by 7 Mar 2027 if it is not used." in html
    OAuthGrant.objects.filter(connection=ours.connection).update(granted_at=ends - dt.timedelta(days=7))
    assert "Ends on 7 Mar 2027: reconnect before." in told(desk(), ours)

    Connection.objects.filter(pk=ours.connection.pk).update(state="setup")
    Stream.objects.filter(connection=ours.connection).delete()
    html = told(desk(), ours)
    assert "Nothing yet: it has not been chosen." in html and "In step" not in html


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "In step"),
        ({"state": "paused"}, "Paused"),
        ({"state": "needs_reconnect"}, "Needs reconnect"),
        ({"last_synced_at": None}, "Not synced yet"),
        ({"asks": True}, "Needs you"),
    ],
)
@pytest.mark.slow
def test_in_step_is_said_of_nothing_else(fields, word, desk, ours):
    asks = fields.pop("asks", False) if (fields := dict(fields)) else False
    if not asks:
        Problem.objects.filter(workspace=ours.workspace).delete()
    values = {"state": "active", "last_synced_at": timezone.now(), "connected_at": timezone.now()} | fields
    Connection.objects.filter(pk=ours.connection.pk).update(**values)
    html = told(desk(), ours)
    assert f">{word}</span>" in html
    assert word == "In step" or ">In step</span>" not in html


def test_a_problems_row_leads_to_its_record_its_account_and_its_sync(desk, ours):
    other = company("Somebody else's")
    problem = Problem.objects.filter(workspace=ours.workspace).first()
    Problem.objects.filter(pk=problem.pk).update(
        record_kind="visit", record_id=ours.visit.pk, occurred_at=timezone.now() + dt.timedelta(minutes=1)
    )
    html = desk("viewer").get("/admin/integrations/problem/").content.decode()
    for address in (pages_of(ours)["visit"], pages_of(ours)["connection"], pages_of(ours)["job"]):
        assert f'href="{address}"' in html, address
    assert other.job.pk not in html


def test_events_name_their_records_and_no_page_of_theirs_has_an_id(desk, ours):
    other = company("Theirs alone")
    rows = [("client.updated", ours.client.pk), ("client.deleted", other.client.pk), ("visit.updated", "vis_gone"),
            ("sync.completed", ours.job.pk), ("webhook.disabled", ours.webhook.pk)]  # fmt: skip
    for name, record in rows:
        WebhookEvent.objects.create(
            workspace=ours.workspace, type=name, record_id=record, source="api", body=b'{"source":{"job_id":"syn_x"}}'
        )
    parent = Client.objects.create(workspace=ours.workspace, company_name="Parent")
    Client.objects.filter(pk=ours.client.pk).update(parent=parent)
    html = desk("viewer").get("/admin/webhooks/webhookevent/").content.decode()
    assert "Parent: Client of Ours</a>" in html and "not there any more" in html
    assert other.client.company_name not in html
    assert set(ids_in(html)) <= {ours.workspace.pk}  # in the name of the login
    for name in ("event", "delivery"):  # what was recorded and sent stands beneath, as programs get it
        head = desk().get(pages_of(ours)[name]).content.decode().split(f'id="{name}-title"')[1].split("</section>")[0]
        assert ids_in(head) == [] and "Details for support" in head, name
