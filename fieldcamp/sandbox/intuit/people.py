"""Customers, vendors and employees: they share one name space and one sequence of ids.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/customer
"""

import hashlib
from decimal import Decimal
from typing import Any

from fieldcamp.sandbox.intuit import engine, errors, places
from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import CREATED, FOUND, READ, UPDATED, Body, Entity, Names, Property, numbers, texts
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.shape import ADDRESS, EMAIL, NAME_STOPPERS, PHONE, Kind, flag, ref, struct, text
from fieldcamp.sandbox.intuit.shape import number as numeric
from fieldcamp.sandbox.intuit.store import Stored

PARTS = ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")
ADDRESSES = ("BillAddr", "ShipAddr", "PrimaryAddr")
CURRENCIES = {"USD": "United States Dollar", "CAD": "Canadian Dollar", "EUR": "Euro", "GBP": "British Pound Sterling"}
LEVELS = 4  # a customer may have so many below it
NAMES = Names("DisplayName", "Name", "customer, vendor or employee", qualified=True)

_PERSON: dict[str, Kind] = {
    "Title": text(16, NAME_STOPPERS),
    "GivenName": text(100, NAME_STOPPERS),
    "MiddleName": text(100, NAME_STOPPERS),
    "FamilyName": text(100, NAME_STOPPERS),
    "Suffix": text(16, NAME_STOPPERS),
    "DisplayName": text(500, NAME_STOPPERS),
    "PrintOnCheckName": text(110, NAME_STOPPERS),
    "Active": flag(),
    "PrimaryPhone": PHONE,
    "Mobile": PHONE,
    "PrimaryEmailAddr": EMAIL,
}
_COMPANY: dict[str, Kind] = {
    **_PERSON,
    "CompanyName": text(100),
    "AlternatePhone": PHONE,
    "Fax": PHONE,
    "WebAddr": struct(URI=text(1000)),
    "BillAddr": ADDRESS,
    "CurrencyRef": ref(),
    "AcctNum": text(100),
}
_FILTERS = {
    **texts("DisplayName", "GivenName", "MiddleName", "FamilyName", "CompanyName", "PrintOnCheckName"),
    "PrimaryEmailAddr": Property("$.PrimaryEmailAddr.Address"),
    "Active": Property("$.Active", "flag"),
}


def _complete_name(draft: Body) -> None:
    """DisplayName is built from the parts when it is missing; none of it at all is refused."""
    parts = " ".join(str(draft[name]) for name in PARTS if draft.get(name))
    name = draft.get("DisplayName") or parts
    if not name:
        text = (
            "At least one of the following is required: Title, GivenName, MiddleName, FamilyName, DisplayName, Suffix"
        )
        raise Fault(6080, "Name required", text)
    draft["DisplayName"] = name
    draft.setdefault("PrintOnCheckName", draft.get("CompanyName") or parts or name)
    draft.setdefault("Active", True)


def _number_addresses(books: Books, draft: Body, old: Stored | None) -> None:
    """An address is an object of its own with an Id, which it keeps."""
    for name in ADDRESSES:
        if name in draft:
            known = old.body.get(name, {}).get("Id") if old else None
            draft[name] = {"Id": known or books.store.next_id(books.realm, "Address"), **_without_id(draft[name])}


def _without_id(address: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in address.items() if name != "Id"}


def _keep_currency(books: Books, draft: Body, old: Stored | None) -> None:
    home = books.preference("CurrencyPrefs", "HomeCurrency", {"value": "USD"})["value"]
    before = old.body["CurrencyRef"]["value"] if old else None
    wanted = draft.get("CurrencyRef", {}).get("value", before or home)
    if before is not None and wanted != before:
        raise errors.business("The currency of this name cannot be changed.", "CurrencyRef")
    if wanted != home and not books.preference("CurrencyPrefs", "MultiCurrencyEnabled", False):
        raise errors.business("Multi currency is not enabled for this company.", "CurrencyRef")
    draft["CurrencyRef"] = {"value": wanted}


