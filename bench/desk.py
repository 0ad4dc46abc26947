"""`python -m bench.desk`: what the desk's pages cost with 100,000 jobs, 10,000 visits and clients, 50 connections and
5,000 open problems, beside the same pages of a company that has next to nothing. SQLite, templates cached, DEBUG off.

`--write` puts the table into docs/benchmarks.md. Fails when a page needs more queries than its bar or is too slow.
"""

import argparse
import datetime as dt
import os
import platform
import sys
import tempfile
import time
from types import SimpleNamespace

from bench import report

BAR_MS = 300
BEGIN, END = "<!-- desk -->", "<!-- /desk -->"
STATUSES = ("succeeded",) * 90 + ("partial",) * 6 + ("failed",) * 3 + ("cancelled",)


def make(name: str, *, jobs: int, visits: int, connections: int, problems: int, items: int) -> SimpleNamespace:
    """A company with so much in it, spread over the last 90 days, and its signed-in owner."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from fieldcamp.workspace.models import BlockedTime, Client, Member, Visit, Workspace
    from integrations import models

    now = timezone.now()
    workspace = Workspace.objects.create(name=name)
    user = User.objects.create_user(name, is_staff=True)
    Member.objects.create(workspace=workspace, user=user, first_name="Olivia", role="owner")
    people = Member.objects.bulk_create(
        Member(workspace=workspace, first_name=f"Tech {n}", is_technician=True) for n in range(connections)
    )
    clients = Client.objects.bulk_create(
        [Client(workspace=workspace, company_name=f"Client {n}") for n in range(visits)], batch_size=1000
    )
    starts = [now + dt.timedelta(minutes=13 * n) for n in range(visits)]
    planned = Visit.objects.bulk_create(
        [
            Visit(
                workspace=workspace, client=clients[n], technician=people[n % len(people)], title=f"Visit {n}",
                scheduled_start=starts[n], scheduled_end=starts[n] + dt.timedelta(hours=1),
                visit_status="scheduled", timezone=workspace.timezone,
            )
            for n in range(visits)
        ],
        batch_size=1000,
    )  # fmt: skip
    BlockedTime.objects.bulk_create(
        [
            BlockedTime(
                workspace=workspace, member=people[n % len(people)], key=str(n),
                starts_at=now + dt.timedelta(hours=n), ends_at=now + dt.timedelta(hours=n + 1),
            )
            for n in range(visits)
        ],
        batch_size=1000,
    )  # fmt: skip
    accounts = models.Connection.objects.bulk_create(
        models.Connection(
            workspace=workspace, integration="google_calendar", member=member, account_id=f"account {n}",
            account_name=f"tech{n}@google.test", state="active", connected_at=now,
        )
        for n, member in enumerate(people)
    )  # fmt: skip
    models.Stream.objects.bulk_create(
        models.Stream(connection=account, container_id="main", is_target=True, reads_busy=True) for account in accounts
    )
    models.WorkspaceIntegration.objects.create(workspace=workspace, integration="google_calendar", next_sync_at=now)
    step = dt.timedelta(days=90) / max(jobs, 1)
    runs = models.SyncJob.objects.bulk_create(
        [
            models.SyncJob(
                workspace=workspace, integration="google_calendar", status=STATUSES[n % 100], triggered_by="schedule",
                created_at=now - step * n, started_at=now - step * n, finished_at=now - step * n, pushed=n % 7,
            )
            for n in range(jobs)
        ],
        batch_size=1000,
    )  # fmt: skip
    models.JobPart.objects.bulk_create(
        [
            models.JobPart(job=run, connection=account, status="done")
            for run in runs[: jobs // 100 or 1]
            for account in accounts
        ],
        batch_size=1000,
    )
    models.JobItem.objects.bulk_create(
        [
            models.JobItem(
                job=runs[0], connection=accounts[n % len(accounts)], kind="visit", key=f"vis_{n}",
                record_id=planned[n % visits].pk, outcome="failed" if n % 50 == 0 else "pushed",
            )
            for n in range(items)
        ],
        batch_size=1000,
    )  # fmt: skip
    models.SyncJob.objects.filter(pk=runs[0].pk).update(pushed=items - items // 50, failed=items // 50)
    models.Problem.objects.bulk_create(
        [
            models.Problem(
                workspace=workspace, integration="google_calendar", connection=accounts[n % len(accounts)],
                code="CONFLICT" if n % 3 == 0 else "RECORD_REJECTED", record_kind="visit",
                record_id=planned[n % visits].pk if n < visits else f"vis_{n}", message=f"Refused {n}.",
                occurred_at=now - dt.timedelta(minutes=n),
            )
            for n in range(problems)
        ],
        batch_size=1000,
    )  # fmt: skip
    return SimpleNamespace(user=user, job=runs[0], connection=accounts[0], visit=planned[0], client=clients[0])


def pages(company: SimpleNamespace) -> dict[str, str]:
    at = "/admin/integrations"
    return {
        "dashboard": "/admin/",
        "card, as it is fetched every 2 s": f"{at}/cards/google-calendar/",
        "what needs you, as it is fetched every 30 s": f"{at}/needs/",
        "job list": f"{at}/syncjob/",
        "job list, page 1,000": f"{at}/syncjob/?p=1000",
        "job list, failed ones": f"{at}/syncjob/?status__exact=failed",
        "job list, one id": f"{at}/syncjob/?q={company.job.pk}",
        "job page, 100,000 records": f"{at}/syncjob/{company.job.pk}/change/",
        "job page, failed records": f"{at}/syncjob/{company.job.pk}/change/?outcome=failed",
        "job page, last records": f"{at}/syncjob/{company.job.pk}/change/?page=2000",
        "connection list": f"{at}/connection/",
        "connection page": f"{at}/connection/{company.connection.pk}/change/",
        "problems": f"{at}/problem/",
        "open problems": f"{at}/problem/?state=open",
        "visits": "/admin/workspace/visit/",
        "visits, searched": "/admin/workspace/visit/?q=Visit+77",
        "visits, scheduled ones": "/admin/workspace/visit/?visit_status__exact=scheduled",
        "visit page": f"/admin/workspace/visit/{company.visit.pk}/change/",
        "clients": "/admin/workspace/client/",
        "clients, searched": "/admin/workspace/client/?q=Client+77",
        "blocked times": "/admin/workspace/blockedtime/",
        "team": "/admin/workspace/member/",
    }


def measure(company: SimpleNamespace, rounds: int) -> dict[str, tuple[int, float]]:
    """For each page: its queries, and the least of its milliseconds."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    browser = Client(SERVER_NAME="localhost")
    browser.force_login(company.user)
    found = {}
    for name, address in pages(company).items():
        with CaptureQueriesContext(connection) as queries:
            answer = browser.get(address)
            statements = list(queries)
        if answer.status_code != 200:
            raise SystemExit(f"{name}: {answer.status_code}")
        times = []
        for _ in range(rounds):
            started = time.perf_counter()
            browser.get(address).content  # noqa: B018
            times.append(1000 * (time.perf_counter() - started))
        found[name] = len(statements), min(times)
        if os.environ.get("SLOWEST"):
            for query in sorted(statements, key=lambda each: -float(each["time"]))[:2]:
                print(f"{name}: {query['time']} s {query['sql'][:600]}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the result into docs/benchmarks.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fieldcamp-bench.") as folder:
        os.environ |= {"FIELDCAMP_DATA": folder, "LOG_LEVEL": "WARNING", "DJANGO_SETTINGS_MODULE": "fieldcamp.settings"}
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        large = make("Large", jobs=100_000, visits=10_000, connections=50, problems=5_000, items=100_000)
        small = make("Small", jobs=2, visits=2, connections=1, problems=1, items=2)
        few, many = measure(small, options.rounds), measure(large, options.rounds)
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end, Python {platform.python_version()}"
    lines = [
        f"{machine}, SQLite; best of {options.rounds}.",
        "",
        "| page | queries, small company | queries, large | ms, small | ms, large |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {few[name][0]} | {queries} | {few[name][1]:.0f} | {ms:.0f} |"
            for name, (queries, ms) in many.items()
        ),
    ]
    text = "\n".join(lines)
    print(text)
    if options.write:
        report.put(BEGIN, END, text)
    slow = [name for name, (_, ms) in many.items() if ms > BAR_MS]
    growing = [name for name, (queries, _) in many.items() if queries > few[name][0] + 3]
    if slow or growing:
        sys.exit(f"Over {BAR_MS} ms: {slow or 'none'}. More queries with more rows: {growing or 'none'}.")


if __name__ == "__main__":
    main()
