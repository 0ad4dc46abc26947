"""Tax rates. The books know what the law asks: their rates are taken over, and none is ever made there."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Q

from fieldcamp.money import plain
from fieldcamp.workspace.books import apply_tax, import_tax
from fieldcamp.workspace.models import TaxRate
from integrations.books.base import BooksSide
from integrations.books.matching import Candidate, Matches, match_by
from integrations.kinds import TAX
from integrations.models import Link
from integrations.records import Fields, tidy
from integrations.sync import folding
from integrations.sync.state import Absence, Local, Pair


class Taxes(BooksSide):
    kind, model = TAX, TaxRate
    removed = "Its tax code was removed in {books}. Choose another for this tax."

    def needs(self) -> Mapping[Absence, Q]:
        return {Absence.INACTIVE: Q(is_active=True)}

    def views(self, records: Sequence[TaxRate]) -> dict[str, Local]:
        return {tax.pk: Local(None if tax.deleted_at else tax_fields(tax), version=tax.version) for tax in records}

    def matches(self, records: Sequence[TaxRate], unmatched: Sequence[Link]) -> Matches:
        """Matches by name and rate; a rate alone is a suggestion on the mapping page, no more."""
        ours = [Candidate(tax.pk, name=tax.name, extra=plain(tax.rate)) for tax in records]
        theirs = [
            Candidate(link.pk, link.remote_id, name=seen.get("name") or "", extra=seen.get("rate") or "")
            for link in unmatched
            if (seen := link.seen or {}) and seen.get("active") is not False
        ]
        return match_by(ours, theirs, lambda one: (folding.name(one.name), one.extra))

    def rejections(self, links: Sequence[Link]) -> dict[int, str]:
        """Leaves a code to be chosen where a tax of ours without a code has its rate: it may be just that one."""
        open_rates = {plain(rate) for rate in self._unlinked().values_list("rate", flat=True)}
        reasons = {}
        for link in links:
            seen = link.seen or {}
            if seen.get("active") is False:
                reasons[link.pk] = f"Inactive in {self.label}."
            elif seen.get("rate") in open_rates:
                reasons[link.pk] = "May be a tax that FieldCamp has already; choose it in the settings."
        return reasons

    def take(self, pair: Pair, pull: Fields) -> bool:
        return apply_tax(pair.record_id, pair.local.version, tax_values(pull))

    def make(self, pair: Pair) -> str:
        return import_tax(workspace=self.connection.workspace, values=tax_values(pair.seen or {})).pk


def tax_fields(tax: TaxRate) -> dict[str, Any]:
    """Returns the tax rate in the terms of a tax code (`kinds.TAX`)."""
    return {
        "name": tidy(tax.name),
        "rate": plain(tax.rate),
        "components": [{"name": part["name"], "rate": plain(part["rate"])} for part in tax.components],
        "history": tax.history,
        "active": tax.is_active,
    }


def tax_values(fields: Fields) -> dict[str, Any]:
    """Returns what of a tax code's fields becomes of a tax rate's."""
    values: dict[str, Any] = {name: fields[name] for name in ("name", "components") if name in fields}
    if "history" in fields:
        values["history"] = fields["history"] or []
    if "rate" in fields:
        values["rate"] = Decimal(fields["rate"] or 0)
    if "active" in fields:
        values["is_active"] = fields["active"] is not False
    return values
