"""The form of an answer, so that two can be compared that are not equal."""

import re
from collections.abc import Sequence
from typing import Any

Forms = Sequence[tuple[str, str]]


def form(value: Any, forms: Forms) -> Any:
    """What kind of value it is: the name of the first pattern that a text matches, or the type."""
    if not isinstance(value, str):
        return type(value).__name__
    return next((name for name, pattern in forms if re.fullmatch(pattern, value)), "text")


def shape(data: Any, forms: Forms) -> Any:
    """Keys in their order, and the forms of the values; of a list only its first item."""
    if isinstance(data, dict):
        return [(name, shape(value, forms)) for name, value in data.items()]
    if isinstance(data, list):
        return [shape(item, forms) for item in data[:1]]
    return form(data, forms)
