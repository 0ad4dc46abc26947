"""`/webhooks` as an integrator uses it."""

import uuid

import pytest
from django.core import mail
from django.utils import timezone

from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from fieldcamp.workspace.models import AuditEntry
from integrations.transport.public_addresses import destination_of
from tests.conftest import api_client
from tests.fieldcamp.webhooks.build import disabled, happened, make_endpoint

pytestmark = pytest.mark.django_db
BASE = "/api/v1/webhooks"
NEW = {"url": "https://receiver.example/hooks", "events": ["visit.*"]}
Status, State = WebhookEndpoint.Status, WebhookDelivery.State


@pytest.fixture(autouse=True)
def every_name_is_public(monkeypatch):
    """No name is looked up: `tests/integrations/transport` has what is refused then."""
    monkeypatch.setattr("fieldcamp.webhooks.addresses.check_reachable", destination_of)


def error(response, status: int, code: str) -> dict:
    assert (response.status_code, response.json()["error"]["code"]) == (status, code), response.content
    return response.json()["error"]


def test_a_webhook_is_made_with_a_secret_that_is_shown_once(api):
    response = api.post(BASE, {**NEW, "description": "Board"})
    made = response.json()["data"]
    assert response.status_code == 201 and made["secret"].startswith("whsec_")
    assert made["status"] == "pending" and f"{made['id']}/test" in made["nextStep"]
    assert response["Location"].endswith(f"{BASE}/{made['id']}")
    read = api.get(f"{BASE}/{made['id']}")
    secret = made.pop("secret")
    assert read.json()["data"] == made and read["ETag"] == response["ETag"]
    assert secret not in read.content.decode() + api.get(BASE).content.decode()
    assert secret.endswith(made["secretHint"])
    assert made["madeBy"].startswith("key_") and made["createdBy"].startswith("API key test")


def test_a_replay_shows_no_secret(api):
    headers = {"HTTP_IDEMPOTENCY_KEY": str(uuid.uuid4())}
    first, second = (api.post(BASE, NEW, **headers) for _ in range(2))
    assert second["Idempotent-Replayed"] == "true" and WebhookEndpoint.objects.count() == 1
    assert second.json()["data"] == {**first.json()["data"], "secret": None}


@pytest.mark.parametrize(
    "wrong, field",
    [
        ({"url": "http://receiver.example/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://user:pass@receiver.example/"}, "url"),
        ({"url": "https://receiver.example/#x"}, "url"),
        ({"url": "receiver.example"}, "url"),
        ({"url": "https://[::1/"}, "url"),
        ({"url": "https://receiver.example:99999/"}, "url"),
        ({"url": 5}, "url"),
        ({"url": f"https://receiver.example/{'x' * 2048}"}, "url"),
        ({"events": []}, "events"),
        ({"events": "visit.*"}, "events"),
        ({"events": ["visit.moved"]}, "events"),
        ({"events": ["webhook.test"]}, "events"),
        ({"events": [None]}, "events"),
        ({"events": [{}]}, "events"),
        ({"events": ["visit.created"] * 101}, "events"),
        ({"description": "x" * 201}, "description"),
        ({"payload": "slim"}, "payload"),
        ({"sources": ["people"]}, "sources"),
        ({"maxPerSecond": 0}, "maxPerSecond"),
        ({"maxPerSecond": "20"}, "maxPerSecond"),
        ({"onlyChanged": "perhaps"}, "onlyChanged"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"status": "enabled"}, "status"),
    ],
)
def test_what_cannot_be_taken_is_named(api, wrong, field):
    found = error(api.post(BASE, NEW | wrong), 400, "VALIDATION_ERROR")
    assert any(name.startswith(field) for name in found["details"])
    assert not WebhookEndpoint.objects.exists()


def test_an_address_that_is_refused_is_refused_on_change_as_well(api, workspace):
    endpoint = make_endpoint(workspace)
    for method in (api.patch, api.put):
        found = error(method(f"{BASE}/{endpoint.pk}", NEW | {"url": "https://127.0.0.1/"}), 400, "VALIDATION_ERROR")
        assert list(found["details"]) == ["url"]
    endpoint.refresh_from_db()
    assert endpoint.status == Status.ENABLED


