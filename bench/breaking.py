"""What breaks in the soak, and the processes that it breaks."""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import requests
from redis import Redis
from redis.exceptions import RedisError

from bench.servers import ROOT, PostgresServer, free_port

_EVENT = re.compile(r"\[(warning|error|critical)\s*\]\s*([a-z_]+)|^(\w+(?:\.\w+)*(?:Error|Exception)): ")


class Worker:
    """`manage.py worker`, with everything that it starts."""

    def __init__(self, environ: dict[str, str], log: Path):
        self._environ, self._log = environ, log
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "worker"],
                cwd=ROOT, env=self._environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def kill_supervisor(self) -> None:
        """`kill -9` of the first process. Its cluster has to end by itself; a new worker is started beside it."""
        self._process.kill()
        self._process.wait()
        self.start()

    def kill_one_below(self, chance: random.Random) -> bool:
        """`kill -9` of any process below it: the cluster, its guard, or one that runs a job."""
        below = list(_below(self._process.pid))
        if below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(below), signal.SIGKILL)
        return bool(below)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def odd_lines(self) -> list[str]:
        """What its log says of warnings, errors and exceptions, without times and ids."""
        found = (_EVENT.search(line) for line in self._log.read_text(errors="replace").splitlines())
        return [each.group(2) or each.group(3) for each in found if each]


def _below(pid: int) -> Iterator[int]:
    """The processes that come from this one, on Linux: https://docs.kernel.org/filesystems/proc.html"""
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield int(child)
            yield from _below(int(child))


class Breaking:
    """Breaks one thing at a time, and mends it again."""

    def __init__(
        self, chance: random.Random, database: PostgresServer, redis_url: str, sandbox_url: str, workers: list[Worker]
    ):
        self._chance, self._database, self._workers = chance, database, workers
        self._redis, self._sandbox = Redis.from_url(redis_url), sandbox_url

    def one(self) -> str:
        """Breaks something; what."""
        ways = (self._kill, self._kill, self._kill, self._kill_supervisor, self._database_away, self._flush, self._busy)
        return self._chance.choice(ways)()

    def _kill(self) -> str:
        done = self._chance.choice(self._workers).kill_one_below(self._chance)
        return "kill -9 of a process of a cluster" if done else "nothing to kill"

    def _kill_supervisor(self) -> str:
        self._chance.choice(self._workers).kill_supervisor()
        return "kill -9 of a worker's supervisor"

    def _database_away(self) -> str:
        mode = self._chance.choice(("immediate", "fast"))
        self._database.stop(mode)
        time.sleep(self._chance.uniform(0.5, 4.0))
        self._database.start()
        return f"PostgreSQL restarted ({mode})"

    def _flush(self) -> str:
        with contextlib.suppress(RedisError):
            self._redis.flushall()
        return "FLUSHALL"

    def _busy(self) -> str:
        """A vendor answers 503, or drops the connection behind what it has done, for a while."""
        kind = self._chance.choice(("status", "drop_after_commit"))
        spec = {"status": 503} if kind == "status" else {}
        vendor = self._chance.choice(("google", "microsoft"))
        self._control("faults", vendor=vendor, kind=kind, times=self._chance.randint(1, 12), **spec)
        return f"a vendor's {'503' if spec else 'answers lost'}"

    def mend(self) -> None:
        requests.delete(f"{self._sandbox}/_control/faults", timeout=30).raise_for_status()

    def _control(self, name: str, **body: object) -> None:
        headers = {"Content-Type": "application/json"}
        answer = requests.post(f"{self._sandbox}/_control/{name}", data=json.dumps(body), headers=headers, timeout=30)
        answer.raise_for_status()


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """The address of a Redis of its own, which keeps nothing on disk."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with contextlib.suppress(RedisError):
                Redis(port=port).ping()
                break
            time.sleep(0.1)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def sandbox(folder: Path) -> Iterator[str]:
    """The vendors, simulated, in a process beside all that breaks; the address."""
    port = free_port()
    command = [sys.executable, "-m", "fieldcamp.sandbox", "--port", str(port), "--state", str(folder / "vendors.state")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with contextlib.suppress(requests.ConnectionError):
                requests.post(f"{address}/_control/reset", json={"seed": "empty"}, timeout=30).raise_for_status()
                break
            time.sleep(0.1)
        for vendor in ("google", "microsoft"):
            body = {"vendor": vendor, "enabled": False}
            requests.post(f"{address}/_control/throttle", json=body, timeout=30).raise_for_status()
        yield address
    finally:
        process.terminate()
        process.wait()
