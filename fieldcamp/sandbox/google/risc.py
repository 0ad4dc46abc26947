"""Cross-Account Protection: the RISC API with its one stream a project, and the security events that go through it.

https://developers.google.com/identity/protocols/risc
"""

import hashlib
import json
import re
import secrets
from base64 import b64encode
from collections.abc import Callable
from typing import Any, cast

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fieldcamp.sandbox import id_token
from fieldcamp.sandbox.google.calendars import Calendars
from fieldcamp.sandbox.http import BadInput, Request, Response, json_response
from fieldcamp.sandbox.jws import Signed
from fieldcamp.sandbox.oauth import ANY_CLIENT, Grants

PREFIX = "/google/risc/v1beta/"
ISSUER = "https://accounts.google.com/"
AUDIENCE = "https://risc.googleapis.com/google.identity.risc.v1beta.RiscManagementService"
PUSH = "https://schemas.openid.net/secevent/risc/delivery-method/push"
RISC, OAUTH = (f"https://schemas.openid.net/secevent/{family}/event-type/" for family in ("risc", "oauth"))
EVENTS = {
    "sessions-revoked": RISC, "tokens-revoked": OAUTH, "token-revoked": OAUTH, "account-disabled": RISC,
    "account-enabled": RISC, "account-credential-change-required": RISC, "verification": RISC,
}  # fmt: skip
REASONS = ("hijacking", "bulk-account")
HOUR = 3600
DELIVERY_SECONDS = 10
PROJECT = "fieldcamp-sandbox"
STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}

SCHEMA = """
CREATE TABLE IF NOT EXISTS g_service_accounts (
    key_id TEXT PRIMARY KEY, email TEXT, public_key TEXT, configures INTEGER) WITHOUT ROWID;
"""


class RiscError(Exception):
    """A refusal in the shape of Google's newer APIs. The sentences are those of the page's table of errors."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    def response(self) -> Response:
        """The answer that carries it."""
        error = {"code": self.code, "message": self.message, "status": STATUS[self.code]}
        return json_response({"error": error}, self.code, pretty=True)


def post(url: str, token: str) -> int:
    """Delivers a token; the status of the answer, 0 for none. https://www.rfc-editor.org/rfc/rfc8935#section-2.1"""
    headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
    try:
        return requests.post(url, token, headers=headers, timeout=DELIVERY_SECONDS, allow_redirects=False).status_code
    except requests.RequestException:
        return 0


