from django.apps import AppConfig


class QuickBooksConfig(AppConfig):
    """An app so that allauth's registry finds `provider.py`; it has no models."""

    name = "integrations.providers.quickbooks"
    label = "quickbooks"
    verbose_name = "QuickBooks"
