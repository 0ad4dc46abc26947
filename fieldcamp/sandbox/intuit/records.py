"""What a person does to one object on QuickBooks' own pages, for tests: it is so from now on, or it is gone.

`POST /_control/record` puts an object as it is given, unchecked by the rules for apps: an invoice may have lines that
no app can write. Its links are the caller's to put into what they lead to; the customer's balance follows.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.intuit import allocations, deposit, engine, given, people, receivables, sales_form, stock
from fieldcamp.sandbox.intuit.amounts import decimal
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.totals import ZERO

# What a company cannot be without, and what the rules of tax hang on.
LASTING = ("Account", "TaxCode", "TaxRate", "TaxAgency", "CompanyInfo", "Preferences")
# How references to a list's entries are called. Who is named anywhere cannot be removed, as at the vendor.
NAMED_AS: Mapping[str, tuple[str, ...]] = {
    "Customer": ("CustomerRef", "ParentRef"),
    "Item": ("ItemRef", "GroupItemRef", "ParentRef"),
    "Vendor": ("VendorRef",),
    "Employee": ("EmployeeRef",),
    "Class": ("ClassRef", "ParentRef"),
    "Department": ("DepartmentRef", "ParentRef"),
    "Term": ("SalesTermRef", "TermRef", "DefaultTerms"),
    "PaymentMethod": ("PaymentMethodRef",),
}
BELOW = "ParentRef"
STOCK = {"Invoice": -1, "SalesReceipt": -1, "CreditMemo": 1, "RefundReceipt": 1}


def put(books: Books, name: str, object_id: str, body: Any) -> Body:
    """Puts the object, or with None removes it; where it is now."""
    entity = books.entities.get(name)
    if entity is None:
        raise BadInput(f"QuickBooks has no {name}.")
    if not re.fullmatch(r"[1-9]\d{0,17}|TAX|NON", object_id, re.ASCII) or (entity.single and object_id != "1"):
        raise BadInput("id must be a number.")
    with books.store.state.transaction():
        old = books.store.get(books.realm, name, object_id)
        if body is None:
            return _removed(books, entity, None if old is None or old.deleted else old)
        new = _put(books, entity, object_id, old, given.readable(body))
        return {"id": new.id, "sync_token": str(new.token)}


def _put(books: Books, entity: Entity, object_id: str, old: Stored | None, body: Body) -> Stored:
    plain = given.plain(books, entity, body)
    _check_references(books, entity, object_id, plain)
    full = plain | {given.RAW: {"given": given.own(body), "kept": plain}}
    if old is None:
        new = books.insert(entity.name, full, object_id)
    else:
        space = entity.names.space if entity.names else None
        new = books.change(replace(old, deleted=False, space=space), full)  # a removed one too: its number goes on
    _reserve_number(books, entity, plain)
    _follow(books, entity, None if old is None or old.deleted else old, new)
    return new


def _check_references(books: Books, entity: Entity, object_id: str, body: Body) -> None:
    customer = body.get("CustomerRef", {}).get("value")
    if customer and books.get("Customer", customer) is None:
        raise BadInput(f"There is no customer {customer}: put that first.")
    seen, above = {object_id}, body.get(BELOW, {}).get("value")
    while above:
        stored = books.get(entity.name, above)
        if stored is None or above in seen:
            raise BadInput(f"{entity.name} {above} cannot be above this one.")
        seen.add(above)
        above = stored.body.get(BELOW, {}).get("value")


def _reserve_number(books: Books, entity: Entity, body: Body) -> None:
    """Numbers that QuickBooks gives go on after the highest that there is."""
    number = body.get("DocNumber", "")
    if entity.name in given.SALES and number.isascii() and number.isdecimal() and len(number) < 10:
        sequence = sales_form.ESTIMATES if entity.name == "Estimate" else sales_form.DOCUMENTS
        books.store.reserve(books.realm, sequence, int(number))


def _follow(books: Books, entity: Entity, old: Stored | None, new: Stored) -> None:
    """What the customer owes and what is in stock follow; both are worked out of the documents."""
    if entity.name in STOCK:
        stock.move(books, new, old, STOCK[entity.name])
    if entity.name in ("Deposit", "JournalEntry"):
        receivables.settle(books, new, old)
    for stored, sign in ((old, -1), (new, 1)):
        if stored is not None:
            customer = stored.body.get("CustomerRef", {}).get("value", "")
            if customer:
                people.adjust_balance(books, customer, _owed(entity.name, stored.body) * sign)


def _owed(name: str, body: Body) -> Decimal:
    """By how much a transaction moves its customer's balance."""
    total = decimal(body.get("TotalAmt"))
    if name == "Invoice":
        return total - decimal(body.get("Deposit"))
    if name == "Purchase":
        return total
    return -total if name in ("Payment", "CreditMemo") else ZERO


def _removed(books: Books, entity: Entity, old: Stored | None) -> Body:
    """As the user deletes a transaction: what it was linked to is free again."""
    if entity.name in LASTING:
        raise BadInput(f"QuickBooks does not let anybody remove a {entity.name}.")
    if old is None:
        raise BadInput("There is no such object.")
    _refuse_named(books, entity, old)
    if entity.name in deposit.DEPOSITED:
        deposit.take_back(books, old)
    if entity.name == "Invoice":
        allocations.release(books, old, allocations.paid(books, old))
    if entity.name == "CreditMemo":
        _withdraw(books, old)
    old = books.the(entity.name, old.id)
    books.delete(old)
    entity.settle(books, None, old)
    for name in (*given.SALES, "Payment"):
        for other in list(books.rows(name, "NOT deleted AND body LIKE ?", f'%"TxnId":"{old.id}"%')):
            links = other.body.get("LinkedTxn", [])
            left = [link for link in links if (link["TxnId"], link["TxnType"]) != (old.id, entity.name)]
            if left != links:
                books.change(other, other.body | {"LinkedTxn": left})
    return {"id": old.id, "sync_token": None}


def _withdraw(books: Books, memo: Stored) -> None:
    """Takes a credit memo out of the payments that use it; what it has settled is open again."""
    for payment in allocations.payments_of(books, memo.body):
        applied, credits = allocations.of(payment.body), allocations.of(payment.body, allocations.CREDIT)
        left = credits.pop(memo.id, ZERO)
        for invoice in reversed(list(applied)):
            back = min(left, applied[invoice])
            applied[invoice] -= back
            left -= back
        target = {"Id": payment.id, "SyncToken": str(payment.token), "sparse": True}
        lines = allocations.lines(applied, credits) + allocations.charges(payment.body)
        if lines or payment.body["TotalAmt"]:
            engine.write(books, books.entities["Payment"], target | {"Line": lines})
        else:
            engine.delete(books, books.entities["Payment"], target)


def _refuse_named(books: Books, entity: Entity, old: Stored) -> None:
    for reference in NAMED_AS.get(entity.name, ()):
        types = [entity.name] if reference == BELOW else list(books.entities)
        for name in types:
            pattern = f'%"{reference}":{{"value":"{old.id}"%'
            for other in books.rows(name, "NOT deleted AND body LIKE ?", pattern, limit=1):
                raise BadInput(f"{entity.name} {old.id} is named by {name} {other.id}: remove that first, or merge.")
