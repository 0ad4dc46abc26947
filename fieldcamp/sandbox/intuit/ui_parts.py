"""What the pages of the books are made of: fields, buttons, tables, and how money and dates are written and read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.store import Stored

Options = Sequence[tuple[str, str]]
CHOICES = 500  # so many names fit into a select
MONEY = "money"


@dataclass(frozen=True)
class Field:
    """A labelled input. `kind` is an input's type, "select", "area", "tick", or "emails" for several addresses."""

    name: str
    label: str
    value: Any = ""
    kind: str = "text"
    required: bool = False
    hint: str = ""
    options: Options = ()


@dataclass(frozen=True)
class Action:
    """A button of its own."""

    name: str
    label: str
    danger: bool = False
    fields: Sequence[Field] = ()


@dataclass(frozen=True)
class Row:
    """A line of a list."""

    id: str
    cells: Sequence[str]
    chips: Sequence[str] = ()


@dataclass(frozen=True)
class Section:
    """A form on the page of settings."""

    name: str
    title: str
    label: str
    fields: Sequence[Field] = field(default_factory=tuple)
    text: str = ""
    danger: bool = False


class Kind(Protocol):
    """A list of objects and the pages of them, e.g. customers or invoices."""

    @property
    def entity(self) -> str:
        """Which type of object."""

    @property
    def title(self) -> str:
        """What stands above the list."""

    @property
    def new(self) -> str:
        """What leads to a new one."""

    @property
    def heads(self) -> Sequence[tuple[str, str]]:
        """The columns, and MONEY for those that hold amounts."""

    @property
    def template(self) -> str:
        """The page of one."""

    @property
    def number(self) -> str:
        """By which property transactions are searched for; empty for lists of names."""

    def row(self, books: Books, stored: Stored) -> Row:
        """One in the list."""

    def form(self, books: Books, stored: Stored | None, query: Mapping[str, str], root: str) -> dict[str, Any]:
        """All that the page of one shows; without one, that of a new one."""

    def save(self, books: Books, stored: Stored | None, form: MultiDict) -> str:
        """Writes what the form says; the id of the object."""

    def act(self, books: Books, stored: Stored, form: MultiDict) -> str:
        """Does what a button says; the id, nothing when it is gone, or the address of another page."""


def money(value: Any) -> str:
    """1,234.50"""
    return f"{decimal(value):,.2f}"


def plain(value: Any) -> str:
    """A number as a form's input holds it."""
    return "" if value is None else f"{decimal(value):f}"


def parsed(text: str, what: str) -> int | float:
    """The number that a person has typed."""
    try:
        value = Decimal(text.replace(",", "").strip() or "0")
        if not value.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise BadInput(f"{what} must be a number.") from None
    return number(value)


def choices(books: Books, entity: str, where: str = "active AND NOT deleted", keep: Iterable[str] = ()) -> Options:
    """The objects of a type to choose from, by name; those of the ids `keep` in any case."""
    found = list(books.rows(entity, where, order=books.entities[entity].order, limit=CHOICES))
    there = {each.id for each in found}
    kept = [books.get(entity, each) for each in dict.fromkeys(keep) if each and each not in there]
    return [(each.id, name_of(each)) for each in (*(each for each in kept if each), *found)]


def known(stored: Stored, form: MultiDict) -> dict[str, Any]:
    """What a sparse update says of the object: the version that the person has seen, where the form says it."""
    return {"Id": stored.id, "SyncToken": form.get("token") or str(stored.token), "sparse": True}


def name_of(stored: Stored) -> str:
    """What a list shows first."""
    names = ("FullyQualifiedName", "DisplayName", "Name")
    return next((str(stored.body[name]) for name in names if name in stored.body), stored.id)


def stripped(values: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Only what has a value."""
    return {name: text.strip() for name, text in values if text.strip()}
