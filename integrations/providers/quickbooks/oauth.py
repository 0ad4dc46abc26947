"""Intuit's OAuth 2.0: scopes, addresses, refresh, and whose books they are.

https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from integrations import errors
from integrations.errors import Unavailable
from integrations.providers.base import Http
from integrations.providers.quickbooks import addresses
from integrations.providers.quickbooks.errors import fault_in
from integrations.records import Account, Tokens
from integrations.transport.answers import json_object
from integrations.transport.client import basic_auth

ACCOUNTING = "com.intuit.quickbooks.accounting"
SCOPES = (ACCOUNTING, "openid", "email")
PERMISSIONS = {ACCOUNTING: "Access your QuickBooks data"}
# The end of a grant, five years after the consent, is only told to those who ask:
# https://blogs.intuit.com/2025/11/12/important-changes-to-refresh-token-policy/
TOKEN_HEADERS = {"Accept": "application/json", "x-include-refresh-token-hard-expires-in": "true"}


def hosts() -> tuple[str, ...]:
    return (settings.QUICKBOOKS_API_URL,)


def authorize_url() -> str:
    return f"{settings.INTUIT_APPCENTER_URL}/connect/oauth2"


def token_url() -> str:
    return f"{settings.INTUIT_OAUTH_URL}/oauth2/v1/tokens/bearer"


def parse_tokens(answer: Mapping[str, Any], now: dt.datetime) -> Tokens:
    """The token endpoint's answer. One without a token comes from a proxy in between: try again.

    Intuit does not say what it granted: consent is all or nothing.
    """
    access_token, refresh_token = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(access_token, str) or not access_token:
        raise Unavailable("Intuit's answer held no token.")
    ends = [_seconds(answer.get(f"x_refresh_token_{name}")) for name in ("expires_in", "hard_expires_in")]
    known = [seconds for seconds in ends if seconds]
    return Tokens(
        access_token=access_token,
        expires_at=now + dt.timedelta(seconds=_seconds(answer.get("expires_in"))),
        refresh_token=refresh_token if isinstance(refresh_token, str) and refresh_token else None,
        refresh_expires_at=now + dt.timedelta(seconds=min(known)) if known else None,
        scopes=frozenset(SCOPES),
        raw=dict(answer),
    )


def _seconds(value: Any) -> int:
    try:
        return min(max(int(value), 0), 10**9)
    except (TypeError, ValueError):
        return 0


def refresh(http: Http, refresh_token: str) -> Tokens:
    """New tokens. The refresh token itself changes about once a day, and its predecessor ends with that answer: so it
    is sent once, and a lost answer is for the caller to ask again for."""
    asked_at = dt.datetime.now(dt.UTC)
    response = http.request(
        "POST",
        token_url(),
        data={"grant_type": "refresh_token", "refresh_token": refresh_token},
        headers={**TOKEN_HEADERS, "Authorization": _our_app()},
    )
    return parse_tokens(json_object(response), asked_at)


def revoke(http: Http, token: str) -> None:
    """Ends the whole connection. A token that Intuit does not know is as good as revoked."""
    try:
        http.request(
            "POST",
            f"{settings.INTUIT_DEVELOPER_API_URL}/v2/oauth2/tokens/revoke",
            json={"token": token},
            headers={"Accept": "application/json", "Authorization": _our_app()},
            retry_safe=True,
        )
    except (errors.NeedsReconnect, errors.Rejected):
        return


def _our_app() -> str:
    return basic_auth(settings.INTUIT_CLIENT["client_id"], settings.INTUIT_CLIENT["secret"])


def identify(http: Http, callback: Mapping[str, str] | None = None) -> Account:
    """The company that was consented for; its id stands in the callback's address alone, and so it is not trusted
    before the company has answered under it."""
    realm_id = (callback or {}).get("realmId", "")
    if not addresses.is_company(realm_id):
        raise Unavailable("Intuit did not say which company this is. Connect again.")
    response = http.request(
        "GET", addresses.company(realm_id, f"companyinfo/{realm_id}"), headers={"Accept": "application/json"}
    )
    body = json_object(response)
    if error := fault_in(response, body):
        raise error
    info = body.get("CompanyInfo")
    name = info.get("CompanyName") if isinstance(info, dict) else None
    return Account(id=realm_id, name=str(name or realm_id))
