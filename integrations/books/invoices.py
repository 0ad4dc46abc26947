"""Invoices: posted once, then kept equal, or voided."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from fieldcamp.money import CENT, cents
from fieldcamp.workspace.books import apply_invoice, fitted
from fieldcamp.workspace.models import Invoice, InvoiceLine
from fieldcamp.workspace.totals import totals_of
from integrations.books.asking import documents
from integrations.books.base import BooksSide
from integrations.books.equal_numbers import match_numbers, of_these_numbers
from integrations.books.invoice_fields import (
    decimal_of,
    invoice_fields,
    is_words,
    line_fields,
    line_values,
    line_values_of,
)
from integrations.books.matching import Matches
from integrations.books.merged_clients import standing_customers
from integrations.books.own_items import StandingLines
from integrations.books.references import References
from integrations.errors import ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, ITEM, TAX
from integrations.models import Link
from integrations.records import Fields
from integrations.sync.state import Absence, Local, Pair


@dataclass(frozen=True, slots=True)
class Code:
    """A tax code of the books, and its rates, each rounded by itself: of today, and from which days on."""

    id: str
    rates: tuple[Decimal, ...] = ()
    history: tuple[tuple[str, tuple[Decimal, ...]], ...] = ()

    def rates_on(self, day: dt.date) -> tuple[Decimal, ...]:
        begun = [rates for since, rates in self.history if since <= day.isoformat()]
        return begun[-1] if begun else self.rates


NO_CODE = Code("")


class Invoices(BooksSide):
    kind, model = INVOICE, Invoice
    removed = (
        "It was deleted in {books}. The invoice is unchanged here. Post it again, or void it in FieldCamp as well."
    )

    def needs(self) -> Mapping[Absence, Q]:
        since = self.settings.invoices_from
        from_then_on = {Absence.BEFORE_OPENING_DATE: Q(date__gte=since)} if since else {}
        return {Absence.DRAFT: Q(sent_at__isnull=False), Absence.VOID: Q(voided_at=None), **from_then_on}

    def _with_related(self, records: QuerySet[Any]) -> QuerySet[Any]:
        return records.select_related("client", "tax_rate").prefetch_related("lines__item")

    def views(self, records: Sequence[Invoice]) -> dict[str, Local]:
        customers = self.references(CUSTOMER, [invoice.client_id for invoice in records])
        items = self.references(
            ITEM, [line.item_id for invoice in records for line in invoice.lines.all() if line.item_id]
        )
        codes = self._codes([invoice.tax_rate_id for invoice in records if invoice.tax_rate_id])
        orphaned = self.orphaned(records, customers)
        links = list(self.counterparts(INVOICE, [invoice.pk for invoice in records]))
        owners = {invoice.pk: invoice.client_id for invoice in records}
        bearers = standing_customers(self.connection, owners, links)
        ours = self.record_ids(ITEM, {line["item"] for link in links for line in _lines_of(link.seen, link.base)})
        standing = {link.record_id: self._standing(link, ours) for link in links}
        views = {
            invoice.pk: self._view(
                invoice, customers, items, codes, standing.get(invoice.pk, StandingLines()), invoice.pk in orphaned
            )
            for invoice in records
        }
        for pk, customer in bearers.items():
            if (fields := views[pk].fields) is not None and "customer" in fields:
                views[pk] = replace(views[pk], fields={**fields, "customer": customer})
        new = self._chosen()
        told = {name: id for name, id in new.items() if name in INVOICE.told}
        for pk, view in views.items():
            if view.fields is not None:  # those that are there keep what they have: only lines that are added get it
                views[pk] = replace(view, fields={**view.fields, **(told if pk in standing else new)})
        agreed = {link.record_id: _lines_of(link.base) for link in links}
        posted = [invoice for invoice in records if views[invoice.pk].fields is not None]
        return views | self._as_agreed(posted, views, agreed, ours)

    def _standing(self, link: Link, ours: Mapping[str, str]) -> StandingLines:
        """Returns the lines that were seen there, as far as they could be read. `ours` are the items that FieldCamp
        has, by their ids there."""
        return StandingLines(_lines_of(link.seen), frozenset(ours), self.settings.default_item_id)

    def _as_agreed(
        self,
        records: Sequence[Invoice],
        views: Mapping[str, Local],
        agreed: Mapping[str, Sequence[Fields]],
        ours: Mapping[str, str],
    ) -> dict[str, Local]:
        """Returns the views of those whose lines were rounded on their way here and edited by nobody, with the lines
        that the books have."""
        found = {}
        for invoice in records:
            lines = agreed.get(invoice.pk, ())
            taken = [fitted(InvoiceLine, line_values(line, ours.get(line["item"]))) for line in lines]
            if lines and line_values_of(invoice) == taken:
                view = views[invoice.pk]
                found[invoice.pk] = replace(view, fields={**(view.fields or {}), "lines": lines})
        return found

    def _view(
        self,
        invoice: Invoice,
        customers: References,
        items: References,
        codes: Mapping[str, Code],
        standing: StandingLines,
        orphaned: bool,
    ) -> Local:
        if invoice.deleted_at or not invoice.sent_at:
            return Local(None, version=invoice.version)
        if not orphaned and (why := customers.missing.get(invoice.client_id)):
            return self.waits_for(invoice, CUSTOMER, invoice.client, why)
        # Books that find the code by the address, or take no tax at all, have none that somebody chose.
        chosen = self.settings.company.get("tax_mode") not in ("automated", "none")
        code = codes.get(invoice.tax_rate_id or "", NO_CODE) if chosen else NO_CODE
        if chosen and invoice.tax_rate and not code.id and invoice.tax_total:
            sentence = f"Choose which tax code of {self.label} is “{invoice.tax_rate}”."
            return self._blocked(invoice, sentence, ProblemReason.TAX_MAPPING, tax=invoice.tax_rate_id)
        lines = []
        taxed = bool(code.id if chosen else invoice.tax_rate_id)
        own = [line_fields(line, items.ids.get(line.item_id or "", ""), taxed=taxed) for line in invoice.lines.all()]
        there = standing.items(own)
        for number, line in enumerate(invoice.lines.all()):
            if is_words(line):
                lines.append(line_fields(line, "", taxed=False))
                continue
            if number in there and line.item_id is None:
                lines.append({**own[number], "item": there[number]})
                continue
            item = items.ids.get(line.item_id or "") or self._stand_in(line)
            if not item and line.item_id:
                return self.waits_for(invoice, ITEM, line.item, items.missing[line.item_id], f"“{line.item}”")
            if not item:
                sentence = f"Choose which item of {self.label} stands for lines without one."
                return self._blocked(invoice, sentence, ProblemReason.ITEM_MAPPING)
            lines.append({**own[number], "item": item})
        fields = invoice_fields(
            invoice,
            customers.ids.get(invoice.client_id, ""),
            standing.in_their_order(lines),
            code.id,
            self._stated_tax(invoice, code),
        )
        if orphaned:
            del fields["customer"]
        if not chosen:
            del fields["tax_code"]
        since = self.settings.invoices_from
        return Local(
            fields,
            in_window=since is None or invoice.date >= since,
            version=invoice.version,
        )

    def _chosen(self) -> dict[str, str]:
        """Returns by what a new invoice is sorted there, and its terms, as far as somebody has chosen them."""
        settings = self.settings
        chosen = {"class": settings.class_id, "location": settings.location_id, "terms": settings.terms_id}
        return {name: id for name, id in chosen.items() if id}

    def _codes(self, tax_rate_ids: Sequence[str]) -> dict[str, Code]:
        links = self.counterparts(TAX, tax_rate_ids)
        return {link.record_id: _code(link.remote_id, link.seen or {}) for link in links}

    def _stated_tax(self, invoice: Invoice, code: Code) -> str:
        """Returns the tax that the books are told to keep. Where they would only round otherwise it is what the client
        was billed; where their rate on that day is another they compute, and the difference is shown."""
        if self.settings.company.get("tax_mode") == "manual":
            lines = [(line.amount, line.taxable) for line in invoice.lines.all()]
            rates = code.rates_on(invoice.date)
            theirs = totals_of(lines, percent=invoice.discount_percent, amount=invoice.discount_amount, rates=rates)
            if abs(theirs.tax - invoice.tax_total) > CENT * max(len(rates), 1):
                return ""
        return cents(invoice.tax_total)

    def _stand_in(self, line: InvoiceLine) -> str:
        """Returns what the books have in the place of no item, or of one that is not sold any more."""
        gone = line.item is not None and (line.item.deleted_at is not None or not line.item.is_active)
        return self.settings.default_item_id if line.item is None or gone else ""

    def _blocked(self, invoice: Invoice, sentence: str, reason: ProblemReason | None = None, **data: Any) -> Local:
        return Local(None, blocked=sentence, reason=reason, data=data, version=invoice.version)

    def names(self, record: Invoice) -> set[tuple[str, str]]:
        items = {(ITEM.name, line.item_id) for line in record.lines.all() if line.item_id}
        taxes = {(TAX.name, record.tax_rate_id)} if record.tax_rate_id else set()
        return {(CUSTOMER.name, record.client_id), *items, *taxes}

    def to_match(self, everything: bool) -> QuerySet[Any]:
        return documents(self, everything)

    def matches(self, records: Sequence[Invoice], unmatched: Sequence[Link]) -> Matches:
        customers = self.remote_ids(CUSTOMER, [invoice.client_id for invoice in records])
        return match_numbers(self.connection, records, customers, unmatched)

    def prefilter(self, records: Sequence[Invoice], unmatched: QuerySet[Any]) -> QuerySet[Any]:
        return of_these_numbers(records, unmatched)

    def question(self, record: Invoice, remote_ids: Sequence[str]) -> str:
        return (
            f"{self.label} has an invoice with the number {record.number} already. Say whether it is the same, or "
            "another one: then this one gets the next free number."
        )

    def take(self, pair: Pair, pull: Fields) -> bool:
        return apply_invoice(pair.record_id, pair.local.version, self._values(pull))

    def _values(self, fields: Fields) -> dict[str, Any]:
        """Returns what of a posted invoice's fields becomes of ours. A void leaves the rest as it was."""
        if fields.get("voided"):
            return {"voided": True}
        values = {name: fields[name] for name in ("date", "due_date", "memo") if fields.get(name) is not None}
        if "lines" in fields:
            ours = self.record_ids(ITEM, [line["item"] for line in fields["lines"]])
            values["lines"] = [line_values(line, ours.get(line["item"])) for line in fields["lines"]]
        if "discount" in fields:
            discount = fields["discount"] or {}
            values["discount_percent"] = decimal_of(discount.get("percent"))
            values["discount_amount"] = decimal_of(discount.get("amount"))
        if "deposit" in fields:
            values["deposit"] = Decimal(fields["deposit"] or 0)
        if "tax_code" in fields:
            values["tax_rate_id"] = self.record_ids(TAX, [fields["tax_code"]]).get(fields["tax_code"])
        return values


def _lines_of(*sides: Fields | None) -> list[Fields]:
    return [line for fields in sides for line in (fields or {}).get("lines") or ()]


def _code(id: str, seen: Fields) -> Code:
    history = tuple((period["from"], _rates(period["components"])) for period in seen.get("history") or ())
    return Code(id, _rates(seen.get("components") or [{"rate": seen.get("rate") or "0"}]), history)


def _rates(parts: Sequence[Fields]) -> tuple[Decimal, ...]:
    return tuple(Decimal(part["rate"]) for part in parts)
