"""What becomes of a key's webhooks when it is rotated, expires or is revoked: they go on, unless somebody says so."""

import pytest
from django.utils import timezone

from fieldcamp.api.models import ApiKey
from fieldcamp.webhooks.models import WebhookEndpoint
from fieldcamp.workspace.models import AuditEntry
from integrations.transport.public_addresses import destination_of
from tests.conftest import api_client
from tests.integrations.admin.conftest import desk, ours  # noqa: F401

pytestmark = pytest.mark.django_db
Status = WebhookEndpoint.Status


@pytest.fixture
def program(api_key, monkeypatch) -> ApiKey:
    """A key, with an enabled webhook that it has made."""
    monkeypatch.setattr("fieldcamp.webhooks.addresses.check_reachable", destination_of)
    body = {"url": "https://receiver.example/hooks?token=hush-hush", "events": ["visit.*"]}
    assert api_client(api_key(name="program")).post("/api/v1/webhooks", body).status_code == 201
    WebhookEndpoint.objects.update(status=Status.ENABLED)
    return ApiKey.objects.get(name="program")


def status() -> str:
    return WebhookEndpoint.objects.get().status


def test_the_scopes_stay_when_the_key_loses_its_own(api, program):
    before = WebhookEndpoint.objects.get().scopes
    api.patch(f"/api/v1/api-keys/{program.pk}", {"scopes": ["webhooks:read"]})
    ApiKey.objects.filter(pk=program.pk).update(expires_at=timezone.now())
    assert WebhookEndpoint.objects.get().scopes == before and status() == Status.ENABLED


@pytest.mark.parametrize(
    "query, then",
    [("", Status.ENABLED), ("?stopWebhooks=false", Status.ENABLED), ("?stopWebhooks=true", Status.PAUSED)],
)
def test_revoking_by_api(api, program, query, then):
    answer = api.delete(f"/api/v1/api-keys/{program.pk}{query}").json()["data"]
    assert answer["webhooks"] == [WebhookEndpoint.objects.get().pk] and status() == then
    paused = AuditEntry.objects.filter(action="webhook.paused", actor__startswith="API key test (key_")
    assert paused.count() == (then == Status.PAUSED)


def test_a_wrong_word_revokes_nothing(api, program):
    response = api.delete(f"/api/v1/api-keys/{program.pk}?stopWebhooks=yes")
    assert response.status_code == 400 and not ApiKey.objects.get(pk=program.pk).revoked_at


def test_a_key_without_webhooks_has_none(api, api_key):
    api_key(name="other")
    other = ApiKey.objects.get(name="other")
    assert api.delete(f"/api/v1/api-keys/{other.pk}").json()["data"]["webhooks"] == []


@pytest.mark.parametrize("ticked, then", [({}, Status.ENABLED), ({"stop": "1"}, Status.PAUSED)])
def test_revoking_at_the_desk(program, desk, ours, ticked, then):  # noqa: F811
    ApiKey.objects.filter(pk=program.pk).update(workspace=ours.workspace)
    ours.webhook.delete()
    WebhookEndpoint.objects.update(workspace=ours.workspace)
    page = f"/admin/api/apikey/{program.pk}/revoke/"
    shown = desk("owner").get(page).content.decode()
    assert "https://receiver.example/hooks" in shown and "hush-hush" not in shown
    assert desk("owner").post(page, ticked).status_code == 302
    assert ApiKey.objects.get(pk=program.pk).revoked_at and status() == then
