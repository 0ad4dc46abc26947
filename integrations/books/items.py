"""Items of the price book."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from fieldcamp.money import plain
from fieldcamp.workspace.books import apply_item, import_item
from fieldcamp.workspace.models import Item
from integrations.books.agreement import as_agreed
from integrations.books.asking import rejected
from integrations.books.base import BooksSide
from integrations.books.matching import Candidate, Matches, match_by
from integrations.books.namesakes import namesakes
from integrations.errors import ProblemReason
from integrations.kinds import ITEM
from integrations.models import Link
from integrations.providers import PROVIDERS
from integrations.records import Fields, tidy
from integrations.sync import folding
from integrations.sync.state import Local, Pair

GROSS = (
    "Its price in {books} includes the tax, and by which rate is not said. Choose its tax code in {books}, or make "
    "the item in FieldCamp with its price before tax."
)


class Items(BooksSide):
    kind, model = ITEM, Item
    removed = "Its item was removed in {books}. FieldCamp's item is unchanged. Make it again there, or leave it so."

    def wanted(self) -> QuerySet[Any]:
        return Item.objects.alive().filter(is_active=True)

    def views(self, records: Sequence[Item]) -> dict[str, Local]:
        counterparts = {link.record_id: link for link in self.counterparts(ITEM, [item.pk for item in records])}
        return {item.pk: self._view(item, counterparts.get(item.pk)) for item in records}

    def _view(self, item: Item, counterpart: Link | None) -> Local:
        if item.deleted_at:
            return Local(None, version=item.version)
        # The account is for new items: those that are there keep theirs when another is chosen.
        account = (
            str(counterpart.base.get("income_account") or "")
            if counterpart and counterpart.base
            else self.settings.income_account_id
        )
        if not account and counterpart is None:
            return Local(
                None,
                blocked=f"Choose the income account for new items in the settings of {self.label}.",
                reason=ProblemReason.ITEM_MAPPING,
                version=item.version,
            )
        kept = PROVIDERS[self.connection.integration].kept(self.kind.name, item_fields(item, account))
        fields = as_agreed(item, kept, counterpart.base if counterpart else None, item_values)
        if counterpart and counterpart.seen and "price" not in counterpart.seen:
            del fields["price"]  # theirs is of another sort (it includes the tax): each side keeps its own
        return Local(fields, version=item.version)

    def matches(self, records: Sequence[Item], unmatched: Sequence[Link]) -> Matches:
        ours = [Candidate(item.pk, name=item.name, extra=item.sku or None) for item in records]
        theirs = [
            Candidate(link.pk, link.remote_id, name=seen.get("name") or "", extra=seen.get("sku") or None)
            for link in unmatched
            if (seen := link.seen or {})
        ]
        return match_by(ours, theirs, _by_sku_and_name, _by_name, ask=_by_name)

    def rejections(self, links: Sequence[Link]) -> dict[int, str]:
        if not self.settings.import_items:
            return super().rejections(links)
        reasons = {link.pk: GROSS.format(books=self.label) for link in links if _price_of(link.seen or {}) is None}
        reasons |= {link.pk: f"Inactive in {self.label}." for link in links if (link.seen or {}).get("active") is False}
        return reasons | rejected(links, self.doubts, "an item")

    def namesakes(self, records: Sequence[Item]) -> Mapping[str, Sequence[str]]:
        return namesakes(self.stream, "name", {item.pk: tidy(item.name) for item in records})

    def take(self, pair: Pair, pull: Fields) -> bool:
        return apply_item(pair.record_id, pair.local.version, item_values(pull))

    def make(self, pair: Pair) -> str:
        seen = pair.seen or {}
        return import_item(
            workspace=self.connection.workspace, values=item_values({**seen, "price": _price_of(seen)})
        ).pk


def _price_of(seen: Fields) -> Any:
    """Returns the price before tax of an item there; None where nobody knows it."""
    return seen.get("price", seen.get("net_price"))


def item_fields(item: Item, income_account: str) -> dict[str, Any]:
    """Returns the item as the books should have it (`kinds.ITEM`)."""
    return {
        "name": tidy(item.name),
        "description": tidy(item.description),
        "price": plain(item.price),
        "sku": tidy(item.sku),
        "taxable": item.taxable,
        "active": item.is_active,
        "type": item.type,
        "income_account": income_account,
    }


def item_values(fields: Fields) -> dict[str, Any]:
    """Returns what of an item's fields there becomes of ours."""
    values = {name: fields[name] or "" for name in ("name", "description", "sku", "type") if name in fields}
    if "price" in fields:
        values["price"] = Decimal(fields["price"] or 0)
    if "taxable" in fields:
        values["taxable"] = bool(fields["taxable"])
    if "active" in fields:
        values["is_active"] = fields["active"] is not False
    return values


def _by_name(candidate: Candidate) -> str | None:
    return folding.plain(candidate.name) or None


def _by_sku_and_name(candidate: Candidate) -> tuple[str, str] | None:
    sku = folding.sku(candidate.extra)
    return (sku, folding.plain(candidate.name)) if sku else None
