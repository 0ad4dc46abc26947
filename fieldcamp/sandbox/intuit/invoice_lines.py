"""The lines of an invoice: what a client sends becomes what is kept.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from fieldcamp.sandbox.intuit import errors, totals
from fieldcamp.sandbox.intuit.amounts import cents, decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.shape import choice, day, flag, ref, rows, struct, text
from fieldcamp.sandbox.intuit.shape import number as numeric
from fieldcamp.sandbox.intuit.totals import ZERO

Body = dict[str, Any]

MOST = 750
SALES, DISCOUNT, SUBTOTAL, TEXT = "SalesItemLineDetail", "DiscountLineDetail", "SubTotalLineDetail", "DescriptionOnly"
DISCOUNTS_GIVEN = "86"
PRICE_PLACES = Decimal("0.0000001")

LINES = rows(
    struct(
        ("LineNum", "LinkedTxn", "CustomExtensions", "CustomField"),
        Id=text(20),
        Description=text(4000),
        Amount=numeric(),
        DetailType=choice(SALES, DISCOUNT, SUBTOTAL, TEXT),
        SalesItemLineDetail=struct(
            ("ItemAccountRef",),
            ItemRef=ref("Item"),
            Qty=numeric(),
            UnitPrice=numeric(),
            ServiceDate=day(),
            TaxCodeRef=ref(),
            ClassRef=ref(),
            TaxInclusiveAmt=numeric(),
        ),
        DiscountLineDetail=struct(
            PercentBased=flag(), DiscountPercent=numeric(0, 100), DiscountAccountRef=ref("Account")
        ),
        SubTotalLineDetail=struct(),
        DescriptionLineDetail=struct(("ServiceDate", "TaxCodeRef")),
    )
)


def read(books: Books, sent: list[Body], old: list[Body], taxless: str) -> list[Body]:
    """The invoice's lines, each with its id and number, then the subtotal and the discount. `taxless` is the tax code
    of a line that names none."""
    if len(sent) > MOST:
        raise errors.business(f"A taxable transaction can have up to {MOST} lines.")
    known = {line["Id"] for line in old if "Id" in line}
    next_id = max((int(each) for each in known), default=0) + 1
    lines: list[Body] = []
    discounts: list[Body] = []
    for each in sent:
        kind = each.get("DetailType")
        if not kind:
            raise errors.required("Line.DetailType")
        if kind == SUBTOTAL:
            continue
        if kind == DISCOUNT:
            discounts.append(each)
            continue
        line_id = each.get("Id")
        if line_id not in known:
            line_id, next_id = str(next_id), next_id + 1
        known.discard(line_id)
        lines.append({"Id": line_id, "LineNum": len(lines) + 1, **_line(books, each, taxless)})
    if not lines:
        raise Fault(2250, "Missing lines", "An invoice must have at least one line.", "Line")
    if len(discounts) > 1:
        raise errors.business("A transaction can have one discount line only.")
    subtotal = sum_of(lines)
    lines.append({"Amount": number(subtotal), "DetailType": SUBTOTAL, SUBTOTAL: {}})
    return lines + [_discount(each, subtotal) for each in discounts]


def sum_of(lines: Iterable[Body]) -> Decimal:
    """What the sold things cost together."""
    return sum((decimal(line["Amount"]) for line in lines if line["DetailType"] == SALES), ZERO)


def discount_of(lines: Iterable[Body]) -> Decimal:
    """What comes off."""
    return sum((decimal(line["Amount"]) for line in lines if line["DetailType"] == DISCOUNT), ZERO)


def taxed(lines: Iterable[Body]) -> list[tuple[str, Decimal]]:
    """The tax codes and the amounts of what is sold."""
    return [
        (line[SALES].get("TaxCodeRef", {}).get("value", ""), decimal(line["Amount"]))
        for line in lines
        if line["DetailType"] == SALES
    ]


def voided(lines: Iterable[Body]) -> list[Body]:
    """The same lines with nothing to pay."""
    return [_nothing(line) for line in lines]


def with_names(books: Books, lines: Iterable[Body]) -> None:
    """Adds the names of items and accounts to references, for an answer."""
    for line in lines:
        sold = line.get(SALES, {})
        for name, entity in (("ItemRef", "Item"), ("ItemAccountRef", "Account")):
            if name in sold:
                sold[name] = books.with_name(sold[name], entity)


def _line(books: Books, sent: Body, taxless: str) -> Body:
    detail = sent.get(SALES, {})
    words = {"Description": sent["Description"]} if "Description" in sent else {}
    if sent["DetailType"] == TEXT or "ItemRef" not in detail:  # without an item it is a remark, its amount ignored
        return {**words, "DetailType": TEXT, "DescriptionLineDetail": {}, "CustomExtensions": []}
    if "Amount" not in sent:
        raise errors.required("Line.Amount")
    cost = decimal(sent["Amount"])
    return {
        **words,
        "Amount": number(cents(cost)),
        "DetailType": SALES,
        SALES: _sold(books, detail, cost, taxless),
        "CustomExtensions": [],
    }


def _sold(books: Books, detail: Body, cost: Decimal, taxless: str) -> Body:
    item = books.the("Item", detail["ItemRef"]["value"]).body
    if item["Type"] == "Category":
        raise Fault(2500, "Invalid Reference Id", "Categories cannot be used in transactions", "ItemRef")
    quantity = decimal(detail["Qty"]) if "Qty" in detail else None
    price = decimal(detail["UnitPrice"]) if "UnitPrice" in detail else None
    if cost and quantity == 0 == price:  # python-quickbooks sends zeros for what is not set
        quantity = price = None
    if quantity is not None and price is not None and totals.line_amount(quantity, price) != cents(cost):
        raise Fault(
            6070,
            "Amount calculation incorrect in the request",
            f"Amount is not equal to UnitPrice * Qty. Supplied value:{number(cost)}",
        )
    if quantity and price is None:
        price = (cost / quantity).quantize(PRICE_PLACES)
    sold: Body = {name: detail[name] for name in ("ServiceDate", "ItemRef", "ClassRef") if name in detail}
    sold |= {"UnitPrice": number(price)} if price is not None else {}
    sold |= {"Qty": number(quantity)} if quantity is not None else {}
    sold |= {"ItemAccountRef": item["IncomeAccountRef"]} if "IncomeAccountRef" in item else {}
    code = detail.get("TaxCodeRef", {"value": taxless} if taxless else None)
    return sold | ({"TaxCodeRef": code} if code else {})


def _discount(sent: Body, subtotal: Decimal) -> Body:
    detail = sent.get(DISCOUNT, {})
    by_percent = bool(detail.get("PercentBased")) and "DiscountPercent" in detail
    if by_percent:
        cost = totals.discount_amount(subtotal, decimal(detail["DiscountPercent"]))
    elif "Amount" in sent:
        cost = cents(decimal(sent["Amount"]))
    else:
        raise Fault(6090, "Invalid discount", "A discount line needs an amount or a percentage.", "Line.Amount")
    if cost < ZERO <= subtotal:
        raise Fault(2290, "Negative amount", "The amount of a discount line must not be negative.", "Line.Amount")
    kept: Body = {"PercentBased": by_percent}
    kept |= {"DiscountPercent": detail["DiscountPercent"]} if by_percent else {}
    kept["DiscountAccountRef"] = detail.get("DiscountAccountRef", {"value": DISCOUNTS_GIVEN})
    return {"Amount": number(cost), "DetailType": DISCOUNT, DISCOUNT: kept}


def _nothing(line: Body) -> Body:
    if "Amount" not in line:
        return line
    new = line | {"Amount": 0}
    if "Qty" in line.get(SALES, {}):
        new[SALES] = line[SALES] | {"Qty": 0}
    return new
