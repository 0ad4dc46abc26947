"""Connecting a company: the consent page, codes, tokens that rotate and expire, revocation."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from fieldcamp.sandbox.mount import URL

from .conftest import NORTHERN, PLUMBING

AUTHORIZE = f"{URL}/intuit/appcenter/connect/oauth2"
TOKEN = f"{URL}/intuit/oauth/oauth2/v1/tokens/bearer"
REVOKE = f"{URL}/intuit/developer/v2/oauth2/tokens/revoke"
USER = f"{URL}/intuit/accounts/v1/openid_connect/userinfo"
BACK = "http://127.0.0.1:8000/accounts/quickbooks/login/callback/"
DAY = 86400


@pytest.fixture
def asked():
    scope = "com.intuit.quickbooks.accounting openid profile email"
    return {"client_id": "us", "response_type": "code", "scope": scope, "redirect_uri": BACK, "state": "s1"}


@pytest.fixture
def web(books):
    return books.session


def back(response):
    assert response.status_code == 302, response.text
    address = urlsplit(response.headers["Location"])
    assert address._replace(query="").geturl() == BACK
    return {name: values[0] for name, values in parse_qs(address.query).items()}


def allow(web, asked, realm=PLUMBING):
    return back(web.get(AUTHORIZE, params=asked | {"sandbox_auto": realm}, allow_redirects=False))


def exchange(web, code, client=("us", "sandbox-secret"), **more):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK} | more
    return web.post(TOKEN, data=form, auth=client)


def refresh(web, token, client=("us", "sandbox-secret"), **headers):
    return web.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": token}, auth=client, headers=headers)


@pytest.fixture
def tokens(web, asked):
    return exchange(web, allow(web, asked)["code"]).json()


def company(web, access, realm=PLUMBING):
    headers = {"Authorization": f"Bearer {access}", "Accept": "application/json"}
    address = f"{URL}/intuit/api/v3/company/{realm}/companyinfo/{realm}"
    return web.get(address, headers=headers)


def test_the_page_lets_the_user_choose_the_company(web, asked):
    page = web.get(AUTHORIZE, params=asked)
    assert page.status_code == 200 and "owner@intuit.test" in page.text
    assert re.findall(r'<option value="(\d+)"', page.text) == [PLUMBING, NORTHERN]
    answer = {"answer": "allow", "company": NORTHERN}
    got = back(web.post(AUTHORIZE, params=asked, data=answer, allow_redirects=False))
    assert got["realmId"] == NORTHERN and got["state"] == "s1" and len(got["code"]) <= 512


def test_a_user_who_refuses_brings_no_company(web, asked):
    denied = back(web.post(AUTHORIZE, params=asked, data={"answer": "deny"}, allow_redirects=False))
    assert denied == {"error": "access_denied", "state": "s1"}


def test_an_unknown_scope_goes_back_to_the_app(web, asked):
    refused = web.get(AUTHORIZE, params=asked | {"scope": "everything"}, allow_redirects=False)
    assert back(refused) == {"error": "invalid_scope", "state": "s1"}


@pytest.mark.parametrize(
    "change", [{"client_id": ""}, {"redirect_uri": "https://evil.test/"}, {"redirect_uri": ""}, {"state": ""}]
)
def test_what_cannot_be_answered_to_the_app_is_told_to_the_user(web, asked, change):
    response = web.get(AUTHORIZE, params=asked | change, allow_redirects=False)
    assert response.status_code == 400 and "Location" not in response.headers


def test_a_code_brings_tokens_for_its_company_alone(web, asked):
    got = exchange(web, allow(web, asked)["code"])
    assert got.status_code == 200
    tokens = got.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 3600)
    assert tokens["x_refresh_token_expires_in"] == 100 * DAY and "x_refresh_token_hard_expires_in" not in tokens
    assert company(web, tokens["access_token"]).status_code == 200
    assert company(web, tokens["access_token"], NORTHERN).status_code == 403


def test_a_code_is_spent_by_its_first_use(web, asked):
    code = allow(web, asked)["code"]
    assert exchange(web, code).status_code == 200
    again = exchange(web, code)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})


def test_a_code_needs_its_own_redirect_address_and_app(web, asked):
    elsewhere = exchange(web, allow(web, asked)["code"], redirect_uri=f"{BACK}x")
    assert (elsewhere.status_code, elsewhere.json()) == (400, {"error": "invalid_grant"})
    assert exchange(web, allow(web, asked)["code"], client=("them", "sandbox-secret")).status_code == 400
    assert exchange(web, "made-up").json() == {"error": "invalid_grant"}


def test_an_old_code_is_dead(web, asked, books):
    code = allow(web, asked)["code"]
    books.control("clock", {"advance_seconds": 601})
    assert exchange(web, code).json() == {"error": "invalid_grant"}


def test_only_basic_authentication_counts(web, asked):
    code = allow(web, asked)["code"]
    in_form = {"client_id": "us", "client_secret": "sandbox-secret"}
    refused = exchange(web, code, client=None, **in_form)
    assert (refused.status_code, refused.json()) == (401, {"error": "invalid_client"})
    assert exchange(web, code, client=("us", "wrong")).status_code == 401
    assert exchange(web, code).status_code == 200  # what was refused has not spent it


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_incomplete_requests(web, form, error):
    response = web.post(TOKEN, data=form or "x=1", auth=("us", "sandbox-secret"),
                        headers={"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
    assert (response.status_code, response.json()) == (400, {"error": error})


def test_the_access_token_lives_an_hour(web, tokens, books):
    books.control("clock", {"advance_seconds": 3599})
    assert company(web, tokens["access_token"]).status_code == 200
    books.control("clock", {"advance_seconds": 2})
    assert company(web, tokens["access_token"]).status_code == 401


def test_the_refresh_token_changes_once_a_day_and_the_old_one_is_dead_at_once(web, tokens, books):
    first = tokens["refresh_token"]
    books.control("clock", {"advance_seconds": DAY - 1})
    assert refresh(web, first).json()["refresh_token"] == first
    books.control("clock", {"advance_seconds": 1})
    second = refresh(web, first).json()["refresh_token"]
    assert second != first
    assert refresh(web, second).json()["refresh_token"] == second
    dead = refresh(web, first)
    assert dead.status_code == 400
    assert dead.json() == {
        "error": "invalid_grant",
        "error_description": "Incorrect or invalid refresh token",
    }


def test_every_refresh_can_be_made_to_rotate_and_the_old_token_to_linger(web, tokens, books):
    switches = {"vendor": "intuit", "rotate_every_refresh": True, "refresh_grace": True}
    assert books.control("switches", switches).status_code == 200
    second = refresh(web, tokens["refresh_token"]).json()["refresh_token"]
    assert second != tokens["refresh_token"]
    assert refresh(web, tokens["refresh_token"]).json()["refresh_token"] == second
    books.control("clock", {"advance_seconds": DAY + 1})
    assert refresh(web, tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert refresh(web, second).status_code == 200


def test_a_hundred_idle_days_end_a_connection(web, tokens, books):
    books.control("clock", {"advance_seconds": 99 * DAY})
    renewed = refresh(web, tokens["refresh_token"]).json()["refresh_token"]
    books.control("clock", {"advance_seconds": 99 * DAY})
    renewed = refresh(web, renewed).json()["refresh_token"]
    books.control("clock", {"advance_seconds": 100 * DAY})
    assert refresh(web, renewed).json()["error"] == "invalid_grant"


def test_five_years_end_a_connection_however_busy(web, tokens, books):
    wanted = {"x-include-refresh-token-hard-expires-in": "true"}
    token, left = tokens["refresh_token"], 5 * 365 * DAY
    while left > 90 * DAY:
        books.control("clock", {"advance_seconds": 90 * DAY})
        left -= 90 * DAY
        answer = refresh(web, token, **wanted).json()
        assert answer["x_refresh_token_hard_expires_in"] == left
        token = answer["refresh_token"]
    assert answer["x_refresh_token_expires_in"] == left < 100 * DAY
    books.control("clock", {"advance_seconds": left})
    assert refresh(web, token).json()["error"] == "invalid_grant"


def test_another_app_cannot_use_a_refresh_token_nor_spoil_it(web, tokens):
    refused = refresh(web, tokens["refresh_token"], client=("them", "sandbox-secret"))
    assert refused.json()["error_description"] == "Incorrect Token type or clientID"
    wrong_kind = refresh(web, tokens["access_token"])
    assert wrong_kind.json()["error_description"] == "Incorrect Token type or clientID"
    assert refresh(web, tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_the_connection(web, tokens, kind):
    response = web.post(REVOKE, json={"token": tokens[kind]}, auth=("us", "sandbox-secret"))
    assert (response.status_code, response.content) == (200, b"")
    assert company(web, tokens["access_token"]).status_code == 401
    assert refresh(web, tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert web.post(REVOKE, json={"token": tokens[kind]}, auth=("us", "sandbox-secret")).status_code == 400


def test_revoking_needs_the_apps_own_credentials(web, tokens):
    assert web.post(REVOKE, json={"token": tokens["access_token"]}, auth=("us", "wrong")).status_code == 401
    assert web.post(REVOKE, json={"token": tokens["access_token"]}, auth=("them", "sandbox-secret")).status_code == 400
    assert company(web, tokens["access_token"]).status_code == 200


def test_the_user_can_remove_the_app(web, tokens, books):
    assert books.control("revoke", {"vendor": "intuit", "account": PLUMBING}).json()["revoked"] == 2
    assert company(web, tokens["access_token"]).status_code == 401


def test_who_is_signed_in_is_told_as_far_as_the_scopes_go(web, tokens, asked):
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert web.get(USER, headers=headers).json()["email"] == "owner@intuit.test"
    plain = exchange(web, allow(web, asked | {"scope": "com.intuit.quickbooks.accounting"})["code"]).json()
    assert "id_token" not in plain and tokens["id_token"].count(".") == 2
    assert web.get(USER, headers={"Authorization": f"Bearer {plain['access_token']}"}).status_code == 401


def test_a_token_without_the_books_scope_cannot_read_them(web, asked):
    tokens = exchange(web, allow(web, asked | {"scope": "openid"})["code"]).json()
    refused = company(web, tokens["access_token"])
    assert refused.status_code == 403 and refused.json()["fault"]["error"][0]["code"] == "3100"


def test_the_control_call_gives_tokens_without_a_browser(books):
    assert books.control("token", {"vendor": "intuit", "account": "1"}).status_code == 400
    odd = {"vendor": "intuit", "account": PLUMBING, "scopes": ["nothing"]}
    assert books.control("token", odd).status_code == 400
    made = books.control("token", {"vendor": "intuit", "account": PLUMBING}).json()
    assert refresh(books.session, made["refresh_token"], client=("anyone", "sandbox-secret")).status_code == 200


def test_every_answer_bears_the_number_of_the_call(web, tokens):
    answers = [
        refresh(web, tokens["refresh_token"]),
        refresh(web, "AB-unknown"),
        refresh(web, tokens["refresh_token"], client=("us", "wrong")),
        web.post(REVOKE, json={"token": "nothing"}, auth=("us", "sandbox-secret")),
        web.get(USER, headers={"Authorization": "Bearer nothing"}),
        company(web, "nothing"),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 401, 400, 401, 401]
    numbers = {answer.headers["intuit_tid"] for answer in answers}
    assert len(numbers) == 6 and all(re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", number) for number in numbers)
