"""A company with a connected calendar, its key, and a caller that sends requests as an integrator would."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from fieldcamp.api.services import create_key
from fieldcamp.workspace.models import Workspace
from tests.integrations import build

BASE = "/api/v1/integrations"
JOBS = f"{settings.PUBLIC_URL}{BASE}/jobs"  # as Location has it


@dataclass
class Caller:
    workspace: Workspace
    secret: str

    def __call__(self, method: str, path: str, body: Any = None, **headers: str):
        """One request below /api/v1/integrations; `body` is sent as JSON, bytes as they are."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.secret}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = {"content_type": "application/json"} if body is not None else {"content_type": ""}
        return Client().generic(method, BASE + path, data, headers=sent, **content)

    def get(self, path: str, **headers: str):
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str):
        return self("POST", path, body, **headers)


def caller_of(workspace: Workspace, **fields: Any) -> Caller:
    return Caller(workspace, create_key(workspace=workspace, name="test", rate_limit_override=100_000, **fields)[1])


@pytest.fixture
def caller(workspace) -> Caller:
    """A key of the company that may do everything."""
    return caller_of(workspace)


@pytest.fixture
def dana(db) -> Caller:
    """Dana's company, with one connected Google calendar."""
    workspace = build.workspace()
    build.connection(workspace)
    return caller_of(workspace)


@pytest.fixture
def other(db) -> Caller:
    """Another company with a connected calendar."""
    workspace = build.workspace("Other Inc.")
    build.connection(workspace)
    return caller_of(workspace)


@pytest.fixture
def no_provider(monkeypatch):
    """Reads of the feed take nothing in: what they were asked to take in is collected."""
    from integrations.services import feed

    asked: list[tuple[str, str]] = []

    def observe_pending(workspace, integration, *, reading_on=False):
        asked.append((workspace.pk, integration, *(["reading on"] if reading_on else [])))
        return build.NOW

    monkeypatch.setattr(feed, "observe_pending", observe_pending)
    return asked
