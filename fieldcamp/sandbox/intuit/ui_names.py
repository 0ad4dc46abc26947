"""Customers, vendors, and products and services, as a bookkeeper keeps their lists."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.intuit import engine, merging
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.ui_parts import (
    MONEY,
    Action,
    Field,
    Row,
    choices,
    known,
    money,
    name_of,
    parsed,
    plain,
    stripped,
)

PLACE = (
    ("Line1", "Street"),
    ("City", "City"),
    ("CountrySubDivisionCode", "State"),
    ("PostalCode", "Postal code"),
    ("Country", "Country"),
)
TYPES = (("Service", "Service"), ("NonInventory", "Product"))


@dataclass(frozen=True)
class NameList:
    """A list of names: how it looks, what its form has, and what can be done to one."""

    entity: str
    title: str
    new: str
    heads: Sequence[tuple[str, str]]
    row: Callable[[Stored], Row]
    fields: Callable[[Books, Body], Sequence[Field]]
    body: Callable[[MultiDict], Body]
    merge: Callable[[Books, str, str], None] | None = None

    def actions(self, books: Books, stored: Stored) -> list[Action]:
        """The buttons below the form."""
        if not stored.active:
            return [Action("activate", "Make active")]
        found = [Action("deactivate", "Make inactive", danger=True)]
        others = [each for each in choices(books, self.entity) if each[0] != stored.id]
        if self.merge and others:
            into = Field("into", "Merge into", kind="select", options=others)
            found.append(Action("merge", "Merge", danger=True, fields=(into,)))
        return found

    def save(self, books: Books, stored: Stored | None, form: MultiDict) -> str:
        """Writes what the form says; the object's id."""
        body = self.body(form) | (known(stored, form) if stored else {})
        return str(engine.write(books, books.entities[self.entity], body)["Id"])

    def act(self, books: Books, stored: Stored, form: MultiDict) -> str:
        """Does what a button says; the id of the object to look at next."""
        action = form.get("action")
        if action in ("activate", "deactivate"):
            active = action == "activate"
            name = {}
            if active and (names := books.entities[self.entity].names):
                name = {names.field: str(stored.body[names.field]).split(engine.DELETED[:-1])[0]}
            engine.write(books, books.entities[self.entity], known(stored, form) | {"Active": active} | name)
            return stored.id
        if action == "merge" and self.merge and form.get("into"):
            self.merge(books, form["into"], stored.id)
            return str(form["into"])
        raise BadInput("Nothing to do.")


def _chips(stored: Stored) -> tuple[str, ...]:
    return () if stored.active else ("Inactive",)


def _person_fields(books: Books, body: Body) -> list[Field]:
    names = (("GivenName", "First name"), ("FamilyName", "Last name"), ("CompanyName", "Company"))
    place = body.get("BillAddr", {})
    return [
        Field("DisplayName", "Display name", body.get("DisplayName", ""), required=True),
        *(Field(name, label, body.get(name, "")) for name, label in names),
        Field("email", "E-mail", body.get("PrimaryEmailAddr", {}).get("Address", ""), "email"),
        Field("phone", "Phone", body.get("PrimaryPhone", {}).get("FreeFormNumber", ""), "tel"),
        *(Field(name, label, place.get(name, "")) for name, label in PLACE),
    ]


def _customer_fields(books: Books, body: Body) -> list[Field]:
    terms = [("", "The company's terms"), *choices(books, "Term")]
    chosen = body.get("SalesTermRef", {}).get("value", "")
    return [*_person_fields(books, body), Field("term", "Terms", chosen, "select", options=terms)]


def _person(form: MultiDict) -> Body:
    names = ("DisplayName", "GivenName", "FamilyName", "CompanyName")
    return {
        **{name: form.get(name, "") for name in names},
        "PrimaryEmailAddr": stripped([("Address", form.get("email", ""))]),
        "PrimaryPhone": stripped([("FreeFormNumber", form.get("phone", ""))]),
        "BillAddr": stripped((name, form.get(name, "")) for name, _ in PLACE),
    }


def _customer(form: MultiDict) -> Body:
    return _person(form) | {"SalesTermRef": {"value": form.get("term", "")}}


def _customer_row(stored: Stored) -> Row:
    email = stored.body.get("PrimaryEmailAddr", {}).get("Address", "")
    return Row(stored.id, (name_of(stored), email, money(stored.body["Balance"])), _chips(stored))


def _vendor_row(stored: Stored) -> Row:
    email = stored.body.get("PrimaryEmailAddr", {}).get("Address", "")
    return Row(stored.id, (name_of(stored), email), _chips(stored))


def _item_fields(books: Books, body: Body) -> list[Field]:
    account = body.get("IncomeAccountRef", {}).get("value", "87")
    income = "active AND NOT deleted AND json_extract(body, '$.AccountType') = 'Income'"
    return [
        Field("Name", "Name", body.get("Name", ""), required=True),
        Field("Type", "Type", body.get("Type", "Service"), "select", options=TYPES),
        Field("Sku", "SKU", body.get("Sku", "")),
        Field("Description", "Description", body.get("Description", ""), "area"),
        Field("UnitPrice", "Price", plain(body.get("UnitPrice")), required=True),
        Field("Taxable", "Taxable", body.get("Taxable", False), "tick"),
        Field("account", "Income account", account, "select", options=choices(books, "Account", income)),
    ]


def _item(form: MultiDict) -> Body:
    return {
        **{name: form.get(name, "") for name in ("Name", "Type", "Sku", "Description")},
        "UnitPrice": parsed(form.get("UnitPrice", ""), "The price"),
        "Taxable": bool(form.get("Taxable")),
        "IncomeAccountRef": {"value": form.get("account", "")},
    }


def _item_row(stored: Stored) -> Row:
    price = money(stored.body["UnitPrice"]) if "UnitPrice" in stored.body else ""
    taxed = "Yes" if stored.body.get("Taxable") else "No"
    kinds: dict[str, str] = dict(TYPES)
    kind = str(stored.body["Type"])
    return Row(stored.id, (name_of(stored), kinds.get(kind, kind), taxed, price), _chips(stored))


NAME_LISTS = {
    "customers": NameList(
        entity="Customer",
        title="Customers",
        new="New customer",
        heads=(("Name", ""), ("E-mail", ""), ("Open balance", MONEY)),
        row=_customer_row,
        fields=_customer_fields,
        body=_customer,
        merge=merging.customers,
    ),
    "items": NameList(
        entity="Item",
        title="Products and services",
        new="New product or service",
        heads=(("Name", ""), ("Type", ""), ("Taxable", ""), ("Price", MONEY)),
        row=_item_row,
        fields=_item_fields,
        body=_item,
        merge=merging.items,
    ),
    "vendors": NameList(
        entity="Vendor",
        title="Vendors",
        new="New vendor",
        heads=(("Name", ""), ("E-mail", "")),
        row=_vendor_row,
        fields=_person_fields,
        body=_person,
    ),
}
