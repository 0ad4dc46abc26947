"""What can be done with webhooks, below the API and the desk."""

import datetime as dt
from functools import partial

import pytest
from django.utils import timezone

from fieldcamp.api.scopes import SCOPES
from fieldcamp.webhooks import services
from fieldcamp.webhooks.checked_urls import CheckedUrl
from fieldcamp.webhooks.errors import ScopeMissing
from fieldcamp.webhooks.missing import MissedEvents
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.models import AuditEntry
from fieldcamp.workspace.tracking import attributed
from tests.fieldcamp.webhooks.build import disabled, happened, make_endpoint

pytestmark = pytest.mark.django_db
Status, State = WebhookEndpoint.Status, WebhookDelivery.State
URL = CheckedUrl("https://receiver.example/hooks")


@pytest.fixture
def make(workspace):
    return partial(make_endpoint, workspace)


def change(endpoint, scopes=SCOPES, **changes):
    return services.change_endpoint(
        workspace=endpoint.workspace, endpoint_id=endpoint.pk, changes=changes, scopes=scopes
    )


def test_a_new_endpoint_waits_for_a_test_and_shows_its_secret_once(workspace):
    endpoint, secret = services.create_endpoint(workspace=workspace, url=URL, events=["*"], scopes=["visits:read"])
    stored = WebhookEndpoint.objects.get()
    assert (stored.status, stored.secret, stored.secret_hint) == (Status.PENDING, secret, secret[-4:])
    assert secret.startswith("whsec_") and stored.scopes == ["visits:read"]
    entry = AuditEntry.objects.get(action="webhook.created")
    assert entry.object_id == endpoint.pk and secret not in str(entry.after)


@pytest.mark.parametrize(
    "events, scopes, lacks",
    [
        (["invoice.paid"], ["visits:read"], "invoices:read"),
        (["visit.created", "client.*"], ["visits:read"], "clients:read"),
        (["*"], ["visits:write"], "visits:read"),
    ],
)
def test_what_one_may_not_read_one_has_not_sent_on(workspace, events, scopes, lacks):
    with pytest.raises(ScopeMissing) as refused:
        services.create_endpoint(workspace=workspace, url=URL, events=events, scopes=scopes)
    assert refused.value.scope == lacks and not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize("events", [[], ["visit.moved"], ["visits.*"], ["*.updated"]])
def test_unknown_events_are_refused(workspace, events):
    with pytest.raises(InvalidFields) as refused:
        services.create_endpoint(workspace=workspace, url=URL, events=events, scopes=SCOPES)
    assert list(refused.value.details) == ["events"]


def test_there_are_twenty_at_most(make, workspace):
    for number in range(services.MOST_ENDPOINTS):
        last = make(f"https://receiver.example/{number}")
    with pytest.raises(InvalidTransition):
        make()
    services.delete_endpoint(workspace=workspace, endpoint_id=last.pk)
    make()


@pytest.mark.parametrize(
    "url, events",
    [(URL.text, ["visit.created"]), ("https://RECEIVER.example:443/hooks", ["*"]), (URL.text, ["visit.*", "item.*"])],
)
def test_no_two_have_one_address_and_the_same_events(make, url, events):
    make()
    with pytest.raises(InvalidFields) as refused:
        make(url, events=events)
    assert list(refused.value.details) == ["url"]
    make(url, events=["item.*"])


def test_another_address_waits_for_a_test_again(make, workspace):
    endpoint = change(make(), url=CheckedUrl("https://other.example/"))
    assert (endpoint.status, endpoint.disabled_reason) == (Status.PENDING, "url_changed")
    with pytest.raises(InvalidTransition):
        services.enable(endpoint)
    happened(workspace, at=timezone.now())
    happened(workspace, at=timezone.now() - dt.timedelta(hours=1))
    happened(workspace, "invoice.paid")
    assert services.confirm(endpoint) and not services.confirm(endpoint)
    # What happened meanwhile is sent, and nothing else.
    assert WebhookDelivery.objects.get().event.type == "visit.created"
    endpoint.refresh_from_db()
    assert endpoint.status == Status.ENABLED


def test_a_test_of_an_address_that_was_changed_meanwhile_enables_nothing(make):
    endpoint = make(status=Status.PENDING)
    change(endpoint, url=CheckedUrl("https://other.example/"))
    assert not services.confirm(endpoint)


