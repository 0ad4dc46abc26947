"""The shapes that the sync, the providers and the transport share. Frozen, standard library only.

Local is FieldCamp's record, remote the provider's. Times stand as strings: an instant as `2026-11-22T08:00:00Z` (UTC,
whole seconds), a day as `2026-11-22`; so an all-day event is never mistaken for an instant, and equal times are equal
strings.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Fields = Mapping[str, Any]  # JSON values by field name
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def instant(moment: dt.datetime) -> str:
    """Returns an aware datetime as the string that is stored and compared."""
    return f"{moment.astimezone(dt.UTC).isoformat()[:19]}Z"


def parse_instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def is_day(text: str) -> bool:
    return len(text) == 10


def tidy(text: str) -> str:
    """Returns a text as it is sent and compared: plain line ends, no blanks at a line's end or around the whole."""
    if text.isprintable():  # one line without anything odd, as most are
        return text.strip()
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def one_line(text: str) -> str:
    """Returns the same for what has room for one line only: no line ends, no tabs."""
    return _CONTROL.sub(" ", tidy(text)).strip()


def digest(fields: Fields) -> str:
    """Returns a short fingerprint of normalized fields; equal fields give equal digests, whatever their order."""
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Marker:
    """What we write on a remote record to know it again: whose it is, and the id that it was made with. A provider may
    have room for the latter alone; the others are then empty."""

    workspace_id: str
    record_id: str
    remote_id: str


@dataclass(frozen=True, slots=True)
class RemoteRecord:
    """One record as the provider has it now. `fields` is empty and `gone` true for a tombstone.

    `kind` is what it is when nothing says that it is one of ours. `fields` may hold more than a kind stores: what is
    private (the title of somebody's own event) is dropped before anything is written. `shown` is what the change feed
    may print of it. `made_with` is the id that our create was sent with, where the provider gave the record another;
    `made_at` is the instant at which it was made there, where it is known by its contents alone. `doubtful`: a listing
    could not tell whether this is ours, or whether it is really gone. `fault` is what was raised when it was read:
    nothing but its id is known of such a record.
    """

    id: str
    tag: str
    kind: str
    fields: Fields = field(default_factory=dict)
    gone: bool = False
    marker: Marker | None = None
    shown: Fields = field(default_factory=dict)
    created: bool = False  # never changed since it was made
    made_with: str = ""
    made_at: str = ""
    doubtful: bool = False
    fault: Exception | None = None

    @property
    def ours(self) -> bool:
        """Returns whether it was made by us, and is no copy that a person made of it."""
        return self.marker is not None and self.marker.remote_id == (self.made_with or self.id)


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a listing. `cursor` continues after it; on the `last` page it is where the next sync starts.

    `series` are those that the page has news of, where occurrences are listed one by one and lost ones not named.
    `restart` is the cursor from which the listing that the page belongs to is begun anew, should it not end. `anew`: it
    was, since the provider had forgotten the place, so that this page and those after it tell again what was told.
    """

    records: Sequence[RemoteRecord]
    cursor: str
    last: bool
    series: Sequence[str] = ()
    restart: str = ""
    anew: bool = False


class Verb(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Operation:
    """One write at the provider. `key` names it among its batch; `tag` is the precondition (If-Match, SyncToken) of an
    update or delete. On a create `remote_id` is ours to choose: the record's own where the provider allows that, else
    what the create is known by (`RemoteRecord.made_with`). `link` is where a person opens our record."""

    key: str
    verb: Verb
    kind: str
    remote_id: str
    fields: Fields = field(default_factory=dict)
    tag: str = ""
    marker: Marker | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one operation: the record as it stands now, or why not."""

    key: str
    record: RemoteRecord | None = None
    error: Exception | None = None


class Lack(StrEnum):
    """What an account may not do with one of its calendars."""

    CHANGE = "change"  # it may read the events, and no more
    READ = "read"  # not even these: when somebody is busy at most


@dataclass(frozen=True, slots=True)
class Container:
    """One calendar of the account. `lacks` is what may not be done with it; `owner` is the address of whose it is,
    where that is somebody else: it may end with their account."""

    id: str
    name: str
    lacks: Lack | None = None
    primary: bool = False
    timezone: str = ""
    owner: str = ""

    @property
    def writable(self) -> bool:
        """Returns whether visits may go there."""
        return self.lacks is None

    @property
    def readable(self) -> bool:
        """Returns whether busy times may be read from it."""
        return self.lacks is not Lack.READ


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a sync looks at: `start` (inclusive) to `end` (exclusive), aware, UTC."""

    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class Tokens:
    """A token endpoint's answer. `refresh_token` is None where the stored one stays; `raw` is the whole answer."""

    access_token: str = field(repr=False)
    expires_at: dt.datetime
    refresh_token: str | None = field(default=None, repr=False)
    refresh_expires_at: dt.datetime | None = None
    scopes: frozenset[str] | None = None
    raw: Fields = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """Who the provider says has consented. `id` never changes; `name` (an e-mail) is for people."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Company:
    """The books' company, as far as it decides what may be written. `tax_mode`: "none", "manual" (a tax code for the
    whole invoice), "automated" (the provider computes it from the address) or "foreign" (a code for each line).
    `closed_until` is the last day of the closed books, or "". `class_tracking`: "document" (a class for the whole
    invoice), "line" or "" (none); `locations`: each document may have one."""

    id: str
    name: str
    country: str = ""
    currency: str = ""
    multi_currency: bool = False
    tax_mode: str = "none"
    closed_until: str = ""
    custom_numbers: bool = False
    subscription_active: bool = True
    class_tracking: str = ""
    locations: bool = False


@dataclass(frozen=True, slots=True)
class OpenCredit:
    """A credit of a customer's (a credit memo) that is not applied to invoices, or not all of it. `customer` is the id
    there, `date` a day, `total` and `open` amounts of money: what it was made over, and what is left."""

    id: str
    customer: str
    number: str
    date: str
    total: str
    open: str


@dataclass(frozen=True, slots=True)
class CustomerBalance:
    """What a customer owes by the books' own word; negative where the customer is owed. `parent` is the id there of the
    one whose place it is, or ""; `balance` an amount of money."""

    customer: str
    name: str
    parent: str
    balance: str


@dataclass(frozen=True, slots=True)
class OtherEntry:
    """What moves a customer's balance and is no invoice, payment or credit: a journal entry, an expense, a line of a
    bank deposit. `kind` is the provider's word for it, in English; `date` a day; `open` an amount of money, negative
    where it lessens what is owed."""

    id: str
    kind: str
    customer: str
    number: str
    date: str
    open: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Something at the provider that a person can choose: an income account, an item, a tax code."""

    id: str
    name: str
    detail: str = ""
    active: bool = True


def texts_of(value: Any) -> Iterator[str]:
    """Yields all texts in a JSON value, however deep."""
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from texts_of(inner)
        case list():
            for inner in value:
                yield from texts_of(inner)


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Returns a JSON value with other texts for those in `names`: for an id that a create was planned with, say, what
    was given since."""
    match value:
        case str():
            return names.get(value, value)
        case dict():
            return {name: renamed(inner, names) for name, inner in value.items()}
        case list():
            return [renamed(inner, names) for inner in value]
    return value
