"""Our lines laid over the rows that stand on an invoice there.

An update replaces the whole `Line` array, and a row that is sent without its Id is a new one that has lost what was not
sent: class, service date, accounts, links to estimates and hours. So each row is sent as it stands, and only what an
edit says is changed in it. What cannot be done so is not written.
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice#sparse-update-an-invoice
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fieldcamp.money import rounded
from integrations.providers.aligning import Line, align, is_words
from integrations.providers.quickbooks.mapping.lines import (
    DISCOUNT,
    GROUP,
    PRICE_PLACES,
    SALE,
    SUBTOTAL,
    WORDS,
    discount_row,
    is_charge,
    is_group,
    subtotal,
    to_discount,
    to_row,
    words_of,
)
from integrations.providers.quickbooks.mapping.losses import check
from integrations.providers.quickbooks.mapping.parts import Body, decimal, number, ref, ref_id
from integrations.providers.quickbooks.mapping.standing import StandingLine, standing_lines
from integrations.providers.quickbooks.mapping.sums import discounts

Row = dict[str, Any]
AMOUNTS = {"quantity", "unit_price", "amount"}


@dataclass(frozen=True, slots=True)
class Codes:
    """The tax codes of an edited invoice's lines. `taxed` says what a code means, `code_of` gives that of a new line or
    of one whose taxability has changed, `renamed` maps a code of the whole invoice to the one that takes its place."""

    taxed: Callable[[str], bool]
    code_of: Callable[[bool], str]
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overlay:
    """The rows to send, and whether they come to other amounts, or bear another tax, than those that stand there."""

    rows: list[Row]
    counts: bool


def overlay(
    rows: Sequence[Body], wanted: Sequence[Line], discount: Mapping[str, str] | None, codes: Codes
) -> Overlay | None:
    """Returns the rows as they are to be sent; None where nothing differs from what stands there. Raises `Rejected` for
    what cannot be changed without a loss."""
    slots = standing_lines(rows, codes.taxed)
    found = align(wanted, [slot.line for slot in slots])
    found = [
        None if there is not None and _is_other(line, slots[there]) else there
        for line, there in zip(wanted, found, strict=True)
    ]
    edits = [
        _edits(line, slots[there], codes) if there is not None else set() for line, there in _paired(wanted, found)
    ]
    same_order = found == list(range(len(slots)))
    same_discount = discount == to_discount(rows)
    if same_order and same_discount and not any(edits):
        return None
    check(rows, slots, wanted, found, edits)
    counts = not same_order or not same_discount or any(edit & {*AMOUNTS, "taxable", "code"} for edit in edits)
    made = [
        to_row(line, codes.code_of) if there is None else _edited(slots[there].row, line, edit, codes)
        for (line, there), edit in zip(_paired(wanted, found), edits, strict=True)
    ]
    sent = _in_place(rows, slots, made) if same_order else _rebuilt(rows, slots, found, made)
    if counts:
        sent = _discounted(sent, discount, same_discount)
    return Overlay([_sendable(row, numbered=same_order) for row in sent if not _is_made_there(row)], counts)


def _paired(wanted: Sequence[Line], found: Sequence[int | None]) -> list[tuple[Line, int | None]]:
    return list(zip(wanted, found, strict=True))


def _is_other(line: Line, slot: StandingLine) -> bool:
    """Returns whether a row cannot become this line: words have no price, and what was made of an estimate is not sold
    under another name."""
    if slot.row.get("DetailType") == WORDS:
        return not is_words(line)
    renamed = line["item"] != slot.line["item"] and line["description"] != slot.line["description"]
    return bool(slot.row.get("LinkedTxn")) and renamed and not is_words(line)


def _edits(line: Line, slot: StandingLine, codes: Codes) -> set[str]:
    """Returns the names of what differs, and "code" where the whole invoice's code has changed."""
    found = {name for name in slot.line if line.get(name) != slot.line[name]}
    if "taxable" not in found and ref_id(slot.row.get(SALE), "TaxCodeRef") in codes.renamed:
        found.add("code")
    return found


# --- what is done ----------------------------------------------------------------------------------------------------


