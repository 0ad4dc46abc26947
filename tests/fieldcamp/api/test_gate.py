"""One judgement of keys: what a key may do to keys, and what becomes of the keys that it has made."""

import datetime as dt
from functools import partial

import pytest
import time_machine

from fieldcamp.api import gate, services
from fieldcamp.api.models import ApiKey, RateWindow
from fieldcamp.workspace.models import AuditEntry
from tests.conftest import api_client

pytestmark = pytest.mark.django_db

KEYS = "/api/v1/api-keys"
NOW = dt.datetime(2026, 11, 22, 8, 0, 10, tzinfo=dt.UTC)
HELD = ["visits:read", "api_keys:read", "api_keys:write"]
LATE, LATER = NOW + dt.timedelta(days=10), NOW + dt.timedelta(days=11)
# What another key has, beside one with HELD, LATE and 200 calls a minute.
ATTRIBUTES = {
    "scopes": {"weaker": HELD[:1], "equal": HELD, "stronger": [*HELD, "clients:read"]},
    "expires_at": {"weaker": NOW + dt.timedelta(days=9), "equal": LATE, "stronger": LATER, "never": None},
    "rate_limit_override": {"weaker": 199, "equal": 200, "stronger": 201},
}
REFUSED = {
    "scopes": (403, "required_scope"),
    "expires_at": (400, "expiresAt"),
    "rate_limit_override": (400, "rateLimitOverride"),
}
TABLE = [
    pytest.param(attribute, degree, marks=[pytest.mark.slow] if degree in ("weaker", "never") else [])
    for attribute, degrees in ATTRIBUTES.items()
    for degree in degrees
]
OUTSIDE = {"scopes": "scopes", "expires_at": "expiresAt", "rate_limit_override": "rateLimitOverride"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def hold(workspace):
    """Makes a key and gives it with a client that calls with it."""

    def make(by: ApiKey | None = None, **fields):
        fields = {"name": "k", "scopes": HELD, "expires_at": LATE, "rate_limit_override": 200, **fields}
        key, secret = services.create_key(workspace=workspace, by=by, **fields)
        return key, api_client(secret)

    return make


def works(client) -> bool:
    return client.get(KEYS).status_code == 200


def text(value):
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, dt.datetime) else value


@pytest.mark.parametrize("deed", ["create", "grant", "rename", "narrow", "rotate", "revoke"])
@pytest.mark.parametrize(("attribute", "degree"), TABLE)
def test_a_key_does_nothing_to_a_key_that_may_do_more(hold, deed, attribute, degree):
    value = ATTRIBUTES[attribute][degree]
    mine, client = hold()
    wanted = {"scopes": HELD, "expiresAt": text(LATE), "rateLimitOverride": 200, OUTSIDE[attribute]: text(value)}
    other, _ = hold(**{} if deed in ("create", "grant") else {attribute: value})
    before = list(ApiKey.objects.order_by("pk").values())
    path = f"{KEYS}/{other.pk}"
    answer = {
        "create": lambda: client.post(KEYS, {"name": "new", **wanted}),
        "grant": lambda: client.patch(path, {OUTSIDE[attribute]: text(value)}),
        "rename": lambda: client.patch(path, {"name": "renamed"}),
        "narrow": lambda: client.patch(path, {"scopes": HELD[:1], "expiresAt": text(LATE), "rateLimitOverride": 1}),
        "rotate": lambda: client.post(f"{path}/rotate", {"overlapSeconds": 0}),
        "revoke": lambda: client.delete(path),
    }[deed]()
    if degree in ("weaker", "equal"):
        assert answer.status_code in (200, 201), answer.content
        return
    status, named = REFUSED[attribute]
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (status, [named])
    after = list(ApiKey.objects.order_by("pk").values())
    touched = {"last_used_at"}
    assert [{k: v for k, v in row.items() if k not in touched} for row in after] == [
        {k: v for k, v in row.items() if k not in touched} for row in before
    ]


def test_a_replaced_secret_reads_and_writes_records_and_touches_no_key(hold, make_client):
    key, old = hold(scopes=[*HELD, "clients:read", "clients:write"])
    other, _ = hold()
    services.rotate_key(key, overlap=dt.timedelta(hours=1))
    before = list(ApiKey.objects.order_by("pk").values_list("name", "digest", "revoked_at"))
    path = f"{KEYS}/{other.pk}"
    for answer in (
        old.post(KEYS, {"name": "x", "scopes": ["visits:read"]}),
        old.patch(path, {"name": "x"}),
        old.patch(f"{KEYS}/{key.pk}", {"name": "x"}),
        old.post(f"{path}/rotate", {}),
        old.post(f"{KEYS}/{key.pk}/rotate", {}),
        old.delete(path),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "INVALID_TRANSITION")
    assert list(ApiKey.objects.order_by("pk").values_list("name", "digest", "revoked_at")) == before
    assert old.post("/api/v1/clients", {"firstName": "Ann"}).status_code == 201
    assert old.get("/api/v1/visits").status_code == 200


def test_a_secret_that_was_replaced_while_its_request_waited_is_a_replaced_one(hold):
    key, _ = hold()
    asked = ApiKey.objects.get(pk=key.pk)
    services.rotate_key(key, overlap=dt.timedelta(hours=1))
    with pytest.raises(services.ApiError, match="newer secret"):
        services.create_key(workspace=key.workspace, name="x", scopes=HELD, expires_at=LATE, by=asked)
    fresh = ApiKey.objects.get(pk=key.pk)
    services.revoke_key(key)
    with pytest.raises(services.ApiError, match="UNAUTHORIZED"):
        services.create_key(workspace=key.workspace, name="x", scopes=HELD, expires_at=LATE, by=fresh)


