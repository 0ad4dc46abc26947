"""What only Microsoft's accounts can do to somebody who connects one."""

from pathlib import Path

import pytest

from integrations.accounts.clients import token_source
from integrations.models import Connection, ConnectionState, OAuthGrant
from integrations.services import connections
from tests.certificates import make_certificate
from tests.integrations.connecting import only_connection

pytestmark = pytest.mark.parametrize("vendor", ["microsoft"])


def test_an_organization_in_which_only_administrators_allow_apps(desk, vendors):
    response = desk.consent("approval@outlook.test")
    page = response.content.decode()
    assert response.status_code == 200
    assert "Outlook was not connected" in page
    assert "Try again" in page
    assert Connection.objects.count() == 0


def test_an_account_without_a_mailbox_says_what_to_do(desk):
    page = desk.get(desk.consent("nomailbox@outlook.test")["Location"])
    assert "Exchange Online licence" in page.content.decode()
    assert "Ask an administrator" in page.content.decode()
    assert not only_connection().usable


def test_every_refresh_saves_the_next_refresh_token(desk, provider):
    desk.consent("strict@outlook.test")  # whose old refresh token dies with each use
    source, seen = token_source(only_connection(), provider), set()
    for _ in range(3):
        grant = OAuthGrant.objects.get()
        seen.add(grant.refresh_token)
        source.renewed(rejected=grant.access_token)
    assert len(seen) == 3
    assert OAuthGrant.objects.get().refresh_token not in seen
    assert set(provider.permissions) <= set(OAuthGrant.objects.get().scopes)


def test_disconnecting_wipes_and_pretends_nothing(desk, vendors, admin):
    desk.consent()
    vendors.forget_requests()
    connection = connections.disconnect(connection=only_connection(), user=admin.user)
    grant = OAuthGrant.objects.get()
    assert (connection.state, connection.revoked_at_provider) == (ConnectionState.DISCONNECTED, None)
    assert (grant.access_token, grant.refresh_token, grant.answer, grant.scopes) == ("", "", "", [])
    assert vendors.requests() == []


def test_two_mailboxes_of_one_company(desk):
    desk.consent()
    desk.consent("lee@outlook.test")
    assert set(Connection.objects.values_list("account_name", flat=True)) == {"dana@outlook.test", "lee@outlook.test"}


def test_the_app_is_known_by_its_certificate_at_the_consent_too(desk, vendors, settings, tmp_path):
    settings.MICROSOFT_CERTIFICATE = files = make_certificate(tmp_path)
    settings.MICROSOFT_CLIENT = {"client_id": "sandbox-client", "secret": ""}
    body = {"vendor": "microsoft", "client_id": "sandbox-client", "certificate": Path(files["file"]).read_text()}
    vendors.call("POST", "certificate", json=body)
    desk.consent()
    assert only_connection().account_name == "dana@outlook.test"
