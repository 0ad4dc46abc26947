"""Microsoft's review: publisher verification and the integration checklist."""

import datetime as dt
from functools import partial

from integrations.review import checks_of_access as access
from integrations.review import checks_of_answers as answers
from integrations.review import checks_of_attacks as attacks
from integrations.review import checks_of_calendars as calendars
from integrations.review import checks_of_keeping as keeping
from integrations.review import checks_of_pages as pages
from integrations.review.connecting import VendorSide
from integrations.review.table import ReviewTable, VendorPage

SIDE = VendorSide("outlook-calendar", "microsoft", "Outlook", "dana@outlook.test", "Dana")
LEE = VendorSide("outlook-calendar", "microsoft", "Outlook", "lee@outlook.test", "Lee")
SCOPES = ("offline_access", "User.Read", "Calendars.ReadWrite")
LOOKED_AT = dt.date(2026, 11, 23)
_PLACE = "https://learn.microsoft.com/en-us/entra/identity-platform"
CHECKLIST = VendorPage("Integration checklist", f"{_PLACE}/identity-platform-integration-checklist", LOOKED_AT)
PUBLISHER = VendorPage("Publisher verification", f"{_PLACE}/publisher-verification-overview", LOOKED_AT)
CERTIFICATES = VendorPage("Certificate credentials", f"{_PLACE}/certificate-credentials", LOOKED_AT)

table = ReviewTable("Microsoft")
ask, operator = table.ask, table.operator

ask("M2", "Terms and privacy policy for the consent page", CHECKLIST, partial(pages.legal_pages, side=SIDE))
ask("G6", "A way to reach support", CHECKLIST, pages.support_everywhere)
ask("G9", "https alone", CHECKLIST, answers.strict_transport)
ask("G3", "No caching of pages with users' data", CHECKLIST, answers.nothing_is_kept)
ask("M3", "Exact redirect addresses by https", CHECKLIST, partial(access.consent_address, side=SIDE, scopes=SCOPES))
ask("M4", "No implicit flow, no password grant; PKCE", CHECKLIST, partial(access.proof_of_key, side=SIDE))
ask("M6", "The least permissions", CHECKLIST, partial(access.consent_address, side=SIDE, scopes=SCOPES))
ask(
    "M6.admin",
    "An administrator's consent is offered where it is needed",
    CHECKLIST,
    partial(calendars.administrators_consent, side=SIDE),
)
ask("M7", "Access tokens are never parsed", CHECKLIST, partial(access.tokens_are_opaque, side=SIDE))
ask(
    "M8",
    "Consent is asked for again only when scopes have grown",
    CHECKLIST,
    partial(calendars.no_second_consent, side=SIDE),
)
ask(
    "M10",
    "One store of tokens for each account",
    CHECKLIST,
    partial(calendars.accounts_never_mix, side=SIDE, other=LEE),
)
ask("M5", "A certificate instead of a client secret", CERTIFICATES, partial(calendars.certificate_used, side=SIDE))
ask("G12", "A certificate instead of a client secret", CERTIFICATES, partial(calendars.certificate_used, side=SIDE))
ask(
    "G8",
    "Endpoints come from the discovery document",
    CHECKLIST,
    partial(access.asked_for_endpoints, side=SIDE, document=r"\.well-known/openid"),
)
ask("G10", "The end of a consent is known and told", CHECKLIST, partial(access.end_of_consent_told, side=SIDE))
ask(
    "G1",
    "A landing page for whoever removes the app at Microsoft",
    CHECKLIST,
    partial(pages.disconnect_page, side=SIDE),
)
ask("G2", "Account ids and tokens are encrypted at rest", CHECKLIST, partial(keeping.unreadable_at_rest, side=SIDE))
ask("S4", "No tokens and no users' data in logs", CHECKLIST, partial(keeping.nothing_in_logs, side=SIDE))
ask("S5", "Forged consents change nothing", CHECKLIST, partial(attacks.forged_consent, side=SIDE))
ask(
    "S9", "Codes in addresses are followed by a redirect", CHECKLIST, partial(answers.callbacks_show_no_page, side=SIDE)
)
ask("S11", "Tokens are deleted when they are not needed", CHECKLIST, partial(keeping.gone_after_disconnect, side=SIDE))

operator(
    "M1",
    "A verified publisher",
    PUBLISHER,
    "A partner account with a work account and a second factor, and the app's publisher domain that of "
    "PUBLIC_URL. Until then people of most organizations cannot consent (AADSTS90094).",
)
operator(
    "M2.portal",
    "Name, logo, terms and privacy on the consent page",
    CHECKLIST,
    "Branding: PUBLIC_URL, PUBLIC_URL/terms, PUBLIC_URL/privacy, a logo of your own.",
)
operator(
    "M3.portal",
    "Unused redirect addresses are gone",
    CHECKLIST,
    "Leave the one address that row M3 shows in the registration, and no wildcard.",
)
operator(
    "M9",
    "Conditional Access, guests and national clouds",
    CHECKLIST,
    "Try an account of each kind that your customers have.",
)
