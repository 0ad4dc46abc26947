"""The providers: a literal dict. Adding one is a folder here and a line below (CONTRIBUTING.md)."""

from integrations.providers.base import Provider
from integrations.providers.google_calendar import GOOGLE_CALENDAR
from integrations.providers.outlook_calendar import OUTLOOK_CALENDAR
from integrations.providers.quickbooks import QUICKBOOKS

PROVIDERS: dict[str, Provider] = {
    GOOGLE_CALENDAR.name: GOOGLE_CALENDAR,
    OUTLOOK_CALENDAR.name: OUTLOOK_CALENDAR,
    QUICKBOOKS.name: QUICKBOOKS,
}
BY_SLUG: dict[str, Provider] = {provider.slug: provider for provider in PROVIDERS.values()}
