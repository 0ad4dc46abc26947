"""Intuit's OAuth 2.0: scopes, addresses, refresh, and whose books they are.

https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from fieldcamp.texts import masked
from integrations import errors
from integrations.errors import Unavailable
from integrations.providers.base import Http
from integrations.providers.discovery import Endpoint
from integrations.providers.oauth import OAuth
from integrations.providers.quickbooks import addresses
from integrations.providers.quickbooks.errors import fault_in
from integrations.records import Account
from integrations.transport.answers import json_object
from integrations.transport.credentials import basic_auth

ACCOUNTING = "com.intuit.quickbooks.accounting"
SCOPES = (ACCOUNTING, "openid", "email")


def hosts(_account_id: str) -> tuple[str, ...]:
    return (settings.QUICKBOOKS_API_URL,)


def _document() -> str:
    """Returns where the document is, of which there are two: that of the companies for trying out is another.

    https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-openid-discovery-doc
    """
    trying = addresses.is_for_trying_out()
    name = "openid_sandbox_configuration" if trying else "openid_configuration"
    return f"{settings.INTUIT_DEVELOPER_API_URL}/.well-known/{name}"


def granted(_answer: Mapping[str, Any]) -> frozenset[str]:
    """Returns all of ours: Intuit does not say what it granted, consent is all or nothing."""
    return frozenset(SCOPES)


def revoke(http: Http, token: str) -> None:
    """Ends the whole connection. A token that Intuit does not know is as good as revoked."""
    try:
        http.request(
            "POST",
            INTUIT.endpoint(Endpoint.REVOCATION),
            json={"token": token},
            headers={"Accept": "application/json", "Authorization": basic_auth(**INTUIT.client)},
            retry_safe=True,
        )
    except (errors.NeedsReconnect, errors.Rejected):
        return


def identify(http: Http, callback: Mapping[str, str] | None = None) -> Account:
    """Returns the company that was consented for. Its id stands in the callback's address alone, and so it is not
    trusted before the company has answered under it."""
    realm_id = (callback or {}).get("realmId", "")
    if not addresses.is_company(realm_id):
        raise Unavailable("Intuit did not say which company this is. Connect again.")
    url = addresses.company(realm_id, f"companyinfo/{realm_id}")
    response = http.request("GET", url, headers={"Accept": "application/json"}, whole=json_object)
    body = json_object(response)
    if error := fault_in(response, body):
        raise error
    info = body.get("CompanyInfo")
    if not isinstance(info, dict):
        raise Unavailable("QuickBooks did not say which company this is.")
    return Account(id=realm_id, name=str(info.get("CompanyName") or masked(realm_id)))


INTUIT = OAuth(
    vendor="Intuit",
    app="INTUIT",
    document=_document,
    is_issuer=lambda issuer: issuer == f"{settings.INTUIT_OAUTH_URL}/op/v1",
    endpoints={
        Endpoint.AUTHORIZATION: lambda: f"{settings.INTUIT_APPCENTER_URL}/connect/oauth2",
        Endpoint.TOKEN: lambda: f"{settings.INTUIT_OAUTH_URL}/oauth2/v1/tokens/bearer",
        Endpoint.REVOCATION: lambda: f"{settings.INTUIT_DEVELOPER_API_URL}/v2/oauth2/tokens/revoke",
    },
    token_hosts=hosts,
    scopes=SCOPES,
    permissions={ACCOUNTING: "Access your QuickBooks data"},
    granted=granted,
    revoke=revoke,
    pkce=False,  # Intuit's authorization address takes no code challenge
    basic_auth=True,
    # The end of a grant, five years after the consent, is only told to those who ask:
    # https://blogs.intuit.com/2025/11/12/important-changes-to-refresh-token-policy/
    token_headers={"Accept": "application/json", "x-include-refresh-token-hard-expires-in": "true"},
    lifetimes=("x_refresh_token_expires_in", "x_refresh_token_hard_expires_in"),
    # The refresh token changes about once a day, and its predecessor ends with that answer.
    rotates=True,
)
