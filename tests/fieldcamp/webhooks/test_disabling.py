"""An endpoint that fails for days: what is told when, and what becomes of what waits."""

import datetime as dt
import json

import pytest
from django.db import transaction
from django.utils import timezone

from fieldcamp.webhooks import disabling, outcomes, policy
from fieldcamp.webhooks.counters import locked_counter
from fieldcamp.webhooks.enabling import enable
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.workspace.models import AuditEntry
from integrations.transport.webhook_client import WebhookAnswer

State, Status = WebhookDelivery.State, WebhookEndpoint.Status
START = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
BAD, GOOD = WebhookAnswer(5, status=500, excerpt="boom"), WebhookAnswer(5, status=200)
pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(START, tick=False)

    def after(**delta: float) -> dt.datetime:
        time_machine.move_to(START + dt.timedelta(**delta), tick=False)
        return timezone.now()

    return after


@pytest.fixture
def owners(make_member):
    make_member(role="owner", email="olga@example.test")
    make_member(role="admin", email="adam@example.test")
    make_member(role="staff", email="stan@example.test")
    make_member(role="owner", email="away@example.test", is_active=False)


@pytest.fixture
def watch():
    return lambda: disabling.watch(timezone.now())


def answered(delivery: WebhookDelivery, answer: WebhookAnswer) -> None:
    now = timezone.now()
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state=State.SENDING, lease_owner="me", lease_until=now + policy.LEASE
    )
    assert outcomes.record(delivery, "me", answer, now, now)


def begins_to_fail(endpoint: WebhookEndpoint, make_delivery, waiting: int = 12) -> list[WebhookDelivery]:
    rows = [make_delivery(endpoint) for _ in range(waiting)]
    for delivery in rows[:5]:
        answered(delivery, BAD)
    return rows


@pytest.mark.slow
def test_three_mails_and_no_more(clock, owners, watch, make_endpoint, make_delivery, mailoutbox):
    endpoint, other = make_endpoint("https://hooks.example.com/x?token=hidden"), make_endpoint()
    rows = begins_to_fail(endpoint, make_delivery)
    told = []
    for hour in (0, 1, 2, 50, 95, 96, 97, 119, 120, 121, 143):
        clock(hours=hour, minutes=1)
        endpoint.refresh_from_db()
        if hour and endpoint.status == Status.FAILING:
            answered(rows[-1], BAD)
        for _ in range(2):
            watch()
        if len(mailoutbox) > len(told):
            told.append(hour)
    assert told == [1, 4 * 24, 5 * 24]
    assert len(mailoutbox) == 3
    for mail, words in zip(mailoutbox, ("failing for an hour", "will be disabled", "was disabled"), strict=True):
        assert mail.to == ["adam@example.test", "olga@example.test"]
        assert words in mail.subject and "hooks.example.com" in mail.subject
        assert "hidden" not in mail.body and f"/{endpoint.pk}/" in mail.body
        assert "The last answer was 500." in mail.body
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.disabled_reason) == (Status.DISABLED, "failing")
    states = set(WebhookDelivery.objects.filter(endpoint=endpoint).values_list("state", flat=True))
    assert states == {State.SKIPPED}
    assert WebhookEvent.objects.filter(type="webhook.disabled").count() == 1
    assert AuditEntry.objects.filter(action="webhook.disabled", object_id=endpoint.pk).count() == 1
    other.refresh_from_db()
    assert other.status == Status.ENABLED
    clock(days=7)
    watch()
    assert len(mailoutbox) == 3


def test_a_success_begins_anew(clock, owners, watch, make_endpoint, make_delivery, mailoutbox):
    endpoint = make_endpoint()
    rows = begins_to_fail(endpoint, make_delivery)
    clock(hours=2)
    watch()
    clock(days=4, hours=1)
    watch()
    assert len(mailoutbox) == 2
    answered(rows[-1], GOOD)
    clock(days=6)
    watch()
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.told, endpoint.disable_at) == (Status.ENABLED, [], None)
    assert len(mailoutbox) == 2


def test_few_events_disable_nothing(clock, owners, watch, make_endpoint, make_delivery, mailoutbox):
    endpoint = make_endpoint()
    begins_to_fail(endpoint, make_delivery, waiting=9)
    clock(hours=2)
    watch()
    clock(days=6)
    watch()
    endpoint.refresh_from_db()
    assert endpoint.status == Status.FAILING and len(mailoutbox) == 1
    make_delivery(endpoint)  # the tenth: a day's notice still
    watch()
    clock(days=6, hours=23)
    watch()
    endpoint.refresh_from_db()
    assert endpoint.status == Status.FAILING and len(mailoutbox) == 2
    clock(days=7, minutes=1)
    watch()
    endpoint.refresh_from_db()
    assert endpoint.status == Status.DISABLED and len(mailoutbox) == 3


def test_a_mail_that_cannot_be_sent_is_tried_again(
    clock, owners, watch, make_endpoint, make_delivery, mailoutbox, settings
):
    endpoint = make_endpoint()
    begins_to_fail(endpoint, make_delivery)
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "tests.fieldcamp.webhooks.broken_mail.Backend"
    clock(days=4, hours=1)
    watch()
    endpoint.refresh_from_db()
    assert (endpoint.told, endpoint.disable_at) == ([], None)
    settings.EMAIL_BACKEND = backend
    clock(days=5, hours=12)
    watch()
    endpoint.refresh_from_db()
    assert len(mailoutbox) == 2 and endpoint.disable_at == START + dt.timedelta(days=6, hours=12)


def test_enabled_again_it_is_told_of_again(clock, owners, watch, make_endpoint, make_delivery, mailoutbox):
    endpoint = make_endpoint()
    begins_to_fail(endpoint, make_delivery)
    for hours in (2, 97, 121):
        clock(hours=hours)
        watch()
    endpoint.refresh_from_db()
    enabled, missed = enable(endpoint, replay_missed=True)
    assert missed.queued == 12 and enabled.status == Status.ENABLED
    assert WebhookDelivery.objects.filter(endpoint=endpoint, state=State.PENDING).count() == 12
    for delivery in WebhookDelivery.objects.filter(endpoint=endpoint)[:5]:
        answered(delivery, BAD)
    clock(hours=123)
    watch()
    assert len(mailoutbox) == 4


def test_a_paused_one_is_left_alone(clock, owners, watch, make_endpoint, make_delivery, mailoutbox):
    endpoint = make_endpoint()
    begins_to_fail(endpoint, make_delivery)
    WebhookEndpoint.objects.update(status=Status.PAUSED)
    clock(days=9)
    watch()
    assert mailoutbox == []


def test_nobody_to_write_to(clock, watch, make_endpoint, make_delivery, mailoutbox):
    begins_to_fail(make_endpoint(), make_delivery)
    clock(hours=2)
    watch()
    assert mailoutbox == []


def test_the_others_are_not_told_what_stands_behind_the_question_mark(make_endpoint):
    endpoint = make_endpoint("https://receiver.example/hooks?token=hush-hush")
    with transaction.atomic():
        disabling.disable(endpoint, disabling.GONE, locked_counter(endpoint.workspace_id), timezone.now())
    body = bytes(WebhookEvent.objects.get(type="webhook.disabled").body)
    assert json.loads(body)["data"]["object"]["url"] == "https://receiver.example/hooks" and b"hush" not in body
