"""`python bench/webhooks.py [pending]`: from a saved visit to a receiver, while deliveries to a dead one wait.

The process that sends is `manage.py worker --webhooks`, as in a company; the receiver is in this process. Without a
number 50,000 deliveries wait. Writes its section of docs/benchmarks.md when run without arguments.
"""

import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import report, world
from bench.report import Row

PENDING, VISITS, PAUSE, BAR = 50_000, 60, 0.35, 2.0
BEGIN, END = "<!-- webhooks: written by bench/webhooks.py -->", "<!-- /webhooks -->"


class Receiver(ThreadingHTTPServer):
    """Answers 200 and notes when the event of which record came."""

    def __init__(self) -> None:
        self.came: dict[str, float] = {}
        self.arrived = threading.Condition()
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.arrived:
            self.server.came.setdefault(body["data"]["object"]["id"], time.monotonic())
            self.server.arrived.notify_all()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def _endpoint(workspace, url: str, events: list[str]):
    from fieldcamp.api.scopes import SCOPES
    from fieldcamp.webhooks.models import WebhookEndpoint
    from fieldcamp.webhooks.secret import new_secret

    return WebhookEndpoint.objects.create(
        workspace=workspace, url=url, events=events, status="enabled", scopes=list(SCOPES), secret=new_secret()
    )


def _pile_up(endpoint, count: int) -> None:
    """Has this many deliveries of one event wait for the endpoint."""
    from django.utils import timezone

    from fieldcamp.webhooks.models import WebhookDelivery
    from fieldcamp.webhooks.recording import record_event

    event = record_event(endpoint.workspace_id, "client.created", {"id": "cli_0"})
    now = timezone.now()
    type(event).objects.filter(pk=event.pk).update(fanned_out_at=now)
    made = {"workspace_id": endpoint.workspace_id, "endpoint": endpoint, "event": event, "next_at": now}
    first = WebhookDelivery.objects.create(**made)
    WebhookDelivery.objects.bulk_create(
        (WebhookDelivery(**made, replay_of=first) for _ in range(count - 1)), batch_size=2_000
    )


def latency(pending: int) -> list[Row]:
    from fieldcamp.workspace.models import Client, Visit, Workspace

    workspace, receiver = Workspace.objects.create(name="Bench"), Receiver()
    dead = _endpoint(workspace, "http://127.0.0.1:9/", ["client.*"])
    _endpoint(workspace, f"http://127.0.0.1:{receiver.server_address[1]}/", ["visit.*"])
    _pile_up(dead, pending)
    client = Client.objects.create(workspace=workspace, first_name="Kim")
    environ = {**os.environ, "WEBHOOK_ALLOW_PRIVATE": "1", "ALLOW_SANDBOX": "1"}
    command = [sys.executable, str(world.ROOT / "manage.py"), "worker", "--webhooks"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    saved: dict[str, float] = {}
    try:
        for number in range(VISITS + 1):
            visit = Visit.objects.create(workspace=workspace, client=client, title=f"Visit {number}")
            saved[visit.pk] = time.monotonic()
            if number == 0:  # the process has begun, and is not measured
                with receiver.arrived:
                    assert receiver.arrived.wait_for(lambda: bool(receiver.came), 120)
                saved.clear()
            time.sleep(PAUSE)
        with receiver.arrived:
            assert receiver.arrived.wait_for(lambda: saved.keys() <= receiver.came.keys(), 60)
    finally:
        process.terminate()
        process.wait()
        receiver.shutdown()
    took = sorted(receiver.came[key] - at for key, at in saved.items())
    p95 = took[int(0.95 * (len(took) - 1))]
    name = f"saved visit → received, p95 of {VISITS}, {pending:,} deliveries of a dead webhook waiting"
    return [
        (name, f"≤ {BAR:.0f} s", f"{p95:.2f} s", p95 <= BAR),
        ("the same, median", "-", f"{took[len(took) // 2]:.2f} s", True),
    ]


def main(arguments: list[str]) -> None:
    world.start()
    pending = int(arguments[0]) if arguments else PENDING
    rows = report.run({"latency": lambda: latency(pending)}, [])
    if not arguments:
        text = (
            "## From a saved record to a webhook's receiver\n\n"
            f"Repeat with `.venv/bin/python bench/webhooks.py`. {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} "
            f"at the end, SQLite, one run on {time.strftime('%Y-%m-%d', time.gmtime())}.\n\n{report.table(rows)}"
        )
        report.put(BEGIN, END, text)


if __name__ == "__main__":
    main(sys.argv[1:])
