"""The price book: products and services, and the tax rates."""

import datetime as dt
from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from fieldcamp.ids import PrefixedIdField
from fieldcamp.money import plain
from fieldcamp.workspace.models.people import Workspace
from fieldcamp.workspace.tracking import TrackedModel, list_indexes


class ItemType(models.TextChoices):
    SERVICE = "service", _("Service")
    PRODUCT = "product", _("Product")


class Item(TrackedModel):
    """Something that is sold. `price` is per unit, before tax."""

    kind = "item"
    tracked = ("name", "description", "price", "sku", "type", "taxable", "is_active", "deleted_at")

    id = PrefixedIdField("itm", verbose_name=_("id"))
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="items")
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True, max_length=4000)
    price = models.DecimalField(_("price"), max_digits=15, decimal_places=7, default=Decimal(0))
    sku = models.CharField(_("SKU"), max_length=100, blank=True)
    type = models.CharField(_("type"), max_length=10, choices=ItemType, default=ItemType.SERVICE)
    taxable = models.BooleanField(_("taxable"), default=True)
    is_active = models.BooleanField(_("is active"), default=True)

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        ordering = ["id"]
        indexes = list_indexes("item")

    def __str__(self) -> str:
        return self.name


class TaxRate(TrackedModel):
    """A tax of one rate, or of several that are stacked and rounded one by one.

    `rate` is a fraction (0.08 is 8 %) and the sum of `components`, [{"name", "rate"}] with rates as texts. Where it is
    known since when a tax has been what, `history` has it: [{"from", "components"}], the earliest first, each until
    the next begins. Days are texts.
    """

    kind = "tax"
    tracked = ("name", "rate", "components", "history", "is_active", "deleted_at")
    told = ("description",)

    id = PrefixedIdField("tax", verbose_name=_("id"))
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="tax_rates")
    name = models.CharField(_("name"), max_length=100)
    rate = models.DecimalField(_("rate"), max_digits=9, decimal_places=6, help_text=_("A fraction: 0.08 is 8 %."))
    components = models.JSONField(
        _("components"), default=list, blank=True, help_text=_("name and rate of each; empty: one rate")
    )
    history = models.JSONField(_("history"), default=list, blank=True, editable=False)
    description = models.CharField(_("description"), max_length=100, blank=True)
    is_active = models.BooleanField(_("is active"), default=True)

    class Meta:
        verbose_name = _("tax rate")
        verbose_name_plural = _("tax rates")
        ordering = ["id"]
        indexes = list_indexes("tax")

    def __str__(self) -> str:
        return self.name

    def parts_on(self, day: dt.date) -> list[dict[str, str]]:
        """Returns what the tax consists of on a day, [{"name", "rate"}]: each part is rounded by itself."""
        begun = [period["components"] for period in self.history if period["from"] <= day.isoformat()]
        return (begun[-1] if begun else self.components) or [{"name": self.name, "rate": plain(self.rate)}]
