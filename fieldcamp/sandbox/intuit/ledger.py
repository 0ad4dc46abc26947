"""What stands on an account, worked out of the documents when it is asked for: QuickBooks posts by itself.

Accounts of income and expenses show 0, as recorded: their sums belong to a period.
"""

from decimal import Decimal

from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.totals import ZERO

TAX = "json_extract(body, '$.TxnTaxDetail.TotalTax')"
TOTAL = "json_extract(body, '$.TotalAmt')"
INTO = "NOT deleted AND json_extract(body, '$.DepositToAccountRef.value') = ?"
WAITS = f"{INTO} AND instr(coalesce(json_extract(body, '$.LinkedTxn'), ''), '\"Deposit\"') = 0"


def balance(books: Books, account_id: str, account: Body) -> Decimal | None:
    """The balance that follows from the documents, or None for an account that nothing here is posted to."""
    kind, subtype = account.get("AccountType"), account.get("AccountSubType")
    if kind == "Accounts Receivable":
        return _sum(books, "Customer", "json_extract(body, '$.Balance')")
    if kind == "Bank" or subtype == "UndepositedFunds":
        return _money(books, account_id, waits=subtype == "UndepositedFunds")
    if subtype == "Inventory":
        value = "json_extract(body, '$.QtyOnHand') * coalesce(json_extract(body, '$.PurchaseCost'), 0)"
        return _sum(
            books, "Item", value, "NOT deleted AND json_extract(body, '$.AssetAccountRef.value') = ?", account_id
        )
    if subtype == "SalesTaxPayable":
        taken = sum((_sum(books, each, TAX) for each in ("Invoice", "SalesReceipt")), ZERO)
        return taken - sum((_sum(books, each, TAX) for each in ("CreditMemo", "RefundReceipt")), ZERO)
    return None


def _money(books: Books, account: str, waits: bool) -> Decimal:
    received = sum(
        (_sum(books, each, TOTAL, WAITS if waits else INTO, account) for each in ("Payment", "SalesReceipt")), ZERO
    )
    back = _sum(
        books,
        "Deposit",
        "json_extract(body, '$.CashBack.Amount')",
        "NOT deleted AND json_extract(body, '$.CashBack.AccountRef.value') = ?",
        account,
    )
    banked = _sum(books, "Deposit", TOTAL, INTO, account) + back
    spent = _sum(books, "Purchase", TOTAL, "NOT deleted AND json_extract(body, '$.AccountRef.value') = ?", account)
    return received + banked - spent - _sum(books, "RefundReceipt", TOTAL, INTO, account)


def _sum(books: Books, entity: str, value: str, where: str = "NOT deleted", *params: str) -> Decimal:
    return decimal(round(books.store.total(books.realm, entity, value, where, *params), 2))


def show(books: Books, shown: Body, stored: Stored) -> None:
    """Puts an account's balance into an answer."""
    found = balance(books, stored.id, shown)
    if found is not None:
        shown["CurrentBalance"] = shown["CurrentBalanceWithSubAccounts"] = number(found)
