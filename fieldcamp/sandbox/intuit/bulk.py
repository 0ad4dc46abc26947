"""Thousands of customers, items, invoices and payments within seconds.

The first of each kind goes through the engine; the others are copies of it with what is their own, written as rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.intuit import engine, people, tax
from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.lists import SOLD
from fieldcamp.sandbox.intuit.messy_samples import messy_customer
from fieldcamp.sandbox.intuit.preferences import FIRST_TAX_CODE, TaxMode
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.people import JOBS, PEOPLE, STREETS

KINDS = ("customers", "messy_customers", "items", "invoices", "payments")
SAMPLES = 7  # so many different invoices are made; the others are copies
DAYS = 360


@dataclass
class Block:
    """A run of ids and change numbers for new objects of one type, all of one moment."""

    books: Books
    entity: str
    pattern: Stored
    first_id: int
    first_change: int

    def row(self, n: int, body: Body) -> Stored:
        """The n-th object."""
        kind = self.books.entities[self.entity]
        key = self.books.name_key(kind, body)
        return replace(
            self.pattern,
            id=str(self.first_id + n),
            token=0,
            change=self.first_change + n,
            active=body.get("Active", True),
            name_key=key,
            body=body,
        )


def make(books: Books, counts: dict[str, int]) -> dict[str, int]:
    """So many of each; invoices go to the customers that are there, payments settle invoices that are open."""
    unknown = sorted(set(counts) - set(KINDS))
    if unknown:
        raise BadInput(f"QuickBooks has no {unknown[0]}: give {', '.join(KINDS)}.")
    makers = {
        "customers": lambda books, count: _customers(books, count, _customer),
        "messy_customers": lambda books, count: _customers(books, count, messy_customer),
        "items": _items,
        "invoices": _invoices,
        "payments": _payments,
    }
    with books.store.state.transaction():
        for kind in KINDS:
            if counts.get(kind):
                makers[kind](books, counts[kind])
    return counts


def _block(books: Books, pattern: Stored, count: int) -> Block:
    sequence = books.entities[pattern.type].sequence or pattern.type
    first = int(books.store.next_id(books.realm, sequence))
    books.store.reserve(books.realm, sequence, first + count - 1)
    second, change = books.store.tick(books.realm)
    books.store.state.execute("UPDATE q_companies SET change = change + ? WHERE realm = ?", count, books.realm)
    return Block(books, pattern.type, replace(pattern, created=second, updated=second), first, change)


def _customers(books: Books, count: int, body_of: Callable[[int], Body]) -> None:
    number_ = books.store.count(books.realm, "Customer", "1")
    first = _made(books, "Customer", body_of(number_))
    block = _block(books, first, count - 1)
    places = int(books.store.next_id(books.realm, "Address"))
    books.store.reserve(books.realm, "Address", places + count - 1)
    own_ = {"BillAddr", *body_of(number_), "FullyQualifiedName", "PrintOnCheckName"}
    plain = {name: value for name, value in first.body.items() if name not in own_}

    def rows() -> Iterator[Stored]:
        for n in range(count - 1):
            own = body_of(number_ + n + 1)
            printed = own.get("CompanyName", own["DisplayName"])
            name = {"FullyQualifiedName": own["DisplayName"], "PrintOnCheckName": printed}
            place = {"BillAddr": {"Id": str(places + n)} | own["BillAddr"]} if "BillAddr" in own else {}
            yield block.row(n, plain | name | own | place | {"Active": own.get("Active", True)})

    books.store.save_many(rows())


def _customer(n: int) -> Body:
    given, family = PEOPLE[n % len(PEOPLE)][1], PEOPLE[n * 5 // len(PEOPLE) % len(PEOPLE)][2]
    place = {"Line1": f"{100 + n % 900} {STREETS[n % 7]}", "City": "Albany", "CountrySubDivisionCode": "NY"}
    return {
        "DisplayName": f"{given} {family} {n}",
        "GivenName": given,
        "FamilyName": family,
        "PrimaryEmailAddr": {"Address": f"{given}.{family}.{n}@example.com".lower()},
        "PrimaryPhone": {"FreeFormNumber": f"(518) 55{n // 10000 % 10}-{n % 10000:04d}"},
        "BillAddr": place | {"PostalCode": f"{12200 + n % 60}", "Country": "USA"},
    }


def _items(books: Books, count: int) -> None:
    number_ = books.store.count(books.realm, "Item", "1")
    account = next(books.rows("Account", "active AND json_extract(body, '$.AccountType') = 'Income'", limit=1))
    kind = {"Type": "Service", "IncomeAccountRef": {"value": account.id}}
    first = _made(books, "Item", _item(number_) | kind)
    block = _block(books, first, count - 1)
    own = (_item(number_ + n + 1) for n in range(count - 1))
    rows = (block.row(n, first.body | each | {"FullyQualifiedName": each["Name"]}) for n, each in enumerate(own))
    books.store.save_many(rows)


def _item(n: int) -> Body:
    return {"Name": f"{JOBS[n % len(JOBS)]} {n}", "UnitPrice": 40 + n % 200}


def _invoices(books: Books, count: int) -> None:
    customers = list(books.rows("Customer", "active AND NOT deleted"))
    if not customers:
        raise BadInput("There is no customer in this company: ask for customers as well.")
    items = [item for item in books.rows("Item", "active AND NOT deleted") if item.body["Type"] in SOLD][:SAMPLES]
    if not items:
        raise BadInput("There is no item in this company: ask for items as well.")
    patterns = [_made(books, "Invoice", _invoice(books, customers[0], item)) for item in items[:count]]
    rest = count - len(patterns)
    block = _block(books, patterns[0], rest)
    first_number = int(books.store.next_id(books.realm, "DocNumber"))
    books.store.reserve(books.realm, "DocNumber", first_number + max(rest, 1) - 1)
    today = date.fromisoformat(books.today)
    owed: dict[str, Decimal] = {}

    def rows() -> Iterator[Stored]:
        for n in range(rest):
            customer, pattern = customers[n % len(customers)], patterns[n % len(patterns)].body
            day = today - timedelta(days=(rest - n) * DAYS // rest)
            places = {name: customer.body[name] for name in ("BillAddr", "ShipAddr") if name in customer.body}
            own = {
                "DocNumber": str(first_number + n),
                "TxnDate": day.isoformat(),
                "DueDate": (day + timedelta(days=30)).isoformat(),
                "CustomerRef": {"value": customer.id},
            }
            owed[customer.id] = owed.get(customer.id, Decimal(0)) + decimal(pattern["TotalAmt"])
            yield block.row(n, pattern | own | places)

    books.store.save_many(rows())
    for customer_id, amount in owed.items():
        people.adjust_balance(books, customer_id, amount)


def _invoice(books: Books, customer: Stored, item: Stored) -> Body:
    price = item.body.get("UnitPrice") or 100
    code = FIRST_TAX_CODE if tax.mode(books) == TaxMode.FOREIGN else "NON"
    detail = {"ItemRef": {"value": item.id}, "Qty": 2, "UnitPrice": price, "TaxCodeRef": {"value": code}}
    amount = number(decimal(price) * 2)
    line = {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    if code == "NON":
        line["Description"] = item.body.get("Description", item.body["Name"])
    return {"CustomerRef": {"value": customer.id}, "Line": [line]}


def _payments(books: Books, count: int) -> None:
    open_ = "NOT deleted AND json_extract(body, '$.Balance') > 0 AND json_array_length(body, '$.LinkedTxn') = 0"
    invoices = list(books.rows("Invoice", open_, limit=count))
    if len(invoices) < count:
        raise BadInput(f"Only {len(invoices)} invoices are open: ask for more invoices.")
    pattern = _made(books, "Payment", _payment(invoices[0].body, invoices[0].id))
    rest = invoices[1:]
    block, touched = _block(books, pattern, len(rest)), _block(books, invoices[0], 0)
    books.store.state.execute("UPDATE q_companies SET change = change + ? WHERE realm = ?", len(rest), books.realm)
    paid: dict[str, Decimal] = {}

    def rows() -> Iterator[Stored]:
        for n, invoice in enumerate(rest):
            payment = block.row(n, pattern.body | _payment(invoice.body, invoice.id))
            customer = invoice.body["CustomerRef"]["value"]
            paid[customer] = paid.get(customer, Decimal(0)) - decimal(payment.body["TotalAmt"])
            link = {"TxnId": payment.id, "TxnType": "Payment"}
            yield payment
            yield replace(
                invoice,
                token=invoice.token + 1,
                updated=touched.pattern.updated,
                change=touched.first_change + n,
                body=invoice.body | {"Balance": 0, "LinkedTxn": [link]},
            )

    books.store.save_many(rows())
    for customer_id, amount in paid.items():
        people.adjust_balance(books, customer_id, amount)


def _payment(invoice: Body, invoice_id: str) -> Body:
    amount = invoice["Balance"]
    line = {"Amount": amount, "LinkedTxn": [{"TxnId": invoice_id, "TxnType": "Invoice"}]}
    return {
        "CustomerRef": {"value": invoice["CustomerRef"]["value"]},
        "TotalAmt": amount,
        "PaymentRefNum": f"P{invoice_id}",
        "Line": [line],
    }


def _made(books: Books, entity: str, body: Body) -> Stored:
    return books.the(entity, engine.write(books, books.entities[entity], body)["Id"])
