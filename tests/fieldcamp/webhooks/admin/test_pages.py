"""What the pages of webhooks say: how an endpoint does, its log, what was sent and answered."""

import datetime as dt
import json

import pytest
from django.utils import timezone

from fieldcamp.webhooks import monitoring
from fieldcamp.webhooks.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from tests.fieldcamp.webhooks.admin.conftest import DELIVERIES, ENDPOINTS, EVENTS, text_of
from tests.integrations.admin.conftest import WEBHOOK_CANARY, pages_of

MINUTE = dt.timedelta(minutes=1)


def change(endpoint, **fields) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**fields)


def add(company, **fields) -> WebhookDelivery:
    """One more delivery, of an event of its own."""
    event = WebhookEvent.objects.create(
        workspace=company.workspace, type=fields.pop("type", "visit.created"), body=b"{}",
        record_id=fields.pop("record", ""), source="api",
    )  # fmt: skip
    return WebhookDelivery.objects.create(
        workspace=company.workspace, endpoint=company.webhook, event=event, **{"state": "pending"} | fields
    )


def test_the_list_tells_a_day_in_numbers(desk, ours):
    add(ours, state="failed", attempts=10)
    add(ours)
    add(ours, state="delivered", created_at=timezone.now() - dt.timedelta(days=2))
    shown = text_of(desk("viewer").get(ENDPOINTS))
    assert "1 delivered · 1 failed · 1 wait" in shown
    assert "visit.*" in shown and "Enabled" in shown and "14.0 s" in shown


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"last_delivered_at": None}, "Enabled: events are sent within seconds. 2 events wait, none is lost."),
        ({"status": "paused"}, "Paused: events are kept and sent when it goes on. 2 events wait, none is lost."),
        ({"status": "pending"}, "Nothing is sent here yet: send a test."),
        ({"status": "disabled", "disabled_reason": "gone"}, "your server answered 410 Gone."),
    ],
)
def test_the_state_is_a_sentence(fields, said, desk, ours, page):
    add(ours), add(ours)
    change(ours.webhook, **fields)
    assert said in text_of(desk("viewer").get(page()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "error", "why"),
    [
        (500, "", "your server answers 500."),
        (404, "", "your server answers 404. Next try 14:40. There is nothing at this address: see whether the path"),
        (302, "", "your server answers 302. Next try 14:40. It answers with a redirect: enter the final address."),
        (None, "TIMEOUT", "your server did not answer in time."),
    ],
)
def test_a_failing_endpoint_says_since_when_why_and_what_comes_next(status, error, why, desk, ours, page, time_machine):
    time_machine.move_to(dt.datetime(2026, 11, 24, 19, 30, tzinfo=dt.UTC))  # 14:30 in New York
    since, probe = (dt.datetime(2026, 11, 24, 19, minute, tzinfo=dt.UTC) for minute in (2, 40))
    change(ours.webhook, status="failing", failing_since=since, probe_at=probe)
    add(ours, attempts=3, last_status=status, last_error=error), add(ours)
    shown = text_of(desk().get(page()))
    assert f"Failing since 14:02: {why}" in shown
    assert "Next try 14:40." in shown and "2 events wait, none is lost." in shown
    banner = text_of(desk("viewer").get("/admin/"))
    assert f"Failing since 14:02: {why}" in banner


def test_no_banner_while_all_is_well(desk, ours):
    assert "A webhook needs somebody" not in desk().get("/admin/").content.decode()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"visit.updated", "visit.created", "client.created"}),
        ("state=failed", {"visit.created"}),
        ("type=client.created", {"client.created"}),
        ("record=cli_1", {"client.created"}),
        ("record=cli_1&state=failed", set()),
        ("state=x&type=y&before=z", {"visit.updated", "visit.created", "client.created"}),
    ],
)
def test_the_log_is_filtered(query, found, desk, ours, page):
    add(ours, state="failed")
    add(ours, type="client.created", record="cli_1")
    html = desk("viewer").get(f"{page()}?{query}").content.decode().partition("<tbody>")[2]
    assert {name for name in ("visit.updated", "visit.created", "client.created") if f">{name}</a>" in html} == found


