"""The way from a new webhook to its first event: the test that its server accepts."""

import datetime as dt
import json

import jsonschema
import pytest
import time_machine
from django.db.models import QuerySet
from django.utils import timezone

from fieldcamp.api.models import IdempotencyRecord
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from fieldcamp.webhooks.schemas import schema_of
from fieldcamp.workspace.models import AuditEntry
from tests.fieldcamp.webhooks.build import happened, make_endpoint
from tests.fieldcamp.webhooks.receivers import receiving

pytestmark = pytest.mark.django_db
BASE = "/api/v1/webhooks"
Status = WebhookEndpoint.Status


@pytest.fixture(autouse=True)
def receivers_of_this_machine(settings):
    settings.WEBHOOK_ALLOW_PRIVATE = True


def test_a_webhook_is_enabled_by_the_test_that_is_accepted(api):
    with receiving() as receiver:
        made = api.post(BASE, {"url": receiver.url, "events": ["visit.*"]}).json()["data"]
        tested = api.post(f"{BASE}/{made['id']}/test", {"type": "visit.updated"}).json()["data"]
    assert (tested["delivered"], tested["responseStatus"], tested["enabled"], tested["nextStep"]) == (
        True, 200, True, None,
    )  # fmt: skip
    [got] = receiver.got
    assert got.headers["webhook-id"] == tested["eventId"] and b'"test":true' in got.body
    assert api.get(f"{BASE}/{made['id']}").json()["data"]["status"] == "enabled"
    assert AuditEntry.objects.filter(action="webhook.enabled", actor__startswith="API key test").count() == 1
    read = api.get(f"/api/v1/events/{tested['eventId']}").json()["data"]
    assert read["test"] is True and api.get("/api/v1/events").json()["data"] == []
    [listed] = api.get(f"{BASE}/{made['id']}/deliveries").json()["data"]
    assert (listed["isTest"], listed["status"]) == (True, "delivered")
    assert api.get(f"{BASE}/{made['id']}").json()["data"]["stats"]["delivered24h"] == 0


def test_one_that_is_refused_says_what_was_answered(api, workspace):
    with receiving((500, {"Content-Type": "text/plain"}, b"Oops")) as receiver:
        endpoint = make_endpoint(workspace, url=receiver.url, status=Status.PENDING)
        tested = api.post(f"{BASE}/{endpoint.pk}/test").json()["data"]
    assert (tested["delivered"], tested["responseStatus"], tested["enabled"]) == (False, 500, False)
    assert tested["responseExcerpt"] == "Oops" and "test" in tested["nextStep"]
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.failures) == (Status.PENDING, 0)


def test_a_disabled_one_is_tested_and_stays_disabled(api, workspace):
    with receiving() as receiver:
        endpoint = make_endpoint(workspace, url=receiver.url, status=Status.DISABLED)
        tested = api.post(f"{BASE}/{endpoint.pk}/test", {"type": "invoice.paid"}).json()["data"]
    assert tested["delivered"] and not tested["enabled"] and "/enable" in tested["nextStep"]


@pytest.mark.parametrize("wrong", [{"type": "visit.moved"}, {"type": "visit.*"}, {"type": None}, {"kind": "x"}, []])
def test_there_is_no_test_of_another_type(api, workspace, wrong):
    endpoint = make_endpoint(workspace)
    assert api.post(f"{BASE}/{endpoint.pk}/test", wrong).status_code == 400
    assert not WebhookDelivery.objects.exists()


def test_two_at_a_time(api, workspace):
    with receiving() as receiver:
        endpoint = make_endpoint(workspace, url=receiver.url)
        for _ in range(2):  # on their way, by another process
            assert api.post(f"{BASE}/{endpoint.pk}/test").status_code == 200
        later = timezone.now() + dt.timedelta(minutes=1)
        WebhookDelivery.objects.update(state="sending", lease_owner="test:other", lease_until=later)
        refused = api.post(f"{BASE}/{endpoint.pk}/test")
    assert refused.status_code == 429 and refused["Retry-After"] == "5" and len(receiver.got) == 2


