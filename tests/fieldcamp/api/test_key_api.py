"""`/api-keys`: secrets are shown once, and no key makes or takes more than it has."""

import datetime as dt
import re

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from fieldcamp.api import expiry, services
from fieldcamp.api.models import ApiKey, IdempotencyRecord
from fieldcamp.api.scopes import SCOPES
from fieldcamp.workspace.models import AuditEntry, Role
from tests.conftest import api_client

pytestmark = pytest.mark.django_db

KEYS = "/api/v1/api-keys"
FEW = ["visits:read", "api_keys:read", "api_keys:write"]


def error(response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@pytest.fixture
def made(api):
    return api.post(KEYS, {"name": "Import", "scopes": ["visits:read"]}).json()["data"]


def test_a_made_key_works_and_its_secret_is_never_shown_again(api, made):
    assert api_client(made["secret"]).get("/api/v1/visits").status_code == 200
    assert made["scopes"] == ["visits:read"] and made["createdBy"].startswith("API key test (key_")
    one = api.get(f"{KEYS}/{made['id']}").json()["data"]
    assert one == {name: value for name, value in made.items() if name != "secret"} | {"lastUsedAt": one["lastUsedAt"]}
    listed = api.get(KEYS).content.decode()
    assert made["id"] in listed and made["secret"] not in listed and "digest" not in listed


def test_location_leads_to_the_key(api):
    response = api.post(KEYS, {"name": "Import", "scopes": ["visits:read"]})
    assert response.status_code == 201
    assert api.get(response["Location"]).json()["data"]["name"] == "Import"


def test_a_key_grants_no_scope_that_it_lacks(api, api_key, made):
    small = api_client(api_key(scopes=FEW))
    refused = small.post(KEYS, {"name": "x", "scopes": ["visits:read", "clients:read"]})
    assert error(refused) == (403, "INSUFFICIENT_SCOPE")
    assert refused.json()["error"]["details"] == {"required_scope": "clients:read"}
    assert small.post(KEYS, {"name": "x", "scopes": ["visits:read"]}).status_code == 201
    assert error(small.patch(f"{KEYS}/{made['id']}", {"scopes": ["clients:read"]})) == (403, "INSUFFICIENT_SCOPE")


def test_a_key_handles_no_key_that_may_do_more(api_key):
    api_key(name="owner")
    owner = ApiKey.objects.get(name="owner")
    small = api_client(api_key(scopes=FEW))
    assert error(small.post(f"{KEYS}/{owner.pk}/rotate", {})) == (403, "INSUFFICIENT_SCOPE")
    assert error(small.patch(f"{KEYS}/{owner.pk}", {"scopes": ["visits:read"]})) == (403, "INSUFFICIENT_SCOPE")
    assert error(small.delete(f"{KEYS}/{owner.pk}")) == (403, "INSUFFICIENT_SCOPE")


def test_a_key_grants_no_rate_that_it_lacks(api_key):
    slow = api_client(api_key(rate_limit_override=200))
    assert error(slow.post(KEYS, {"name": "x", "scopes": FEW, "rateLimitOverride": 201})) == (400, "VALIDATION_ERROR")
    assert slow.post(KEYS, {"name": "x", "scopes": FEW, "rateLimitOverride": 200}).status_code == 201
    assert api_client(api_key(rate_limit_override=50)).post(KEYS, {"name": "x", "scopes": FEW}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"), [("post", ""), ("patch", "/{}"), ("delete", "/{}"), ("post", "/{}/rotate")]
)
def test_writing_needs_api_keys_write(api_key, made, method, path):
    reader = api_client(api_key(scopes=[scope for scope in SCOPES if scope != "api_keys:write"]))
    assert reader.get(KEYS).status_code == 200
    response = getattr(reader, method)(KEYS + path.format(made["id"]), {})
    assert error(response) == (403, "INSUFFICIENT_SCOPE")
    assert response.json()["error"]["details"] == {"required_scope": "api_keys:write"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""), ("name", "  "), ("name", "x" * 101), ("name", 5), ("scopes", []), ("scopes", "visits:read"),
        ("scopes", ["visits:all"]), ("expiresAt", "2020-01-01T00:00:00Z"), ("expiresAt", "soon"),
        ("rateLimitOverride", 0), ("rateLimitOverride", "5"), ("rateLimitOverride", True),
        ("rateLimitOverride", 3_000_000_000), ("secret", "fc_live_x"), ("id", "key_x"),
    ],
)  # fmt: skip
def test_bad_fields_are_named(api, field, value):
    response = api.post(KEYS, {"name": "x", "scopes": ["visits:read"], field: value})
    assert error(response) == (400, "VALIDATION_ERROR")
    assert any(name.startswith(field) for name in response.json()["error"]["details"])


