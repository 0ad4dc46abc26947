"""Columns and read-only fields that show times and money as the rest of the desk does."""

from collections.abc import Callable
from typing import Any

from django.db.models import Model
from django.utils.html import format_html
from unfold.decorators import display

from fieldcamp import formats
from fieldcamp.desk.templatetags.desk import at, when
from fieldcamp.formats import EMPTY


def amount(field: str, words: Any) -> Callable[[Any], str]:
    """Returns the amount in `field` as money, at the right edge."""

    @display(description=words, ordering=field)
    def column(row: Model) -> str:
        value = getattr(row, field)
        return format_html('<span class="fc-money">{}</span>', formats.money(value)) if value is not None else EMPTY

    column.__name__ = f"shown_{field}"
    return column


def moment(field: str, words: Any, *, relative: bool = False, missing: Any = None) -> Callable[[Any], str]:
    """Returns the time in `field`: in the company's zone, or how long ago; UTC on hover."""

    @display(description=words, ordering=field)
    def column(row: Model) -> str:
        value = getattr(row, field)
        return when(value, missing) if relative else at(value, "–" if missing is None else missing)

    column.__name__ = f"shown_{field}"  # the admin tells columns apart by their names
    return column