def _edited(row: Body, line: Line, edits: set[str], codes: Codes) -> Row:
    """Returns a row with what an edit says, and all else as it was."""
    new: Row = copy.deepcopy(dict(row))
    if "description" in edits:
        new.pop("Description", None)
        new |= {"Description": words_of(line)} if words_of(line) else {}
    if new.get("DetailType") != SALE:
        return new
    detail = new[SALE] = dict(new.get(SALE) or {})
    if "item" in edits and line["item"]:
        detail["ItemRef"] = ref(str(line["item"]))
        detail.pop("ItemAccountRef", None)  # the account is the item's
    if edits & AMOUNTS:
        new["Amount"] = _multiplied(detail, line, edits)
        detail.pop("TaxInclusiveAmt", None)
    if "taxable" in edits and not is_words(line):
        detail.pop("TaxCodeRef", None)
        code = codes.code_of(bool(line["taxable"]))
        detail |= {"TaxCodeRef": ref(code)} if code else {}
    elif "code" in edits:
        detail["TaxCodeRef"] = ref(codes.renamed[ref_id(detail, "TaxCodeRef")])
    return new


def _multiplied(detail: Row, line: Line, edits: set[str]) -> int | float:
    """Puts the quantity and the price into a row's detail, and returns what they come to. One that was not edited stays
    as it stands, with more places than FieldCamp has, as long as it comes to our amount."""
    quantity, price = Decimal(line["quantity"]), Decimal(line["unit_price"]).quantize(PRICE_PLACES)
    amount = rounded(quantity * price)
    standing = decimal(detail.get("Qty", 1))
    if "quantity" in edits or rounded(standing * price) != amount:
        standing = quantity
        if "Qty" in detail or quantity != 1:
            detail["Qty"] = number(quantity)
    priced = "UnitPrice" in detail or "Qty" in detail
    if priced and ("unit_price" in edits or rounded(standing * decimal(detail.get("UnitPrice"))) != amount):
        detail["UnitPrice"] = number(price.normalize())
    return number(amount)


def _in_place(rows: Sequence[Body], slots: Sequence[StandingLine], made: Sequence[Row]) -> list[Row]:
    """Returns the array as it stands, with the edited rows in their places."""
    edited = {slot.place: row for slot, row in zip(slots, made, strict=True) if not slot.inside}
    return [edited.get(place, dict(row)) for place, row in enumerate(rows)]


def _rebuilt(
    rows: Sequence[Body], slots: Sequence[StandingLine], found: Sequence[int | None], made: Sequence[Row]
) -> list[Row]:
    """Returns the rows in the new order. What is no line of ours stays behind the row that it stands behind."""
    lines = {slot.place for slot in slots}
    behind: dict[int, list[Row]] = {}
    last = -1
    for place, row in enumerate(rows):
        last = place if place in lines else last
        if place not in lines and row.get("DetailType") != DISCOUNT:
            behind.setdefault(last, []).append(dict(row))
    sent = behind.pop(-1, [])
    done: set[int] = set()
    for there, row in zip(found, made, strict=True):
        slot = slots[there] if there is not None else None
        if slot is None:
            sent.append(row)
        elif slot.place not in done:
            sent.append(dict(rows[slot.place]) if slot.inside else row)
            sent += behind.pop(slot.place, [])
            done.add(slot.place)
    for rest in behind.values():  # what they stood behind is gone
        sent += rest
    return sent + [dict(row) for row in rows if row.get("DetailType") == DISCOUNT]


def _discounted(rows: list[Row], discount: Mapping[str, str] | None, same: bool) -> list[Row]:
    """Returns the rows with the discount on what they come to now; its row keeps its accounts and its class."""
    goods = [row for row in rows if not is_charge(row)]
    new = discount_row(discount, subtotal(goods)) if discount else None
    if new is None:
        return rows if same else [row for row in rows if row.get("DetailType") != DISCOUNT]
    if not discounts(rows):
        return [*rows, new]
    return [_rediscounted(row, new, same) if row.get("DetailType") == DISCOUNT else row for row in rows]


def _rediscounted(row: Row, new: Row, same: bool) -> Row:
    if same and not new[DISCOUNT]["PercentBased"]:
        return row
    kept = {name: value for name, value in row[DISCOUNT].items() if name not in ("PercentBased", "DiscountPercent")}
    said = row[DISCOUNT] if same else {**kept, **new[DISCOUNT]}
    return {**row, "Amount": new["Amount"], DISCOUNT: said}


def _is_made_there(row: Body) -> bool:
    """Returns whether QuickBooks makes the row by itself: the sum below the lines."""
    return row.get("DetailType") == SUBTOTAL and not row.get("Id")


def _sendable(row: Body, *, numbered: bool) -> Row:
    """Returns a row as it may be sent back: without what reads alone carry, and without numbers where they have
    moved."""
    dropped = ("LineEx",) if numbered else ("LineEx", "LineNum")
    sent = {name: value for name, value in row.items() if name not in dropped}
    if is_group(row):
        parts = [_sendable(part, numbered=numbered) for part in row[GROUP].get("Line") or ()]
        sent[GROUP] = {**row[GROUP], "Line": parts}
    return sent