class Risc:
    """The RISC API, and what a project is told. `deliver` posts a token to an address."""

    def __init__(self, calendars: Calendars, grants: Grants) -> None:
        self.calendars, self.grants, self.state = calendars, grants, grants.state
        self.deliver: Callable[[str, str], int] = post
        self.state.install(SCHEMA)
        self._calls: dict[tuple[str, str], Callable[[Request], dict[str, Any]]] = {
            ("GET", "stream"): self._get,
            ("POST", "stream:update"): self._update,
            ("GET", "stream/status"): self._get_status,
            ("POST", "stream/status:update"): self._update_status,
            ("POST", "stream:verify"): self._verify,
        }

    def configuration(self, request: Request) -> Response:
        """Where the issuer's keys are, with this sandbox's address."""
        document = {
            "issuer": ISSUER,
            "jwks_uri": f"{request.root}/google/api/oauth2/v3/certs",
            "delivery_methods_supported": [PUSH],
            "configuration_endpoint": f"{request.root}{PREFIX}stream",
        }
        response = json_response(document)
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response

    def handle(self, request: Request) -> Response:
        """Answers a call below the API's root."""
        try:
            call = self._calls.get((request.method, request.plain_path.removeprefix(PREFIX)))
            if call is None:
                raise RiscError(404, "Requested entity was not found.")
            self._authorize(request)
            return json_response(call(request), pretty=True)
        except BadInput:
            return RiscError(400, "Invalid JSON payload received.").response()
        except RiscError as error:
            return error.response()

    def service_account(self, configures: bool) -> dict[str, Any]:
        """A new service account's key file, as the console hands it out. Who does not configure lacks the role."""
        pem = id_token.pem_of_number(0)
        public = id_token.loaded(pem).public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        text = public.public_bytes(serialization.Encoding.PEM, form).decode()
        key_id = secrets.token_hex(20)
        email = f"events-{key_id[:6]}@{PROJECT}.iam.gserviceaccount.com"
        self.state.execute("INSERT INTO g_service_accounts VALUES (?, ?, ?, ?)", key_id, email, text, int(configures))
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": key_id,
            "private_key": pem,
            "client_email": email,
            "client_id": str(int(key_id[:16], 16)),
            "token_uri": "https://oauth2.googleapis.com/token",
        }

    def tell(self, name: str, account: str, body: dict[str, Any]) -> dict[str, Any]:
        """Sends an event about an account: the token, and what the receiver has answered (None: nothing was sent, since
        the stream is not there, is disabled, or was not asked for this kind). `body` may have `client_id` (the one
        app that has access, where it is not said), `reason`, `token` and `token_identifier_alg`."""
        if name not in EVENTS:
            raise BadInput(f"event must be one of {', '.join(EVENTS)}.")
        event: dict[str, Any] = {}
        if name == "verification":
            event["state"] = str(body.get("state", ""))
        elif name == "token-revoked":
            event["subject"] = self._token_subject(account, body)
        else:
            row = self.state.the("SELECT sub FROM g_accounts WHERE email = ?", account)
            event["subject"] = {"subject_type": "iss-sub", "iss": ISSUER, "sub": row["sub"]}
        if reason := body.get("reason"):
            if name != "account-disabled" or reason not in REASONS:
                raise BadInput(f"reason is for account-disabled alone: {' or '.join(REASONS)}.")
            event["reason"] = reason
        return self._send(name, event, body.get("client_id") or self._client(account))

    def access_withdrawn(self, account: str, client_id: str) -> None:
        """Tells an app's project that its access to an account was removed, where it has a stream."""
        if self._stream() is not None and client_id != ANY_CLIENT:
            self.tell("tokens-revoked", account, {"client_id": client_id})

    def _send(self, name: str, event: dict[str, Any], client_id: str) -> dict[str, Any]:
        claims = {
            "iss": ISSUER,
            "aud": client_id,
            "iat": int(self.state.now()),
            "jti": secrets.token_hex(16),
            "events": {EVENTS[name] + name: event},
        }
        token = id_token.issue(self.state, claims, "secevent+jwt")
        stream = self._stream()
        if stream is None or not self._enabled or EVENTS[name] + name not in stream["events_delivered"]:
            return {"token": token, "delivered": None}
        return {"token": token, "delivered": self.deliver(stream["delivery"]["url"], token)}

    def _client(self, account: str) -> str:
        clients = [grant["client_id"] for grant in self.grants.of_account(account)]
        named = [client for client in clients if client != ANY_CLIENT]
        if len(named) != 1:
            raise BadInput(f"Say which client_id it is for: {len(named)} apps have access to {account}.")
        return str(named[0])

    def _token_subject(self, account: str, body: dict[str, Any]) -> dict[str, Any]:
        """https://developers.google.com/identity/protocols/risc#token_identifiers"""
        token, naming = body.get("token"), body.get("token_identifier_alg", "hash_base64_sha512_sha512")
        if not isinstance(token, str):
            raise BadInput("token is missing: the refresh token that the event is about.")
        twice = hashlib.sha512(hashlib.sha512(token.encode()).digest()).digest()
        names = {"prefix": token[:16], "hash_base64_sha512_sha512": b64encode(twice).decode()}
        if naming not in names:
            raise BadInput(f"token_identifier_alg must be one of {', '.join(names)}.")
        return {
            "subject_type": "oauth_token",
            "token_type": "refresh_token",
            "token_identifier_alg": naming,
            "token": names[naming],
        }

    def _authorize(self, request: Request) -> None:
        """https://developers.google.com/identity/protocols/risc#auth_token"""
        token = Signed.parse(request.bearer)
        if token is None:
            if self.grants.lookup(request.bearer, "access"):
                raise RiscError(403, "Stream management APIs should only be called by a service account.")
            raise RiscError(401, "Unauthorized.")
        row = self.state.one("SELECT * FROM g_service_accounts WHERE key_id = ?", str(token.header.get("kid")))
        if row is None:
            raise RiscError(401, "Unauthorized.")
        key = cast(rsa.RSAPublicKey, serialization.load_pem_public_key(row["public_key"].encode()))
        claims, now = token.claims, self.state.now()
        issued, ends = claims.get("iat"), claims.get("exp")
        in_time = (
            isinstance(issued, int | float)
            and isinstance(ends, int | float)
            and issued - 60 <= now < ends
            and ends - issued <= HOUR
        )
        mine = claims.get("iss") == claims.get("sub") == row["email"] and claims.get("aud") == AUDIENCE
        if not (token.is_signed_by(key, "RS256") and mine and in_time):
            raise RiscError(401, "Unauthorized.")
        if not row["configures"]:
            raise RiscError(403, "Service account needs permission to access your RISC configuration")

    @property
    def _enabled(self) -> bool:
        return self.state.get("google: risc status") != "disabled"

    def _stream(self) -> dict[str, Any] | None:
        text = self.state.get("google: risc stream")
        return json.loads(text) if text else None

    def _known(self, message: str = "Project has no RISC configuration.") -> dict[str, Any]:
        stream = self._stream()
        if stream is None:
            raise RiscError(404, message)
        return stream

    def _get(self, request: Request) -> dict[str, Any]:
        return self._known()

    def _update(self, request: Request) -> dict[str, Any]:
        body = request.json_object()
        delivery, asked = body.get("delivery"), body.get("events_requested")
        if not isinstance(delivery, dict):
            raise RiscError(400, "Stream configuration must contain delivery field.")
        for name in ("delivery_method", "url"):
            if not isinstance(delivery.get(name), str) or not delivery[name]:
                raise RiscError(400, f"Stream configuration must contain delivery.{name} field.")
        if not isinstance(asked, list) or not all(isinstance(each, str) for each in asked):
            raise RiscError(400, "Stream configuration must contain events_requested field.")
        if delivery["delivery_method"] != PUSH:
            raise RiscError(403, "Existing stream configuration does not have spec-compliant delivery method for RISC.")
        if not re.match(r"https://[^/]+", delivery["url"]):
            raise RiscError(403, "The delivery endpoint must be an HTTPS URL.")
        supported = [EVENTS[name] + name for name in EVENTS]
        stream = {
            "iss": ISSUER,
            "delivery": {"delivery_method": PUSH, "url": delivery["url"]},
            "events_supported": supported,
            "events_requested": asked,
            "events_delivered": [each for each in asked if each in supported],
        }
        self.state.put("google: risc stream", json.dumps(stream))
        return stream

    def _get_status(self, request: Request) -> dict[str, Any]:
        self._known()
        return {"status": "enabled" if self._enabled else "disabled"}

    def _update_status(self, request: Request) -> dict[str, Any]:
        self._known("Project has no existing RISC configuration, cannot update status.")
        status = request.json_object().get("status")
        if status not in ("enabled", "disabled"):
            raise RiscError(403, "Unsupported status.")
        self.state.put("google: risc status", status)
        return {"status": status}

    def _verify(self, request: Request) -> dict[str, Any]:
        self._known()
        clients = {
            row["client_id"]
            for row in self.state.all("SELECT DISTINCT client_id FROM oauth_grants WHERE vendor = 'google'")
        } - {ANY_CLIENT}
        # It is one project's token: one of its apps is named, whichever has been used.
        client = min(clients, default="sandbox-client")
        self._send("verification", {"state": str(request.json_object().get("state", ""))}, client)
        return {}
