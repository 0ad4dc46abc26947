"""Xero's review: the security standard as far as it can be asked; what is about the connection is not built yet."""

import datetime as dt

from integrations.review import checks_of_access as access
from integrations.review import checks_of_answers as answers
from integrations.review import checks_of_keeping as keeping
from integrations.review import checks_of_pages as pages
from integrations.review.intuit import SIDE
from integrations.review.table import ReviewTable, VendorPage

LOOKED_AT = dt.date(2026, 10, 1)
NOT_BUILT = "Not built yet: FieldCamp does not connect to Xero."
CHECKPOINTS = VendorPage(
    "Certification checkpoints",
    "https://developer.xero.com/documentation/xero-app-store/app-partner-guides/",
    LOOKED_AT,
)
STANDARD = VendorPage(
    "Security standard", "https://developer.xero.com/documentation/guides/oauth2/security-standard", LOOKED_AT
)

table = ReviewTable("Xero")
ask = table.ask

for _id, _requirement in (
    ("X1", "Settings page; disconnecting ends the connection at Xero"),
    ("X2", "A disconnection at Xero is noticed"),
    ("X3", "One or several organisations"),
    ("X4", "Name and buttons"),
    ("X5", "Granular scopes"),
    ("X6", "Errors are shown to the user"),
    ("X7", "Only active accounts and contacts"),
    ("X8", "Accounts are chosen by the user"),
    ("X9", "Taxes are mapped to rates that exist"),
    ("X10", "If-Modified-Since, paging, webhooks"),
    ("X11", "Limits of calls"),
    ("X12", "Sign-up flow"),
    ("X13", "Launcher address"),
):
    table.not_applicable(_id, _requirement, CHECKPOINTS, NOT_BUILT)


@table.row("XS.tokens", "Tokens are encrypted at rest, the key in another place", STANDARD)
def tokens(probe: object) -> str:
    """Asks for the tokens of the books that are there already: all providers share the store."""
    return keeping.tokens_at_rest(probe, SIDE)  # type: ignore[arg-type]


@table.row("XS.redirect", "Codes in addresses are followed by a redirect", STANDARD)
def redirect(probe: object) -> str:
    """Asks the callback of the books that are there already: all providers share its way."""
    return answers.callbacks_show_no_page(probe, SIDE)  # type: ignore[arg-type]


ask("XS.two-step", "A second step at the sign-in", STANDARD, access.second_factor)
ask("XS.audit", "An audit log of a year that cannot be altered unseen", STANDARD, keeping.audit_trail_holds)
ask("XS.transport", "https alone", STANDARD, answers.strict_transport)
ask("XS.caching", "Nothing is kept on the way", STANDARD, answers.nothing_is_kept)
ask("XS.cookies", "Session cookies", STANDARD, answers.session_cookies)
ask("XS.methods", "Methods that nobody uses are off", STANDARD, answers.unused_methods)
ask("XS.passwords", "Passwords are hashed", STANDARD, keeping.passwords_are_hashed)
ask("XS.patches", "Packages are as pinned", STANDARD, keeping.packages_as_pinned)
ask("XS.support", "A way to reach support", STANDARD, pages.support_everywhere)
table.operator(
    "XS.third-parties", "Third parties are named", STANDARD, "OPERATOR_PROCESSORS names them on the privacy policy."
)
table.operator("XS.disk", "Encryption at rest", STANDARD, "Encrypt the disks of the database and of its backups.")
table.operator("XS.breach", "A breach is told within a day", STANDARD, "Have a page with Xero's address and who calls.")
table.not_applicable("XT", "No training of models on data of the API", STANDARD, "No data is passed to a model.")
