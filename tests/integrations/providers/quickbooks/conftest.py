"""One company at the sandbox's Intuit, and the words that tests of it are written in."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from fieldcamp.money import cents
from integrations import errors
from integrations.providers import PROVIDERS
from integrations.providers.quickbooks.api import make_id
from integrations.records import Marker, Operation, Verb, Window
from integrations.transport.client import HttpClient, OneToken
from tests.faketime import FakeTime
from tests.sandboxed import Vendors

QUICKBOOKS = PROVIDERS["quickbooks"]
REALM = "9130001"
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
WINDOW = Window(NOW - dt.timedelta(days=30), NOW + dt.timedelta(days=180))
TODAY = NOW.date().isoformat()
IDS = {"customer": "Customer", "item": "Item", "invoice": "Invoice", "payment": "Payment"}


def operation(kind: str, number: int, fields: dict) -> Operation:
    id = make_id(f"{kind} {number}")
    return Operation(str(number), Verb.CREATE, kind, id, fields, marker=Marker("wsp_1", f"{kind}_{number}", id))


def customer(number: int = 1, **fields) -> Operation:
    values = {
        "display_name": f"Client {number}", "given_name": "Cleo", "family_name": f"Client{number}", "company": "",
        "email": f"cleo{number}@example.com", "phone": "(555) 010-0100",
        "bill_address": {"street": "1 Main\nUnit 2", "city": "Troy", "state": "NY", "postalCode": "12180"},
        "ship_address": None,
    }  # fmt: skip
    return operation("customer", number, values | fields)


def item(number: int = 1, **fields) -> Operation:
    values = {
        "name": f"Drain {number}", "description": "Clear a drain", "price": "120.5", "sku": f"D{number}",
        "taxable": True, "active": True, "type": "service", "income_account": "87",
    }  # fmt: skip
    return operation("item", number, values | fields)


def line(item_id: str, quantity: str = "2", price: str = "50", taxable: bool = False, **more) -> dict:

    amount = cents(Decimal(quantity) * Decimal(price))
    return {"item": item_id, "description": "Work", "quantity": quantity, "unit_price": price, "amount": amount,
            "taxable": taxable, **more}  # fmt: skip


def invoice(customer_id: str, item_id: str, number: int = 1, **fields) -> Operation:
    values = {
        "number": f"FC-{number}", "customer": customer_id, "date": TODAY, "due_date": TODAY,
        "lines": [line(item_id)], "discount": None, "tax_code": "", "memo": "Thanks", "bill_email": "c@example.com",
        "voided": False,
    }  # fmt: skip
    return operation("invoice", number, values | fields)


def payment(customer_id: str, number: int = 1, **fields) -> Operation:
    values = {
        "customer": customer_id, "date": TODAY, "amount": "100.00", "method": "check", "reference": f"R{number}",
        "allocations": [], "voided": False,
    }  # fmt: skip
    return operation("payment", number, values | fields)


def update(record, key: str = "u", **fields) -> Operation:
    return Operation(key, Verb.UPDATE, record.kind, record.id, fields, tag=record.tag, marker=record.marker)


def void(record, key: str = "v") -> Operation:
    return update(record, key, voided=True)


class Company:
    """A company's own users, at work in QuickBooks itself."""

    def __init__(self, intuit: Vendors, token: str):
        self.intuit, self.token = intuit, token

    def call(self, method: str, path: str, body: dict | None = None, **params: str) -> dict:
        response = self.intuit.browser.request(
            method,
            f"{QUICKBOOKS.hosts(REALM)[0]}/v3/company/{REALM}/{path}",
            params=params,
            headers={"Authorization": f"Bearer {self.token}", "Accept": "application/json"},
            **({"json": body} if body is not None else {}),
        )
        assert response.ok, response.text
        return json.loads(response.text)

    def make(self, entity: str, **body) -> dict:
        return self.call("POST", entity.lower(), body)[entity]

    def read(self, entity: str, id: str) -> dict:
        return self.call("GET", f"{entity.lower()}/{id}")[entity]

    def edit(self, entity: str, id: str, **body) -> dict:
        token = self.read(entity, id)["SyncToken"]
        return self.make(entity, Id=id, SyncToken=token, sparse=True, **body)

    def delete(self, entity: str, id: str) -> None:
        body = {"Id": id, "SyncToken": self.read(entity, id)["SyncToken"]}
        self.call("POST", entity.lower(), body, operation="delete")

    def rows(self, entity: str) -> list[dict]:
        answer = self.call("GET", "query", query=f"SELECT * FROM {entity} MAXRESULTS 1000")
        return answer["QueryResponse"].get(entity, [])


@pytest.fixture
def intuit(vendors) -> Vendors:
    """Without its quotas: no network slows these tests down to what it allows in a second."""
    found = vendors.at("intuit")
    found.throttle(False)
    return found


@pytest.fixture
def tokens(intuit) -> dict:
    return intuit.token()


@pytest.fixture
def http(tokens) -> HttpClient:
    return HttpClient(QUICKBOOKS, OneToken(tokens["access_token"]), **FakeTime(NOW).kwargs())


@pytest.fixture
def quickbooks():
    return QUICKBOOKS


@pytest.fixture
def fresh(http):
    """A client as each run makes one."""
    return lambda: QUICKBOOKS.open(http, REALM)


@pytest.fixture
def later(intuit):
    """A client with a new token, after so many seconds of Intuit's clock."""

    def after(seconds: float):
        intuit.advance(seconds)
        return QUICKBOOKS.open(HttpClient(QUICKBOOKS, OneToken(intuit.token()["access_token"])), REALM)

    return after


@pytest.fixture
def books(fresh, intuit):
    intuit.forget_requests()
    return fresh()


@pytest.fixture
def company(intuit, tokens) -> Company:
    return Company(intuit, tokens["access_token"])


@pytest.fixture
def made(books):
    """Writes one operation and returns what became of it."""

    def write(op: Operation):
        [outcome] = books.write(IDS[op.kind], [op])
        assert outcome.error is None, outcome.error
        return outcome.record

    return write


def listed(client, container: str, cursor: str = ""):
    """All records of a listing, and the cursor behind it."""
    pages = list(client.changes(container, cursor, WINDOW))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    return [record for page in pages for record in page.records], pages[-1].cursor


def rewrite(intuit, entity: str, id: str, **values) -> None:
    """What only QuickBooks' own pages can change."""
    app = intuit.adapter.app
    with app.state.transaction():
        books = app.vendors["intuit"].books(REALM)
        stored = books.the(entity, id)
        books.change(stored, {**stored.body, **values})


@pytest.fixture
def who(made):
    return made(customer())


@pytest.fixture
def what(made):
    return made(item())


def refusal(books, op):
    [outcome] = books.write(IDS[op.kind], [op])
    assert outcome.record is None
    assert isinstance(outcome.error, errors.ProviderError)
    return outcome.error
