"""When two texts say the same: one function for each sort of text. Pure.

Who looks for records that are the same, and who compares the fields of two that are, asks here; so what matches is not
rewritten for the way in which it is spelled. A database may be asked for more than these say, and never for less.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from integrations.kinds import Fold, Kind

# Under this name what both sides have agreed on remembers how the other side had spelled what it spells in its own way.
SPELLED_THERE = "spelled_there"
_ACCENTS = re.compile("[\u0300-\u036f]")
_COMPANY = re.compile(r"(inc|llc|llp|lp|ltd|limited|co|corp|corporation|company|plc|pc|gmbh|sons|jr|sr|ii|iii)\.?")
_SEPARATORS = re.compile(r"[,;\s]+")
PHONE_DIGITS, LEAST_DIGITS = 10, 7
UNSTATED_METHOD = "other"  # what a payment's method is called that nobody has said


def plain(text: Any) -> str:
    """Returns a text without case, accents, surrounding and doubled blanks, and as half-width letters."""
    letters = unicodedata.normalize("NFKD", str(text or "")).casefold()
    letters = _ACCENTS.sub("", unicodedata.normalize("NFKD", letters))
    return " ".join(unicodedata.normalize("NFC", letters).split())


def name(text: Any) -> str:
    """Returns a name without punctuation as well; "Smith, John" is "john smith", and "Reed, Inc." is "reed inc"."""
    folded = plain(text)
    last, comma, first = folded.partition(",")
    if comma and first.strip() and "," not in first and not _COMPANY.fullmatch(first.strip()):
        folded = f"{first} {last}"
    folded = folded.replace("&", " and ").replace("'", "").replace("\u2019", "")
    kept = (letter if unicodedata.category(letter)[0] in "LNM" else " " for letter in folded)
    return " ".join("".join(kept).split())


def emails(text: Any) -> frozenset[str]:
    """Returns the addresses of a field that may hold several, separated by commas, semicolons or blanks."""
    return frozenset(part for part in _SEPARATORS.split(plain(text)) if part)


def phone(text: Any) -> str:
    """Returns the last ten digits, so that a country's prefix makes no difference; "" for too few to know anybody
    by."""
    digits = "".join(digit for digit in plain(text) if digit.isdecimal())
    return digits[-PHONE_DIGITS:] if len(digits) >= LEAST_DIGITS else ""


def number(text: Any) -> str:
    """Returns a document's number, or a payment's; of one that is nothing but digits the leading zeros do not count."""
    folded = plain(text)
    return (folded.lstrip("0") or "0") if folded.isdecimal() else folded


sku = plain  # an item's number: whatever is in it counts


def place(address: Any) -> tuple[tuple[str, str], ...]:
    """Returns an address (`{"street", "city", …}`) by its parts, those that say nothing left out."""
    parts = address if isinstance(address, Mapping) else {}
    return tuple(sorted((str(part), folded) for part, text in parts.items() if (folded := plain(text))))


def _same_emails(ours: Any, theirs: Any) -> bool:
    """Tells whether all of our addresses are among theirs, who have room for more."""
    return bool(emails(ours)) and emails(ours) <= emails(theirs)


def _same_methods(ours: Any, theirs: Any) -> bool:
    """Tells whether theirs is ours, or not stated."""
    return (theirs or UNSTATED_METHOD) in (UNSTATED_METHOD, ours)


def _alike(fold: Callable[[Any], Any]) -> Callable[[Any, Any], bool]:
    def same(ours: Any, theirs: Any) -> bool:
        return bool(fold(ours)) and fold(ours) == fold(theirs)

    return same


_SAME: Mapping[Fold, Callable[[Any, Any], bool]] = {
    Fold.TEXT: _alike(plain),
    Fold.NAME: _alike(name),
    Fold.EMAIL: _same_emails,
    Fold.PHONE: _alike(phone),
    Fold.NUMBER: _alike(number),
    Fold.SKU: _alike(sku),
    Fold.PLACE: _alike(place),
    Fold.METHOD: _same_methods,
}


def same(kind: Kind, field: str, ours: Any, theirs: Any) -> bool:
    """Returns whether the two sides say the same in this field of this kind of record."""
    fold = kind.folds.get(field)
    return ours == theirs or (fold is not None and _SAME[fold](ours, theirs))


def is_spelling(kind: Kind, field: str) -> bool:
    """Returns whether texts of this field that say the same differ in how they are spelled, and in nothing else."""
    return kind.folds.get(field, Fold.METHOD) is not Fold.METHOD


def unstated(kind: Kind, field: str, value: Any) -> bool:
    """Returns whether a value is there only because something has to be: nobody has said it."""
    return kind.folds.get(field) is Fold.METHOD and value == UNSTATED_METHOD
