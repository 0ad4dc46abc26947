"""Reads the lines of a sale: what a client sends becomes what is kept.

A line whose Id the transaction has is that line with a new content, any other is a new line, and one that is not sent
is gone: https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice ("Line", "Id").
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fieldcamp.sandbox.intuit import errors, line_sums, links, totals
from fieldcamp.sandbox.intuit.amounts import cents, decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.line_kinds import DISCOUNT, GROUP, MOST, SALES, SUBTOTAL, TEXT, TEXT_DETAIL
from fieldcamp.sandbox.intuit.totals import HUNDRED, ZERO, Rate

Body = dict[str, Any]

DISCOUNTS_GIVEN = "86"
SHIPPING_INCOME = "88"
PRICE_PLACES = Decimal("0.0000001")


@dataclass(frozen=True)
class Rules:
    """How this company's lines are read: the tax code of a line that names none, and whether prices hold the tax."""

    taxless: str
    inclusive: bool
    rates: Callable[[str], Sequence[Rate] | None]
    unlisted: Decimal = ZERO  # what is billed beside the lines


class _Ids:
    """Ids and numbers of lines: those that are known are kept, and the others go on after the last."""

    def __init__(self, old: Sequence[Body]) -> None:
        groups = [line for line in old if GROUP in line]
        every = [*old, *(part for line in groups for part in line[GROUP].get("Line", []))]
        self.known = {line["Id"]: line for line in every if "Id" in line}
        self._last = max((int(each) for each in self.known), default=0)
        self._position = 0

    def take(self, sent: Body) -> tuple[Body, Body]:
        """The Id and number of a line, and the line that had this Id before."""
        self._position += 1
        line_id, before = sent.get("Id", ""), self.known.pop(sent.get("Id", ""), None)
        if before is None:
            self._last += 1
            line_id = str(self._last)
        return {"Id": line_id, "LineNum": self._position}, before or {}


def read(books: Books, sent: list[Body], old: list[Body], rules: Rules) -> list[Body]:
    """The lines, each with its Id and number, then the subtotal, the discount, shipping and tip."""
    if len(sent) > MOST:
        raise errors.business(f"A taxable transaction can have up to {MOST} lines.")
    ids, lines, below = _Ids(old), [], []
    discounts: list[Body] = []
    for each in sent:
        kind = each.get("DetailType")
        if not kind:
            raise errors.required("Line.DetailType")
        if kind == SUBTOTAL:
            continue
        if kind == DISCOUNT:
            discounts.append(each)
        elif line_sums.charge_of(each):
            below.append(_charge(books, each, rules))
        elif kind == GROUP:
            lines.append(_bundle(books, each, ids, rules))
        else:
            lines.append(_line(books, each, ids, rules))
    if not lines and not rules.unlisted:
        raise Fault(2250, "Missing lines", "A transaction must have at least one line.", "Line")
    if len(discounts) > 1:
        raise errors.business("A transaction can have one discount line only.")
    subtotal = line_sums.sum_of(lines) + rules.unlisted
    lines.append({"Amount": number(subtotal), "DetailType": SUBTOTAL, SUBTOTAL: {}})
    return lines + [_discount(each, subtotal) for each in discounts] + below


def _line(books: Books, sent: Body, ids: _Ids, rules: Rules) -> Body:
    place, before = ids.take(sent)
    detail = sent.get(SALES, {})
    words = {"Description": sent["Description"]} if "Description" in sent else {}
    if sent["DetailType"] == TEXT or "ItemRef" not in detail:  # without an item it is a remark, its amount ignored
        remark = {**place, **words, "DetailType": TEXT, TEXT_DETAIL: sent.get(TEXT_DETAIL, {})}
        return remark | {"CustomExtensions": []}
    cost, kept = _sold(books, sent, before, rules)
    origins = _links(sent, before)
    return {
        **place,
        **words,
        "Amount": number(cost),
        **({"LinkedTxn": origins} if origins else {}),
        "DetailType": SALES,
        SALES: kept,
        "CustomExtensions": [],
    }


