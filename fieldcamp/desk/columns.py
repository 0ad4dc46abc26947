"""Columns and read-only fields that show times as the rest of the desk does."""

from collections.abc import Callable
from typing import Any

from django.db.models import Model
from unfold.decorators import display

from fieldcamp.desk.templatetags.desk import at, when


def moment(field: str, words: Any, *, relative: bool = False, missing: Any = None) -> Callable[[Any], str]:
    """Returns the time in `field`: in the company's zone, or how long ago; UTC on hover."""

    @display(description=words, ordering=field)
    def column(row: Model) -> str:
        value = getattr(row, field)
        return when(value, missing) if relative else at(value, "–" if missing is None else missing)

    column.__name__ = f"shown_{field}"  # the admin tells columns apart by their names
    return column
