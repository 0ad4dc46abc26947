"""A visit whose changes are watched, and visits by way of the API."""

import datetime as dt

import pytest

from fieldcamp.workspace import tracking
from fieldcamp.workspace.models import Change
from tests.fieldcamp.workspace.answers import data

NOON = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def seen(monkeypatch):
    """What a consumer is called with: one list of changes for each call."""
    calls: list[list[Change]] = []
    monkeypatch.setattr(tracking, "_consumers", [])
    tracking.register_consumer(calls.append)
    return calls


@pytest.fixture
def visit(make_visit, seen):
    visit = make_visit(title="Boiler", scheduled_start=NOON, scheduled_end=NOON + dt.timedelta(hours=1))
    Change.objects.all().delete()
    seen.clear()
    return visit


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def create(api, client):
    return lambda **body: data(api.post("/api/v1/visits", {"clientId": client.pk, "title": "Boiler"} | body), 201)


@pytest.fixture
def patch(api):
    return lambda visit, body, **headers: api.patch(f"/api/v1/visits/{visit['id']}", body, **headers)
