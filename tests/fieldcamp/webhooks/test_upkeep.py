"""What is deleted when, what is counted, and erasing people out of events."""

import datetime as dt
import json

import pytest
from django.utils import timezone

from fieldcamp.webhooks import retention
from fieldcamp.webhooks.erasing import erase_events
from fieldcamp.webhooks.fan_out import fan_out
from fieldcamp.webhooks.figures import figures
from fieldcamp.webhooks.models import (
    DeliveryAttempt,
    DeliveryTotal,
    EventCounter,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from fieldcamp.webhooks.sending import Sent
from fieldcamp.webhooks.totals import Totals
from fieldcamp.workspace.erasing import Words
from integrations.transport.webhook_client import WebhookAnswer

State, Status = WebhookDelivery.State, WebhookEndpoint.Status
pytestmark = pytest.mark.django_db


def test_what_goes_and_what_stays(make_endpoint, make_delivery, make_event, workspace, monkeypatch):
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    now = timezone.now()
    make_endpoint(created_at=now - dt.timedelta(days=400))

    def aged(days: int, state: str) -> WebhookDelivery:
        event = make_event()
        fan_out()
        then = now - dt.timedelta(days=days)
        WebhookEvent.objects.filter(pk=event.pk).update(created_at=then)
        row = WebhookDelivery.objects.get(event=event)
        ended = None if state == State.PENDING else then
        WebhookDelivery.objects.filter(pk=row.pk).update(state=state, finished_at=ended, created_at=then)
        DeliveryAttempt.objects.create(delivery=row, number=1, at=then, ms=1)
        return row

    gone = [aged(31, State.DELIVERED) for _ in range(3)] + [aged(91, State.FAILED), aged(91, State.SKIPPED)]
    gone.append(aged(91, State.PENDING))
    stays = [aged(29, State.DELIVERED), aged(31, State.FAILED), aged(31, State.PENDING), aged(89, State.SKIPPED)]
    unsent = make_event()
    WebhookEvent.objects.filter(pk=unsent.pk).update(created_at=now - dt.timedelta(days=99))
    counts = retention.prune(now)
    assert counts == {"delivered": 3, "undelivered": 2, "forgotten": 1, "events": 6, "webhooks": 0}
    assert set(WebhookDelivery.objects.values_list("pk", flat=True)) == {row.pk for row in stays}
    kept = {row.event_id for row in stays} | {unsent.pk}
    assert set(WebhookEvent.objects.values_list("pk", flat=True)) == kept
    assert DeliveryAttempt.objects.count() == 4
    assert not WebhookDelivery.objects.filter(pk__in=[row.pk for row in gone]).exists()
    # Up to here readers are told that something is missing: the newest old one has this number.
    assert EventCounter.objects.get(workspace=workspace).pruned_to == 10


def test_a_deleted_endpoint_goes_in_the_end(make_endpoint, make_delivery):
    endpoint = make_endpoint(deleted_at=timezone.now() - dt.timedelta(days=91))
    make_delivery(endpoint)
    assert retention.prune(timezone.now())["webhooks"] == 1
    assert not WebhookEndpoint.objects.exists() and not WebhookDelivery.objects.exists()


def test_figures_and_metrics(make_endpoint, make_delivery, make_event, client):
    totals = Totals()
    for answer in (WebhookAnswer(500, status=204), WebhookAnswer(1500, status=200), WebhookAnswer(9, error="TLS")):
        totals.add(Sent("", answer))
    totals.save()
    totals.add(Sent("", WebhookAnswer(1000, status=201)))
    totals.save()
    totals.save()
    assert DeliveryTotal.objects.get(pk="2xx").count == 3
    make_delivery(make_endpoint(), next_at=timezone.now() - dt.timedelta(minutes=3))
    for _ in range(2):
        make_delivery(make_endpoint(status=Status.FAILING))
    found = figures(timezone.now())
    assert found.pending == {"enabled": 1, "failing": 2}
    assert found.oldest_due.total_seconds() == pytest.approx(180, abs=5) and not found.is_late
    event = make_event()
    WebhookEvent.objects.filter(pk=event.pk).update(created_at=timezone.now() - dt.timedelta(minutes=5))
    assert figures(timezone.now()).is_late
    text = client.get("/metrics", headers={"host": "127.0.0.1:8000"}).content.decode()
    for line in (
        'webhook_deliveries_total{outcome="2xx"} 3.0', 'webhook_deliveries_total{outcome="tls"} 1.0',
        "webhook_delivery_seconds_count 4.0", "webhook_delivery_seconds_sum 3.009",
        'webhook_pending{state="failing"} 2.0', 'webhook_endpoints{state="enabled"} 1.0',
    ):  # fmt: skip
        assert line in text
    assert "webhook_oldest_pending_age_seconds 18" in text


def test_erasing(workspace, second_workspace, make_endpoint, make_event, make_delivery):
    since = timezone.now() - dt.timedelta(days=1)
    words = Words.of({"Ada Stone", 'Ada "Q" Stone'}, whole={"Ada"})
    mine = make_event("client.updated", "cli_01HZX2Q8YV3D1G0N3WJ2P7K9M1", previous={"email": "ada@x.test"})
    named = make_event("visit.created", "vis_2", actor="Ada Stone")
    told = make_event("item.created", "itm_1", actor='Ada "Q" Stone')
    first_name = make_event("item.created", "itm_2", actor="Ada")
    conflict = make_event("conflict.opened", previous={"record_id": "cli_01HZX2Q8YV3D1G0N3WJ2P7K9M1"})
    other = make_event("client.updated", "cli_2", workspace=second_workspace, actor="Ada Stone")
    untouched = make_event("client.updated", "cli_3", actor="Kim")
    fan_out()
    endpoint = make_endpoint(created_by="Ada Stone", description="hers: Ada Stone")
    for event, text in ((mine, "got ada"), (untouched, "Hello Ada Stone"), (untouched, "fine")):
        delivery = make_delivery(endpoint, event=event, replay_of=None if text != "fine" else delivery)  # noqa: F821
        DeliveryAttempt.objects.create(delivery=delivery, number=1, at=timezone.now(), ms=1, excerpt=text)
    before = {row.pk: bytes(row.body) for row in WebhookEvent.objects.all()}
    count = erase_events(workspace.pk, {"cli_01HZX2Q8YV3D1G0N3WJ2P7K9M1"}, words, since=since)
    after = {row.pk: bytes(row.body) for row in WebhookEvent.objects.all()}
    assert count == 5
    assert after[other.pk] == before[other.pk] and after[untouched.pk] == before[untouched.pk]
    body = json.loads(after[mine.pk])
    assert body["data"] == {"object": {"id": "cli_01HZX2Q8YV3D1G0N3WJ2P7K9M1", "erased": True}}
    assert (body["id"], body["sequence"]) == (mine.pk, WebhookEvent.objects.get(pk=mine.pk).sequence)
    assert json.loads(after[conflict.pk])["data"]["object"]["erased"]
    for event in (named, told, first_name):
        assert "Ada" not in json.loads(after[event.pk])["source"]["actor"]
    assert sorted(DeliveryAttempt.objects.values_list("excerpt", flat=True)) == ["", "", "fine"]
    endpoint.refresh_from_db()
    assert "Ada" not in endpoint.created_by + endpoint.description
