"""What an endpoint is sent when it is enabled again, in which order, and that no event is lost in between."""

import datetime as dt
import threading

import pytest
from django.db import connections
from django.utils import timezone

from fieldcamp.api.scopes import SCOPES
from fieldcamp.webhooks import fan_out as fan_out_module
from fieldcamp.webhooks import missing, policy, services
from fieldcamp.webhooks.checked_urls import CheckedUrl
from fieldcamp.webhooks.claiming import claim
from fieldcamp.webhooks.fan_out import fan_out
from fieldcamp.webhooks.missing import MissedEvents
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.fieldcamp.webhooks.build import disabled, happened

State, Status = WebhookDelivery.State, WebhookEndpoint.Status


def order(endpoint: WebhookEndpoint) -> list[str]:
    """The events that wait to be sent now, in the order in which they are."""
    rows = endpoint.deliveries.filter(state=State.PENDING, next_at__lte=timezone.now() + dt.timedelta(seconds=1))
    return list(rows.order_by("next_at", "pk").values_list("event", flat=True))


def late(make_delivery, endpoint: WebhookEndpoint) -> list[str]:
    """Makes three deliveries that have hours to wait, the oldest one the longest; their events, the oldest first."""
    now = timezone.now()
    made = [
        make_delivery(endpoint, next_at=now + dt.timedelta(hours=hours), created_at=now - dt.timedelta(hours=hours))
        for hours in (9, 5, 2)
    ]
    return [each.event_id for each in made]


@pytest.mark.django_db
class TestNothingWaitsForItsSchedule:
    @pytest.mark.parametrize("status", [Status.FAILING, Status.PAUSED])
    def test_enabled(self, make_endpoint, make_delivery, status):
        endpoint = make_endpoint(status=status)
        events = late(make_delivery, endpoint)
        services.enable(endpoint)
        assert order(endpoint) == events

    def test_resumed(self, make_endpoint, make_delivery):
        endpoint = make_endpoint(status=Status.PAUSED)
        events = late(make_delivery, endpoint)
        services.resume(endpoint)
        assert order(endpoint) == events
        assert len(claim(endpoint.pk, "me", timezone.now())) == policy.IN_FLIGHT

    def test_of_another_address_that_was_accepted(self, make_endpoint, make_delivery, workspace):
        endpoint = make_endpoint()
        events = late(make_delivery, endpoint)
        endpoint = services.change_endpoint(
            workspace=workspace,
            endpoint_id=endpoint.pk,
            changes={"url": CheckedUrl("http://127.0.0.1:9/new")},
            scopes=list(SCOPES),
        )
        assert order(endpoint) == []
        assert services.confirm(endpoint)
        assert order(endpoint) == events

    def test_one_that_is_sent_again_comes_first(self, make_endpoint, make_delivery):
        endpoint = make_endpoint(status=Status.FAILING, probe_at=timezone.now() + dt.timedelta(hours=1))
        make_delivery(endpoint, next_at=timezone.now() - dt.timedelta(hours=1))
        wanted = make_delivery(endpoint)
        services.replay(wanted)
        assert claim(endpoint.pk, "me", timezone.now()) == [wanted.pk]


@pytest.mark.django_db
class TestOldestFirst:
    def test_what_was_missed(self, make_endpoint, workspace):
        endpoint = make_endpoint()
        waited = [happened(workspace, endpoint=endpoint, state=State.PENDING).event_id for _ in range(3)]
        disabled(endpoint)
        missed = [happened(workspace).pk for _ in range(3)]
        assert services.enable(endpoint, replay_missed=True)[1] == MissedEvents(6)
        assert order(endpoint) == waited + missed
        assert len({each.next_at for each in endpoint.deliveries.all()}) == 6

    def test_what_is_replayed(self, make_endpoint, workspace):
        endpoint, now = make_endpoint(), timezone.now()
        times = [now - dt.timedelta(minutes=minutes) for minutes in (1, 5, 3)]
        one, five, three = (happened(workspace, endpoint=endpoint, at=at).event_id for at in times)
        assert services.replay_range(endpoint, now - dt.timedelta(hours=1)).count == 3
        assert order(endpoint) == [five, three, one]