def test_each_type_needs_its_scope(api_key):
    api = api_client(api_key(scopes=["webhooks:write", "webhooks:read", "visits:read"]))
    found = error(api.post(BASE, NEW | {"events": ["visit.created", "invoice.paid"]}), 403, "INSUFFICIENT_SCOPE")
    assert found["details"] == {"required_scope": "invoices:read"} and "invoices:read" in found["message"]
    made = api.post(BASE, NEW | {"events": ["*"]}).json()["data"]
    assert made["scopes"] == ["visits:read", "webhooks:read"]
    assert error(api.patch(f"{BASE}/{made['id']}", {"events": ["client.*"]}), 403, "INSUFFICIENT_SCOPE")


def test_a_key_that_may_not_read_visits_sends_them_nowhere(api_key, workspace):
    endpoint = make_endpoint(workspace)
    delivery = happened(workspace, endpoint=endpoint)
    thief = api_client(api_key(scopes=["webhooks:write", "webhooks:read"]))
    one = f"{BASE}/{endpoint.pk}"
    for response in (
        thief.patch(one, {"url": "https://evil.example/"}),
        thief.put(one, NEW | {"url": "https://evil.example/"}),
        thief.post(f"{one}/rotate-secret", {}),
        thief.get(f"{one}/deliveries/{delivery.pk}"),
        thief.get(f"/api/v1/events/{delivery.event_id}"),
        thief.get("/api/v1/events?type=visit.created"),
    ):
        assert error(response, 403, "INSUFFICIENT_SCOPE")["details"] == {"required_scope": "visits:read"}
    assert thief.get("/api/v1/events").json()["data"] == []
    assert thief.post(f"{one}/pause", {}).status_code == 200


def test_patch_put_and_if_match(api, workspace):
    endpoint = make_endpoint(workspace, description="Ours", max_per_second=5)
    one = f"{BASE}/{endpoint.pk}"
    etag = api.get(one)["ETag"]
    assert api.get(one, HTTP_IF_NONE_MATCH=etag).status_code == 304
    changed = api.patch(one, {"maxPerSecond": 6}, HTTP_IF_MATCH=etag)
    assert changed.json()["data"]["maxPerSecond"] == 6 and changed["ETag"] != etag
    error(api.patch(one, {"maxPerSecond": 7}, HTTP_IF_MATCH=etag), 412, "PRECONDITION_FAILED")
    error(api.patch(one, {"url": "https://other.example/"}, HTTP_IF_MATCH=etag), 412, "PRECONDITION_FAILED")
    error(api.delete(one, HTTP_IF_MATCH=etag), 412, "PRECONDITION_FAILED")
    replaced = api.put(one, {"url": endpoint.url, "events": endpoint.events}).json()["data"]
    assert (replaced["description"], replaced["maxPerSecond"], replaced["status"]) == (None, 20, "enabled")
    error(api.put(one, {"url": endpoint.url}), 400, "VALIDATION_ERROR")
    assert api.delete(one).json()["data"] == {"id": endpoint.pk, "deleted": True}
    error(api.get(one), 404, "NOT_FOUND")
    error(api.patch(one, {"maxPerSecond": 7}), 404, "NOT_FOUND")


def test_stats_move_no_etag(api, workspace):
    endpoint = make_endpoint(workspace)
    one = f"{BASE}/{endpoint.pk}"
    etag, now = api.get(one)["ETag"], timezone.now()
    for ms, state in ((10, State.DELIVERED), (30, State.DELIVERED), (0, State.FAILED)):
        delivery = happened(workspace, endpoint=endpoint, state=state, finished_at=now, attempts=1)
        delivery.tries.create(number=1, at=now, ms=ms, status=200 if ms else 500)
    WebhookEndpoint.objects.update(last_delivered_at=now)
    read = api.get(one)
    stats = read.json()["data"]["stats"]
    assert (stats["delivered24h"], stats["failed24h"], stats["p95Ms"]) == (2, 1, 30) and stats["lastDeliveredAt"]
    assert read["ETag"] == etag


