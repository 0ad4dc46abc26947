"""Items, tax rates, invoices and payments."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fieldcamp import formats
from fieldcamp.desk.columns import amount, moment
from fieldcamp.workspace import catalog, invoicing, paying
from fieldcamp.workspace.admin.money_forms import InvoiceForm, ItemForm, PaymentForm, TaxForm
from fieldcamp.workspace.admin.money_lists import InvoiceList, ItemList, PaymentList, TaxRateList, state_of
from fieldcamp.workspace.admin.record_actions import RecordAction
from fieldcamp.workspace.admin.records import RecordAdmin
from fieldcamp.workspace.admin.removal import RemovalMixin
from fieldcamp.workspace.admin.rows import AllocationRows, LineRows, RowsAdmin
from fieldcamp.workspace.models import Invoice, InvoiceStatus, Item, Payment, TaxRate

_SUBTOTAL, _DISCOUNT = amount("subtotal", _("Subtotal")), amount("discount_total", _("Discount"))
_TAX, _TOTAL, _PAID = amount("tax_total", _("Tax")), amount("total", _("Total")), amount("paid", _("Paid"))
_AMOUNT = amount("amount", _("Amount"))
_CREDITED, _ELSEWHERE = amount("credited", _("Credit applied")), amount("elsewhere", _("Used otherwise"))
_SENT, _VOIDED = moment("sent_at", _("Sent")), moment("voided_at", _("Voided"))

_INVOICES_STAY = _("Invoices that have it stay as they are.")
_TONES = {status.value: "" for status in InvoiceStatus} | {
    InvoiceStatus.SENT.value: "info",
    InvoiceStatus.PARTLY_PAID.value: "warning",
    InvoiceStatus.PAID.value: "success",
    InvoiceStatus.OVERDUE.value: "danger",
}


@admin.register(Item)
class ItemAdmin(ItemList, RemovalMixin, RecordAdmin):
    form = ItemForm
    needs = {**RecordAdmin.needs, "delete": "settings"}
    list_display = ("name", "sku", "type", "shown_price", "taxable", "is_active")
    fieldsets = (
        (
            None,
            {"fields": (("name", "sku"), ("type", "price"), ("taxable", "is_active"), "description", "seen_version")},
        ),
    )

    def remove(self, record: Item) -> None:
        catalog.delete_item(workspace=record.workspace, item_id=record.pk)

    def consequences(self, record: Item) -> list[str]:
        return [*super().consequences(record), str(_INVOICES_STAY)]

    @display(description=_("Price"), ordering="price")
    def shown_price(self, item: Item) -> str:
        return format_html('<span class="fc-money">{}</span>', formats.price(item.price))


@admin.register(TaxRate)
class TaxRateAdmin(TaxRateList, RemovalMixin, RecordAdmin):
    form = TaxForm
    needs = {**RecordAdmin.needs, "delete": "settings"}
    list_display = ("name", "percent", "made_of", "is_active")
    fieldsets = ((None, {"fields": (("name", "is_active"), "rate", "parts", "description", "seen_version")}),)

    def remove(self, record: TaxRate) -> None:
        catalog.delete_tax_rate(workspace=record.workspace, tax_rate_id=record.pk)

    def consequences(self, record: TaxRate) -> list[str]:
        return [*super().consequences(record), str(_INVOICES_STAY)]

    @display(description=_("Rate"), ordering="rate")
    def percent(self, tax: TaxRate) -> str:
        return formats.percent(tax.rate)

    @display(description=_("Components"))
    def made_of(self, tax: TaxRate) -> str:
        return ", ".join(f"{part['name']} {formats.percent(part['rate'])}" for part in tax.components) or "–"


def _live(invoice: Invoice) -> bool:
    return bool(invoice.sent_at and not invoice.voided_at)


@admin.register(Invoice)
class InvoiceAdmin(InvoiceList, RowsAdmin):
    form = InvoiceForm
    inlines = (LineRows,)
    list_display = ("number", "client", "date", "due_date", _TOTAL, "open", "badge")
    autocomplete_fields = ("client",)
    readonly_fields = ("id", _SUBTOTAL, _DISCOUNT, _TAX, _TOTAL, _PAID, "open", "shown_status",
                       "settled_by", "taxed_with", "sent_to", _SENT, _VOIDED, "void_reason")  # fmt: skip
    fieldsets = (
        (None, {"fields": (("client", "number"), ("date", "due_date"), "shown_status", "seen_version")}),
        (_("Discount, tax and message"), {"fields": (("discount_percent", "discount_amount"), "tax_rate", "memo")}),
        (
            _("Totals"),
            {
                "fields": (
                    (_SUBTOTAL, _DISCOUNT),
                    ("taxed_with", _TAX),
                    _TOTAL,
                    (_PAID, "open"),
                    "settled_by",
                )
            },
        ),
        (_("Record"), {"fields": (("id", _SENT), "sent_to", (_VOIDED, "void_reason")), "classes": ("collapse",)}),
    )
    record_actions = {
        "send": RecordAction(
            _("Send"),
            lambda row, _: invoicing.send_invoice(workspace=row.workspace, invoice_id=row.pk),
            lambda row: not row.sent_at and not row.voided_at,
            _("{} is sent: it can be paid now."),
            tone="primary",
        ),
        "void": RecordAction(
            _("Void"),
            lambda row, reason: invoicing.void_invoice(workspace=row.workspace, invoice_id=row.pk, reason=reason),
            _live,
            _("{} is void."),
            (
                _("Nothing is owed for it any more."),
                _("It stays in the list, with its number. This cannot be undone."),
            ),
            takes_reason=True,
            tone="danger",
        ),
        "discard": RecordAction(
            _("Delete the draft"),
            lambda row, _: invoicing.delete_invoice(workspace=row.workspace, invoice_id=row.pk),
            lambda row: not row.sent_at and not row.voided_at,
            _("{} is deleted."),
            (_("The draft is deleted. This cannot be undone."), _("Its number is not given again.")),
            leaves=True,
            tone="danger",
        ),
    }

    @display(description=_("Taxed with"))
    def taxed_with(self, invoice: Invoice) -> str:
        """Returns the rates that the total was worked out with, whatever the list says now."""
        parts = ", ".join(f"{part['name']} {formats.percent(part['rate'])}" for part in invoice.tax_parts)
        return parts if parts.startswith(f"{invoice.tax_name} ") else f"{invoice.tax_name}: {parts}" if parts else "–"

    @display(description=_("Sent to"))
    def sent_to(self, invoice: Invoice) -> str:
        """Returns whom it was sent to, as the client was called then."""
        to = invoice.billed_to
        address = to.get("address") or {}
        return ", ".join(text for text in (to.get("name"), to.get("email"), *address.values()) if text) or "–"

    @display(description=_("Settled by"))
    def settled_by(self, invoice: Invoice) -> str:
        """Returns what has settled it, as what it is: payments, credits that the books have applied, a deposit."""
        if invoice._state.adding:
            return "–"
        rows = format_html_join("", "<li>{}</li>", ((row,) for row in _settling(invoice)))
        return format_html("<ul>{}</ul>", rows) if rows else "–"

    @display(description=_("Balance"))
    def open(self, invoice: Invoice) -> str:
        return in_column(invoice.balance)

    @display(description=_("Status"), label=_TONES)
    def badge(self, invoice: Invoice) -> tuple[str, Any]:
        """Returns the state as the list shows it, in colour."""
        return invoice.status.value, invoice.status.label

    @display(description=_("Status"))
    def shown_status(self, invoice: Invoice) -> str:
        is_new = not invoice.pk or invoice._state.adding
        return str(InvoiceStatus.DRAFT.label if is_new else invoice.status.label)


@admin.register(Payment)
class PaymentAdmin(PaymentList, RowsAdmin):
    form = PaymentForm
    inlines = (AllocationRows,)
    list_display = ("date", "client", _AMOUNT, "how", "reference", "state")
    autocomplete_fields = ("client",)
    readonly_fields = ("id", _CREDITED, _ELSEWHERE, "left_over", "where", _VOIDED)
    fieldsets: Any = (
        (None, {"fields": (("client", "amount"), ("date", "method"), ("reference", "left_over"), "seen_version")}),
        (_("Notes"), {"fields": ("notes",)}),
        (_("Record"), {"fields": (("id", "where"), _VOIDED), "classes": ("collapse",)}),
    )
    record_actions = {
        "void": RecordAction(
            _("Void"),
            lambda row, _: paying.void_payment(workspace=row.workspace, payment_id=row.pk),
            lambda row: not row.voided_at,
            _("The payment of {} is void."),
            (_("The invoices that it pays are open again."), _("It stays in the list. This cannot be undone.")),
            tone="danger",
        )
    }

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Returns the sections; what the books have done with the payment stands there only if they have."""
        sections = super().get_fieldsets(request, obj)
        told = (("credited", _CREDITED), ("elsewhere", _ELSEWHERE))
        beside = tuple(shown for name, shown in told if obj is not None and getattr(obj, name))
        if not beside:
            return sections
        (title, first), *others = sections
        *rows, version = first["fields"]
        return ((title, {**first, "fields": (*rows, beside, version)}), *others)

    @display(description=_("State"), label={"void": "danger", "received": "", "credit": "info"})
    def state(self, payment: Payment) -> tuple[str, str]:
        return state_of(payment)

    @display(description=_("Method"), ordering="method")
    def how(self, payment: Payment) -> str:
        return "–" if payment.is_credit else payment.get_method_display()

    @display(description=_("Unapplied"))
    def left_over(self, payment: Payment) -> str:
        return formats.money(payment.unapplied) if payment.pk and not payment._state.adding else formats.EMPTY

    @display(description=_("Recorded in"))
    def where(self, payment: Payment) -> str:
        return payment.made_in.replace("_", " ").capitalize() or "FieldCamp"


