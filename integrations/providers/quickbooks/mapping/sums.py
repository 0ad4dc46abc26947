"""Whether we have read all that a document bills: only then its lines are known, and may be changed."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fieldcamp.money import rounded
from integrations.providers.quickbooks.mapping.lines import (
    DISCOUNT,
    GROUP,
    SALE,
    SUBTOTAL,
    WORDS,
    flat,
    is_group,
    subtotal,
)
from integrations.providers.quickbooks.mapping.parts import Body, decimal

KNOWN = (SALE, WORDS, DISCOUNT, GROUP, SUBTOTAL)


def is_whole(body: Body) -> bool:
    """Returns whether an invoice's rows, discount and tax come to its total. Where they do not, it bills what stands on
    no row: charges of a statement, say, or a kind of row that is newer than this."""
    rows = body.get("Line") or []
    if any(row.get("DetailType") not in KNOWN and decimal(row.get("Amount")) for row in flat(rows)):
        return False
    if len(discounts(rows)) > 1 or any(is_group(part) for row in rows if is_group(row) for part in _parts(row)):
        return False
    if "TotalAmt" not in body:
        return True
    off = sum((decimal(row.get("Amount")) for row in discounts(rows)), Decimal(0))
    tax = decimal((body.get("TxnTaxDetail") or {}).get("TotalTax"))
    return rounded(subtotal(rows) - off + tax) == rounded(decimal(body["TotalAmt"]))


def discounts(rows: Sequence[Body]) -> list[Body]:
    return [row for row in flat(rows) if row.get("DetailType") == DISCOUNT]


def allocations_are_whole(body: Body) -> bool:
    """Returns whether each invoice that a payment settles stands on one row of its own."""
    named: list[Any] = []
    for row in body.get("Line") or ():
        links = [link for link in row.get("LinkedTxn") or () if link.get("TxnType") == "Invoice"]
        if len(links) > 1 or links and len(row["LinkedTxn"]) > 1:
            return False
        named += [link.get("TxnId") for link in links if decimal(row.get("Amount"))]
    return len(named) == len(set(named))


def _parts(row: Body) -> Sequence[Body]:
    return row[GROUP].get("Line") or ()
