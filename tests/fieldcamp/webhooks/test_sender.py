"""The process that sends: what it does on real threads and sockets, for whom first, and how it ends."""

import datetime as dt
import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.webhooks import policy, sender
from fieldcamp.webhooks.models import DeliveryTotal, WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.pace import Pace
from fieldcamp.webhooks.sender import Sender
from fieldcamp.workspace.models import Client
from tests.fieldcamp.webhooks.processes import environ
from tests.fieldcamp.webhooks.receivers import receiving

State, Status = WebhookDelivery.State, WebhookEndpoint.Status
pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def running(count: int = 1, **options: int) -> Iterator[list[Sender]]:
    """Senders in threads of this process; they end with the block."""
    senders = [Sender(**options) for _ in range(count)]

    def run(each: Sender) -> None:
        try:
            each.run()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(each,)) for each in senders]
    for thread in threads:
        thread.start()
    try:
        yield senders
    finally:
        for each in senders:
            each.stop()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()


def ids(receiver) -> Counter[str]:
    return Counter(json.loads(got.body)["id"] for got in receiver.got)


def test_from_the_change_to_the_receiver(workspace, make_endpoint):
    with receiving() as receiver, running():
        make_endpoint(receiver.url)
        client = Client.objects.create(workspace=workspace, first_name="Ada")
        body = json.loads(receiver.wait_for(1)[0].body)
    assert (body["type"], body["data"]["object"]["id"], body["sequence"]) == ("client.created", client.pk, 1)
    assert WebhookDelivery.objects.get().state == State.DELIVERED
    total = DeliveryTotal.objects.get()
    assert (total.outcome, total.count) == ("2xx", 1)


def test_an_idle_process_asks_one_query_a_second(make_endpoint, make_delivery):
    for _ in range(3):
        make_endpoint()
    make_delivery(make_endpoint(status=Status.FAILING, probe_at=timezone.now() + dt.timedelta(hours=1)))
    idle = Sender()
    idle.round()
    with CaptureQueriesContext(connection) as asked:
        assert idle.round() == sender.TICK
    assert len(asked) == 1


@pytest.mark.slow
def test_a_dead_endpoint_with_thousands_waiting_holds_up_nobody(workspace, make_endpoint, make_event):
    with receiving() as receiver:
        dead, good = make_endpoint("http://127.0.0.1:9/"), make_endpoint(receiver.url, max_per_second=100)
        event = make_event()
        WebhookEvent.objects.filter(pk=event.pk).update(fanned_out_at=timezone.now())
        rows = [
            WebhookDelivery(workspace=workspace, endpoint=dead, event=event, replay_of=None, next_at=timezone.now())
        ]
        WebhookDelivery.objects.bulk_create(rows)
        WebhookDelivery.objects.bulk_create(
            WebhookDelivery(workspace=workspace, endpoint=dead, event=event, replay_of=rows[0], next_at=timezone.now())
            for _ in range(3000)
        )
        with running():
            for number in range(20):
                make_event("client.created", f"cli_{number}")
            receiver.wait_for(20)
    dead.refresh_from_db()
    assert dead.status == Status.FAILING
    assert WebhookDelivery.objects.filter(endpoint=dead, attempts__gt=0).count() <= 6
    assert good.deliveries.filter(state=State.DELIVERED).count() == 20


@pytest.mark.slow
def test_slow_ones_leave_threads_for_the_others(make_endpoint, make_delivery):
    release = threading.Event()

    def hang(got):
        release.wait(20)
        return 200, {}, b""

    with receiving(hang) as slow, receiving() as quick:
        for _ in range(4):
            endpoint = make_endpoint(slow.url)
            for _ in range(3):
                make_delivery(endpoint)
        proven = make_endpoint(quick.url, last_delivered_at=timezone.now())
        with running(threads=4, slow_threads=3):
            slow.wait_for(3)
            for _ in range(4):
                make_delivery(proven)
            quick.wait_for(4)
            assert len(slow.got) == 3
            release.set()
            slow.wait_for(12)


@pytest.mark.slow
def test_two_senders_send_each_once_and_no_more_than_two_to_one_at_a_time(make_endpoint, make_event):
    now, most, lock = [0], [0], threading.Lock()

    def count(got):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.005)
        with lock:
            now[0] -= 1
        return 200, {}, b""

    with receiving(count) as receiver:
        make_endpoint(receiver.url, max_per_second=100)
        for number in range(40):
            make_event(record_id=f"vis_{number}")
        with running(2):
            receiver.wait_for(40)
    assert set(ids(receiver).values()) == {1} and len(ids(receiver)) == 40
    assert most[0] <= policy.IN_FLIGHT