def test_the_log_is_paged_without_gaps(desk, ours, page, monkeypatch):
    monkeypatch.setattr(monitoring, "PAGE", 2)
    now = timezone.now()
    same = [add(ours, created_at=now).pk for _ in range(5)]
    browser, seen, address = desk(), [], page()
    while address:
        response = browser.get(address)
        seen += [row["delivery"].pk for row in response.context["log"]]
        address = f"{page()}?{response.context['older']}" if response.context["older"] else ""
    assert sorted(seen) == sorted([*same, ours.delivery.pk]) and len(seen) == 6


def test_a_delivery_shows_what_was_sent_and_answered(desk, ours):
    response = desk().get(pages_of(ours)["delivery"])
    shown = text_of(response)
    assert "Answered 500 after 0.08 s of 15" in shown
    assert "Answered 204 after 14.0 s of 15" in shown and "That was close" in shown
    assert "&lt;b&gt;No room&lt;/b&gt;" in response.content.decode()
    assert "Ring twice" in shown and f"{len(bytes(ours.event.body))} bytes" in shown
    assert f"/admin/integrations/syncjob/{ours.job.pk}/change/" in response.content.decode()


def test_what_a_private_server_answered_is_shown_to_nobody(desk, ours):
    DeliveryAttempt.objects.update(error="BLOCKED_ADDRESS", excerpt="root:x:0:0")
    assert "root:x" not in desk().get(pages_of(ours)["delivery"]).content.decode()


@pytest.mark.slow
def test_the_records_page_says_how_many_were_told(desk, ours):
    shown = desk("viewer").get(pages_of(ours)["visit"]).content.decode()
    assert f'<a href="{EVENTS}?q={ours.visit.pk}">Sent to 1 webhook</a>' in shown
    log = desk("viewer").get(f"{EVENTS}?q={ours.visit.pk}").content.decode()
    assert f"{DELIVERIES}{ours.delivery.pk}/change/" in log
    WebhookDelivery.objects.update(state="failed")
    assert "Sent to" not in text_of(desk("viewer").get(pages_of(ours)["visit"]))


def test_events_tell_where_they_came_from(desk, ours):
    add(ours)
    WebhookEvent.objects.filter(type="visit.created").update(
        body=json.dumps({"source": {"kind": "api", "actor": "<i>Zapier</i>", "job_id": None}}).encode()
    )
    html = desk("viewer").get(EVENTS).content.decode()
    assert f"/admin/integrations/syncjob/{ours.job.pk}/change/" in html
    assert "A program, over the API: &lt;i&gt;Zapier&lt;/i&gt;" in html


@pytest.mark.slow
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b'{"source":[1]}', b'{"source":{"job_id":{"a":1}}}', b'{"source":'])
def test_a_body_that_cannot_be_read_breaks_no_page(body, desk, ours):
    WebhookEvent.objects.update(body=body)
    for address in (EVENTS, pages_of(ours)["event"], pages_of(ours)["delivery"]):
        assert desk().get(address).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("query", ["record=%00", "before=%00", "record=" + "x" * 5000, "type=%F0%9F%98%80"])
def test_a_hostile_query_breaks_no_page(query, desk, page):
    assert desk().get(f"{page()}?{query}").status_code in (200, 404)


@pytest.mark.slow
def test_the_pages_come_up_without_the_key_of_the_secrets(desk, ours, page, settings):
    settings.TOKEN_ENCRYPTION_KEYS = ["QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="]
    for address in (ENDPOINTS, page(), EVENTS, "/admin/"):
        assert desk().get(address).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("role", ["viewer", "owner"])
def test_neither_the_secret_nor_what_is_behind_the_question_mark_is_shown(role, desk, ours):
    named = ("webhook", "webhook secret", "enable webhook", "delete webhook", "delivery", "event", "visit")
    pages = {name: pages_of(ours)[name] for name in named}
    for name, address in {**pages, "list": ENDPOINTS, "events": EVENTS, "dashboard": "/admin/"}.items():
        html = desk(role).get(address).content.decode()
        assert WEBHOOK_CANARY not in html and "key=canary" not in html, name


def test_the_whole_address_is_for_those_who_may_change_it(desk, ours):
    assert "key=canary" in desk().get(pages_of(ours)["webhook form"]).content.decode()
