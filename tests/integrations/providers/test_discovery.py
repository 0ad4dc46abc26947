"""The vendors' discovery documents: what they say is used, and what is odd in them is not."""

import threading
import time

import pytest
from structlog.testing import capture_logs

from integrations.providers import PROVIDERS, discovery
from integrations.providers.discovery import Endpoint
from integrations.providers.google_calendar.oauth import GOOGLE, identify, revoke
from integrations.providers.outlook_calendar.oauth import MICROSOFT
from integrations.providers.quickbooks.oauth import INTUIT
from integrations.services.doctor.vendors import examine_vendors
from integrations.transport import patience
from integrations.transport.client import HttpClient, OneToken
from tests.sandboxed import URL

WELL_KNOWN = "/.well-known/"
FALLBACK = f"{URL}/google/oauth2/token"
MOVED = f"{URL}/google/api/oauth2/v4/token"  # Google's earlier address, which still answers
DOCUMENT = {
    "issuer": "https://accounts.google.com",
    "authorization_endpoint": f"{URL}/google/accounts/o/oauth2/v2/auth",
    "token_endpoint": MOVED,
    "revocation_endpoint": f"{URL}/google/oauth2/revoke",
    "userinfo_endpoint": f"{URL}/google/api/oauth2/v3/userinfo",
}


class Clock:
    """The process's own clock, which a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(discovery, "time", clock)
    return clock


@pytest.fixture
def google(sandbox, monkeypatch, clock):
    """Google, whose document nobody has read yet."""
    monkeypatch.setattr(discovery, "_known", {})
    return sandbox


def says(vendors, body, **more) -> None:
    vendors.fault("status", path=WELL_KNOWN, status=200, body=body, **more)


def http(token: str = "") -> HttpClient:
    return HttpClient(PROVIDERS["google_calendar"], OneToken(token) if token else None, attempts=1)


@pytest.mark.parametrize("oauth", [GOOGLE, MICROSOFT, INTUIT], ids=lambda oauth: oauth.vendor)
def test_the_documents_of_the_vendors_are_taken(google, oauth):
    """What the sandbox serves has the shape of the vendors' own, and says the same as the settings."""
    assert oauth.discovery.trouble() == ""
    for endpoint, fallback in oauth.endpoints.items():
        assert oauth.endpoint(endpoint) == fallback()


