"""What moves a customer's balance without being a sale or a payment: lines of journal entries and of bank deposits that
are put down to receivables. QuickBooks wants to know whose they are, and the customer owes so much more or less."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from fieldcamp.sandbox.intuit import allocations, errors, people
from fieldcamp.sandbox.intuit.amounts import decimal
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.store import Stored

RECEIVABLE = "Accounts Receivable"
ENTRY, DEPOSITED = "JournalEntryLineDetail", "DepositLineDetail"


@dataclass(frozen=True)
class OpenItem:
    """What is open of one transaction of a customer's, as reports list it; a credit is negative."""

    customer: str
    kind: str
    id: str
    number: str
    day: str
    due: str
    amount: Decimal
    open: Decimal


# How reports call transactions, where what is open of them stands, and whether it is owed or a credit.
_ITEMS = {
    "Invoice": ("Invoice", "Balance", 1),
    "CreditMemo": ("Credit Memo", "Balance", -1),
    "Payment": ("Payment", "UnappliedAmt", -1),
    "Purchase": ("", "Balance", 1),
}
_ENTRIES = {"JournalEntry": "Journal Entry", "Deposit": "Deposit"}


def is_receivable(books: Books, account: Body) -> bool:
    """Whether the account that a line names is one of receivables."""
    stored = books.get("Account", str(account.get("value", "")))
    return stored is not None and stored.body["AccountType"] == RECEIVABLE


def check_customer(books: Books, reference: Body, named: Body) -> None:
    """Refuses a line on receivables that says not whose it is."""
    kind = str(named.get("Type") or named.get("type") or "Customer").casefold()
    if kind != "customer" or books.get("Customer", str(reference.get("value", ""))) is None:
        raise errors.business("When you use Accounts Receivable, you must choose a customer in the Name field.", "Line")


def moves(books: Books, stored: Stored) -> Iterator[tuple[str, Decimal]]:
    """Whose balance each line on receivables moves, and by how much."""
    for line in stored.body.get("Line", []):
        detail, amount = line.get(ENTRY) or line.get(DEPOSITED) or {}, decimal(line.get("Amount"))
        if not detail.get("AccountRef") or not is_receivable(books, detail["AccountRef"]):
            continue
        whose = detail.get("Entity", {})
        customer = str(whose.get("EntityRef", whose).get("value", ""))
        if books.get("Customer", customer) is not None:
            debit = ENTRY in line and detail.get("PostingType") == "Debit"
            yield customer, amount if debit else -amount


def settle(books: Books, new: Stored | None, old: Stored | None) -> None:
    """The customers of its lines owe more or less."""
    for stored, sign in ((old, -1), (new, 1)):
        for customer, amount in moves(books, stored) if stored else ():
            people.adjust_balance(books, customer, amount * sign)


def open_items(books: Books, day: str) -> Iterator[OpenItem]:
    """What is open of all transactions of all customers, dated up to that day."""
    dated = "NOT deleted AND json_extract(body, '$.TxnDate') <= ?"
    for entity, (kind, field, sign) in _ITEMS.items():
        for stored in books.rows(entity, f"{dated} AND json_extract(body, '$.{field}') > 0", day):
            body = stored.body
            amount, left = decimal(body.get("TotalAmt")) * sign, decimal(body[field]) * sign
            number = str(body.get("DocNumber") or body.get("PaymentRefNum") or "")
            called = kind or allocations.kind_of(stored)
            due = body.get("DueDate") or body["TxnDate"]
            customer = body["CustomerRef"]["value"]
            yield OpenItem(customer, called, stored.id, number, body["TxnDate"], due, amount, left)
    for entity, kind in _ENTRIES.items():
        for stored in books.rows(entity, dated, day):
            day_, number = stored.body["TxnDate"], str(stored.body.get("DocNumber") or "")
            for customer, amount in moves(books, stored):
                yield OpenItem(customer, kind, stored.id, number, day_, day_, amount, amount)
