"""`python bench/books.py [names…]`: what the books of a large company cost, against the bars of docs/benchmarks.md.

Writes its section of docs/benchmarks.md when all of it was run. `--list` names the parts.
"""

import itertools
import math
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import report, world
from bench.report import Row

LATENCY = 0.1  # seconds for each request
BEGIN, END = "<!-- books: written by bench/books.py -->", "<!-- /books -->"
COMPANY = "9130001"
API = "/intuit/api"


@dataclass
class Run:
    """What one run took; `seconds` without what the sandbox took for its answers."""

    job: Any
    seconds: float
    waited: float
    statements: int
    calls: list[dict[str, Any]]

    @property
    def by_kind(self) -> Counter[str]:
        """Calls by what they are."""
        return Counter(row["path"].split("?")[0].rsplit("/", 1)[-1] for row in self.calls)


def measured(vendors, connection, ends: str = "succeeded") -> Run:
    """A sync, its time, its statements and its calls."""
    from django.db import connection as db

    statements = itertools.count()

    def counted(execute, sql, params, many, context):
        next(statements)
        return execute(sql, params, many, context)

    def timed(request, **kwargs):
        nonlocal there
        began = time.perf_counter()
        try:
            return send(request, **kwargs)
        finally:
            there += time.perf_counter() - began

    vendors.forget_requests()
    send, there = vendors.adapter.send, 0.0
    vendors.adapter.send = timed
    waited, started = vendors.adapter.waited, time.perf_counter()
    try:
        with db.execute_wrapper(counted):
            job = world.sync(connection, ends=ends)
        spent = time.perf_counter() - started - there
    finally:
        vendors.adapter.send = send
    return Run(job, spent, vendors.adapter.waited - waited, next(statements), vendors.requests(API))


def company(vendors, customers: int, invoices: int, name: str = "Books"):
    """A connected company whose books hold that many customers, 20 items and that many invoices."""
    from django.utils import timezone

    from fieldcamp.workspace.models import Workspace
    from integrations.providers import PROVIDERS
    from integrations.services.books.setup import read_choices, set_up_books
    from integrations.services.connections import take_grant
    from integrations.transport.client import HttpClient, OneToken

    vendors.call("POST", "reset", json={"seed": "empty"})
    vendors.throttle(False)
    counts = {"customers": customers, "items": 20, "invoices": invoices}
    vendors.call("POST", "bulk", json={"vendor": "intuit", "account": COMPANY, **counts})
    vendors.advance(3600)  # what was made just now would be told as a change once more
    provider = PROVIDERS["quickbooks"]
    tokens = provider.parse_tokens(vendors.token(COMPANY), timezone.now())
    account = provider.identify(HttpClient(provider, OneToken(tokens.access_token)), {"realmId": COMPANY})
    workspace = Workspace.objects.create(name=name)
    connection = take_grant(workspace=workspace, integration="quickbooks", account=account, tokens=tokens, user=None)
    found = read_choices(connection)
    chosen = {"income_account_id": found.income_accounts[0].id, "default_item_id": found.items[0].id}
    return set_up_books(connection=connection, choices=found, import_customers=False, import_items=False, **chosen)


def make_clients(connection, known: int, namesakes: int = 0, new: int = 0) -> list:
    """Clients: some with a customer's e-mail address, some who only share a customer's name, some of nobody's."""
    from fieldcamp.sandbox.intuit.bulk import _customer
    from fieldcamp.workspace.models import Client

    def client(n: int, email: bool) -> Client:
        one = _customer(n)
        names = {"first_name": one["GivenName"], "last_name": one["FamilyName"]}
        if not email:
            return Client(workspace=connection.workspace, **names)
        return Client(workspace=connection.workspace, email=one["PrimaryEmailAddr"]["Address"], **names)

    made = [client(n, email=True) for n in range(known)]
    made += [client(n, email=False) for n in range(known, known + namesakes)]
    made += [Client(workspace=connection.workspace, first_name="New", last_name=f"Client {n}") for n in range(new)]
    return Client.objects.bulk_create(made, batch_size=1000)


