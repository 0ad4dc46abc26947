"""What people are told of Outlook and Microsoft 365 before they connect it."""

from integrations.providers.base import DataUse, Disclosure
from integrations.providers.calendars import CALENDAR_USES

DISCLOSURE = Disclosure(
    vendor="Microsoft",
    uses=(
        DataUse("The account's name and e-mail address", "to show whose account is connected", reads=True),
        *CALENDAR_USES,
    ),
    ended_there="at Microsoft: a work account at https://myapps.microsoft.com, a personal one at "
    "https://account.live.com/consent/Manage",
)
