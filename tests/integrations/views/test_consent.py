"""The whole way through each vendor's consent and back, and every way in which it can fail."""

import base64
import hashlib
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.auth.models import User

from integrations.models import Connection, ConnectionState, OAuthGrant, Problem
from integrations.services.connections import list_containers
from tests.integrations.connecting import only_connection

pytestmark = pytest.mark.parametrize("vendor", ["google", "microsoft"])


@pytest.fixture
def main(vendors) -> str:
    return vendors.main


@pytest.fixture
def lees(vendors) -> str:
    return vendors.main.replace("dana", "lee")


@pytest.fixture
def callback(provider) -> str:
    return f"/accounts/{provider.slug}/login/callback/"


def text(response) -> str:
    return response.content.decode()


def first_calendar() -> str:
    return list_containers(only_connection())[0].id


def test_connecting_an_account(desk, dana, provider, main):
    assert f"Continue to {provider.label}" in text(desk.get(desk.connect_page))
    response = desk.consent()
    connection = only_connection()
    assert response["Location"] == f"/admin/integrations/connections/{connection.pk}/setup/"
    assert (connection.account_name, connection.state, connection.integration) == (
        main,
        ConnectionState.SETUP,
        provider.name,
    )
    assert connection.connected_by.username == "adam"
    grant = OAuthGrant.objects.get(connection=connection)
    assert grant.access_token
    assert grant.refresh_token
    assert '"refresh_token"' in grant.answer
    assert set(provider.permissions) <= set(grant.scopes)
    assert grant.expires_at
    assert f"{main} is connected" in text(desk.get(response["Location"]))


def test_what_the_vendor_is_asked(desk, provider, callback, vendor):
    query = parse_qs(urlsplit(desk.start()).query)
    assert set(query["scope"][0].split()) == set(provider.scopes)
    assert "select_account" in query["prompt"][0]
    if vendor == "google":
        assert query["access_type"] == ["offline"] and "consent" in query["prompt"][0]
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["state"][0]) >= 16
    assert query["redirect_uri"] == [f"http://127.0.0.1:8000{callback}"]
    assert "login_hint" not in query


def test_the_code_is_worth_nothing_without_the_verifier_that_only_we_know(desk, vendors, callback, monkeypatch):
    """RFC 7636: whoever reads the redirect cannot exchange the code. The vendor is told the verifier that fits."""
    sent = []
    send = vendors.adapter.send
    monkeypatch.setattr(vendors.adapter, "send", lambda request, **k: sent.append(request) or send(request, **k))
    start = desk.start()
    back = desk.answer(start)
    sent.clear()
    desk.come_back(back)
    [exchange] = [parse_qs(request.body) for request in sent if "/token" in request.url]
    digest = hashlib.sha256(exchange["code_verifier"][0].encode()).digest()
    challenge = parse_qs(urlsplit(start).query)["code_challenge"][0]
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == challenge
    assert exchange["code_verifier"][0] not in start + back
    assert Connection.objects.count() == 1


def test_an_exchange_without_the_verifier_is_refused(desk, vendors, monkeypatch):
    back = desk.answer(desk.start())
    send = vendors.adapter.send

    def without(request, **kwargs):
        if "/token" in request.url:
            form = {name: values[0] for name, values in parse_qs(request.body).items() if name != "code_verifier"}
            request.prepare_body(form, None)
        return send(request, **kwargs)

    monkeypatch.setattr(vendors.adapter, "send", without)
    desk.come_back(back)
    assert Connection.objects.count() == 0


def test_the_redirect_address_is_the_sites_public_one(desk, settings, callback):
    settings.PUBLIC_URL = "https://sync.example.com"
    assert parse_qs(urlsplit(desk.start()).query)["redirect_uri"] == [f"https://sync.example.com{callback}"]


def test_allauth_keeps_nothing_and_signs_nobody_in(desk, admin):
    users = User.objects.count()
    desk.consent()
    assert SocialAccount.objects.count() == SocialToken.objects.count() == 0
    assert User.objects.count() == users
    assert int(desk.session["_auth_user_id"]) == admin.user.pk


