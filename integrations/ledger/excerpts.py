"""What is kept of a record's fields beside a call: short, and without anything that looks like a secret."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fieldcamp.redaction import may_hold_secret, redact
from integrations.records import Fields

LONGEST_TEXT = 500  # characters of one text
MOST_ROWS = 25  # lines of an invoice, say
LONGEST = 6_000  # characters of all fields together, as JSON
_DEEPEST = 6
# Times, numbers, amounts: nothing in them is a word.
_FIGURES = re.compile(r"[\d\sTZ:.,+%/-]*")


def excerpt(fields: Fields) -> dict[str, Any]:
    """Returns these fields as they may be kept. What was cut ends in "…"; a list's last entry says then how many more
    there were, and a field for which there is no room is "…"."""
    kept = {name: _short(value, 0) for name, value in fields.items()}
    room = LONGEST
    for name, value in kept.items():
        size = len(name) + _size(value)
        if size > room:
            kept[name] = "…"
            size = len(name)
        room -= size
    return kept


def _size(value: Any) -> int:
    """Returns how many characters this takes as JSON, or about as many."""
    if isinstance(value, str):
        return len(value)
    return len(json.dumps(value, ensure_ascii=False)) if isinstance(value, dict | list) else len(str(value))


def short(text: str, longest: int) -> str:
    """Returns a text as it may be kept: without secrets, without what no database takes, and cut."""
    if _FIGURES.fullmatch(text[:longest]):
        return text[:longest]
    # Cut first, so that a text of millions of characters costs no more than a short one; half a secret is none.
    return _cleaned(text[: 2 * longest], longest)


@lru_cache(maxsize=1024)  # what is sent comes back, and what is listed is looked at again
def _cleaned(text: str, longest: int) -> str:
    if may_hold_secret(text):
        text = redact(text)
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    text = text.replace("\x00", "")
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _short(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return short(value, LONGEST_TEXT)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {short(str(name), 100): _short(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        rows = [_short(inner, depth + 1) for inner in value[:MOST_ROWS]]
        return rows if len(value) <= MOST_ROWS else [*rows, f"… {len(value) - MOST_ROWS} more"]
    return short(str(value), LONGEST_TEXT)
