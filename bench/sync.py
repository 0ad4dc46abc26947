"""`python bench/sync.py [names…]`: what a sync costs, against the bars of docs/benchmarks.md, as ratios in one run.

Writes its section of docs/benchmarks.md when all of it was run. Takes some minutes; `--list` names the parts.
"""

import math
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import report, world
from bench.report import Row

LATENCY = 0.1  # seconds for each request
BEGIN, END = "<!-- sync: written by bench/sync.py -->", "<!-- /sync -->"


def round_trips() -> list[Row]:
    rows = []
    with world.sandbox_inside() as vendors:
        for count in (1, 50, 500, 2000):
            connection = world.connect_inside(vendors)
            world.sync(connection)
            world.make_visits(connection, count)
            vendors.forget_requests()
            assert world.sync(connection).pushed == count
            calls, bar = len(vendors.requests("/google/api")), math.ceil(count / 50) + 2
            rows.append((f"provider calls for {count} new visits", f"≤ {bar}", str(calls), calls <= bar))
        vendors.forget_requests()
        world.sync(connection)
        calls = len(vendors.requests("/google/api"))
        rows.append(("provider calls of an idle run, one calendar", "1", str(calls), calls == 1))
    return rows


def first_sync(count: int = 10_000, sample: int = 200) -> list[Row]:
    """Against one request for each event with plain `requests`, measured for some and extrapolated."""
    from fieldcamp.sandbox.mount import URL

    with world.sandbox_inside() as vendors:
        connection = world.connect_inside(vendors)
        world.make_visits(connection, count)
        vendors.call("POST", "latency", json={"vendor": "google", "per_request_ms": LATENCY * 1000})
        waited, started, computed = vendors.adapter.waited, time.perf_counter(), time.process_time()
        assert world.sync(connection).pushed == count
        spent, computed = time.perf_counter() - started, time.process_time() - computed
        ours = spent + vendors.adapter.waited - waited
        token = vendors.token(world.ACCOUNT)["access_token"]
        waited, started = vendors.adapter.waited, time.perf_counter()
        for number in range(sample):
            body = {
                "summary": f"Leak {number}",
                "start": {"dateTime": "2026-12-01T09:00:00Z"},
                "end": {"dateTime": "2026-12-01T10:00:00Z"},
            }
            answer = vendors.browser.post(
                f"{URL}/google/api/calendar/v3/calendars/{world.ACCOUNT}/events",
                json=body,
                headers={"Authorization": f"Bearer {token}"},
                timeout=30,
            )
            assert answer.ok
        plain = (time.perf_counter() - started + vendors.adapter.waited - waited) / sample * count
    ratio = plain / ours
    parts = f"{ours:.0f} s, of which {spent:.0f} s here with {computed:.0f} s of processor time"
    text = f"{ratio:.1f}× ({parts}; one by one {plain:.0f} s)"
    return [
        (
            f"first sync of {count:,} visits at 100 ms a request, against one request an event",
            "≥ 20×",
            text,
            ratio >= 20,
        )
    ]


def _many_links(connection, visits: list) -> None:
    """Linked and settled pairs as a sync leaves them, without the sync."""
    from integrations.calendar.visits import event_fields
    from integrations.models import Link

    stream = connection.streams.get()
    rows = []
    for visit in visits:
        fields = event_fields(visit)
        name = f"made{visit.pk}".lower()
        rows.append(
            Link(
                stream=stream, kind="visit", record_id=visit.pk, remote_id=name, base=fields, seen=fields, seen_tag="1"
            )
        )
    Link.objects.bulk_create(rows, batch_size=1000)


def few_among_many(runs: int = 5) -> list[Row]:
    from django.db import connection as db
    from django.test.utils import CaptureQueriesContext

    from fieldcamp.workspace.models import Visit

    times, queries = {}, {}
    with world.sandbox_inside() as vendors:
        for size in (1_000, 100_000):
            connection = world.connect_inside(vendors)
            mine = world.make_visits(connection, 10)
            world.sync(connection)
            _many_links(connection, world.make_visits(connection, size, tracked=False))
            world.sync(connection)
            taken = []
            for number in range(runs + 1):
                Visit.objects.filter(pk__in=[visit.pk for visit in mine]).update(title=f"Edit {number}")
                started = time.perf_counter()
                if number < runs:
                    world.sync(connection)
                    taken.append(time.perf_counter() - started)
                else:
                    with CaptureQueriesContext(db) as captured:
                        world.sync(connection)
                    queries[size] = len(captured)
            times[size] = min(taken)
    ratio = times[100_000] / times[1_000]
    detail = f"{ratio:.2f}× ({times[1_000] * 1000:.0f} ms, {times[100_000] * 1000:.0f} ms)"
    return [
        ("10 changes among 100,000 links against among 1,000: time", "≤ 1.5×", detail, ratio <= 1.5),
        (
            "the same: queries",
            "equal",
            f"{queries[1_000]} and {queries[100_000]}",
            queries[1_000] == queries[100_000],
        ),
    ]


def memory() -> list[Row]:
    """Peak memory of the process that runs the job, each size in a process of its own."""
    peaks, times = {}, {}
    for size in (10_000, 100_000):
        environ = {name: value for name, value in os.environ.items() if name != "FIELDCAMP_DATA"}
        command = [sys.executable, __file__, "--full", str(size)]
        answer = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout.split()
        peaks[size], times[size] = float(answer[-2]), float(answer[-1])
    ratio = peaks[100_000] / peaks[10_000]
    text = (
        f"{ratio:.2f}× ({peaks[10_000]:.0f} MB, {peaks[100_000]:.0f} MB; {times[10_000]:.0f} s, {times[100_000]:.0f} s)"
    )
    return [("peak memory of a full sync of 100,000 records against 10,000", "≤ 1.3×", text, ratio <= 1.3)]