@pytest.mark.slow
def test_no_token_is_in_pages_sessions_or_logs(desk, dana, caplog, settings):
    settings.DEBUG = True
    with caplog.at_level("DEBUG"):
        start = desk.start()
        back = desk.answer(start)
        page = desk.come_back(back)
        follow = desk.get(page["Location"])
    grant = OAuthGrant.objects.get()
    code = parse_qs(urlsplit(back).query)["code"][0]
    for secret in (grant.access_token, grant.refresh_token, code):
        assert secret not in text(page) + text(follow) + str(dict(desk.session)) + caplog.text
    with pytest.raises(TypeError):
        OAuthGrant.objects.filter(access_token=grant.access_token).exists()


def test_refused_consent(desk, callback, provider):
    start = desk.start()
    state = parse_qs(urlsplit(start).query)["state"][0]
    response = desk.come_back(f"{callback}?{urlencode({'error': 'access_denied', 'state': state})}")
    assert f"{provider.label} was not connected: access was refused." in text(response)
    assert "Try again" in text(response)
    assert Connection.objects.count() == 0


def test_the_address_with_the_code_shows_no_page(desk, callback):
    """Whoever sees it in a history or a log finds nothing behind it, and no other site is told of it."""
    back = desk.answer(desk.start())
    parts = urlsplit(back)
    for query, led in ((parts.query, "/setup/"), (parts.query, "/ended/expired/"), ("code=x", "/ended/expired/")):
        answer = desk.get(f"{callback}?{query}")
        assert (answer.status_code, answer.content, answer["Referrer-Policy"]) == (302, b"", "no-referrer")
        assert answer["Location"].endswith(led)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("{slug}/ended/other_account/", 200, "not valid any more"),  # of nobody's consent
        ("{slug}/ended/failed/", 200, "Try again"),
        ("{slug}/ended/refused/", 403, "from the dashboard"),
        ("{slug}/ended/../login/", 404, ""),
        ("{slug}/ended/setup/", 404, ""),
        ("nobody/ended/failed/", 404, ""),
    ],
)
def test_a_page_about_a_consent_that_nobody_has_given(desk, provider, path, status, words):
    response = desk.get("/accounts/" + path.format(slug=provider.slug))
    assert response.status_code == status and words in text(response)


@pytest.mark.slow
def test_one_box_left_empty(desk, dana, vendors, provider):
    lost, words = next(iter(provider.permissions.items()))
    kept = [scope for scope in provider.scopes if scope != lost]
    back = desk.answer(desk.start())
    answer = vendors.token(scopes=kept)
    vendors.fault("status", path="/token", status=200, body=answer)
    response = desk.come_back(back)
    connection = only_connection()
    assert (connection.state, words in connection.state_reason) == (ConnectionState.NEEDS_PERMISSION, True)
    assert not connection.usable
    assert Problem.objects.get(resolved_at=None).code == "NEEDS_PERMISSION"
    page = text(desk.get(response["Location"]))
    assert words.replace("'", "&#x27;") in page
    assert "Connect again" in page
    desk.consent(connection=connection.pk)
    connection.refresh_from_db()
    assert (connection.state, connection.state_reason) == (ConnectionState.SETUP, "")
    assert not Problem.objects.filter(resolved_at=None).exists()


def test_the_back_button_and_a_callback_sent_twice(desk):
    back = desk.answer(desk.start())
    desk.come_back(back)
    again = desk.come_back(back)
    assert again.status_code == 200
    assert "not valid any more" in text(again)
    assert Connection.objects.count() == 1


def test_a_consent_that_took_too_long(desk, clock):
    back = desk.answer(desk.start())
    clock.move(11 * 60)
    response = desk.come_back(back)
    assert "not valid any more" in text(response)
    assert "Start again" in text(response)
    assert Connection.objects.count() == 0


@pytest.mark.slow
def test_two_tabs_each_finish(desk, main, lees):
    first, second = desk.start(), desk.start()
    desk.come_back(desk.answer(first, main))
    desk.come_back(desk.answer(second, lees))
    assert set(Connection.objects.values_list("account_name", flat=True)) == {main, lees}


def test_two_tabs_with_one_account_make_one_connection(desk):
    first, second = desk.start(), desk.start()
    desk.come_back(desk.answer(first))
    desk.come_back(desk.answer(second))
    assert Connection.objects.count() == 1


@pytest.mark.slow
@pytest.mark.parametrize("query", ["", "?state=forged&code=abc", "?code=abc", "?state=", "?error=access_denied"])
def test_a_callback_out_of_nowhere(desk, query, callback):
    response = desk.come_back(callback + query)
    assert response.status_code == 200
    assert Connection.objects.count() == 0
    assert "again" in text(response)


