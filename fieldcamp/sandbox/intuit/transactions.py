"""What invoices and payments have in common: the day, the currency, closed books, being void."""

from fieldcamp.sandbox.intuit import errors, times
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.people import CURRENCIES
from fieldcamp.sandbox.intuit.store import Stored

VOIDED = "Voided"
# What may not change in a closed period; a note may.
COUNTED = ("TxnDate", "CustomerRef", "TotalAmt", "Line", "TxnTaxDetail")


def complete(books: Books, draft: Body, customer: Body) -> None:
    """The company's date where none was sent, and the customer's currency, which a sent one must be; without a customer
    it is the company's."""
    draft.setdefault("TxnDate", books.today)
    home = books.preference("CurrencyPrefs", "HomeCurrency", {"value": "USD"})["value"]
    currency = customer["CurrencyRef"]["value"] if customer else home
    if draft.setdefault("CurrencyRef", {"value": currency})["value"] != currency:
        text = "The currency of the transaction is invalid for customer / vendor / account."
        raise errors.business(text, "CurrencyRef")


def check_period(books: Books, draft: Body, old: Stored | None, *days: str) -> None:
    """Refuses what changes a closed period: by its day, the day it had, or the `days` of what it is linked to. Without
    a draft all of it changes."""
    closed = books.preference("AccountingInfoPrefs", "BookCloseDate", "")
    before = old.body if old else {}
    if not closed or (draft and old and all(draft.get(name) == before.get(name) for name in COUNTED)):
        return
    if any(day and day <= closed for day in (draft.get("TxnDate"), before.get("TxnDate"), *days)):
        raise Fault(
            6210,
            "Account Period Closed",
            "The account period has closed and the account books cannot be updated through through the QBO Services "
            "API. Please use the QBO website to make these changes.",
        )


def is_void(body: Body) -> bool:
    """Whether the transaction was voided: there is no other sign of it."""
    return not body["TotalAmt"] and str(body.get("PrivateNote", "")).startswith(VOIDED)


def mark_void(draft: Body) -> None:
    """Says so in its note, before what stands there."""
    note = draft.get("PrivateNote")
    draft["PrivateNote"] = f"{VOIDED} - {note}"[:4000] if note else VOIDED


def stamp(books: Books) -> str:
    """This moment as a time in an answer."""
    return times.stamp(books.now, books.company.zone)


def show_currency(shown: Body) -> None:
    """Adds the currency's name, for an answer."""
    code = shown["CurrencyRef"]["value"]
    shown["CurrencyRef"] = {"value": code, "name": CURRENCIES.get(code, code)}