def _full(size: int) -> None:
    """The child of `memory`: a first and full sync of that many events of a person."""
    import requests

    from integrations.providers import PROVIDERS

    listed = size * 7 // 4  # three in seven of the sandbox's lie before the window
    with world.sandbox_beside() as address:
        requests.post(
            f"{address}/_control/bulk",
            json={"vendor": "google", "account": world.ACCOUNT, "events": listed},
            timeout=600,
        ).raise_for_status()
        scopes = list(PROVIDERS["google_calendar"].scopes)
        body = {"vendor": "google", "account": world.ACCOUNT, "scopes": scopes, "client_id": "sandbox-client"}
        connection = world.connect(requests.post(f"{address}/_control/token", json=body, timeout=60).json())
        started = time.perf_counter()
        job = world.sync(connection, "full")
        assert job.done >= size * 0.9, job.done  # the records that the job looked at
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.perf_counter() - started)


def feed(size: int = 1_000_000, runs: int = 200) -> list[Row]:
    from django.db import connection as db
    from django.utils import timezone

    from fieldcamp.workspace.models import Workspace
    from integrations.models import ChangeRow, WorkspaceIntegration
    from integrations.selectors.feed import Feed

    workspace = Workspace.objects.create(name="Feed")
    WorkspaceIntegration.objects.create(workspace=workspace, integration="google_calendar", feed_seq=size)
    shown = '{"summary": null, "start": "2026-12-01T09:00:00Z", "end": "2026-12-01T10:00:00Z"}'
    with db.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {size})
            INSERT INTO {ChangeRow._meta.db_table}
                (workspace_id, integration, seq, action, kind, record_id, remote_id, shown, changed_at)
            SELECT %s, 'google_calendar', n, 'updated', 'block', '', 'event' || n, %s, %s FROM numbers
            """,  # noqa: S608
            [workspace.pk, shown, timezone.now()],
        )
        cursor.execute("ANALYZE")
    taken: dict[int, list[float]] = {100: [], size - 100: []}
    for _ in range(runs):
        for after, times in taken.items():
            started = time.perf_counter()
            assert len(Feed(workspace, "google_calendar").page(after, 50).rows) == 50
            times.append(time.perf_counter() - started)
    early, late = (sorted(times)[runs // 2] for times in taken.values())
    text = f"{late / early:.2f}× ({early * 1000:.1f} ms, {late * 1000:.1f} ms; median of {runs})"
    return [(f"change feed page at row {size:,} against row 100", "≤ 1.3×", text, late / early <= 1.3)]


def queue(count: int = 60) -> list[Row]:
    """From a trigger's commit to a worker's claim, with a real worker on the ORM broker."""
    from django.utils import timezone
    from django_q.tasks import async_task

    from fieldcamp.workspace.models import Workspace
    from integrations.models import Heartbeat, SyncJob

    worker = subprocess.Popen(
        [sys.executable, str(world.ROOT / "manage.py"), "worker"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            if Heartbeat.objects.filter(name="worker").exists():
                break
            time.sleep(0.1)
        ids = []
        for number in range(count):
            workspace = Workspace.objects.create(name=f"Queue {number}")
            job = SyncJob.objects.create(
                workspace=workspace, integration="google_calendar", triggered_by="api", created_at=timezone.now()
            )
            async_task("integrations.jobs.tasks.run_job", job.pk)
            ids.append(job.pk)
            time.sleep(0.13)
        for _ in range(300):
            if not SyncJob.objects.filter(pk__in=ids, started_at=None).exists():
                break
            time.sleep(0.1)
    finally:
        worker.terminate()
        worker.wait()
    waits = sorted(
        (started - created).total_seconds()
        for created, started in SyncJob.objects.filter(pk__in=ids).values_list("created_at", "started_at")
    )
    p95 = waits[math.ceil(0.95 * len(waits)) - 1]
    text = f"{p95:.2f} s (median {waits[len(waits) // 2]:.2f} s, {count} jobs)"
    return [("queued → running, p95, ORM broker on SQLite", "≤ 1 s", text, p95 <= 1)]


PARTS = {f.__name__: f for f in (round_trips, first_sync, few_among_many, memory, feed, queue)}


def write(rows: list[Row]) -> None:
    """Puts the table into this benchmark's section of docs/benchmarks.md and leaves the others alone."""
    text = (
        "## What a sync costs\n\n"
        f"Repeat with `.venv/bin/python bench/sync.py`. {os.cpu_count()} cores, SQLite, one run on "
        f"{time.strftime('%Y-%m-%d', time.gmtime())} on a machine that was busy with other work; the sandbox's "
        "throttles are off. Latency is counted for each request rather than slept, on top of the time that is computed "
        "(the sandbox's own included). One request an event is measured with plain `requests` for 200 events and "
        "extrapolated.\n\n"
        f"{report.table(rows)}"
    )
    report.put(BEGIN, END, text)


def main(arguments: list[str]) -> None:
    if arguments == ["--list"]:
        print("\n".join(PARTS))
        return
    world.start()
    if arguments[:1] == ["--full"]:
        _full(int(arguments[1]))
        return
    rows = report.run(PARTS, arguments)
    if not arguments:
        write(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
