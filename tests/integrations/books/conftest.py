"""A company with its books connected, and both sides at hand."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from fieldcamp.workspace import invoicing, paying
from fieldcamp.workspace.models import Client, Invoice, Item, Payment, Role, TaxRate
from integrations.models import Connection, JobItem, SyncJob
from integrations.providers import PROVIDERS
from integrations.services.books.setup import read_choices, set_up_books
from integrations.services.connections import take_grant
from integrations.services.jobs import trigger_sync
from integrations.transport.client import HttpClient, OneToken
from tests.faketime import process_clock
from tests.integrations.books.bookkeeper import Bookkeeper
from tests.integrations.engine import clock, finish, heartbeat, quiet_queue  # noqa: F401  (fixtures)
from tests.sandboxed import COMPANY

TODAY = dt.date(2026, 11, 20)


@pytest.fixture
def intuit(vendors):
    process_clock().follow(vendors.adapter)
    vendors = vendors.at("intuit")
    vendors.throttle(False)
    return vendors


@pytest.fixture
def books(intuit) -> Bookkeeper:
    return Bookkeeper(intuit)


@pytest.fixture
def connect_books(workspace, intuit) -> Callable[..., Connection]:
    """Connects a sandbox company, as the connect flow does after the consent."""

    def make(realm: str = COMPANY, **choices: Any) -> Connection:
        provider = PROVIDERS["quickbooks"]
        tokens = provider.parse_tokens(intuit.token(realm), timezone.now())
        account = provider.identify(HttpClient(provider, OneToken(tokens.access_token)), {"realmId": realm})
        connection = take_grant(
            workspace=workspace, integration="quickbooks", account=account, tokens=tokens, user=None
        )
        found = read_choices(connection)
        defaults = {
            "income_account_id": found.income_accounts[0].id,
            "default_item_id": found.items[0].id if found.items else "",
            "import_customers": False,
            "import_items": False,
        }
        return set_up_books(connection=connection, choices=found, **{**defaults, **choices})

    return make


@pytest.fixture
def company(connect_books, books) -> Connection:
    """Connected, with the item that stands for lines without one."""
    account = next(row for row in books.all("Account") if row["AccountType"] == "Income")
    item = books.add("Item", Name="Services", Type="Service", IncomeAccountRef={"value": account["Id"]})
    return connect_books(default_item_id=item["Id"])


@pytest.fixture
def sync(workspace) -> Callable[..., SyncJob]:
    def run(mode: str = "incremental", scope: str = "all", **fields: Any) -> SyncJob:
        job = trigger_sync(
            workspace=workspace,
            integration="quickbooks",
            mode=mode,
            scope=scope,
            triggered_by="api",
            actor="test",
            **fields,
        )
        return finish(job)

    return run


@pytest.fixture
def make_item(workspace) -> Callable[..., Item]:
    def make(**fields: Any) -> Item:
        return Item.objects.create(
            **{"workspace": workspace, "name": "Drain cleaning", "price": Decimal(120), **fields}
        )

    return make


@pytest.fixture
def make_tax(workspace) -> Callable[..., TaxRate]:
    def make(name: str = "California", rate: str = "0.08", **fields: Any) -> TaxRate:
        return TaxRate.objects.create(workspace=workspace, name=name, rate=Decimal(rate), **fields)

    return make


@pytest.fixture
def make_invoice(workspace) -> Callable[..., Invoice]:
    """An invoice that has been sent: `lines` are (item, quantity, unit price) or whole dicts."""

    def make(client: Client, lines: list, **fields: Any) -> Invoice:
        rows = [
            line
            if isinstance(line, dict)
            else {
                "item_id": line[0].pk if line[0] else None,
                "description": "Work",
                "quantity": Decimal(str(line[1])),
                "unit_price": Decimal(str(line[2])),
            }
            for line in lines
        ]
        values = {"workspace": workspace, "client_id": client.pk, "lines": rows, "date": TODAY, **fields}
        invoice = invoicing.create_invoice(**values)
        return invoicing.send_invoice(workspace=workspace, invoice_id=invoice.pk)

    return make


@pytest.fixture
def pay(workspace) -> Callable[..., Payment]:
    """A payment of one invoice, or of several with their shares."""

    def make(invoice: Invoice, amount: str, shares: dict[str, str] | None = None, **fields: Any) -> Payment:
        allocations = [
            {"invoice_id": pk, "amount": Decimal(share)} for pk, share in (shares or {invoice.pk: amount}).items()
        ]
        return paying.record_payment(
            workspace=workspace,
            client_id=fields.pop("client_id", invoice.client_id),
            amount=Decimal(amount),
            allocations=allocations,
            **{"date": TODAY, **fields},
        )

    return make


@pytest.fixture
def desk(make_member):
    """An admin, a member of the staff or a viewer at the desk."""

    def desk(role: str = Role.ADMIN) -> Browser:
        user = User.objects.create_user(username=f"bea-{role}", is_staff=True)
        make_member(first_name="Bea", user=user, role=role)
        browser = Browser(headers={"host": "127.0.0.1:8000"})
        browser.force_login(user)
        return browser

    return desk


def before_the_connection(connection: Connection) -> None:
    """Makes all invoices older than the connection."""
    Invoice.objects.update(created_at=connection.created_at - dt.timedelta(days=1))


def counts(job: SyncJob) -> tuple[int, int, int, int]:
    """(pulled, pushed, skipped, failed)"""
    return job.pulled, job.pushed, job.skipped, job.failed


def said(job: SyncJob, outcome: str) -> list[str]:
    """What the job says of records with this outcome."""
    return list(JobItem.objects.filter(job=job, outcome=outcome).values_list("message", flat=True))
