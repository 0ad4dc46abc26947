"""What the bodies of all kinds share: references, numbers, texts, and our mark."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ulid import ULID

from integrations.records import Marker, tidy

Body = Mapping[str, Any]

NO_TAX, TAX = "NON", "TAX"  # QuickBooks' pseudo codes on a line
_MADE_UP = re.compile(r"[0-9a-f]{32}")
_MARK = re.compile(r"(?m)(?:^|\s)Ref ([0-7][0-9A-HJKMNP-TV-Z]{25})$")
_FORMER_MARK = re.compile(r"(?m)(?:^|\s)FieldCamp ([^/\s]+)/([^/\s]+)/([0-9a-f]{32})$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def ref(id: str) -> dict[str, str]:
    return {"value": id}


def ref_id(body: Any, name: str) -> str:
    """Returns the id that a reference names, or ""."""
    found = body.get(name) if isinstance(body, Mapping) else None
    return str(found.get("value") or "") if isinstance(found, Mapping) else ""


def within(body: Body, name: str, inner: str) -> str:
    """Returns a text one level down: `{"PrimaryEmailAddr": {"Address": …}}`."""
    found = body.get(name)
    return tidy(str(found.get(inner) or "")) if isinstance(found, Mapping) else ""


def text(body: Body, name: str) -> str:
    return tidy(str(body.get(name) or ""))


def decimal(value: Any) -> Decimal:
    """Returns a JSON number without what a float would add to it; what is missing is zero."""
    return Decimal(str(value)) if value not in (None, "") else Decimal(0)


def number(value: Decimal | str | None) -> int | float:
    """Returns a JSON number: up to 15 digits, a float is printed as the decimal that it was made of."""
    exact = Decimal(value or 0)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def one_line(value: Any, limit: int) -> str:
    """Returns a name as QuickBooks takes it: no line ends, no tabs."""
    return _CONTROL.sub(" ", str(value or "")).strip()[:limit].strip()


def name(value: Any, limit: int = 100) -> str:
    """Returns the same for names in which a colon would mean a parent and its child."""
    return " ".join(one_line(str(value or "").replace(":", " "), 1000).split())[:limit].strip()


def is_made_up(id: str) -> bool:
    """Returns whether a create of ours was sent with it; QuickBooks' own ids are short numbers."""
    return _MADE_UP.fullmatch(id) is not None


def mark(marker: Marker | None) -> str:
    """Returns the last line of the private note of what we make: the id that it is made with, as a reference.

    The note is what statements print, so it holds no word that its reader would have to wonder at. Nothing else that an
    invoice and a payment keep is hidden from the customer in every company: custom fields have to be made by a person,
    and print by their template.
    https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice#the-invoice-object"""
    return f"Ref {ULID.from_hex(marker.remote_id)}" if marker else ""


def marker_of(body: Body) -> Marker | None:
    """Returns our mark, which names the workspace and the record only where it was written before it was shortened."""
    note = str(body.get("PrivateNote") or "").replace("\r", "")
    if found := _MARK.findall(note):
        return Marker("", "", ULID.from_str(found[-1]).hex)
    former = _FORMER_MARK.findall(note)
    return Marker(*former[-1]) if former else None


def is_voided(body: Body) -> bool:
    """Returns whether it is void. There is no status: a void leaves zeros and a word.
    https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice#void-an-invoice"""
    return decimal(body.get("TotalAmt")) == 0 and str(body.get("PrivateNote") or "").startswith("Voided")


def without_deleted(body: Body, name: str) -> str:
    """Returns a name without what QuickBooks adds when a record is made inactive."""
    found = text(body, name)
    return found.removesuffix(" (deleted)") if body.get("Active") is False else found