@pytest.mark.django_db
class TestMoreThanIsQueuedAtOnce:
    @pytest.fixture(autouse=True)
    def few(self, monkeypatch):
        monkeypatch.setattr(missing, "MOST", 2)

    def test_is_kept_and_queued_by_the_next_calls(self, make_endpoint, workspace):
        endpoint = make_endpoint()
        events = [happened(workspace, endpoint=endpoint, state=State.PENDING).event_id for _ in range(3)]
        disabled(endpoint)
        events += [happened(workspace).pk for _ in range(2)]
        assert services.enable(endpoint, replay_missed=True)[1] == MissedEvents(2, 3)
        assert services.enable(endpoint)[1] == MissedEvents()
        happened(workspace)  # it was enabled by then: nothing that was missed
        assert services.enable(endpoint, replay_missed=True)[1] == MissedEvents(2, 1)
        assert services.enable(endpoint, replay_missed=True)[1] == MissedEvents(1, 0)
        assert order(endpoint) == events
        assert services.enable(endpoint, replay_missed=True)[1] == MissedEvents()

    def test_is_kept_although_it_is_disabled_again(self, make_endpoint, workspace):
        endpoint = make_endpoint()
        disabled(endpoint)
        events = [happened(workspace).pk for _ in range(3)]
        assert services.enable(endpoint, replay_missed=True)[1] == MissedEvents(2, 1)
        disabled(endpoint)
        events.append(happened(workspace).pk)
        assert services.enable(endpoint, replay_missed=True)[1] == MissedEvents(2, 2)
        assert services.enable(endpoint, replay_missed=True)[1] == MissedEvents(2, 0)
        assert order(endpoint) == events

    def test_is_kept_for_another_address(self, make_endpoint, workspace):
        endpoint = make_endpoint()
        disabled(endpoint)
        events = [happened(workspace).pk for _ in range(3)]
        url = CheckedUrl("http://127.0.0.1:9/new")
        endpoint = services.change_endpoint(
            workspace=workspace, endpoint_id=endpoint.pk, changes={"url": url}, scopes=list(SCOPES)
        )
        assert services.confirm(endpoint)
        assert services.enable(endpoint, replay_missed=True)[1] == MissedEvents(1, 0)
        assert order(endpoint) == events

    def test_nobody_who_did_not_want_it_is_sent_it_later(self, make_endpoint, workspace):
        endpoint = make_endpoint()
        disabled(endpoint)
        happened(workspace)
        assert services.enable(endpoint)[1] == MissedEvents()
        disabled(endpoint)
        later = happened(workspace).pk
        services.enable(endpoint, replay_missed=True)
        assert order(endpoint) == [later]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["enable", "confirm", "change"])
def test_what_is_handed_out_meanwhile_is_sent_or_missed(workspace, make_endpoint, make_event, monkeypatch, how):
    """The events are being handed out, uncommitted, while the endpoint is enabled, or while its address is changed."""
    endpoint = make_endpoint()
    make_endpoint("http://127.0.0.1:9/other")
    url = CheckedUrl("http://127.0.0.1:9/new")

    def change() -> WebhookEndpoint:
        return services.change_endpoint(
            workspace=workspace, endpoint_id=endpoint.pk, changes={"url": url}, scopes=list(SCOPES)
        )

    if how == "enable":
        disabled(endpoint)
    if how == "confirm":
        endpoint = change()
    event = make_event()
    inside, done = threading.Event(), threading.Event()
    original = fan_out_module._deliveries

    def slowly(*args):
        found = list(original(*args))
        inside.set()
        done.wait(1)  # whoever waits for the counter does not get there
        return iter(found)

    monkeypatch.setattr(fan_out_module, "_deliveries", slowly)

    def hand_out() -> None:
        try:
            fan_out()
        finally:
            connections.close_all()

    thread = threading.Thread(target=hand_out)
    thread.start()
    assert inside.wait(20)
    if how == "enable":
        services.enable(endpoint, replay_missed=True)
    elif how == "confirm":
        assert services.confirm(endpoint)
    else:
        endpoint = change()
    done.set()
    thread.join(20)
    if how == "change":
        assert services.confirm(endpoint)
    assert WebhookDelivery.objects.filter(endpoint=endpoint, event=event).count() == 1
