"""Which event tokens are believed, and which change nothing."""

import json

import jwt
import pytest
from django.utils import timezone

from fieldcamp.sandbox import id_token
from fieldcamp.signin import throttle
from integrations.models import Connection, OAuthGrant, Problem, ReceivedSecurityEvent
from integrations.providers.security_events import OLDEST
from integrations.transport.published import BRAKE
from tests.integrations.telling import ADDRESS

pytestmark = pytest.mark.once
MINE = id_token.loaded(id_token.pem_of_number(1_000))  # not Google's
DEEP = jwt.utils.base64url_encode(b"[" * 5_000).decode()


@pytest.fixture
def unchanged(told):
    """Looks afterwards whether anything has changed."""
    rows = [Connection.objects.values(), OAuthGrant.objects.values(), Problem.objects.values()]
    before = [list(each) for each in rows]
    yield
    assert [list(each.all()) for each in rows] == before
    assert ReceivedSecurityEvent.objects.count() == 0


def refused(response) -> str:
    assert response.status_code == 400
    assert (response["Content-Type"], response["Content-Language"]) == ("application/json", "en")
    body = json.loads(response.content)
    assert body.keys() == {"err", "description"} and body["description"]
    return body["err"]


WRONG = (
    ({"aud": "somebody-else"}, "invalid_audience"),
    ({"aud": ["a", "b"]}, "invalid_audience"),
    ({"aud": ""}, "invalid_request"),
    ({"aud": None}, "invalid_request"),
    ({"iss": "https://accounts.google.com"}, "invalid_issuer"),  # that of ID tokens
    ({"iss": "https://evil.example/"}, "invalid_issuer"),
    ({"iat": 600}, "invalid_request"),  # from now
    ({"iat": -OLDEST.total_seconds() - 60}, "invalid_request"),
    ({"iat": "noon"}, "invalid_request"),
    ({"iat": "1" * 400}, "invalid_request"),
    ({"iat": float("inf")}, "invalid_request"),
    ({"iat": None}, "invalid_request"),
    ({"jti": None}, "invalid_request"),
    ({"jti": 7}, "invalid_request"),
    ({"jti": ""}, "invalid_request"),
    ({"jti": "x" * 256}, "invalid_request"),
    ({"events": {}}, "invalid_request"),
    ({"events": ["tokens-revoked"]}, "invalid_request"),
    ({"events": None}, "invalid_request"),
)


def test_what_google_signs_for_others_or_otherwise_is_refused(told, unchanged):
    now = timezone.now().timestamp()
    for changes, err in WRONG:
        if isinstance(changes.get("iat"), int | float) and changes["iat"] != float("inf"):
            changes = {"iat": int(now + changes["iat"])}
        claims = {name: value for name, value in told.claims(**changes).items() if value is not None}
        assert refused(told.post(told.signed(claims))) == err, changes


def test_an_event_without_a_whole_subject_is_refused(told, unchanged):
    for event in ("tokens-revoked", "token-revoked"):
        for subject in (None, "x", {}, {"subject_type": "iss-sub", "sub": ""}, {"sub": 7, "token": 7}):
            events = {f"https://schemas.openid.net/secevent/oauth/event-type/{event}": {"subject": subject}}
            assert refused(told.post(told.signed(told.claims(events=events)))) == "invalid_request"


def test_forged_signatures_are_refused(told, unchanged):
    claims, kid = told.claims(), {"kid": "sandbox-1"}
    right = told.signed(claims)
    head, body, signature = right.split(".")
    other = told.signed({**claims, "jti": "other"}).split(".")[1]
    public = id_token.loaded(id_token.pem_of_number(1)).public_key()
    n = public.public_numbers().n.to_bytes(256, "big")
    for token, err in (
        (jwt.encode(claims, MINE, "RS256", kid), "authentication_failed"),
        (f"{head}.{other}.{signature}", "authentication_failed"),
        (f"{head}.{body}.", "authentication_failed"),
        (jwt.encode(claims, MINE, "RS256", {"kid": "made-up"}), "invalid_key"),
        (jwt.encode(claims, MINE, "RS256"), "invalid_key"),
        (jwt.encode(claims, None, "none", kid), "invalid_key"),
        (jwt.encode(claims, n, "HS256", kid), "invalid_key"),  # the public key as a shared secret
        (jwt.encode(claims, MINE, "PS256", kid), "invalid_key"),
    ):
        assert refused(told.post(token)) == err, token


def test_an_id_token_is_no_event(told, unchanged):
    """Google signs it with the same key, for the same app."""
    answer = told.vendors.call("POST", "token", json={
        "vendor": "google", "account": "dana@google.test", "client_id": "sandbox-client", "scopes": ["openid", "email"],
    })  # fmt: skip
    assert refused(told.post(answer["id_token"])) == "invalid_request"  # it has no jti