def test_the_list_takes_as_many_queries_however_long_it_is(api, workspace, django_assert_num_queries, call_queries):
    for number in range(3):
        endpoint = make_endpoint(workspace, url=f"https://receiver.example/{number}")
        happened(workspace, endpoint=endpoint, state=State.DELIVERED, finished_at=timezone.now())
    api.get(BASE)  # the first use of a key is written down
    with django_assert_num_queries(call_queries + 3):
        assert len(api.get(BASE).json()["data"]) == 3
    page = api.get(f"{BASE}?limit=2").json()
    rest = api.get(f"{BASE}?limit=2&cursor={page['meta']['next_cursor']}").json()
    assert (len(page["data"]), len(rest["data"]), rest["meta"]["next_cursor"]) == (2, 1, None)


def test_rotating_shows_the_new_secret_once(api, workspace):
    endpoint = make_endpoint(workspace)
    headers = {"HTTP_IDEMPOTENCY_KEY": "rotation"}
    first, second = (api.post(f"{BASE}/{endpoint.pk}/rotate-secret", {"overlapHours": 1}, **headers) for _ in range(2))
    endpoint.refresh_from_db()
    assert first.json()["data"]["secret"] == endpoint.secret and second.json()["data"]["secret"] is None
    assert first.json()["data"]["previousSecretUntil"] and endpoint.previous_secret
    for wrong in (-1, 169, "24", None, 1.5):
        error(api.post(f"{BASE}/{endpoint.pk}/rotate-secret", {"overlapHours": wrong}), 400, "VALIDATION_ERROR")


def test_on_and_off(api, workspace):
    endpoint = make_endpoint(workspace)
    one = f"{BASE}/{endpoint.pk}"
    assert api.post(f"{one}/pause").json()["data"]["status"] == "paused"
    assert "resume" in api.get(one).json()["data"]["nextStep"]
    assert api.post(f"{one}/resume").json()["data"]["status"] == "enabled"
    disabled(endpoint)
    happened(workspace)
    assert "Enable it first" in error(api.post(f"{one}/pause"), 409, "INVALID_TRANSITION")["message"]
    enabled = api.post(f"{one}/enable", {"replayMissed": True}).json()["data"]
    assert (enabled["status"], enabled["missedQueued"], enabled["missedLeft"]) == ("enabled", 1, 0)
    assert enabled["disabledReason"] is None
    WebhookEndpoint.objects.update(status=Status.PENDING)
    assert "test" in error(api.post(f"{one}/enable", {}), 409, "INVALID_TRANSITION")["message"]
    error(api.post(f"{one}/pause", {"why": "x"}), 400, "VALIDATION_ERROR")


def test_deliveries_are_listed_read_and_sent_again(api, workspace):
    endpoint = make_endpoint(workspace)
    one = f"{BASE}/{endpoint.pk}"
    first = happened(workspace, endpoint=endpoint, attempts=10, last_status=500)
    first.tries.create(number=1, at=timezone.now(), ms=12, status=500, excerpt="Oops")
    happened(workspace, "visit.updated", endpoint=endpoint, state=State.DELIVERED)
    listed = api.get(f"{one}/deliveries?status=failed").json()["data"]
    assert [(row["id"], row["eventType"], row["responseStatus"]) for row in listed] == [
        (first.pk, "visit.created", 500)
    ]
    assert len(api.get(f"{one}/deliveries?type=visit.updated&status=failed&status=delivered").json()["data"]) == 1
    assert len(api.get(f"{one}/deliveries?eventId={first.event_id}").json()["data"]) == 1
    page = api.get(f"{one}/deliveries?limit=1").json()
    rest = api.get(f"{one}/deliveries?limit=1&cursor={page['meta']['next_cursor']}").json()
    assert rest["data"][0]["id"] == first.pk and rest["meta"]["next_cursor"] is None
    shown = api.get(f"{one}/deliveries/{first.pk}").json()["data"]
    assert shown["payload"]["id"] == first.event_id and shown["tries"][0]["responseExcerpt"] == "Oops"
    queued = api.post(f"{one}/deliveries/{first.pk}/replay")
    assert queued.status_code == 202 and queued.json()["data"]["replayOf"] == first.pk
    assert api.get(queued["Location"]).json()["data"]["status"] == "pending"


