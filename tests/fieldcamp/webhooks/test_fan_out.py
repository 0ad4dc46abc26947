"""Events are numbered and queued, each once, for who wants them and nobody else."""

import json

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from fieldcamp.webhooks import fan_out as module
from fieldcamp.webhooks.counters import locked_counter
from fieldcamp.webhooks.disabling import disable
from fieldcamp.webhooks.fan_out import fan_out
from fieldcamp.webhooks.models import EventCounter, WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.recording import new_event, record_events

Status = WebhookEndpoint.Status


def types_for(endpoint: WebhookEndpoint) -> list[str]:
    return list(
        WebhookDelivery.objects.filter(endpoint=endpoint).order_by("next_at").values_list("event__type", flat=True)
    )


@pytest.mark.django_db
class TestFanOut:
    def test_numbers_and_final_bytes(self, make_event, second_workspace):
        events = [make_event("visit.created", f"vis_{each}") for each in range(3)]
        other = make_event(workspace=second_workspace)
        before = bytes(events[0].body)
        assert fan_out() is True
        assert fan_out() is False
        rows = [WebhookEvent.objects.get(pk=event.pk) for event in events]
        assert [row.sequence for row in rows] == [1, 2, 3]
        assert WebhookEvent.objects.get(pk=other.pk).sequence == 1
        for row in rows:
            body = json.loads(bytes(row.body))
            assert list(body)[:7] == ["id", "type", "created_at", "api_version", "workspace_id", "sequence", "source"]
            assert body["sequence"] == row.sequence and body["id"] == row.pk
        assert bytes(rows[0].body) == before.replace(b'"sequence":null,', b'"sequence":1,')

    def test_what_a_record_says_does_not_pass_for_the_number(self, workspace):
        record_events([new_event(workspace.pk, "visit.created", {"title": '"sequence":null,', "sequence": None})])
        fan_out()
        body = json.loads(bytes(WebhookEvent.objects.get().body))
        assert body["sequence"] == 1
        assert body["data"]["object"] == {"title": '"sequence":null,', "sequence": None}

    def test_who_wants_what(self, make_endpoint, make_event):
        everything, visits = make_endpoint(), make_endpoint(events=["visit.*"])
        one, blind = make_endpoint(events=["sync.started"]), make_endpoint(scopes=["clients:read"])
        paused, disabled = make_endpoint(status=Status.PAUSED), make_endpoint(status=Status.DISABLED)
        pending, failing = make_endpoint(status=Status.PENDING), make_endpoint(status=Status.FAILING)
        people = make_endpoint(sources=["api", "desk"])
        loud = make_endpoint(only_changed=False)
        for event_type in ("visit.created", "client.created", "sync.started"):
            make_event(event_type)
        make_event("sync.completed", has_changes=False)
        make_event("item.created", source="desk")
        fan_out()
        most = ["visit.created", "client.created", "sync.started", "item.created"]
        assert types_for(everything) == types_for(paused) == types_for(failing) == most
        assert types_for(visits) == ["visit.created"]
        assert types_for(one) == ["sync.started"]
        assert types_for(blind) == ["client.created"]
        assert types_for(disabled) == types_for(pending) == []
        assert types_for(people) == ["item.created"]
        assert "sync.completed" in types_for(loud)

    def test_nothing_of_before_the_endpoint_and_nothing_of_another_company(
        self, make_endpoint, make_event, second_workspace
    ):
        make_event()
        endpoint = make_endpoint()
        make_event(workspace=second_workspace)
        mine = make_event()
        fan_out()
        assert list(WebhookDelivery.objects.values_list("event", "endpoint")) == [(mine.pk, endpoint.pk)]

    def test_a_flood_in_batches_and_others_in_between(self, make_endpoint, make_event, second_workspace, monkeypatch):
        monkeypatch.setattr(module, "AT_ONCE", 4)
        endpoint = make_endpoint()
        for number in range(10):
            make_event(record_id=f"vis_{number}")
        other = make_event(workspace=second_workspace)
        fan_out()
        other.refresh_from_db()
        assert other.sequence == 1
        assert WebhookDelivery.objects.count() == 4
        while fan_out():
            pass
        order = WebhookDelivery.objects.filter(endpoint=endpoint).order_by("next_at")
        assert list(order.values_list("event__record_id", flat=True)) == [f"vis_{number}" for number in range(10)]
        assert EventCounter.objects.get(workspace=endpoint.workspace).last == 10

    def test_it_costs_the_same_for_many(self, make_endpoint, make_event):
        for _ in range(3):
            make_endpoint()

        def asked(count: int) -> int:
            for _ in range(count):
                make_event()
            with CaptureQueriesContext(connection) as queries:
                fan_out()
            return len([each for each in queries if "UPDATE" not in each["sql"]])

        asked(1)
        assert asked(20) == asked(2)

    def test_a_rolled_back_change_is_no_event(self, make_event):
        with pytest.raises(RuntimeError), transaction.atomic():
            make_event()
            raise RuntimeError
        assert fan_out() is False

    def test_queued_twice_by_whatever_mistake_it_is_one_delivery(self, make_endpoint, make_event):
        make_endpoint()
        event = make_event()
        fan_out()
        WebhookEvent.objects.filter(pk=event.pk).update(fanned_out_at=None)
        fan_out()
        assert WebhookDelivery.objects.count() == 1

    def test_disabling_tells_the_others(self, make_endpoint, make_delivery):
        gone, other = make_endpoint(), make_endpoint()
        waiting = make_delivery(gone)
        with transaction.atomic():
            disable(gone, "gone", locked_counter(gone.workspace_id), waiting.created_at)
        fan_out()
        assert types_for(other) == ["webhook.disabled"]
        waiting.refresh_from_db()
        assert (waiting.state, waiting.next_at) == ("skipped", None)
        assert WebhookDelivery.objects.filter(endpoint=gone).count() == 1
        body = json.loads(bytes(WebhookEvent.objects.get(type="webhook.disabled").body))
        shown = body["data"]["object"]
        assert (shown["id"], shown["status"], shown["disabledReason"]) == (gone.pk, "disabled", "gone")
        assert "whsec" not in json.dumps(body)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_give_each_number_once(workspace, make_endpoint, make_event, in_parallel):
    make_endpoint()
    for _ in range(30):
        make_event()
    in_parallel(4, lambda _: [fan_out() for _ in range(3)])
    while fan_out():
        pass
    assert sorted(WebhookEvent.objects.values_list("sequence", flat=True)) == list(range(1, 31))
    assert WebhookDelivery.objects.count() == 30