def test_who_may_not_read_what_is_sent_changes_neither_where_nor_what(make):
    endpoint = make(scopes=["visits:read", "items:read"], events=["visit.*", "item.created"])
    for changes in ({"url": CheckedUrl("https://evil.example/")}, {"events": ["*"]}, {"payload": "full"}):
        if changes == {"payload": "full"}:
            change(endpoint, payload="thin")
        with pytest.raises(ScopeMissing) as refused:
            change(endpoint, ["items:read"], **changes)
        assert refused.value.scope == "visits:read"
    with pytest.raises(ScopeMissing):
        services.rotate_secret(endpoint, dt.timedelta(), scopes=["items:read"])
    assert change(endpoint, [], description="Ours").description == "Ours"


def test_whose_scopes_count_is_who_chose_the_events_last(make):
    endpoint = make(scopes=["visits:read"], events=["*"])
    assert change(endpoint, ["visits:read", "items:read"], events=["visit.*", "item.*"]).scopes == [
        "visits:read",
        "items:read",
    ]


def test_a_rotated_secret_signs_beside_the_new_one_for_a_while(make):
    endpoint = make()
    old = endpoint.secret
    endpoint, new = services.rotate_secret(endpoint, dt.timedelta(hours=24), scopes=SCOPES)
    assert (endpoint.secret, endpoint.previous_secret) == (new, old) and new != old
    assert endpoint.previous_secret_until > timezone.now() + dt.timedelta(hours=23)
    endpoint, newest = services.rotate_secret(endpoint, dt.timedelta(), scopes=SCOPES)
    assert (endpoint.secret, endpoint.previous_secret) == (newest, "")
    with pytest.raises(InvalidFields):
        services.rotate_secret(endpoint, dt.timedelta(hours=169), scopes=SCOPES)


def test_a_deleted_endpoint_is_sent_nothing_and_keeps_no_secret(make, workspace):
    endpoint = make()
    delivery = happened(workspace, endpoint=endpoint, state=State.PENDING)
    services.delete_endpoint(workspace=workspace, endpoint_id=endpoint.pk)
    delivery.refresh_from_db()
    stored = WebhookEndpoint.objects.get()
    assert delivery.state == State.SKIPPED and stored.deleted_at and stored.secret == ""
    with pytest.raises(WebhookEndpoint.DoesNotExist):
        services.enable(endpoint)


def test_what_was_missed_while_disabled_comes_back_when_asked_for(make, workspace):
    endpoint = make(events=["visit.*"], sources=["system"])
    happened(workspace)
    skipped = happened(workspace, endpoint=endpoint, state=State.PENDING, attempts=7)
    WebhookEndpoint.objects.update(failures=9)
    disabled(endpoint)
    missed = happened(workspace, "visit.updated")
    happened(workspace, "invoice.paid")
    assert services.enable(endpoint, replay_missed=True)[1] == MissedEvents(2, 0)
    waiting = {each.event_id: each for each in WebhookDelivery.objects.filter(state=State.PENDING)}
    assert set(waiting) == {skipped.event_id, missed.pk} and all(each.next_at for each in waiting.values())
    stored = WebhookEndpoint.objects.get()
    assert (stored.status, stored.failures, stored.disabled_at) == (Status.ENABLED, 0, None)


def test_pausing_and_resuming(make):
    endpoint = make(status=Status.FAILING)
    assert services.pause(endpoint).status == services.pause(endpoint).status == Status.PAUSED
    assert services.resume(endpoint).status == services.resume(endpoint).status == Status.ENABLED
    assert AuditEntry.objects.filter(action__in=("webhook.paused", "webhook.resumed")).count() == 2
    for status in (Status.PENDING, Status.DISABLED):
        WebhookEndpoint.objects.update(status=status)
        for verb in (services.pause, services.resume):
            with pytest.raises(InvalidTransition):
                verb(endpoint)


def test_a_replay_is_a_delivery_of_its_own(make, workspace):
    first = happened(workspace, endpoint=make())
    second = services.replay(first)
    assert (second.event_id, second.replay_of_id, second.state) == (first.event_id, first.pk, State.PENDING)
    WebhookDelivery.objects.filter(pk=second.pk).update(state=State.FAILED)
    assert services.replay(second).replay_of_id == first.pk


