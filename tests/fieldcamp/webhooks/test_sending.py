"""An attempt, and what follows from it for the delivery and its endpoint."""

import datetime as dt
import json

import pytest
import standardwebhooks
from django.utils import timezone
from structlog.testing import capture_logs

from fieldcamp.webhooks import claiming, disabling, policy, sending
from fieldcamp.webhooks.claiming import claim, due_endpoints, free_lost
from fieldcamp.webhooks.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from tests.fieldcamp.webhooks.conftest import SECRET
from tests.fieldcamp.webhooks.receivers import receiving

State, Status = WebhookDelivery.State, WebhookEndpoint.Status
pytestmark = pytest.mark.django_db


def attempt(delivery: WebhookDelivery) -> WebhookDelivery:
    """Has the delivery tried now, whenever it would be due."""
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state=State.SENDING, lease_owner="me", lease_until=timezone.now() + policy.LEASE
    )
    sending.deliver(delivery.pk, "me")
    delivery.refresh_from_db()
    delivery.endpoint.refresh_from_db()
    return delivery


def tries(delivery: WebhookDelivery) -> list[tuple[int, int | None, str]]:
    return list(DeliveryAttempt.objects.filter(delivery=delivery).values_list("number", "status", "error"))


def near(moment: dt.datetime | None, seconds: float) -> bool:
    assert moment is not None
    return abs((moment - timezone.now()).total_seconds() - seconds) < seconds * 0.11 + 2


def test_delivered(make_endpoint, make_delivery):
    with receiving() as receiver:
        delivery = attempt(make_delivery(make_endpoint(receiver.url)))
    assert (delivery.state, delivery.attempts, delivery.last_status) == (State.DELIVERED, 1, 200)
    assert delivery.finished_at and delivery.next_at is None and delivery.lease_owner == ""
    assert tries(delivery) == [(1, 200, "")]
    assert DeliveryAttempt.objects.get().excerpt == "fine"
    assert delivery.endpoint.last_delivered_at
    got = receiver.got[0]
    assert got.body == bytes(delivery.event.body)
    assert standardwebhooks.Webhook(SECRET).verify(got.body, got.headers)["id"] == delivery.event_id


def test_each_attempt_has_the_same_bytes_and_a_signature_of_its_own(make_endpoint, make_delivery, time_machine):
    start = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
    time_machine.move_to(start)
    with receiving((500, {}, b"")) as receiver:
        delivery = make_delivery(make_endpoint(receiver.url))
        attempt(delivery)
        time_machine.move_to(start + dt.timedelta(minutes=10))
        attempt(delivery)
        first, second = receiver.got
        assert first.body == second.body
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 600
        assert (first.headers["x-fieldcamp-attempt"], second.headers["x-fieldcamp-attempt"]) == ("1", "2")
        standardwebhooks.Webhook(SECRET).verify(second.body, second.headers)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 405, 413, 415, 422, 500, 502, 504])
def test_refused(make_endpoint, make_delivery, status):
    with receiving((status, {"Location": "http://127.0.0.1:1/"}, b"no")) as receiver:
        delivery = attempt(make_delivery(make_endpoint(receiver.url)))
    assert (delivery.state, delivery.attempts, delivery.last_status) == (State.PENDING, 1, status)
    assert near(delivery.next_at, 5)
    assert delivery.endpoint.failures == 1


def test_the_last_attempt_of_all(make_endpoint, make_delivery):
    with receiving((500, {}, b"")) as receiver:
        delivery = attempt(make_delivery(make_endpoint(receiver.url), attempts=9))
    assert (delivery.state, delivery.attempts, delivery.next_at) == (State.FAILED, 10, None)


def test_nobody_there(make_endpoint, make_delivery):
    delivery = attempt(make_delivery(make_endpoint("http://127.0.0.1:9/")))
    assert (delivery.state, delivery.last_status, delivery.last_error) == (State.PENDING, None, "CONNECT")