def _show_currency(books: Books, shown: Body, stored: Stored) -> None:
    code = shown["CurrencyRef"]["value"]
    shown["CurrencyRef"] = {"value": code, "name": CURRENCIES.get(code, code)}


def _show_customer(books: Books, shown: Body, stored: Stored) -> None:
    _show_currency(books, shown, stored)
    shown["ClientEntityId"] = "0"


def _prepare_customer(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    _complete_name(draft)
    _number_addresses(books, draft, old)
    _keep_currency(books, draft, old)
    if draft.get("ParentRef"):
        _check_parent(books, draft, old)
    elif draft.get("Job"):
        raise errors.required("ParentRef")
    draft.setdefault("Job", False)
    if not draft.get("ParentRef"):
        draft.pop("Level", None)
    draft.setdefault("BillWithParent", False)
    draft.setdefault("IsProject", False)
    draft.setdefault("PreferredDeliveryMethod", "Print")
    draft.setdefault("Taxable", True)
    for name in ("Balance", "BalanceWithJobs"):
        draft.setdefault(name, 0)
    if "DefaultTaxCodeRef" not in draft and draft["Taxable"]:
        default = books.preference("TaxPrefs", "TaxGroupCodeRef")
        if default:
            draft["DefaultTaxCodeRef"] = {"value": default["value"]}
    draft.setdefault("V4IDPseudonym", _pseudonym(books, draft))


def _check_parent(books: Books, draft: Body, old: Stored | None) -> None:
    level, above = 1, draft["ParentRef"]["value"]
    while above:
        if old is not None and above == old.id:
            raise errors.business("A customer cannot be below itself.", "ParentRef")
        parent = books.the("Customer", above)
        above = parent.body.get("ParentRef", {}).get("value")
        level += 1 if above else 0
    if level > LEVELS:
        raise errors.business(f"A customer cannot be more than {LEVELS} levels below another.", "ParentRef")
    draft["Job"], draft["Level"] = draft.get("Job", True), level


def _pseudonym(books: Books, draft: Body) -> str:
    text = f"{books.realm} {books.now} {draft['DisplayName']}"
    return f"0020{hashlib.sha256(text.encode()).hexdigest()[:34]}"


def _prepare_vendor(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    _complete_name(draft)
    _number_addresses(books, draft, old)
    _keep_currency(books, draft, old)
    draft.setdefault("Balance", 0)
    draft.setdefault("Vendor1099", False)


def _prepare_employee(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    _complete_name(draft)
    _number_addresses(books, draft, old)
    draft.setdefault("BillableTime", False)


def adjust_balance(books: Books, customer_id: str, by: Decimal) -> None:
    """Moves a customer's balance, and that of all it is below: LastUpdatedTime moves, the SyncToken does not."""
    stored = books.the("Customer", customer_id)
    if by:
        balance = number(decimal(stored.body.get("Balance")) + by)
        books.annotate(stored, stored.body | {"Balance": balance})
        adjust_jobs(books, customer_id, by)


def adjust_jobs(books: Books, above: str | None, by: Decimal) -> None:
    """Moves what a customer and all below it owe together, and that of all it is below."""
    while above and by:
        stored = books.the("Customer", above)
        body = stored.body | {"BalanceWithJobs": number(decimal(stored.body.get("BalanceWithJobs")) + by)}
        books.change(stored, body, bump=False)
        above = body.get("ParentRef", {}).get("value")


def _settle_customer(books: Books, new: Stored | None, old: Stored | None) -> None:
    """After a customer has moved: the names of those below it follow, and what its parents owe with it."""
    engine.requalify_children(books, new, old)
    if new is None or old is None:
        return
    parents = [stored.body.get("ParentRef", {}).get("value") for stored in (old, new)]
    owed = decimal(new.body.get("BalanceWithJobs"))
    if parents[0] != parents[1] and owed:
        for parent, sign in zip(parents, (-1, 1), strict=True):
            adjust_jobs(books, parent, owed * sign)


def family(books: Books, customer_id: str) -> set[str]:
    """Whom the customer is below, and all who are below it: one may pay for the other."""
    found: set[str] = set()
    above = books.the("Customer", customer_id).body.get("ParentRef", {}).get("value")
    while above and above not in found:
        found.add(above)
        above = books.the("Customer", above).body.get("ParentRef", {}).get("value")
    below = "NOT deleted AND json_extract(body, '$.ParentRef.value') = ?"
    waiting = [customer_id]
    while waiting:
        children = [child.id for child in books.rows("Customer", below, waiting.pop()) if child.id not in found]
        found |= set(children)
        waiting += children
    return found


CUSTOMER = Entity(
    name="Customer",
    segment="customer",
    sequence="Name",
    names=NAMES,
    fields={
        **_COMPANY,
        "ShipAddr": ADDRESS,
        "Notes": text(2000),
        "Taxable": flag(),
        "Job": flag(),
        "BillWithParent": flag(),
        "ParentRef": ref("Customer"),
        "SalesTermRef": ref("Term"),
        "PaymentMethodRef": ref("PaymentMethod"),
        "DefaultTaxCodeRef": ref("TaxCode"),
        "PreferredDeliveryMethod": text(20),
        "ResaleNum": text(16),
        "PrimaryTaxIdentifier": text(20),
        "OpenBalanceDate": text(40),
    },
    ignored=frozenset(
        {"Balance", "BalanceWithJobs", "FullyQualifiedName", "Level", "V4IDPseudonym", "IsProject", "ClientEntityId"}
    ),
    refs={
        "SalesTermRef": ("Term",),
        "PaymentMethodRef": ("PaymentMethod",),
    },
    filterable={**_FILTERS, **texts("FullyQualifiedName"), **numbers("Balance")},
    order="json_extract(body, '$.DisplayName') COLLATE NOCASE, n",
    prepare=_prepare_customer,
    settle=_settle_customer,
    respond=_show_customer,
    # As recorded from Intuit in 2026: each of the four kinds of answer knows something less of a customer.
    omitted={
        CREATED: frozenset({"V4IDPseudonym", "ClientEntityId", places.KNOWN}),
        UPDATED: frozenset({"V4IDPseudonym", "ClientEntityId"}),
        READ: frozenset({"ClientEntityId", places.KNOWN}),
        FOUND: frozenset({"DefaultTaxCodeRef"}),
    },
)
VENDOR = Entity(
    name="Vendor",
    segment="vendor",
    sequence="Name",
    names=Names("DisplayName", "Name", "customer, vendor or employee"),
    fields={**_COMPANY, "Vendor1099": flag(), "TermRef": ref("Term"), "TaxIdentifier": text(20)},
    ignored=frozenset({"Balance", "V4IDPseudonym"}),
    refs={"TermRef": ("Term",)},
    filterable={**_FILTERS, **numbers("Balance")},
    order="json_extract(body, '$.DisplayName') COLLATE NOCASE, n",
    prepare=_prepare_vendor,
    respond=_show_currency,
)
EMPLOYEE = Entity(
    name="Employee",
    segment="employee",
    sequence="Name",
    names=Names("DisplayName", "Name", "customer, vendor or employee"),
    fields={
        **_PERSON,
        "PrimaryAddr": ADDRESS,
        "BillableTime": flag(),
        "BillRate": numeric(),
        "EmployeeNumber": text(100),
    },
    ignored=frozenset({"V4IDPseudonym"}),
    filterable=_FILTERS,
    order="json_extract(body, '$.DisplayName') COLLATE NOCASE, n",
    prepare=_prepare_employee,
)
