"""A failing endpoint: which of its deliveries is tried, and when; and answers that come from an address of before."""

import datetime as dt
import json

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from fieldcamp.api.scopes import SCOPES
from fieldcamp.webhooks import policy, sending, services
from fieldcamp.webhooks.checked_urls import CheckedUrl
from fieldcamp.webhooks.claiming import claim, due_endpoints
from fieldcamp.webhooks.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from fieldcamp.workspace.errors import InvalidTransition
from integrations.transport.webhook_client import WebhookAnswer

State, Status = WebhookDelivery.State, WebhookEndpoint.Status
START = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
ELSEWHERE = CheckedUrl("http://127.0.0.1:9/elsewhere")
pytestmark = pytest.mark.django_db


@pytest.fixture
def failing(make_endpoint, time_machine):
    time_machine.move_to(START, tick=False)
    return make_endpoint(status=Status.FAILING, failing_since=START, failures=5, probe_at=START)


@pytest.fixture
def answers(monkeypatch):
    """What receivers answer: a function of the record's id."""

    def answer(of) -> list[str]:
        sent: list[str] = []

        def post(_url, body, *_):
            sent.append(json.loads(body)["data"]["object"]["id"])
            return of(sent[-1])

        monkeypatch.setattr(sending, "post", post)
        return sent

    return answer


def queued(make_delivery, endpoint: WebhookEndpoint, *names: str) -> list[WebhookDelivery]:
    """A delivery for each of these records, one after the other."""
    times = [timezone.now() - dt.timedelta(seconds=len(names) - number) for number in range(len(names))]
    return [
        make_delivery(endpoint, record_id=name, next_at=at, created_at=at)
        for name, at in zip(names, times, strict=True)
    ]


def sent_now(endpoint: WebhookEndpoint) -> int:
    """Has all sent that may be, as often as it may; how many attempts that is, twenty at most."""
    for number in range(20):
        now = timezone.now()
        taken = claim(endpoint.pk, "me", now, 1) if due_endpoints(now).filter(pk=endpoint.pk).exists() else []
        if not taken:
            return number
        sending.deliver(taken[0], "me")
    return 20


def test_an_event_that_is_always_refused_holds_up_none(failing, make_delivery, answers, time_machine):
    queued(make_delivery, failing, "bad", "one", "two")
    sent = answers(lambda name: WebhookAnswer(5, status=500 if name == "bad" else 200))
    assert sent_now(failing) == 1
    time_machine.move_to(START + dt.timedelta(minutes=3), tick=False)
    assert sent_now(failing) == 3
    assert sent == ["bad", "one", "two", "bad"]  # the last one by its schedule again
    failing.refresh_from_db()
    assert (failing.status, failing.failures) == (Status.ENABLED, 1)
    assert WebhookDelivery.objects.get(event__record_id="bad").attempts == 1


def test_probes_go_round(failing, make_delivery, answers, time_machine):
    queued(make_delivery, failing, "one", "two", "three")
    sent = answers(lambda name: WebhookAnswer(5, status=500))
    for hour in range(5):
        time_machine.move_to(START + dt.timedelta(hours=2 * hour), tick=False)
        assert sent_now(failing) == 1
    assert sent == ["one", "two", "three", "one", "two"]


def test_what_failed_before_takes_its_place_again_when_it_begins_to_fail(make_endpoint, make_delivery, answers):
    endpoint, now = make_endpoint(failures=4), timezone.now()
    later = now + dt.timedelta(hours=10)
    first = make_delivery(endpoint, next_at=later, created_at=now - dt.timedelta(minutes=3), attempts=6)
    second = make_delivery(endpoint, created_at=now - dt.timedelta(minutes=2), next_at=now - dt.timedelta(minutes=2))
    third = make_delivery(endpoint, next_at=later, created_at=now - dt.timedelta(minutes=1), attempts=6)
    answers(lambda name: WebhookAnswer(5, status=500))
    assert claim(endpoint.pk, "me", now, 1) == [second.pk]
    sending.deliver(second.pk, "me")
    endpoint.refresh_from_db()
    assert endpoint.status == Status.FAILING
    order = endpoint.deliveries.order_by("next_at").values_list("pk", flat=True)
    assert list(order) == [first.pk, third.pk, second.pk]