def test_an_address_that_has_moved_inside(make_endpoint, make_delivery, settings):
    with receiving() as receiver:
        delivery = make_delivery(make_endpoint(receiver.url.replace("http:", "https:")))
        settings.WEBHOOK_ALLOW_PRIVATE = False
        attempt(delivery)
    assert (delivery.last_error, receiver.got) == ("BLOCKED_ADDRESS", [])
    assert DeliveryAttempt.objects.get().excerpt == ""


def test_too_many_requests(make_endpoint, make_delivery):
    with receiving((429, {"Retry-After": "3600"}, b"")) as receiver:
        delivery = attempt(make_delivery(make_endpoint(receiver.url)))
    endpoint = delivery.endpoint
    assert endpoint.failures == 0 and endpoint.failing_since is None
    assert near(delivery.next_at, 3600) and near(endpoint.paced_until, 3600)
    other = make_delivery(endpoint)
    assert not due_endpoints(timezone.now()).exists()
    assert claim(endpoint.pk, "me", timezone.now()) == []
    assert claim(endpoint.pk, "me", timezone.now() + dt.timedelta(hours=2)) == [other.pk, delivery.pk]


def test_unavailable_for_a_while(make_endpoint, make_delivery):
    with receiving((503, {"Retry-After": "600"}, b"")) as receiver:
        delivery = attempt(make_delivery(make_endpoint(receiver.url)))
    assert delivery.endpoint.failures == 1
    assert near(delivery.next_at, 600) and near(delivery.endpoint.paced_until, 600)


def test_gone(make_endpoint, make_delivery, make_member, mailoutbox):
    make_member(role="owner")
    with receiving((410, {}, b"")) as receiver:
        endpoint = make_endpoint(receiver.url)
        waiting = make_delivery(endpoint)
        delivery = attempt(make_delivery(endpoint))
    waiting.refresh_from_db()
    assert (delivery.state, waiting.state) == (State.SKIPPED, State.SKIPPED)
    assert (delivery.endpoint.status, delivery.endpoint.disabled_reason) == (Status.DISABLED, "gone")
    assert mailoutbox == []  # not by the thread that sends: a mail server may hang
    disabling.watch(timezone.now())
    assert len(mailoutbox) == 1
    assert "410" in mailoutbox[0].body


def test_our_own_fault_is_not_the_endpoints(make_endpoint, make_delivery, settings):
    delivery = make_delivery(make_endpoint(secret="whsec_§"))  # noqa: S106
    with capture_logs() as logs:
        attempt(delivery)
    assert (delivery.state, delivery.attempts, delivery.endpoint.failures) == (State.PENDING, 0, 0)
    assert near(delivery.next_at, 300)
    assert tries(delivery) == []
    assert "whsec" not in repr(logs)


def test_a_secret_whose_key_is_lost(make_endpoint, make_delivery, settings):
    from cryptography.fernet import Fernet

    delivery = make_delivery(make_endpoint())
    good = settings.TOKEN_ENCRYPTION_KEYS
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state=State.SENDING, lease_owner="me", lease_until=timezone.now() + policy.LEASE
    )
    assert sending.deliver(delivery.pk, "me") is None
    settings.TOKEN_ENCRYPTION_KEYS = good
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (State.PENDING, 0)


