"""Changing the encryption key, also when the command is killed on the way."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection as database

from fieldcamp.encryption import DecryptionError, key_id
from integrations.management.commands import rotate_tokens
from integrations.models import OAuthGrant
from tests.integrations import build

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


@pytest.fixture
def grants(db, settings) -> list[OAuthGrant]:
    settings.TOKEN_ENCRYPTION_KEYS = [OLD]
    workspace = build.workspace()
    made = [
        OAuthGrant.objects.create(
            connection=build.connection(workspace), access_token=f"canary-a{n}", refresh_token=f"canary-r{n}"
        )
        for n in range(4)
    ]
    OAuthGrant.objects.create(connection=build.connection(workspace))  # disconnected: nothing to encrypt
    settings.TOKEN_ENCRYPTION_KEYS = [NEW, OLD]
    return made


def keys_in_use() -> set[str]:
    with database.cursor() as cursor:
        cursor.execute("SELECT access_token, refresh_token, answer FROM integrations_oauthgrant")
        return {value.partition(":")[0] for row in cursor.fetchall() for value in row if value}


def run() -> str:
    out = StringIO()
    call_command("rotate_tokens", stdout=out)
    return out.getvalue()


def test_all_tokens_are_encrypted_with_the_newest_key(grants, settings):
    assert keys_in_use() == {key_id(OLD)}
    out = run()
    assert out == "9 rotated, 0 left, 10 in all.\n"  # and the ids of five accounts
    assert keys_in_use() == {key_id(NEW)}
    settings.TOKEN_ENCRYPTION_KEYS = [NEW]
    assert [grant.refresh_token for grant in OAuthGrant.objects.order_by("pk")] == [
        *(f"canary-r{n}" for n in range(4)),
        "",
    ]


def test_nothing_to_do_is_said(grants):
    run()
    assert run() == "0 rotated, 0 left, 10 in all.\n"


def test_killed_on_the_way_it_goes_on_where_it_was(grants, monkeypatch):
    real, calls = rotate_tokens.rotate, []

    def killed(pk, *model):
        calls.append(pk)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(pk, *model)

    monkeypatch.setattr(rotate_tokens, "rotate", killed)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert keys_in_use() == {key_id(OLD), key_id(NEW)}
    monkeypatch.setattr(rotate_tokens, "rotate", real)
    assert run() == "7 rotated, 0 left, 10 in all.\n"


def test_a_key_that_is_missing_fails_closed_and_the_others_are_done(grants, settings):
    unmatched = Fernet.generate_key().decode()
    settings.TOKEN_ENCRYPTION_KEYS = [unmatched]
    OAuthGrant.objects.filter(pk=grants[0].pk).update(access_token="canary-x", refresh_token="")
    settings.TOKEN_ENCRYPTION_KEYS = [NEW, OLD]
    out = StringIO()
    with pytest.raises(CommandError, match="1 could not be decrypted"):
        call_command("rotate_tokens", stdout=out)
    assert out.getvalue() == "8 rotated, 1 left, 10 in all.\n"
    with pytest.raises(DecryptionError):
        OAuthGrant.objects.get(pk=grants[0].pk)


def test_a_refresh_in_the_same_moment_wins(grants, monkeypatch):
    pk = grants[0].pk
    real = OAuthGrant.objects.get_queryset().__class__.first

    def first(self):
        row = real(self)
        OAuthGrant.objects.filter(pk=pk).update(version=2, access_token="fresh")
        return row

    monkeypatch.setattr(OAuthGrant.objects.get_queryset().__class__, "first", first)
    assert rotate_tokens.rotate(pk) is False
    monkeypatch.undo()
    assert OAuthGrant.objects.get(pk=pk).access_token == "fresh"


@pytest.mark.parametrize("field", ["access_token", "refresh_token", "answer"])
def test_a_token_cannot_be_searched_for(grants, field):
    names = {*OAuthGrant._meta.get_field(field).get_lookups(), "exact", "gt", "length__gt", "range"} - {"isnull"}
    assert {"regex", "iregex", "endswith", "contains", "in"} <= names
    for name in names:
        with pytest.raises(TypeError, match="cannot be searched"):
            OAuthGrant.objects.filter(**{f"{field}__{name}": ["1", "2"] if name in ("in", "range") else "1"}).exists()
    assert not OAuthGrant.objects.filter(**{f"{field}__isnull": True}).exists()
