"""An invoice's lines and its discount, to and fro. How ours are laid over those that stand there: `overlay`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fieldcamp.money import cents, plain, rounded
from integrations.providers.quickbooks.mapping.parts import Body, decimal, number, ref, ref_id, text
from integrations.records import tidy

DISCOUNT, SALE, WORDS = "DiscountLineDetail", "SalesItemLineDetail", "DescriptionOnly"
GROUP, SUBTOTAL = "GroupLineDetail", "SubTotalLineDetail"
CHARGES = ("SHIPPING_ITEM_ID", "GRATUITY_ITEM_ID")
# Rounding a price to cents would make QuickBooks refuse its amount (6070). FieldCamp keeps as many places.
PRICE_PLACES, QUANTITY_PLACES, PERCENT_PLACES = Decimal("0.0000001"), Decimal("0.00001"), Decimal("0.000001")


def to_lines(rows: Sequence[Body], taxed: Callable[[str], bool]) -> list[dict[str, Any]]:
    """Returns the sales lines in their order, groups opened, words kept as lines without amount; sub-totals are
    dropped."""
    return [to_line(row, taxed) for row in flat(rows) if is_line(row)]


def is_line(row: Body) -> bool:
    """Returns whether a row is a line of ours, and no sum, discount or bundle."""
    return row.get("DetailType") in (SALE, WORDS)


def codes(rows: Sequence[Body]) -> Iterator[str]:
    """Yields the tax codes that the lines name."""
    for row in flat(rows):
        if row.get("DetailType") == SALE and (code := ref_id(row.get(SALE), "TaxCodeRef")):
            yield code


def flat(rows: Sequence[Body]) -> Iterator[Body]:
    """Yields the rows with those of a bundle in its place."""
    for row in rows:
        if is_group(row):
            yield from flat(row[GROUP].get("Line") or ())
        else:
            yield row


def is_group(row: Body) -> bool:
    return isinstance(row.get(GROUP), Mapping)


def is_charge(row: Body) -> bool:
    """Returns whether it is shipping or a tip: charged for the whole invoice, on a row below the sum."""
    return ref_id(row.get(SALE), "ItemRef") in CHARGES


def to_line(row: Body, taxed: Callable[[str], bool]) -> dict[str, Any]:
    """Returns one row as a line of ours. What is sold for nothing and only says something has neither an item nor a
    tax: FieldCamp has no other form for it."""
    detail, description = row.get(SALE) or {}, text(row, "Description")
    sold = row.get("DetailType") == SALE
    amount = decimal(row.get("Amount")) if sold else Decimal(0)
    quantity, price = _factors(detail, amount) if sold else (Decimal(0), Decimal(0))
    words = bool(description) and not quantity and not price
    return {
        "item": "" if words else ref_id(detail, "ItemRef"),
        "description": description,
        "quantity": plain(quantity),
        "unit_price": plain(price),
        "amount": cents(amount),
        "taxable": sold and not words and taxed(ref_id(detail, "TaxCodeRef")),
    }


def _factors(detail: Body, amount: Decimal) -> tuple[Decimal, Decimal]:
    """Returns a quantity and a price that come to the amount, and that FieldCamp can hold: a person may type any amount
    beside the two, or neither of them."""
    quantity = decimal(detail.get("Qty", 1)).quantize(QUANTITY_PLACES)
    for given in ([detail["UnitPrice"]] if "UnitPrice" in detail else []) + ([amount / quantity] if quantity else []):
        price = decimal(given).quantize(PRICE_PLACES)
        if rounded(quantity * price) == amount:
            return quantity, price
    return Decimal(1), amount


def to_discount(rows: Sequence[Body]) -> dict[str, str] | None:
    for row in flat(rows):
        if row.get("DetailType") != DISCOUNT:
            continue
        detail = row.get(DISCOUNT) or {}
        if detail.get("PercentBased"):
            percent = decimal(detail.get("DiscountPercent")).quantize(PERCENT_PLACES)
            return {"percent": plain(percent)} if percent else None
        amount = decimal(row.get("Amount"))
        return {"amount": cents(amount)} if amount else None
    return None


def to_rows(
    lines: Sequence[Mapping[str, Any]], discount: Mapping[str, str] | None, code_of: Callable[[bool], str]
) -> list[dict[str, Any]]:
    """Returns the `Line` array of a new invoice."""
    rows = [to_row(line, code_of) for line in lines]
    return [*rows, discount_row(discount, subtotal(rows))] if discount else rows


def subtotal(rows: Sequence[Body]) -> Decimal:
    """Returns what the sold things come to."""
    return sum((decimal(row.get("Amount")) for row in flat(rows) if row.get("DetailType") == SALE), Decimal(0))


def to_row(line: Mapping[str, Any], code_of: Callable[[bool], str]) -> dict[str, Any]:
    """Returns a new row. Raises `Rejected` where there is no code for its tax."""
    description = words_of(line)
    quantity, price = Decimal(line.get("quantity") or 0), Decimal(line.get("unit_price") or 0)
    words = {"Description": description} if description else {}
    if words and not quantity and not price:
        return {**words, "DetailType": WORDS, "DescriptionLineDetail": {}}
    price = price.quantize(PRICE_PLACES).normalize()
    code = code_of(bool(line.get("taxable")))
    detail = {
        "ItemRef": ref(str(line.get("item") or "")),
        "Qty": number(quantity),
        "UnitPrice": number(price),
        **({"TaxCodeRef": ref(code)} if code else {}),
    }
    return {"Amount": number(rounded(quantity * price)), **words, "DetailType": SALE, SALE: detail}


def words_of(line: Mapping[str, Any]) -> str:
    """Returns a line's description as QuickBooks takes it."""
    return tidy(str(line.get("description") or ""))[:4000]


def discount_row(discount: Mapping[str, str], total: Decimal) -> dict[str, Any]:
    """Returns the row of a discount on what comes to `total`."""
    if "percent" in discount:
        percent = Decimal(discount["percent"])
        detail = {"PercentBased": True, "DiscountPercent": number(percent)}
        return {"Amount": number(rounded(total * percent / 100)), "DetailType": DISCOUNT, DISCOUNT: detail}
    return {"Amount": number(discount["amount"]), "DetailType": DISCOUNT, DISCOUNT: {"PercentBased": False}}
