from django.apps import AppConfig


class GoogleCalendarConfig(AppConfig):
    """An app so that allauth's registry finds `provider.py`; it has no models."""

    name = "integrations.providers.google_calendar"
    label = "google_calendar"
    verbose_name = "Google Calendar"
