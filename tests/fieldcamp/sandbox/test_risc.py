"""Cross-Account Protection as Google's page describes it: who may configure the stream, what is told, and to whom."""

import base64
import hashlib

import pytest

from fieldcamp.sandbox import id_token
from fieldcamp.sandbox.google.risc import AUDIENCE, EVENTS, ISSUER, PUSH
from fieldcamp.sandbox.jws import Signed, sign
from fieldcamp.sandbox.mount import URL

API = f"{URL}/google/risc/v1beta"
RECEIVER = "https://sync.example.com/events"
DISABLED = f"{EVENTS['account-disabled']}account-disabled"


class Console:
    """A program with a service account's key, and what was delivered for it."""

    def __init__(self, google, app, configures: bool = True):
        self.google, self.delivered = google, []
        self.key = google.control("service_account", {"vendor": "google", "configures": configures}).json()
        self.status = 202
        app.vendors["google"].risc.deliver = self.deliver

    def deliver(self, url: str, token: str) -> int:
        self.delivered.append((url, Signed.parse(token)))
        return self.status

    def token(self, **changes) -> str:
        now, email = int(self.google.adapter.app.state.now()), self.key["client_email"]
        claims = {"iss": email, "sub": email, "aud": AUDIENCE, "iat": now, "exp": now + 3600} | changes
        head = {"alg": "RS256", "kid": self.key["private_key_id"], "typ": "JWT"}
        return sign(head, claims, id_token.loaded(self.key["private_key"]))

    def call(self, method: str, path: str, body=None, token: str | None = None):
        headers = {"Authorization": f"Bearer {self.token() if token is None else token}"}
        return self.google.session.request(method, f"{API}/{path}", json=body, headers=headers)

    def register(self, *names: str, url: str = RECEIVER):
        asked = [EVENTS[name] + name for name in names or EVENTS]
        return self.call("POST", "stream:update", {
            "delivery": {"delivery_method": PUSH, "url": url}, "events_requested": asked,
        })  # fmt: skip

    def tell(self, event: str, **more: str):
        body = {"vendor": "google", "account": "dana@google.test", "client_id": "mine", "event": event, **more}
        return self.google.control("security_event", body)


@pytest.fixture
def console(google, app) -> Console:
    return Console(google, app)


