"""Microsoft's own sign-in library against the sandbox, over https: msal accepts nothing less."""

import json
import re
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

msal = pytest.importorskip(
    "msal", reason="NOT RUN: msal is missing; install requirements-conformance.txt in .venv-conformance"
)

import requests  # noqa: E402
import urllib3  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes  # noqa: E402

from fieldcamp.sandbox.app import create_app  # noqa: E402
from fieldcamp.sandbox.server import Server  # noqa: E402
from tests.certificates import make_certificate  # noqa: E402

SCOPES = ["User.Read", "Calendars.ReadWrite"]
BACK = "http://localhost:8000/oauth/callback"
GRAPH = "/microsoft/graph/v1.0"


@pytest.fixture(scope="module")
def url():
    app = create_app(seed="empty")
    server = Server(("127.0.0.1", 0), app, tls=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    app.close()


@pytest.fixture
def web(url):
    """A session that trusts the sandbox's certificate and forgets what the last test did."""
    session = requests.Session()
    session.verify, session.trust_env = False, False
    with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
        assert session.post(f"{url}/_control/reset", json={"seed": "empty"}).ok
        yield session


@pytest.fixture
def client(url, web):
    def make(tenant="common", secret="sandbox-secret", **more):
        authority = f"{url}/microsoft/login/{tenant}"
        settings = {"validate_authority": False, "instance_discovery": False, "http_client": web}
        return msal.ConfidentialClientApplication(
            "us", client_credential=secret, authority=authority, **settings, **more
        )

    return make


def sign_in(app, web, account="dana@outlook.test", **more):
    """The whole authorization code flow with PKCE, state and nonce; `more` goes to the sandbox."""
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=BACK)
    assert "code_challenge=" in flow["auth_uri"]
    page = web.get(flow["auth_uri"], params={"sandbox_auto": account} | more, allow_redirects=False)
    back = {name: values[0] for name, values in parse_qs(urlsplit(page.headers["Location"]).query).items()}
    return app.acquire_token_by_auth_code_flow(flow, back)


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"])
def test_the_code_flow(client, web, url, tenant):
    app = client(tenant)
    result = sign_in(app, web)
    assert "error" not in result, result
    assert result["id_token_claims"]["preferred_username"] == "dana@outlook.test"
    assert {"User.Read", "Calendars.ReadWrite"} <= set(result["scope"].split()) and result["refresh_token"]
    headers = {"Authorization": f"Bearer {result['access_token']}"}
    assert web.get(f"{url}{GRAPH}/me", headers=headers).json()["mail"] == "dana@outlook.test"
    assert [each["username"] for each in app.get_accounts()] == ["dana@outlook.test"]


def test_the_consent_page_by_hand(client, web):
    app = client()
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=BACK)
    page = web.get(flow["auth_uri"]).text
    assert re.search(r'<button name="answer" value="allow"', page)
    form = {"answer": "allow", "account": "lee@outlook.test"}
    sent = web.post(flow["auth_uri"], data=form, allow_redirects=False)
    back = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["Location"]).query).items()}
    result = app.acquire_token_by_auth_code_flow(flow, back)
    assert result["id_token_claims"]["name"] == "Lee Okafor"


def test_the_cache_then_a_silent_refresh(client, web, url):
    app = client()
    first = sign_in(app, web)
    (account,) = app.get_accounts()
    cached = app.acquire_token_silent_with_error(SCOPES, account)
    assert cached["token_source"] == "cache" and cached["access_token"] == first["access_token"]
    fresh = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert fresh["token_source"] == "identity_provider" and fresh["access_token"] != first["access_token"]
    assert web.get(f"{url}{GRAPH}/me", headers={"Authorization": f"Bearer {fresh['access_token']}"}).ok


def test_a_refresh_token_from_elsewhere(client, web):
    first = sign_in(client(), web)
    again = client().acquire_token_by_refresh_token(first["refresh_token"], SCOPES)
    assert again["access_token"] and again["refresh_token"] != first["refresh_token"]


def test_denied(client, web):
    result = sign_in(client(), web, sandbox_deny="1")
    assert result["error"] == "access_denied" and "AADSTS65004" in result["error_description"]


def test_a_state_that_does_not_match(client, web):
    app = client()
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=BACK)
    with pytest.raises(ValueError, match="state"):
        app.acquire_token_by_auth_code_flow(flow, {"code": "c", "state": "forged"})


def test_a_wrong_secret(client, web):
    result = sign_in(client(secret="wrong"), web)
    assert result["error"] == "invalid_client" and result["error_codes"] == [7000215]


def test_removed_at_microsoft(client, web, url):
    app = client()
    sign_in(app, web)
    web.post(f"{url}/_control/revoke", json={"vendor": "microsoft", "account": "dana@outlook.test"})
    (account,) = app.get_accounts()
    result = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert (result["error"], result["suberror"]) == ("invalid_grant", "bad_token")
    assert result["error_codes"] == [50173]


def test_a_policy_wants_the_user(client, web):
    app = client(client_capabilities=["CP1"])
    sign_in(app, web, "mfa@outlook.test")
    (account,) = app.get_accounts()
    result = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert (result["error"], result["classification"]) == ("invalid_grant", "basic_action")
    assert json.loads(result["claims"])["access_token"]


def test_one_user_in_two_apps(client, web):
    """Each keeps its own tokens; one's refresh token is nothing to the other."""
    first = sign_in(client(), web)
    other = msal.ConfidentialClientApplication(
        "them",
        client_credential="sandbox-secret",
        authority=client().authority.token_endpoint.removesuffix("/oauth2/v2.0/token"),
        validate_authority=False,
        instance_discovery=False,
        http_client=web,
    )
    result = other.acquire_token_by_refresh_token(first["refresh_token"], SCOPES)
    assert (result["error"], result["suberror"]) == ("invalid_grant", "client_mismatch")


def test_a_certificate_instead_of_a_secret(client, web, url, tmp_path):
    files = make_certificate(tmp_path)
    pem, key = (Path(files[name]).read_text() for name in ("file", "key_file"))
    app = client(secret={"private_key": key, "public_certificate": pem})
    refused = sign_in(app, web)
    assert (refused["error"], refused["error_codes"]) == ("invalid_client", [700027])
    body = {"vendor": "microsoft", "client_id": "us", "certificate": pem}
    assert web.post(f"{url}/_control/certificate", json=body).ok
    signed_in = sign_in(app, web)
    assert signed_in.get("access_token"), signed_in
    (account,) = app.get_accounts()
    assert "error" not in app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    sha1 = x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA1()).hex()  # noqa: S303
    older = client(secret={"private_key": key, "thumbprint": sha1})  # as its older versions name a certificate
    assert sign_in(older, web)["access_token"]
