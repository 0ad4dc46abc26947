"""What the engine has to know of a type of object: its properties, its name rules, and hooks for what is its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fieldcamp.sandbox.intuit.shape import Kind
from fieldcamp.sandbox.intuit.store import Stored

if TYPE_CHECKING:
    from fieldcamp.sandbox.intuit.books import Books

Body = dict[str, Any]
UNIVERSAL = frozenset({"Id", "SyncToken", "sparse", "domain", "MetaData", "status"})
CREATED, UPDATED, READ, FOUND = "created", "updated", "read", "found"  # what an answer is to; CDC finds, as queries do


@dataclass(frozen=True)
class Names:
    """A name that is unique, without regard to case, within `space` (and, with `per_parent`, below one parent).

    Making a list object inactive appends " (deleted)" to `field` and frees the name. `whose` goes into the 6240 text.
    """

    field: str
    space: str
    whose: str
    per_parent: bool = False
    qualified: bool = False  # FullyQualifiedName is kept: the parents' names before it, with colons


@dataclass(frozen=True)
class Property:
    """A property that queries may filter and sort by: where it is in the body and what it holds.

    `holds` is one of text, number, day, time, flag, id.
    """

    path: str
    holds: str = "text"


def nothing(*_: Any) -> None:
    """The hook of an entity without anything of its own."""


@dataclass(frozen=True)
class Entity:
    """A type of object. Hooks raise `errors.Fault` and the whole write is undone.

    prepare(books, draft, old, sent): checks a create or update, and completes `draft` (changed in place). `draft` is
        the body about to be kept; `old` the object so far, None on create; `sent` the cleaned properties of the
        request, so that `"Line" in sent` says whether lines were sent.
    settle(books, new, old): after it is written, what follows elsewhere (a balance, an invoice's open amount). On
        create `old` is None, on delete `new` is None.
    void(books, draft, old): turns `draft` into the voided object; None when the type cannot be voided.
    before_delete(books, old): refuses a deletion by raising.
    actions[name](books, stored, query): answers POST /<segment>/<id>/<name>, e.g. sending; returns the object's body.
    respond(books, shown, stored): adds to `shown`, a deep copy, what is worked out at reading: names, links.
    includes[name](books, shown, stored): adds what `?include=<name>` asks for.
    """

    name: str
    segment: str
    fields: Mapping[str, Kind]
    required: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()  # read-only properties: taken in a request, without effect
    is_list: bool = True
    sequence: str = ""  # of ids; "Transaction" is shared by all transactions, "Name" by customers, vendors, employees
    names: Names | None = None
    refs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # top-level references -> types, to show names
    filterable: Mapping[str, Property] = field(default_factory=dict)
    order: str = "n, id"  # of a query without ORDERBY: SQL over q_objects
    operations: frozenset[str] = frozenset({"create", "update"})
    single: bool = False  # one object for each company, which is read without an id
    in_cdc: bool = True
    void_on_update: bool = False  # `operation=update&include=void` too
    prepare: Callable[["Books", Body, Stored | None, Body], None] = nothing
    settle: Callable[["Books", Stored | None, Stored | None], None] = nothing
    void: Callable[["Books", Body, Stored], None] | None = None
    before_delete: Callable[["Books", Stored], None] = nothing
    actions: Mapping[str, Callable[["Books", Stored, Mapping[str, str]], Body]] = field(default_factory=dict)
    respond: Callable[["Books", Body, Stored], None] = nothing
    includes: Mapping[str, Callable[["Books", Body, Stored], None]] = field(default_factory=dict)
    # What one kind of answer (`CREATED`, `UPDATED`, `READ`, `FOUND`) leaves out although others of its kind have it.
    omitted: Mapping[str, frozenset[str]] = field(default_factory=dict)


def texts(*names: str) -> dict[str, Property]:
    """Properties that hold text right in the body."""
    return {name: Property(f"$.{name}") for name in names}


def references(*names: str) -> dict[str, Property]:
    """Properties that hold a reference: compared by its id."""
    return {name: Property(f"$.{name}.value") for name in names}


def numbers(*names: str) -> dict[str, Property]:
    """Properties that hold a number."""
    return {name: Property(f"$.{name}", "number") for name in names}


def days(*names: str) -> dict[str, Property]:
    """Properties that hold a date."""
    return {name: Property(f"$.{name}", "day") for name in names}