def _item(books: Books, reference: Body) -> Body:
    """What is sold. A person may have left a line of something that is in no list any more."""
    stored = books.get("Item", reference["value"])
    if stored is None:
        raise errors.invalid_reference("Item", reference["value"], "ItemRef")
    return stored.body


def _links(sent: Body, before: Body) -> list[Body]:
    """Where a line comes from. A request that is silent about it leaves it; charges are linked by QuickBooks alone."""
    known: list[Body] = before.get("LinkedTxn", [])
    asked = sent.get("LinkedTxn", known)
    return [link for link in asked if link in known or link.get("TxnType") in links.WRITABLE]


def _sold(books: Books, sent: Body, before: Body, rules: Rules) -> tuple[Decimal, Body]:
    """What a line costs without tax, and its detail."""
    detail, was = sent[SALES], before.get(SALES, {})
    item = _item(books, detail["ItemRef"])
    if item["Type"] in ("Category", "Group"):
        kind = "Categories" if item["Type"] == "Category" else "Bundles"
        raise Fault(2500, "Invalid Reference Id", f"{kind} cannot be used in transactions", "ItemRef")
    code = detail.get("TaxCodeRef", {"value": rules.taxless} if rules.taxless else None)
    with_tax = decimal(detail["TaxInclusiveAmt"]) if rules.inclusive and detail.get("TaxInclusiveAmt") else None
    if "Amount" not in sent and with_tax is None:
        raise errors.required("Line.Amount")
    cost = cents(decimal(sent.get("Amount")))
    quantity = decimal(detail["Qty"]) if "Qty" in detail else None
    price = decimal(detail["UnitPrice"]) if "UnitPrice" in detail else None
    if cost and quantity == 0 == price:  # python-quickbooks sends zeros for what is not set
        quantity = price = None
    if "Amount" in sent and None not in (quantity, price):
        _check_amount(cost, totals.line_amount(quantity or ZERO, price or ZERO))
    rates = (rules.rates(code["value"]) or ()) if rules.inclusive and code else ()
    if with_tax is not None:
        net = cents(with_tax / (1 + sum((rate.percent for rate in rates), ZERO) / HUNDRED))
        cost, price = net, price if net == cost and price is not None else None
    if quantity and price is None:
        price = (cost / quantity).quantize(PRICE_PLACES)
    kept: Body = {name: detail[name] for name in ("ServiceDate",) if name in detail}
    if rules.inclusive:
        taxes = sum((cents(cost * rate.percent / HUNDRED) for rate in rates), ZERO)
        kept["TaxInclusiveAmt"] = number(cost + taxes if with_tax is None else with_tax)
    kept |= {name: detail[name] for name in ("ItemRef", "ClassRef") if name in detail}
    kept |= {"UnitPrice": number(price)} if price is not None else {}
    kept |= {"Qty": number(quantity)} if quantity is not None else {}
    kept |= _line_discount(detail, cost) | _markup(detail, was)
    if was.get("ItemRef") == detail["ItemRef"] and "ItemAccountRef" in was:  # of the day when it was sold
        kept["ItemAccountRef"] = was["ItemAccountRef"]
    elif "IncomeAccountRef" in item:
        kept["ItemAccountRef"] = item["IncomeAccountRef"]
    return cost, kept | ({"TaxCodeRef": code} if code else {})


def _check_amount(cost: Decimal, worked_out: Decimal) -> None:
    if cost != worked_out:
        raise Fault(
            6070,
            "Amount calculation incorrect in the request",
            f"Amount is not equal to UnitPrice * Qty. Supplied value:{number(cost)}",
        )


