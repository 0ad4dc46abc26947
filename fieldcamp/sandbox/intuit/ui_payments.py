"""Payments, as a bookkeeper receives, applies, deposits and voids them; credit memos are applied with them."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.intuit import allocations, deposit, engine, payment, people, transactions
from fieldcamp.sandbox.intuit.allocations import CREDIT, INVOICE
from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.ui_parts import MONEY, Action, Field, Row, choices, known, money, parsed, plain

APPLY = {INVOICE: "apply_", CREDIT: "credit_"}  # how the fields are called
ZERO = Decimal(0)
MONEY_ACCOUNTS = (
    "active AND NOT deleted AND (json_extract(body, '$.AccountType') = 'Bank'"
    " OR json_extract(body, '$.AccountSubType') = 'UndepositedFunds')"
)


class Payments:
    """The list of payments and the page of one."""

    entity, title, new = "Payment", "Payments", "Receive a payment"
    heads = (("Date", ""), ("Customer", ""), ("Reference", ""), ("Amount", MONEY), ("Not applied", MONEY))
    template, number = "payment", "PaymentRefNum"

    def row(self, books: Books, stored: Stored) -> Row:
        """The payment in the list."""
        body = stored.body
        customer = books.label("Customer", body["CustomerRef"]["value"])
        cells = (body["TxnDate"], customer, body.get("PaymentRefNum", ""), money(body["TotalAmt"]))
        return Row(stored.id, (*cells, money(body["UnappliedAmt"])), _chips(body))

    def form(self, books: Books, stored: Stored | None, query: Mapping[str, str], root: str) -> dict[str, Any]:
        """All that the page of a payment shows; a new one is asked who pays first, then for what."""
        body = stored.body if stored else {}
        customer = body.get("CustomerRef", {}).get("value", query.get("customer", ""))
        if not customer:
            return {"template": "choose", "customers": choices(books, "Customer")}
        chosen = {INVOICE: query.get("invoice", ""), CREDIT: query.get("credit", "")}
        invoices, credits = (list(_open(books, stored, customer, kind, chosen[kind])) for kind in APPLY)
        amount = body.get("TotalAmt") if stored else sum((decimal(each["applied"]) for each in invoices), ZERO)
        facts = [("Amount", money(body["TotalAmt"])), ("Not applied", money(body["UnappliedAmt"]))] if stored else []
        facts += [("Paid back", money(back))] if (back := allocations.paid_back(body)) else []
        return {
            "title": "Payment" if stored else self.new,
            "chips": _chips(body) if stored else [],
            "facts": facts,
            "links": list(_links(books, body, root)),
            "fields": _fields(books, body, customer, plain(amount)),
            "invoices": invoices,
            "credits": credits,
            "actions": _actions(body) if stored else [],
        }

    def save(self, books: Books, stored: Stored | None, sent: MultiDict) -> str:
        """Writes what the form says; the payment's id."""
        amounts = {kind: _amounts(sent, prefix) for kind, prefix in APPLY.items()}
        body: Body = {
            "CustomerRef": {"value": sent.get("customer", "")},
            "TotalAmt": parsed(sent.get("TotalAmt", ""), "The amount"),
            **{name: sent.get(name, "") for name in ("TxnDate", "PaymentRefNum", "PrivateNote")},
            "PaymentMethodRef": {"value": sent.get("method", "")},
            "DepositToAccountRef": {"value": sent.get("account", "")},
            "Line": allocations.lines(amounts[INVOICE], amounts[CREDIT])
            + allocations.charges(stored.body if stored else {}),
        }
        if not body["TotalAmt"]:
            del body["DepositToAccountRef"]  # without money there is nothing to put anywhere
        if stored is not None:
            body |= known(stored, sent)
        return str(engine.write(books, books.entities["Payment"], body)["Id"])

    def act(self, books: Books, stored: Stored, sent: MultiDict) -> str:
        """Does what a button says; the id of the payment, or nothing when it is gone."""
        entity, target = books.entities["Payment"], {"Id": stored.id, "SyncToken": str(stored.token)}
        action = sent.get("action")
        if action == "void":
            engine.void(books, entity, target)
        elif action == "delete":
            engine.delete(books, entity, target)
            return ""
        elif action == "deposit":
            deposit.put(books, [stored])
        elif action == "take_back":
            deposit.take_back(books, stored)
        elif action == "settle":
            payment.settle_card(books, stored)
        else:
            raise BadInput("Nothing to do.")
        return stored.id