def said(response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["message"]


def test_the_stream_is_registered_read_and_switched_off(console):
    assert said(console.call("GET", "stream")) == (404, "Project has no RISC configuration.")
    assert console.call("POST", "stream/status:update", {"status": "enabled"}).status_code == 404
    assert console.register("account-disabled", "verification").status_code == 200
    stream = console.call("GET", "stream").json()
    assert stream["delivery"] == {"delivery_method": PUSH, "url": RECEIVER}
    assert DISABLED in stream["events_requested"] and len(stream["events_requested"]) == 2
    assert console.call("GET", "stream/status").json() == {"status": "enabled"}
    assert said(console.call("POST", "stream/status:update", {"status": "asleep"})) == (403, "Unsupported status.")
    console.call("POST", "stream/status:update", {"status": "disabled"})
    assert console.tell("account-disabled").json()["delivered"] is None  # and is not kept for later
    console.call("POST", "stream/status:update", {"status": "enabled"})
    assert console.delivered == []


def test_what_the_stream_has_to_say(console):
    assert console.call("POST", "stream:update", {"events_requested": []}).status_code == 400
    assert (
        console.call("POST", "stream:update", {"delivery": {"delivery_method": PUSH, "url": RECEIVER}}).status_code
        == 400
    )
    assert said(console.register(url="http://sync.example.com/events")) == (
        403, "The delivery endpoint must be an HTTPS URL.",
    )  # fmt: skip


def test_only_a_service_account_with_the_role_configures_it(console, google, app):
    now = int(app.state.now())
    for token in (
        "", "x", "a.b.c", console.token(aud="https://risc.googleapis.com/"), console.token(iss="somebody@else"),
        console.token(exp=now - 1), console.token(exp=now + 7200), console.token(iat=now + 600),
        console.token()[:-8] + "AAAAAAAA",
    ):  # fmt: skip
        assert said(console.call("GET", "stream", token=token)) == (401, "Unauthorized.")
    assert "service account" in said(console.call("GET", "stream", token=google.token["access_token"]))[1]
    weak = Console(google, app, configures=False)
    assert said(weak.call("GET", "stream")) == (
        403, "Service account needs permission to access your RISC configuration",
    )  # fmt: skip


def test_events_are_signed_with_the_published_key_and_delivered(console, google, app):
    console.register("account-disabled", "token-revoked")
    assert console.tell("account-disabled", reason="hijacking").json()["delivered"] == 202
    [(url, token)] = console.delivered
    assert url == RECEIVER and token.is_signed_by(id_token.loaded(id_token.pem_of_number(1)).public_key(), "RS256")
    configuration = google.session.get(f"{URL}/google/accounts/.well-known/risc-configuration")
    certs = google.session.get(configuration.json()["jwks_uri"])
    assert token.header["kid"] == certs.json()["keys"][0]["kid"] and "max-age" in certs.headers["Cache-Control"]
    assert (token.claims["iss"], token.claims["aud"]) == (configuration.json()["issuer"], "mine")
    sub = google.session.get(
        f"{URL}/google/openid/v1/userinfo", headers={"Authorization": f"Bearer {google.token['access_token']}"}
    ).json()["sub"]
    event = {"subject": {"subject_type": "iss-sub", "iss": ISSUER, "sub": sub}, "reason": "hijacking"}
    assert token.claims["events"] == {DISABLED: event}
    assert console.tell("sessions-revoked").json()["delivered"] is None  # nobody has asked for these
    twice = hashlib.sha512(hashlib.sha512(b"1//0refresh-token-of-mine").digest()).digest()
    for naming, name in (
        ("prefix", "1//0refresh-toke"),
        ("hash_base64_sha512_sha512", base64.b64encode(twice).decode()),
    ):
        console.tell("token-revoked", token="1//0refresh-token-of-mine", token_identifier_alg=naming)
        [event] = console.delivered[-1][1].claims["events"].values()
        assert (event["subject"]["token_identifier_alg"], event["subject"]["token"]) == (naming, name)
        assert event["subject"]["token_type"] == "refresh_token"


def test_who_removes_an_apps_access_has_it_told(console, google):
    google.sign_in(client_id="mine")
    console.register("tokens-revoked")
    google.control("revoke", {"vendor": "google", "account": "dana@google.test"})
    [(_url, token)] = console.delivered
    assert (token.claims["aud"], list(token.claims["events"])) == (
        "mine",
        [f"{EVENTS['tokens-revoked']}tokens-revoked"],
    )


def test_a_test_is_about_nobody(console):
    assert console.call("POST", "stream:verify", {"state": "x"}).status_code == 404
    console.register()
    assert console.call("POST", "stream:verify", {"state": "hello"}).json() == {}
    [event] = console.delivered[0][1].claims["events"].values()
    assert event == {"state": "hello"}


def test_other_keys_sign_from_the_moment_they_are_changed(console, google):
    before = Signed.parse(console.tell("verification").json()["token"]).header["kid"]
    now = google.control("rotate_keys", {}).json()["kid"]
    assert now != before == "sandbox-1"
    assert Signed.parse(console.tell("verification").json()["token"]).header["kid"] == now
    certs = google.session.get(f"{URL}/google/oauth2/v3/certs").json()["keys"]
    assert [key["kid"] for key in certs] == [now]


@pytest.mark.parametrize(
    "body",
    [{"event": "account-purged"}, {"event": "token-revoked"}, {"event": "tokens-revoked", "reason": "hijacking"}],
)
def test_what_google_does_not_tell_of(console, body):
    assert console.tell(**body).status_code == 400