@pytest.mark.parametrize(
    ("oauth", "document"),
    [
        (GOOGLE, {
            "issuer": "https://accounts.google.com", "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
            "token_endpoint": "https://oauth2.googleapis.com/token", "revocation_endpoint": "https://oauth2.googleapis.com/revoke",
            "userinfo_endpoint": "https://openidconnect.googleapis.com/v1/userinfo",
        }),
        (MICROSOFT, {
            "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
            "authorization_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
            "token_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        }),
        (INTUIT, {
            "issuer": "https://oauth.platform.intuit.com/op/v1", "authorization_endpoint": "https://appcenter.intuit.com/connect/oauth2",
            "token_endpoint": "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
            "revocation_endpoint": "https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
        }),
    ],
    ids=["Google", "Microsoft", "Intuit"],
)  # fmt: skip
def test_the_documents_that_the_vendors_publish(settings, oauth, document):
    """As they stood in 2026: https://developers.google.com/identity/openid-connect/reference and the like."""
    real = {
        "GOOGLE_ACCOUNTS_URL": "https://accounts.google.com", "GOOGLE_OAUTH2_URL": "https://oauth2.googleapis.com",
        "GOOGLE_OPENID_URL": "https://openidconnect.googleapis.com", "GOOGLE_API_URL": "https://www.googleapis.com",
        "MICROSOFT_LOGIN_URL": "https://login.microsoftonline.com", "MICROSOFT_GRAPH_URL": "https://graph.microsoft.com",
        "INTUIT_APPCENTER_URL": "https://appcenter.intuit.com", "INTUIT_OAUTH_URL": "https://oauth.platform.intuit.com",
        "INTUIT_DEVELOPER_API_URL": "https://developer.api.intuit.com", "QUICKBOOKS_API_URL": "https://quickbooks.api.intuit.com",
    }  # fmt: skip
    for name, value in real.items():
        setattr(settings, name, value)
    settings.MICROSOFT_TENANT = "common"
    found = oauth.discovery.checked(document)
    assert found == {endpoint: fallback() for endpoint, fallback in oauth.endpoints.items()}


def test_intuits_companies_for_trying_out_have_a_document_of_their_own(settings):
    settings.QUICKBOOKS_API_URL = "https://sandbox-quickbooks.api.intuit.com"
    assert INTUIT.document().endswith("/.well-known/openid_sandbox_configuration")
    settings.QUICKBOOKS_API_URL = "https://quickbooks.api.intuit.com"
    assert INTUIT.document().endswith("/.well-known/openid_configuration")


@pytest.mark.parametrize("issuer", ["https://login.evil.test/common/v2.0", "", "{LOGIN}/a/b/v2.0", "{LOGIN}/common"])
def test_microsoft_is_known_by_its_issuer(settings, issuer):
    assert MICROSOFT.is_issuer(f"{settings.MICROSOFT_LOGIN_URL}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0")
    assert not MICROSOFT.is_issuer(issuer.replace("{LOGIN}", settings.MICROSOFT_LOGIN_URL))


def test_another_endpoint_is_used_without_a_change_of_ours(google):
    says(google, DOCUMENT)
    tokens = google.token()
    fresh = GOOGLE.refresh(http(), tokens["refresh_token"])
    assert identify(http(fresh.access_token)).name == google.main
    revoke(http(), fresh.access_token)
    paths = [row["path"] for row in google.requests()]
    assert paths == [
        "/google/accounts/.well-known/openid-configuration",
        "/google/api/oauth2/v4/token", "/google/api/oauth2/v3/userinfo", "/google/oauth2/revoke",
    ]  # fmt: skip


def test_a_document_is_read_once_a_day_and_the_last_good_one_is_kept(google, clock):
    says(google, DOCUMENT)
    assert [GOOGLE.endpoint(Endpoint.TOKEN) for _ in range(3)] == [MOVED] * 3
    clock.now += discovery.BELIEVED + 1
    google.fault("status", path=WELL_KNOWN, status=503, times=1)
    assert GOOGLE.endpoint(Endpoint.TOKEN) == MOVED
    assert len(google.requests(WELL_KNOWN)) == 2
    clock.now += discovery.AGAIN - 1
    assert GOOGLE.endpoint(Endpoint.TOKEN) == MOVED and len(google.requests(WELL_KNOWN)) == 2
    clock.now += 2
    assert GOOGLE.endpoint(Endpoint.TOKEN) == FALLBACK  # what the sandbox says by itself
    assert len(google.requests(WELL_KNOWN)) == 3


def without(name: str) -> dict:
    return {key: value for key, value in DOCUMENT.items() if key != name}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (DOCUMENT | {"token_endpoint": "https://evil.test/token"}, "evil.test, which is not Google's"),
        (DOCUMENT | {"token_endpoint": "https://oauth2.googleapis.com.evil.test/token"}, "not Google's"),
        (DOCUMENT | {"token_endpoint": "http://sandbox.test@evil.test/google/oauth2/token"}, "not Google's"),
        (DOCUMENT | {"token_endpoint": "https://sandbox.test/google/oauth2/token"}, "not Google's"),
        (DOCUMENT | {"token_endpoint": f"{URL}/google/oauth2/../../intuit/token"}, "not Google's"),
        (DOCUMENT | {"token_endpoint": f"{FALLBACK}?to=evil.test"}, "more than an address"),
        (DOCUMENT | {"token_endpoint": "http://[evil"}, "no host, which is not Google's"),
        (DOCUMENT | {"token_endpoint": f"{FALLBACK}\r\nHost: evil.test"}, "no address"),
        (DOCUMENT | {"authorization_endpoint": "https://evil.test/consent"}, "evil.test, which is not Google's"),
        (DOCUMENT | {"userinfo_endpoint": f"{URL}/google/accounts/userinfo"}, "not Google's"),
        (DOCUMENT | {"issuer": "https://evil.test"}, "another issuer's"),
        (DOCUMENT | {"token_endpoint": None}, "no address"),
        (DOCUMENT | {"token_endpoint": ["x"]}, "no address"),
        (without("issuer"), "another issuer's"),
        (without("authorization_endpoint"), "no address"),
        (["no", "object"], "not what it should be"),
        ("<html>Sign in to the hotel's network</html>", "not what it should be"),
    ],
)
def test_an_odd_document_is_refused_as_a_whole(google, body, reason):
    says(google, body)
    with capture_logs() as logs:
        assert {each: GOOGLE.endpoint(each) for each in GOOGLE.endpoints} == {
            each: fallback() for each, fallback in GOOGLE.endpoints.items()
        }
    [line] = [line for line in logs if line["event"] == "discovery_refused"]
    assert line["vendor"] == "Google" and reason in line["reason"]


