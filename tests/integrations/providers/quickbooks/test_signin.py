"""A company's administrator goes through Intuit's consent and back; what a sync of its books may be asked for."""

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection as database
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from fieldcamp.workspace.models import Role
from integrations.accounts.checking import REST, check_soon
from integrations.api.serializers import trigger_body
from integrations.jobs import tasks
from integrations.models import Connection, OAuthGrant, Problem
from tests.integrations.connecting import Browser
from tests.integrations.providers.quickbooks.conftest import QUICKBOOKS, REALM


@pytest.fixture
def desk(db, intuit, make_member) -> Browser:
    user = User.objects.create_user(username="adam", is_staff=True)
    make_member(first_name="Adam", user=user, role=Role.ADMIN, email="adam@fieldcamp.test")
    browser = Browser(headers={"host": "127.0.0.1:8000"})
    browser.vendors, browser.connect_page = intuit, "/admin/integrations/connect/quickbooks/"
    browser.force_login(user)
    return browser


def test_consent_makes_a_connection_of_the_company(desk, intuit):
    response = desk.consent()
    assert response.status_code == 302, response.content
    connection = Connection.objects.get()
    assert (connection.integration, connection.account_id) == ("quickbooks", REALM)
    assert connection.account_name == "Dana's Plumbing"
    grant = OAuthGrant.objects.get(connection=connection)
    assert "com.intuit.quickbooks.accounting" in grant.scopes
    assert grant.refresh_expires_at is not None
    assert "x_refresh_token_hard_expires_in" in grant.answer  # it was asked for


def test_the_address_names_no_secret_and_no_code_challenge(desk):
    url = desk.start()
    assert "sandbox-secret" not in url and "code_challenge" not in url
    assert "com.intuit.quickbooks.accounting" in url


@pytest.mark.slow
@pytest.mark.parametrize("realm", ["", "../../me", "9130002"])
def test_a_company_that_the_consent_was_not_for(desk, realm):
    """The browser could name any company: only one that answers to the token is connected."""
    location = desk.answer(desk.start())
    assert f"realmId={REALM}" in location
    response = desk.come_back(location.replace(f"realmId={REALM}", f"realmId={realm}"))
    assert response.status_code in (200, 400, 502, 503)
    assert not Connection.objects.exists()


def test_denied(desk):
    response = desk.come_back(desk.answer(desk.start(), "deny"))
    assert response.status_code == 200
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    ("sent", "scope", "mode"),
    [
        ({}, "all", "incremental"),
        ({"scope": "customers"}, "customers", "incremental"),
        ({"scope": "taxes", "mode": "full"}, "taxes", "full"),
    ],
)
def test_a_trigger_may_name_a_scope(sent, scope, mode):
    body = trigger_body(QUICKBOOKS, sent)
    assert (body["scope"], body["mode"]) == (scope, mode)


def test_a_trigger_names_no_scope_that_there_is_not():
    with pytest.raises(ValidationError):
        trigger_body(QUICKBOOKS, {"scope": "vendors"})


def test_who_disconnects_at_intuit_is_told_so_without_a_login_and_nothing_is_changed(desk, intuit):
    """Intuit leads the browser there with whatever query; neither that nor anybody else's call ends anything."""
    desk.consent()
    grant = OAuthGrant.objects.get()
    intuit.revoke()
    before = Connection.objects.values().get()
    page = Browser().get(f"/disconnected/quickbooks?realmId={REALM}&state=x")
    assert page.status_code == 200 and not page.cookies
    text = page.content.decode()
    for words in ("QuickBooks is disconnected from FieldCamp", "What is kept", "Reconnect", 'href="/admin/"'):
        assert words in text
    assert REALM not in text
    assert Browser().get("/disconnected/unheard-of").status_code == 404
    assert Browser().post("/disconnected/quickbooks").status_code == 405
    assert Connection.objects.values().get() == before and OAuthGrant.objects.get().version == grant.version


@pytest.mark.parametrize("query", [f"?realmId={REALM}", ""])
def test_who_disconnects_at_intuit_has_a_worker_ask_intuit(
    desk, intuit, queue, query, django_capture_on_commit_callbacks
):
    """The card turns without waiting for the next sync, and nothing that is billed is asked."""
    desk.consent()
    connection = Connection.objects.get()
    OAuthGrant.objects.update(refreshed_at=timezone.now() - REST * 2)
    intuit.revoke()
    intuit.forget_requests()
    Browser().get(f"/disconnected/quickbooks{query}")
    assert queue.queue_size() == 1
    with django_capture_on_commit_callbacks(execute=True):
        tasks.check_access(connection.pk)
    assert Connection.objects.get().state == "needs_reconnect"
    assert Problem.objects.open().get().code == "NEEDS_RECONNECT"
    assert [message.to for message in mail.outbox]
    assert {row["path"].rpartition("/")[2] for row in intuit.requests()} == {"bearer"}


def test_an_access_that_lives_is_renewed_and_then_left_alone(desk, intuit, queue):
    desk.consent()
    connection = Connection.objects.get()
    version = OAuthGrant.objects.get().version
    for _ in range(2):
        Browser().get("/disconnected/quickbooks")
        tasks.check_access(connection.pk)
    assert (queue.queue_size(), OAuthGrant.objects.get().version) == (0, version)  # it was given just now
    OAuthGrant.objects.update(refreshed_at=timezone.now() - REST * 2)
    queries = ("?realmId=1", *[f"?realmId={REALM}"] * 5, f"?realmId={REALM}%00", "?realmId=" + "9" * 5000)
    for query in queries:
        assert Browser().get(f"/disconnected/quickbooks{query}").status_code == 200
    assert queue.queue_size() == 1
    for _ in range(3):
        tasks.check_access(connection.pk)
    assert OAuthGrant.objects.get().version == version + 1
    assert Connection.objects.get().state != "needs_reconnect"


def test_the_page_for_who_disconnects_is_there_without_a_database(desk, monkeypatch):
    monkeypatch.setattr("integrations.views.public.check_soon", lambda *_: 1 / 0)
    answer = Browser().get("/disconnected/quickbooks")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")


def test_a_round_asks_so_many_accounts_once_a_minute(desk, intuit, queue, monkeypatch):
    desk.consent()
    OAuthGrant.objects.update(refreshed_at=timezone.now() - REST * 2)
    monkeypatch.setattr("integrations.accounts.checking.AT_ONCE", 0)
    assert check_soon(QUICKBOOKS) == 0
    monkeypatch.undo()
    assert check_soon(QUICKBOOKS) == 0  # within the minute
    assert check_soon(QUICKBOOKS, REALM) == 1
    assert check_soon(QUICKBOOKS, REALM) == 0
    assert queue.queue_size() == 1


def test_a_vendor_that_is_down_and_a_key_that_is_lost_are_in_nobodys_way(desk, intuit):
    desk.consent()
    connection = Connection.objects.get()
    OAuthGrant.objects.update(refreshed_at=timezone.now() - REST * 2)
    intuit.fault("status", status=503, times=9)
    tasks.check_access(connection.pk)
    intuit.heal()
    with database.cursor() as cursor:
        cursor.execute("UPDATE integrations_oauthgrant SET refresh_token = 'lost:x', access_token = 'lost:x'")
    tasks.check_access(connection.pk)
    assert Connection.objects.get().state == connection.state
