"""Payments, and which invoices they pay."""

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from fieldcamp.ids import PrefixedIdField
from fieldcamp.workspace.models.invoices import Invoice
from fieldcamp.workspace.models.people import Client, Workspace
from fieldcamp.workspace.totals import ZERO
from fieldcamp.workspace.tracking import TrackedModel, list_indexes


class PaymentMethod(models.TextChoices):
    CARD = "card", _("Card")
    CASH = "cash", _("Cash")
    CHECK = "check", _("Check")
    BANK_TRANSFER = "bank_transfer", _("Bank transfer")
    OTHER = "other", _("Other")


class Payment(TrackedModel):
    """Money of a client. What is not allocated to invoices stays unapplied.

    In the books credits may be applied together with it, or with no money at all (`credited`), and a part of it may be
    used for what FieldCamp does not have, such as a refund (`elsewhere`): FieldCamp reads these only.
    """

    kind = "payment"
    tracked = (
        "client_id", "amount", "credited", "elsewhere", "date", "method", "reference", "notes", "allocations_digest",
        "voided_at", "deleted_at",
    )  # fmt: skip

    id = PrefixedIdField("pay", verbose_name=_("id"))
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="payments")
    client = models.ForeignKey(Client, models.PROTECT, verbose_name=_("client"), related_name="payments")
    amount = models.DecimalField(_("amount"), max_digits=15, decimal_places=2)
    date = models.DateField(_("date"))
    method = models.CharField(_("method"), max_length=13, choices=PaymentMethod, default=PaymentMethod.OTHER)
    reference = models.CharField(_("reference"), max_length=21, blank=True)  # QuickBooks' PaymentRefNum has no more
    notes = models.TextField(_("notes"), blank=True, max_length=1000)
    made_in = models.CharField(
        _("made in"), max_length=20, blank=True, editable=False, help_text=_("Empty: FieldCamp.")
    )
    credited = models.DecimalField(
        _("credit applied in the books"), max_digits=15, decimal_places=2, default=ZERO, editable=False
    )
    elsewhere = models.DecimalField(
        _("used otherwise in the books"), max_digits=15, decimal_places=2, default=ZERO, editable=False
    )
    voided_at = models.DateTimeField(_("voided at"), null=True, blank=True, editable=False)
    allocations_digest = models.CharField(max_length=16, editable=False)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["id"]
        indexes = list_indexes("payment")

    def __str__(self) -> str:
        day = formats.day(self.date)
        if self.is_credit:
            return gettext("Credit of {amount}, applied on {day}").format(amount=formats.money(self.credited), day=day)
        return gettext("{amount} on {day}").format(amount=formats.money(self.amount), day=day)

    @property
    def is_credit(self) -> bool:
        """Returns whether it is no money at all: it only applies credits to invoices."""
        return bool(self.credited) and not self.amount

    @property
    def applicable(self) -> Decimal:
        """Returns what invoices may take of it in all."""
        return self.amount + self.credited - self.elsewhere

    @property
    def unapplied(self) -> Decimal:
        """Returns what no invoice has taken."""
        return max(self.applicable - sum((row.amount for row in self.allocations.all()), ZERO), ZERO)


class PaymentAllocation(models.Model):
    id = models.BigAutoField(primary_key=True)
    payment = models.ForeignKey(Payment, models.CASCADE, verbose_name=_("payment"), related_name="allocations")
    invoice = models.ForeignKey(Invoice, models.PROTECT, verbose_name=_("invoice"), related_name="allocations")
    amount = models.DecimalField(_("amount"), max_digits=15, decimal_places=2)

    class Meta:
        ordering = ["payment_id", "id"]
        constraints = [models.UniqueConstraint(fields=["payment", "invoice"], name="one_allocation_per_invoice")]

    def __str__(self) -> str:
        return gettext("{amount} of {invoice}").format(amount=formats.money(self.amount), invoice=self.invoice)
