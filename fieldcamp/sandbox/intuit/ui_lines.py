"""The lines of a sale on its form: rows to fill in, and lines that a form does not know, which stay as they are."""

from collections.abc import Iterator
from typing import Any

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.intuit import line_sums, tax
from fieldcamp.sandbox.intuit.amounts import cents, decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.line_kinds import DISCOUNT, SALES, SHIPPING, SUBTOTAL, TEXT, TEXT_DETAIL
from fieldcamp.sandbox.intuit.preferences import TaxMode
from fieldcamp.sandbox.intuit.ui_parts import Options, choices, parsed, plain

Row = dict[str, str]

EMPTY_ROWS = 3
COLUMNS = ("line", "item", "description", "quantity", "price", "tax", "class", "service")


def table(books: Books, body: Body) -> dict[str, Any]:
    """What the table of lines shows, and what may be chosen in it."""
    first = taxes(books)[0][0]
    rows = [_row(line, first) for line in body.get("Line", []) if _is_row(line)]
    empty = dict.fromkeys(COLUMNS, "") | {"tax": first}
    used = [line[SALES].get("ClassRef", {}).get("value", "") for line in body.get("Line", []) if SALES in line]
    return {
        "lines": [*rows, *(dict(empty) for _ in range(EMPTY_ROWS))],
        "items": _items(books, body),
        "line_taxes": taxes(books),
        "classes": [("", ""), *choices(books, "Class", keep=used)],
        "kept": [_name(books, line) for line in body.get("Line", []) if _stays(line)],
    }


def taxes(books: Books) -> list[tuple[str, str]]:
    """The codes that a line may have."""
    if tax.mode(books) == TaxMode.FOREIGN:
        return list(choices(books, "TaxCode"))
    return [("NON", "Not taxable"), ("TAX", "Taxable")]


def read(books: Books, before: list[Body], sent: MultiDict) -> list[Body]:
    """The lines that the form says, with those that it does not know where they were."""
    first = taxes(books)[0][0]
    known = {line["Id"]: line for line in before if _is_row(line) and "Id" in line}
    found = []
    for row in _sent_rows(sent):
        old = known.get(row["line"])
        # A row that nobody has touched is the line as it was, with all that a form does not show.
        found.append(old if old is not None and _row(old, first) == row else _line(books, row, old))
    for place, line in enumerate(line for line in before if line.get("DetailType") not in (SUBTOTAL, DISCOUNT)):
        if _stays(line):
            found.insert(min(place, len(found)), line)
    return [*found, *_below(before, sent)]


def discount_text(body: Body) -> str:
    """The discount as one types it: "10%" or "25"."""
    for line in body.get("Line", []):
        if line.get("DetailType") == DISCOUNT:
            detail = line.get(DISCOUNT, {})
            by_percent = detail.get("PercentBased") and "DiscountPercent" in detail
            return f"{detail['DiscountPercent']}%" if by_percent else plain(line.get("Amount"))
    return ""


def shipping_text(body: Body) -> str:
    """What shipping costs, or nothing."""
    amounts = [line for line in body.get("Line", []) if line_sums.charge_of(line) == SHIPPING]
    return plain(line_sums.amount_of(amounts)) if amounts else ""


def _is_row(line: Body) -> bool:
    return line.get("DetailType") in (SALES, TEXT) and not line_sums.charge_of(line)


def _stays(line: Body) -> bool:
    """Whether a form neither shows nor writes it: a bundle, a tip."""
    shown = _is_row(line) or line.get("DetailType") in (SUBTOTAL, DISCOUNT)
    return not shown and line_sums.charge_of(line) != SHIPPING


def _name(books: Books, line: Body) -> str:
    detail: Body = next((line[name] for name in line if name.endswith("Detail") and isinstance(line[name], dict)), {})
    item = next((detail[name]["value"] for name in ("GroupItemRef", "ItemRef") if name in detail), "")
    return line.get("Description") or books.label("Item", item) or str(line.get("DetailType", ""))


