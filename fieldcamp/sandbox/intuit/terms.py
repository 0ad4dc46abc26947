"""Payment terms: when an invoice is due."""

import calendar
from datetime import date, timedelta
from typing import Any


def due(term: dict[str, Any], day: date) -> date:
    """The day by which an invoice of `day` is to be paid: so many days later, or on a day of the month."""
    if term.get("Type") != "DATE_DRIVEN":
        return day + timedelta(days=int(term.get("DueDays", 0)))
    on = _in_month(day.year, day.month, int(term["DayOfMonthDue"]))
    if (on - day).days > int(term.get("DueNextMonthDays", 0)):
        return on
    year, month = divmod(day.year * 12 + day.month, 12)
    return _in_month(year, month + 1, int(term["DayOfMonthDue"]))


def standard(name: str, days: int) -> dict[str, Any]:
    """A term of so many days, as the list shows it."""
    return {"Name": name, "Active": True, "Type": "STANDARD", "DueDays": days, "DiscountDays": 0}


def _in_month(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))
