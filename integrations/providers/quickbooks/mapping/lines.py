"""An invoice's lines and its discount, to and fro."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fieldcamp.money import cents, plain, rounded
from integrations.providers.quickbooks.mapping.parts import Body, decimal, number, ref, ref_id, text
from integrations.records import tidy

DISCOUNT, SALE, WORDS = "DiscountLineDetail", "SalesItemLineDetail", "DescriptionOnly"
PRICE_PLACES = Decimal("0.0000001")  # rounding a price to cents would make QuickBooks refuse its amount (6070)


def to_lines(rows: Sequence[Body], taxed: Callable[[str], bool]) -> list[dict[str, Any]]:
    """Returns the sales lines in their order, groups opened, words kept as lines without amount; sub-totals are
    dropped."""
    return [_line(row, taxed) for row in _flat(rows) if row.get("DetailType") in (SALE, WORDS)]


def codes(rows: Sequence[Body]) -> Iterator[str]:
    """Yields the tax codes that the lines name."""
    for row in _flat(rows):
        if row.get("DetailType") == SALE and (code := ref_id(row.get(SALE), "TaxCodeRef")):
            yield code


def _flat(rows: Sequence[Body]) -> Iterator[Body]:
    for row in rows:
        inner = row.get("GroupLineDetail")
        if isinstance(inner, Mapping):
            yield from _flat(inner.get("Line") or ())
        else:
            yield row


def _line(row: Body, taxed: Callable[[str], bool]) -> dict[str, Any]:
    detail = row.get(SALE) or {}
    amount = decimal(row.get("Amount"))
    sold = row.get("DetailType") == SALE
    quantity = decimal(detail.get("Qty", 1)) if sold else Decimal(0)
    price = decimal(detail["UnitPrice"]) if "UnitPrice" in detail else amount / quantity if quantity else Decimal(0)
    return {
        "item": ref_id(detail, "ItemRef"),
        "description": text(row, "Description"),
        "quantity": plain(quantity),
        "unit_price": plain(price if "UnitPrice" in detail else price.quantize(PRICE_PLACES)),
        "amount": cents(amount),
        "taxable": sold and taxed(ref_id(detail, "TaxCodeRef")),
    }


def to_discount(rows: Sequence[Body]) -> dict[str, str] | None:
    for row in _flat(rows):
        if row.get("DetailType") != DISCOUNT:
            continue
        detail = row.get(DISCOUNT) or {}
        if detail.get("PercentBased"):
            percent = decimal(detail.get("DiscountPercent"))
            return {"percent": plain(percent)} if percent else None
        amount = decimal(row.get("Amount"))
        return {"amount": cents(amount)} if amount else None
    return None


def to_rows(
    lines: Sequence[Mapping[str, Any]], discount: Mapping[str, str] | None, code_of: Callable[[bool], str]
) -> list[dict[str, Any]]:
    """Returns the whole `Line` array: what is not in it is taken off the invoice."""
    rows = [_row(line, code_of) for line in lines]
    if discount:
        total = sum((decimal(row.get("Amount")) for row in rows), Decimal(0))
        rows.append(_discount_row(discount, total))
    return rows


def _row(line: Mapping[str, Any], code_of: Callable[[bool], str]) -> dict[str, Any]:
    description = tidy(str(line.get("description") or ""))[:4000]
    quantity, price = Decimal(line.get("quantity") or 0), Decimal(line.get("unit_price") or 0)
    words = {"Description": description} if description else {}
    if words and not quantity and not price:
        return {**words, "DetailType": WORDS, "DescriptionLineDetail": {}}
    price = price.quantize(PRICE_PLACES).normalize()
    detail = {
        "ItemRef": ref(str(line.get("item") or "")),
        "Qty": number(quantity),
        "UnitPrice": number(price),
        "TaxCodeRef": ref(code_of(bool(line.get("taxable")))),
    }
    return {"Amount": number(rounded(quantity * price)), **words, "DetailType": SALE, SALE: detail}


def _discount_row(discount: Mapping[str, str], total: Decimal) -> dict[str, Any]:
    if "percent" in discount:
        percent = Decimal(discount["percent"])
        detail = {"PercentBased": True, "DiscountPercent": number(percent)}
        return {"Amount": number(rounded(total * percent / 100)), "DetailType": DISCOUNT, DISCOUNT: detail}
    return {"Amount": number(discount["amount"]), "DetailType": DISCOUNT, DISCOUNT: {"PercentBased": False}}
