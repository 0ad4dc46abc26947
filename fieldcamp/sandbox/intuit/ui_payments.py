"""Payments, as a bookkeeper receives, applies, deposits and voids them."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.intuit import allocations, deposit, engine, payment, transactions
from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.ui_parts import MONEY, Action, Field, Options, Row, choices, known, money, parsed, plain

HEADS = (("Date", ""), ("Customer", ""), ("Reference", ""), ("Amount", MONEY), ("Not applied", MONEY))
APPLY = "apply_"
ZERO = Decimal(0)


def chips(body: Body) -> list[str]:
    """What is special about it."""
    found = ["Voided"] if transactions.is_void(body) else []
    found += ["Deposited"] if payment.is_deposited(body) else []
    return found + (["Settled"] if payment.is_settled(body) else [])


def row(books: Books, stored: Stored) -> Row:
    """The payment in the list."""
    body = stored.body
    customer = books.label("Customer", body["CustomerRef"]["value"])
    cells = (body["TxnDate"], customer, body.get("PaymentRefNum", ""), money(body["TotalAmt"]))
    return Row(stored.id, (*cells, money(body["UnappliedAmt"])), chips(body))


def form(books: Books, stored: Stored | None, customer: str, invoice: str, root: str) -> dict[str, Any]:
    """All that the page of a payment shows; without one, that of a new one by this customer for this invoice."""
    body = stored.body if stored else {}
    customer = body.get("CustomerRef", {}).get("value", customer)
    open_ = list(_invoices(books, stored, customer, invoice)) if customer else []
    amount = body.get("TotalAmt") if stored else sum((decimal(each["applied"]) for each in open_), ZERO)
    facts = [("Amount", money(body["TotalAmt"])), ("Not applied", money(body["UnappliedAmt"]))] if stored else []
    return {
        "title": "Payment" if stored else "Receive a payment",
        "chips": chips(body) if stored else [],
        "facts": facts,
        "links": [(f"{root}/invoices/{each}", f"Invoice {_number(books, each)}") for each in allocations.of(body)],
        "fields": _fields(books, body, customer, plain(amount)),
        "invoices": open_,
        "actions": _actions(body) if stored else [],
    }


def payers(books: Books) -> Options:
    """The customers of whom one may pay."""
    return choices(books, "Customer")


def save(books: Books, stored: Stored | None, sent: MultiDict) -> str:
    """Writes what the form says; the payment's id."""
    applied = {name.removeprefix(APPLY): text for name, text in sent.items() if name.startswith(APPLY)}
    amounts = {each: decimal(parsed(text, "What is applied")) for each, text in applied.items()}
    body: Body = {
        "CustomerRef": {"value": sent.get("customer", "")},
        "TotalAmt": parsed(sent.get("TotalAmt", ""), "The amount"),
        **{name: sent.get(name, "") for name in ("TxnDate", "PaymentRefNum", "PrivateNote")},
        "PaymentMethodRef": {"value": sent.get("method", "")},
        "DepositToAccountRef": {"value": sent.get("account", "")},
        "Line": [allocations.line(each, amount) for each, amount in amounts.items() if amount],
    }
    if stored is not None:
        body |= known(stored, sent)
    return str(engine.write(books, books.entities["Payment"], body)["Id"])


def act(books: Books, stored: Stored, sent: MultiDict) -> str:
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


def _number(books: Books, invoice: str) -> str:
    return str(books.the("Invoice", invoice).body.get("DocNumber", "without a number"))


def _fields(books: Books, body: Body, customer: str, amount: str) -> list[Field]:
    method = body.get("PaymentMethodRef", {}).get("value", "")
    account = body.get("DepositToAccountRef", {}).get("value", payment.UNDEPOSITED_FUNDS)
    banks = "active AND NOT deleted AND json_extract(body, '$.AccountSubType') IN ('UndepositedFunds', 'Checking')"
    return [
        Field("customer", "Customer", customer, "select", options=choices(books, "Customer", keep=[customer])),
        Field("TxnDate", "Date", body.get("TxnDate", books.today), "date", required=True),
        Field("TotalAmt", "Amount", amount, required=True),
        Field("method", "Method", method, "select", options=[("", ""), *choices(books, "PaymentMethod")]),
        Field("PaymentRefNum", "Reference", body.get("PaymentRefNum", "")),
        Field("account", "Deposit to", account, "select", options=choices(books, "Account", banks)),
        Field("PrivateNote", "Note", body.get("PrivateNote", ""), "area"),
    ]


def _actions(body: Body) -> list[Action]:
    deposited = payment.is_deposited(body)
    bank = Action("take_back", "Take out of the deposit") if deposited else Action("deposit", "Mark as deposited")
    settle = () if payment.is_settled(body) else (Action("settle", "Settle as a card payment"),)
    return [bank, *settle, Action("void", "Void", danger=True), Action("delete", "Delete", danger=True)]


def _invoices(books: Books, stored: Stored | None, customer: str, chosen: str) -> Iterator[dict[str, str]]:
    """The customer's open invoices, and those that the payment pays already."""
    applied = allocations.of(stored.body) if stored else {}
    for each in books.of_customer("Invoice", customer):
        balance, own = decimal(each.body["Balance"]), applied.get(each.id, ZERO)
        if not balance and not own:
            continue
        wanted = balance if each.id == chosen and not stored else own
        yield {
            "id": each.id,
            "text": f"{each.body.get('DocNumber', 'Invoice')} of {each.body['TxnDate']}",
            "open": money(balance + own),
            "applied": plain(number(wanted)) if wanted else "0",
        }