@pytest.mark.parametrize(
    "trouble",
    [
        {"kind": "status", "status": 500}, {"kind": "status", "status": 404}, {"kind": "drop"}, {"kind": "truncate"},
        {"kind": "delay", "seconds": 30},
        {"kind": "status", "status": 302, "headers": {"Location": "https://evil.test/"}},
    ],
    ids=lambda trouble: f"{trouble['kind']} {trouble.get('status', '')}",
)  # fmt: skip
def test_what_cannot_be_had_is_done_without(google, trouble):
    google.fault(path=WELL_KNOWN, times=1, **trouble)
    with capture_logs() as logs:
        assert GOOGLE.refresh(http(), google.token()["refresh_token"]).access_token
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["discovery_refused"]
    assert [row["path"] for row in google.requests("token")][-1] == "/google/oauth2/token"


def test_what_a_document_does_not_say_stays_as_it_is_set(google):
    says(google, without("revocation_endpoint"))
    assert GOOGLE.endpoint(Endpoint.TOKEN) == MOVED
    assert GOOGLE.endpoint(Endpoint.REVOCATION) == f"{URL}/google/oauth2/revoke"


def test_a_page_gives_it_half_of_its_time_and_what_has_no_time_does_without(google):
    limits = []

    def watched(request, **kwargs):
        limits.append(kwargs["timeout"])
        return real(request, **kwargs)

    real, google.adapter.send = google.adapter.send, watched
    with patience.within(0.1):
        assert GOOGLE.endpoint(Endpoint.TOKEN) == FALLBACK and not limits
    with patience.within(patience.PAGE_SECONDS):
        GOOGLE.endpoint(Endpoint.TOKEN)
    with patience.within(1.0):
        MICROSOFT.endpoint(Endpoint.TOKEN)
    INTUIT.endpoint(Endpoint.TOKEN)
    assert [limit.total for limit in limits] == [
        pytest.approx(most, abs=0.1) for most in (discovery.LONGEST, 0.5, discovery.LONGEST)
    ]


def test_many_at_once_ask_once(google, monkeypatch):
    monkeypatch.setattr(discovery, "time", time)
    arrived, go_on = threading.Event(), threading.Event()

    def slowly(path, send):
        arrived.set()
        assert go_on.wait(10)
        return send()

    stop = google.around(slowly)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(GOOGLE.endpoint(Endpoint.TOKEN))) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert arrived.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    stop()
    assert found == [FALLBACK] * 4 and len(google.requests(WELL_KNOWN)) == 1


@pytest.mark.slow
@pytest.mark.django_db
def test_the_doctor_says_so(google):
    said = [each for each in examine_vendors(offline=False) if "discovery document" in each.sentence]
    assert [(each.weight, each.about) for each in said] == [
        ("fine", "Google Calendar"), ("fine", "Outlook"), ("fine", "QuickBooks"),
    ]  # fmt: skip
    says(google, DOCUMENT | {"token_endpoint": "https://evil.test/token"})
    [bad] = [each for each in examine_vendors(offline=False) if "is not used" in each.sentence]
    assert (bad.weight, bad.about) == ("note", "Google Calendar") and "evil.test" in bad.sentence and bad.mend
    assert GOOGLE.endpoint(Endpoint.TOKEN) == FALLBACK