def test_one_that_waits_is_tried_at_once(make, workspace):
    endpoint = make()
    later = timezone.now() + dt.timedelta(hours=5)
    delivery = happened(workspace, endpoint=endpoint, state=State.PENDING)
    WebhookDelivery.objects.update(next_at=later)
    WebhookEndpoint.objects.update(status=Status.FAILING, probe_at=later)
    assert services.replay(delivery).pk == delivery.pk
    assert WebhookDelivery.objects.get().next_at < later and WebhookEndpoint.objects.get().probe_at < later


@pytest.mark.parametrize("status", [Status.DISABLED, Status.PENDING])
def test_where_nothing_is_sent_nothing_is_replayed(make, workspace, status):
    endpoint = make()
    delivery = happened(workspace, endpoint=endpoint)
    WebhookEndpoint.objects.update(status=status)
    with pytest.raises(InvalidTransition):
        services.replay(delivery)
    with pytest.raises(InvalidTransition):
        services.replay_range(endpoint, timezone.now() - dt.timedelta(days=1))


def test_a_replay_needs_what_the_endpoint_may_be_sent_now(make, workspace):
    endpoint = make(events=["visit.*", "item.*"])
    delivery = happened(workspace, endpoint=endpoint)
    change(endpoint, ["visits:read", "items:read"], events=["item.*"])
    WebhookEndpoint.objects.update(scopes=["items:read"])
    with pytest.raises(InvalidTransition):
        services.replay(delivery)
    assert services.replay_range(endpoint, timezone.now() - dt.timedelta(days=1)).count == 0


def test_a_test_is_not_sent_again(make, workspace):
    delivery = happened(workspace, endpoint=make())
    WebhookEvent.objects.update(is_test=True)
    with pytest.raises(InvalidTransition):
        services.replay(delivery)
    assert services.replay_range(delivery.endpoint, timezone.now() - dt.timedelta(days=1)).count == 0


def test_a_range_is_replayed_once(make, workspace):
    endpoint, now = make(events=["*"]), timezone.now()
    failed = happened(workspace, endpoint=endpoint)
    happened(workspace, "visit.updated", endpoint=endpoint, state=State.DELIVERED)
    happened(workspace, endpoint=endpoint, at=now - dt.timedelta(days=3))
    day = now - dt.timedelta(days=1)
    assert services.replay_range(endpoint, day, types=["visit.updated"]).count == 0
    assert services.replay_range(endpoint, day).count == 1
    assert WebhookDelivery.objects.get(state=State.PENDING).replay_of == failed
    assert services.replay_range(endpoint, day).count == 0
    assert services.replay_range(endpoint, day, status="all").count == 1
    with pytest.raises(InvalidFields):
        services.replay_range(endpoint, now, day)


def test_more_than_is_queued_at_once_says_where_to_go_on(make, workspace, monkeypatch):
    monkeypatch.setattr("fieldcamp.webhooks.replaying.MOST", 2)
    endpoint, now = make(), timezone.now()
    for minute in (3, 2, 1):
        happened(workspace, endpoint=endpoint, at=now - dt.timedelta(minutes=minute))
    done = services.replay_range(endpoint, now - dt.timedelta(hours=1))
    assert done.count == 2 and done.continue_from == now - dt.timedelta(minutes=1)
    assert services.replay_range(endpoint, done.continue_from).count == 1


def test_the_trail_says_who(make, workspace):
    endpoint = make("https://receiver.example/hooks?token=hidden")
    with attributed(actor="Olivia Hart"):
        services.pause(endpoint)
        services.resume(endpoint)
    entries = AuditEntry.objects.filter(object_id=endpoint.pk)
    assert [entry.actor for entry in entries.filter(action__startswith="webhook.p")] == ["Olivia Hart"]
    assert "hidden" not in str([(entry.object_name, entry.before, entry.after) for entry in entries])


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_no_more_than_twenty_and_no_two_alike(workspace, in_parallel):
    for number in range(services.MOST_ENDPOINTS - 2):
        make_endpoint(workspace, f"https://receiver.example/{number}")

    def create(number: int) -> str:
        try:
            make_endpoint(workspace, f"https://receiver.example/new/{number // 2}")
        except (InvalidTransition, InvalidFields) as refused:
            return type(refused).__name__
        return "made"

    assert sorted(in_parallel(6, create)).count("made") == 2
    assert WebhookEndpoint.objects.count() == services.MOST_ENDPOINTS
    assert len({endpoint.url for endpoint in WebhookEndpoint.objects.all()}) == services.MOST_ENDPOINTS
