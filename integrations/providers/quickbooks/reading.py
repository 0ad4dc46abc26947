"""QuickBooks' entities as our records, whichever way they were read."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.providers.quickbooks.company import ALL, Books
from integrations.providers.quickbooks.mapping import customers, invoices, items, payments, sales_tax
from integrations.providers.quickbooks.mapping.parts import marker_of
from integrations.providers.reading import read_record
from integrations.providers.times import aware
from integrations.records import Container, Fields, Lack, RemoteRecord, instant

TAX_CODES = "TaxCode"
KINDS = {"Customer": "customer", "Item": "item", TAX_CODES: "tax", "Invoice": "invoice", "Payment": "payment"}
LISTS = ("Customer", "Item")  # they have inactive rows; transactions have not
NAMES = {"Customer": "Customers", "Item": "Products and services", TAX_CODES: "Sales taxes", "Invoice": "Invoices",
         "Payment": "Payments"}  # fmt: skip
CONTAINERS = [
    Container(id, NAMES[id], lacks=Lack.CHANGE if id == TAX_CODES else None, primary=id == "Customer") for id in KINDS
]


@dataclass(frozen=True, slots=True)
class _Form:
    fields: Callable[[dict[str, Any], Books], dict[str, Any]]
    shown: Callable[[Fields], dict[str, Any]]


def _invoice(body: dict[str, Any], books: Books) -> dict[str, Any]:
    # What the company's rules are is asked only where it matters.
    rules = books.tax_rules if sales_tax.says_code(body) else sales_tax.TaxRules()
    return invoices.to_fields(body, rules)


def _item(body: dict[str, Any], books: Books) -> dict[str, Any]:
    return items.to_fields(body, books.tax_rates if body.get("SalesTaxIncluded") else {})


def _payment(body: dict[str, Any], books: Books) -> dict[str, Any]:
    return payments.to_fields(body, books.payment_methods if body.get("PaymentMethodRef") else {})


FORMS = {
    "Customer": _Form(lambda body, _: customers.to_fields(body), customers.shown),
    "Item": _Form(_item, items.shown),
    "Invoice": _Form(_invoice, invoices.shown),
    "Payment": _Form(_payment, payments.shown),
}


def row_record(entity: str, body: dict[str, Any], books: Books, *, made_with: str = "") -> RemoteRecord:
    """Returns one row of an answer that may have many; see `read_record`."""
    return read_record(KINDS[entity], str(body["Id"]), lambda: to_record(entity, body, books, made_with=made_with))


def to_record(entity: str, body: dict[str, Any], books: Books, *, made_with: str = "") -> RemoteRecord:
    """Returns one entity as it is now. What is known by our mark says itself with which id it was made."""
    form = FORMS[entity]
    fields = form.fields(body, books)
    marker = marker_of(body) if entity not in LISTS else None
    return RemoteRecord(
        id=str(body["Id"]),
        tag=str(body.get("SyncToken") or "0"),
        kind=KINDS[entity],
        fields=fields,
        marker=marker,
        shown=form.shown(fields),
        created=str(body.get("SyncToken") or "0") == "0",
        made_with=made_with or (marker.remote_id if marker else ""),
        made_at=_made_at(body) if made_with and not marker else "",
    )


def _made_at(body: dict[str, Any]) -> str:
    moment = changed_at(body, "CreateTime")
    return instant(moment) if moment else ""


def tombstone(entity: str, id: str, *, doubtful: bool = False) -> RemoteRecord:
    return RemoteRecord(id=id, tag="", kind=KINDS[entity], gone=True, doubtful=doubtful)


def concerns_us(entity: str, body: dict[str, Any]) -> bool:
    return entity != "Item" or items.is_item(body)


def whole(entity: str, *conditions: str) -> tuple[str, ...]:
    """Returns the conditions of a query that leaves no inactive row out."""
    return (*conditions, ALL) if entity in LISTS else conditions


def changed_at(body: dict[str, Any], name: str = "LastUpdatedTime") -> dt.datetime | None:
    """Returns an instant: QuickBooks writes them in whatever offset, so as strings they do not compare."""
    times = body.get("MetaData")
    try:
        return aware(str(times.get(name))) if isinstance(times, dict) else None
    except ValueError:
        return None
