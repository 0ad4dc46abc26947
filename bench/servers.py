"""What the benchmarks run on: a throw-away PostgreSQL, and the site under gunicorn."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = "a secret of benchmarks alone, 0123456789"
USER = "fieldcamp"


def free_port() -> int:
    """A port below those that the kernel gives to clients."""
    for port in range(21000, 29000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                with contextlib.suppress(OSError):
                    probe.bind(("127.0.0.1", port))
                    return port
    raise RuntimeError("no free port")


def _postgres_bin() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    return found[-1] if found else None


class PostgresServer:
    """A PostgreSQL in a folder of its own, with its usual durability."""

    def __init__(self, programs: Path, folder: Path):
        # PostgreSQL refuses to run as root.
        self._as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self._programs, self._folder, self.port = programs, folder, free_port()
        self.address = f"postgres://{USER}@127.0.0.1:{self.port}/postgres"
        if self._as_owner:
            shutil.chown(folder, pwd.getpwnam("postgres").pw_uid)
        self._run("initdb", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        self._run("pg_ctl", "-w", "-l", self._folder / "log", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stops it, as by a power cut (`immediate`) or with its connections closed (`fast`)."""
        self._run("pg_ctl", "-m", mode, "stop")

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [*self._as_owner, self._programs / program, "-D", self._folder / "data", *arguments]
        subprocess.run(command, stdout=subprocess.DEVNULL, cwd="/", check=True)


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer | None]:
    """A new, empty PostgreSQL, running; None where it is not installed."""
    programs = _postgres_bin()
    if programs is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="fieldcamp-bench-pg."))
    try:
        server = PostgresServer(programs, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def postgres() -> Iterator[str | None]:
    """The address of a new, empty PostgreSQL; None where it is not installed."""
    with postgres_server() as server:
        yield server.address if server else None


def environment(data: Path, database_url: str | None) -> dict[str, str]:
    """The environment of a site of its own: none of this machine's settings, secrets for the run only."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    kept |= {"FIELDCAMP_DATA": str(data), "LOG_LEVEL": "WARNING", "PYTHONPATH": str(ROOT)}
    kept["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    if database_url:
        fernet = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
        kept |= {"DATABASE_URL": database_url, "SECRET_KEY": BENCH, "API_KEY_PEPPER": BENCH}
        kept["TOKEN_ENCRYPTION_KEYS"] = fernet
    return kept


def manage(environ: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environ, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


@contextlib.contextmanager
def gunicorn(environ: dict[str, str], workers: int = 2) -> Iterator[int]:
    """The site, ready to answer; the port that it listens on."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "fieldcamp.wsgi",
        "--workers",
        str(workers),
        "--bind",
        f"127.0.0.1:{port}",
    ]
    log = Path(environ["FIELDCAMP_DATA"]) / "gunicorn.log"
    with log.open("ab") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2)
                break
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"gunicorn did not start: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)
