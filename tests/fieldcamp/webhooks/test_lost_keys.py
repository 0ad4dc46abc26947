"""With the encryption key of its secret lost, a webhook can be seen, stopped, deleted and given a new secret."""

import datetime as dt

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from fieldcamp.api.models import ApiKey
from fieldcamp.api.scopes import SCOPES
from fieldcamp.webhooks import claiming, disabling, services
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from integrations.management.commands.rotate_tokens import rotate
from tests.fieldcamp.webhooks.conftest import SECRET
from tests.integrations.admin.conftest import desk, ours  # noqa: F401

pytestmark = pytest.mark.django_db
Status = WebhookEndpoint.Status


@pytest.fixture
def lost(make_endpoint, settings) -> WebhookEndpoint:
    """An endpoint with two secrets that nobody can read any more."""
    until = timezone.now() + dt.timedelta(days=1)
    made = make_endpoint(previous_secret=SECRET, previous_secret_until=until)
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    return made


def test_all_of_the_api_works(api, lost):
    path = f"/api/v1/webhooks/{lost.pk}"
    assert len(api.get("/api/v1/webhooks").json()["data"]) == 1
    for method, where, body in (
        ("get", path, None),
        ("patch", path, {"description": "Ours"}),
        ("patch", path, {"events": ["visit.*"]}),
        ("post", f"{path}/pause", {}),
        ("post", f"{path}/resume", {}),
        ("post", f"{path}/enable", {"replayMissed": True}),
        ("post", f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}),
        ("post", f"{path}/test", {}),
        ("get", f"{path}/deliveries", None),
        ("post", f"{path}/rotate-secret", {"overlapHours": 24}),
        ("delete", path, None),
    ):
        answer = getattr(api, method)(where, body)
        assert answer.status_code < 300, (method, where, answer.content)


def test_a_new_secret_is_the_way_out(lost, make_delivery):
    endpoint, new = services.rotate_secret(lost, dt.timedelta(hours=24), scopes=SCOPES)
    # What cannot be read signs nothing, and nobody is told that it does.
    assert (endpoint.previous_secret, endpoint.previous_secret_until) == ("", None)
    assert WebhookEndpoint.objects.get().secret == new


def test_the_desk_and_the_end_of_its_key(desk, ours, api_key, settings):  # noqa: F811
    api_key(name="program")
    key = ApiKey.objects.get(name="program")
    ApiKey.objects.filter(pk=key.pk).update(workspace=ours.workspace)
    WebhookEndpoint.objects.update(made_by_key=key)
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    browser, page = desk("owner"), f"/admin/webhooks/webhookendpoint/{ours.webhook.pk}"
    revoking = f"/admin/api/apikey/{key.pk}/revoke/"
    assert browser.get(revoking).status_code == 200
    assert browser.post(revoking, {"stop": "1"}).status_code == 302
    assert ApiKey.objects.get(pk=key.pk).revoked_at and WebhookEndpoint.objects.get().status == Status.PAUSED
    for event in WebhookDelivery.objects.values_list("event", flat=True):
        assert browser.get(f"/admin/webhooks/webhookevent/{event}/change/").status_code == 200
    assert browser.post(f"{page}/delete/").status_code == 302
    assert WebhookEndpoint.objects.get().deleted_at


def test_the_clock_goes_on(lost, make_delivery):
    now = timezone.now()
    WebhookEndpoint.objects.update(status=Status.FAILING, failing_since=now - dt.timedelta(hours=2), failures=9)
    disabling.watch(now)
    assert WebhookEndpoint.objects.get().told == ["failing"]
    assert [each.pk for each in claiming.due_endpoints(now)] == []


class TestAnotherEncryptionKey:
    @pytest.fixture
    def endpoint(self, make_endpoint, settings) -> WebhookEndpoint:
        old, new = (Fernet.generate_key().decode() for _ in range(2))
        settings.TOKEN_ENCRYPTION_KEYS = [old]
        made = make_endpoint()
        settings.TOKEN_ENCRYPTION_KEYS = [new, old]
        return made

    def test_the_secret_stays(self, endpoint, settings):
        assert rotate(endpoint.pk, WebhookEndpoint)
        settings.TOKEN_ENCRYPTION_KEYS = settings.TOKEN_ENCRYPTION_KEYS[:1]
        assert WebhookEndpoint.objects.get().secret == SECRET

    @pytest.mark.parametrize("deed", ["rotated", "deleted"])
    def test_what_was_replaced_meanwhile_does_not_come_back(self, endpoint, monkeypatch, deed):
        from integrations.management.commands import rotate_tokens

        real = rotate_tokens.decrypt

        def in_between(stored: str) -> str:
            if stored and not done:
                done.append(stored)
                if deed == "rotated":
                    services.rotate_secret(endpoint, dt.timedelta(), scopes=SCOPES)
                else:
                    services.delete_endpoint(workspace=endpoint.workspace, endpoint_id=endpoint.pk)
            return real(stored)

        done: list[str] = []
        monkeypatch.setattr(rotate_tokens, "decrypt", in_between)
        assert not rotate(endpoint.pk, WebhookEndpoint) and done
        assert WebhookEndpoint.objects.get().secret != SECRET
