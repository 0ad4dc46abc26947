"""The id of an account at its provider: encrypted in the database, found by a keyed digest, shown by its end."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldDoesNotExist, FieldError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.db import connection as database

from fieldcamp.encryption import DecryptionError
from fieldcamp.texts import masked
from integrations.accounts.clients import open_remote
from integrations.accounts.disconnecting import disconnect
from integrations.errors import Misconfigured
from integrations.models import Connection, ConnectionState, OAuthGrant
from integrations.records import Account, Tokens
from integrations.services.connections import take_grant
from integrations.services.doctor import examine
from tests.integrations import build

pytestmark = pytest.mark.django_db
REALM, OTHER = "9341453182774906", "9341453182774907"
BOOKS = "quickbooks"


@pytest.fixture
def connection(workspace) -> Connection:
    made = build.connection(workspace, integration=BOOKS, account_id=REALM, account_name="Reed Plumbing")
    OAuthGrant.objects.create(connection=made, access_token="at", refresh_token="rt")
    return made


def stored() -> list[tuple[str, ...]]:
    with database.cursor() as cursor:
        cursor.execute("SELECT sealed_account_id, account_digest FROM integrations_connection ORDER BY id")
        return [tuple(row) for row in cursor.fetchall()]


def take(workspace, account_id: str, **more) -> Connection:
    return take_grant(
        workspace=workspace, integration=BOOKS, account=Account(account_id, "Reed Plumbing"),
        tokens=Tokens("new-at", None, "new-rt"), user=None, **more,
    )  # fmt: skip


def test_it_is_found_and_read_and_nowhere_in_clear(connection):
    assert Connection.objects.for_account(BOOKS, REALM).get().account_id == REALM
    assert not Connection.objects.for_account(BOOKS, OTHER).exists()
    assert not Connection.objects.for_account("google_calendar", REALM).exists()
    assert connection.is_of(REALM) and not connection.is_of(OTHER)
    assert REALM not in str(stored()) and REALM not in repr(vars(connection))


@pytest.mark.parametrize(
    "query",
    [
        lambda rows: rows.filter(account_id=REALM),
        lambda rows: rows.exclude(account_id__in=[REALM]),
        lambda rows: rows.get(account_id=REALM),
        lambda rows: rows.get_or_create(account_id=REALM),
        lambda rows: rows.update_or_create(account_id=REALM),
        lambda rows: rows.update(account_id=REALM),
        lambda rows: rows.values("account_id"),
        lambda rows: rows.values_list("account_id", flat=True),
        lambda rows: rows.order_by("account_id"),
        lambda rows: rows.only("account_id").first(),
    ],
)
def test_a_query_for_it_is_an_error_and_no_empty_answer(connection, query):
    with pytest.raises((FieldError, FieldDoesNotExist)):
        query(Connection.objects.all())


def test_one_workspace_has_one_connection_of_an_account(connection, workspace, second_workspace):
    build.connection(second_workspace, integration=BOOKS, account_id=REALM)
    with pytest.raises(IntegrityError), transaction.atomic():
        build.connection(workspace, integration=BOOKS, account_id=REALM)
    assert Connection.objects.same_account(connection).get().workspace == second_workspace


@pytest.mark.parametrize(("account_id", "shown"), [(REALM, "…4906"), ("1", "…"), ("123456", "…56"), ("", "…")])
def test_pages_show_its_end(account_id, shown):
    assert masked(account_id) == shown


def test_two_accounts_of_one_id_are_encrypted_differently(connection, second_workspace):
    build.connection(second_workspace, integration=BOOKS, account_id=REALM)
    [(first, digest), (second, same)] = stored()
    assert first != second and digest == same


def test_saving_a_row_leaves_it_as_it_is(connection):
    before = stored()
    row = Connection.objects.get()
    row.failures = 3
    row.save()
    row.refresh_from_db()
    assert stored() == before and row.account_id == REALM


def test_a_new_key_leaves_no_row_under_the_old_one(connection, settings):
    [(before, digest)] = stored()
    old, settings.TOKEN_ENCRYPTION_KEYS = settings.TOKEN_ENCRYPTION_KEYS, [Fernet.generate_key().decode()]
    assert "into 1 accounts (tokens, the account's id) was encrypted with a key" in str([*examine(offline=True)])
    settings.TOKEN_ENCRYPTION_KEYS = [*settings.TOKEN_ENCRYPTION_KEYS, *old]
    call_command("rotate_tokens", stdout=StringIO())
    settings.TOKEN_ENCRYPTION_KEYS = settings.TOKEN_ENCRYPTION_KEYS[:1]
    [(after, same)] = stored()
    assert after.partition(":")[0] != before.partition(":")[0] and same == digest
    assert Connection.objects.for_account(BOOKS, REALM).get().account_id == REALM


def test_a_lost_key_takes_neither_pages_nor_the_way_back_along(connection, workspace, settings):
    """Who operates is told; who connects the account again has its row, links and history again."""
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    row = Connection.objects.get()
    assert (row.readable_account_id, row.shown_account_id) == ("", "…")
    with pytest.raises(DecryptionError):
        _ = row.account_id
    with pytest.raises(Misconfigured, match="TOKEN_ENCRYPTION_KEYS"):
        open_remote(row)
    disconnect(connection=row, user=None)
    again = take(workspace, REALM)
    assert again.pk == connection.pk
    fresh = Connection.objects.get()
    assert (fresh.account_id, fresh.grant.access_token) == (REALM, "new-at")


def test_a_new_pepper_is_noticed_and_mended(connection, workspace, settings):
    settings.API_KEY_PEPPER = "another pepper, as long as one has to be"
    assert not Connection.objects.for_account(BOOKS, REALM).exists()
    assert "API_KEY_PEPPER was changed" in str([*examine(offline=True)])
    out = StringIO()
    call_command("account_digests", stdout=out)
    assert out.getvalue() == "1 renewed.\n"
    assert Connection.objects.for_account(BOOKS, REALM).get() == connection
    assert "API_KEY_PEPPER was changed" not in str([*examine(offline=True)])
    call_command("account_digests", stdout=out)
    assert out.getvalue().endswith("0 renewed.\n")


def test_an_account_that_was_connected_again_meanwhile_is_named(connection, workspace, settings):
    Connection.objects.update(state=ConnectionState.DISCONNECTED)
    settings.API_KEY_PEPPER = "another pepper, as long as one has to be"
    again = take(workspace, REALM)
    assert again.pk != connection.pk
    with pytest.raises(CommandError, match=f"{connection.pk} is of the account that was connected again as {again.pk}"):
        call_command("account_digests", stdout=StringIO())
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match=f"lacks the key of .*{connection.pk}"):
        call_command("account_digests", stdout=StringIO())
