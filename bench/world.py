"""A FieldCamp of its own for the benchmarks: a fresh SQLite file, a connected technician, a sandbox in this process or
beside it. Import it before anything of Django's models."""

import contextlib
import datetime as dt
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = "dana@google.test"


def start() -> None:
    """Settings, and an empty database with all tables (what `FIELDCAMP_DATA` holds already is taken as it is)."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("FIELDCAMP_DATA", tempfile.mkdtemp(prefix="fieldcamp-bench-"))
    os.environ.setdefault("LOG_LEVEL", "CRITICAL")
    os.environ["DJANGO_SETTINGS_MODULE"] = "fieldcamp.settings"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from integrations.services import jobs

    jobs.ring = lambda job_id: None  # benchmarks run their jobs themselves
    from integrations.jobs import runner

    runner.ring = lambda job_id: None


@contextlib.contextmanager
def sandbox_inside() -> Iterator:
    """The sandbox in this process. Its latency is counted, not slept: see `adapter.waited`."""
    from fieldcamp.sandbox.app import create_app
    from fieldcamp.sandbox.mount import URL, SandboxAdapter
    from integrations.transport.session import mounted
    from tests.sandboxed import Vendors

    _point_at(URL)
    app = create_app(None, "empty")
    adapter = SandboxAdapter(app)
    with mounted(URL, adapter):
        vendors = Vendors(adapter)
        vendors.throttle(False)
        yield vendors
    app.close()


@contextlib.contextmanager
def sandbox_beside() -> Iterator[str]:
    """The sandbox as a process of its own, so that its memory is not ours; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(ROOT / "manage.py"), "sandbox", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    import requests

    try:
        for _ in range(200):
            with contextlib.suppress(requests.ConnectionError):
                requests.post(f"{address}/_control/reset", json={"seed": "empty"}, timeout=30)
                break
            time.sleep(0.1)
        requests.post(f"{address}/_control/throttle", json={"vendor": "google", "enabled": False}, timeout=30)
        _point_at(address)
        yield address
    finally:
        process.terminate()
        process.wait()


def _point_at(address: str) -> None:
    from django.conf import settings

    for name, path in settings.VENDOR_URLS.items():
        setattr(settings, name, address + path)
    settings.GOOGLE_CLIENT = settings.INTUIT_CLIENT = {"client_id": "sandbox-client", "secret": "sandbox-secret"}


def connect(answer: dict, name: str = "Bench"):
    """A new company with one technician, whose calendar is connected with this token answer."""
    from django.utils import timezone

    from fieldcamp.workspace.models import Member, Workspace
    from integrations.providers import PROVIDERS
    from integrations.services.connections import set_up, take_grant
    from integrations.transport.client import HttpClient, OneToken

    provider = PROVIDERS["google_calendar"]
    tokens = provider.parse_tokens(answer, timezone.now())
    person = provider.identify(HttpClient(provider, OneToken(tokens.access_token)))
    workspace = Workspace.objects.create(name=name)
    member = Member.objects.create(workspace=workspace, first_name="Dana", is_technician=True)
    connection = take_grant(
        workspace=workspace, integration="google_calendar", account=person, tokens=tokens, user=None
    )
    return set_up(connection=connection, member=member, target_container_id=ACCOUNT, busy_container_ids=[ACCOUNT])


def connect_inside(vendors):
    from integrations.providers import PROVIDERS

    vendors.call("POST", "reset", json={"seed": "empty"})
    vendors.throttle(False)
    return connect(vendors.token(ACCOUNT, list(PROVIDERS["google_calendar"].scopes)))


def make_visits(connection, count: int, tracked: bool = True) -> list:
    """Visits of the connection's technician, inside the window; untracked ones leave nothing to be synced."""
    from django.db.models import QuerySet
    from django.utils import timezone

    from fieldcamp.workspace.models import Client, Visit, VisitStatus

    client = Client.objects.create(workspace=connection.workspace, first_name="Kim", last_name="Reed")
    first = (timezone.now() + dt.timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    rows = Visit.objects if tracked else QuerySet(Visit)
    return rows.bulk_create(
        [
            Visit(
                workspace=connection.workspace,
                client=client,
                technician=connection.member,
                title=f"Leak {number}",
                scheduled_start=first + dt.timedelta(minutes=15 * (number % 14_000)),
                scheduled_end=first + dt.timedelta(minutes=15 * (number % 14_000) + 60),
                visit_status=VisitStatus.SCHEDULED,
            )
            for number in range(count)
        ],
        batch_size=1000,
    )


def sync(connection, mode: str = "incremental", ends: str = "succeeded"):
    """Runs one job to its end, slice by slice, as a worker does."""
    from integrations.jobs import runner
    from integrations.models import SyncJob
    from integrations.services.jobs import trigger_sync

    job = trigger_sync(
        workspace=connection.workspace, integration=connection.integration, mode=mode, triggered_by="api", actor="bench"
    )
    while job.in_flight:
        SyncJob.objects.filter(pk=job.pk).update(run_after=None)
        runner.run(job.pk)
        job.refresh_from_db()
    assert job.status == ends, (job.status, job.errors[:3])
    return job
