"""Microsoft's OAuth 2.0: scopes, addresses, and whose account it is.

https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from fieldcamp.texts import masked
from integrations.errors import Unavailable
from integrations.providers.base import Http
from integrations.providers.discovery import Endpoint
from integrations.providers.oauth import OAuth, listed_scopes
from integrations.providers.refusals import ConsentEnd, ConsentRefusal
from integrations.records import Account
from integrations.transport.answers import ask

OFFLINE, PROFILE, CALENDARS = "offline_access", "User.Read", "Calendars.ReadWrite"
SCOPES = (OFFLINE, PROFILE, CALENDARS)
_TENANT = re.compile(r"[\w.-]+|\{tenantid\}")
# 90094: only an administrator may consent; 90095: people may ask one to
# https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
_ADMINISTRATORS_ONLY = re.compile(r"^AADSTS9009[45]\b")
_NUMBER = re.compile(r"^(AADSTS\d{4,8})\b")
_ASSIGNED = (
    "Your organization lets only chosen people use FieldCamp. Your administrator adds you in the Microsoft Entra admin "
    "center, under Enterprise applications, FieldCamp, Users and groups."
)
_POLICY = (
    "A Conditional Access policy of your organization does not let this sign-in through. Your administrator sees it in "
    "the Microsoft Entra admin center, under Sign-in logs, and has to let FieldCamp in."
)
_DISABLED = (
    "FieldCamp is switched off in your organization. Your administrator enables it in the Microsoft Entra admin "
    "center, under Enterprise applications."
)
_REGISTRATION = "Microsoft does not accept FieldCamp's registration. Whoever runs this site has to correct it."
_ELSEWHERE = "This account belongs to no organization that may use FieldCamp here. Choose another account."
# https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
REFUSALS = {
    "AADSTS65004": ConsentRefusal(ConsentEnd.CANCELLED),
    "AADSTS90094": ConsentRefusal(ConsentEnd.ADMINISTRATORS),
    "AADSTS90095": ConsentRefusal(ConsentEnd.ADMINISTRATORS),
    "AADSTS65001": ConsentRefusal(
        ConsentEnd.FAILED, "This account has not allowed FieldCamp yet. Accept at Microsoft."
    ),
    "AADSTS50105": ConsentRefusal(ConsentEnd.BLOCKED, _ASSIGNED),
    "AADSTS53000": ConsentRefusal(ConsentEnd.BLOCKED, _POLICY),
    "AADSTS53001": ConsentRefusal(ConsentEnd.BLOCKED, _POLICY),
    "AADSTS53002": ConsentRefusal(ConsentEnd.BLOCKED, _POLICY),
    "AADSTS53003": ConsentRefusal(ConsentEnd.BLOCKED, _POLICY),
    "AADSTS530032": ConsentRefusal(ConsentEnd.BLOCKED, _POLICY),
    "AADSTS7000112": ConsentRefusal(ConsentEnd.BLOCKED, _DISABLED),
    "AADSTS50020": ConsentRefusal(ConsentEnd.ANOTHER_ACCOUNT, _ELSEWHERE),
    "AADSTS50034": ConsentRefusal(ConsentEnd.ANOTHER_ACCOUNT, _ELSEWHERE),
    "AADSTS50057": ConsentRefusal(
        ConsentEnd.ANOTHER_ACCOUNT,
        "This account is disabled at Microsoft. Your administrator enables it, or choose another.",
    ),
    "AADSTS70011": ConsentRefusal(ConsentEnd.MISCONFIGURED, _REGISTRATION),
    "AADSTS65005": ConsentRefusal(ConsentEnd.MISCONFIGURED, _REGISTRATION),
    "AADSTS700016": ConsentRefusal(ConsentEnd.MISCONFIGURED, _REGISTRATION),
    "AADSTS7000215": ConsentRefusal(ConsentEnd.MISCONFIGURED, _REGISTRATION),
    "AADSTS7000222": ConsentRefusal(ConsentEnd.MISCONFIGURED, _REGISTRATION),
    "AADSTS90033": ConsentRefusal(ConsentEnd.UNAVAILABLE),
}
_OURS = {scope.casefold(): scope for scope in SCOPES}


def hosts(_account_id: str) -> tuple[str, ...]:
    return (settings.MICROSOFT_GRAPH_URL,)


def _tenant_url() -> str:
    return f"{settings.MICROSOFT_LOGIN_URL}/{settings.MICROSOFT_TENANT}"


def _is_issuer(issuer: str) -> bool:
    """Returns whether it is one of Microsoft's: a tenant by its id, also where it was asked for by name, or for all
    tenants a placeholder: https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens#validate-the-issuer
    """
    tenant = issuer.removeprefix(f"{settings.MICROSOFT_LOGIN_URL}/").removesuffix("/v2.0")
    return issuer == f"{settings.MICROSOFT_LOGIN_URL}/{tenant}/v2.0" and _TENANT.fullmatch(tenant) is not None


def granted(answer: Mapping[str, Any]) -> frozenset[str] | None:
    """Reads what was granted: `https://graph.microsoft.com/User.Read` is `User.Read`.

    Microsoft does not list `offline_access` among what it granted; that there is a refresh token is what says so."""
    listed = listed_scopes(answer)
    if listed is None:
        return None
    names = (scope.rpartition("/")[2] for scope in listed)
    offline = {OFFLINE} if answer["refresh_token"] else set()
    return frozenset(_OURS.get(name.casefold(), name) for name in names) | offline


def identify(http: Http, _callback: Mapping[str, str] | None = None) -> Account:
    """Returns who has consented. A personal account's name may stand in either field."""
    body = ask(http, "GET", f"{settings.MICROSOFT_GRAPH_URL}/v1.0/me")
    if not body.get("id"):
        raise Unavailable("Microsoft did not say whose account this is.")
    name = body.get("mail") or body.get("userPrincipalName") or masked(str(body["id"]))
    return Account(id=str(body["id"]), name=str(name))


