"""Merging two customers or two items, as the user does on QuickBooks' page; an app then finds one of the two gone.

Webhooks call it Merge and give the id that is gone as deletedId:
https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks
"""

from collections.abc import Callable
from typing import Any

from fieldcamp.sandbox.intuit import engine, errors, people
from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.store import Stored

Body = dict[str, Any]

SALES = ("Invoice", "CreditMemo", "Estimate", "SalesReceipt", "RefundReceipt")
OF_CUSTOMERS = (*SALES, "Payment", "Purchase", "TimeActivity")
# What else names a customer or an item: a line of a deposit, what a note is attached to.
NAMING = ("Deposit", "Purchase", "JournalEntry", "Attachable")


def customers(books: Books, kept_id: str, lost_id: str) -> None:
    """All that belonged to one customer is the other's, and its id is gone."""
    with books.store.state.transaction():
        kept, lost = _both(books, "Customer", kept_id, lost_id)
        _refuse_below(books, "Customer", kept, lost)
        for name in OF_CUSTOMERS:
            for stored in list(books.of_customer(name, lost_id)):
                books.change(stored, stored.body | {"CustomerRef": _pointing(stored.body["CustomerRef"], kept)})
        _rename(books, "Customer", kept, lost)
        _take_in_children(books, kept, lost)
        own, all_ = decimal(lost.body.get("Balance")), decimal(lost.body.get("BalanceWithJobs"))
        people.adjust_jobs(books, lost.body.get("ParentRef", {}).get("value"), -all_)
        books.delete(lost)
        books.store.note(kept, "merged", gone=lost.id)
        people.adjust_balance(books, kept_id, own)
        people.adjust_jobs(books, kept_id, all_ - own)


def items(books: Books, kept_id: str, lost_id: str) -> None:
    """All that was sold as the one was sold as the other, and its id is gone."""
    with books.store.state.transaction():
        kept, lost = _both(books, "Item", kept_id, lost_id)
        _refuse_below(books, "Item", kept, lost)
        if kept.body["Type"] != lost.body["Type"]:
            raise errors.business("Only items of the same type can be merged.", "Type")
        for name in (*SALES, "TimeActivity", "Item"):
            _replace(books, name, lambda body: _sold_as(body, kept, lost))
        _rename(books, "Item", kept, lost)
        _take_in_children(books, kept, lost)
        books.delete(lost)
        books.store.note(kept, "merged", gone=lost.id)
        if kept.body.get("TrackQtyOnHand"):
            stored = books.the("Item", kept_id)
            left = decimal(stored.body.get("QtyOnHand")) + decimal(lost.body.get("QtyOnHand"))
            books.change(stored, stored.body | {"QtyOnHand": number(left)}, bump=False)


KINDS: dict[str, Callable[[Books, str, str], None]] = {"Customer": customers, "Item": items}


def _both(books: Books, entity: str, kept_id: str, lost_id: str) -> tuple[Stored, Stored]:
    kept, lost = books.get(entity, kept_id), books.get(entity, lost_id)
    if kept is None or lost is None or kept_id == lost_id:
        raise errors.not_found(is_list=True)
    return kept, lost


def _refuse_below(books: Books, entity: str, kept: Stored, lost: Stored) -> None:
    """What is to stay cannot be below what is to go."""
    above = kept.body.get("ParentRef", {}).get("value")
    while above:
        if above == lost.id:
            raise errors.business("It cannot be merged into one that is below it.", "ParentRef")
        above = books.the(entity, above).body.get("ParentRef", {}).get("value")


def _take_in_children(books: Books, kept: Stored, lost: Stored) -> None:
    below = "NOT deleted AND json_extract(body, '$.ParentRef.value') = ?"
    for child in list(books.rows(kept.type, below, lost.id)):
        draft = child.body | {"ParentRef": _pointing(child.body["ParentRef"], kept)}
        engine.rename(books, books.entities[kept.type], draft, child)
        if "Level" in draft:
            draft["Level"] = draft["FullyQualifiedName"].count(":")
        engine.requalify_children(books, books.change(child, draft), child)


def _rename(books: Books, entity: str, kept: Stored, lost: Stored) -> None:
    """Turns the remaining references, in deposits and notes."""

    def turned(value: Any) -> Any:
        if isinstance(value, list):
            return [turned(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value.get("value") == lost.id and str(value.get("type", "")).casefold() == entity.casefold():
            return _pointing(value, kept)
        if value.get("Type") == entity and value.get("EntityRef", {}).get("value") == lost.id:
            return value | {"EntityRef": _pointing(value["EntityRef"], kept)}
        return {name: turned(each) for name, each in value.items()}

    for name in NAMING:
        _replace(books, name, turned)


def _replace(books: Books, entity: str, turned: Callable[[Body], Body]) -> None:
    for stored in list(books.rows(entity)):
        body = turned(stored.body)
        if body != stored.body:
            books.change(stored, body)


def _sold_as(value: Any, kept: Stored, lost: Stored) -> Any:
    """The same with the item that is left, wherever it stands: in lines, in bundles, in what bundles are made of."""
    if isinstance(value, list):
        return [_sold_as(each, kept, lost) for each in value]
    if not isinstance(value, dict):
        return value
    found = {name: _sold_as(each, kept, lost) for name, each in value.items()}
    for name in ("ItemRef", "GroupItemRef"):
        if isinstance(found.get(name), dict) and found[name].get("value") == lost.id:
            found[name] = _pointing(found[name], kept)
    return found


def _pointing(reference: Body, kept: Stored) -> Body:
    """The reference to the one that is left; where it told a name, the other one's."""
    names = ("DisplayName", "FullyQualifiedName", "Name")
    name = {"name": next(kept.body[each] for each in names if each in kept.body)} if "name" in reference else {}
    return reference | {"value": kept.id} | name