@pytest.mark.parametrize(
    "query", ["status=lost", "type=visit.moved", "since=yesterday", "limit=0", "since=2026-01-01T00:00:00"]
)
def test_wrong_filters_are_named(api, workspace, query):
    endpoint = make_endpoint(workspace)
    found = error(api.get(f"{BASE}/{endpoint.pk}/deliveries?{query}"), 400, "VALIDATION_ERROR")
    assert list(found["details"]) == [query.partition("=")[0]]


def test_a_range_is_sent_again(api, workspace):
    endpoint = make_endpoint(workspace)
    happened(workspace, endpoint=endpoint)
    body = {"since": "2026-01-01T00:00:00Z", "types": ["visit.created"]}
    response = api.post(f"{BASE}/{endpoint.pk}/replay", body)
    assert response.status_code == 202 and response.json()["data"] == {"queued": 1, "continueFrom": None}
    assert api.post(f"{BASE}/{endpoint.pk}/replay", body).json()["data"]["queued"] == 0
    found = error(api.post(f"{BASE}/{endpoint.pk}/replay", body | {"until": body["since"]}), 400, "VALIDATION_ERROR")
    assert list(found["details"]) == ["until"]
    WebhookEndpoint.objects.update(status=Status.DISABLED)
    error(api.post(f"{BASE}/{endpoint.pk}/replay", body), 409, "INVALID_TRANSITION")


def test_the_other_company_has_neither_webhooks_nor_deliveries(api_key, workspace, second_workspace):
    endpoint = make_endpoint(workspace)
    delivery = happened(workspace, endpoint=endpoint)
    theirs = make_endpoint(second_workspace)
    other = api_client(api_key(workspace=second_workspace))
    for path in (
        f"{BASE}/{endpoint.pk}",
        f"{BASE}/{endpoint.pk}/deliveries",
        f"{BASE}/{endpoint.pk}/deliveries/{delivery.pk}",
        f"{BASE}/{theirs.pk}/deliveries/{delivery.pk}",
        f"/api/v1/events/{delivery.event_id}",
    ):
        error(other.get(path), 404, "NOT_FOUND")
    for path in ("rotate-secret", "test", "enable", "pause", "resume", f"deliveries/{delivery.pk}/replay"):
        error(other.post(f"{BASE}/{endpoint.pk}/{path}", {}), 404, "NOT_FOUND")
    error(other.post(f"{BASE}/{theirs.pk}/deliveries/{delivery.pk}/replay", {}), 404, "NOT_FOUND")
    assert other.get("/api/v1/events").json()["data"] == [] and not mail.outbox


def test_what_is_done_is_in_the_trail_in_the_keys_name(api, workspace):
    endpoint = make_endpoint(workspace)
    happened(workspace, endpoint=endpoint)
    one = f"{BASE}/{endpoint.pk}"
    api.patch(one, {"description": "Theirs"})
    api.post(f"{one}/rotate-secret", {})
    api.post(f"{one}/pause", {})
    api.post(f"{one}/enable", {})
    api.post(f"{one}/replay", {"since": "2026-01-01T00:00:00Z"})
    api.delete(one)
    entries = AuditEntry.objects.filter(action__startswith="webhook.", actor__startswith="API key test (key_")
    assert sorted(entries.values_list("action", flat=True)) == [
        f"webhook.{done}" for done in ("deleted", "enabled", "paused", "replayed", "rotated", "updated")
    ]


def test_twenty_at_once_make_no_twenty_first(api_key, workspace):
    for number in range(20):
        make_endpoint(workspace, url=f"https://receiver.example/{number}")
    error(api_client(api_key()).post(BASE, NEW), 409, "INVALID_TRANSITION")
