"""FieldCamp's documents: sent invoices, and payments with what they pay. Three queries, however many there are."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from fieldcamp.workspace.models import Invoice, Payment, PaymentAllocation, Workspace
from integrations.kinds import INVOICE, PAYMENT
from integrations.reconciliation.documents import ZERO, BooksDocument
from integrations.records import one_line


@dataclass(slots=True)
class DocumentsHere:
    """Documents by kind and id; `made_in` says where a payment was made, "" is FieldCamp."""

    documents: dict[str, dict[str, BooksDocument]]
    made_in: dict[str, str] = field(default_factory=dict)


def documents_here(workspace: Workspace) -> DocumentsHere:
    """Returns all that were sent or received and not deleted, void ones too."""
    found = DocumentsHere({INVOICE.name: _invoices(workspace), PAYMENT.name: {}})
    shares: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for payment_id, invoice_id, amount in PaymentAllocation.objects.filter(payment__workspace=workspace).values_list(
        "payment_id", "invoice_id", "amount"
    ):
        shares[payment_id][invoice_id] = amount
    rows = Payment.objects.alive().filter(workspace=workspace).order_by()
    for pk, client_id, day, amount, credited, elsewhere, reference, made_in, voided_at in rows.values_list(
        "pk", "client_id", "date", "amount", "credited", "elsewhere", "reference", "made_in", "voided_at"
    ):
        paid = shares.get(pk, {})
        found.made_in[pk] = made_in
        found.documents[PAYMENT.name][pk] = BooksDocument(
            day.isoformat(),
            client_id,
            amount,
            number=one_line(reference),
            remainder=max(amount + credited - elsewhere - sum(paid.values(), ZERO), ZERO),
            shares=paid,
            voided=voided_at is not None,
        )
    return found


def _invoices(workspace: Workspace) -> dict[str, BooksDocument]:
    rows = Invoice.objects.alive().filter(workspace=workspace, sent_at__isnull=False).order_by()
    return {
        pk: BooksDocument(
            day.isoformat(),
            client_id,
            total,
            number=one_line(number),
            tax=tax,
            remainder=total - paid - deposit,
            deposit=deposit,
            voided=voided_at is not None,
        )
        for pk, client_id, day, total, number, tax, paid, deposit, voided_at in rows.values_list(
            "pk", "client_id", "date", "total", "number", "tax_total", "paid", "deposit", "voided_at"
        )
    }
