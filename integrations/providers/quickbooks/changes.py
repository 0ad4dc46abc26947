"""What Intuit has announced for QuickBooks Online."""

from datetime import date

from integrations.providers.changes import Concerns, VendorChange

NOTES = "https://developer.intuit.com/app/developer/qbo/docs/release-notes"
BLOG = "https://blogs.intuit.com/category/developer/"
READ = date(2026, 11, 22)

CHANGES = (
    VendorChange(
        on=date(2025, 8, 1),
        what="The field `source` of records is gone.",
        here="It was never read.",
        page=NOTES,
        read=READ,
    ),
    VendorChange(
        on=date(2026, 1, 1),
        what="An app's settings must name a Reconnect URL.",
        here="PUBLIC_URL/admin/ is the address for it.",
        page=BLOG,
        read=READ,
        concerns=Concerns.APP,
        todo="Enter PUBLIC_URL/admin/ as the app's Reconnect URL.",
    ),
    VendorChange(
        on=date(2026, 7, 31),
        what="Webhooks are sent as CloudEvents only.",
        here="They are read, and so is the body before them. They only say when to ask for changes.",
        page=BLOG,
        read=READ,
    ),
    VendorChange(
        on=date(2027, 2, 1),
        what="Grants of restricted scopes begin to end five years after they were given.",
        here="No restricted scope is asked for.",
        page=BLOG,
        read=READ,
    ),
    VendorChange(
        on=date(2028, 10, 1),
        what="Grants of the accounting scope begin to end five years after they were given, whatever is done.",
        here="The day is read with each token; owners get mails 60, 14 and 3 days ahead of it.",
        page=BLOG,
        read=READ,
        concerns=Concerns.ACCOUNTS,
        todo="Expect companies that were connected five years before to connect again.",
    ),
)