def test_what_a_key_makes_ends_no_later_than_itself(hold, clock):
    key, client = hold()
    said_nothing = client.post(KEYS, {"name": "x", "scopes": HELD}).json()["data"]
    assert (said_nothing["expiresAt"], said_nothing["madeBy"]) == (text(LATE), key.pk)
    child = api_client(said_nothing["secret"])
    assert child.patch(f"{KEYS}/{key.pk}", {"expiresAt": None}).status_code == 409
    clock.move_to(LATE)
    assert not works(child)


def test_a_family_makes_no_more_calls_a_minute_than_its_root(hold):
    key, client = hold(rate_limit_override=10)
    child, of_child = hold(by=key, rate_limit_override=5)
    _, of_grandchild = hold(by=child, rate_limit_override=5)
    _, of_sibling = hold(by=key, rate_limit_override=10)
    # Each window is once the one that ends first.
    assert [of_grandchild.get(KEYS).status_code for _ in range(4)] == [200] * 4
    assert [of_child.get(KEYS).status_code for _ in range(2)] == [200, 429]
    assert of_grandchild.get(KEYS).status_code == 429
    answers = [of_sibling.get(KEYS) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert key.pk in answers[-1].json()["error"]["message"] and answers[-2]["X-RateLimit-Remaining"] == "0"
    assert client.get(KEYS).status_code == 429
    assert max(RateWindow.objects.filter(id__startswith="key_").values_list("used", flat=True)) == 10


def test_what_a_key_has_made_ends_with_it(hold):
    boss, by_boss = hold()
    key, _ = hold()
    child, of_child = hold(by=key)
    grandchild, of_grandchild = hold(by=child)
    _, of_other = hold()
    answer = by_boss.delete(f"{KEYS}/{key.pk}").json()["data"]
    assert answer == {"id": key.pk, "deleted": True, "alsoRevoked": [child.pk, grandchild.pk], "webhooks": []}
    assert [works(client) for client in (of_child, of_grandchild, of_other, by_boss)] == [False, False, True, True]
    entries = AuditEntry.objects.filter(action="key.revoked").values_list("object_id", "actor")
    assert {name for name, _ in entries} == {key.pk, child.pk, grandchild.pk}
    assert all(boss.pk in actor for _, actor in entries)


def test_a_key_does_nothing_to_the_keys_it_comes_from(hold):
    key, _ = hold()
    child, _ = hold(by=key)
    _, client = hold(by=child)
    for maker in (key, child):
        path = f"{KEYS}/{maker.pk}"
        for answer in (client.delete(path), client.patch(path, {"name": "x"}), client.post(f"{path}/rotate", {})):
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "INVALID_TRANSITION")


def test_what_a_key_loses_those_lose_that_it_has_made(hold):
    key, _ = hold()
    child, _ = hold(by=key)
    grandchild, of_grandchild = hold(by=child, rate_limit_override=100)
    sooner = NOW + dt.timedelta(days=1)
    services.update_key(key, changes={"scopes": ["visits:read"], "expires_at": sooner, "rate_limit_override": 150})
    child.refresh_from_db()
    grandchild.refresh_from_db()
    assert [(k.scopes, k.expires_at, k.rate_limit_override) for k in (child, grandchild)] == [
        (["visits:read"], sooner, 150), (["visits:read"], sooner, 100),
    ]  # fmt: skip
    assert of_grandchild.get(KEYS).status_code == 403
    # What it gets back later is not theirs.
    services.update_key(key, changes={"scopes": HELD, "expires_at": None})
    grandchild.refresh_from_db()
    assert (grandchild.scopes, grandchild.expires_at) == (["visits:read"], sooner)


def test_a_person_is_bound_by_nothing_and_parts_a_key_from_its_maker(hold):
    key, _ = hold()
    child, client = hold(by=key)
    assert services.update_key(child, changes={"name": "still its own"}).made_by_id == key.pk
    assert services.update_key(child, changes={"expires_at": None}).made_by is None
    assert services.revoke_key(key) == [] and works(client)


def test_keys_that_were_made_may_be_kept(hold):
    key, _ = hold()
    child, _ = hold(by=key)
    grandchild, client = hold(by=child)
    assert services.revoke_key(child, keep_made=True) == [] and works(client)
    assert services.revoke_key(key) == [ApiKey.objects.get(pk=grandchild.pk)] and not works(client)


def test_who_gives_a_key_more_than_its_maker_has_is_its_maker(hold):
    boss, by_boss = hold(expires_at=None)
    key, _ = hold()
    child, _ = hold(by=key)
    assert by_boss.patch(f"{KEYS}/{child.pk}", {"expiresAt": None}).json()["data"]["madeBy"] == boss.pk
    assert services.revoke_key(boss) == [ApiKey.objects.get(pk=child.pk)]


def test_a_line_of_keys_has_an_end(hold):
    key, client = hold()
    for _ in range(gate.MOST_MAKERS):
        key, client = hold(by=key)
    answer = client.post(KEYS, {"name": "x", "scopes": HELD, "rateLimitOverride": 1})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "INVALID_TRANSITION")


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_no_key_is_made_by_one_that_is_being_revoked(workspace, in_parallel):
    for _ in range(5):
        key, secret = services.create_key(workspace=workspace, name="raced", rate_limit_override=1000)
        revoke = partial(services.revoke_key, key)
        make = partial(api_client(secret).post, KEYS, {"name": "x", "scopes": HELD})
        calls = [make, make, revoke, make, make]
        in_parallel(len(calls), lambda number, calls=calls: calls[number]())
        assert not ApiKey.objects.filter(revoked_at=None).exists()