@pytest.mark.slow
def test_reconnecting_keeps_everything(desk, dana, vendors, main):
    setup = desk.consent()["Location"]
    desk.post(setup, {"member": dana.pk, "target": first_calendar(), "busy": first_calendar()})
    connection = only_connection()
    stream = connection.streams.get()
    stream.cursor = "where we were"
    stream.save()
    Connection.objects.update(state=ConnectionState.NEEDS_RECONNECT)
    page = text(desk.get(f"{desk.connect_page}?connection={connection.pk}"))
    assert f"Reconnect {main}" in page
    start = desk.start(connection=connection.pk)
    assert parse_qs(urlsplit(start).query)["login_hint"] == [main]
    desk.come_back(desk.answer(start))
    again = only_connection()
    assert (again.pk, again.state, again.member) == (connection.pk, ConnectionState.ACTIVE, dana)
    assert again.streams.get().cursor == "where we were"


@pytest.mark.slow
def test_reconnecting_with_another_account_needs_a_yes(desk, dana, main, lees):
    setup = desk.consent()["Location"]
    desk.post(setup, {"member": dana.pk, "target": first_calendar()})
    connection, version = only_connection(), OAuthGrant.objects.get().version
    response = desk.consent(lees, connection=connection.pk)
    assert response.status_code == 409
    assert f"You chose {lees} instead of {main}" in text(response)
    assert "Switch accounts" in text(response)
    assert OAuthGrant.objects.get().version == version
    response = desk.consent(lees, connection=connection.pk, switch="1")
    switched = only_connection()
    assert (switched.pk, switched.account_name, switched.state) == (
        connection.pk,
        lees,
        ConnectionState.SETUP,
    )
    assert not switched.streams.filter(is_active=True).exists()


@pytest.mark.slow
def test_a_switch_to_an_account_that_has_a_connection_is_refused(desk, main, lees):
    desk.consent(main)
    desk.consent(lees)
    connection = Connection.objects.get(account_name=main)
    response = desk.consent(lees, connection=connection.pk, switch="1")
    assert response.status_code == 409
    assert "connected already" in text(response)
    assert Connection.objects.count() == 2


def test_a_wrong_client_secret_is_called_the_operators_fault(desk, settings, provider):
    setattr(settings, f"{provider.authentication.app}_CLIENT", {"client_id": "sandbox-client", "secret": "wrong"})
    response = desk.consent()
    assert "operator" in text(response)
    assert Connection.objects.count() == 0


def test_no_client_at_all(desk, settings, provider):
    setattr(settings, f"{provider.authentication.app}_CLIENT", {"client_id": "", "secret": ""})
    callback = f"/accounts/{provider.slug}/login/callback/"
    for response in (desk.post(desk.connect_page), desk.get(callback, follow=True)):
        assert response.status_code == 503
        assert "operator" in text(response)
    back = desk.get(f"{callback}?code=secret&state=x")
    assert (back.status_code, back.content, back["Referrer-Policy"]) == (302, b"", "no-referrer")
    assert "secret" not in back["Location"]
    assert desk.post(callback).status_code == 405


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("status", {"status": 503, "times": 3}),
        ("drop", {"times": 3}),
        ("status", {"status": 200, "body": "<html>", "times": 3}),
        ("status", {"status": 200, "body": {}}),
        ("status", {"status": 200, "body": {"access_token": "x", "expires_in": "soon"}}),
    ],
)
@pytest.mark.parametrize("path", ["/token", "/userinfo|/me$"])
def test_an_ill_vendor_is_a_page_and_not_a_crash(desk, vendors, path, kind, spec):
    back = desk.answer(desk.start())
    vendors.fault(kind, path=path, **spec)
    response = desk.come_back(back)
    assert response.status_code == 200
    assert "Try again" in text(response)
    assert Connection.objects.count() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "error", ["consent_required", "server_error", "temporarily_unavailable", "interaction_required"]
)
def test_every_other_refusal_is_a_page(desk, callback, error):
    state = parse_qs(urlsplit(desk.start()).query)["state"][0]
    refusal = urlencode({"error": error, "error_description": "AADSTS65001: words", "state": state})
    response = desk.come_back(f"{callback}?{refusal}")
    assert response.status_code == 200
    assert "Try again" in text(response)
    assert "AADSTS" not in text(response)
    assert Connection.objects.count() == 0
