"""What a person has chosen for the books of one company."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class BooksSettings(models.Model):
    """One connected company. `company` is what the provider last said of it (`records.Company`, as JSON)."""

    connection = models.OneToOneField("integrations.Connection", models.CASCADE, related_name="books")
    income_account_id = models.CharField(max_length=64, blank=True)
    income_account_name = models.CharField(max_length=255, blank=True)
    default_item_id = models.CharField(max_length=64, blank=True, help_text=_("For invoice lines without an item."))
    default_item_name = models.CharField(max_length=255, blank=True)
    class_id = models.CharField(max_length=64, blank=True, help_text=_("For new invoices, as are location and terms."))
    class_name = models.CharField(max_length=255, blank=True)
    location_id = models.CharField(max_length=64, blank=True)
    location_name = models.CharField(max_length=255, blank=True)
    terms_id = models.CharField(max_length=64, blank=True)
    terms_name = models.CharField(max_length=255, blank=True)
    import_customers = models.BooleanField(default=True)
    import_items = models.BooleanField(default=True)
    invoices_from = models.DateField(null=True, blank=True, help_text=_("Earlier invoices are not posted."))
    company = models.JSONField(default=dict)
    refreshed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("books settings")

    def __str__(self) -> str:
        return f"books of {self.connection_id}"
