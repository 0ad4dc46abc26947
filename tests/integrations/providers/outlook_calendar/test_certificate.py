"""Our app names itself with a certificate at the simulated Microsoft, which looks at it as the real one does."""

import datetime as dt
from pathlib import Path

import pytest
from django.utils import timezone

from fieldcamp.sandbox import id_token
from fieldcamp.sandbox.jws import sign
from fieldcamp.sandbox.mount import URL
from integrations.errors import Misconfigured, NeedsReconnect
from integrations.providers import PROVIDERS
from integrations.transport.client import HttpClient
from tests.certificates import make_certificate

OUTLOOK = PROVIDERS["outlook_calendar"]
MICROSOFT = OUTLOOK.authentication
TOKEN = f"{URL}/microsoft/login/common/oauth2/v2.0/token"


@pytest.fixture
def microsoft(sandbox):
    return sandbox.at("microsoft")


@pytest.fixture
def http() -> HttpClient:
    return HttpClient(OUTLOOK, None, attempts=1)


def upload(microsoft, files, registered: bool = True) -> str:
    pem = Path(files["file"]).read_text()
    body = {"client_id": "sandbox-client", "certificate": pem, "registered": registered}
    return microsoft.call("POST", "certificate", json={"vendor": "microsoft", **body})["thumbprint"]


def numbers(refused: pytest.ExceptionInfo) -> str:
    return refused.value.detail


def test_a_certificate_stands_in_for_the_secret(microsoft, http, settings, tmp_path):
    """The secret that is set beside it is a wrong one: it is not sent."""
    settings.MICROSOFT_CERTIFICATE = make_certificate(tmp_path)
    settings.MICROSOFT_CLIENT = {"client_id": "sandbox-client", "secret": "wrong"}
    held = microsoft.token()["refresh_token"]
    with pytest.raises(Misconfigured) as refused:
        MICROSOFT.refresh(http, held)
    assert "AADSTS700027" in numbers(refused) and "stay connected" in str(refused.value)
    upload(microsoft, settings.MICROSOFT_CERTIFICATE)
    assert MICROSOFT.refresh(http, held).access_token
    settings.MICROSOFT_CLIENT = {"client_id": "sandbox-client", "secret": ""}
    assert MICROSOFT.refresh(http, held).access_token
    with pytest.raises(NeedsReconnect):  # the app is known, the access is not
        MICROSOFT.refresh(http, "made-up")


def test_a_secret_still_works_and_no_other_vendor_takes_a_certificate(microsoft, http, settings, tmp_path):
    assert MICROSOFT.refresh(http, microsoft.token()["refresh_token"]).access_token
    settings.MICROSOFT_CERTIFICATE = {"file": "", "key_file": ""}
    assert MICROSOFT.refresh(http, microsoft.token()["refresh_token"]).access_token
    settings.GOOGLE_CERTIFICATE = make_certificate(tmp_path)
    assert PROVIDERS["google_calendar"].authentication.certificate is None


@pytest.mark.slow
def test_two_certificates_overlap(microsoft, http, settings, tmp_path):
    old, new = make_certificate(tmp_path, "old"), make_certificate(tmp_path, "new", key=2_001)
    held = microsoft.token()["refresh_token"]
    for files in (old, new):
        upload(microsoft, files)
    for files in (old, new):
        settings.MICROSOFT_CERTIFICATE = files
        assert MICROSOFT.refresh(http, held).access_token
    upload(microsoft, old, registered=False)
    assert MICROSOFT.refresh(http, held).access_token
    settings.MICROSOFT_CERTIFICATE = old
    with pytest.raises(Misconfigured):
        MICROSOFT.refresh(http, held)


def test_a_certificate_that_cannot_be_read_is_the_operators_fault(microsoft, http, settings, tmp_path):
    settings.MICROSOFT_CERTIFICATE = {"file": str(tmp_path / "nowhere"), "key_file": str(tmp_path / "nowhere")}
    with pytest.raises(Misconfigured, match="Microsoft: .*nowhere cannot be read"):
        MICROSOFT.refresh(http, "held")
    assert microsoft.requests("/token") == []


@pytest.mark.slow
def test_one_that_has_ended_is_refused(microsoft, http, settings, tmp_path):
    settings.MICROSOFT_CERTIFICATE = make_certificate(tmp_path, begins=-400)
    upload(microsoft, settings.MICROSOFT_CERTIFICATE)
    with pytest.raises(Misconfigured) as refused:
        MICROSOFT.refresh(http, microsoft.token()["refresh_token"])
    assert "The key used is expired" in numbers(refused)


def test_the_sandbox_looks_at_assertions_as_microsoft_does(microsoft, tmp_path):
    files = make_certificate(tmp_path)
    right = {"alg": "PS256", "typ": "JWT", "x5t#S256": upload(microsoft, files)}
    key, other = (id_token.loaded(id_token.pem_of_number(number)) for number in (2_000, 2_001))
    now = int(timezone.now().timestamp())
    claims = {"aud": TOKEN, "iss": "sandbox-client", "sub": "sandbox-client", "jti": "1", "nbf": now, "exp": now + 300}
    held = microsoft.token()["refresh_token"]
    form = {"client_id": "sandbox-client", "grant_type": "refresh_token", "refresh_token": held}
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    def code(assertion: str, kind: str = kind) -> int:
        sent = {**form, "client_assertion_type": kind, "client_assertion": assertion}
        response = microsoft.browser.post(TOKEN, sent)
        if response.status_code == 200:
            return 200
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
        return response.json()["error_codes"][0]

    assert code(sign(right, claims, key)) == 200
    assert code(sign({**right, "alg": "RS256"}, claims, key)) == 200
    hour = dt.timedelta(hours=1).total_seconds()
    for wrong, number in (
        ({"aud": "https://login.example/token"}, 700023), ({"aud": [TOKEN, "x"]}, 5002741),
        ({"exp": now - hour}, 700024), ({"nbf": now + hour}, 700024), ({"exp": None}, 700024),
        ({"iss": "somebody"}, 700021), ({"sub": "somebody"}, 700021),
    ):  # fmt: skip
        assert code(sign(right, {**claims, **wrong}, key)) == number, wrong
    assert code(sign({**right, "x5t#S256": "AAAA"}, claims, key)) == 700027
    assert code(sign({"alg": "PS256"}, claims, key)) == 50027
    assert code(sign(right, claims, other)) == 700027
    assert code("a.b.c") == 50027
    assert code(sign(right, claims, key), "password") == 50027
    assert microsoft.browser.post(TOKEN, form).json()["error_codes"] == [7000218]
