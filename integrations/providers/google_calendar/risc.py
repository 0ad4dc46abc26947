"""The RISC API: where Google sends the events of our project, and which. Called by an operator, never by a sync.

https://developers.google.com/identity/protocols/risc#register_receiver
"""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import jwt
import requests
from django.conf import settings

from integrations.errors import Misconfigured, ProviderError
from integrations.providers.faults import body_of, detail_of, unavailable
from integrations.providers.security_events import EventKind, StreamStatus
from integrations.transport.answers import ask
from integrations.transport.client import HttpClient, OneToken, utc_now
from integrations.transport.credentials import Bearer

AUDIENCE = "https://risc.googleapis.com/google.identity.risc.v1beta.RiscManagementService"
PUSH = "https://schemas.openid.net/secevent/risc/delivery-method/push"
# Google: "must expire in exactly one hour".
LIFETIME = dt.timedelta(hours=1)
NO_KEY = "This is no key file of a service account: Google's console makes one, of type JSON."


@dataclass(frozen=True)
class RiscApi:
    """What the exit to the network needs to know of this API: only it is sent the token of a service account."""

    label: str = "Google"
    requests_per_second: int = 0

    def hosts(self, _account_id: str) -> tuple[str, ...]:
        return (settings.GOOGLE_RISC_URL,)

    def authorize(self, token: str) -> Bearer:
        return Bearer(token)

    def trace(self, _response: requests.Response) -> str:
        return ""

    def shown_address(self, url: str) -> str:
        return url

    def explain(self, response: requests.Response, _now: dt.datetime) -> ProviderError:
        """Returns Google's own sentence, which says what the operator has to do (its table of error codes)."""
        body = body_of(response)
        error = body.get("error") if isinstance(body, dict) else None
        said = error.get("message") if isinstance(error, dict) else None
        if response.status_code >= 500 or response.status_code in (408, 429) or not isinstance(said, str):
            return unavailable("Google", detail_of(body))
        return Misconfigured(f"Google refuses this ({response.status_code}): {said}", detail=detail_of(body))


class RiscStream:
    """Our project's stream. `key_file` is the text of a service account's key, in which the project is named; its role
    has to be *RISC Configuration Admin*. Raises `Misconfigured` for what is none."""

    def __init__(self, key_file: str):
        try:
            key = json.loads(key_file)
            email, pem, key_id = key["client_email"], key["private_key"], key["private_key_id"]
            now = utc_now()
            claims = {"iss": email, "sub": email, "aud": AUDIENCE, "iat": now, "exp": now + LIFETIME}
            token = jwt.encode(claims, pem, algorithm="RS256", headers={"kid": key_id})
        except (ValueError, KeyError, TypeError, RecursionError, jwt.PyJWTError):
            raise Misconfigured(NO_KEY) from None
        self._http = HttpClient(RiscApi(), OneToken(token))

    def register(self, url: str) -> None:
        """Has all events that are acted on sent to `url`, in the place of whatever was registered, and switches the
        stream on."""
        delivery = {"delivery_method": PUSH, "url": url}
        self._ask("POST", "stream:update", {
            "delivery": delivery, "events_requested": [kind.address for kind in EventKind],
        })  # fmt: skip
        self._ask("POST", "stream/status:update", {"status": "enabled"})

    def status(self) -> StreamStatus:
        """Returns where events go now."""
        stream, status = self._ask("GET", "stream"), self._ask("GET", "stream/status")
        delivery = stream.get("delivery")
        url = delivery.get("url") if isinstance(delivery, dict) else None
        told = stream.get("events_delivered") or stream.get("events_requested") or []
        kinds = tuple(kind for kind in EventKind if kind.address in told)
        return StreamStatus(url=str(url or ""), enabled=status.get("status") == "enabled", kinds=kinds)

    def verify(self, state: str) -> None:
        """Asks for an event that says `state`, and is about nobody."""
        self._ask("POST", "stream:verify", {"state": state})

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        url = f"{settings.GOOGLE_RISC_URL}/v1beta/{path}"
        return ask(self._http, method, url, json=body, retry_safe=True)