@pytest.mark.parametrize("asked", ["0", "", "-1", "5"])
def test_a_probe_that_is_told_to_wait_is_not_made_again_at_once(failing, make_delivery, answers, asked):
    make_delivery(failing)
    answers(lambda name: WebhookAnswer(5, status=429, retry_after=asked))
    assert sent_now(failing) == 1
    failing.refresh_from_db()
    assert failing.probe_at >= START + dt.timedelta(minutes=1)
    assert failing.paced_until == START + policy.SHORTEST_PACE
    assert failing.failures == 5


def test_who_asks_to_wait_for_no_time_is_left_alone_for_a_little(make_endpoint, make_delivery, answers):
    endpoint = make_endpoint()
    for _ in range(5):
        make_delivery(endpoint)
    answers(lambda name: WebhookAnswer(5, status=429, retry_after="0"))
    assert sent_now(endpoint) == 1


def test_our_own_fault_is_not_met_again_at_once(failing, make_delivery, settings):
    rows = queued(make_delivery, failing, "one", "two")
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert sent_now(failing) == 1
    stored = WebhookEndpoint.objects.values("probe_at", "failures").get()
    assert stored == {"probe_at": START + sending.OWN_FAULT_PAUSE, "failures": 5}
    assert claim(failing.pk, "me", stored["probe_at"]) == [rows[1].pk]


class TestAnotherAddress:
    def moved_while_sent(self, monkeypatch, endpoint, delivery, answer, status=None) -> WebhookDelivery:
        """Changes the address while the delivery is on its way to the one of before."""

        def post(*_):
            services.change_endpoint(
                workspace=endpoint.workspace, endpoint_id=endpoint.pk, changes={"url": ELSEWHERE}, scopes=list(SCOPES)
            )
            if status:
                WebhookEndpoint.objects.update(status=status)
            return answer

        monkeypatch.setattr(sending, "post", post)
        assert claim(endpoint.pk, "me", timezone.now(), 1) == [delivery.pk]
        sending.deliver(delivery.pk, "me")
        endpoint.refresh_from_db()
        delivery.refresh_from_db()
        return delivery

    @pytest.mark.parametrize("status", [410, 429, 500])
    def test_is_not_judged_by_what_the_old_one_answers(self, make_endpoint, make_delivery, monkeypatch, status):
        endpoint = make_endpoint(failures=4)
        waiting = make_delivery(endpoint)
        delivery = self.moved_while_sent(monkeypatch, endpoint, waiting, WebhookAnswer(5, status=status))
        assert (endpoint.status, endpoint.disabled_reason) == (Status.PENDING, "url_changed")
        assert (endpoint.failures, endpoint.paced_until) == (0, None)
        assert (delivery.state, delivery.attempts, delivery.last_status) == (State.PENDING, 0, status)
        assert DeliveryAttempt.objects.get().status == status
        with pytest.raises(InvalidTransition):
            services.enable(endpoint, replay_missed=True)

    def test_that_was_tested_meanwhile_is_not_judged_either(self, make_endpoint, make_delivery, monkeypatch):
        endpoint = make_endpoint(failures=4)
        delivery = self.moved_while_sent(
            monkeypatch, endpoint, make_delivery(endpoint), WebhookAnswer(5, status=410), Status.ENABLED
        )
        assert (endpoint.status, endpoint.failures, delivery.state) == (Status.ENABLED, 0, State.PENDING)

    def test_is_not_proven_by_what_the_old_one_accepts(self, make_endpoint, make_delivery, monkeypatch):
        endpoint = make_endpoint()
        delivery = self.moved_while_sent(monkeypatch, endpoint, make_delivery(endpoint), WebhookAnswer(5, status=200))
        assert (endpoint.status, endpoint.last_delivered_at) == (Status.PENDING, None)
        assert delivery.state == State.DELIVERED

    def test_is_sent_nothing_that_was_taken_for_the_old_one(self, make_endpoint, make_delivery, workspace, answers):
        endpoint = make_endpoint()
        delivery = make_delivery(endpoint)
        sent = answers(lambda name: WebhookAnswer(5, status=200))
        assert claim(endpoint.pk, "me", timezone.now()) == [delivery.pk]
        services.change_endpoint(
            workspace=workspace, endpoint_id=endpoint.pk, changes={"url": ELSEWHERE}, scopes=list(SCOPES)
        )
        assert sending.deliver(delivery.pk, "me") is None
        delivery.refresh_from_db()
        assert (sent, delivery.state, delivery.lease_owner) == ([], State.PENDING, "")