def test_update_changes_what_is_sent_and_nothing_else(api, made):
    path, end = f"{KEYS}/{made['id']}", "2027-01-01T00:00:00Z"
    assert api.patch(path, {"expiresAt": end}).json()["data"]["expiresAt"] == end
    after = api.patch(path, {"name": "Renamed", "expiresAt": None}).json()["data"]
    assert (after["name"], after["expiresAt"], after["scopes"]) == ("Renamed", None, ["visits:read"])
    assert api.put(path, {}).status_code == 405


def test_revoked_is_refused_and_gone(api, made):
    path = f"{KEYS}/{made['id']}"
    answer = api.delete(path).json()
    assert answer["data"] == {"id": made["id"], "deleted": True, "alsoRevoked": [], "webhooks": []}
    assert api_client(made["secret"]).get("/api/v1/visits").status_code == 401
    for response in (api.get(path), api.delete(path), api.patch(path, {"name": "x"}), api.post(f"{path}/rotate", {})):
        assert error(response) == (404, "NOT_FOUND")
    assert made["id"] not in api.get(KEYS).content.decode()
    assert ApiKey.objects.get(pk=made["id"]).revoked_at


def test_rotation_overlaps(api, made):
    new = api.post(f"{KEYS}/{made['id']}/rotate", {"overlapSeconds": 600}).json()["data"]
    assert new["prefix"] == made["prefix"] and new["secret"] != made["secret"] and new["previousSecretUntil"]

    def works(secret: str) -> bool:
        return api_client(secret).get("/api/v1/visits").status_code == 200

    assert works(made["secret"]) and works(new["secret"])
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=601), tick=False):
        assert not works(made["secret"]) and works(new["secret"])


@pytest.mark.parametrize("seconds", [-1, 604_801, "60", 1.5, None])
def test_overlaps_that_are_refused(api, made, seconds):
    assert error(api.post(f"{KEYS}/{made['id']}/rotate", {"overlapSeconds": seconds})) == (400, "VALIDATION_ERROR")


def test_a_key_rotates_itself_but_does_not_lock_itself_out(api_key):
    secret = api_key()
    own = ApiKey.objects.get()
    old, path = api_client(secret), f"{KEYS}/{own.pk}"
    assert error(old.delete(path)) == (409, "INVALID_TRANSITION")
    assert error(old.patch(path, {"scopes": FEW})) == (409, "INVALID_TRANSITION")
    assert old.patch(path, {"name": "me"}).status_code == 200
    assert error(old.post(f"{path}/rotate", {"overlapSeconds": 60})) == (400, "VALIDATION_ERROR")
    new = api_client(old.post(f"{path}/rotate", {}).json()["data"]["secret"])
    # Whoever found the old secret cannot make a new one of it.
    assert error(old.post(f"{path}/rotate", {})) == (409, "INVALID_TRANSITION")
    assert new.post(f"{path}/rotate", {}).status_code == 200


