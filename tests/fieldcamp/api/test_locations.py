"""Where to read what was made: one form everywhere, whatever name the caller has put into Host."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from fieldcamp.api.middleware import RequestIdMiddleware
from integrations.transport.public_addresses import destination_of
from tests.integrations import build

pytestmark = pytest.mark.django_db


@pytest.mark.slow
def test_every_creation_says_an_absolute_address_of_ours(api, settings, workspace, make_client, monkeypatch):
    monkeypatch.setattr("fieldcamp.webhooks.addresses.check_reachable", destination_of)
    settings.ALLOWED_HOSTS = ["*"]
    build.connection(workspace)
    client = make_client()
    bodies = {
        "clients": {"firstName": "Ada"},
        "visits": {"clientId": client.pk, "title": "x"},
        "items": {"name": "x"},
        "taxes": {"name": "x", "rate": 0.08},
        "invoices": {"clientId": client.pk, "lines": []},
        "payments": {"clientId": client.pk, "amount": 1},
        "api-keys": {"name": "x", "scopes": ["visits:read"]},
        "webhooks": {"url": "https://receiver.example/", "events": ["visit.*"]},
        "integrations/google-calendar/sync": {},
    }
    for path, body in bodies.items():
        for address in (path, f"{path}/"):
            answer = api.post(f"/api/v1/{address}", body, HTTP_HOST="evil.example", HTTP_IDEMPOTENCY_KEY=path)
            assert answer.status_code in (201, 202), answer.content
            start = f"{settings.PUBLIC_URL}/api/v1/{path.split('/')[0]}/"
            assert answer["Location"].startswith(start) and "//" not in answer["Location"][8:]
            read = api.get(answer["Location"].removeprefix(settings.PUBLIC_URL))
            assert read.status_code == 200, answer["Location"]


@pytest.mark.parametrize(
    ("status", "path", "absolute"),
    [(201, "/api/v1/x", True), (202, "/api/v1/x", True), (302, "/api/docs", False), (201, "/admin/", False)],
)
def test_a_new_route_need_not_think_of_it(status, path, absolute, settings):
    middleware = RequestIdMiddleware(lambda request: HttpResponse(status=status, headers={"Location": "/there"}))
    location = middleware(RequestFactory().get(path))["Location"]
    assert location == (f"{settings.PUBLIC_URL}/there" if absolute else "/there")
