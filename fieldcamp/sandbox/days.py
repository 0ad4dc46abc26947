"""Dates as clients and forms write them."""

import re
from datetime import date


def parse_day(text: object, first_year: int, last_year: int) -> date | None:
    """A YYYY-MM-DD date within these years, or None."""
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if first_year <= day.year <= last_year else None