def test_a_replay_shows_no_secret_because_none_is_kept(api, made):
    for path, body in ((KEYS, {"name": "x", "scopes": FEW}), (f"{KEYS}/{made['id']}/rotate", {})):
        first = api.post(path, body, HTTP_IDEMPOTENCY_KEY=path)
        again = api.post(path, body, HTTP_IDEMPOTENCY_KEY=path)
        secret = first.json()["data"]["secret"]
        assert again["Idempotent-Replayed"] == "true" and again.status_code == first.status_code
        assert again.json()["data"] == {**first.json()["data"], "secret": None}
        assert secret not in str([(bytes(row.body), row.headers) for row in IdempotencyRecord.objects.all()])


def test_every_deed_is_in_the_audit_trail_without_a_secret(api, made):
    api.patch(f"{KEYS}/{made['id']}", {"name": "Renamed"}, HTTP_X_REQUEST_ID="req-77")
    new = api.post(f"{KEYS}/{made['id']}/rotate", {}).json()["data"]["secret"]
    api.delete(f"{KEYS}/{made['id']}")
    rows = list(AuditEntry.objects.filter(object_id=made["id"]).order_by("id"))
    assert [row.action for row in rows] == ["key.created", "key.updated", "key.rotated", "key.revoked"]
    assert (rows[1].before, rows[1].after) == ({"name": "Import"}, {"name": "Renamed"})
    assert rows[1].caller_request_id == "req-77" and re.fullmatch(r"req_[0-9A-Z]{26}", rows[1].request_id)
    assert all(row.actor.startswith("API key test (key_") for row in rows)
    text = str(list(AuditEntry.objects.values()))
    assert new not in text and made["secret"] not in text and ApiKey.objects.get(pk=made["id"]).digest not in text


def test_owners_are_warned_once_before_a_key_ends(workspace, make_member):
    make_member(role=Role.OWNER, email="olivia@example.test")
    make_member(role=Role.STAFF, email="staff@example.test")
    now = timezone.now()
    key, _ = services.create_key(workspace=workspace, name="Night\nly", expires_at=now + dt.timedelta(days=20))
    services.create_key(workspace=workspace, name="Endless")
    assert expiry.warn(now) == 0
    later = now + dt.timedelta(days=10)
    assert (expiry.warn(later), expiry.warn(later)) == (1, 0)
    assert [message.to for message in mail.outbox] == [["olivia@example.test"]]
    assert "Night ly" in mail.outbox[0].subject and key.pk in mail.outbox[0].body
    services.update_key(key, changes={"expires_at": later + dt.timedelta(days=12)})
    assert expiry.warn(later) == 1
    assert expiry.warn(now + dt.timedelta(days=60)) == 0


def test_a_mail_server_that_is_down_is_tried_again(workspace, make_member, monkeypatch):
    make_member(role=Role.OWNER, email="olivia@example.test")
    now = timezone.now()
    services.create_key(workspace=workspace, name="Nightly", expires_at=now + dt.timedelta(days=1))

    def down(*_args, **_kwargs):
        raise OSError("no route")

    with monkeypatch.context() as broken:
        broken.setattr(expiry, "send_mail", down)
        assert expiry.warn(now) == 0
    assert expiry.warn(now) == 1


@pytest.fixture
def foreign(api_key, second_workspace):
    """A key that may do everything, of another company."""
    return api_client(api_key(workspace=second_workspace))


def test_another_companys_keys_are_not_in_the_list(foreign, made):
    assert made["id"] not in foreign.get(KEYS).content.decode()
    assert [row["name"] for row in foreign.get(KEYS).json()["data"]] == ["test"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "", {}),
        ("patch", "", {"name": "Theirs"}),
        ("delete", "", {}),
        ("post", "/rotate", {}),
        ("post", "/rotate", {"overlapSeconds": 0}),
    ],
)
def test_another_companys_key_does_not_exist(foreign, made, method, path, body):
    before = ApiKey.objects.values().get(pk=made["id"])
    response = getattr(foreign, method)(f"{KEYS}/{made['id']}{path}", body)
    assert error(response) == (404, "NOT_FOUND")
    assert ApiKey.objects.values().get(pk=made["id"]) == before
    assert api_client(made["secret"]).get("/api/v1/visits").status_code == 200
