"""Items of the price book."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils import timezone

from fieldcamp.money import cents, plain
from fieldcamp.workspace.books import apply_item, import_item
from fieldcamp.workspace.models import Item
from integrations.books.agreement import as_agreed
from integrations.books.asking import rejected
from integrations.books.base import Asked, BooksSide
from integrations.books.matching import Candidate, Matches, match_by
from integrations.books.namesakes import namesakes
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import ITEM
from integrations.ledger.problems import resolve_problems
from integrations.models import Direction, Link, Problem
from integrations.providers import PROVIDERS
from integrations.records import Fields, tidy
from integrations.sync import folding
from integrations.sync.state import Absence, Local, Pair

GROSS = (
    "The price of “{name}” in {books}, {price}, includes the tax, and by which rate is not said. Say which tax it is, "
    "or that there is none in it, or choose the item's tax code in {books}. Until then it is not taken in."
)


class Items(BooksSide):
    kind, model = ITEM, Item
    removed = "Its item was removed in {books}. FieldCamp's item is unchanged. Make it again there, or leave it so."

    def needs(self) -> Mapping[Absence, Q]:
        return {Absence.INACTIVE: Q(is_active=True)}

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

    def match(self, everything: bool) -> None:
        super().match(everything)
        self._end_questions()

    def _end_questions(self) -> None:
        """Ends what is asked of the books' items that have become one of FieldCamp's, or are not wanted any more."""
        asked = Problem.objects.open().filter(connection=self.connection, record_kind=ITEM.name)
        ids = set(asked.filter(data__reason=ProblemReason.GROSS_PRICE).values_list("record_id", flat=True))
        if not ids:
            return
        alone = Link.objects.present().unmatched().filter(stream=self.stream, remote_id__in=ids)
        still = set(alone.values_list("remote_id", flat=True)) if self.settings.import_items else set()
        code, over = ProblemCode.RECORD_REJECTED, list(ids - still)
        resolve_problems(self.connection, now=timezone.now(), codes=[code], kind=ITEM.name, record_ids=over)

    def rejections(self, links: Sequence[Link]) -> dict[int, str]:
        if not self.settings.import_items:
            return super().rejections(links)
        reasons = {link.pk: self._gross(link.seen or {}) for link in links if _price_of(link) is None}
        reasons |= {link.pk: f"Inactive in {self.label}." for link in links if (link.seen or {}).get("active") is False}
        return reasons | rejected(links, self.doubts, "an item")

    def asked_there(self, links: Sequence[Link], rejections: Mapping[int, str]) -> dict[int, Asked]:
        """Asks what a price is before tax that includes one that nothing names: it would be billed with the tax on top
        of it."""
        if self.stream.direction == Direction.PUSH:
            return {}
        return {
            link.pk: (ProblemReason.GROSS_PRICE, {"price": seen.get("gross_price")})
            for link in links
            if (seen := link.seen or {}) and rejections.get(link.pk) == self._gross(seen)
        }

    def _gross(self, seen: Fields) -> str:
        return GROSS.format(name=seen.get("name"), books=self.label, price=cents(Decimal(seen.get("gross_price") or 0)))

    def namesakes(self, records: Sequence[Item]) -> Mapping[str, Sequence[str]]:
        return namesakes(self.stream, "name", {item.pk: tidy(item.name) for item in records})

    def take(self, pair: Pair, pull: Fields) -> bool:
        return apply_item(pair.record_id, pair.local.version, item_values(pull))

    def make(self, pair: Pair) -> str:
        seen = pair.seen or {}
        price = _price_before_tax(seen, pair.decision)
        return import_item(workspace=self.connection.workspace, values=item_values({**seen, "price": price})).pk


def _price_of(link: Link) -> Any:
    return _price_before_tax(link.seen or {}, link.decision)


def _price_before_tax(seen: Fields, decision: Any) -> Any:
    """Returns the price before tax of an item there, by what a person has decided about just this price where its tax
    is not said; None where nobody knows it."""
    if "price" in seen or "net_price" in seen:
        return seen.get("price", seen.get("net_price"))
    gross, decided = seen.get("gross_price"), decision or {}
    if not Decimal(gross or 1):
        return "0"
    return decided.get("price") if gross is not None and decided.get("gross") == gross else None


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
