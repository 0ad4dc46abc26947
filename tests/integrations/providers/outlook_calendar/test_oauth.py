"""Microsoft's tokens: rotation, scopes, and every way in which a refresh is refused."""

import datetime as dt

import pytest

from integrations import errors
from integrations.transport.client import HttpClient
from tests.faketime import FakeTime
from tests.integrations.providers.outlook_calendar.conftest import NOW, OUTLOOK

ALL = frozenset(OUTLOOK.permissions)


@pytest.fixture
def no_tokens() -> HttpClient:
    return HttpClient(OUTLOOK, None, **FakeTime(NOW).kwargs())


def test_each_refresh_brings_the_next_refresh_token(microsoft, no_tokens):
    first = OUTLOOK.parse_tokens(microsoft.token(), NOW)
    second = OUTLOOK.refresh(no_tokens, first.refresh_token)
    assert second.refresh_token not in (None, first.refresh_token)
    assert second.access_token != first.access_token
    assert second.scopes >= ALL
    assert second.expires_at > dt.datetime.now(dt.UTC) + dt.timedelta(minutes=50)


def test_where_the_old_refresh_token_dies_the_new_one_lives(microsoft, no_tokens):
    first = OUTLOOK.parse_tokens(microsoft.token("strict@outlook.test"), NOW)
    second = OUTLOOK.refresh(no_tokens, first.refresh_token)
    with pytest.raises(errors.NeedsReconnect):
        OUTLOOK.refresh(no_tokens, first.refresh_token)
    assert OUTLOOK.refresh(no_tokens, second.refresh_token).access_token


@pytest.mark.parametrize(("name", "words"), [("mfa", "sign-in rules"), ("policy", "sign-in rules")])
def test_an_organizations_rules_ask_for_the_person(microsoft, no_tokens, name, words):
    tokens = OUTLOOK.parse_tokens(microsoft.token(f"{name}@outlook.test"), NOW)
    with pytest.raises(errors.NeedsReconnect, match=words):
        OUTLOOK.refresh(no_tokens, tokens.refresh_token)


def test_a_revoked_grant_needs_the_person(microsoft, no_tokens):
    tokens = OUTLOOK.parse_tokens(microsoft.token(), NOW)
    microsoft.revoke()
    with pytest.raises(errors.NeedsReconnect):
        OUTLOOK.refresh(no_tokens, tokens.refresh_token)


def test_a_wrong_secret_is_the_operators(microsoft, no_tokens, settings):
    tokens = OUTLOOK.parse_tokens(microsoft.token(), NOW)
    settings.MICROSOFT_CLIENT = {"client_id": "sandbox-client", "secret": "the secret's id"}
    with pytest.raises(errors.Misconfigured, match="MICROSOFT_CLIENT_SECRET"):
        OUTLOOK.refresh(no_tokens, tokens.refresh_token)


def test_an_ill_token_endpoint_ends_nothing(microsoft, no_tokens):
    tokens = OUTLOOK.parse_tokens(microsoft.token(), NOW)
    microsoft.fault("status", path="/token", status=503, times=9)
    with pytest.raises(errors.Unavailable):
        OUTLOOK.refresh(no_tokens, tokens.refresh_token)


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("Calendars.ReadWrite User.Read", ALL),
        ("https://graph.microsoft.com/calendars.readwrite openid https://graph.microsoft.com/User.Read", ALL),
        ("User.Read", ALL - {"Calendars.ReadWrite"}),
        (None, None),
    ],
)
def test_scopes_in_whatever_form_they_come(scope, granted):
    answer = {"access_token": "x", "refresh_token": "y", "expires_in": "3599", **({"scope": scope} if scope else {})}
    tokens = OUTLOOK.parse_tokens(answer, NOW)
    assert tokens.scopes is None if granted is None else tokens.scopes & ALL == granted
    assert tokens.expires_at == NOW + dt.timedelta(seconds=3599)


def test_without_a_refresh_token_the_permission_to_stay_is_missing():
    tokens = OUTLOOK.parse_tokens(
        {"access_token": "x", "expires_in": 3599, "scope": "User.Read Calendars.ReadWrite"}, NOW
    )
    assert ALL - tokens.scopes == {"offline_access"}


@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, {"access_token": 7}])
def test_an_answer_without_a_token_is_no_answer(answer):
    with pytest.raises(errors.Unavailable):
        OUTLOOK.parse_tokens(answer, NOW)


def test_microsoft_cannot_be_told_to_forget_us():
    assert OUTLOOK.revoke is None
