"""Invoices and their lines."""

import datetime as dt
import zoneinfo
from decimal import Decimal

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.ids import PrefixedIdField
from fieldcamp.workspace.models.items import Item, TaxRate
from fieldcamp.workspace.models.people import Client, Workspace
from fieldcamp.workspace.totals import ZERO, is_overdue
from fieldcamp.workspace.tracking import TrackedModel, list_indexes


class InvoiceStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SENT = "sent", _("Sent")
    PARTLY_PAID = "partly_paid", _("Partly paid")
    PAID = "paid", _("Paid")
    OVERDUE = "overdue", _("Overdue")
    VOID = "void", _("Void")


class Settlement(models.TextChoices):
    """How far an invoice is paid, whatever the day."""

    UNPAID = "unpaid", _("Unpaid")
    PARTIAL = "partial", _("Partly paid")
    PAID = "paid", _("Paid")


# The API's words for how far an invoice is paid, or that it is void: each is in one of them.
STATUSES = {
    "unpaid": (InvoiceStatus.DRAFT, InvoiceStatus.SENT),
    "paid": (InvoiceStatus.PAID,),
    "partial": (InvoiceStatus.PARTLY_PAID,),
    "overdue": (InvoiceStatus.OVERDUE,),
    "void": (InvoiceStatus.VOID,),
}
DELIVERY_STATUSES = {"draft": models.Q(sent_at=None), "sent": models.Q(sent_at__isnull=False)}


def today_in(workspace: Workspace) -> dt.date:
    """Returns the company's day."""
    return timezone.localdate(timezone=zoneinfo.ZoneInfo(workspace.timezone))


def status_of(invoice: "Invoice", today: dt.date) -> InvoiceStatus:
    """Returns the one status that is shown. `in_status` finds by the same rules."""
    if invoice.voided_at:
        return InvoiceStatus.VOID
    if not invoice.sent_at:
        return InvoiceStatus.DRAFT
    if invoice.settlement == Settlement.PAID:
        return InvoiceStatus.PAID
    if is_overdue(invoice.due_date, today):
        return InvoiceStatus.OVERDUE
    return InvoiceStatus.PARTLY_PAID if invoice.settlement == Settlement.PARTIAL else InvoiceStatus.SENT


def in_status(status: str, today: dt.date) -> models.Q:
    """Returns the condition under which `status_of` is this one."""
    live = models.Q(voided_at=None)
    sent, unpaid = live & models.Q(sent_at__isnull=False), ~models.Q(settlement=Settlement.PAID)
    overdue = models.Q(due_date__isnull=False, due_date__lt=today)
    conditions = {
        InvoiceStatus.VOID: ~live,
        InvoiceStatus.DRAFT: live & models.Q(sent_at=None),
        InvoiceStatus.PAID: sent & models.Q(settlement=Settlement.PAID),
        InvoiceStatus.OVERDUE: sent & unpaid & overdue,
        InvoiceStatus.PARTLY_PAID: sent & ~overdue & models.Q(settlement=Settlement.PARTIAL),
        InvoiceStatus.SENT: sent & ~overdue & models.Q(settlement=Settlement.UNPAID),
    }
    return conditions[InvoiceStatus(status)]


