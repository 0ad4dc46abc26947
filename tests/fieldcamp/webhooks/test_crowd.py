"""Many writers at once, and transactions that end late: every event is handed out, once."""

import datetime as dt
import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from fieldcamp.webhooks import erasing
from fieldcamp.webhooks.fan_out import fan_out
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEvent
from fieldcamp.workspace.erasing import Words

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("NOT RUN: needs PostgreSQL, where transactions overlap")


@pytest.mark.slow
def test_two_hundred_writers_of_whom_some_end_late(postgresql, make_endpoint, make_event, in_parallel):
    make_endpoint()
    writers, done = 200, threading.Event()
    gate = threading.Semaphore(40)  # connections at once
    late = threading.Barrier(20)

    def write(number: int) -> None:
        if number >= writers:
            while not done.is_set():
                fan_out()
            return
        with gate, transaction.atomic():
            make_event(record_id=f"vis_{number}")
            if number < 20:
                # Holds its transaction open until the twenty of them have written, whatever is handed out meanwhile.
                late.wait(30)

    def run(number: int) -> None:
        try:
            write(number)
        finally:
            with lock:
                left[0] -= number < writers
                if not left[0]:
                    done.set()

    lock, left = threading.Lock(), [writers]
    in_parallel(writers + 2, run)
    while fan_out():
        pass
    assert WebhookEvent.objects.count() == writers
    assert sorted(WebhookEvent.objects.values_list("sequence", flat=True)) == list(range(1, writers + 1))
    assert WebhookDelivery.objects.values("event").distinct().count() == WebhookDelivery.objects.count() == writers


def test_one_that_is_committed_late_is_handed_out_late(postgresql, make_endpoint, make_event, in_parallel):
    make_endpoint()
    written, handed_out = threading.Event(), threading.Event()

    def work(number: int) -> None:
        if number == 0:
            with transaction.atomic():
                make_event(record_id="vis_late")
                written.set()
                assert handed_out.wait(20)
        else:
            assert written.wait(20)
            make_event(record_id="vis_early")
            fan_out()
            assert list(WebhookEvent.objects.values_list("record_id", "sequence")) == [("vis_early", 1)]
            handed_out.set()

    in_parallel(2, work)
    fan_out()
    assert dict(WebhookEvent.objects.values_list("record_id", "sequence")) == {"vis_early": 1, "vis_late": 2}
    assert WebhookDelivery.objects.count() == 2


def test_erasing_and_numbering_put_nothing_back(postgresql, make_endpoint, make_event, workspace, monkeypatch):
    make_endpoint()
    since = timezone.now() - dt.timedelta(days=1)
    make_event()
    assert fan_out()  # the company has a counter
    event = make_event("client.updated", "cli_1", actor="Maria Secret")
    found = []

    def meanwhile() -> None:
        try:
            found.append(fan_out())
        finally:
            connection.close()

    def without(*args):
        hander = threading.Thread(target=meanwhile)
        hander.start()
        hander.join()
        return real(*args)

    real = erasing._without
    monkeypatch.setattr(erasing, "_without", without)
    with transaction.atomic():
        assert erasing.erase_events(workspace.pk, {"cli_1"}, Words.of({"Maria Secret"}), since=since) == 1
    assert found == [False] and fan_out()
    event.refresh_from_db()
    body = bytes(event.body)
    assert event.sequence == 2 and b'"sequence":2,' in body and b"Maria" not in body
