"""What a sync with the books does to records: values as they are there, under FieldCamp's field names.

Nothing that a person is asked to observe is checked here; texts and numbers are made to fit their fields. Each
`apply_*` writes only while the record still has `version`, else it says False: somebody has edited it meanwhile.
The caller says by `attributed` who and from where.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from fieldcamp.workspace.catalog import sum_of
from fieldcamp.workspace.invoicing import change_invoice
from fieldcamp.workspace.lines import built
from fieldcamp.workspace.models import Client, Invoice, InvoiceLine, Item, Payment, TaxRate, Workspace
from fieldcamp.workspace.paying import change_payment, insert_payment, lock_invoices, shares_of
from fieldcamp.workspace.saving import put
from fieldcamp.workspace.tracking import TrackedModel

Values = Mapping[str, Any]


def apply_client(client_id: str, version: int, values: Values) -> bool:
    return _apply(Client, client_id, version, values)


def apply_item(item_id: str, version: int, values: Values) -> bool:
    return _apply(Item, item_id, version, values)


def apply_tax(tax_rate_id: str, version: int, values: Values) -> bool:
    """`components` bring their sum along as `rate`; what the tax was and will be is in `history`."""
    return _apply(TaxRate, tax_rate_id, version, _with_sum(values))


def apply_invoice(invoice_id: str, version: int, values: Values) -> bool:
    """`values`: date, due_date, memo, discount_percent, discount_amount, tax_rate_id, deposit, voided, and `lines` as
    a whole ({"item_id", "description", "quantity", "unit_price", "taxable"}). The totals follow."""
    with transaction.atomic():
        invoice = Invoice.objects.filter(pk=invoice_id, version=version).select_for_update().first()
        if invoice is None:
            return False
        wanted = {**values}
        lines = wanted.pop("lines", None)
        if "voided" in wanted:
            voided = wanted.pop("voided")
            wanted["voided_at"] = (invoice.voided_at or timezone.now()) if voided else None
        rows = None if lines is None else built(_lines(lines), {}, list(invoice.lines.all()))
        change_invoice(invoice, fitted(Invoice, wanted), rows)
    return True


def apply_payment(payment_id: str, version: int, values: Values) -> bool:
    """`values`: amount, credited, elsewhere, date, method, reference, notes, voided, and `allocations` as a whole
    ({"invoice_id", "amount"})."""
    with transaction.atomic():
        payment = Payment.objects.filter(pk=payment_id, version=version).select_for_update().first()
        if payment is None:
            return False
        wanted = {**values}
        old = shares_of(payment.allocations.values("invoice_id", "amount"))
        new = shares_of(wanted.pop("allocations")) if "allocations" in wanted else old
        if "voided" in wanted:
            wanted["voided_at"] = (payment.voided_at or timezone.now()) if wanted.pop("voided") else None
        invoices = lock_invoices({*old, *new})
        change_payment(payment, put(payment, fitted(Payment, wanted)), old, new, invoices)
    return True


def import_client(*, workspace: Workspace, values: Values) -> Client:
    return Client.objects.create(workspace=workspace, **fitted(Client, values))


def import_item(*, workspace: Workspace, values: Values) -> Item:
    return Item.objects.create(workspace=workspace, **fitted(Item, values))


def import_tax(*, workspace: Workspace, values: Values) -> TaxRate:
    return TaxRate.objects.create(workspace=workspace, **fitted(TaxRate, _with_sum(values)))


def import_payment(*, workspace: Workspace, made_in: str, values: Values) -> Payment:
    """Creates a payment that was made at the integration `made_in`; `values` as `apply_payment` has them, with
    `client_id`."""
    with transaction.atomic():
        wanted = {**values}
        shares = shares_of(wanted.pop("allocations", ()))
        if wanted.pop("voided", False):
            wanted["voided_at"] = timezone.now()
        payment = Payment(workspace=workspace, made_in=made_in, **fitted(Payment, wanted))
        insert_payment(payment, shares, lock_invoices(shares))
    return payment


def _lines(lines: Sequence[Values]) -> list[dict[str, Any]]:
    names = dict(Item.objects.filter(pk__in=[line.get("item_id") for line in lines]).values_list("pk", "name"))
    return [{"item_name": names.get(line.get("item_id") or "", ""), **_line(line)} for line in lines]


def _line(values: Values) -> dict[str, Any]:
    """Returns the line; one without a unit price is one of its amount."""
    if values.get("unit_price") is None and values.get("amount") is not None:
        values = {**values, "quantity": 1, "unit_price": values["amount"]}
    return fitted(InvoiceLine, values)


def _apply(model: type[TrackedModel], record_id: str, version: int, values: Values) -> bool:
    return bool(model.objects.filter(pk=record_id, version=version).update(**fitted(model, values)))


def _with_sum(values: Values) -> Values:
    return {**values, "rate": sum_of(values["components"])} if values.get("components") else values


def fitted(model: type[models.Model], values: Values) -> dict[str, Any]:
    """Returns the values cut and rounded to what the model's fields hold; days may be texts."""
    return {name: _fitted(model._meta.get_field(name), value) for name, value in values.items()}


def _fitted(field: Any, value: Any) -> Any:
    if value is None or field.is_relation:
        return value
    if isinstance(field, models.DecimalField):
        return Decimal(value).quantize(Decimal(1).scaleb(-field.decimal_places), rounding=ROUND_HALF_UP)
    if isinstance(field, (models.CharField, models.TextField)):
        return str(value)[: field.max_length]
    return field.to_python(value) if isinstance(field, models.DateField) else value
