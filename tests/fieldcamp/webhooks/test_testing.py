"""Tests that somebody asks for: signed as all else, once, of no consequence but that a pending endpoint is enabled."""

import json
import threading

import pytest
import standardwebhooks
from django.utils import timezone

from fieldcamp.webhooks.errors import TooManyTests
from fieldcamp.webhooks.fan_out import fan_out
from fieldcamp.webhooks.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.testing import send_test
from tests.fieldcamp.webhooks.conftest import SECRET
from tests.fieldcamp.webhooks.receivers import receiving

Status = WebhookEndpoint.Status


@pytest.mark.django_db
class TestSendTest:
    @pytest.mark.parametrize("event_type", ["webhook.test", "visit.updated", "client.deleted", "invoice.paid"])
    def test_accepted(self, make_endpoint, event_type):
        with receiving((200, {}, b"thanks")) as receiver:
            endpoint = make_endpoint(receiver.url, status=Status.PENDING)
            outcome = send_test(endpoint, event_type)
        assert (outcome.delivered, outcome.status, outcome.excerpt, outcome.enabled) == (True, 200, "thanks", True)
        (got,) = receiver.got
        body = standardwebhooks.Webhook(SECRET).verify(got.body, got.headers)
        assert (body["id"], body["type"], body["test"]) == (outcome.event_id, event_type, True)
        endpoint.refresh_from_db()
        assert endpoint.status == Status.ENABLED
        delivery = WebhookDelivery.objects.get()
        assert (delivery.state, delivery.attempts, delivery.lease_owner) == ("delivered", 1, "")
        assert DeliveryAttempt.objects.get().status == 200

    @pytest.mark.parametrize("status", [Status.DISABLED, Status.PAUSED, Status.FAILING])
    def test_it_works_for_one_that_gets_nothing_else_and_changes_nothing(self, make_endpoint, status):
        with receiving() as receiver:
            endpoint = make_endpoint(receiver.url, status=status)
            outcome = send_test(endpoint)
        endpoint.refresh_from_db()
        assert (outcome.delivered, outcome.enabled, endpoint.status) == (True, False, status)

    def test_refused_is_not_tried_again_and_not_held_against_it(self, make_endpoint):
        with receiving((500, {}, b"no")) as receiver:
            endpoint = make_endpoint(receiver.url, status=Status.PENDING)
            outcome = send_test(endpoint)
        assert (outcome.delivered, outcome.status, outcome.enabled) == (False, 500, False)
        endpoint.refresh_from_db()
        assert (endpoint.status, endpoint.failures) == (Status.PENDING, 0)
        assert WebhookDelivery.objects.get().state == "failed"

    def test_nobody_else_gets_it(self, make_endpoint):
        with receiving() as receiver:
            send_test(make_endpoint(receiver.url))
            make_endpoint()
            fan_out()
        assert WebhookDelivery.objects.count() == 1
        assert WebhookEvent.objects.get().sequence is None

    def test_an_address_inside(self, make_endpoint, settings):
        endpoint = make_endpoint("https://127.0.0.1/")
        settings.WEBHOOK_ALLOW_PRIVATE = False
        outcome = send_test(endpoint)
        assert (outcome.delivered, outcome.error, outcome.excerpt) == (False, "BLOCKED_ADDRESS", "")

    def test_a_secret_that_cannot_be_read(self, make_endpoint):
        assert send_test(make_endpoint(secret="whsec_§")).error == "INTERNAL"  # noqa: S106


@pytest.mark.django_db(transaction=True)
def test_two_at_a_time_of_one_company(make_endpoint, second_workspace, in_parallel):
    release = threading.Event()

    def hang(got):
        release.wait(20)
        return 200, {}, b""

    with receiving(hang) as slow, receiving() as quick:
        endpoint = make_endpoint(slow.url)
        elsewhere = make_endpoint(quick.url, workspace=second_workspace)

        def one(number: int) -> bool:
            if number < 2:
                return send_test(endpoint).delivered
            slow.wait_for(2)
            try:
                with pytest.raises(TooManyTests):
                    send_test(make_endpoint(quick.url))
                return send_test(elsewhere).delivered
            finally:
                release.set()

        assert in_parallel(3, one) == [True, True, True]
    assert send_test_is_free_again(endpoint)


def send_test_is_free_again(endpoint: WebhookEndpoint) -> bool:
    busy = WebhookDelivery.objects.filter(endpoint=endpoint, lease_until__gt=timezone.now())
    return not busy.exists() and json.loads(bytes(WebhookEvent.objects.first().body))["test"]
