"""What is compared: documents as both sides have them, in pairs. Pure data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from integrations.kinds import INVOICE

ZERO = Decimal("0.00")


class BooksSideName(StrEnum):
    """The two sides: FieldCamp's and the books'."""

    HERE = "here"
    THERE = "there"


HERE, THERE = BooksSideName.HERE, BooksSideName.THERE
SIDES = (HERE, THERE)


class DocumentState(StrEnum):
    """How a document stands with the sync."""

    LINKED = "linked"
    CUT = "cut"
    WAITING = "waiting"
    REFUSED = "refused"
    NOT_LINKED = "not_linked"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included, as texts ("2026-11-20"); "" is open."""

    first: str = ""
    last: str = ""

    def holds(self, day: str) -> bool:
        return bool(day) and self.first <= day and (not self.last or day <= self.last)


@dataclass(frozen=True, slots=True)
class BooksDocument:
    """One invoice or payment as one side has it.

    `party` is who owes it: a client's id, or what stands for a customer that FieldCamp has no client for. `amount` is
    what it comes to. `remainder` is an invoice's open balance, or what no invoice has taken of a payment; None where
    it is not known at present. `deposit` was taken on an invoice's form, beside all payments. `shares` are what a
    payment pays, by the keys of the invoices' pairs. None stands for what a side does not say.
    """

    date: str
    party: str
    amount: Decimal
    number: str | None = None
    tax: Decimal | None = None
    remainder: Decimal | None = None
    deposit: Decimal = ZERO
    shares: Mapping[str, Decimal] = field(default_factory=dict)
    voided: bool = False


@dataclass(frozen=True, slots=True)
class BooksPair:
    """A document of either side, or the same on both, and how it stands with the sync.

    `problem` is the id of its open problem, `refused` and `asked` say of which sort that is. `waiting`: the next sync
    still has to look at it. `unread`: the books say something that no sync has seen yet. `unreadable`: what they say
    cannot be read, so nobody knows whether it is the same. `customer_gone`: the client's own customer is not there any
    more. `duplicates`: it looks like a document that is linked already. `apart`: it is on
    one side only by choice, so it is no difference (what the books had before they were connected).
    """

    key: str
    kind: str
    record_id: str = ""
    remote_id: str = ""
    here: BooksDocument | None = None
    there: BooksDocument | None = None
    linked: bool = False
    cut: bool = False
    waiting: bool = False
    problem: str = ""
    refused: bool = False
    asked: bool = False
    unread: bool = False
    unreadable: bool = False
    customer_gone: bool = False
    duplicates: bool = False
    apart: bool = False

    def side(self, side: BooksSideName) -> BooksDocument | None:
        """Returns the document of this side, if it has one that counts: a void one does not."""
        document = self.here if side is HERE else self.there
        return None if document is None or document.voided else document

    def counting(self) -> Iterator[BooksDocument]:
        """Yields the documents that count, of both sides."""
        for side in SIDES:
            if document := self.side(side):
                yield document

    @property
    def is_invoice(self) -> bool:
        return self.kind == INVOICE.name

    @property
    def state(self) -> DocumentState:
        if self.apart:
            return DocumentState.APART
        if self.cut:
            return DocumentState.CUT
        if self.refused or self.asked:
            return DocumentState.REFUSED
        if self.waiting:
            return DocumentState.WAITING
        return DocumentState.LINKED if self.linked else DocumentState.NOT_LINKED
