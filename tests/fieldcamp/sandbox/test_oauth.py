"""Consent, codes, tokens: https://developers.google.com/identity/protocols/oauth2/web-server"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import parse_qs, urlsplit

import pytest

from fieldcamp.sandbox.mount import URL

EVENTS = "https://www.googleapis.com/auth/calendar.events"
LIST = "https://www.googleapis.com/auth/calendar.calendarlist.readonly"
BACK = "http://127.0.0.1:8000/callback"
AUTHORIZE = f"{URL}/google/accounts/o/oauth2/v2/auth"
TOKEN = f"{URL}/google/oauth2/token"


def authorize(google, **query):
    asked = {"client_id": "us", "redirect_uri": BACK, "response_type": "code", "scope": f"openid email {EVENTS} {LIST}"}
    asked |= {"state": "s 1", "access_type": "offline", "sandbox_auto": "ravi@google.test"} | query
    asked = {name: value for name, value in asked.items() if value is not None}
    return google.session.get(AUTHORIZE, params=asked, allow_redirects=False)


def answer(response):
    assert response.status_code == 302, response.text
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def exchange(google, code, **form):
    sent = {"grant_type": "authorization_code", "code": code, "client_id": "us", "client_secret": "sandbox-secret"}
    return google.session.post(TOKEN, data=sent | {"redirect_uri": BACK} | form)


def refresh(google, token, **form):
    sent = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "us", "client_secret": "sandbox-secret"}
    return google.session.post(TOKEN, data=sent | form)


def connect(google, **query):
    return exchange(google, answer(authorize(google, **query))["code"]).json()


def test_code_flow_gives_both_tokens_and_echoes_the_state(anonymous):
    back = answer(authorize(anonymous))
    assert back["state"] == "s 1"
    tokens = exchange(anonymous, back["code"]).json()
    assert tokens["expires_in"] == 3599 and tokens["token_type"] == "Bearer"
    assert tokens["access_token"].startswith("ya29.") and tokens["refresh_token"].startswith("1//0")
    assert len(tokens["access_token"]) <= 2048 and len(tokens["refresh_token"]) <= 512 and len(back["code"]) <= 256
    wanted = {"openid", "https://www.googleapis.com/auth/userinfo.email", EVENTS, LIST}
    assert set(tokens["scope"].split()) == set(back["scope"].split()) == wanted


def test_the_page_shows_accounts_and_a_box_for_each_permission(anonymous):
    page = authorize(anonymous, sandbox_auto=None, login_hint="lee@google.test")
    assert page.status_code == 200
    assert page.text.count("<option") == 13
    assert '<option value="lee@google.test" selected>' in page.text
    assert page.text.count('type="checkbox"') == 2  # openid and email are not asked


def test_unticked_permissions_are_not_granted(anonymous):
    url = authorize(anonymous, sandbox_auto=None).url
    form = {"answer": "allow", "account": "ravi@google.test", "scope": EVENTS}
    back = answer(anonymous.session.post(url, data=form, allow_redirects=False))
    tokens = exchange(anonymous, back["code"]).json()
    assert EVENTS in tokens["scope"].split() and LIST not in tokens["scope"]


@pytest.mark.parametrize("form", [{"answer": "deny"}, {}])
def test_denying_leads_back_with_access_denied(anonymous, form):
    url = authorize(anonymous, sandbox_auto=None).url
    back = answer(anonymous.session.post(url, data=form, allow_redirects=False))
    assert back == {"error": "access_denied", "state": "s 1"}


def test_automatic_answers_for_tests(anonymous):
    assert answer(authorize(anonymous, sandbox_deny="1"))["error"] == "access_denied"
    assert EVENTS not in answer(authorize(anonymous, sandbox_scopes=LIST))["scope"].split()
    assert answer(authorize(anonymous, sandbox_auto="nobody@google.test"))["error"] == "access_denied"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"redirect_uri": "https://evil.example/cb"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://127.0.0.1@evil.example/cb"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://localhost:x/cb"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://localhost/cb#x"}, "redirect_uri_mismatch"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"client_id": None}, "invalid_request"),
        ({"response_type": "token"}, "invalid_request"),
        ({"scope": None}, "invalid_request"),
        ({"scope": "https://www.googleapis.com/auth/nothing"}, "invalid_scope"),
        ({"prompt": "none consent"}, "invalid_request"),
        ({"code_challenge": "x", "code_challenge_method": "S512"}, "invalid_request"),
    ],
)
def test_a_wrong_request_is_told_on_a_page_and_never_redirected(anonymous, query, code):
    response = authorize(anonymous, **query)
    assert response.status_code == 400 and code in response.text
    assert "Location" not in response.headers


@pytest.mark.parametrize("back", ["http://localhost:1/x", "http://[::1]:8000/cb", "https://127.0.0.1/cb?a=b"])
def test_any_loopback_address_will_do(anonymous, back):
    response = authorize(anonymous, redirect_uri=back)
    assert response.headers["Location"].startswith(back)


def test_a_code_works_once_within_ten_minutes_for_the_same_address_and_client(anonymous):
    code = answer(authorize(anonymous))["code"]
    assert exchange(anonymous, code).status_code == 200
    assert exchange(anonymous, code).json() == {"error": "invalid_grant", "error_description": "Bad Request"}
    old = answer(authorize(anonymous))["code"]
    anonymous.control("clock", {"advance_seconds": 601})
    assert exchange(anonymous, old).json()["error"] == "invalid_grant"
    other = exchange(anonymous, answer(authorize(anonymous))["code"], redirect_uri="http://127.0.0.1:8000/other")
    assert (other.status_code, other.json()["error"]) == (400, "redirect_uri_mismatch")
    foreign = exchange(anonymous, answer(authorize(anonymous))["code"], client_id="them")
    assert foreign.json()["error"] == "invalid_grant"
    assert exchange(anonymous, "nonsense").json()["error_description"] == "Malformed auth code."


@pytest.mark.parametrize("method", ["S256", "plain"])
def test_pkce(anonymous, method):
    verifier = "v" * 43
    challenge = verifier
    if method == "S256":
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    proof = {"code_challenge": challenge, "code_challenge_method": method}
    for wrong in ({}, {"code_verifier": "w" * 43}, {"code_verifier": "short"}):
        response = exchange(anonymous, answer(authorize(anonymous, **proof))["code"], **wrong)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    code = answer(authorize(anonymous, **proof))["code"]
    assert exchange(anonymous, code, code_verifier=verifier).status_code == 200


def test_a_refresh_token_comes_with_the_first_consent_only_unless_consent_is_prompted(anonymous):
    assert "refresh_token" in connect(anonymous)
    assert "refresh_token" not in connect(anonymous)
    assert "refresh_token" in connect(anonymous, prompt="consent")
    assert "refresh_token" not in connect(anonymous, prompt="consent", access_type=None)


def test_silent_answers_need_a_known_user_and_an_earlier_consent(anonymous):
    asked = {"sandbox_auto": None, "prompt": "none"}
    assert answer(authorize(anonymous, **asked))["error"] == "interaction_required"
    connect(anonymous)
    assert "code" in answer(authorize(anonymous, **asked, login_hint="ravi@google.test"))


def test_refreshing_gives_an_access_token_and_no_refresh_token(anonymous):
    first = connect(anonymous)
    second = refresh(anonymous, first["refresh_token"]).json()
    assert "refresh_token" not in second and second["access_token"] != first["access_token"]
    assert second["scope"] == first["scope"]


def test_access_tokens_live_an_hour_on_the_sandbox_clock(anonymous):
    anonymous.token = connect(anonymous)
    assert anonymous.call("GET", "calendars/primary/events").status_code == 200
    anonymous.control("clock", {"advance_seconds": 3600})
    expired = anonymous.call("GET", "calendars/primary/events")
    assert expired.status_code == 401 and expired.json()["error"]["errors"][0]["reason"] == "authError"
    anonymous.token |= refresh(anonymous, anonymous.token["refresh_token"]).json()
    assert anonymous.call("GET", "calendars/primary/events").status_code == 200


def test_a_refresh_token_that_is_not_used_for_half_a_year_dies(anonymous):
    token = connect(anonymous)["refresh_token"]
    for _ in range(3):
        anonymous.control("clock", {"advance_seconds": 100 * 86400})
        assert refresh(anonymous, token).status_code == 200
    anonymous.control("clock", {"advance_seconds": 184 * 86400})
    assert refresh(anonymous, token).json() == {
        "error": "invalid_grant",
        "error_description": "Token has been expired or revoked.",
    }


def test_the_hundred_and_first_refresh_token_kills_the_oldest(anonymous):
    tokens = [connect(anonymous, prompt="consent")["refresh_token"] for _ in range(101)]
    assert refresh(anonymous, tokens[0]).json()["error"] == "invalid_grant"
    assert refresh(anonymous, tokens[1]).status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_the_grant(anonymous, kind):
    anonymous.token = connect(anonymous)
    revoke = f"{URL}/google/oauth2/revoke"
    assert anonymous.session.post(revoke, data={"token": anonymous.token[kind]}).status_code == 200
    again = anonymous.session.post(revoke, data={"token": anonymous.token[kind]})
    assert (again.status_code, again.json()["error"]) == (400, "invalid_token")
    assert anonymous.call("GET", "calendars/primary/events").status_code == 401
    assert refresh(anonymous, anonymous.token["refresh_token"]).json()["error"] == "invalid_grant"
    assert "refresh_token" in connect(anonymous)  # the next consent is a first one again


def test_the_control_call_revokes_as_the_user_would(anonymous):
    tokens = connect(anonymous)
    gone = anonymous.control("revoke", {"vendor": "google", "account": "ravi@google.test"})
    assert gone.json() == {"revoked": 1}
    assert refresh(anonymous, tokens["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": ""}, 400, "invalid_request"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"refresh_token": "1//0nothing"}, 400, "invalid_grant"),
        ({"client_id": "them"}, 401, "unauthorized_client"),
        ({"scope": "https://www.googleapis.com/auth/calendar"}, 400, "invalid_scope"),
    ],
)
def test_token_errors_are_flat(anonymous, form, status, error):
    token = connect(anonymous)["refresh_token"]
    response = refresh(anonymous, token, **form)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert set(response.json()) == {"error", "error_description"}


def test_clients_may_authenticate_by_header_and_use_the_old_address(anonymous):
    token = connect(anonymous)["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    response = anonymous.session.post(f"{URL}/google/api/oauth2/v4/token", data=form, auth=("us", "sandbox-secret"))
    assert response.status_code == 200


def test_incremental_consent_adds_to_what_was_granted(anonymous):
    connect(anonymous, scope=EVENTS)
    tokens = connect(anonymous, scope=LIST, include_granted_scopes="true")
    assert set(tokens["scope"].split()) == {EVENTS, LIST}


@pytest.mark.parametrize("address", ["openid/v1/userinfo", "api/oauth2/v3/userinfo"])
def test_user_info(anonymous, address):
    token = connect(anonymous, scope=f"openid email profile {EVENTS}")["access_token"]
    url = f"{URL}/google/{address}"
    info = anonymous.session.get(url, headers={"Authorization": f"Bearer {token}"}).json()
    assert info["email"] == "ravi@google.test" and info["email_verified"] is True
    assert info["name"] == "Ravi Menon" and info["sub"].isdigit()
    assert anonymous.session.get(url).status_code == 401


def test_token_info(anonymous):
    token = connect(anonymous)["access_token"]
    url = f"{URL}/google/oauth2/tokeninfo"
    info = anonymous.session.get(url, params={"access_token": token}).json()
    assert info["aud"] == "us" and info["expires_in"] == "3599" and info["email"] == "ravi@google.test"
    assert anonymous.session.get(url, params={"access_token": "x"}).status_code == 400


def test_the_id_token_is_signed_with_the_published_key(anonymous):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    def plain(text):
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))

    head, claims, signature = connect(anonymous, nonce="n-1")["id_token"].split(".")
    key = anonymous.session.get(f"{URL}/google/oauth2/v3/certs").json()["keys"][0]
    numbers = rsa.RSAPublicNumbers(int.from_bytes(plain(key["e"]), "big"), int.from_bytes(plain(key["n"]), "big"))
    signed = f"{head}.{claims}".encode()
    numbers.public_key().verify(plain(signature), signed, padding.PKCS1v15(), hashes.SHA256())
    told = json.loads(plain(claims))
    assert told["aud"] == "us" and told["nonce"] == "n-1" and told["email"] == "ravi@google.test"
    assert told["iss"] == "https://accounts.google.com" and told["exp"] - told["iat"] == 3599


def test_discovery_names_this_sandbox(anonymous):
    found = anonymous.session.get(f"{URL}/google/accounts/.well-known/openid-configuration").json()
    assert found["token_endpoint"] == TOKEN


def test_tokens_are_as_long_as_google_says(anonymous):
    answer = anonymous.sign_in()
    assert (len(answer["access_token"]), len(answer["refresh_token"])) == (2048, 512)


def test_an_app_in_testing_has_access_for_a_week(anonymous, clock):
    anonymous.sign_in("lee@google.test")
    before = anonymous.token
    assert anonymous.control("switches", {"vendor": "google", "testing": True}).status_code == 200
    answer = anonymous.sign_in()
    assert answer["refresh_token_expires_in"] == 604_799
    refreshed = refresh(anonymous, answer["refresh_token"])
    assert refreshed.status_code == 200  # and that prolongs nothing
    anonymous.control("switches", {"vendor": "google", "testing": False})  # nor does this
    clock.now += 604_800
    assert refresh(anonymous, answer["refresh_token"]).json()["error"] == "invalid_grant"
    assert refresh(anonymous, before["refresh_token"]).status_code == 200
    assert "refresh_token_expires_in" not in anonymous.sign_in()


def test_the_older_addresses_of_identity(google):
    older = google.session.get(f"{URL}/google/api/oauth2/v2/userinfo", headers=bearer(google)).json()
    assert older["verified_email"] is True and older["id"].isdecimal() and "sub" not in older
    told = google.session.post(f"{URL}/google/oauth2/tokeninfo", headers=bearer(google)).json()
    assert told["sub"] == older["id"] and told["aud"] == "*"


def bearer(google):
    return {"Authorization": f"Bearer {google.token['access_token']}"}