@pytest.mark.slow
def test_of_one_record_in_order(make_endpoint, make_event):
    with receiving() as receiver:
        make_endpoint(receiver.url, max_per_second=100)
        for _ in range(15):
            make_event(record_id="vis_1")
        with running(2):
            receiver.wait_for(15)
    numbers = [json.loads(got.body)["sequence"] for got in receiver.got]
    assert numbers == sorted(numbers)


@pytest.mark.slow
def test_it_ends_although_a_receiver_hangs_and_the_delivery_is_free_again(make_endpoint, make_delivery, monkeypatch):
    monkeypatch.setattr(sender, "GRACE", 0.2)
    release = threading.Event()

    def hang(got):
        release.wait(20)
        return 200, {}, b""

    with receiving(hang) as receiver:
        delivery = make_delivery(make_endpoint(receiver.url))
        with running() as (one,):
            receiver.wait_for(1)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.lease_owner) == (State.PENDING, "")
        release.set()
        for worker in one._workers:
            worker.join(10)
    delivery.refresh_from_db()
    assert delivery.state == State.PENDING  # who has handed it back writes nothing more


class TestPace:
    def test_so_many_a_second(self, make_endpoint):
        clock = [100.0]
        pace, endpoint = Pace(lambda: clock[0]), make_endpoint(max_per_second=2)
        assert pace.allowed(endpoint) == 2
        pace.take(endpoint), pace.take(endpoint)
        assert pace.allowed(endpoint) == 0
        assert pace.soonest(1.0) == pytest.approx(0.5)
        clock[0] += 0.5
        assert pace.allowed(endpoint) == 1
        clock[0] += 60
        assert pace.allowed(endpoint) == 2

    def test_of_one_company_a_hundred(self, make_endpoint, second_workspace):
        clock = [100.0]
        pace = Pace(lambda: clock[0])
        one, two = make_endpoint(max_per_second=100), make_endpoint(max_per_second=100)
        other = make_endpoint(workspace=second_workspace, max_per_second=100)
        for _ in range(60):
            pace.take(one)
        assert (pace.allowed(one), pace.allowed(two), pace.allowed(other)) == (40, 40, 100)


STEPS = [
    "before the commit", "after the commit", "while handing out", "handed out", "claimed", "about to send", "sent",
    "while writing", "written",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step_nothing_is_lost_and_nothing_invented(workspace, make_endpoint, tmp_path, step):
    with receiving() as receiver:
        make_endpoint(receiver.url)
        for number in range(3):
            Client.objects.create(workspace=workspace, first_name=f"Client {number}")
        command = [sys.executable, "-m", "tests.fieldcamp.webhooks.dying", step]
        killed = subprocess.run(
            command, cwd=django_settings.BASE_DIR, env=environ(tmp_path), timeout=60, check=False, capture_output=True
        )
        assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
        sent_before = ids(receiver)
        # A minute later: what the dead one had taken is nobody's.
        WebhookDelivery.objects.filter(state=State.SENDING).update(lease_until=timezone.now())
        expected = 4 if step == "after the commit" else 3
        with running():
            deadline = time.monotonic() + 30
            while WebhookDelivery.objects.filter(state=State.DELIVERED).count() < expected:
                assert time.monotonic() < deadline
                time.sleep(0.05)
    known = set(WebhookEvent.objects.values_list("pk", flat=True))
    assert len(known) == expected
    assert set(ids(receiver)) == known
    assert set(sent_before) <= known
    twice = [count for count in ids(receiver).values() if count > 1]
    assert len(twice) <= (2 if step in ("sent", "while writing", "written") else 0)


@pytest.mark.slow
@pytest.mark.once
def test_the_command_alone_sends_and_ends_when_told_to(workspace, make_endpoint, tmp_path):
    with receiving() as receiver, (tmp_path / "log").open("wb") as log:
        make_endpoint(receiver.url)
        Client.objects.create(workspace=workspace, first_name="Ada")
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker", "--webhooks"],
            cwd=django_settings.BASE_DIR, env=environ(tmp_path), stdout=log, stderr=log,
        )  # fmt: skip
        try:
            receiver.wait_for(1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
        finally:
            process.kill()
            process.wait()
