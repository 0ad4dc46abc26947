"""Who takes a webhook over: with less rights than whoever had it they are sent nothing of what waits, and their key is
known to have chosen where it leads."""

import json

import pytest
from django.utils import timezone

from fieldcamp.api.models import ApiKey
from fieldcamp.api.scopes import SCOPES
from fieldcamp.webhooks import claiming, sending, services
from fieldcamp.webhooks.checked_urls import CheckedUrl
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from fieldcamp.workspace.errors import InvalidTransition
from integrations.transport.public_addresses import destination_of
from integrations.transport.webhook_client import WebhookAnswer
from tests.conftest import api_client

pytestmark = pytest.mark.django_db
Status, State = WebhookEndpoint.Status, WebhookDelivery.State
OTHER = CheckedUrl("http://127.0.0.1:9/other")


def change(endpoint: WebhookEndpoint, scopes=SCOPES, **changes) -> None:
    services.change_endpoint(workspace=endpoint.workspace, endpoint_id=endpoint.pk, changes=changes, scopes=scopes)


@pytest.fixture
def sent(monkeypatch) -> list[tuple[str, str]]:
    """Where which type was sent to; everything is accepted."""
    found: list[tuple[str, str]] = []

    def post(url: str, body: bytes, *_: object) -> WebhookAnswer:
        found.append((url, json.loads(body)["type"]))
        return WebhookAnswer(5, status=200)

    monkeypatch.setattr(sending, "post", post)
    return found


def send_all(endpoint: WebhookEndpoint) -> None:
    while found := claiming.claim(endpoint.pk, "me", timezone.now()):
        for each in found:
            sending.deliver(each, "me")


def test_what_waits_does_not_go_to_who_may_not_read_it(make_endpoint, make_delivery, make_event, sent):
    endpoint = make_endpoint(status=Status.PAUSED)
    invoice = make_delivery(endpoint, event=make_event("invoice.created", "inv_1"))
    again = make_delivery(endpoint, event=make_event("invoice.paid", "inv_2"), replay_of=invoice)
    visit = make_delivery(endpoint, event=make_event("visit.created", "vis_1"))
    change(endpoint, events=["visit.*"])
    states = dict(WebhookDelivery.objects.values_list("pk", "state"))
    # A replay of what may be read was asked for.
    assert states == {invoice.pk: State.SKIPPED, again.pk: State.PENDING, visit.pk: State.PENDING}
    change(endpoint, ["visits:read"], url=OTHER)
    again.refresh_from_db()
    assert again.state == State.SKIPPED and again.finished_at and again.next_at is None
    endpoint.refresh_from_db()
    assert services.confirm(endpoint)
    send_all(endpoint)
    assert sent == [(OTHER.text, "visit.created")]


def test_what_was_on_its_way_when_it_was_taken_over_is_not_sent_on(make_endpoint, make_delivery, make_event, sent):
    endpoint = make_endpoint()
    invoice = make_delivery(endpoint, event=make_event("invoice.created", "inv_1"), state=State.SENDING)
    WebhookEndpoint.objects.update(events=["visit.*"])
    change(endpoint, ["visits:read"], url=OTHER)
    WebhookEndpoint.objects.update(status=Status.ENABLED)
    WebhookDelivery.objects.update(state=State.PENDING)  # the address of before has refused it
    send_all(endpoint)
    invoice.refresh_from_db()
    assert sent == [] and (invoice.state, invoice.lease_owner) == (State.SKIPPED, "")


def test_what_changes_nothing_of_who_sees_what_ends_nothing(make_endpoint, make_delivery):
    endpoint = make_endpoint()
    make_delivery(endpoint)
    change(endpoint, [], description="Ours")
    assert WebhookDelivery.objects.get().state == State.PENDING


@pytest.fixture
def taken_over(api_key, monkeypatch) -> WebhookEndpoint:
    """A webhook that key `one` has made, and `two` has given another address, `three` another name."""
    monkeypatch.setattr("fieldcamp.webhooks.addresses.check_reachable", destination_of)
    one, two, three = (api_client(api_key(name=name)) for name in ("one", "two", "three"))
    body = {"url": "https://good.example/hooks", "events": ["visit.*"]}
    made = one.post("/api/v1/webhooks", body).json()["data"]["id"]
    assert two.patch(f"/api/v1/webhooks/{made}", {"url": "https://evil.example/hooks"}).status_code == 200
    assert three.patch(f"/api/v1/webhooks/{made}", {"description": "Ours"}).status_code == 200
    WebhookEndpoint.objects.update(status=Status.ENABLED)
    return WebhookEndpoint.objects.get()


@pytest.mark.parametrize("name, finds", [("one", True), ("two", True), ("three", False)])
def test_the_end_of_a_key_finds_what_it_has_chosen(api, taken_over, name, finds):
    key = ApiKey.objects.get(name=name)
    answer = api.delete(f"/api/v1/api-keys/{key.pk}?stopWebhooks=true").json()["data"]
    assert answer["webhooks"] == ([taken_over.pk] if finds else [])
    assert WebhookEndpoint.objects.get().status == (Status.PAUSED if finds else Status.ENABLED)


def test_a_misspelt_flag_revokes_nothing(api, taken_over):
    key = ApiKey.objects.get(name="one")
    refused = api.delete(f"/api/v1/api-keys/{key.pk}?stopwebhooks=true")
    assert refused.status_code == 400 and "Did you mean stopWebhooks?" in str(refused.json())
    assert not ApiKey.objects.get(pk=key.pk).revoked_at


def test_a_webhook_that_ends_in_the_same_moment_does_not_keep_the_key(api, taken_over, monkeypatch):
    def pause(endpoint: WebhookEndpoint) -> None:
        raise InvalidTransition("This webhook is disabled. Enable it first.")

    monkeypatch.setattr(services, "pause", pause)
    key = ApiKey.objects.get(name="one")
    assert api.delete(f"/api/v1/api-keys/{key.pk}?stopWebhooks=true").status_code == 200
    assert ApiKey.objects.get(pk=key.pk).revoked_at
