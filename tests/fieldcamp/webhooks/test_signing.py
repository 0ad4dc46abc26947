"""Signatures, by the specification's vectors and by a verifier of others."""

import datetime as dt
import json

import pytest
import standardwebhooks
from django.utils import timezone

from fieldcamp.webhooks import signing
from fieldcamp.webhooks.models import WebhookEndpoint
from tests.fieldcamp.webhooks.conftest import SECRET

ID, AT = "evt_01HZX9V0Q7K6F3JNYG6Q8E1P2A", 1780064551
BODY = b'{"id":"evt_01HZX9V0Q7K6F3JNYG6Q8E1P2A","type":"sync.completed"}'


def test_the_vectors():
    assert signing.signatures([SECRET], ID, AT, BODY) == (
        "t=1780064551,v1=f03e2b459478981cc98c73d4fa6de0e231d77401fd9726445562d4a90ded3850",
        "v1,JHqkdKWK44ttTVt3368vQk+m6jExrJYktQrX3QwHM+w=",
    )
    theirs = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    _, header = signing.signatures([theirs], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert header == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_that_is_none_is_not_repeated():
    with pytest.raises(ValueError, match="no base64") as refused:
        signing.signatures(["whsec_not!base64"], ID, AT, BODY)
    assert "not!" not in str(refused.value) and refused.value.__cause__ is None


@pytest.mark.django_db
class TestHeaders:
    def test_another_verifier_accepts_both_secrets_during_a_rotation(self, make_endpoint, make_delivery):
        old, now = "whsec_" + "b2xk" * 8, timezone.now()
        rotated = {"previous_secret": old, "previous_secret_until": now + dt.timedelta(hours=1)}
        delivery = make_delivery(make_endpoint(**rotated))
        endpoint = delivery.endpoint
        body = signing.body_of(endpoint, delivery.event)
        headers = signing.headers_of(delivery, endpoint, body, attempt=1, now=now)
        for secret in (SECRET, old):
            assert standardwebhooks.Webhook(secret).verify(body, headers) == json.loads(body)
        assert headers["X-FieldCamp-Signature"].count("v1=") == 2
        later = now + dt.timedelta(hours=2)
        headers = signing.headers_of(delivery, endpoint, body, attempt=2, now=later)
        assert headers["webhook-signature"].count("v1,") == 1
        assert headers["webhook-timestamp"] == str(int(later.timestamp()))
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(SECRET).verify(body + b" ", headers)

    def test_all_of_them(self, make_endpoint, make_delivery):
        delivery = make_delivery(make_endpoint())
        headers = signing.headers_of(delivery, delivery.endpoint, b"{}", attempt=3, now=timezone.now())
        assert headers["webhook-id"] == headers["X-FieldCamp-Delivery-Id"] == delivery.event_id
        assert headers["X-FieldCamp-Event"] == "visit.updated"
        assert headers["X-FieldCamp-Attempt"] == "3"
        assert headers["X-FieldCamp-Webhook-Id"] == delivery.endpoint_id
        assert headers["User-Agent"] == "FieldCamp-Webhooks/1"
        assert headers["Content-Type"] == "application/json; charset=utf-8"
        assert "X-FieldCamp-Replay" not in headers
        again = make_delivery(delivery.endpoint, event=delivery.event, replay_of=delivery)
        assert signing.headers_of(again, again.endpoint, b"", attempt=1, now=timezone.now())["X-FieldCamp-Replay"]

    def test_a_thin_body_has_ids_only(self, make_endpoint, make_event, make_delivery):
        event = make_event("visit.updated", "vis_7", previous={"title": "Old"})
        delivery = make_delivery(make_endpoint(payload=WebhookEndpoint.Payload.THIN), event=event)
        body = json.loads(signing.body_of(delivery.endpoint, delivery.event))
        assert body["data"] == {
            "object": {"id": "vis_7", "object": "visit"},
            "previous_attributes": {"title": None},
        }
        assert body["id"] == event.pk
        assert signing.body_of(delivery.endpoint, delivery.event) == signing.body_of(delivery.endpoint, delivery.event)

    @pytest.mark.parametrize(
        "kind, actor, told",
        [
            ("desk", "Olga Owner", None),
            ("desk", "API key Olga", None),
            ("sync", "olga@example.com", None),
            ("api", "API key Board (key_1)", "API key Board (key_1)"),
        ],
    )
    def test_a_thin_body_has_nobodys_name(self, make_endpoint, make_event, kind, actor, told):
        event = make_event(source=kind, actor=actor, request_id="req_1")
        body = json.loads(signing.body_of(make_endpoint(payload=WebhookEndpoint.Payload.THIN), event))
        assert body["source"]["actor"] == told and (body["source"]["kind"], body["source"]["request_id"]) == (
            kind,
            "req_1",
        )
        assert json.loads(signing.body_of(make_endpoint(), event))["source"]["actor"] == actor
