from django.apps import AppConfig


class OutlookCalendarConfig(AppConfig):
    """An app so that allauth's registry finds `provider.py`; it has no models."""

    name = "integrations.providers.outlook_calendar"
    label = "outlook_calendar"
    verbose_name = "Outlook"