def test_tests_are_of_the_schemas_of_their_types(api, workspace):
    names = ["visit.updated", "client.deleted", "invoice.paid", "webhook.test"]
    with receiving() as receiver:
        endpoint = make_endpoint(workspace, url=receiver.url)
        for name in names:
            assert api.post(f"{BASE}/{endpoint.pk}/test", {"type": name}).json()["data"]["delivered"], name
    for name, got in zip(names, receiver.got, strict=True):
        jsonschema.Draft202012Validator(schema_of(name)).validate(json.loads(got.body))


def test_another_address_is_sent_what_happened_since_as_soon_as_it_accepts(api, workspace):
    with receiving() as receiver:
        endpoint = make_endpoint(workspace)
        changed = api.patch(f"{BASE}/{endpoint.pk}", {"url": receiver.url}).json()["data"]
        assert (changed["status"], changed["disabledReason"]) == ("pending", "url_changed")
        event = happened(workspace)
        assert api.post(f"{BASE}/{endpoint.pk}/test").json()["data"]["enabled"]
    waiting = WebhookDelivery.objects.get(event=event)
    assert (waiting.endpoint_id, waiting.state) == (endpoint.pk, "pending")


def test_a_test_is_sent_once_for_each_key(api, workspace):
    with receiving() as receiver:
        endpoint = make_endpoint(workspace, url=receiver.url)
        sent = {"format": "json", "HTTP_IDEMPOTENCY_KEY": "k1"}
        first, again = (api.post(f"{BASE}/{endpoint.pk}/test", {}, **sent) for _ in range(2))
        assert (again.status_code, again.content, again["Idempotent-Replayed"]) == (200, first.content, "true")
        assert len(receiver.got) == 1
        other = api.post(f"{BASE}/{endpoint.pk}/test", {"type": "visit.updated"}, **sent)
        assert other.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_a_test_under_way_holds_its_key_until_no_attempt_can_last(api, workspace, monkeypatch):
    endpoint = make_endpoint(workspace)
    sent = {"format": "json", "HTTP_IDEMPOTENCY_KEY": "k1"}
    seen = []

    def died(*_):
        """The process ends in the middle: what it has claimed stays."""
        seen.append(api.post(f"{BASE}/{endpoint.pk}/test", {}, **sent).json()["error"]["code"])
        seen.append(api.post(f"{BASE}/{endpoint.pk}/test", {"type": "visit.updated"}, **sent).json()["error"]["code"])
        raise RuntimeError

    monkeypatch.setattr("fieldcamp.webhooks.services.send_test", died)
    monkeypatch.setattr(QuerySet, "delete", lambda rows: (0, {}))
    assert api.post(f"{BASE}/{endpoint.pk}/test", {}, **sent).status_code == 500
    monkeypatch.undo()
    assert seen == ["IDEMPOTENCY_IN_PROGRESS", "IDEMPOTENCY_KEY_REUSED"]
    assert api.post(f"{BASE}/{endpoint.pk}/test", {}, **sent).json()["error"]["code"] == "IDEMPOTENCY_IN_PROGRESS"
    with receiving() as receiver:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(url=receiver.url)
        with time_machine.travel(timezone.now() + dt.timedelta(minutes=2)):
            other = api.post(f"{BASE}/{endpoint.pk}/test", {"type": "visit.updated"}, **sent)
            assert other.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"  # it is free for the same request alone
            assert api.post(f"{BASE}/{endpoint.pk}/test", {}, **sent).json()["data"]["delivered"] is True


def test_a_refused_test_gives_its_key_back(api, workspace):
    with receiving() as receiver:
        endpoint = make_endpoint(workspace, url=receiver.url)
        sent = {"format": "json", "HTTP_IDEMPOTENCY_KEY": "k1"}
        assert api.post(f"{BASE}/whk_none/test", {}, **sent).status_code == 404
        assert not IdempotencyRecord.objects.exists()
        assert api.post(f"{BASE}/{endpoint.pk}/test", {}, **sent).json()["data"]["delivered"] is True
