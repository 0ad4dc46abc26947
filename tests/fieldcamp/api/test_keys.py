"""Keys: who gets in, and what is kept of a secret."""

import datetime as dt

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from fieldcamp.api import services
from fieldcamp.api.authentication import touch
from fieldcamp.api.models import ApiKey
from fieldcamp.api.scopes import SCOPES
from tests.conftest import api_client

pytestmark = pytest.mark.django_db


def status(**headers) -> int:
    return api_client().get("/api/v1/team", **headers).status_code


def bearer(secret: str) -> int:
    return status(HTTP_AUTHORIZATION=f"Bearer {secret}")


def test_a_secret_is_long_random_and_not_kept(workspace, api_key):
    secret = api_key()
    assert secret.startswith("fc_live_") and len(secret) == 68
    stored = ApiKey.objects.values().get()
    assert secret not in str(stored) and stored["prefix"] == secret[:20]
    assert stored["digest"] not in (secret, "")


def test_the_digest_depends_on_the_pepper(api_key, settings):
    secret = api_key()
    settings.API_KEY_PEPPER = "another"
    assert bearer(secret) == 401


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER   {}", "bEaReR {} "])
def test_bearer_in_any_case(api_key, header):
    assert status(HTTP_AUTHORIZATION=header.format(api_key())) == 200


def test_x_api_key_alone_and_together_with_the_same_bearer(api_key):
    secret = api_key()
    assert status(HTTP_X_API_KEY=secret) == 200
    assert status(HTTP_X_API_KEY=secret, HTTP_AUTHORIZATION=f"Bearer {secret}") == 200


def test_two_different_keys_are_refused(api_key):
    assert status(HTTP_X_API_KEY=api_key(), HTTP_AUTHORIZATION=f"Bearer {api_key()}") == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"HTTP_AUTHORIZATION": ""},
        {"HTTP_AUTHORIZATION": "Bearer"},
        {"HTTP_AUTHORIZATION": "Bearer "},
        {"HTTP_AUTHORIZATION": "Basic dXNlcjpwYXNz"},
        {"HTTP_AUTHORIZATION": "Bearer fc_live_"},
        {"HTTP_AUTHORIZATION": "Bearer fc_live_" + "a" * 60},
        {"HTTP_AUTHORIZATION": "Bearer " + "a" * 100_000},
        {"HTTP_AUTHORIZATION": "Bearer fc_live_\x00\x01\x7f"},
        {"HTTP_AUTHORIZATION": "Bearer fc_live_" + "é" * 60},
        {"HTTP_AUTHORIZATION": "Bearer fc_live_" + "٣" * 60},
        {"HTTP_AUTHORIZATION": "Bearer one two"},
        {"HTTP_X_API_KEY": ""},
        {"HTTP_X_API_KEY": "\ud800"},
    ],
)
def test_garbled_or_unknown_keys_are_unauthorized(headers):
    response = api_client().get("/api/v1/team", **headers)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response.json()["error"]["code"] == "UNAUTHORIZED"
    assert "X-RateLimit-Limit" not in response


def test_one_wrong_character_is_refused(api_key):
    secret = api_key()
    assert bearer(secret[:-1] + ("a" if secret[-1] != "a" else "b")) == 401
    assert bearer(secret + "a") == 401


def test_expired_and_revoked(workspace):
    now = timezone.now()
    key, secret = services.create_key(workspace=workspace, name="soon over", expires_at=now + dt.timedelta(days=1))
    assert bearer(secret) == 200
    with time_machine.travel(now + dt.timedelta(days=1, seconds=1), tick=False):
        assert bearer(secret) == 401
    services.revoke_key(key)
    services.revoke_key(key)
    assert bearer(secret) == 401


def test_rotation_overlaps(workspace):
    now = timezone.now()
    key, old = services.create_key(workspace=workspace, name="rotated")
    new = services.rotate_key(key, overlap=dt.timedelta(hours=1))
    assert (bearer(old), bearer(new)) == (200, 200)
    newest = services.rotate_key(key, overlap=dt.timedelta(hours=1))
    assert (bearer(old), bearer(new), bearer(newest)) == (401, 200, 200)
    with time_machine.travel(now + dt.timedelta(hours=2), tick=False):
        assert (bearer(new), bearer(newest)) == (401, 200)


def test_last_use_is_written_at_most_once_a_minute(api_key):
    secret, start = api_key(), dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)
    seen = []
    for seconds in (0, 30, 59, 60, 61):
        with time_machine.travel(start + dt.timedelta(seconds=seconds), tick=False):
            assert bearer(secret) == 200
            seen.append((ApiKey.objects.get().last_used_at - start).total_seconds())
    assert seen == [0, 0, 0, 60, 60]


def test_two_processes_that_both_saw_the_old_use_write_once(api_key):
    api_key()
    now = timezone.now()
    first, second = ApiKey.objects.get(), ApiKey.objects.get()
    touch(first, now)
    touch(second, now + dt.timedelta(seconds=30))
    assert ApiKey.objects.get().last_used_at == now


def test_scope_is_named_when_it_lacks(api_key):
    client = api_client(api_key(scopes=["visits:read"]))
    assert client.get("/api/v1/visits").status_code == 200
    assert client.head("/api/v1/visits").status_code == 200
    response = client.post("/api/v1/visits", {})
    assert response.status_code == 403
    error = response.json()["error"]
    assert error["code"] == "INSUFFICIENT_SCOPE" and "visits:write" in error["message"]
    assert error["details"] == {"required_scope": "visits:write"}
    assert client.head("/api/v1/clients").status_code == 403
    assert client.delete("/api/v1/visits").status_code == 403


def test_write_does_not_imply_read(api_key):
    assert api_client(api_key(scopes=["visits:write"])).get("/api/v1/visits").status_code == 403


@pytest.mark.parametrize("scopes", [["visits:delete"], ["visits"], [""]])
def test_unknown_scopes_are_refused(workspace, scopes):
    with pytest.raises(ValidationError):
        services.create_key(workspace=workspace, name="x", scopes=scopes)


def test_command_prints_the_secret_once(workspace, capsys):
    call_command("create_api_key", workspace=workspace.pk, name="cli", rate_limit=7, expires_days=2)
    secret = capsys.readouterr().out.strip()
    key = ApiKey.objects.get()
    assert bearer(secret) == 200
    assert key.scopes == list(SCOPES) and key.rate_limit_override == 7
    assert dt.timedelta(days=1) < key.expires_at - timezone.now() <= dt.timedelta(days=2)


def test_command_takes_scopes(workspace, capsys):
    call_command(
        "create_api_key", "--workspace", workspace.pk, "--name", "x", "--scope", "team:read", "--scope=items:read"
    )
    assert ApiKey.objects.get().scopes == ["team:read", "items:read"]


def test_command_explains_mistakes(workspace):
    with pytest.raises(CommandError, match="no workspace"):
        call_command("create_api_key", workspace="wsp_nope", name="x")
    with pytest.raises(CommandError):
        call_command("create_api_key", workspace=workspace.pk, name="x" * 101)
    with pytest.raises(CommandError):
        call_command("create_api_key", workspace=workspace.pk, name="x", rate_limit=-1)
    with pytest.raises(CommandError):
        call_command("create_api_key", workspace=workspace.pk, name="x", expires_days=0)
    assert not ApiKey.objects.exists()
