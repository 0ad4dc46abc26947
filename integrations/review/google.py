"""Google's review: the brand, sensitive scopes, and the OAuth 2.0 policies."""

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

SIDE = VendorSide("google-calendar", "google", "Google Calendar", "dana@google.test", "Dana")
EVENTS = "https://www.googleapis.com/auth/calendar.events"
LIST = "https://www.googleapis.com/auth/calendar.calendarlist.readonly"
LOOKED_AT = dt.date(2026, 11, 23)
VERIFICATION = VendorPage(
    "OAuth App Verification Help Center", "https://support.google.com/cloud/answer/13464321", LOOKED_AT
)
POLICIES = VendorPage(
    "OAuth 2.0 Policies", "https://developers.google.com/identity/protocols/oauth2/policies", LOOKED_AT
)
PROTECTION = VendorPage("Cross-Account Protection", "https://developers.google.com/identity/protocols/risc", LOOKED_AT)
QUOTAS = VendorPage(
    "Calendar API: quotas", "https://developers.google.com/workspace/calendar/api/guides/quotas", LOOKED_AT
)

table = ReviewTable("Google")
ask, operator = table.ask, table.operator

ask(
    "O1",
    "A home page that describes the app and links the privacy policy",
    VERIFICATION,
    partial(pages.home_page, side=SIDE),
)
ask(
    "O2",
    "A privacy policy on the same host, linked before connecting",
    VERIFICATION,
    partial(pages.privacy_policy, side=SIDE),
)
ask("O2.limited-use", "Google's limited-use sentence", VERIFICATION, pages.limited_use)
ask(
    "G7",
    "Home page, privacy policy and terms on one host, without a login",
    VERIFICATION,
    partial(pages.legal_pages, side=SIDE),
)
ask("G6", "A way to reach support", VERIFICATION, pages.support_everywhere)
ask("G9", "https alone", POLICIES, answers.strict_transport)
ask("G3", "No caching of pages with users' data", POLICIES, answers.nothing_is_kept)
ask(
    "O3",
    "The narrowest scopes, none for later",
    POLICIES,
    partial(access.consent_address, side=SIDE, scopes=("openid", "email", EVENTS, LIST)),
)
ask("O3.reasons", "A reason for each scope", VERIFICATION, partial(calendars.scopes_have_reasons, side=SIDE))
ask(
    "O4",
    "Granular consent: a scope that is not ticked",
    POLICIES,
    partial(access.box_left_empty, side=SIDE, kept=f"openid email {LIST}", lost="calendar.events"),
)
ask(
    "O4.list",
    "Granular consent: the list of calendars not ticked",
    POLICIES,
    partial(access.box_left_empty, side=SIDE, kept=f"openid email {EVENTS}", lost="calendar.calendarlist.readonly"),
)
ask("O5", "Tokens are revoked when they are not needed", POLICIES, partial(access.revoked_there, side=SIDE))
ask(
    "O5.deleted",
    "Tokens are deleted when they are not needed",
    POLICIES,
    partial(keeping.gone_after_disconnect, side=SIDE),
)
ask("O6", "The end of tokens is handled", POLICIES, partial(access.renewal_is_tried_again, side=SIDE))
ask("G1", "A landing page for whoever removes the app at Google", POLICIES, partial(pages.disconnect_page, side=SIDE))
ask("G10", "The end of a consent is known and told", POLICIES, partial(access.end_of_consent_told, side=SIDE))
ask(
    "G11",
    "Cross-Account Protection: forged events are refused",
    PROTECTION,
    partial(calendars.forged_events, side=SIDE),
)
ask("O7", "Private events are read by nobody", VERIFICATION, partial(calendars.private_titles, side=SIDE))
ask(
    "G8",
    "Endpoints come from the discovery document",
    POLICIES,
    partial(access.asked_for_endpoints, side=SIDE, document=r"\.well-known/openid"),
)
ask("G2", "Account ids and tokens are encrypted at rest", POLICIES, partial(keeping.unreadable_at_rest, side=SIDE))
ask("S4", "No tokens and no users' data in logs", POLICIES, partial(keeping.nothing_in_logs, side=SIDE))
ask("S9", "Codes in addresses are followed by a redirect", POLICIES, partial(answers.callbacks_show_no_page, side=SIDE))
ask("S5", "Forged consents change nothing", POLICIES, partial(attacks.forged_consent, side=SIDE))
ask("G5", "A second step at the sign-in", POLICIES, access.second_factor)

operator(
    "O1.domain",
    "The domain is verified",
    VERIFICATION,
    "Verify the domain of PUBLIC_URL in Search Console with an owner of the project.",
)
operator(
    "O8",
    "Separate projects for tests and production",
    POLICIES,
    "Two projects; publish the production one. `manage.py doctor` says when it is still in Testing.",
)
operator(
    "O9",
    "A video of the whole flow",
    VERIFICATION,
    "Record: home page, Connect, the consent page in English with the client id in its address, choosing a "
    "calendar, a visit that appears, an event that is moved, Disconnect.",
)
table.not_applicable(
    "O10",
    "Passing data to AI models needs consent",
    VERIFICATION,
    "No data of connected accounts is passed to a model.",
)
operator("O11", "Quota tier", QUOTAS, "Enrol the project in a tier (docs/operating.md); calls a day are in /metrics.")
