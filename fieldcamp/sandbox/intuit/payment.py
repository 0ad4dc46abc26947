"""Payments by customers, and which invoices they settle, with which credit memos.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/payment
"""

from decimal import Decimal
from typing import Any

from fieldcamp.sandbox.intuit import allocations, errors, people, transactions
from fieldcamp.sandbox.intuit.allocations import CREDIT, INVOICE, KINDS, of
from fieldcamp.sandbox.intuit.amounts import cents, decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity, days, numbers, references, texts
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.shape import choice, day, flag, ref, rows, struct, text
from fieldcamp.sandbox.intuit.shape import number as numeric
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.totals import ZERO

UNDEPOSITED_FUNDS = "4"
SETTLED = "Completed"


def _prepare(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    if old is not None:
        refuse_deposited(old)
    if "TotalAmt" not in draft:
        raise errors.business("You must set a transaction amount.", "TotalAmt")
    total = cents(decimal(draft["TotalAmt"]))
    if total < ZERO:
        raise errors.business("The transaction amount must be 0 or greater.", "TotalAmt")
    draft["TotalAmt"] = number(total)
    transactions.complete(books, draft, books.the("Customer", draft["CustomerRef"]["value"]).body)
    if total:  # a payment of nothing, which links credits to invoices, goes into no account
        draft.setdefault("DepositToAccountRef", {"value": UNDEPOSITED_FUNDS})
    draft.setdefault("ProcessPayment", False)
    draft["Line"] = [_line(each) for each in draft.get("Line", [])]
    draft["UnappliedAmt"] = number(_unapplied(draft, total))
    dates = []
    for kind in KINDS:
        new, before = of(draft, kind), of(old.body, kind) if old else {}
        for txn in new:
            _check_link(books, draft, kind, txn, new[txn], before.get(txn, ZERO))
        moved = (each for each in {**before, **new} if before.get(each) != new.get(each))
        dates += [found.body["TxnDate"] for found in (allocations.linked(books, kind, each) for each in moved) if found]
    transactions.check_period(books, draft, old, *dates)


def _line(sent: Body) -> Body:
    links = sent.get("LinkedTxn", [])
    if "Amount" not in sent:
        raise errors.required("Line.Amount")
    if len(links) != 1 or "TxnId" not in links[0] or "TxnType" not in links[0]:
        raise errors.required("Line.LinkedTxn")
    amount = cents(decimal(sent["Amount"]))
    if amount <= ZERO:
        raise errors.business("The amount of a payment's line must be more than 0.", "Line.Amount")
    return allocations.line(links[0]["TxnId"], amount, links[0]["TxnType"])


def _unapplied(draft: Body, total: Decimal) -> Decimal:
    """What is left of the payment when its invoices are settled, credit memos helping."""
    invoices, memos = of(draft), of(draft, CREDIT)
    if sum(len(of(draft, kind)) for kind in KINDS) < len(draft["Line"]):
        raise errors.business("An invoice can be paid by one line of a payment only.", "Line")
    applied, credited = sum(invoices.values(), allocations.paid_back(draft)), sum(memos.values(), ZERO)
    if credited > applied:
        raise errors.business("The credits cannot be more than what they settle.", "Line")
    if applied - credited > total:
        raise errors.business("The amount applied to invoices cannot be more than the amount of the payment.", "Line")
    return total - (applied - credited)


def _check_link(books: Books, draft: Body, kind: str, txn: str, amount: Decimal, before: Decimal) -> None:
    stored, payer = allocations.linked(books, kind, txn), draft["CustomerRef"]["value"]
    owner = stored.body["CustomerRef"]["value"] if stored else ""
    if stored is None or (owner != payer and owner not in people.family(books, payer)):
        text_ = f"Transaction {txn} cannot be linked to a payment of this customer."
        raise Fault(620, "Transaction cannot be linked", text_, "Line.LinkedTxn.TxnId")
    if amount > decimal(stored.body["Balance"]) + before:
        what = {INVOICE: "balance of the invoice", CREDIT: "amount of the credit memo"}.get(
            kind, "amount of the refund"
        )
        raise errors.business(f"You can't apply more than the open {what}.", "Line.Amount")


def refuse_deposited(old: Stored) -> None:
    """Refuses to touch money that is in a bank deposit."""
    if is_deposited(old.body):
        raise Fault(
            6540,
            "Deposited Transaction cannot be changed",
            "If you want to modify or delete this transaction, you must first remove it from the deposit.",
        )


def _refuse_settled(old: Stored) -> None:
    if is_settled(old.body):
        raise Fault(6450, "Settled payment", "This payment has been settled and cannot be voided or deleted.")


def _settle(books: Books, new: Stored | None, old: Stored | None) -> None:
    """The customer owes less or more, and what the payment settles follows."""
    for stored, sign in ((old, 1), (new, -1)):
        if stored is not None:
            paid = decimal(stored.body["TotalAmt"]) * sign
            people.adjust_balance(books, stored.body["CustomerRef"]["value"], paid)
    either = new or old
    if either is not None:
        allocations.carry_over(books, either.id, new.body if new else {}, old.body if old else {})


def _check_removal(books: Books, old: Stored) -> None:
    refuse_deposited(old)
    _refuse_settled(old)
    settled = [allocations.linked(books, kind, each) for kind in KINDS for each in of(old.body, kind)]
    transactions.check_period(books, {}, old, *(each.body["TxnDate"] for each in settled if each))


def _void(books: Books, draft: Body, old: Stored) -> None:
    _check_removal(books, old)
    if not transactions.is_void(draft):
        draft |= {"TotalAmt": 0, "UnappliedAmt": 0, "Line": []}
        transactions.mark_void(draft)


def is_deposited(body: Body) -> bool:
    """Whether it is part of a bank deposit."""
    return any(link["TxnType"] == "Deposit" for link in body.get("LinkedTxn", []))


def is_settled(body: Body) -> bool:
    """Whether the card that paid has been charged."""
    return bool(body.get("CreditCardPayment", {}).get("CreditChargeResponse", {}).get("Status") == SETTLED)


def settle_card(books: Books, payment: Stored) -> Stored:
    """As the card company does: the charge is final."""
    charge = {
        "CreditChargeInfo": {"ProcessPayment": True},
        "CreditChargeResponse": {"Status": SETTLED, "AuthCode": "sandbox"},
    }
    return books.change(payment, payment.body | {"ProcessPayment": True, "CreditCardPayment": charge})


def _respond(books: Books, shown: Body, stored: Stored) -> None:
    transactions.show_currency(shown)
    for line in shown["Line"]:
        link = line["LinkedTxn"][0]
        settled = allocations.linked(books, link["TxnType"], link["TxnId"])
        if settled is None:
            continue
        before = decimal(settled.body.get("Balance")) + decimal(line["Amount"])
        pairs = (
            ("txnId", settled.id),
            ("txnOpenBalance", f"{before:.2f}"),
            ("txnReferenceNumber", settled.body.get("DocNumber", "")),
        )
        line["LineEx"] = {"any": [_named(name, value) for name, value in pairs]}


def _named(name: str, value: str) -> dict[str, Any]:
    return {
        "name": "{http://schema.intuit.com/finance/v3}NameValue",
        "declaredType": "com.intuit.schema.finance.v3.NameValue",
        "scope": "javax.xml.bind.JAXBElement$GlobalScope",
        "value": {"Name": name, "Value": value},
        "nil": False,
        "globalScope": True,
        "typeSubstituted": False,
    }


PAYMENT = Entity(
    name="Payment",
    segment="payment",
    is_list=False,
    sequence="Transaction",
    operations=frozenset({"create", "update", "delete"}),
    required=("CustomerRef",),
    fields={
        "CustomerRef": ref("Customer"),
        "DepositToAccountRef": ref("Account"),
        "PaymentMethodRef": ref("PaymentMethod"),
        "PaymentRefNum": text(21),
        "TotalAmt": numeric(),
        "TxnDate": day(),
        "CurrencyRef": ref(),
        "ExchangeRate": numeric(0),
        "PrivateNote": text(4000),
        "TransactionLocationType": text(50),
        "ProcessPayment": flag(),
        # The LineEx that reads carry is not taken back.
        "Line": rows(
            struct(
                Amount=numeric(),
                LinkedTxn=rows(struct(TxnId=text(20), TxnType=choice(*KINDS), TxnLineId=text(10)), 1),
            )
        ),
    },
    ignored=frozenset({"UnappliedAmt", "LinkedTxn", "ARAccountRef", "CreditCardPayment"}),
    refs={"CustomerRef": ("Customer",)},
    filterable={
        **texts("PaymentRefNum"),
        **days("TxnDate"),
        **references("CustomerRef", "PaymentMethodRef"),
        **numbers("TotalAmt", "UnappliedAmt"),
    },
    void_on_update=True,
    prepare=_prepare,
    settle=_settle,
    void=_void,
    before_delete=_check_removal,
    respond=_respond,
)
