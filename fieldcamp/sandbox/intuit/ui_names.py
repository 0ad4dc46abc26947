"""Customers, vendors, products and services, classes and locations, as a bookkeeper keeps their lists."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

LINES = tuple(f"Line{n}" for n in range(1, 6))
PLACE = (
    ("City", "City"),
    ("CountrySubDivisionCode", "State"),
    ("PostalCode", "Postal code"),
    ("Country", "Country"),
)
PHONES = (("phone", "PrimaryPhone", "Phone"), ("mobile", "Mobile", "Mobile"))
TYPES = (("Service", "Service"), ("NonInventory", "Product"))


NEXT = (
    ("invoices/new?customer={}", "New invoice"),
    ("payments/new?customer={}", "Receive a payment"),
    ("credits/new?customer={}", "New credit memo"),
    ("estimates/new?customer={}", "New estimate"),
    ("customers/new?parent={}", "New customer below this one"),
)


@dataclass(frozen=True)
class NameList:
    """A list of names: how it looks, what its form has, and what can be done to one."""

    entity: str
    title: str
    new: str
    heads: Sequence[tuple[str, str]]
    row_of: Callable[[Stored], Row]
    fields: Callable[[Books, Body], Sequence[Field]]
    body: Callable[[MultiDict], Body]
    merge: Callable[[Books, str, str], None] | None = None
    template = "record"
    number = ""

    def row(self, books: Books, stored: Stored) -> Row:
        """The object in the list."""
        return self.row_of(stored)

    def form(self, books: Books, stored: Stored | None, query: Mapping[str, str], root: str) -> dict[str, Any]:
        """All that the page of one shows; without one, that of a new one, maybe below another."""
        body = stored.body if stored else {"ParentRef": {"value": query.get("parent", "")}}
        row = self.row_of(stored) if stored else None
        links = []
        if stored and self.entity == "Customer" and stored.active:
            links = [(f"{root}/{place.format(stored.id)}", text) for place, text in NEXT]
        return {
            "title": row.cells[0] if row else self.new,
            "chips": row.chips if row else (),
            "facts": [(head, row.cells[n]) for n, (head, kind) in enumerate(self.heads) if kind] if row else [],
            "links": links,
            "fields": self.fields(books, body),
            "actions": self._actions(books, stored) if stored else [],
        }

    def _actions(self, books: Books, stored: Stored) -> list[Action]:
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
        Field("email", "E-mail", body.get("PrimaryEmailAddr", {}).get("Address", ""), "emails"),
        *(Field(name, label, body.get(field, {}).get("FreeFormNumber", ""), "tel") for name, field, label in PHONES),
        Field("street", "Street", "\n".join(place[line] for line in LINES if line in place), "area"),
        *(Field(name, label, place.get(name, "")) for name, label in PLACE),
    ]


def _customer_fields(books: Books, body: Body) -> list[Field]:
    terms = [("", "The company's terms"), *choices(books, "Term")]
    chosen, parent = (body.get(name, {}).get("value", "") for name in ("SalesTermRef", "ParentRef"))
    above = [("", "Nobody"), *choices(books, "Customer", keep=[parent])]
    return [
        *_person_fields(books, body),
        Field("term", "Terms", chosen, "select", options=terms),
        Field("parent", "Below", parent, "select", options=above),
        Field("bill_with_parent", "Bill with the one above", body.get("BillWithParent", False), "tick"),
        Field("Notes", "Notes", body.get("Notes", ""), "area"),
    ]


def _person(form: MultiDict) -> Body:
    names = ("DisplayName", "GivenName", "FamilyName", "CompanyName")
    lines = [line.strip() for line in form.get("street", "").split("\n") if line.strip()]
    street = list(zip(LINES, [*lines[:4], " ".join(lines[4:])], strict=False))  # no address has more than five
    return {
        **{name: form.get(name, "") for name in names},
        "PrimaryEmailAddr": stripped([("Address", form.get("email", ""))]),
        **{field: stripped([("FreeFormNumber", form.get(name, ""))]) for name, field, _ in PHONES},
        "BillAddr": stripped([*street, *((name, form.get(name, "")) for name, _ in PLACE)]),
    }


def _customer(form: MultiDict) -> Body:
    parent = form.get("parent", "")
    return _person(form) | {
        "SalesTermRef": {"value": form.get("term", "")},
        "ParentRef": {"value": parent},
        "Job": bool(parent),
        "BillWithParent": bool(parent and form.get("bill_with_parent")),
        "Notes": form.get("Notes", ""),
    }


def _customer_row(stored: Stored) -> Row:
    email = stored.body.get("PrimaryEmailAddr", {}).get("Address", "")
    return Row(stored.id, (name_of(stored), email, money(stored.body["Balance"])), _chips(stored))


def _vendor_row(stored: Stored) -> Row:
    email = stored.body.get("PrimaryEmailAddr", {}).get("Address", "")
    return Row(stored.id, (name_of(stored), email), _chips(stored))


def _item_fields(books: Books, body: Body) -> list[Field]:
    account = body.get("IncomeAccountRef", {}).get("value", "87")
    income = "active AND NOT deleted AND json_extract(body, '$.AccountType') = 'Income'"
    kind = body.get("Type", "Service")
    types = TYPES if kind in dict(TYPES) else ((kind, kind), *TYPES)
    found = [
        Field("Name", "Name", body.get("Name", ""), required=True),
        Field("Type", "Type", kind, "select", options=types),
        Field("Sku", "SKU", body.get("Sku", "")),
        Field("Description", "Description", body.get("Description", ""), "area"),
    ]
    if kind in ("Category", "Group"):  # a bundle costs what its parts do
        return found
    found += [
        Field("UnitPrice", "Price", plain(body.get("UnitPrice")), required=True),
        Field("Taxable", "Taxable", body.get("Taxable", False), "tick"),
        Field("account", "Income account", account, "select", options=choices(books, "Account", income)),
    ]
    if body.get("TrackQtyOnHand"):
        found.append(Field("QtyOnHand", "On hand", plain(body.get("QtyOnHand")), required=True))
    return found


def _item(form: MultiDict) -> Body:
    body: Body = {name: form.get(name, "") for name in ("Name", "Type", "Sku", "Description")}
    if body["Type"] in ("Category", "Group"):
        return body
    if "QtyOnHand" in form:
        body["QtyOnHand"] = parsed(form["QtyOnHand"], "What is on hand")
    return body | {
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


def _tracked_fields(entity: str) -> Callable[[Books, Body], Sequence[Field]]:
    def fields(books: Books, body: Body) -> list[Field]:
        parent = body.get("ParentRef", {}).get("value", "")
        above = [("", "Nothing"), *choices(books, entity, keep=[parent])]
        return [
            Field("Name", "Name", body.get("Name", ""), required=True),
            Field("parent", "Below", parent, "select", options=above),
        ]

    return fields


def _tracked(form: MultiDict) -> Body:
    return {"Name": form.get("Name", ""), "ParentRef": {"value": form.get("parent", "")}}


def _tracked_row(stored: Stored) -> Row:
    return Row(stored.id, (name_of(stored),), _chips(stored))


def _tracked_list(entity: str, title: str, new: str) -> NameList:
    return NameList(entity, title, new, (("Name", ""),), _tracked_row, _tracked_fields(entity), _tracked)


NAME_LISTS = {
    "customers": NameList(
        entity="Customer",
        title="Customers",
        new="New customer",
        heads=(("Name", ""), ("E-mail", ""), ("Open balance", MONEY)),
        row_of=_customer_row,
        fields=_customer_fields,
        body=_customer,
        merge=merging.customers,
    ),
    "items": NameList(
        entity="Item",
        title="Products and services",
        new="New product or service",
        heads=(("Name", ""), ("Type", ""), ("Taxable", ""), ("Price", MONEY)),
        row_of=_item_row,
        fields=_item_fields,
        body=_item,
        merge=merging.items,
    ),
    "vendors": NameList(
        entity="Vendor",
        title="Vendors",
        new="New vendor",
        heads=(("Name", ""), ("E-mail", "")),
        row_of=_vendor_row,
        fields=_person_fields,
        body=_person,
    ),
    "classes": _tracked_list("Class", "Classes", "New class"),
    "locations": _tracked_list("Department", "Locations", "New location"),
}