class TestLease:
    def test_who_has_lost_it_writes_nothing(self, make_endpoint, make_delivery):
        stolen = []

        def steal(got):
            WebhookDelivery.objects.update(lease_owner="other")
            stolen.append(got)
            return 200, {}, b""

        delivery = make_delivery(make_endpoint())
        endpoint = delivery.endpoint
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            state=State.SENDING, lease_owner="me", lease_until=timezone.now() + policy.LEASE
        )

        def answered(*_):
            steal(None)
            return sending.WebhookAnswer(3, status=200)

        original = sending.send
        sending.send = answered
        try:
            assert sending.deliver(delivery.pk, "me").state == ""
        finally:
            sending.send = original
        delivery.refresh_from_db()
        endpoint.refresh_from_db()
        assert (delivery.state, delivery.lease_owner) == (State.SENDING, "other")
        assert tries(delivery) == [] and endpoint.last_delivered_at is None

    def test_what_a_dead_one_had_is_sent_again(self, make_endpoint, make_delivery):
        delivery = make_delivery(make_endpoint())
        now = timezone.now()
        assert claim(delivery.endpoint_id, "dead", now) == [delivery.pk]
        assert free_lost(now + dt.timedelta(seconds=59)) == 0
        assert free_lost(now + dt.timedelta(seconds=61)) == 1
        assert sending.deliver(delivery.pk, "dead") is None
        assert claim(delivery.endpoint_id, "next", now + dt.timedelta(seconds=61)) == [delivery.pk]

    def test_of_a_disabled_endpoint_it_is_skipped_and_a_test_has_failed(self, make_endpoint, make_delivery, make_event):
        now = timezone.now()
        held = {"state": State.SENDING, "lease_owner": "dead", "lease_until": now}
        over = make_delivery(make_endpoint(status=Status.DISABLED), **held)
        test = make_delivery(make_endpoint(), **held)
        WebhookEvent.objects.filter(pk=test.event_id).update(is_test=True)
        assert free_lost(now) == 2
        over.refresh_from_db(), test.refresh_from_db()
        assert (over.state, test.state) == (State.SKIPPED, State.FAILED)


class TestClaiming:
    def test_two_at_once_the_oldest_first(self, make_endpoint, make_delivery):
        endpoint = make_endpoint()
        rows = [make_delivery(endpoint) for _ in range(4)]
        now = timezone.now()
        assert claim(endpoint.pk, "me", now) == [rows[0].pk, rows[1].pk]
        assert claim(endpoint.pk, "you", now) == []

    def test_of_one_record_one_at_a_time_and_a_failed_one_holds_up_none(self, make_endpoint, make_delivery):
        endpoint = make_endpoint()
        first, second = (make_delivery(endpoint, record_id="vis_1") for _ in range(2))
        other = make_delivery(endpoint, record_id="vis_2")
        now = timezone.now()
        assert claim(endpoint.pk, "me", now) == [first.pk, other.pk]
        WebhookDelivery.objects.filter(pk=other.pk).update(state=State.DELIVERED)
        assert claim(endpoint.pk, "me", now) == []
        WebhookDelivery.objects.filter(pk=first.pk).update(state=State.PENDING, next_at=now + dt.timedelta(minutes=5))
        assert claim(endpoint.pk, "me", now) == [second.pk]

    def test_of_no_record_in_particular(self, make_endpoint, make_delivery):
        endpoint = make_endpoint()
        rows = [make_delivery(endpoint, record_id="") for _ in range(2)]
        WebhookEvent.objects.update(record_id="")
        assert claim(endpoint.pk, "me", timezone.now()) == [row.pk for row in rows]

    @pytest.mark.parametrize("status", [Status.PENDING, Status.PAUSED, Status.DISABLED])
    def test_nothing_for_who_gets_nothing(self, make_endpoint, make_delivery, status):
        endpoint = make_endpoint(status=status)
        make_delivery(endpoint)
        assert claim(endpoint.pk, "me", timezone.now()) == []
        assert not due_endpoints(timezone.now()).exists()

    def test_nothing_for_a_deleted_one(self, make_endpoint, make_delivery):
        endpoint = make_endpoint(deleted_at=timezone.now())
        make_delivery(endpoint)
        assert claim(endpoint.pk, "me", timezone.now()) == []
        assert not due_endpoints(timezone.now()).exists()

    def test_what_is_not_due(self, make_endpoint, make_delivery):
        endpoint = make_endpoint()
        make_delivery(endpoint, next_at=timezone.now() + dt.timedelta(seconds=5))
        assert claim(endpoint.pk, "me", timezone.now()) == []
        assert not due_endpoints(timezone.now()).exists()
        assert due_endpoints(timezone.now() + dt.timedelta(seconds=6)).exists()

    def test_behind_many_of_one_record_others_wait_for_a_look(self, make_endpoint, make_delivery, monkeypatch):
        endpoint = make_endpoint()
        monkeypatch.setattr(claiming, "_LOOKED_AT", 3)
        rows = [make_delivery(endpoint, record_id="vis_1") for _ in range(3)]
        assert claim(endpoint.pk, "me", timezone.now()) == [rows[0].pk]