def _line_discount(detail: Body, cost: Decimal) -> Body:
    """A discount of the line, which the vendor keeps beside the amount: the rate counts before the amount."""
    if "DiscountRate" in detail:
        rate = decimal(detail["DiscountRate"])
        return {"DiscountRate": detail["DiscountRate"], "DiscountAmt": number(cents(cost * rate / HUNDRED))}
    return {"DiscountAmt": detail["DiscountAmt"]} if "DiscountAmt" in detail else {}


def _markup(detail: Body, was: Body) -> Body:
    """The markup of a billed expense; its account is the vendor's own choice and stays."""
    if "MarkupInfo" not in detail:
        return {}
    account = {name: was.get("MarkupInfo", {})[name] for name in was.get("MarkupInfo", {}) if name.endswith("Ref")}
    return {"MarkupInfo": account | detail["MarkupInfo"]}


def _bundle(books: Books, sent: Body, ids: _Ids, rules: Rules) -> Body:
    """A bundle and its parts: those that were sent, or those that the bundle has in the list of items."""
    place, before = ids.take(sent)
    detail = sent.get(GROUP, {})
    if "GroupItemRef" not in detail:
        raise errors.required("Line.GroupLineDetail.GroupItemRef")
    item = _item(books, detail["GroupItemRef"])
    if item["Type"] != "Group":
        raise errors.business("The item of a bundle's line must be a bundle.", "GroupItemRef")
    quantity = decimal(detail.get("Quantity", 1))
    parts = detail.get("Line") or list(_parts(books, item, quantity, rules))
    lines = [_line(books, {"DetailType": SALES} | part, ids, rules) for part in parts]
    words = {"Description": sent["Description"]} if "Description" in sent else {}
    origins = _links(sent, before)
    kept = {name: detail[name] for name in ("ServiceDate", "GroupItemRef", "ClassRef") if name in detail}
    return {
        **place,
        **words,
        "Amount": number(line_sums.sum_of(lines)),
        **({"LinkedTxn": origins} if origins else {}),
        "DetailType": GROUP,
        GROUP: kept | {"Quantity": number(quantity), "Line": lines},
        "CustomExtensions": [],
    }


def _parts(books: Books, bundle: Body, quantity: Decimal, rules: Rules) -> Iterator[Body]:
    for part in bundle.get("ItemGroupDetail", {}).get("ItemGroupLine", []):
        item = _item(books, part["ItemRef"])
        many, price = decimal(part.get("Qty", 1)) * quantity, decimal(item.get("UnitPrice"))
        code = {"value": "TAX"} if item.get("Taxable") and rules.taxless else item.get("SalesTaxCodeRef")
        words = {"Description": item["Description"]} if "Description" in item else {}
        detail = {"ItemRef": {"value": part["ItemRef"]["value"]}, "Qty": number(many), "UnitPrice": number(price)}
        detail |= {"TaxCodeRef": code} if code else {}
        yield words | {"Amount": number(totals.line_amount(many, price)), "DetailType": SALES, SALES: detail}


def _charge(books: Books, sent: Body, rules: Rules) -> Body:
    """Shipping or a tip: a charge for the whole transaction, without an Id of its own."""
    if "Amount" not in sent:
        raise errors.required("Line.Amount")
    detail = sent[SALES]
    kept: Body = {"ItemRef": detail["ItemRef"]}
    if books.get("Account", SHIPPING_INCOME):
        kept["ItemAccountRef"] = {"value": SHIPPING_INCOME}
    code = detail.get("TaxCodeRef", {"value": rules.taxless} if rules.taxless else None)
    kept |= {"TaxCodeRef": code} if code else {}
    return {"Amount": number(cents(decimal(sent["Amount"]))), "DetailType": SALES, SALES: kept, "CustomExtensions": []}


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
    kept |= {name: detail[name] for name in ("ClassRef", "TaxCodeRef") if name in detail}
    return {"Amount": number(cost), "DetailType": DISCOUNT, DISCOUNT: kept}
