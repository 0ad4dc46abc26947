"""What people are told of Google Calendar before they connect it; each use belongs to a scope that is asked for."""

from integrations.providers.base import DataUse, Disclosure
from integrations.providers.calendars import CALENDAR_USES

DISCLOSURE = Disclosure(
    vendor="Google",
    uses=(
        DataUse("The account's e-mail address", "to show whose account is connected", reads=True),
        *CALENDAR_USES,
    ),
    ended_there="in the Google account itself, at https://myaccount.google.com/connections",
    pledge="FieldCamp's use and transfer to any other app of information received from Google APIs will adhere to the "
    "Google API Services User Data Policy, including the Limited Use requirements.",
    policy_url="https://developers.google.com/terms/api-services-user-data-policy",
)
