"""Mail servers that hang or refuse: deliveries go on, and other companies are told."""

import datetime as dt
import threading

import pytest
from django.utils import timezone

from fieldcamp.webhooks import disabling, mails, policy
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from fieldcamp.webhooks.sender import Sender
from tests.fieldcamp.webhooks.receivers import receiving

State, Status = WebhookDelivery.State, WebhookEndpoint.Status


@pytest.fixture
def failing(make_endpoint, make_member):
    """Makes endpoints that people are to be told of."""
    make_member(role="owner", email="olga@example.test")
    since = timezone.now() - 2 * policy.TELL_AFTER

    def make(count: int) -> list[WebhookEndpoint]:
        later = timezone.now() + dt.timedelta(hours=1)
        values = {"status": Status.FAILING, "failing_since": since, "failures": 9, "probe_at": later}
        return [make_endpoint(f"http://127.0.0.1:9/{number}", **values) for number in range(count)]

    return make


@pytest.mark.django_db(transaction=True)
def test_one_that_hangs_holds_up_no_delivery(failing, make_endpoint, make_event, make_delivery, monkeypatch):
    asked, release = threading.Event(), threading.Event()

    def hang(*_, **__):
        asked.set()
        release.wait(30)
        raise TimeoutError

    monkeypatch.setattr(mails, "send_mail", hang)
    failing(2)
    with receiving(lambda got: ({"/gone": 410}.get(got.path, 200), {}, b"")) as receiver:
        make_delivery(make_endpoint(receiver.url.replace("/hook", "/gone")))
        make_endpoint(receiver.url)
        sender = Sender(threads=1, slow_threads=1)
        running = threading.Thread(target=sender.run)
        running.start()
        try:
            assert asked.wait(20)
            receiver.wait_for(1)
            for count in (2, 3):
                make_event()
                sender.wake()
                receiver.wait_for(count)
            assert not release.is_set()
        finally:
            release.set()
            sender.stop()
            running.join(20)
            sender._watcher.join(20)
    assert not running.is_alive()


@pytest.mark.django_db
def test_after_one_that_is_refused_no_other_is_tried_and_the_next_round_begins_with_others(
    failing, monkeypatch, time_machine
):
    first, *others = failing(3)
    tried = []

    def send(name, endpoint):
        tried.append(endpoint.pk)
        return endpoint.pk != first.pk

    monkeypatch.setattr(mails, "send", send)
    WebhookEndpoint.objects.filter(pk=first.pk).update(updated_at=timezone.now() - dt.timedelta(days=1))
    disabling.watch(timezone.now())
    assert tried == [first.pk]
    disabling.watch(timezone.now())
    assert tried == [first.pk, *(each.pk for each in others), first.pk]
    told = dict(WebhookEndpoint.objects.values_list("pk", "told"))
    assert told == {first.pk: [], **{each.pk: ["failing"] for each in others}}


@pytest.mark.django_db
def test_one_that_is_away_keeps_nothing_from_being_disabled(failing, make_delivery, monkeypatch):
    first, second = failing(2)
    for _ in range(policy.FEWEST_UNDELIVERED):
        make_delivery(second)
    now = timezone.now()
    WebhookEndpoint.objects.filter(pk=second.pk).update(disable_at=now, told=["failing", "ending"], updated_at=now)
    monkeypatch.setattr(mails, "send", lambda *_: False)
    disabling.watch(now)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == (Status.FAILING, Status.DISABLED)
    assert first.told == [] and second.told == ["failing", "ending"]
    monkeypatch.setattr(mails, "send", lambda *_: True)
    disabling.watch(now)
    second.refresh_from_db()
    assert second.told == ["failing", "ending", "disabled"]
