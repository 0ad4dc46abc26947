"""What the lines of a sale come to, and what goes with them in answers."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from fieldcamp.sandbox.intuit.amounts import decimal
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.line_kinds import DISCOUNT, GROUP, SALES, SHIPPING, SUBTOTAL, TIP
from fieldcamp.sandbox.intuit.totals import ZERO

Body = dict[str, Any]
# Where the name of what a line refers to is to be had.
NAMED = {
    SALES: {"ItemRef": "Item", "ItemAccountRef": "Account", "ClassRef": "Class"},
    DISCOUNT: {"DiscountAccountRef": "Account", "ClassRef": "Class"},
    GROUP: {"GroupItemRef": "Item", "ClassRef": "Class"},
}


def flat(lines: Iterable[Body]) -> Iterator[Body]:
    """All lines, those of a bundle in place of it."""
    for line in lines:
        if line.get("DetailType") == GROUP:
            yield from line[GROUP].get("Line", [])
        else:
            yield line


def sold(lines: Iterable[Body]) -> Iterator[Body]:
    """The lines of items, without the charges for the whole transaction."""
    return (line for line in flat(lines) if line.get("DetailType") == SALES and not charge_of(line))


def charges(lines: Iterable[Body]) -> Iterator[Body]:
    """The lines of shipping and tips, which stand below the subtotal."""
    return (line for line in lines if charge_of(line))


def charge_of(line: Body) -> str:
    """Which charge for the whole transaction a line is, or an empty string."""
    item = str(line.get(SALES, {}).get("ItemRef", {}).get("value", ""))
    return item if item in (SHIPPING, TIP) else ""


def amount_of(lines: Iterable[Body]) -> Decimal:
    """What these lines cost together."""
    return sum((decimal(line.get("Amount")) for line in lines), ZERO)


def sum_of(lines: Iterable[Body]) -> Decimal:
    """What the sold things cost together."""
    return amount_of(sold(lines))


def discount_of(lines: Iterable[Body]) -> Decimal:
    """What comes off."""
    return amount_of(line for line in lines if line.get("DetailType") == DISCOUNT)


def taxed(lines: Iterable[Body]) -> list[tuple[str, Decimal]]:
    """The tax codes and the amounts of what is sold, and of shipping."""
    kept = list(lines)
    rows = [*sold(kept), *(line for line in charges(kept) if charge_of(line) == SHIPPING)]
    return [(line[SALES].get("TaxCodeRef", {}).get("value", ""), decimal(line.get("Amount"))) for line in rows]


def gross(lines: Iterable[Body]) -> list[Decimal]:
    """What the same lines as in `taxed` cost with their tax."""
    kept = list(lines)
    rows = [*sold(kept), *(line for line in charges(kept) if charge_of(line) == SHIPPING)]
    return [decimal(line[SALES].get("TaxInclusiveAmt", line.get("Amount"))) for line in rows]


def on_statements(body: Body) -> tuple[Decimal, Decimal]:
    """What an invoice bills that is on no line, since it stood on a statement before, and how much of it is taxed.

    QuickBooks' own pages make such invoices; an app sees only that the subtotal is more than the lines.
    """
    if not any(link.get("TxnType") == "StatementCharge" for link in body.get("LinkedTxn", [])):
        return ZERO, ZERO
    lines = body.get("Line", [])
    billed = amount_of(line for line in lines if line.get("DetailType") == SUBTOTAL) - sum_of(lines)
    nets = [line.get("TaxLineDetail", {}).get("NetAmountTaxable") for line in body["TxnTaxDetail"].get("TaxLine", [])]
    on_lines = sum((amount for code, amount in taxed(lines) if code == "TAX"), ZERO)
    return billed, max(max(map(decimal, nets), default=ZERO) - on_lines, ZERO)


def quantities(lines: Iterable[Body]) -> dict[str, Decimal]:
    """How many of each item, by its id. A line without a quantity is one of it."""
    found: dict[str, Decimal] = {}
    for line in sold(lines):
        item = line[SALES].get("ItemRef", {}).get("value", "")  # a person may leave a line without one
        found[item] = found.get(item, ZERO) + decimal(line[SALES].get("Qty", 1))
    return found


def voided(lines: Iterable[Body]) -> list[Body]:
    """The same lines with nothing to pay."""
    return [_nothing(line) for line in lines]


def with_names(books: Books, lines: Iterable[Body]) -> None:
    """Adds the names of items, accounts and classes to references, for an answer."""
    for line in lines:
        for kind, names in NAMED.items():
            detail = line.get(kind, {})
            for name, entity in names.items():
                if name in detail:
                    detail[name] = books.with_name(detail[name], entity)
        markup = line.get(SALES, {}).get("MarkupInfo", {})
        if "MarkUpIncomeAccountRef" in markup:
            markup["MarkUpIncomeAccountRef"] = books.with_name(markup["MarkUpIncomeAccountRef"], "Account")
        with_names(books, line.get(GROUP, {}).get("Line", []))


def _nothing(line: Body) -> Body:
    new = line | {"Amount": 0} if "Amount" in line else dict(line)
    for name in ("Qty", "TaxInclusiveAmt"):
        if name in line.get(SALES, {}):
            new[SALES] = new[SALES] | {name: 0}
    if GROUP in line:
        new[GROUP] = line[GROUP] | {"Line": voided(line[GROUP].get("Line", []))}
    return new
