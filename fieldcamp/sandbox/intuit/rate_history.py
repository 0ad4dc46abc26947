"""What a tax rate was and will be: rows of `EffectiveTaxRate`, each from a day on.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/taxrate
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from fieldcamp.sandbox.intuit import errors, times
from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.totals import HUNDRED, ZERO

Body = dict[str, Any]

FIRST = "2014-01-01T00:00:00-08:00"


def on(rate: Body, day: str) -> Decimal:
    """The percentage on that day: of the last row that has begun by then, else what the rate says itself."""
    begun = [row for row in rate.get("EffectiveTaxRate", []) if str(row.get("EffectiveDate", ""))[:10] <= day]
    begun = [row for row in begun if day <= str(row.get("EndDate", "9999"))[:10]]
    if not begun:
        return decimal(rate.get("RateValue"))
    return decimal(max(begun, key=lambda row: str(row.get("EffectiveDate", ""))).get("RateValue"))


def change(books: Books, stored: Stored, percent: Decimal, day: str) -> Stored:
    """As the user does on the page of a rate: from that day on it is another percentage; later rows are dropped."""
    if not ZERO <= percent <= HUNDRED:
        raise errors.business("A tax rate must be from 0 to 100.", "RateValue")
    rows = [row for row in stored.body["EffectiveTaxRate"] if str(row.get("EffectiveDate", ""))[:10] < day]
    last_day = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
    if rows and str(rows[-1].get("EndDate", "9999"))[:10] > last_day:
        rows[-1] = rows[-1] | {"EndDate": _midnight(books, last_day)}
    rows.append({"RateValue": number(percent), "EffectiveDate": _midnight(books, day)})
    return books.change(stored, stored.body | {"EffectiveTaxRate": rows})


def show(books: Books, shown: Body, stored: Stored) -> None:
    """Puts today's percentage into an answer."""
    shown["RateValue"] = number(on(shown, books.today))


def _midnight(books: Books, day: str) -> str:
    return times.stamp(times.moment(day, books.company.zone) or 0, books.company.zone)
