"""What people are told of Google Calendar before they connect it; each use belongs to a scope that is asked for."""

from integrations.providers.base import DataUse, Disclosure

DISCLOSURE = Disclosure(
    vendor="Google",
    uses=(
        DataUse("The account's e-mail address", "to show whose account is connected", reads=True),
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
    ended_there="in the Google account itself, at https://myaccount.google.com/connections",
    pledge="FieldCamp's use and transfer to any other app of information received from Google APIs will adhere to the "
    "Google API Services User Data Policy, including the Limited Use requirements.",
    policy_url="https://developers.google.com/terms/api-services-user-data-policy",
)
