"""The demo's processes: started, looked after, restarted when they die, ended together."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import requests
from django.conf import settings

_PR_SET_PDEATHSIG = 1  # https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
GRACE = 12.0


def _end_with_parent() -> None:
    """Runs in the child: the kernel ends it when the demo itself is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_for(url: str, seconds: float = 30) -> None:
    """Returns when the address answers. TimeoutError when it does not."""
    deadline = time.monotonic() + seconds
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < deadline:
            try:
                if session.get(url, timeout=2).ok:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within {seconds:.0f} s. See the logs in {settings.FIELDCAMP_DATA}/logs.")


class Children:
    """Named commands, each a process in a session of its own with its own log file."""

    def __init__(self, commands: dict[str, list[str]], logs: Path):
        self.commands, self.logs = commands, logs
        self.processes: dict[str, subprocess.Popen] = {}
        self._started: dict[str, float] = {}

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.processes.items()}

    def start(self, name: str) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(  # noqa: S603
                self.commands[name],
                cwd=settings.BASE_DIR,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509
            )
        self._started[name] = time.monotonic()

    def look_after(self, stop: threading.Event, restarted: Callable[[str], None]) -> None:
        """Restarts what dies, until `stop` is set. What dies at once is restarted once a second."""
        while not stop.wait(0.3):
            for name, process in list(self.processes.items()):
                if process.poll() is None or time.monotonic() - self._started[name] < 1:
                    continue
                _signal(process, signal.SIGKILL)
                self.start(name)
                restarted(name)

    def end(self) -> None:
        """Asks all to end, and ends what has not after a while."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + GRACE
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            _signal(process, signal.SIGKILL)
            process.wait()


def _signal(process: subprocess.Popen, number: int) -> None:
    """Signals the whole group: gunicorn's workers must not outlive their master."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
