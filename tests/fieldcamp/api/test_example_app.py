"""docs/example_app.py, written from the reference alone, does what it says against a server."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from fieldcamp.api.services import create_key
from integrations.models import Problem, SyncJob
from tests.fieldcamp.api.test_quickstart import worker
from tests.integrations.admin.conftest import Company, company

__all__ = ["worker"]
SCOPES = ["integrations:read", "integrations:write", "problems:read", "problems:write"]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


class App:
    """The application in a process of its own, and a person at it."""

    def __init__(self, folder: Path, base: str, key: str):
        port = subprocess.check_output([sys.executable, "scripts/free_ports.py", "1"], cwd=settings.BASE_DIR, text=True)
        self.url = f"http://127.0.0.1:{port.strip()}/"
        environ = {**os.environ, "BASE": base, "KEY": key, "PLACES": str(folder / "places.json"), "no_proxy": "*"}
        script = str(settings.BASE_DIR / "docs" / "example_app.py")
        self.process = subprocess.Popen([sys.executable, script, port.strip()], env=environ, stderr=subprocess.DEVNULL)

    def get(self, data: dict | None = None) -> str:
        body = urllib.parse.urlencode(data).encode() if data else None
        ends = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(self.url, body, timeout=60) as response:
                    return response.read().decode()
            except urllib.error.HTTPError as refusal:
                return f"{refusal.code} {refusal.read().decode()}"
            except OSError:
                assert self.process.poll() is None and time.monotonic() < ends
                time.sleep(0.05)

    def press(self, page: str, **wanted: str) -> str:
        """Presses the first button whose form has these values."""
        for form in re.findall(r"<form.*?</form>", page):
            fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
            if wanted.items() <= fields.items():
                return self.get({name: value.replace("&quot;", '"') for name, value in fields.items()})
        raise AssertionError(f"No button {wanted} in {page}")


@pytest.fixture
def rows(transactional_db) -> Company:
    return company("Ours")


@pytest.fixture
def app(rows, live_server, worker, monkeypatch, tmp_path) -> Iterator[App]:
    from integrations.services import feed

    monkeypatch.setattr(feed, "observe_pending", lambda *_, **__: timezone.now())
    app = App(tmp_path, f"{live_server.url}/api/v1", create_key(workspace=rows.workspace, name="x", scopes=SCOPES)[1])
    yield app
    app.process.terminate()
    app.process.wait(10)


@pytest.mark.slow
@pytest.mark.once
def test_a_person_sees_syncs_reads_and_answers(app, rows):
    SyncJob.objects.filter(status__in=["queued", "running"]).update(status="succeeded")
    page = app.get()
    assert "google-calendar: " in page and "quickbooks: disconnected" in page
    assert "Synced: succeeded" in app.press(page, what="sync", id="google-calendar")
    assert " changes: " in app.press(page, what="changes", id="google-calendar")
    assert "0 changes: " in app.press(page, what="changes", id="google-calendar")

    waiting = Problem.objects.filter(workspace=rows.workspace, resolved_at=None).count()
    [choice, *_] = re.findall(r'name="choice" value="([^"]+)"', page)
    answered = app.press(page, what="answer", choice=choice)
    assert "Answered: " in answered
    assert Problem.objects.filter(workspace=rows.workspace, resolved_at=None).count() < waiting
    # What the person had seen has changed since.
    assert "PRECONDITION_FAILED" in app.press(page, what="answer", choice=choice) or "INVALID_TRANSITION" in app.press(
        page, what="answer", choice=choice
    )
    assert app.get({"what": "sync", "id": "google-calendar", "token": "of another site"}).startswith("403")
