"""A site with an account at Google, and Google, which tells it what becomes of that account."""

from typing import Any

import jwt
import pytest
from django.http import HttpResponse
from django.test import Client

from fieldcamp.sandbox import id_token
from integrations.models import Connection, ConnectionState, OAuthGrant
from integrations.providers.security_events import PUBLISHED
from tests.integrations.connecting import MAIN

ADDRESS = "/security-events/google-calendar"


class Told:
    """The site as Google sees it. `connection` is Dana's."""

    def __init__(self, vendors, connection: Connection):
        self.vendors, self.connection = vendors, connection
        self.risc = vendors.adapter.app.vendors["google"].risc
        self.risc.deliver = self.deliver
        self.client = Client(headers={"host": "sync.example.com"})

    def deliver(self, url: str, token: str) -> int:
        return self.post(token).status_code if url == f"https://sync.example.com{ADDRESS}" else 0

    def post(self, token: str | bytes, kind: str = "application/secevent+jwt", **more: Any) -> HttpResponse:
        return self.client.post(ADDRESS, token, content_type=kind, secure=True, **more)

    def token(self, event: str, account: str = MAIN, **more: str) -> str:
        """What Google would send; where a stream is registered, it does."""
        body = {"vendor": "google", "account": account, "event": event, "client_id": "sandbox-client", **more}
        return self.vendors.call("POST", "security_event", json=body)["token"]

    def tell(self, event: str, account: str = MAIN, **more: str) -> int:
        return self.post(self.token(event, account, **more)).status_code

    def claims(self, event: str = "tokens-revoked", **changes: Any) -> dict[str, Any]:
        return {**jwt.decode(self.token(event), options={"verify_signature": False}), **changes}

    def signed(self, claims: dict[str, Any]) -> str:
        """Any claims under Google's own signature."""
        return id_token.issue(self.risc.state, claims, "secevent+jwt")

    def state(self) -> str:
        return Connection.objects.get(pk=self.connection.pk).state

    def refresh_token(self, connection: Connection | None = None) -> str:
        return OAuthGrant.objects.get(connection=connection or self.connection).refresh_token


@pytest.fixture
def told(active, vendors, settings) -> Told:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://sync.example.com", ["sync.example.com"]
    PUBLISHED.forget()
    told = Told(vendors, active)
    [event] = told.claims()["events"].values()
    active.account_id, active.state = event["subject"]["sub"], ConnectionState.ACTIVE
    active.save()
    return told
