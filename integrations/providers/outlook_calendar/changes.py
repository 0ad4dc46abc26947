"""What Microsoft has announced, or does without having announced it, for calendars in Graph."""

from datetime import date

from integrations.providers.changes import VendorChange

CHANGES = (
    VendorChange(
        on=date(2026, 3, 1),
        what="Listings of changes may show one page for ever, and pages longer than asked for, in mailboxes with many "
        "series (reported, a service issue).",
        here="A list that does not get on is ended after a few pages, told of, and begun anew by other pages.",
        page="https://github.com/microsoftgraph/msgraph-sdk-dotnet/issues/3082",
        read=date(2026, 11, 22),
    ),
)
