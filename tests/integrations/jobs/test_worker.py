"""The worker as real processes: it runs what is rung for, stops cleanly, and leaves nothing behind when killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django_q.tasks import async_task

from integrations.models import Heartbeat, SyncJob
from integrations.selectors.dashboard import WORKER
from tests.integrations import build

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def database_url() -> str:
    """The test database, as a child process is told of it."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgres://{found['USER']}:{found['PASSWORD']}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


def eventually(holds: Callable[[], bool], seconds: float) -> float:
    """Waits until it holds; how long that took. Fails when it does not."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        if holds():
            return time.monotonic() - started
        time.sleep(0.05)
    pytest.fail(f"still not so after {seconds} s")


def told_of(pid: int, file: str) -> str:
    """What /proc says of a process; nothing of one that has ended, be it between the opening and the reading."""
    try:
        return (Path("/proc") / str(pid) / file).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def alive(pid: int) -> bool:
    """Running, and not a zombie that nobody has reaped."""
    stat = told_of(pid, "stat")
    return bool(stat) and stat.rsplit(")", 1)[1].split()[0] != "Z"


def descendants(pid: int) -> list[int]:
    children = told_of(pid, f"task/{pid}/children").split()
    return [int(child) for child in children] + [below for child in children for below in descendants(int(child))]


def backends() -> set[int]:
    """Who is connected to the database. A server still carries out what a client has sent that was killed since."""
    if connection.vendor != "postgresql":
        return set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return {pid for (pid,) in cursor.fetchall()}


@pytest.fixture
def worker(tmp_path, queue) -> Iterator[subprocess.Popen]:
    """A worker that has shown its first sign of life, on an empty queue."""
    if not Path("/proc/self/task").exists():
        pytest.skip("NOT RUN: needs /proc to look at processes")
    environ = os.environ | {
        "DATABASE_URL": database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "API_KEY_PEPPER": settings.API_KEY_PEPPER,
        "TOKEN_ENCRYPTION_KEYS": ",".join(settings.TOKEN_ENCRYPTION_KEYS),
        "FIELDCAMP_DATA": str(tmp_path),
    }
    before = backends()
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=settings.BASE_DIR, env=environ, stdout=log, stderr=log
        )
    try:
        eventually(lambda: Heartbeat.objects.filter(name=WORKER).exists(), 30)
        yield process
    finally:
        tree = [process.pid, *descendants(process.pid)] if alive(process.pid) else []
        for pid in tree:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        # Else the last of their statements are carried out when the tables have been emptied for another test.
        eventually(lambda: not any(alive(pid) for pid in tree) and backends() <= before, 15)


def started(file: Path) -> int:
    """The process that runs the task which writes this file."""
    eventually(lambda: file.exists() and file.read_text().isdigit(), 15)
    return int(file.read_text())


def test_sigterm_asks_what_runs_to_stop_and_ends_the_whole_tree(worker, tmp_path):
    file = tmp_path / "task"
    async_task("tests.integrations.jobs.tasks.until_stopped", str(file))
    runner = started(file)
    tree = descendants(worker.pid)
    assert runner in tree
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    assert file.read_text() == "asked to stop"
    assert [pid for pid in tree if alive(pid)] == []
    # The round's stays: the next worker sees by it how long nobody was there to renew channels.
    assert not Heartbeat.objects.exclude(name=WORKER).exclude(name__startswith="push-round:").exists()


def test_what_does_not_hear_is_killed_and_its_job_given_back(worker, tmp_path):
    job = build.job(build.workspace())
    file = tmp_path / "task"
    async_task("tests.integrations.jobs.tasks.hold_and_ignore", job.pk, str(file))
    runner = started(file)
    assert SyncJob.objects.get().status == "running"
    worker.send_signal(signal.SIGTERM)
    worker.wait(30)
    assert not alive(runner)
    job.refresh_from_db()
    assert (job.status, job.lease_owner, job.lease_until) == ("queued", "", None)


def test_nothing_survives_the_kill_of_the_supervisor(worker, tmp_path):
    file = tmp_path / "task"
    async_task("tests.integrations.jobs.tasks.until_stopped", str(file))
    started(file)
    tree = descendants(worker.pid)
    worker.kill()
    eventually(lambda: file.read_text() == "asked to stop", 5)
    eventually(lambda: not any(alive(pid) for pid in tree), 12)


def test_a_cluster_that_dies_is_cleared_away_and_started_again(worker, tmp_path):
    before = tmp_path / "before"
    async_task("tests.integrations.jobs.tasks.until_stopped", str(before))
    started(before)  # all of the cluster's processes are there now: none comes later and takes the next task with it
    (first,) = [pid for pid in descendants(worker.pid) if os.getpgid(pid) == pid and pid not in webhooks_of(worker)]
    old = [first, *descendants(first)]
    os.kill(first, signal.SIGKILL)
    eventually(lambda: not any(alive(pid) for pid in old), 5)
    file = tmp_path / "task"
    async_task("tests.integrations.jobs.tasks.until_stopped", str(file))
    assert started(file) in descendants(worker.pid)


def webhooks_of(worker: subprocess.Popen) -> list[int]:
    return [pid for pid in descendants(worker.pid) if "--webhooks" in told_of(pid, "cmdline")]


def test_the_process_that_sends_webhooks_is_started_again_when_it_dies(worker):
    eventually(lambda: bool(webhooks_of(worker)), 30)
    (first,) = webhooks_of(worker)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: bool(set(webhooks_of(worker)) - {first}), 30)
    (second,) = set(webhooks_of(worker)) - {first}
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert not alive(second)
