"""Intuit's review: technical and security requirements, and the questionnaire for production keys."""

import base64
import datetime as dt
import hashlib
import hmac
import json
from functools import partial

from django.conf import settings

from integrations.review import checks_of_access as access
from integrations.review import checks_of_answers as answers
from integrations.review import checks_of_attacks as attacks
from integrations.review import checks_of_books as books
from integrations.review import checks_of_keeping as keeping
from integrations.review import checks_of_pages as pages
from integrations.review.connecting import VendorSide
from integrations.review.probe import Probe
from integrations.review.questionnaire import INTUIT_ANSWERS
from integrations.review.seen import Unmet, expect
from integrations.review.table import ReviewTable, VendorPage

SIDE = VendorSide("quickbooks", "intuit", "QuickBooks", "9130001")
LOOKED_AT = dt.date(2026, 11, 23)
_PLACE = "https://developer.intuit.com/app/developer/qbo/docs/go-live/publish-app"
TECHNICAL = VendorPage("Technical requirements", f"{_PLACE}/technical-requirements", LOOKED_AT)
SECURITY = VendorPage("Security requirements", f"{_PLACE}/security-requirements", LOOKED_AT)
PLATFORM = VendorPage("Publishing requirements and guidelines", f"{_PLACE}/platform-requirements", LOOKED_AT)

table = ReviewTable("Intuit", answers=INTUIT_ANSWERS)
ask, operator, not_applicable = table.ask, table.operator, table.not_applicable


def webhooks_are_verified(probe: Probe) -> str:
    """Posts events as Intuit does: signed, unsigned, changed by one byte, and signed but of no known form."""
    if not settings.INTUIT_WEBHOOK_VERIFIERS:
        raise Unmet("INTUIT_WEBHOOK_VERIFIERS is not set, so there is no address for webhooks.")
    event = {"id": "review", "type": "qbo.invoice.updated.v1", "intuitaccountid": SIDE.account, "intuitentityid": "1"}
    body = json.dumps([event]).encode()
    for sent, signed, wanted in (
        (body, _signature(body), 200),
        (b"{", _signature(b"{"), 200),
        (body, "", 403),
        (body + b" ", _signature(body), 403),
    ):
        headers = {"Content-Type": "application/cloudevents+json", "intuit-signature": signed}
        answer = probe.ask("/push/intuit", "POST", data=sent, headers=headers)
        said = f"A webhook was answered with {answer.status_code}, not {wanted}."
        expect(answer.status_code == wanted and not answer.content and not answer.cookies, said)
    return "What is signed is taken in whatever form, what is not is refused; an event only says when to ask."