def make_invoices(connection, clients: list, count: int, first: int = 500_001) -> list:
    """Sent invoices of 100.00, one line each, of these clients in turn."""
    from django.utils import timezone

    from fieldcamp.workspace.lines import built, computed, lines_digest
    from fieldcamp.workspace.models import Invoice, InvoiceLine

    now = timezone.now()
    invoices, lines = [], []
    for n in range(count):
        rows = built([{"description": "Work", "unit_price": Decimal(100)}], {})
        invoice = Invoice(
            workspace=connection.workspace,
            number=f"FC-{first + n}",
            client=clients[n % len(clients)],
            date=now.date(),
            sent_at=now,
            lines_digest=lines_digest(rows),
        )
        for name, value in computed(invoice, rows).items():
            setattr(invoice, name, value)
        for row in rows:
            row.invoice = invoice
        invoices.append(invoice)
        lines += rows
    Invoice.objects.bulk_create(invoices, batch_size=1000)
    InvoiceLine.objects.bulk_create(lines, batch_size=1000)
    return invoices


def large() -> list[Row]:
    """5,000 customers and 20,000 invoices there, 5,000 clients and 2,000 invoices here. A person is asked of 200
    clients whether a customer is the same, so each job ends "partial"."""
    rows: list[Row] = []
    with world.sandbox_inside() as vendors:
        vendors = vendors.at("intuit")
        connection = company(vendors, 5_000, 20_000)
        clients = make_clients(connection, known=4_300, namesakes=200, new=500)
        make_invoices(connection, clients[:4_300], 2_000)
        vendors.call("POST", "latency", json={"vendor": "intuit", "per_request_ms": LATENCY * 1000})
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        first = measured(vendors, connection, "partial")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows += _first(first, before, peak)
        vendors.advance(3600)
        rows += _own(measured(vendors, connection, "partial"))
        rows += _idle(measured(vendors, connection, "partial"))
        rows += _many_there(vendors, connection)
        vendors.advance(3600)
        measured(vendors, connection, "partial")
        rows += _idle(measured(vendors, connection, "partial"), "again")
    return rows


def _first(run: Run, before: float, peak: float) -> list[Row]:
    job, calls = run.job, run.by_kind
    bar = math.ceil(500 / 30) + math.ceil(2_000 / 30) + 2 * 2
    total = run.seconds + run.waited
    counts = f"{job.pushed} made, {job.skipped} skipped, {job.pulled} taken in, {job.failed} asked about"
    listed = f"{len(run.calls)} ({calls['query']} queries, {calls['batch']} batches)"
    return [
        (
            "first sync: 5,000 customers and 20,000 invoices there, 5,000 clients and 2,000 invoices here",
            "-",
            f"{total:.0f} s at 100 ms a call, of which {run.seconds:.0f} s here; {counts}",
            True,
        ),
        (
            "the same: batches for 500 new customers and 2,000 new invoices",
            f"≤ {bar}",
            str(calls["batch"]),
            calls["batch"] <= bar,
        ),
        ("the same: calls", "-", listed, True),
        ("the same: statements", "-", f"{run.statements:,}", True),
        (
            "the same: peak memory, with the sandbox in the same process",
            "-",
            f"{peak:.0f} MB ({before:.0f} MB before it)",
            True,
        ),
    ]


def _own(run: Run) -> list[Row]:
    """What FieldCamp has posted is told to it once."""
    text = f"{len(run.calls)} calls, {run.seconds:.1f} s, {run.statements:,} statements"
    return [("the run after it, which is told of all that FieldCamp has posted", "-", text, not run.job.pushed)]


def _idle(run: Run, when: str = "") -> list[Row]:
    paths = [row["path"] for row in run.calls]
    cdc = sum("/cdc" in path for path in paths)
    text = f"{cdc} of changes, {len(paths) - cdc} others"
    job = run.job
    quiet = not (job.pulled or job.pushed)
    return [
        (
            f"idle run on these books{when and ', '}{when}: calls",
            "1 of changes",
            text,
            cdc == len(paths) == 1,
        ),
        ("the same: time here, statements", "-", f"{run.seconds * 1000:.0f} ms, {run.statements}", quiet),
    ]


