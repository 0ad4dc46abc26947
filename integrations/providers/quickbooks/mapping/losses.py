"""What of an invoice is not changed from here, because the books would lose something by it."""

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.errors import ProblemReason, Rejected
from integrations.providers.aligning import Line
from integrations.providers.quickbooks.mapping.lines import SALE, flat
from integrations.providers.quickbooks.mapping.parts import Body, decimal, ref_id
from integrations.providers.quickbooks.mapping.standing import StandingLine
from integrations.providers.quickbooks.mapping.sums import KNOWN

IN_BOOKS = "Make this change in QuickBooks; FieldCamp then takes it over."
_KINDS: Mapping[Any, str] = {"Estimate": "an estimate", "TimeActivity": "an entry of hours"}


def check(
    rows: Sequence[Body],
    slots: Sequence[StandingLine],
    wanted: Sequence[Line],
    found: Sequence[int | None],
    edits: Sequence[set[str]],
) -> None:
    """Raises `Rejected` where an edit cannot be written without a loss. `found` are the positions of the present lines
    that the wanted ones are, `edits` the names of what differs in each."""
    for row in flat(rows):
        if row.get("DetailType") not in KNOWN:
            raise holds_more(f"In QuickBooks this invoice has a row of a kind that FieldCamp does not know. {IN_BOOKS}")
    for (line, there), edit in zip(zip(wanted, found, strict=True), edits, strict=True):
        if there is None or slots[there].row.get("DetailType") != SALE or ref_id(slots[there].row[SALE], "ItemRef"):
            continue
        if decimal(slots[there].row.get("Amount")) and not ("item" in edit and line["item"]):
            raise holds_more(
                f"In QuickBooks the line{_called(slots[there].line)} of this invoice has no item, and would lose its"
                " amount by a change from here. Choose an item for it there; the sync then goes on."
            )
    removed = [slot for there, slot in enumerate(slots) if there not in found]
    for slot in removed:
        if slot.row.get("LinkedTxn"):
            kinds = " and ".join(
                sorted({_KINDS.get(link.get("TxnType"), "another record") for link in slot.row["LinkedTxn"]})
            )
            raise holds_more(
                f"In QuickBooks the line{_called(slot.line)} of this invoice was made from {kinds}. It can be taken"
                f" off there only. {IN_BOOKS}"
            )
    _check_bundles(rows, slots, found, edits)
    _check_equal(slots, removed, found)


def _check_bundles(
    rows: Sequence[Body], slots: Sequence[StandingLine], found: Sequence[int | None], edits: Sequence[set[str]]
) -> None:
    """Refuses anything but a bundle that stays whole and as it is, or goes as a whole."""
    for place in {slot.place for slot in slots if slot.inside}:
        parts = [there for there, slot in enumerate(slots) if slot.place == place]
        kept = [ours for ours, there in enumerate(found) if there in parts]
        if not kept and not rows[place].get("LinkedTxn"):
            continue
        together = [found[ours] for ours in range(min(kept), max(kept) + 1)] == parts if kept else False
        if not together or any(edits[ours] for ours in kept):
            raise holds_more(
                f"In QuickBooks the line{_called(slots[parts[0]].line)} of this invoice is part of a bundle, whose"
                f" parts FieldCamp does not change. {IN_BOOKS}"
            )


def _check_equal(slots: Sequence[StandingLine], removed: Sequence[StandingLine], found: Sequence[int | None]) -> None:
    """Refuses to guess which of several equal lines was taken away, unless they are the same there, too."""
    for slot in removed:
        for there in found:
            if there is not None and slots[there].line == slot.line and _own(slots[there].row) != _own(slot.row):
                raise holds_more(
                    f"This invoice has several equal lines{_called(slot.line)}, which QuickBooks keeps apart by class,"
                    f" date or account. FieldCamp cannot tell which one was taken off. {IN_BOOKS}"
                )


def holds_more(sentence: str) -> Rejected:
    """Returns the refusal of an edit by which the books would lose something."""
    return Rejected(sentence, reason=ProblemReason.HOLDS_MORE)


def _called(line: Line) -> str:
    words = str(line["description"]).split("\n")[0]
    return f" “{words[:60]}{'…' if len(words) > 60 else ''}”" if words else ""


def _own(row: Body) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("Id", "LineNum")}