def _signature(body: bytes) -> str:
    digest = hmac.new(settings.INTUIT_WEBHOOK_VERIFIERS[0].encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


# --- Pages ----------------------------------------------------------------------------------------------------------
ask(
    "I5.1",
    "A public page says what is synced, in which direction, and why",
    TECHNICAL,
    partial(pages.home_page, side=SIDE),
)
ask(
    "G7",
    "Home page, privacy policy and terms on one host, without a login",
    PLATFORM,
    partial(pages.legal_pages, side=SIDE),
)
ask("I5.2", "The launch address leads to the sign-in and then to the first page", TECHNICAL, pages.launch_address)
ask("G6", "A way to reach support stands on every page, error page and mail", PLATFORM, pages.support_everywhere)
ask("Q11", "Customers can reach support from within the app", PLATFORM, pages.support_everywhere)
ask(
    "I1.1",
    "Connect is shown before and gone after, with Disconnect in its place",
    TECHNICAL,
    partial(pages.connect_control, side=SIDE),
)
ask(
    "I1.4",
    "QuickBooks and Intuit are named in full and in the right case",
    TECHNICAL,
    partial(pages.names_in_full, side=SIDE),
)
operator(
    "I1.2",
    "Newest Edge, Firefox and Chrome",
    TECHNICAL,
    "The suite drives Chromium. Walk through connect, sync and disconnect once in Firefox and in Edge.",
)
operator(
    "I1.3",
    "Intuit's own button and logo images",
    TECHNICAL,
    "The desk shows no image of Intuit's. Where you put their button, take it unchanged from Intuit's kit.",
)

# --- Server ---------------------------------------------------------------------------------------------------------
ask("G9", "Browsers are told to come by https alone, for a year", SECURITY, answers.strict_transport)
ask("G3", "No caching of pages and answers with customers' data", SECURITY, answers.nothing_is_kept)
ask("S1", "no-cache and no-store on every page with sensitive data", SECURITY, answers.nothing_is_kept)
ask("S3", "TRACE and other methods that are not used are off", SECURITY, answers.unused_methods)
ask("S5.csrf", "No cross-site request forgery", SECURITY, attacks.forged_forms)
ask("S5.xss", "No stored or reflected cross-site scripting", SECURITY, attacks.scripts_in_names)
ask("S5.injection", "No injection into SQL or spreadsheets", SECURITY, attacks.injections)
ask("S5.access", "Access control: companies, scopes, logins", SECURITY, attacks.foreign_records)
ask("S5.redirect", "Redirects are validated", SECURITY, attacks.foreign_redirects)
ask("S5.consent", "Forged consents change nothing", SECURITY, partial(attacks.forged_consent, side=SIDE))
ask("S6", "Session cookies are Secure, HttpOnly and SameSite", SECURITY, answers.session_cookies)
ask(
    "S9",
    "Addresses that receive codes answer 302 and show no page",
    SECURITY,
    partial(answers.callbacks_show_no_page, side=SIDE),
)
ask("S12", "Security patches: what is installed is what is pinned and audited", SECURITY, keeping.packages_as_pinned)
ask("S13", "Passwords of eight characters and more, hashed", SECURITY, keeping.passwords_are_hashed)
operator(
    "S2",
    "https only, TLS 1.2 or newer",
    SECURITY,
    "At your proxy (docs/operating.md, Behind a proxy): `openssl s_client -tls1_1` must be refused, http led to https.",
)
operator(
    "S12.audit", "Known holes in packages", SECURITY, "Run scripts/audit where pypi.org is reached; add what it says."
)
operator(
    "S14",
    "A breach is told to Intuit within a day",
    SECURITY,
    "Have a page with Intuit's address and who calls whom; audit trail and log tell whose data it was.",
)

# --- The way data goes ----------------------------------------------------------------------------------------------
ask("Q1", "Connect, disconnect and reconnect were tested", PLATFORM, partial(access.three_times, side=SIDE))
ask(
    "I2.1",
    "Data moves by API calls alone, and what appears there appears here",
    TECHNICAL,
    partial(books.moves_by_api, side=SIDE),
)
ask(
    "I2.2",
    "The connection survives signing out and another browser",
    TECHNICAL,
    partial(access.survives_signing_out, side=SIDE),
)
ask("I2.3", "Disconnecting here revokes the tokens there", TECHNICAL, partial(access.revoked_there, side=SIDE))
ask("Q2", "A token is renewed only when it ends", PLATFORM, partial(access.renewed_when_ended, side=SIDE))
ask(
    "Q3",
    "A renewal that fails is tried again; people are asked to reconnect",
    PLATFORM,
    partial(access.renewal_is_tried_again, side=SIDE),
)
ask(
    "Q4",
    "Endpoints come from the discovery document",
    PLATFORM,
    partial(access.asked_for_endpoints, side=SIDE, document=r"\.well-known/openid"),
)
ask(
    "G8",
    "Endpoints come from the discovery document, with the settings as fallback",
    PLATFORM,
    partial(access.asked_for_endpoints, side=SIDE, document=r"\.well-known/openid"),
)
ask(
    "Q5",
    "Expired access, expired refresh, invalid grant and CSRF are each handled",
    PLATFORM,
    partial(access.every_end_is_handled, side=SIDE),
)
ask("Q6", "The company changes its plan, and features vanish", PLATFORM, partial(books.plan_changes, side=SIDE))
ask("G4", "Changes are asked for sparingly", PLATFORM, partial(books.few_reads_at_rest, side=SIDE))
ask("Q8", "Webhooks are verified, and answered at once", PLATFORM, webhooks_are_verified)
ask("Q9", "Syntax and validation errors are handled", PLATFORM, partial(books.refusals_have_a_way_out, side=SIDE))
ask("G13", "intuit_tid is captured with each call", PLATFORM, partial(books.calls_are_named, side=SIDE))
ask("Q10", "Logs with intuit_tid can be shared", PLATFORM, partial(books.calls_are_named, side=SIDE))
ask("G10", "The end of a consent is known and told", PLATFORM, partial(access.end_of_consent_told, side=SIDE))
ask("G1", "A landing page for whoever disconnects at Intuit", TECHNICAL, partial(pages.disconnect_page, side=SIDE))
ask(
    "I4.4/5.3",
    "Disconnected there: landing page, Reconnect, dead tokens",
    TECHNICAL,
    partial(pages.disconnect_page, side=SIDE),
)
not_applicable("I6", "Several companies of one user", TECHNICAL, "A company of FieldCamp has one company's books.")
not_applicable("I3", "Sign in with Intuit", TECHNICAL, "It is not offered: an account at a vendor is no login here.")

# --- Secrets --------------------------------------------------------------------------------------------------------
ask("G2", "Realm id and tokens are encrypted at rest", SECURITY, partial(keeping.unreadable_at_rest, side=SIDE))
ask("S8", "Tokens encrypted with a key in another place", SECURITY, partial(keeping.tokens_at_rest, side=SIDE))
ask("S4", "No credentials and no QuickBooks data in logs", SECURITY, partial(keeping.nothing_in_logs, side=SIDE))
ask("S7", "Tokens are never shown", SECURITY, partial(keeping.nothing_shown, side=SIDE))
ask("Q12", "Ids and secrets of the app are in no page", PLATFORM, partial(keeping.nothing_shown, side=SIDE))
ask("S10", "QuickBooks data is given to nobody else by API", SECURITY, partial(books.keys_bound_to_company, side=SIDE))
ask(
    "S11",
    "Data is kept for the function only and can be deleted",
    SECURITY,
    partial(keeping.gone_after_disconnect, side=SIDE),
)
ask("G5", "A second step at the sign-in", PLATFORM, access.second_factor)
operator(
    "Q14",
    "Users are told of outages",
    PLATFORM,
    "Watch /readyz from outside and publish its history; docs/operating.md, Health.",
)
operator(
    "I.portal",
    "Addresses in the portal",
    TECHNICAL,
    "Launch URL PUBLIC_URL/admin/, Disconnect URL PUBLIC_URL/disconnected/quickbooks, End-user license agreement "
    "PUBLIC_URL/terms, privacy policy PUBLIC_URL/privacy, redirect address as `manage.py doctor` prints it.",
)
