"""OAuth 2.0, as vendors speak it: what differs is declared in a vendor's folder, what does not stands here once.

https://www.rfc-editor.org/rfc/rfc6749
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from fieldcamp.certificates import ASSERTION_TYPE, AppCertificate
from integrations.errors import Misconfigured, Unavailable
from integrations.providers.base import Http
from integrations.providers.discovery import Discovery, Endpoint
from integrations.providers.refusals import ConsentRefusal, refusal_of
from integrations.records import Tokens
from integrations.transport.answers import ask
from integrations.transport.client import utc_now
from integrations.transport.credentials import Bearer, basic_auth

LONGEST = 10**9  # seconds; what is more overflows a date


def listed_scopes(answer: Mapping[str, Any]) -> list[str] | None:
    """Returns the scopes that a token answer names; None where it is silent, which grants what was asked for."""
    scope = answer.get("scope")
    return scope.split() if isinstance(scope, str) else None


def _its_error(refusal: Mapping[str, str]) -> str:
    return refusal.get("error", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """One vendor's OAuth 2.0, an `Authentication`.

    `vendor` is how people call it, `app` our app there: GOOGLE is settings' GOOGLE_CLIENT, made of GOOGLE_CLIENT_ID and
    GOOGLE_CLIENT_SECRET. `granted` reads from a token answer which scopes were granted, under the names that we ask
    for; where the answer brings no new refresh token it is shown the one that stays. `lifetimes` are the answer's names
    for the seconds after which its refresh token ends; the earliest counts. `document` is the address of its discovery
    document, `is_issuer` says whether it is the vendor that one names, `endpoints` are those that we use, as they are
    without a document. `token_hosts`: the addresses that may be sent an access token (`Provider.hosts`).
    """

    vendor: str
    app: str
    document: Callable[[], str]
    is_issuer: Callable[[str], bool]
    endpoints: Mapping[Endpoint, Callable[[], str]]
    token_hosts: Callable[[str], tuple[str, ...]]
    scopes: tuple[str, ...]
    permissions: Mapping[str, str]
    granted: Callable[[Mapping[str, Any]], frozenset[str] | None]
    revoke: Callable[[Http, str], None] | None
    auth_params: Mapping[str, str] = field(default_factory=dict)  # what the consent's address says besides
    pkce: bool = True
    takes_certificate: bool = False  # where settings have one for our app, it stands in for the secret
    basic_auth: bool = False  # our app names itself in a header, not in the form: section 2.3.1
    token_headers: Mapping[str, str] = field(default_factory=dict)
    refresh_fields: Mapping[str, str] = field(default_factory=dict)  # what a refresh says besides
    rotates: bool = False  # a refresh ends the token that it was made with, so it is sent once
    lifetimes: tuple[str, ...] = ()
    secret_months: int = 0  # months after which our app's secret ends at the latest; 0: it does not
    idle_days: int = 0  # of no use after which our app is deleted there; 0: it is not
    authorize: Callable[[str], requests.auth.AuthBase] = Bearer
    # Where an administrator allows the app for everybody: of a refusal (the callback's query) that only one may, and
    # the callback's address; "" of another.
    administrators: Callable[[Mapping[str, str], str], str] | None = None
    # What the vendor's codes of a refused consent mean besides the standard's, and where such a code stands in the
    # callback's query.
    refusals: Mapping[str, ConsentRefusal] = field(default_factory=dict)
    refusal_code: Callable[[Mapping[str, str]], str] = _its_error

    def meaning(self, refusal: Mapping[str, str]) -> ConsentRefusal:
        """Returns what a refused consent (the callback's query) means."""
        return refusal_of(self.refusal_code(refusal), refusal.get("error", ""), self.refusals)

    @property
    def client(self) -> Mapping[str, str]:
        """Returns our app's `client_id` and `secret`."""
        found = self._app_settings
        return {"client_id": found["client_id"], "secret": found["secret"]}

    @property
    def secret_ends(self) -> str:
        """Returns the day on which our app's secret ends, in ISO form; "" where nobody has said it."""
        return self._app_settings.get("secret_ends", "")

    @property
    def _app_settings(self) -> Mapping[str, str]:
        found: Mapping[str, str] = getattr(settings, f"{self.app}_CLIENT")
        return found

    @property
    def addresses(self) -> tuple[str, ...]:
        """Returns the addresses that the vendor is declared to have, for this app."""
        names = [name for name in settings.VENDOR_URLS if name.startswith(f"{self.app}_")]
        return tuple(getattr(settings, name) for name in names)

    @property
    def discovery(self) -> Discovery:
        """Returns what is declared of its discovery document."""
        return Discovery(
            vendor=self.vendor,
            document=self.document,
            is_issuer=self.is_issuer,
            bases=lambda each: self.token_hosts("") if each is Endpoint.USERINFO else self.addresses,
            settings=self.endpoints,
        )

    def endpoint(self, endpoint: Endpoint) -> str:
        """Returns the address of an endpoint, as the vendor says it today."""
        return self.discovery.endpoint(endpoint)

    @property
    def certificate(self) -> AppCertificate | None:
        """Returns the certificate that our app signs in with, where it has one. Raises `Misconfigured`."""
        files = getattr(settings, f"{self.app}_CERTIFICATE", None) if self.takes_certificate else None
        if not files or not any(files.values()):
            return None
        try:
            return AppCertificate.load(**files)
        except ImproperlyConfigured as error:
            raise Misconfigured(f"{self.vendor}: {error}") from None

    def parse_tokens(self, answer: Mapping[str, Any], now: dt.datetime, held: str = "") -> Tokens:
        """Returns a token answer's tokens; `held` is the refresh token that stays where it brings none.

        One without an access token comes from a proxy in between, not from the vendor: try again."""
        access_token, refresh_token = _text(answer.get("access_token")), _text(answer.get("refresh_token"))
        if not access_token:
            raise Unavailable(f"{self.vendor}'s answer held no token.")
        ends = [seconds for name in self.lifetimes if (seconds := _seconds(answer.get(name)))]
        return Tokens(
            access_token=access_token,
            expires_at=now + dt.timedelta(seconds=_seconds(answer.get("expires_in"))),
            refresh_token=refresh_token or None,
            refresh_expires_at=now + dt.timedelta(seconds=min(ends)) if ends else None,
            scopes=self.granted({**answer, "refresh_token": refresh_token or held}),
            raw=dict(answer),
        )

    def refresh(self, http: Http, refresh_token: str) -> Tokens:
        """Returns new tokens. Where the vendor rotates refresh tokens, a lost answer is for the caller to ask again."""
        asked_at = utc_now()
        fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        answer = self.ask(http, fields, self.refresh_fields, retry_safe=None if self.rotates else True)
        return self.parse_tokens(answer, asked_at, held=refresh_token)

    def ask(
        self,
        http: Http,
        fields: Mapping[str, str],
        more: Mapping[str, str] | None = None,
        retry_safe: bool | None = None,
    ) -> dict[str, Any]:
        """Returns the token endpoint's answer to these fields, as our app at the vendor."""
        headers, client, url = dict(self.token_headers), self.client, self.endpoint(Endpoint.TOKEN)
        ours = {"client_id": client["client_id"], "client_secret": client["secret"]}
        if certificate := self.certificate:
            assertion = certificate.assertion(client["client_id"], url, utc_now())
            ours = {"client_id": client["client_id"], "client_assertion_type": ASSERTION_TYPE}
            ours["client_assertion"] = assertion
        elif self.basic_auth:
            headers["Authorization"], ours = basic_auth(**client), {}
        data = {**fields, **ours, **(more or {})}
        return ask(http, "POST", url, data=data, headers=headers, retry_safe=retry_safe)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _seconds(value: Any) -> int:
    """Reads a number of seconds, which some endpoints send as a string."""
    try:
        return min(max(int(value), 0), LONGEST)
    except (TypeError, ValueError):
        return 0
