"""Expenses and checks by which customers get money back: they bear it on receivables, where payments and credit memos
are then set against it. Other purchases are none of these books' business.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/purchase
"""

from decimal import Decimal

from fieldcamp.sandbox.intuit import allocations, errors, people, transactions
from fieldcamp.sandbox.intuit.amounts import cents, decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity, days, numbers, references, texts
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.shape import choice, day, ref, rows, struct, text
from fieldcamp.sandbox.intuit.shape import number as numeric
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.totals import ZERO

DETAIL = "AccountBasedExpenseLineDetail"
HIDDEN = ("Balance", "CustomerRef", "LinkedTxn")  # for the sandbox alone: answers do not carry them


def _prepare(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    account = books.the("Account", draft["AccountRef"]["value"]).body
    if account["AccountType"] not in ("Bank", "Credit Card"):
        raise Fault(6430, "Invalid account type used", "An expense is paid from a bank or card account.", "AccountRef")
    payee = draft.get("EntityRef", {})
    known = books.get("Customer", payee.get("value", "")) if payee.get("type", "Customer") == "Customer" else None
    if known is None:
        text_ = "When you use Accounts Receivable, you must choose a customer in the Name field."
        raise errors.business(text_, "EntityRef")
    transactions.complete(books, draft, known.body)
    draft["Line"] = [_line(books, each, n + 1) for n, each in enumerate(draft["Line"])]
    total = sum((decimal(line["Amount"]) for line in draft["Line"]), ZERO)
    used = allocations.paid(books, old) if old else ZERO
    if not draft["Line"] or total <= ZERO or used > total:
        raise errors.business("The amount of an expense must be more than 0, and what is linked to it.", "Line")
    moved = old is not None and old.body["EntityRef"] != draft["EntityRef"]
    if used and moved:
        raise errors.business("The name cannot be changed while a payment is linked.", "EntityRef")
    draft |= {"TotalAmt": number(total), "Balance": number(total - used), "CustomerRef": {"value": known.id}}
    draft["EntityRef"] = {"value": known.id, "type": "Customer"}
    draft.setdefault("LinkedTxn", [])
    transactions.check_period(books, draft, old)


def _line(books: Books, sent: Body, position: int) -> Body:
    if "Amount" not in sent:
        raise errors.required("Line.Amount")
    if "AccountRef" not in sent.get(DETAIL, {}):
        raise errors.required(f"Line.{DETAIL}.AccountRef")
    account = books.the("Account", sent[DETAIL]["AccountRef"]["value"]).body
    if account["AccountType"] != "Accounts Receivable":
        raise errors.business("The sandbox knows expenses on receivables only.", f"Line.{DETAIL}.AccountRef")
    words = {"Description": sent["Description"]} if "Description" in sent else {}
    amount = number(cents(decimal(sent["Amount"])))
    return {"Id": str(position), **words, "Amount": amount, "DetailType": DETAIL, DETAIL: sent[DETAIL]}


def owed(body: Body) -> Decimal:
    """By how much it moves its customer's balance: who gets money back owes it again, until it is set against that."""
    return decimal(body.get("TotalAmt"))


def _settle(books: Books, new: Stored | None, old: Stored | None) -> None:
    for stored, sign in ((old, -1), (new, 1)):
        if stored is not None:
            people.adjust_balance(books, stored.body["CustomerRef"]["value"], owed(stored.body) * sign)


def _before_delete(books: Books, old: Stored) -> None:
    transactions.check_period(books, {}, old)
    if allocations.payments_of(books, old.body):
        raise Fault(
            800, "Delete not allowed", "This transaction is linked to others. Remove the links before you delete it."
        )


def _respond(books: Books, shown: Body, stored: Stored) -> None:
    for name in HIDDEN:
        shown.pop(name, None)
    transactions.show_currency(shown)
    shown["Credit"] = False
    shown["EntityRef"] = books.with_name(shown["EntityRef"], "Customer") | {"type": "Customer"}
    for line in shown["Line"]:
        line[DETAIL]["AccountRef"] = books.with_name(line[DETAIL]["AccountRef"], "Account")


PURCHASE = Entity(
    name="Purchase",
    segment="purchase",
    is_list=False,
    sequence="Transaction",
    operations=frozenset({"create", "update", "delete"}),
    required=("AccountRef", "PaymentType", "Line"),
    fields={
        "PaymentType": choice("Cash", "Check", "CreditCard"),
        "AccountRef": ref("Account"),
        "EntityRef": struct(value=text(20), name=text(500), type=text(20)),
        "TxnDate": day(),
        "DocNumber": text(21),
        "PrivateNote": text(4000),
        "CurrencyRef": ref(),
        "ExchangeRate": numeric(0),
        "PaymentMethodRef": ref("PaymentMethod"),
        "Line": rows(
            struct(
                ("LineNum",),
                Id=text(20),
                Description=text(4000),
                Amount=numeric(0),
                DetailType=choice(DETAIL),
                AccountBasedExpenseLineDetail=struct(
                    ("TaxCodeRef", "BillableStatus"),
                    AccountRef=ref("Account"),
                    CustomerRef=ref("Customer"),
                    ClassRef=ref("Class"),
                ),
            )
        ),
    },
    ignored=frozenset({"TotalAmt", "Credit", "PurchaseEx", "CustomField", *HIDDEN}),
    refs={"AccountRef": ("Account",), "PaymentMethodRef": ("PaymentMethod",)},
    filterable={
        **texts("DocNumber", "PaymentType"),
        **days("TxnDate"),
        **references("AccountRef"),
        **numbers("TotalAmt"),
    },
    prepare=_prepare,
    settle=_settle,
    before_delete=_before_delete,
    respond=_respond,
)
