"""The rows of a report: customers, differences, credits and other entries, with names and pages."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from integrations.reconciliation.balances import BalanceGap
from integrations.reconciliation.compare import Difference
from integrations.reconciliation.documents import HERE, THERE, BooksDocument


@dataclass(frozen=True, slots=True)
class OwedRow:
    """What one customer owes on either side; `client_id` and `remote_id` are "" where that side does not know them.

    `credits` are what is left there of credits, `entries` what journal entries and their like come to there, `balance`
    is what the customer owes there by the books' own word, after those; None where the books were not asked."""

    client_id: str
    remote_id: str
    name: str
    here: Decimal
    there: Decimal
    credits: Decimal | None = None
    entries: Decimal | None = None
    balance: Decimal | None = None

    @property
    def difference(self) -> Decimal:
        return self.here - self.there


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """A difference as it is shown: whose it is, and where somebody does something about it. `owed` is what it adds to
    what customers owe, and the `sentence` is English."""

    difference: Difference
    party: OwedRow
    owed: list[OwedRow]
    sentence: str
    page_here: str
    page_there: str
    problem_url: str
    next_action_url: str

    @property
    def here(self) -> BooksDocument | None:
        return self.difference.pair.side(HERE)

    @property
    def there(self) -> BooksDocument | None:
        return self.difference.pair.side(THERE)

    @property
    def number(self) -> str:
        pair = self.difference.pair
        return next((one.number for one in (pair.here, pair.there) if one is not None and one.number), "")


@dataclass(frozen=True, slots=True)
class CreditRow:
    """A credit of a customer's in the books of which something is left; `left` is that, `total` what it was over."""

    party: OwedRow
    remote_id: str
    number: str
    date: str
    total: Decimal
    left: Decimal


@dataclass(frozen=True, slots=True)
class EntryRow:
    """Something else on a customer's account in the books, a journal entry say: `kind` is the books' own word for it,
    `left` what is open of it, negative where it lessens what is owed."""

    party: OwedRow
    remote_id: str
    kind: str
    number: str
    date: str
    left: Decimal


@dataclass(frozen=True, slots=True)
class AcceptedRow:
    """A balance in the books that is not what documents come to, and is meant so."""

    party: OwedRow
    gap: BalanceGap
    accepted_at: dt.datetime
