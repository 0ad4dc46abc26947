"""Problems of each cause, as many as a test wants, with the records that they are about."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils import timezone

from fieldcamp.workspace.models import Client, Invoice, Visit
from integrations.models import Connection, ConnectionState, Hold, Link, Problem, Stream
from tests.integrations.admin.conftest import GOOGLE, Company

BOOKS = "quickbooks"
DAY = dt.date(2026, 11, 24)


def books_of(ours: Company) -> Connection:
    """The company's books, with a stream for each kind that is planted."""
    found = Connection.objects.filter(workspace=ours.workspace, integration=BOOKS).first()
    if found is None:
        found = Connection.objects.create(
            workspace=ours.workspace, integration=BOOKS, account_id="9130001", account_name="Ours in the books",
            state=ConnectionState.ACTIVE, connected_at=timezone.now(),
        )  # fmt: skip
        for kind in ("customer", "invoice"):
            Stream.objects.create(connection=found, container_id=kind, kind=kind)
    return found


def clients(ours: Company, number: int, name: str) -> list[Client]:
    return Client.objects.bulk_create(
        Client(workspace=ours.workspace, first_name=name, last_name=f"{n:03}", email=f"{name.lower()}{n}@x.test")
        for n in range(number)
    )


def visits(ours: Company, number: int, name: str) -> list[Visit]:
    start = dt.datetime(2026, 11, 24, 14, tzinfo=dt.UTC)
    return Visit.objects.bulk_create(
        Visit(
            workspace=ours.workspace, client=client, technician=ours.tech, title=f"Drain of {client}",
            scheduled_start=start + dt.timedelta(hours=n), scheduled_end=start + dt.timedelta(hours=n + 1),
        )
        for n, client in enumerate(clients(ours, number, name))
    )  # fmt: skip


def invoices(ours: Company, number: int, name: str) -> list[Invoice]:
    return Invoice.objects.bulk_create(
        Invoice(
            workspace=ours.workspace,
            client=client,
            number=f"{name}-{client.pk[-6:]}"[-21:],
            date=DAY,
            total=Decimal("1113.74"),
            sent_at=timezone.now(),
        )
        for client in clients(ours, number, name)
    )


def links(stream: Stream, kind: str, records: list[Any], **fields: Any) -> list[Link]:
    return Link.objects.bulk_create(
        Link(stream=stream, kind=kind, record_id=record.pk, remote_id=f"r-{record.pk}", **fields) for record in records
    )


def problems(ours: Company, code: str, kind: str, records: list[Any], connection: Connection, **fields: Any) -> None:
    """`data` and `link` are lists, one of each record."""
    now = timezone.now()
    data, mine = fields.pop("data", [{}] * len(records)), fields.pop("link", [None] * len(records))
    Problem.objects.bulk_create(
        Problem(
            workspace=ours.workspace, integration=connection.integration, connection=connection, code=code,
            record_kind=kind, record_id=record.pk, message="Of no use as it is.", occurred_at=now, data=about,
            link=link, **fields,
        )
        for record, about, link in zip(records, data, mine, strict=True)
    )  # fmt: skip


def held(ours: Company, number: int) -> Hold:
    """As many events gone at once, in the place of those that the company has held already."""
    Hold.objects.filter(pk=ours.hold.pk).update(removals=number, of=max(24, number))
    Link.objects.filter(hold=ours.hold).delete()
    links(ours.stream, "visit", visits(ours, number, "Held"), hold=ours.hold, seen_gone=True)
    return Hold.objects.get(pk=ours.hold.pk)


def conflicts(ours: Company, number: int) -> None:
    records = visits(ours, number, "Conflict")
    here, there = ({"start": f"2026-11-24T{hour}:00:00Z", "end": f"2026-11-24T{hour}:30:00Z"} for hour in (14, 18))
    problems(
        ours, "CONFLICT", "visit", records, ours.connection, link=links(ours.stream, "visit", records, parked=True),
        data=[{"local": here, "remote": there, "base": {**here, "start": "2026-11-24T13:00:00Z"}}] * number,
    )  # fmt: skip


def removed_events(ours: Company, number: int) -> None:
    records = visits(ours, number, "Removed")
    mine = links(ours.stream, "visit", records, seen_gone=True, cut_at=timezone.now())
    problems(ours, "EVENT_REMOVED", "visit", records, ours.connection, link=mine)


def twins(ours: Company, number: int, name: str = "Twin") -> None:
    """Clients who may be in the books already: with an equal name and address there."""
    books, records = books_of(ours), clients(ours, number, name)
    stream = Stream.objects.get(connection=books, kind="customer")
    for n, record in enumerate(records):
        seen = {"display_name": str(record), "given_name": name, "family_name": f"{n:03}", "email": record.email}
        record.seen = seen
    Link.objects.bulk_create(
        Link(stream=stream, kind="customer", remote_id=f"{name}-{n}", seen=record.seen, seen_at=timezone.now())
        for n, record in enumerate(records)
    )
    problems(
        ours, "RECORD_REJECTED", "customer", records, books,
        data=[{"reason": "match", "candidates": [f"{name}-{n}"]} for n in range(number)],
    )  # fmt: skip


def refused(ours: Company, number: int, reason: str = "closed_period") -> None:
    books, records = books_of(ours), invoices(ours, number, reason)
    mine = links(Stream.objects.get(connection=books, kind="invoice"), "invoice", records, parked=True)
    problems(ours, "RECORD_REJECTED", "invoice", records, books, link=mine, data=[{"reason": reason}] * number)


def deleted_there(ours: Company, number: int) -> None:
    books, records = books_of(ours), invoices(ours, number, "deleted")
    mine = links(Stream.objects.get(connection=books, kind="invoice"), "invoice", records, cut_at=timezone.now())
    problems(ours, "RECORD_REMOVED", "invoice", records, books, link=mine)


SIX = {
    "conflict": conflicts, "event_removed": removed_events, "match": twins, "closed_period": refused,
    "record_removed": deleted_there, "email": lambda ours, number: refused(ours, number, "email"),
}  # fmt: skip
assert GOOGLE