def administrators(refusal: Mapping[str, str], callback: str) -> str:
    """Returns the address at which an administrator allows the app for a whole organization, where only one may.

    https://learn.microsoft.com/en-us/entra/identity-platform/v2-admin-consent (its tenant must not be `common`)
    """
    if not _ADMINISTRATORS_ONLY.search(refusal.get("error_description", "")):
        return ""
    tenant = "organizations" if settings.MICROSOFT_TENANT == "common" else settings.MICROSOFT_TENANT
    asked = {
        "client_id": MICROSOFT.client["client_id"],
        "scope": " ".join(f"https://graph.microsoft.com/{scope}" for scope in (PROFILE, CALENDARS)),
        "redirect_uri": callback,
        "state": "administrator",
    }
    return f"{settings.MICROSOFT_LOGIN_URL}/{tenant}/v2.0/adminconsent?{urlencode(asked)}"


def refusal_code(refusal: Mapping[str, str]) -> str:
    """Returns the number with which Microsoft's description of a refusal begins; "" where it has none."""
    found = _NUMBER.search(refusal.get("error_description", ""))
    return found[1] if found else ""


MICROSOFT = OAuth(
    vendor="Microsoft",
    app="MICROSOFT",
    document=lambda: f"{_tenant_url()}/v2.0/.well-known/openid-configuration",
    is_issuer=_is_issuer,
    endpoints={
        Endpoint.AUTHORIZATION: lambda: f"{_tenant_url()}/oauth2/v2.0/authorize",
        Endpoint.TOKEN: lambda: f"{_tenant_url()}/oauth2/v2.0/token",
    },
    token_hosts=hosts,
    scopes=SCOPES,
    permissions={
        CALENDARS: "Have full access to your calendars",
        PROFILE: "View your basic profile",
        OFFLINE: "Maintain access to data you have given it access to",
    },
    granted=granted,
    takes_certificate=True,
    revoke=None,  # an app cannot end its own access: https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens
    # Else a browser that is signed in at Microsoft connects that account unasked.
    auth_params={"prompt": "select_account"},
    # A refresh brings a new refresh token; the one that it was made with ends after 90 days, not at once (same page).
    refresh_fields={"scope": " ".join(SCOPES)},
    secret_months=24,  # https://learn.microsoft.com/en-us/entra/identity-platform/how-to-add-credentials
    administrators=administrators,
    refusals=REFUSALS,
    refusal_code=refusal_code,
)
