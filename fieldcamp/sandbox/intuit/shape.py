"""What a property of a request may look like: kinds that check a value and give it as it is kept.

A kind is called with the books (to look references up), the entity's name, the property's path, and the value.
"""

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fieldcamp.sandbox.days import parse_day
from fieldcamp.sandbox.intuit import errors
from fieldcamp.sandbox.intuit.errors import Fault

if TYPE_CHECKING:
    from fieldcamp.sandbox.intuit.books import Books

Kind = Callable[["Books", str, str, Any], Any]
NAME_STOPPERS = ":\t\n\r"  # what no name may hold
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def text(limit: int, stoppers: str = "") -> Kind:
    """Text up to a length; numbers and truth values are taken as what they look like."""

    def check(books: "Books", entity: str, path: str, value: Any) -> Any:
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, int | float) and abs(value) < math.inf:
            value = str(value)
        if not isinstance(value, str):
            raise errors.unreadable(f"Property Name:{path} specified is unsupported or invalid")
        value = value.strip()
        if len(value) > limit:
            detail = f"Min:0 Max:{limit} supplied:{len(value)}"
            raise Fault(2050, "String length specified does not match the supported length", detail, path)
        if any(char in stoppers for char in value):
            raise Fault(2040, "Invalid String", "The string contains invalid characters", path)
        return value

    return check


def email() -> Kind:
    """An e-mail address."""
    plain = text(100)

    def check(books: "Books", entity: str, path: str, value: Any) -> Any:
        address = plain(books, entity, path, value)
        if address and not all(_EMAIL.fullmatch(part.strip()) for part in address.split(",")):
            raise Fault(2210, "Invalid Email Address format", f"Email Address : {address} is not valid", path)
        return address

    return check


def number(low: float = -99999999999, high: float = 99999999999) -> Kind:
    """A number, also when it is written as text."""

    def check(books: "Books", entity: str, path: str, value: Any) -> Any:
        if isinstance(value, str) and value.strip():
            try:
                value = float(value)
            except ValueError:
                value = None
        if value == "":
            return ""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Fault(2090, "Invalid Number", f"{path} is not a number", path)
        if not low <= value <= high:
            raise Fault(2090, "Invalid Number", f"{path} is out of range", path)
        return int(value) if value == int(value) else value

    return check


def flag() -> Kind:
    """True or false."""

    def check(books: "Books", entity: str, path: str, value: Any) -> Any:
        value = {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value
        if value != "" and not isinstance(value, bool):
            raise errors.unreadable(f"Property Name:{path} specified is unsupported or invalid")
        return value

    return check


def day() -> Kind:
    """A date, YYYY-MM-DD; a time behind it is dropped."""

    def check(books: "Books", entity: str, path: str, value: Any) -> Any:
        if value == "":
            return ""
        parsed = parse_day(value[:10], 1900, 9999) if isinstance(value, str) else None
        if parsed is None:
            raise Fault(2190, "Invalid Date", f"{path} is not a valid date : {value}", path)
        return parsed.isoformat()

    return check


def choice(*values: str) -> Kind:
    """One of a few words."""

    def check(books: "Books", entity: str, path: str, value: Any) -> Any:
        if value != "" and value not in values:
            allowed = ", ".join(values)
            raise Fault(2170, "Invalid Enumeration", f"Property Name:{path} must be one of {allowed}", path)
        return value

    return check


def ref(*entities: str, check_active: bool = True) -> Kind:
    """A reference {"value": id} to something of these types, kept without its name. Without types it is not checked."""

    def check(books: "Books", entity: str, path: str, value: Any) -> Any:
        if value == "":
            return ""
        if not isinstance(value, dict):
            raise errors.unreadable(f"Property Name:{path} specified is unsupported or invalid")
        target = value.get("value")
        if isinstance(target, int) and not isinstance(target, bool):
            target = str(target)
        if target in (None, ""):
            return ""
        if not isinstance(target, str):
            raise errors.unreadable(f"Property Name:{path}.value specified is unsupported or invalid")
        found = [stored for stored in (books.get(name, target) for name in entities) if stored]
        if entities and not found:
            raise errors.invalid_reference(entities[0], target, path)
        if entities and check_active and not any(stored.active for stored in found):
            raise errors.inactive_reference(path)
        return {"value": target}

    return check


def struct(_drop: tuple[str, ...] = (), **fields: Kind) -> Kind:
    """An object of these properties; those in `_drop` are read-only and ignored."""

    def check(books: "Books", entity: str, path: str, value: Any) -> Any:
        if value == "":
            return ""
        if not isinstance(value, dict):
            raise errors.unreadable(f"Property Name:{path} specified is unsupported or invalid")
        return clean(books, entity, value, fields, _drop, f"{path}.")

    return check


def rows(kind: Kind, most: int = 10_000) -> Kind:
    """A list of such values."""

    def check(books: "Books", entity: str, path: str, value: Any) -> Any:
        if not isinstance(value, list):
            raise errors.unreadable(f"Property Name:{path} specified is unsupported or invalid")
        if len(value) > most:
            raise errors.business(f"{path} holds more than {most} rows.")
        found = [kind(books, entity, path, each) for each in value]
        if "" in found:
            raise errors.unreadable(f"Property Name:{path} specified is unsupported or invalid")
        return found

    return check


def clean(
    books: "Books",
    entity: str,
    sent: dict[str, Any],
    fields: dict[str, Kind],
    ignored: frozenset[str] | tuple[str, ...] = (),
    prefix: str = "",
) -> dict[str, Any]:
    """The sent properties, checked; null means not sent. At the top "" says that the property is to be cleared."""
    result = {}
    for name, value in sent.items():
        if name in ignored:
            continue
        if name not in fields:
            raise errors.unsupported_property(name, entity)
        if value is None:
            continue
        value = fields[name](books, entity, f"{prefix}{name}", value)
        if value != "" or not prefix:
            result[name] = value
    return result


ADDRESS = struct(
    ("Lat", "Long", "Note", "Tag"),
    Id=text(20),
    **{f"Line{n}": text(500) for n in range(1, 6)},
    City=text(255),
    Country=text(255),
    CountryCode=text(10),
    CountrySubDivisionCode=text(255),
    PostalCode=text(31),
)
PHONE = struct(FreeFormNumber=text(30))
EMAIL = struct(Address=email())
