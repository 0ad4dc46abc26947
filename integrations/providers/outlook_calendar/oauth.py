"""Microsoft's OAuth 2.0: scopes, addresses, refresh, and whose account it is.

https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings

from integrations.errors import Unavailable
from integrations.providers.base import Http
from integrations.records import Account, Tokens
from integrations.transport.answers import json_object

OFFLINE, PROFILE, CALENDARS = "offline_access", "User.Read", "Calendars.ReadWrite"
SCOPES = (OFFLINE, PROFILE, CALENDARS)
PERMISSIONS = {
    CALENDARS: "Have full access to your calendars",
    PROFILE: "View your basic profile",
    OFFLINE: "Maintain access to data you have given it access to",
}
_OURS = {scope.casefold(): scope for scope in SCOPES}


def hosts() -> tuple[str, ...]:
    return (settings.MICROSOFT_GRAPH_URL,)


def authorize_url() -> str:
    return f"{_tenant_url()}/authorize"


def token_url() -> str:
    return f"{_tenant_url()}/token"


def _tenant_url() -> str:
    return f"{settings.MICROSOFT_LOGIN_URL}/{settings.MICROSOFT_TENANT}/oauth2/v2.0"


def parse_tokens(answer: Mapping[str, Any], now: dt.datetime) -> Tokens:
    """The token endpoint's answer. One without a token comes from a proxy in between: try again.

    Microsoft does not list `offline_access` among what it granted; the refresh token is what says so.
    """
    access_token = answer.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        raise Unavailable("Microsoft's answer held no token.")
    refresh_token, scope = answer.get("refresh_token") or None, answer.get("scope")
    scopes = _short(scope.split()) if isinstance(scope, str) else None
    if scopes is not None and refresh_token:
        scopes |= {OFFLINE}
    return Tokens(
        access_token=access_token,
        expires_at=now + dt.timedelta(seconds=_seconds(answer.get("expires_in"))),
        refresh_token=refresh_token,
        scopes=scopes,
        raw=dict(answer),
    )


def _seconds(value: Any) -> int:
    """Some of Microsoft's endpoints say it as a string."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _short(answered: list[str]) -> frozenset[str]:
    """The scopes under the names that we ask for: `https://graph.microsoft.com/User.Read` is `User.Read`."""
    names = (scope.rpartition("/")[2] for scope in answered)
    return frozenset(_OURS.get(name.casefold(), name) for name in names)


def refresh(http: Http, refresh_token: str) -> Tokens:
    """New tokens, and with them a new refresh token that takes the old one's place: the old one ends after 90 days."""
    asked_at = dt.datetime.now(dt.UTC)
    response = http.request(
        "POST",
        token_url(),
        data={
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": settings.MICROSOFT_CLIENT["client_id"],
            "client_secret": settings.MICROSOFT_CLIENT["secret"],
            "scope": " ".join(SCOPES),
        },
        # The old one is not revoked when it is used: https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens
        retry_safe=True,
    )
    tokens = parse_tokens(json_object(response), asked_at)
    return replace(tokens, scopes=tokens.scopes | {OFFLINE}) if tokens.scopes is not None else tokens


def identify(http: Http, _callback: Mapping[str, str] | None = None) -> Account:
    """Who has consented. A personal account's name may stand in either field."""
    body = json_object(http.request("GET", f"{settings.MICROSOFT_GRAPH_URL}/v1.0/me"))
    if not body.get("id"):
        raise Unavailable("Microsoft did not say whose account this is.")
    name = body.get("mail") or body.get("userPrincipalName") or body["id"]
    return Account(id=str(body["id"]), name=str(name))