def test_what_is_no_token_is_refused(told, unchanged):
    told.vendors.forget_requests()
    for body in (
        "", "hello", "a.b.c", "{}", "..", "e30.e30.e30", f"{DEEP}.{DEEP}.x", "é.é.é", b"\xff\xfe", "x" * 20_000,
    ):  # fmt: skip
        assert refused(told.post(body)) in ("invalid_request", "invalid_key"), body
    assert told.vendors.requests("certs") == []  # nobody makes us ask Google


def test_the_body_may_be_called_anything_and_the_address_is_only_posted_to(told):
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        assert told.post(told.token("verification"), kind).status_code == 202
    assert told.client.get(ADDRESS, secure=True).status_code == 405
    for slug in ("outlook-calendar", "quickbooks", "nobody"):
        assert (
            told.client.post(f"/security-events/{slug}", "x", content_type="text/plain", secure=True).status_code == 404
        )


@pytest.mark.slow
def test_without_an_app_nothing_is_received(told, settings):
    claims = told.claims(aud="")
    settings.GOOGLE_CLIENT = {"client_id": "", "secret": ""}
    assert told.post(told.signed(claims)).status_code == 404


def test_the_same_id_with_other_contents_is_refused(told):
    first = told.claims("verification", jti="one")
    assert told.post(told.signed(first)).status_code == 202
    assert told.post(told.signed(first | {"iat": first["iat"] - 5})).status_code == 202  # sent again, signed anew
    assert refused(told.post(told.signed(told.claims("tokens-revoked", jti="one")))) == "invalid_request"
    assert (told.state(), ReceivedSecurityEvent.objects.count()) == ("active", 1)


def test_unknown_kinds_are_taken_and_left_alone(told):
    claims = told.claims(events={"https://schemas.openid.net/secevent/risc/event-type/account-purged": {"subject": 1}})
    assert told.post(told.signed(claims)).status_code == 202
    assert told.state() == "active"


@pytest.mark.slow
def test_another_issuers_account_of_the_same_id_is_nobody(told):
    claims = told.claims("account-disabled")
    [event] = claims["events"].values()
    event["subject"]["iss"] = "https://accounts.evil.example/"
    assert told.post(told.signed(claims)).status_code == 202
    assert told.state() == "active"
    event["subject"]["iss"] = "https://accounts.google.com"
    assert told.post(told.signed(claims | {"jti": "another"})).status_code == 202
    assert told.state() == "needs_reconnect"


def test_a_new_key_is_fetched_and_one_that_was_withdrawn_is_not_believed(told, clock):
    assert told.tell("verification") == 202
    old = told.token("account-disabled")
    told.vendors.call("POST", "rotate_keys", json={})
    clock.sleep(BRAKE.total_seconds() + 1)
    told.vendors.forget_requests()
    assert told.tell("verification") == 202  # a key that is not known here yet
    assert len(told.vendors.requests("certs")) == 1
    assert refused(told.post(old)) == "invalid_key"
    assert told.state() == "active"


def test_made_up_keys_do_not_have_google_asked_each_time(told, clock):
    assert told.tell("verification") == 202
    forged = [jwt.encode(told.claims(), MINE, "RS256", {"kid": f"made-up-{number}"}) for number in range(5)]
    told.vendors.forget_requests()
    for token in forged:
        assert refused(told.post(token)) == "invalid_key"
    assert told.vendors.requests("certs") == []  # they were fetched a moment ago
    clock.sleep(BRAKE.total_seconds() + 1)
    for token in forged:
        assert refused(told.post(token)) == "invalid_key"
    assert len(told.vendors.requests("certs")) == 1


@pytest.mark.parametrize("path", [pytest.param("risc-configuration", marks=pytest.mark.slow), "certs"])
def test_while_google_is_out_of_reach_events_are_put_off(told, path, clock):
    told.vendors.fault("status", path=path, status=503, times=10)
    response = told.post(told.token("account-disabled"))
    assert (response.status_code, response["Retry-After"], told.state()) == (503, "60", "active")
    asked = len(told.vendors.requests(path))
    assert told.tell("account-disabled") == 503
    assert len(told.vendors.requests(path)) == asked  # it is left alone for a while
    told.vendors.heal()
    clock.sleep(BRAKE.total_seconds() + 1)
    assert (told.tell("account-disabled"), told.state()) == (202, "needs_reconnect")


@pytest.mark.parametrize("keys", ["https://keys.evil.test/certs", "http://127.0.0.1:9/certs", "", None, "//", 7])
def test_keys_at_anothers_address_are_not_asked_for(told, keys):
    token = told.token("account-disabled")
    body = {"issuer": told.claims()["iss"], "jwks_uri": keys}
    told.vendors.fault("status", path="risc-configuration", status=200, body=body, times=10)
    told.vendors.forget_requests()
    assert (told.post(token).status_code, told.state()) == (503, "active")
    assert told.vendors.requests("certs") == []


def test_one_address_has_a_brake(told, monkeypatch):
    monkeypatch.setattr("integrations.views.security_events.A_MINUTE", 2)
    for status in (400, 400, 429):
        response = told.post("x")
        assert response.status_code == status
    assert 0 < int(response["Retry-After"]) <= throttle.MINUTE + 1
