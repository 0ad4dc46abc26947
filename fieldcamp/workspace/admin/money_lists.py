"""The lists of items, tax rates, invoices and payments: search, filters, totals, CSV."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from fieldcamp.desk.lists.changelist import DeskChangeList
from fieldcamp.desk.lists.exporting import Cell, chosen, field, worked_out
from fieldcamp.desk.lists.filters import BetweenDays, between_days
from fieldcamp.desk.lists.words import EmptyList, grouped
from fieldcamp.desk.users import desk_user_of
from fieldcamp.money import plain
from fieldcamp.workspace.admin.record_lists import NAMES_OF_CLIENT
from fieldcamp.workspace.models import InvoiceStatus, Payment
from fieldcamp.workspace.models.invoices import in_status, today_in


class StatusFilter(admin.SimpleListFilter):
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return InvoiceStatus.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        workspace = desk_user_of(request).workspace
        if self.value() not in InvoiceStatus.values or workspace is None:
            return queryset
        return queryset.filter(in_status(str(self.value()), today_in(workspace)))


def state_of(payment: Payment) -> tuple[str, str]:
    if payment.voided_at:
        return "void", gettext("Void")
    return ("credit", gettext("Credit applied")) if payment.is_credit else ("received", gettext("Received"))


class ItemList:
    """The list of items."""

    list_filter = ("type", "is_active")
    search_fields = ("name", "sku", "description", "=id")
    search_help_text = _("Name, number or description")
    ordering = ("name", "id")
    empty = EmptyList(
        _("No items yet. They are what invoices bill; the connected books bring theirs along."),
        _("Add an item"),
        "admin:workspace_item_add",
        "settings",
    )
    cells: ClassVar[Sequence[Cell]] = (
        field("name", _("Name")), field("sku", _("SKU")), chosen("type", _("Type")),
        worked_out(lambda item: Decimal(plain(item.price)), _("Price")), field("taxable", _("Taxable")),
        field("is_active", _("Active")), field("description", _("Description")),
    )  # fmt: skip

    def counted(self, number: int) -> str:
        return ngettext("{number} item", "{number} items", number).format(number=grouped(number))


class TaxRateList:
    """The list of tax rates."""

    list_filter = ("is_active",)
    search_fields = ("name", "description", "=id")
    ordering = ("name", "id")
    empty = EmptyList(
        _("No tax rates yet. The connected books bring theirs along."),
        _("Add a tax rate"),
        "admin:workspace_taxrate_add",
        "settings",
    )
    cells: ClassVar[Sequence[Cell]] = (
        field("name", _("Name")), worked_out(lambda tax: Decimal(plain(tax.rate * 100)), _("Percent")),
        field("is_active", _("Active")),
    )  # fmt: skip

    def counted(self, number: int) -> str:
        return ngettext("{number} tax rate", "{number} tax rates", number).format(number=grouped(number))


class MoneyList:
    """A list of amounts: `sums` names those of which the list says the total, with what it is called."""

    model: Any
    cells: ClassVar[Sequence[Cell]]
    sums: ClassVar[dict[str, Any]] = {}

    def live_rows(self, rows: QuerySet) -> QuerySet:
        return rows.filter(voided_at=None)

    def summary_of(self, request: HttpRequest, changes: DeskChangeList) -> Iterable[tuple[str, str]]:
        """Returns the totals of what is filtered, without what is void; of more than are counted none."""
        if getattr(changes.paginator, "is_capped", False) or desk_user_of(request).sees_all:
            return []
        some = changes.queryset.order_by().values("pk")
        rows = self.live_rows(self.model._default_manager.filter(pk__in=some))
        found = rows.aggregate(**{f"sum_{name}": Sum(name) for name in self.sums})
        amounts = {name: found[f"sum_{name}"] or Decimal(0) for name in self.sums}
        return [(str(words), formats.money(amount)) for words, amount in self.told(amounts)]

    def told(self, amounts: dict[str, Decimal]) -> list[tuple[Any, Decimal]]:
        return [(words, amounts[name]) for name, words in self.sums.items()]

    def export_cells(self, request: HttpRequest) -> Sequence[Cell]:
        return [*self.cells, field("workspace.currency", _("Currency"))]


class InvoiceList(MoneyList):
    """The list of invoices, the latest first."""

    list_filter = (StatusFilter, ("date", BetweenDays), ("due_date", between_days(_("Due date"))))
    list_select_related = ("client__parent", "workspace")
    search_fields = ("number", *NAMES_OF_CLIENT, "memo", "=id")
    search_help_text = _("Number, client or message")
    sums = {"total": _("Total"), "paid": _("Paid"), "deposit": _("Deposits")}
    empty = EmptyList(
        _("No invoices yet. Those that are sent go into the connected books, and theirs come here."),
        _("Add an invoice"),
        "admin:workspace_invoice_add",
        "settings",
    )
    cells: ClassVar[Sequence[Cell]] = (
        field("number", _("Number")), field("client", _("Client")), field("date", _("Date")),
        field("due_date", _("Due date")), worked_out(lambda row: row.status.label, _("Status")),
        field("subtotal", _("Subtotal")), field("discount_total", _("Discount")), field("tax_total", _("Tax")),
        field("total", _("Total")), field("paid", _("Paid")), field("balance", _("Balance")),
    )  # fmt: skip
    ordering = ("-date", "-id")

    def counted(self, number: int) -> str:
        return ngettext("{number} invoice", "{number} invoices", number).format(number=grouped(number))

    def told(self, amounts: dict[str, Decimal]) -> list[tuple[Any, Decimal]]:
        open_now = amounts["total"] - amounts["paid"] - amounts["deposit"]
        return [(_("Total"), amounts["total"]), (_("Balance"), open_now)]


class PaymentList(MoneyList):
    """The list of payments, the latest first."""

    list_filter = ("method", ("date", BetweenDays))
    list_select_related = ("client__parent", "workspace")
    search_fields = ("reference", *NAMES_OF_CLIENT, "notes", "allocations__invoice__number", "=id")
    search_help_text = _("Reference, client, notes or number of an invoice")
    sums = {"amount": _("Total")}
    empty = EmptyList(
        _("No payments yet. They come from your own entries, and from the connected books."),
        _("Add a payment"),
        "admin:workspace_payment_add",
        "settings",
    )
    cells: ClassVar[Sequence[Cell]] = (
        field("date", _("Date")), field("client", _("Client")), field("amount", _("Amount")),
        worked_out(lambda row: "" if row.is_credit else row.get_method_display(), _("Method")),
        field("reference", _("Reference")), worked_out(lambda row: state_of(row)[1], _("State")),
        field("unapplied", _("Unapplied")),
    )  # fmt: skip
    ordering = ("-date", "-id")

    def for_export(self, rows: QuerySet) -> QuerySet:
        return rows.prefetch_related("allocations")

    def counted(self, number: int) -> str:
        return ngettext("{number} payment", "{number} payments", number).format(number=grouped(number))
