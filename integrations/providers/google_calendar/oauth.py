"""Google's OAuth 2.0: scopes, addresses, refresh, revoke, and whose account it is.

https://developers.google.com/identity/protocols/oauth2/web-server
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from integrations.errors import ProblemCode, ProviderError, Unavailable
from integrations.providers.base import Http
from integrations.records import Account, Tokens
from integrations.transport.answers import json_object

EVENTS_SCOPE = "https://www.googleapis.com/auth/calendar.events"
LIST_SCOPE = "https://www.googleapis.com/auth/calendar.calendarlist.readonly"
SCOPES = ("openid", "email", EVENTS_SCOPE, LIST_SCOPE)
COVERS = {
    "https://www.googleapis.com/auth/userinfo.email": ("email",),
    "https://www.googleapis.com/auth/calendar": (EVENTS_SCOPE, LIST_SCOPE),
    "https://www.googleapis.com/auth/calendar.calendarlist": (LIST_SCOPE,),
    "https://www.googleapis.com/auth/calendar.readonly": (LIST_SCOPE,),
}
PERMISSIONS = {
    EVENTS_SCOPE: "View and edit events on all your calendars",
    LIST_SCOPE: "See the list of Google calendars you're subscribed to",
}


def hosts() -> tuple[str, ...]:
    return settings.GOOGLE_API_URL, settings.GOOGLE_OPENID_URL


def authorize_url() -> str:
    return f"{settings.GOOGLE_ACCOUNTS_URL}/o/oauth2/v2/auth"


def token_url() -> str:
    return f"{settings.GOOGLE_OAUTH2_URL}/token"


def parse_tokens(answer: Mapping[str, Any], now: dt.datetime) -> Tokens:
    """The token endpoint's answer. One without a token comes from a proxy in between, not from Google: try again."""
    access_token = answer.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        raise Unavailable("Google's answer held no token.")
    refresh_expires_in = _seconds(answer.get("refresh_token_expires_in"))
    scope = answer.get("scope")
    return Tokens(
        access_token=access_token,
        expires_at=now + dt.timedelta(seconds=_seconds(answer.get("expires_in")) or 0),
        refresh_token=answer.get("refresh_token") or None,
        refresh_expires_at=now + dt.timedelta(seconds=refresh_expires_in) if refresh_expires_in else None,
        scopes=frozenset(_spelled_out(scope.split())) if isinstance(scope, str) else None,
        raw=dict(answer),
    )


def _seconds(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _spelled_out(answered: list[str]) -> set[str]:
    """The scopes under the names that we ask for: Google answers "email" in its long form, wider scopes cover ours."""
    scopes = set(answered)
    for wide, covered in COVERS.items():
        if wide in scopes:
            scopes.update(covered)
    return scopes


def refresh(http: Http, refresh_token: str) -> Tokens:
    """New tokens. The answer holds no refresh token: the one at hand stays good."""
    asked_at = dt.datetime.now(dt.UTC)
    response = http.request(
        "POST",
        token_url(),
        data={
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": settings.GOOGLE_CLIENT["client_id"],
            "client_secret": settings.GOOGLE_CLIENT["secret"],
        },
        retry_safe=True,  # Google's refresh tokens do not rotate
    )
    return parse_tokens(json_object(response), asked_at)


def revoke(http: Http, token: str) -> None:
    """Ends the access at Google. What was dead already (400 invalid_token) is as good."""
    try:
        http.request("POST", f"{settings.GOOGLE_OAUTH2_URL}/revoke", data={"token": token}, retry_safe=True)
    except ProviderError as error:
        if error.code != ProblemCode.NEEDS_RECONNECT:
            raise


def identify(http: Http, _callback: Mapping[str, str] | None = None) -> Account:
    """Who has consented."""
    body = json_object(http.request("GET", f"{settings.GOOGLE_OPENID_URL}/v1/userinfo"))
    if not body.get("sub"):
        raise Unavailable("Google did not say whose account this is.")
    return Account(id=str(body["sub"]), name=str(body.get("email") or body["sub"]))
