"""Intuit's tokens: rotation, two ends of a refresh token, and every way in which a refresh is refused."""

import datetime as dt

import pytest
from django.utils import timezone

from integrations import errors
from integrations.accounts.clients import token_source
from integrations.accounts.grants import OrmGrantStore
from integrations.models import Connection, ConnectionState, OAuthGrant
from integrations.transport.client import HttpClient
from integrations.transport.tokens import RefreshingTokens
from tests.faketime import FakeTime
from tests.integrations.providers.quickbooks.conftest import NOW, QUICKBOOKS, REALM


@pytest.fixture
def no_tokens(intuit) -> HttpClient:
    return HttpClient(QUICKBOOKS, None, **FakeTime(NOW).kwargs())


def switch(intuit, **values) -> None:
    intuit.call("POST", "switches", json={"vendor": "intuit", **values})


def test_the_same_refresh_token_for_a_day_and_then_another(intuit, tokens, no_tokens):
    first = QUICKBOOKS.refresh(no_tokens, tokens["refresh_token"])
    assert first.refresh_token == tokens["refresh_token"]
    intuit.advance(25 * 3600)
    second = QUICKBOOKS.refresh(no_tokens, tokens["refresh_token"])
    assert second.refresh_token != first.refresh_token
    with pytest.raises(errors.NeedsReconnect):
        QUICKBOOKS.refresh(no_tokens, tokens["refresh_token"])
    assert QUICKBOOKS.refresh(no_tokens, second.refresh_token).access_token
    assert second.raw["x_refresh_token_hard_expires_in"] > 0


@pytest.mark.parametrize(
    ("rolling", "hard", "days"), [(8640000, 864000, 10), (864000, 157680000, 10), (864000, None, 10)]
)
def test_a_refresh_token_ends_with_the_earlier_of_its_ends(rolling, hard, days):
    answer = {"access_token": "a", "refresh_token": "r", "expires_in": 3600, "x_refresh_token_expires_in": rolling}
    tokens = QUICKBOOKS.parse_tokens({**answer, **({"x_refresh_token_hard_expires_in": hard} if hard else {})}, NOW)
    assert tokens.refresh_expires_at == NOW + dt.timedelta(days=days)
    assert tokens.expires_at == NOW + dt.timedelta(hours=1)
    assert tokens.scopes == set(QUICKBOOKS.scopes)


@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, {"access_token": 7}])
def test_an_answer_without_a_token_is_no_answer(answer):
    with pytest.raises(errors.Unavailable):
        QUICKBOOKS.parse_tokens(answer, NOW)


def test_a_wrong_secret_is_the_operators(tokens, no_tokens, settings):
    settings.INTUIT_CLIENT = {"client_id": "sandbox-client", "secret": "wrong"}
    with pytest.raises(errors.Misconfigured, match="INTUIT_CLIENT_SECRET"):
        QUICKBOOKS.refresh(no_tokens, tokens["refresh_token"])


@pytest.mark.parametrize(
    "spec", [{"kind": "status", "status": 503}, {"kind": "status", "status": 429}, {"kind": "drop"}]
)
def test_an_ill_token_endpoint_ends_nothing_and_is_asked_once(intuit, tokens, no_tokens, spec):
    intuit.fault(spec["kind"], path="tokens/bearer", **{k: v for k, v in spec.items() if k != "kind"})
    intuit.forget_requests()
    with pytest.raises(errors.Transient):
        QUICKBOOKS.refresh(no_tokens, tokens["refresh_token"])
    assert QUICKBOOKS.refresh(no_tokens, tokens["refresh_token"]).access_token


def test_revoking_ends_the_connection_and_what_is_dead_is_as_good(tokens, no_tokens):
    QUICKBOOKS.revoke(no_tokens, tokens["refresh_token"])
    with pytest.raises(errors.NeedsReconnect):
        QUICKBOOKS.refresh(no_tokens, tokens["refresh_token"])
    QUICKBOOKS.revoke(no_tokens, tokens["refresh_token"])


# --- the stored grant -------------------------------------------------------------------------------------------------


@pytest.fixture
def connected(db, workspace, tokens) -> Connection:
    """The company, with a token that is over."""
    connection = Connection.objects.create(
        workspace=workspace, integration="quickbooks", account_id=REALM, state=ConnectionState.ACTIVE
    )
    grant = QUICKBOOKS.parse_tokens(tokens, timezone.now())
    OAuthGrant.objects.create(
        connection=connection,
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        expires_at=timezone.now(),
        refresh_expires_at=grant.refresh_expires_at,
        scopes=sorted(grant.scopes),
        answer="{}",
    )
    return connection


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_fifty_callers_make_one_refresh_where_each_refresh_rotates(connected, intuit, in_parallel):
    switch(intuit, rotate_every_refresh=True)
    intuit.forget_requests()
    found = in_parallel(50, lambda _: token_source(connected, QUICKBOOKS).access_token())
    stored = OAuthGrant.objects.get(connection=connected)
    assert set(found) == {stored.access_token}
    assert len(intuit.requests("tokens/bearer")) == 1
    again = HttpClient(QUICKBOOKS, None, **FakeTime(NOW).kwargs())
    assert QUICKBOOKS.refresh(again, stored.refresh_token).access_token


def test_a_refusal_of_the_token_before_is_not_the_end(connected, intuit, no_tokens):
    """Another worker's answer came late: it was saved while ours was under way, to the token that it had replaced."""
    switch(intuit, rotate_every_refresh=True)
    store = OrmGrantStore(connected.pk)

    def refresh(refresh_token: str):
        if store.read().version == version:
            assert store.save(version, QUICKBOOKS.refresh(no_tokens, refresh_token), timezone.now())
        return QUICKBOOKS.refresh(no_tokens, refresh_token)

    version = store.read().version
    token = RefreshingTokens(store, refresh, QUICKBOOKS.permissions).access_token()
    connected.refresh_from_db()
    assert token == OAuthGrant.objects.get(connection=connected).access_token
    assert connected.state == ConnectionState.ACTIVE


def test_a_revoked_app_needs_the_person(connected, intuit):
    intuit.revoke()
    with pytest.raises(errors.NeedsReconnect):
        token_source(connected, QUICKBOOKS).access_token()
    connected.refresh_from_db()
    assert connected.state == ConnectionState.NEEDS_RECONNECT


def test_no_other_host_gets_a_token(http):
    for url in ("http://sandbox.test/intuit/oauth/x", "http://elsewhere.test/v3/company/1/query"):
        with pytest.raises(errors.Misconfigured):
            http.request("GET", url)