class Invoice(TrackedModel):
    """A bill to a client. Totals are computed by `workspace.totals` and stored; `lines_digest` moves with the lines,
    `settlement` with the payments, so that either moves the version.

    What it was sent with stays with it, whatever becomes of the lists: `billed_to` {"name", "email", "address"}, and
    `tax_parts` [{"name", "rate"}] of the tax `tax_name`, as they were on the day `taxed_on`.

    `deposit` is money that was taken on the invoice's form in the books, beside all payments: FieldCamp reads it only.
    """

    kind = "invoice"
    tracked = (
        "number", "client_id", "date", "due_date", "memo", "discount_percent", "discount_amount", "tax_rate_id",
        "lines_digest", "total", "deposit", "settlement", "sent_at", "voided_at", "void_reason", "deleted_at",
    )  # fmt: skip
    told = ("subtotal", "discount_total", "tax_total", "paid")

    id = PrefixedIdField("inv", verbose_name=_("id"))
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invoices")
    number = models.CharField(_("number"), max_length=21)  # QuickBooks' DocNumber has no more
    serial = models.BigIntegerField(null=True, editable=False)  # of a number that is one: the next is found by it
    client = models.ForeignKey(Client, models.PROTECT, verbose_name=_("client"), related_name="invoices")
    date = models.DateField(_("date"))
    due_date = models.DateField(_("due date"), null=True, blank=True)
    memo = models.TextField(_("message to the client"), blank=True, max_length=1000)
    discount_percent = models.DecimalField(_("discount percent"), max_digits=9, decimal_places=6, null=True, blank=True)
    discount_amount = models.DecimalField(_("discount amount"), max_digits=15, decimal_places=2, null=True, blank=True)
    tax_rate = models.ForeignKey(
        TaxRate, models.PROTECT, verbose_name=_("tax rate"), null=True, blank=True, related_name="invoices"
    )
    tax_name = models.CharField(_("tax"), max_length=100, blank=True, editable=False)
    tax_parts = models.JSONField(_("parts of the tax"), default=list, blank=True, editable=False)
    taxed_on = models.DateField(_("taxed on"), null=True, blank=True, editable=False)
    billed_to = models.JSONField(_("billed to"), default=dict, blank=True, editable=False)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True, editable=False)
    voided_at = models.DateTimeField(_("voided at"), null=True, blank=True, editable=False)
    void_reason = models.CharField(_("void reason"), max_length=200, blank=True, editable=False)

    lines_digest = models.CharField(max_length=16, editable=False)
    settlement = models.CharField(max_length=7, choices=Settlement, default=Settlement.UNPAID, editable=False)
    subtotal = models.DecimalField(_("subtotal"), max_digits=15, decimal_places=2, default=ZERO, editable=False)
    discount_total = models.DecimalField(
        _("discount total"), max_digits=15, decimal_places=2, default=ZERO, editable=False
    )
    tax_total = models.DecimalField(_("tax total"), max_digits=15, decimal_places=2, default=ZERO, editable=False)
    total = models.DecimalField(_("total"), max_digits=15, decimal_places=2, default=ZERO, editable=False)
    paid = models.DecimalField(_("paid"), max_digits=15, decimal_places=2, default=ZERO, editable=False)
    deposit = models.DecimalField(
        _("deposit taken in the books"), max_digits=15, decimal_places=2, default=ZERO, editable=False
    )

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "number"], name="one_invoice_per_number")]
        indexes = [
            *list_indexes("invoice"),
            models.Index(fields=["workspace", "serial"], name="invoice_serial"),
        ]

    def __str__(self) -> str:
        return gettext("Invoice {number}").format(number=self.number)

    @classmethod
    def shown_day(cls, workspace: Workspace) -> dt.date:
        return today_in(workspace)

    @classmethod
    def turned_by_day(cls, before: dt.date, today: dt.date) -> models.Q:
        """Returns which are overdue on one of these days and not on the other."""
        due = models.Q(due_date__gte=min(before, today), due_date__lt=max(before, today))
        return due & models.Q(voided_at=None, sent_at__isnull=False) & ~models.Q(settlement=Settlement.PAID)

    @property
    def balance(self) -> Decimal:
        """Returns what is still to be paid."""
        return ZERO if self.voided_at else self.total - self.settled

    @property
    def settled(self) -> Decimal:
        """Returns what payments and the deposit have taken off it."""
        return self.paid + self.deposit

    @property
    def status(self) -> InvoiceStatus:
        """Returns whether it is overdue, by the company's day."""
        return status_of(self, today_in(self.workspace))


class InvoiceLine(models.Model):
    """One line. `amount` is quantity times unit price, rounded; `item_name` is what its item was called when it was
    put here."""

    id = models.BigAutoField(primary_key=True)
    invoice = models.ForeignKey(Invoice, models.CASCADE, verbose_name=_("invoice"), related_name="lines")
    position = models.PositiveIntegerField()
    item = models.ForeignKey(Item, models.PROTECT, verbose_name=_("item"), null=True, blank=True, related_name="+")
    item_name = models.CharField(_("item's name"), max_length=100, blank=True, editable=False)
    description = models.TextField(_("description"), blank=True, max_length=4000)
    quantity = models.DecimalField(_("quantity"), max_digits=15, decimal_places=5, default=Decimal(1))
    unit_price = models.DecimalField(_("unit price"), max_digits=15, decimal_places=7, default=Decimal(0))
    taxable = models.BooleanField(_("taxable"), default=True)
    amount = models.DecimalField(_("amount"), max_digits=15, decimal_places=2, editable=False)

    class Meta:
        ordering = ["invoice_id", "position"]
        constraints = [models.UniqueConstraint(fields=["invoice", "position"], name="one_line_per_position")]

    def __str__(self) -> str:
        return self.description or self.item_name
