"""Payments and what they pay. Either side may make one; it belongs to the side that did."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Lower

from fieldcamp.money import cents
from fieldcamp.workspace.books import apply_payment, import_payment
from fieldcamp.workspace.models import Invoice, Payment
from integrations.books.asking import asked_in, documents, rejected
from integrations.books.base import BooksSide
from integrations.books.document_matching import NEAR_BY_REFERENCE, Receipt, match_receipts, told_apart, told_apart_from
from integrations.books.duplicates import ask_about_repeats, our_receipt, repeated_here, their_receipt
from integrations.books.matching import Doubts, Matches
from integrations.books.merged_clients import Payers, payers_of
from integrations.books.references import Missing, References
from integrations.errors import ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, PAYMENT
from integrations.models import Link, Stream
from integrations.records import Fields, Window, one_line
from integrations.sync.state import Absence, Local, Pair

_PLAIN = ("date", "amount", "method", "reference", "voided")


class Payments(BooksSide):
    kind, model = PAYMENT, Payment
    removed = (
        "It was deleted in {books}. The payment is unchanged here. Post it again, or void it in FieldCamp as well."
    )

    def __init__(self, stream: Stream, window: Window):
        super().__init__(stream, window)
        self._repeated: set[str] = set()

    def needs(self) -> Mapping[Absence, Q]:
        since = self.settings.invoices_from
        from_then_on = {Absence.BEFORE_OPENING_DATE: Q(date__gte=since)} if since else {}
        return {Absence.VOID: Q(voided_at=None), Absence.MADE_THERE: Q(made_in=""), **from_then_on}

    def _with_related(self, records: QuerySet[Any]) -> QuerySet[Any]:
        return records.select_related("client").prefetch_related("allocations__invoice")

    def views(self, records: Sequence[Payment]) -> dict[str, Local]:
        customers = self.references(CUSTOMER, [payment.client_id for payment in records])
        invoices = self.references(
            INVOICE, [share.invoice_id for payment in records for share in payment.allocations.all()]
        )
        foreign = self._foreign([payment.pk for payment in records])
        orphaned, payers = self.orphaned(records, customers), payers_of(self.connection, records)
        views = {
            payment.pk: self._view(
                payment, customers, payers, invoices, foreign.get(payment.pk), payment.pk in orphaned
            )
            for payment in records
        }
        return views | self._as_agreed(records, views)

    def _as_agreed(self, records: Sequence[Payment], views: Mapping[str, Local]) -> dict[str, Local]:
        """Returns the views of those that were made there, with the payer who was agreed on: who has paid is theirs to
        say, whoever it is here (a landlord pays for a flat)."""
        made_there = [payment.pk for payment in records if payment.made_in == self.connection.integration]
        found = {}
        for link in self.counterparts(PAYMENT, made_there):
            view, payer = views[link.record_id], (link.base or {}).get("customer")
            if payer and view.fields is not None and "customer" in view.fields:
                found[link.record_id] = replace(view, fields={**view.fields, "customer": payer})
        return found

    def _foreign(self, payment_ids: Sequence[str]) -> dict[str, list[dict[str, str]]]:
        """Returns what these payments pay of documents that only the books have: not ours to see, and not to be
        undone."""
        links = self._links(PAYMENT).filter(record_id__in=payment_ids)
        seen = {link.record_id: (link.seen or {}).get("allocations") or [] for link in links}
        ours = self.record_ids(INVOICE, [share["invoice"] for shares in seen.values() for share in shares])
        return {
            record_id: [share for share in shares if share["invoice"] not in ours] for record_id, shares in seen.items()
        }

    def _view(
        self,
        payment: Payment,
        customers: References,
        payers: Payers,
        invoices: References,
        foreign: Sequence[dict[str, str]] | None,
        orphaned: bool,
    ) -> Local:
        """`foreign` is None where the books do not have the payment yet."""
        theirs = payment.made_in == self.connection.integration
        if payment.deleted_at:
            return Local(None, theirs=theirs, version=payment.version)
        if not orphaned and (why := customers.missing.get(payment.client_id)):
            return replace(self.waits_for(payment, CUSTOMER, payment.client, why), theirs=theirs)
        if payment.pk in payers.mixed:
            return self._waits_for_merge(payment)
        shares = list(payment.allocations.all())
        unposted = [share for share in shares if share.invoice_id in invoices.missing]
        # What a posted payment pays of an invoice that was removed there is not said: nothing is to be put back.
        unsaid = foreign is not None and all(invoices.missing[share.invoice_id] is Missing.GONE for share in unposted)
        for share in unposted:
            if not unsaid:
                why = invoices.missing[share.invoice_id]
                return replace(self._waits_for_invoice(payment, share.invoice, why), theirs=theirs)
        allocations = [
            {"invoice": invoices.ids[share.invoice_id], "amount": cents(share.amount)}
            for share in shares
            if share.invoice_id in invoices.ids
        ]
        fields = {
            "customer": payers.ids.get(payment.pk) or customers.ids.get(payment.client_id, ""),
            "date": payment.date.isoformat(),
            "amount": cents(payment.amount),
            "method": payment.method,
            "reference": one_line(payment.reference),
            "allocations": sorted([*allocations, *(foreign or ())], key=lambda share: share["invoice"]),
            "credited": _said(payment.credited),
            # What it pays of documents that only the books have is among its allocations there.
            "elsewhere": _said(payment.elsewhere - _sum(foreign or ())),
            "voided": payment.voided_at is not None,
            "unapplied": cents(payment.unapplied),
        }
        if orphaned:
            del fields["customer"]
        if unposted:
            del fields["allocations"]
        return Local(fields, theirs=theirs, version=payment.version)

    def _waits_for_merge(self, payment: Payment) -> Local:
        sentence = (
            f"Pays invoices of several customers of {self.label}, who are one client here. Merge them there first, or "
            "record a payment for the invoices of each."
        )
        return Local(None, blocked=sentence, reason=ProblemReason.MERGED_HERE, version=payment.version)

    def _waits_for_invoice(self, payment: Payment, invoice: Invoice, why: Missing) -> Local:
        since = self.settings.invoices_from
        if why is Missing.COMING and since and invoice.date < since:
            sentence = f"Pays invoice {invoice.number} of {invoice.date}; invoices are posted from {since} on."
            absence = Absence.BEFORE_OPENING_DATE
            return Local(None, blocked=sentence, absence=absence, version=payment.version)
        return self.waits_for(payment, INVOICE, invoice, why, invoice.number)

    def names(self, record: Payment) -> set[tuple[str, str]]:
        invoices = {(INVOICE.name, share.invoice_id) for share in record.allocations.all()}
        return {(CUSTOMER.name, record.client_id), *invoices}

    def match(self, everything: bool) -> None:
        super().match(everything)
        self._repeated = ask_about_repeats(self, asked_in(self.doubts))

    def to_match(self, everything: bool) -> QuerySet[Any]:
        return documents(self, everything)

    def matches(self, records: Sequence[Payment], unmatched: Sequence[Link]) -> Matches:
        """Matches the same money for the same invoices on the same day, entered at both sides; what is likely the same
        money is a question."""
        theirs = [their_receipt(link) for link in unmatched if not (link.seen or {}).get("voided")]
        found = match_receipts(self.our_receipts(records), theirs)
        rest = [payment for payment in records if payment.pk not in found.links]
        return Matches(found.links, found.doubts | repeated_here(self, rest, found.doubts))

    def our_receipts(self, records: Sequence[Payment]) -> list[Receipt]:
        customers = self.remote_ids(CUSTOMER, [payment.client_id for payment in records])
        invoices = self.remote_ids(
            INVOICE, [share.invoice_id for payment in records for share in payment.allocations.all()]
        )
        payers = payers_of(self.connection, records).ids
        return [
            our_receipt(
                payment,
                {**customers, payment.client_id: payers[payment.pk]} if payment.pk in payers else customers,
                invoices,
            )
            for payment in records
        ]

    def prefilter(self, records: Sequence[Payment], unmatched: QuerySet[Any]) -> QuerySet[Any]:
        days = [payment.date for payment in records]
        first, last = (min(days) - NEAR_BY_REFERENCE).isoformat(), (max(days) + NEAR_BY_REFERENCE).isoformat()
        near: QuerySet[Any] = unmatched.annotate(day=Lower(KT("seen__date"))).filter(day__gte=first, day__lte=last)
        return near

    def questions(self, records: Sequence[Payment], doubts: Doubts) -> dict[str, str]:
        ids = {remote_id for record in records for remote_id in doubts[record.pk]}
        links = Link.objects.present().filter(stream=self.stream, kind=PAYMENT.name, remote_id__in=ids).order_by("pk")
        there = {link.remote_id: their_receipt(link) for link in links}
        return {
            str(mine.id): self._question(mine, [there[id] for id in doubts[str(mine.id)] if id in there])
            for mine in self.our_receipts(records)
        }

    def _question(self, mine: Receipt, others: Sequence[Receipt]) -> str:
        if len(others) < 2:
            both = [told_apart(mine, other, self.label) for other in others]
            asked = "Say whether it is the same, or another one. Until then it is counted once."
            return " ".join([f"{self.label} has a payment that may be the same money.", *both, asked])
        return (
            f"{self.label} has {len(others)} payments that may be the same money. Say which is the same, or that it is "
            f"another one. Until then it is counted once. {told_apart_from(mine, others, self.label)}"
        )

    def rejections(self, links: Sequence[Link]) -> dict[int, str]:
        paid = {link.pk: [share["invoice"] for share in (link.seen or {}).get("allocations") or ()] for link in links}
        ours = self.record_ids(INVOICE, [name for names in paid.values() for name in names])
        reasons = {}
        for link in links:
            if (link.seen or {}).get("voided"):
                reasons[link.pk] = f"Void in {self.label}."
            elif not any(name in ours for name in paid[link.pk]):
                reasons[link.pk] = "Pays no invoice of FieldCamp's."
        for link in links:
            if link.remote_id in self._repeated:
                reasons[link.pk] = "May be a payment that both sides have already; a person is asked."
        return rejected(links, self.doubts, "a payment") | reasons

    def take(self, pair: Pair, pull: Fields) -> bool:
        return apply_payment(pair.record_id, pair.local.version, self._values(pull, pair.seen or {}))

    def make(self, pair: Pair) -> str:
        seen = pair.seen or {}
        values, payer = self._values(seen, seen), str(seen.get("customer") or "")
        values["client_id"] = self.record_ids(CUSTOMER, [payer]).get(payer)
        if values["client_id"] is None:  # somebody whom only the books know has paid for a client
            first = min(values["allocations"], key=lambda share: share["invoice_id"])
            values["client_id"] = Invoice.objects.values_list("client_id", flat=True).get(pk=first["invoice_id"])
        made_in = self.connection.integration
        return import_payment(workspace=self.connection.workspace, made_in=made_in, values=values).pk

    def remove_local(self, pair: Pair) -> None:
        version = Payment.objects.values_list("version", flat=True).get(pk=pair.record_id)
        apply_payment(pair.record_id, version, {"voided": True})

    def _values(self, fields: Fields, seen: Fields) -> dict[str, Any]:
        """Returns what of a posted payment's fields becomes of ours, where `seen` is all that stands there. A void
        leaves the rest as it was."""
        if fields.get("voided"):
            return {"voided": True}
        values = {name: fields[name] for name in _PLAIN if fields.get(name) is not None}
        if "amount" in values:
            values["amount"] = Decimal(values["amount"])
        if "credited" in fields:
            values["credited"] = Decimal(fields["credited"] or 0)
        if "elsewhere" in fields:
            values["elsewhere"] = Decimal(fields["elsewhere"] or 0) + _sum(self._not_ours(seen))
        if "allocations" in fields:
            ours = self.record_ids(INVOICE, [share["invoice"] for share in fields["allocations"]])
            values["allocations"] = [
                {"invoice_id": ours[share["invoice"]], "amount": Decimal(share["amount"])}
                for share in fields["allocations"]
                if share["invoice"] in ours
            ]
        return values

    def _not_ours(self, seen: Fields) -> list[Fields]:
        """Returns what it pays there of documents that only the books have."""
        shares = seen.get("allocations") or ()
        ours = self.record_ids(INVOICE, [share["invoice"] for share in shares])
        return [share for share in shares if share["invoice"] not in ours]


def _sum(shares: Iterable[Fields]) -> Decimal:
    return sum((Decimal(share["amount"]) for share in shares), Decimal(0))


def _said(amount: Decimal) -> str:
    """Returns an amount as a payment's fields have it: "" is none."""
    return cents(amount) if amount else ""
