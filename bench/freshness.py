"""How long a change takes: from the vendor's side into FieldCamp, with push; saved here until it is at the vendor.

On a whole demo of its own: web, worker, sandbox, two technicians' calendars. Each change is made on a calendar that has
been quiet for longer than two pushes have to lie apart, so that the first is measured and not the wait for the next.
"""

import argparse
import contextlib
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.report import Row, put, table
from bench.servers import ROOT, free_port

BEGIN, END = "<!-- freshness -->", "<!-- /freshness -->"
SLUG = "google-calendar"  # which the demo has connected
QUIET = 35.0  # seconds between two changes of one calendar
LOOKS = 0.2  # seconds between two looks whether it has come
GIVEN_UP = 120.0
LATER = dt.timedelta(minutes=15)
BARS = {"in": 10.0, "out": 20.0}


@contextlib.contextmanager
def demo() -> Iterator[dict[str, Any]]:
    """The demo with everything that belongs to it, in a folder and on ports of its own; what its demo.json says."""
    with tempfile.TemporaryDirectory(prefix="fieldcamp-bench-") as folder:
        port = free_port()
        environ = {
            **os.environ,
            "FIELDCAMP_DATA": folder,
            "PORT": str(port),
            "SANDBOX_PORT": str(port + 1),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "SANDBOX_URL": f"http://127.0.0.1:{port + 1}",
            "ALLOW_SANDBOX": "1",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "DEBUG": "0",
        }
        command = [sys.executable, str(ROOT / "manage.py"), "demo"]
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            facts = Path(folder) / "demo.json"
            ends = time.monotonic() + 300
            while not facts.exists() and process.poll() is None and time.monotonic() < ends:
                time.sleep(0.5)
            yield json.loads(facts.read_text())
        finally:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)


def until(holds: Callable[[], bool]) -> float:
    """Seconds until it holds; infinity where it does not in two minutes."""
    began = time.monotonic()
    while time.monotonic() - began < GIVEN_UP:
        if holds():
            return time.monotonic() - began
        time.sleep(LOOKS)
    return float("inf")


def p95(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, round(0.95 * len(times)))]


class Sides:
    """A technician of the demo, at FieldCamp and at their calendar."""

    def __init__(self, facts: dict[str, Any], slug: str, name: str):
        from integrations.demo.caller import Caller
        from integrations.demo.once import visits_of
        from integrations.demo.users import USERS

        self.api = Caller(f"{facts['base_url']}/api/v1", facts["api_key"])
        self.api.sync(slug)
        self.user = USERS[slug.replace("-", "_")](facts["sandbox_url"], name)
        self.events = list(visits_of(self.user).values())

    def visit(self, visit_id: str) -> dict[str, Any]:
        return dict(self.api("GET", f"/visits/{visit_id}")["data"])

    def change_there(self, number: int) -> float:
        """Moves an event at the vendor; seconds until the visit has moved."""
        from integrations.demo.users import instant

        event = self.events[number]
        self.user.edit(event, later=LATER)
        return until(lambda: instant(self.visit(event.visit_id)["scheduledStart"]) == event.start + LATER)

    def save_here(self, number: int) -> float:
        """Saves a visit; seconds until its event has the new title."""
        event = self.events[number]
        self.api("PATCH", f"/visits/{event.visit_id}", {"title": f"Saved {number}"})
        title = self.user.title
        return until(lambda: f"Saved {number}" in self.user.calendar("GET", f"/events/{event.id}")[title])


def measure(slug: str, changes: int) -> dict[str, list[float]]:
    """Seconds of each change, in both directions, at one vendor."""
    found: dict[str, list[float]] = {"in": [], "out": []}
    with demo() as facts:
        dana, lee = (Sides(facts, slug, name) for name in ("dana", "lee"))
        time.sleep(QUIET)
        for number in range(changes):
            found["in"].append(dana.change_there(number))
            found["out"].append(lee.save_here(number))
            print(f"{slug} {number + 1}: in {found['in'][-1]:.1f} s, out {found['out'][-1]:.1f} s", flush=True)
            time.sleep(QUIET)
    return found


def rows(slug: str, found: dict[str, list[float]]) -> list[Row]:
    words = {"in": "changed at the vendor → in FieldCamp", "out": "saved in FieldCamp → at the vendor"}
    return [
        (
            f"{slug}: {words[way]}",
            f"p95 ≤ {BARS[way]:.0f} s",
            f"{p95(times):.1f} s (median {sorted(times)[len(times) // 2]:.1f} s, {len(times)} changes)",
            p95(times) <= BARS[way],
        )
        for way, times in found.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "fieldcamp.settings"
    os.environ.setdefault("ALLOW_SANDBOX", "1")
    import django

    django.setup()
    found = rows(SLUG, measure(SLUG, options.changes))
    print(table(found))
    if options.write:
        put(BEGIN, END, f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.\n\n{table(found)}")
    sys.exit(not all(met for *_, met in found))


if __name__ == "__main__":
    main()