def _chips(body: Body) -> list[str]:
    """What is special about it."""
    found = ["Voided"] if transactions.is_void(body) else []
    found += ["Deposited"] if payment.is_deposited(body) else []
    return found + (["Settled"] if payment.is_settled(body) else [])


def _amounts(sent: MultiDict, prefix: str) -> dict[str, Decimal]:
    found = {name.removeprefix(prefix): text for name, text in sent.items() if name.startswith(prefix)}
    return {each: decimal(parsed(text, "What is applied")) for each, text in found.items()}


def _links(books: Books, body: Body, root: str) -> Iterator[tuple[str, str]]:
    for kind, tab, text in ((INVOICE, "invoices", "Invoice"), (CREDIT, "credits", "Credit memo")):
        for each in allocations.of(body, kind):
            stored = books.get(kind, each)
            if stored:
                yield f"{root}/{tab}/{each}", f"{text} {stored.body.get('DocNumber', 'without a number')}"
    for link in body.get("LinkedTxn", []):
        if link["TxnType"] == "Deposit":
            yield f"{root}/deposits/{link['TxnId']}", "Deposit"


def _fields(books: Books, body: Body, customer: str, amount: str) -> list[Field]:
    method = body.get("PaymentMethodRef", {}).get("value", "")
    account = body.get("DepositToAccountRef", {}).get("value", payment.UNDEPOSITED_FUNDS)
    accounts = choices(books, "Account", MONEY_ACCOUNTS, keep=[account])
    return [
        Field("customer", "Customer", customer, "select", options=choices(books, "Customer", keep=[customer])),
        Field("TxnDate", "Date", body.get("TxnDate", books.today), "date", required=True),
        Field("TotalAmt", "Amount", amount, required=True, hint="0: credits alone"),
        Field("method", "Method", method, "select", options=[("", ""), *choices(books, "PaymentMethod")]),
        Field("PaymentRefNum", "Reference", body.get("PaymentRefNum", "")),
        Field("account", "Deposit to", account, "select", options=accounts),
        Field("PrivateNote", "Note", body.get("PrivateNote", ""), "area"),
    ]


def _actions(body: Body) -> list[Action]:
    found = []
    if payment.is_deposited(body):
        found.append(Action("take_back", "Take out of the deposit"))
    elif body.get("DepositToAccountRef", {}).get("value") == payment.UNDEPOSITED_FUNDS and body["TotalAmt"]:
        found.append(Action("deposit", "Mark as deposited"))
    if not payment.is_settled(body):
        found.append(Action("settle", "Settle as a card payment"))
    return [*found, Action("void", "Void", danger=True), Action("delete", "Delete", danger=True)]


def _open(books: Books, stored: Stored | None, customer: str, kind: str, chosen: str) -> Iterator[dict[str, str]]:
    """What is open of the customer's and its family's, and what the payment settles or uses already."""
    applied = allocations.of(stored.body, kind) if stored else {}
    family = people.family(books, customer) if books.get("Customer", customer) else set()
    for owner in (customer, *sorted(family, key=int)):
        for each in books.of_customer(kind, owner):
            balance, own = decimal(each.body["Balance"]), applied.get(each.id, ZERO)
            if not balance and not own:
                continue
            wanted = balance if each.id == chosen and not stored else own
            whose = "" if owner == customer else f", {books.label('Customer', owner)}"
            yield {
                "id": each.id,
                "name": f"{APPLY[kind]}{each.id}",
                "text": f"{each.body.get('DocNumber', kind)} of {each.body['TxnDate']}{whose}",
                "open": money(balance + own),
                "applied": plain(number(wanted)) if wanted else "0",
            }
