"""Journal entries, as bookkeepers and accountants make them: what is not an invoice's, a payment's or an expense's. A
line on receivables names its customer, and moves what that one owes.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/journalentry
"""

from decimal import Decimal

from fieldcamp.sandbox.intuit import errors, receivables, transactions
from fieldcamp.sandbox.intuit.amounts import cents, decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity, days, numbers, texts
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.shape import choice, day, flag, ref, rows, struct, text
from fieldcamp.sandbox.intuit.shape import number as numeric
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.totals import ZERO

DETAIL = receivables.ENTRY


def _prepare(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    transactions.complete(books, draft, {})
    if "Line" in sent or old is None:
        draft["Line"] = [_line(books, each, n) for n, each in enumerate(draft["Line"])]
    if not draft["Line"]:
        raise Fault(2250, "Missing lines", "A journal entry must have at least one line.", "Line")
    sides = dict.fromkeys(("Debit", "Credit"), ZERO)
    for each in draft["Line"]:
        sides[each[DETAIL]["PostingType"]] += decimal(each["Amount"])
    if sides["Debit"] != sides["Credit"]:
        raise errors.business("The debits and credits of a journal entry must be equal.", "Line")
    draft["TotalAmt"] = number(sides["Debit"])
    draft.setdefault("Adjustment", False)
    transactions.check_period(books, draft, old)


def _line(books: Books, sent: Body, position: int) -> Body:
    detail = sent.get(DETAIL, {})
    if "Amount" not in sent:
        raise errors.required("Line.Amount")
    for name in ("PostingType", "AccountRef"):
        if name not in detail:
            raise errors.required(f"Line.{DETAIL}.{name}")
    if receivables.is_receivable(books, detail["AccountRef"]):
        receivables.check_customer(books, detail.get("Entity", {}).get("EntityRef", {}), detail.get("Entity", {}))
    words = {"Description": sent["Description"]} if "Description" in sent else {}
    amount: Decimal = cents(decimal(sent["Amount"]))
    return {"Id": str(position), **words, "Amount": number(amount), "DetailType": DETAIL, DETAIL: detail}


def _before_delete(books: Books, old: Stored) -> None:
    transactions.check_period(books, {}, old)


def _respond(books: Books, shown: Body, stored: Stored) -> None:
    transactions.show_currency(shown)
    shown["TxnTaxDetail"] = {}
    for line in shown["Line"]:
        detail = line.get(DETAIL, {})
        if "AccountRef" in detail:
            detail["AccountRef"] = books.with_name(detail["AccountRef"], "Account")
        if "EntityRef" in detail.get("Entity", {}):
            kind = detail["Entity"].get("Type", "Customer")
            detail["Entity"]["EntityRef"] = books.with_name(detail["Entity"]["EntityRef"], kind)


JOURNAL_ENTRY = Entity(
    name="JournalEntry",
    segment="journalentry",
    is_list=False,
    sequence="Transaction",
    operations=frozenset({"create", "update", "delete"}),
    required=("Line",),
    fields={
        "TxnDate": day(),
        "DocNumber": text(21),
        "PrivateNote": text(4000),
        "CurrencyRef": ref(),
        "ExchangeRate": numeric(0),
        "Adjustment": flag(),
        "Line": rows(
            struct(
                ("LineNum",),
                Id=text(20),
                Description=text(4000),
                Amount=numeric(0),
                DetailType=choice(DETAIL),
                JournalEntryLineDetail=struct(
                    ("TaxCodeRef", "TaxApplicableOn", "TaxAmount", "BillableStatus"),
                    PostingType=choice("Debit", "Credit"),
                    AccountRef=ref("Account"),
                    Entity=struct(
                        Type=choice("Customer", "Vendor", "Employee"), EntityRef=struct(value=text(20), name=text(500))
                    ),
                    ClassRef=ref("Class"),
                    DepartmentRef=ref("Department"),
                ),
            )
        ),
    },
    ignored=frozenset({"TotalAmt", "HomeTotalAmt", "TxnTaxDetail", "TaxRateRef", "TransactionLocationType"}),
    filterable={**texts("DocNumber"), **days("TxnDate"), **numbers("TotalAmt")},
    prepare=_prepare,
    settle=receivables.settle,
    before_delete=_before_delete,
    respond=_respond,
)
