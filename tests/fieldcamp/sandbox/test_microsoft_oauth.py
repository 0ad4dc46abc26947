"""Microsoft's v2 endpoints, simulated: consent, PKCE, tokens that rotate and die, and errors as AADSTS numbers them."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from fieldcamp.sandbox.mount import URL

from .conftest import NOON, code, meeting

LOGIN = f"{URL}/microsoft/login/common"
HERE = "http://127.0.0.1:8000/oauth/callback"
SCOPE = "offline_access openid profile email User.Read Calendars.ReadWrite"
ASK = {"client_id": "us", "redirect_uri": HERE, "response_type": "code", "scope": SCOPE, "state": "s/1"}
VERIFIER = "v" * 64
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


def authorize(session: requests.Session, **query: str) -> requests.Response:
    return session.get(f"{LOGIN}/oauth2/v2.0/authorize", params=ASK | query, allow_redirects=False)


def answer(response: requests.Response) -> dict[str, str]:
    """What the browser carries back to the app."""
    assert response.status_code == 302 and response.headers["Location"].startswith(HERE)
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def token(session: requests.Session, **form: str) -> requests.Response:
    form = {"client_id": "us", "client_secret": "sandbox-secret", "redirect_uri": HERE} | form
    return session.post(f"{LOGIN}/oauth2/v2.0/token", data=form)


def exchange(session: requests.Session, auth_code: str, **form: str) -> requests.Response:
    return token(session, grant_type="authorization_code", code=auth_code, **form)


def refresh(session: requests.Session, text: str, **form: str) -> requests.Response:
    return token(session, grant_type="refresh_token", refresh_token=text, **form)


def connect(session: requests.Session, account: str = "dana@outlook.test", **query: str) -> dict[str, str]:
    got = exchange(session, answer(authorize(session, sandbox_auto=account, **query))["code"])
    assert got.status_code == 200, got.text
    return got.json()


def refused(response: requests.Response) -> tuple[int, str, int]:
    """The status, the error and its AADSTS number, of an answer that has all that clients may look at."""
    body = response.json()
    (number,) = body["error_codes"]
    assert body["error_description"].startswith(f"AADSTS{number}: ") and body["trace_id"] and body["timestamp"]
    return response.status_code, body["error"], number


@pytest.fixture
def web(stranger):
    return stranger.session


def test_from_the_page_to_the_calendar(stranger, web):
    page = authorize(web).text
    assert 'value="dana@outlook.test"' in page and "Read and change your calendars" in page and "not Microsoft" in page
    address = f"{LOGIN}/oauth2/v2.0/authorize"
    form = {"answer": "allow", "account": "lee@outlook.test"}
    back = answer(web.post(address, params=ASK | PKCE, data=form, allow_redirects=False))
    assert back["state"] == "s/1"
    got = exchange(web, back["code"], code_verifier=VERIFIER).json()
    assert got["token_type"] == "Bearer" and got["expires_in"] == 3599
    assert set(got["scope"].split()) == set(SCOPE.split()) - {"offline_access"}
    assert "." not in got["access_token"]
    stranger.token = got
    assert stranger.get("me")["mail"] == "lee@outlook.test"
    assert stranger.create()["organizer"]["emailAddress"]["address"] == "lee@outlook.test"


def test_denied(web):
    denied = web.post(f"{LOGIN}/oauth2/v2.0/authorize", params=ASK, data={"answer": "deny"}, allow_redirects=False)
    for back in (answer(denied), answer(authorize(web, sandbox_auto="dana@outlook.test", sandbox_deny="1"))):
        assert back["error"] == "access_denied" and back["state"] == "s/1" and "code" not in back
        assert back["error_description"].startswith("AADSTS65004")


def test_an_administrator_is_needed(web):
    back = answer(authorize(web, sandbox_auto="approval@outlook.test"))
    assert back["error"] == "access_denied" and back["error_description"].startswith("AADSTS90094")


def test_other_ways_back(web):
    posted = authorize(web, sandbox_auto="dana@outlook.test", response_mode="form_post").text
    assert f'action="{HERE}"' in posted and 'name="code"' in posted and 'name="state" value="s/1"' in posted
    fragment = authorize(web, sandbox_auto="dana@outlook.test", response_mode="fragment").headers["Location"]
    assert urlsplit(fragment).query == "" and "code=" in urlsplit(fragment).fragment


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"redirect_uri": "https://evil.example/cb"}, "AADSTS50011"),
        ({"client_id": ""}, "AADSTS900144"),
        ({"prompt": "sometimes"}, "AADSTS90023"),
        ({"response_mode": "pigeon"}, "AADSTS900236"),
        ({"code_challenge_method": "S1"}, "AADSTS501491"),
    ],
)
def test_mistakes_that_only_the_user_can_be_told(web, query, number):
    page = authorize(web, sandbox_auto="dana@outlook.test", **query)
    assert page.status_code == 400 and number in page.text


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid Everything.Do"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_mistakes_that_the_app_is_told(web, query, error):
    assert answer(authorize(web, **query))["error"] == error


def test_a_returning_user_is_not_asked_again(web):
    connect(web)
    assert "code" in answer(authorize(web, login_hint="dana@outlook.test", prompt="none"))
    assert authorize(web, login_hint="dana@outlook.test", prompt="consent").status_code == 200
    assert authorize(web, login_hint="lee@outlook.test").status_code == 200


def test_a_code_is_good_once_and_for_ten_minutes(web, clock):
    first = answer(authorize(web, sandbox_auto="dana@outlook.test"))["code"]
    assert exchange(web, first).status_code == 200
    assert refused(exchange(web, first)) == (400, "invalid_grant", 54005)
    late = answer(authorize(web, sandbox_auto="dana@outlook.test"))["code"]
    clock.now = NOON + 601
    assert refused(exchange(web, late)) == (400, "invalid_grant", 54005)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"client_secret": "wrong"}, (401, "invalid_client", 7000215)),
        ({"client_id": ""}, (400, "invalid_request", 900144)),
        ({"client_id": "them"}, (400, "invalid_grant", 700005)),
        ({"redirect_uri": HERE + "/x"}, (400, "invalid_grant", 70000)),
        ({"code_verifier": "w" * 64}, (400, "invalid_grant", 501481)),
        ({"code_verifier": ""}, (400, "invalid_grant", 501481)),
        ({"code": ""}, (400, "invalid_request", 900144)),
        ({"grant_type": ""}, (400, "invalid_request", 900144)),
        ({"grant_type": "password"}, (400, "unsupported_grant_type", 70003)),
    ],
)
def test_an_exchange_that_is_refused(web, form, expected):
    auth_code = answer(authorize(web, sandbox_auto="dana@outlook.test", **PKCE))["code"]
    good = {"grant_type": "authorization_code", "code": auth_code, "code_verifier": VERIFIER}
    assert refused(token(web, **(good | form))) == expected


def test_basic_authentication_is_as_good(web):
    auth_code = answer(authorize(web, sandbox_auto="dana@outlook.test"))["code"]
    form = {"grant_type": "authorization_code", "code": auth_code, "redirect_uri": HERE}
    got = web.post(f"{LOGIN}/oauth2/v2.0/token", data=form, auth=("us", "sandbox-secret"))
    assert got.status_code == 200
    assert refused(web.post(f"{LOGIN}/oauth2/v2.0/token", data=form, auth=("us", "no")))[0] == 401


def test_without_offline_access_there_is_no_refresh_token(web):
    got = connect(web, scope="openid User.Read")
    assert "refresh_token" not in got and got["scope"] == "User.Read openid"


def test_less_than_asked_is_granted(stranger, web):
    stranger.token = connect(web, sandbox_scopes="User.Read Calendars.Read")
    assert "Calendars" not in stranger.token["scope"]
    assert stranger.get("me")["displayName"] == "Dana Whitfield"
    assert code(stranger.call("GET", "me/calendars")) == (403, "ErrorAccessDenied")


def test_reading_is_not_writing(stranger, web):
    stranger.token = connect(web, scope="offline_access https://graph.microsoft.com/Calendars.Read")
    assert stranger.get("me/events")["value"] == []
    assert code(stranger.call("POST", "me/events", meeting())) == (403, "ErrorAccessDenied")
    assert code(stranger.call("GET", "me")) == (403, "ErrorAccessDenied")


def test_every_refresh_brings_a_new_refresh_token_and_the_old_one_lives(stranger, web):
    first = connect(web)
    second = refresh(web, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"] and second["access_token"] != first["access_token"]
    assert refresh(web, first["refresh_token"]).status_code == 200
    for each in (first, second):
        stranger.token = each
        assert stranger.get("me")["mail"] == "dana@outlook.test"


def test_in_the_strict_mailbox_the_old_refresh_token_dies(web):
    first = connect(web, "strict@outlook.test")
    assert refresh(web, first["refresh_token"]).status_code == 200
    assert refused(refresh(web, first["refresh_token"])) == (400, "invalid_grant", 70000)


def test_a_refresh_may_ask_for_less_but_not_for_more(web):
    got = connect(web, scope="offline_access User.Read Calendars.ReadWrite")
    less = refresh(web, got["refresh_token"], scope="User.Read offline_access").json()
    assert less["scope"] == "User.Read"
    whole = refresh(web, less["refresh_token"]).json()
    assert whole["scope"] == "Calendars.ReadWrite User.Read"
    more = refresh(web, got["refresh_token"], scope="MailboxSettings.Read")
    assert refused(more) == (400, "invalid_grant", 65001) and more.json()["suberror"] == "consent_required"
    assert refused(refresh(web, got["refresh_token"], scope="Nothing.Known")) == (400, "invalid_scope", 70011)


def test_tokens_live_an_hour_and_ninety_days(stranger, web, clock):
    stranger.token = got = connect(web)
    clock.now = NOON + 3598
    assert stranger.get("me")
    clock.now = NOON + 3600
    late = stranger.call("GET", "me")
    assert code(late) == (401, "InvalidAuthenticationToken") and "invalid_token" in late.headers["WWW-Authenticate"]
    clock.now = NOON + 89 * 86400
    again = refresh(web, got["refresh_token"]).json()
    clock.now = NOON + 91 * 86400
    assert refused(refresh(web, got["refresh_token"])) == (400, "invalid_grant", 700082)
    assert refresh(web, again["refresh_token"]).status_code == 200


def test_removing_the_app_kills_everything(stranger, web):
    stranger.token = connect(web)
    assert stranger.control("revoke", {"vendor": "microsoft", "account": "dana@outlook.test"}).json() == {"revoked": 1}
    assert code(stranger.call("GET", "me")) == (401, "InvalidAuthenticationToken")
    dead = refresh(web, stranger.token["refresh_token"])
    assert refused(dead) == (400, "invalid_grant", 50173) and dead.json()["suberror"] == "bad_token"
    assert connect(web)["refresh_token"]


@pytest.mark.parametrize(
    ("account", "expected", "suberror"),
    [
        ("mfa@outlook.test", (400, "invalid_grant", 50076), "basic_action"),
        ("policy@outlook.test", (400, "interaction_required", 53003), "message_only"),
    ],
)
def test_policies_want_the_user(web, account, expected, suberror):
    got = connect(web, account)
    asked = refresh(web, got["refresh_token"])
    assert refused(asked) == expected
    assert asked.json()["suberror"] == suberror and json.loads(asked.json()["claims"])


def test_mailboxes_that_are_not_to_be_reached(stranger):
    for account, expected in (
        ("nomailbox@outlook.test", (404, "MailboxNotEnabledForRESTAPI")),
        ("policy@outlook.test", (403, "insufficient_claims")),
    ):
        stranger.sign_in(account)
        assert stranger.get("me")["mail"] == account
        for path in ("me/calendars", "me/events", "me/mailboxSettings"):
            scope = "MailboxSettings.Read Calendars.Read"
            stranger.sign_in(account, scope)
            assert code(stranger.call("GET", path)) == expected


def test_without_a_token(stranger):
    assert code(stranger.call("GET", "me")) == (401, "InvalidAuthenticationToken")
    assert code(stranger.call("POST", "$batch", {"requests": []})) == (401, "InvalidAuthenticationToken")
    stranger.token = {"access_token": "made-up"}
    assert code(stranger.call("GET", "me/events")) == (401, "InvalidAuthenticationToken")


def test_the_discovery_document_leads_to_keys_that_verify(web):
    document = web.get(f"{LOGIN}/v2.0/.well-known/openid-configuration").json()
    assert document["token_endpoint"] == f"{LOGIN}/oauth2/v2.0/token"
    (key,) = web.get(document["jwks_uri"]).json()["keys"]
    got = connect(web, nonce="n-1")
    head, claims, _ = got["id_token"].split(".")
    assert json.loads(urlsafe_b64decode(head + "=="))["kid"] == key["kid"]
    said = json.loads(urlsafe_b64decode(claims + "=="))
    assert (said["nonce"], said["aud"], said["preferred_username"]) == ("n-1", "us", "dana@outlook.test")
    assert said["exp"] == NOON + 3599 and said["iss"].endswith(f"/{said['tid']}/v2.0")
    who = web.get(document["userinfo_endpoint"], headers={"Authorization": f"Bearer {got['access_token']}"}).json()
    assert who["email"] == "dana@outlook.test"
