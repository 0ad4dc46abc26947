"""`python -m bench.accounts`: an idle sync of many accounts, several at a time against one after the other.

Writes its section of docs/benchmarks.md with `--write`. DATABASE_URL takes it to PostgreSQL (an empty database of its
own). The calls' latency is really slept, since waiting is what is shared.
"""

import sys
import time

from bench import report, world
from bench.report import Row

BEGIN, END = "<!-- accounts -->", "<!-- /accounts -->"
CASES = ((12, 0.3, {}), (200, 0.2, {"sqlite": 0.2, "postgresql": 0.15}))  # accounts, seconds a call, bars


def accounts_of(vendors, count: int):
    """A company of that many technicians, each with a connected calendar (of one account at the sandbox)."""
    from django.utils import timezone

    from fieldcamp.workspace.models import Member, Workspace
    from integrations.providers import PROVIDERS
    from integrations.records import Account
    from integrations.services.connections import set_up, take_grant

    provider = PROVIDERS["google_calendar"]
    answer = vendors.token(world.ACCOUNT, list(provider.scopes))
    workspace = Workspace.objects.create(name=f"{count} technicians")
    for number in range(count):
        member = Member.objects.create(workspace=workspace, first_name=f"Tech {number}", is_technician=True)
        connection = take_grant(
            workspace=workspace,
            integration=provider.name,
            account=Account(f"account-{number}", f"tech{number}@google.test"),
            tokens=provider.parse_tokens(answer, timezone.now()),
            user=None,
        )
        set_up(connection=connection, member=member, target_container_id=world.ACCOUNT, busy_container_ids=[])
    return connection


def measure(vendors, count: int, latency: float) -> tuple[float, float]:
    """Seconds of an idle sync one after the other, and several at a time; the better of two each."""
    from django.conf import settings

    vendors.call("POST", "reset", json={"seed": "empty"})
    vendors.throttle(False)
    connection, usual = accounts_of(vendors, count), settings.ACCOUNTS_AT_ONCE
    world.sync(connection)
    end = vendors.around(lambda _path, send: (time.sleep(latency), send())[1])
    taken: dict[int, list[float]] = {1: [], usual: []}
    for settings.ACCOUNTS_AT_ONCE in (1, usual, usual):
        started = time.perf_counter()
        world.sync(connection)
        taken[settings.ACCOUNTS_AT_ONCE].append(time.perf_counter() - started)
    end()
    settings.ACCOUNTS_AT_ONCE = usual
    return min(taken[1]), min(taken[usual])


def accounts() -> list[Row]:
    from django.db import connection as database

    rows = []
    with world.sandbox_inside() as vendors:
        for count, latency, bars in CASES:
            bar = bars.get(database.vendor, 0.5)
            serial, parallel = measure(vendors, count, latency)
            ratio = parallel / serial
            what = f"idle sync of {count} calendars at {latency * 1000:.0f} ms a call, {database.vendor}"
            text = f"{ratio:.2f} ({serial:.1f} s, {parallel:.1f} s)"
            rows.append((what, f"≤ {bar} of one after the other", text, ratio <= bar))
    return rows


if __name__ == "__main__":
    world.start()
    found = report.run({"accounts": accounts}, [])
    if "--write" in sys.argv:
        report.put(
            BEGIN,
            END,
            "## Many accounts\n\nRepeat with `.venv/bin/python -m bench.accounts`.\n\n" + report.table(found),
        )