def _many_there(vendors, connection) -> list[Row]:
    """1,500 changes in QuickBooks between two syncs: more than one answer of changes holds."""
    from integrations.models import Link

    links = Link.objects.filter(stream__connection=connection, kind="customer", cut_at=None).exclude(record_id="")
    changed = list(links.order_by("pk")[:1500])
    _edit_there(vendors, [link.remote_id for link in changed], "Taken In")
    run = measured(vendors, connection, "partial")
    from fieldcamp.workspace.models import Client

    taken = Client.objects.filter(workspace=connection.workspace, company_name="Taken In").count()
    text = f"{taken} in {run.seconds:.1f} s with {len(run.calls)} calls, {run.statements:,} statements"
    return [("1,500 customers changed there between two syncs, taken in", "1,500", text, taken == 1500)]


def _edit_there(vendors, ids: list[str], name: str) -> None:
    """Each of these customers gets a company's name, by a bookkeeper's batches."""
    from tests.integrations.books.bookkeeper import Bookkeeper

    books = Bookkeeper(vendors)
    for start in range(0, len(ids), 30):
        some = ids[start : start + 30]
        there = books.all("Customer", f"WHERE Id IN ({', '.join(repr(id) for id in some)})")
        parts = [
            {
                "bId": row["Id"],
                "operation": "update",
                "Customer": {"Id": row["Id"], "SyncToken": row["SyncToken"], "sparse": True, "CompanyName": name},
            }
            for row in there
        ]
        answer = books.call("POST", "batch", json={"BatchItemRequest": parts})
        assert all("Customer" in part for part in answer["BatchItemResponse"]), answer


def _sizes(vendors) -> Iterator[tuple[str, Any, list]]:
    for name, customers, invoices in (("small", 50, 100), ("large", 5_000, 20_000)):
        connection = company(vendors, customers, invoices, name)
        clients = make_clients(connection, known=50)
        made = make_invoices(connection, clients, 50)
        world.sync(connection)
        yield name, connection, made


def few_among_many(runs: int = 5) -> list[Row]:
    """Ten changes, in small books and in large ones."""
    from fieldcamp.workspace.models import Client, Invoice

    def edited(connection, made: list, number: int) -> None:
        Invoice.objects.filter(pk__in=[invoice.pk for invoice in made[:10]]).update(memo=f"Edit {number}")

    def added(connection, made: list, number: int) -> None:
        clients = list(Client.objects.filter(workspace=connection.workspace)[:10])
        make_invoices(connection, clients, 10, first=600_001 + 10 * number)

    changes: dict[str, Callable] = {"10 invoices edited": edited, "10 new invoices": added}
    times: dict[tuple[str, str], float] = {}
    queries: dict[tuple[str, str], int] = {}
    with world.sandbox_inside() as vendors:
        vendors = vendors.at("intuit")
        for size, connection, made in _sizes(vendors):
            for name, change in changes.items():
                vendors.advance(3600)
                taken = []
                for number in range(runs):
                    change(connection, made, number)
                    run = measured(vendors, connection)
                    assert run.job.pushed == 10, run.job.errors
                    taken.append(run.seconds)
                    queries[name, size] = run.statements
                times[name, size] = min(taken)
    rows = []
    for name in changes:
        small, big = times[name, "small"], times[name, "large"]
        text = f"{big / small:.2f}× ({small * 1000:.0f} ms, {big * 1000:.0f} ms)"
        rows.append((f"{name} in large books against in small: time", "≤ 1.5×", text, big <= 1.5 * small))
        same = queries[name, "small"], queries[name, "large"]
        rows.append(("the same: statements", "equal", f"{same[0]} and {same[1]}", same[0] == same[1]))
    return rows


PARTS = {f.__name__: f for f in (large, few_among_many)}


def write(rows: list[Row]) -> None:
    """Puts the table into this benchmark's section of docs/benchmarks.md and leaves the others alone."""
    text = (
        "## What the books of a large company cost\n\n"
        f"Repeat with `.venv/bin/python bench/books.py`. {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the "
        f"end, SQLite, one run on {time.strftime('%Y-%m-%d', time.gmtime())}; the sandbox is in the same process: its "
        "memory is in the figures, the time of its answers is not; its throttles are off. Latency is counted for each "
        "call rather than slept.\n\n"
        f"{report.table(rows)}"
    )
    report.put(BEGIN, END, text)


def main(arguments: list[str]) -> None:
    if arguments == ["--list"]:
        print("\n".join(PARTS))
        return
    world.start()
    rows = report.run(PARTS, arguments)
    if not arguments:
        write(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
