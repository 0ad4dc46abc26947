"""What people are told of Outlook and Microsoft 365 before they connect it."""

from integrations.providers.base import DataUse, Disclosure

DISCLOSURE = Disclosure(
    vendor="Microsoft",
    uses=(
        DataUse("The account's name and e-mail address", "to show whose account is connected", reads=True),
        DataUse(
            "The list of the account's calendars",
            "to let the person choose where visits go and which calendars block their time",
            reads=True,
        ),
        DataUse(
            "Events of visits: title, text, place and time",
            "to show technicians their visits, and to move a visit when its event is moved",
            reads=True,
            writes=True,
        ),
        DataUse(
            "When other events of the chosen calendars begin and end, and whether they block time",
            "to plan nobody's visit into their private time; titles, texts, places and guests are not kept",
            reads=True,
        ),
    ),
    ended_there="at Microsoft: a work account at https://myapps.microsoft.com, a personal one at "
    "https://account.live.com/consent/Manage",
)