class TestBreaker:
    @pytest.mark.slow
    def test_five_in_a_row_then_probes_that_cost_nothing_then_all_goes_on(self, make_endpoint, make_delivery):
        answers = [500]
        with receiving(lambda got: (answers[0], {}, b"")) as receiver:
            endpoint = make_endpoint(receiver.url)
            rows = [make_delivery(endpoint) for _ in range(6)]
            for delivery in rows[:5]:
                attempt(delivery)
            endpoint.refresh_from_db()
            assert (endpoint.status, endpoint.failures, endpoint.probes) == (Status.FAILING, 5, 0)
            assert near(endpoint.probe_at, 60)
            now = timezone.now()
            assert not due_endpoints(now).exists() and claim(endpoint.pk, "me", now) == []
            later = now + dt.timedelta(seconds=70)
            assert due_endpoints(later).exists()
            (probe,) = claim(endpoint.pk, "me", later)
            assert probe == rows[0].pk  # the oldest, although its schedule says later
            assert claim(endpoint.pk, "you", later) == []
            WebhookDelivery.objects.filter(pk=probe).update(state=State.PENDING)
            attempt(rows[5])
            attempt(rows[5])
            assert (rows[5].state, rows[5].attempts) == (State.PENDING, 0)
            assert [number for number, *_ in tries(rows[5])] == [1, 2]
            endpoint.refresh_from_db()
            assert endpoint.probes == 2 and near(endpoint.probe_at, 240)
            answers[0] = 200
            assert attempt(rows[5]).state == State.DELIVERED
        endpoint.refresh_from_db()
        assert (endpoint.status, endpoint.failures, endpoint.failing_since) == (Status.ENABLED, 0, None)
        assert len(claim(endpoint.pk, "me", timezone.now())) == 2  # without waiting for their schedule

    def test_a_success_in_between_begins_anew(self, make_endpoint, make_delivery):
        answers = [500]
        with receiving(lambda got: (answers[0], {}, b"")) as receiver:
            endpoint = make_endpoint(receiver.url)
            for answer in (500, 500, 500, 500, 200, 500):
                answers[0] = answer
                attempt(make_delivery(endpoint))
        endpoint.refresh_from_db()
        assert (endpoint.status, endpoint.failures) == (Status.ENABLED, 1)

    def test_one_that_was_paused_meanwhile_stays_so(self, make_endpoint, make_delivery):
        with receiving((500, {}, b"")) as receiver:
            endpoint = make_endpoint(receiver.url, status=Status.PAUSED, failures=7)
            attempt(make_delivery(endpoint))
        endpoint.refresh_from_db()
        assert endpoint.status == Status.PAUSED


def test_no_word_of_the_secret_or_the_body_in_the_log(make_endpoint, make_delivery, make_event):
    event = make_event("client.updated", "cli_1", previous={"email": "ada@example.test"})
    with receiving((500, {}, b"boom")) as receiver, capture_logs() as logs:
        attempt(make_delivery(make_endpoint(f"{receiver.url}?token=hidden"), event=event))
    assert not any(word in json.dumps(logs, default=str) for word in ("whsec", "hidden", "ada@", "boom", SECRET[6:]))
