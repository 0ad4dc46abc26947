"""What each customer owes in the books by all that the books have, whoever else knows of it: pure.

It is what the books call the customer's balance: open invoices, less what is left of payments and of credits. A credit
is in the books by its nature, so it is no difference; and what one side has by choice counts here, too.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integrations.reconciliation.documents import ZERO


@dataclass(slots=True)
class Receivable:
    """One customer of the books: what is left of credits, and what is owed after that."""

    credits: Decimal = ZERO
    balance: Decimal = ZERO


def receivables_of(
    invoices: Iterable[Mapping[str, Any]], payments: Iterable[Mapping[str, Any]], credits: Iterable[Mapping[str, Any]]
) -> dict[str, Receivable]:
    """Returns what customers owe there, by their ids. The rows are as a reading keeps them; one that cannot be read
    adds nothing."""
    found: dict[str, Receivable] = defaultdict(Receivable)
    for row in invoices:
        found[_customer(row)].balance += Decimal(row.get("balance") or 0)
    for row in payments:
        found[_customer(row)].balance -= Decimal(row.get("unapplied") or 0)
    for row in credits:
        found[_customer(row)].credits += Decimal(row["open"])
        found[_customer(row)].balance -= Decimal(row["open"])
    found.pop("", None)
    return {customer: owed for customer, owed in found.items() if owed.credits or owed.balance}


def _customer(row: Mapping[str, Any]) -> str:
    return str(row.get("customer") or "")