def in_column(amount: Any) -> str:
    """Returns an amount as it stands in a column."""
    return format_html('<span class="fc-money">{}</span>', formats.money(amount))


def _settling(invoice: Invoice) -> Iterator[str]:
    """Yields what has settled the invoice, the oldest first: a deposit that was taken with it, then payments."""
    if invoice.deposit:
        taken = gettext("{amount}: deposit, taken in the books")
        yield taken.format(amount=formats.money(invoice.deposit))
    live = invoicing.live_allocations(invoice).select_related("payment").order_by("payment__date", "payment_id")
    for share in live:
        payment = share.payment
        page = reverse("admin:workspace_payment_change", args=[payment.pk])
        yield format_html(
            '{}: <a class="underline" href="{}">{}</a>', formats.money(share.amount), page, _called(payment)
        )


def _called(payment: Payment) -> str:
    """Returns what a payment is, and of when: "check 2217 on …", "credit applied in the books on …"."""
    day = formats.day(payment.date)
    if payment.is_credit:
        return gettext("credit applied in the books on {day}").format(day=day)
    by = " ".join(text for text in (payment.get_method_display(), payment.reference) if text)
    if payment.credited:
        said = gettext("payment ({by}) on {day}, with {credit} of credit applied in the books")
        return said.format(by=by, day=day, credit=formats.money(payment.credited))
    return gettext("payment ({by}) on {day}").format(by=by, day=day)
