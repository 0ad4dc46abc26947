"""What a vendor's review is made of: rows, each a requirement with the page that states it and a function that asks."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

FRESH = dt.timedelta(days=90)  # vendors change their pages: what was read longer ago has to be read again


class RowVerdict(StrEnum):
    """What became of a row."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    OPERATOR = "operator"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class VendorPage:
    """The page that states a requirement, and the day on which somebody last compared it with our rows."""

    title: str
    url: str
    looked_at: dt.date

    def is_old(self, today: dt.date) -> bool:
        """Returns whether it has to be looked at again."""
        return today - self.looked_at > FRESH


Check = Callable[[Any], str]  # is handed the Probe, returns what was seen, raises Unmet


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One requirement. Without a `check` it is the operator's own or not applicable, and `sentence` says why."""

    id: str
    requirement: str
    page: VendorPage
    check: Check | None = None
    verdict: RowVerdict = RowVerdict.FAIL  # until it was asked
    sentence: str = ""


@dataclass(slots=True)
class ReviewTable:
    """A vendor's rows, in the order in which they are asked: what ends a connection comes late."""

    vendor: str
    rows: list[ReviewRow] = field(default_factory=list)
    answers: tuple["PreparedAnswer", ...] = ()

    def row(self, id: str, requirement: str, page: VendorPage) -> Callable[[Check], Check]:
        """Declares the function as what asks for this requirement."""

        def declare(check: Check) -> Check:
            self.ask(id, requirement, page, check)
            return check

        return declare

    def ask(self, id: str, requirement: str, page: VendorPage, check: Check) -> None:
        """Adds a row that is asked by a function that other rows share."""
        self._add(ReviewRow(id, requirement, page, check))

    def operator(self, id: str, requirement: str, page: VendorPage, task: str) -> None:
        """Adds a row that only the operator can do, in the vendor's portal or on the server."""
        self._add(ReviewRow(id, requirement, page, None, RowVerdict.OPERATOR, task))

    def not_applicable(self, id: str, requirement: str, page: VendorPage, reason: str) -> None:
        """Adds a row that does not concern this product, or not yet."""
        self._add(ReviewRow(id, requirement, page, None, RowVerdict.NOT_APPLICABLE, reason))

    def __iter__(self) -> Iterator[ReviewRow]:
        return iter(self.rows)

    def _add(self, row: ReviewRow) -> None:
        if any(each.id == row.id for each in self.rows):
            raise ValueError(f"{self.vendor} has two rows {row.id}.")
        self.rows.append(row)


@dataclass(frozen=True, slots=True)
class PreparedAnswer:
    """An answer to a question of the vendor's form; it holds as long as all of these rows do."""

    question: str
    answer: str
    rows: tuple[str, ...]