def _row(line: Body, first_tax: str) -> Row:
    sold = line.get(SALES, {}) if line["DetailType"] == SALES else {}
    return {
        "line": line.get("Id", ""),
        "item": sold.get("ItemRef", {}).get("value", ""),
        "description": line.get("Description", "").strip(),
        "quantity": plain(sold.get("Qty", 1)) if sold else "",
        "price": plain(sold.get("UnitPrice", line.get("Amount"))) if sold else "",
        "tax": sold.get("TaxCodeRef", {}).get("value", first_tax),
        "class": sold.get("ClassRef", {}).get("value", ""),
        "service": (sold or line.get(TEXT_DETAIL, {})).get("ServiceDate", ""),
    }


def _items(books: Books, body: Body) -> Options:
    sold = [line.get(SALES, {}).get("ItemRef", {}).get("value", "") for line in body.get("Line", [])]
    kinds = "json_extract(body, '$.Type') NOT IN ('Category', 'Group')"
    return choices(books, "Item", f"active AND NOT deleted AND {kinds}", sold)


def _sent_rows(sent: MultiDict) -> Iterator[Row]:
    columns = [sent.getlist(name) for name in COLUMNS]
    count = max((len(column) for column in columns), default=0)
    filled = [column + [""] * (count - len(column)) for column in columns]
    for values in zip(*filled, strict=True):
        row = dict(zip(COLUMNS, (value.strip() for value in values), strict=True))
        if row["item"] or row["description"]:
            yield row


def _line(books: Books, row: Row, old: Body | None) -> Body:
    line: Body = {"Id": row["line"]} if row["line"] else {}
    line |= {"Description": row["description"]} if row["description"] else {}
    date_ = {"ServiceDate": row["service"]} if row["service"] else {}
    if not row["item"]:
        return line | {"DetailType": TEXT, TEXT_DETAIL: date_}
    quantity = parsed(row["quantity"] or "1", "The quantity")
    price = parsed(row["price"], "The price")
    if not row["price"] and (item := books.get("Item", row["item"])):
        price = item.body.get("UnitPrice", 0)
    before = old.get(SALES, {}) if old else {}
    kept = {name: before[name] for name in ("MarkupInfo", "DiscountRate") if name in before}
    detail = kept | date_ | {"ItemRef": {"value": row["item"]}, "Qty": quantity, "UnitPrice": price}
    detail |= {"ClassRef": {"value": row["class"]}} if row["class"] else {}
    detail |= {"TaxCodeRef": {"value": row["tax"]}} if row["tax"] else {}
    amount = number(cents(decimal(quantity) * decimal(price)))
    return line | {"DetailType": SALES, "Amount": amount, SALES: detail}


def _below(before: list[Body], sent: MultiDict) -> list[Body]:
    """Shipping and the discount: what stands below the subtotal."""
    found = []
    old = next((line for line in before if line_sums.charge_of(line) == SHIPPING), None)
    shipping = sent.get("shipping", shipping_text({"Line": before})).strip()
    if old is not None and shipping == shipping_text({"Line": before}):
        found.append(old)
    elif shipping:
        amount = parsed(shipping, "Shipping")
        detail = old[SALES] if old else {"ItemRef": {"value": SHIPPING}}
        found.append({"DetailType": SALES, "Amount": amount, SALES: detail})
    text = sent.get("discount", "").strip()
    if not text:
        return found
    old = next((line for line in before if line.get("DetailType") == DISCOUNT), None)
    if old is not None and text == discount_text({"Line": before}):
        return [*found, old]
    kept = old[DISCOUNT] if old else {}
    account = {name: kept[name] for name in ("DiscountAccountRef", "ClassRef", "TaxCodeRef") if name in kept}
    if text.endswith("%"):
        percent = {"PercentBased": True, "DiscountPercent": parsed(text[:-1], "The discount")}
        return [*found, {"DetailType": DISCOUNT, DISCOUNT: account | percent}]
    amount = parsed(text, "The discount")
    return [*found, {"DetailType": DISCOUNT, "Amount": amount, DISCOUNT: account | {"PercentBased": False}}]
