"""How connecting may end, row by row: the page says what happened and who can mend it, and offers what can help; with
an account that stands still it stays said, on the first screen as well."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from fieldcamp.workspace.models import AuditEntry
from integrations.models import Connection, ConnectionState
from integrations.providers import PROVIDERS
from integrations.providers.refusals import ConsentEnd, known_codes

# What each page says, whether and how it offers to try again, and its status.
PAGES = {
    ConsentEnd.CANCELLED: ("access was refused", "Try again", 200),
    ConsentEnd.ADMINISTRATORS: ("only an administrator may allow", "Try again after that", 200),
    ConsentEnd.BLOCKED: ("Trying again helps only after that", "Try again after that", 200),
    ConsentEnd.ANOTHER_ACCOUNT: ("this account cannot be used", "Choose another account", 200),
    ConsentEnd.MISCONFIGURED: ("cannot be connected yet", "", 503),
    ConsentEnd.UNAVAILABLE: ("did not answer", "Try again", 200),
    ConsentEnd.FAILED: ("ended the sign-in with an error", "Try again", 200),
}
KEPT = {
    "server_error": "did not answer. Try it again later",
    "access_denied": "was not allowed at",
    "invalid_scope": "The request was not one that the vendor takes",
    "admin_policy_enforced": "under Security, Access and data control, API controls",
    "AADSTS90094": "only an administrator may allow FieldCamp",
    "AADSTS50105": "lets only chosen people use FieldCamp",
}


def rows(provider) -> Iterator[tuple[str, dict[str, str], ConsentEnd]]:
    """Every code of the vendor, as it comes back, and some that nobody has heard of."""
    for code, refusal in known_codes(provider.authentication.refusals).items():
        own = code.startswith("AADSTS")
        query = {"error": "invalid_request", "error_description": f"{code}: words"} if own else {"error": code}
        yield code, query, refusal.end
    yield "new", {"error": "something_new", "error_description": "AADSTS99999: <b>words</b>"}, ConsentEnd.FAILED


def refused(desk, callback: str, query: dict[str, str], connection: str = ""):
    start = desk.start(**({"connection": connection} if connection else {}))
    state = parse_qs(urlsplit(start).query)["state"][0]
    return desk.come_back(f"{callback}?{urlencode({**query, 'state': state})}")


@pytest.fixture
def callback(provider) -> str:
    return f"/accounts/{provider.slug}/login/callback/"


@pytest.fixture
def provider(vendor):
    names = {"google": "google_calendar", "microsoft": "outlook_calendar", "intuit": "quickbooks"}
    return PROVIDERS[names[vendor]]


@pytest.mark.parametrize("vendor", ["google", "microsoft", "intuit"])
def test_every_refusal_says_who_can_mend_it(desk, provider, callback):
    for code, query, end in rows(provider):
        words, button, status = PAGES[end]
        response = refused(desk, callback, query)
        page = response.content.decode()
        assert response.status_code == status, code
        assert words in page and "Nothing has changed" in page, code
        assert (button in page) if button else ("<form" not in page), code
        assert "AADSTS" not in page and "<b>words" not in page, code
        sentence = known_codes(provider.authentication.refusals).get(code)
        if sentence and sentence.sentence:
            assert sentence.sentence.replace("'", "&#x27;") in page, code
    assert not Connection.objects.exists() and not AuditEntry.objects.filter(action__endswith="consent_failed").exists()


@pytest.mark.parametrize("vendor", ["google", "microsoft"])
def test_it_stays_with_an_account_that_stands_still_until_it_is_mended(desk, provider, callback):
    desk.consent()
    account = Connection.objects.get()
    refused(desk, callback, {"error": "access_denied"}, account.pk)
    mine = Connection.objects.filter(pk=account.pk)
    mine.update(state=ConnectionState.ACTIVE, state_reason="")
    refused(desk, callback, {"error": "access_denied"}, account.pk)
    assert mine.get().state_reason == ""  # it works: nothing is to be said
    known = known_codes(provider.authentication.refusals)
    for code, words in KEPT.items():
        if code not in known:
            continue
        mine.update(state=ConnectionState.NEEDS_RECONNECT, state_reason="The access was withdrawn.")
        described = {"error": "access_denied", "error_description": f"{code}: x"}
        refused(desk, callback, described if code.startswith("AADSTS") else {"error": code}, account.pk)
        for address in ("/admin/", f"/admin/integrations/connection/{account.pk}/change/"):
            assert words in desk.get(address).content.decode().replace("&#x27;", "'"), (code, address)
    assert AuditEntry.objects.filter(action="connection.consent_failed").exists()
    desk.consent(connection=account.pk)
    assert mine.get().state_reason == ""
