"""Google's OAuth 2.0: scopes, addresses, revoke, and whose account it is.

https://developers.google.com/identity/protocols/oauth2/web-server
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from fieldcamp.texts import masked
from integrations.errors import ProblemCode, ProviderError, Unavailable
from integrations.providers.base import Http
from integrations.providers.discovery import Endpoint
from integrations.providers.oauth import OAuth, listed_scopes
from integrations.providers.refusals import ConsentEnd, ConsentRefusal
from integrations.records import Account
from integrations.transport.answers import ask

EVENTS_SCOPE = "https://www.googleapis.com/auth/calendar.events"
LIST_SCOPE = "https://www.googleapis.com/auth/calendar.calendarlist.readonly"
COVERS = {
    "https://www.googleapis.com/auth/userinfo.email": ("email",),
    "https://www.googleapis.com/auth/calendar": (EVENTS_SCOPE, LIST_SCOPE),
    "https://www.googleapis.com/auth/calendar.calendarlist": (LIST_SCOPE,),
    "https://www.googleapis.com/auth/calendar.readonly": (LIST_SCOPE,),
}

_POLICY = (
    "Your organization's administrator does not let FieldCamp read these calendars. They allow it in the Google Admin "
    "console, under Security, Access and data control, API controls."
)
_REGISTRATION = "Google does not accept FieldCamp's registration. Whoever runs this site has to correct it."
# https://developers.google.com/identity/protocols/oauth2/web-server#authorization-errors
REFUSALS = {
    "admin_policy_enforced": ConsentRefusal(ConsentEnd.BLOCKED, _POLICY),
    "org_internal": ConsentRefusal(
        ConsentEnd.ANOTHER_ACCOUNT, "FieldCamp is for the people of one organization here. Choose an account of that."
    ),
    "disallowed_useragent": ConsentRefusal(
        ConsentEnd.FAILED, "Google does not let people sign in inside of another app. Open FieldCamp in a browser."
    ),
    "deleted_client": ConsentRefusal(ConsentEnd.MISCONFIGURED, _REGISTRATION),
    "invalid_client": ConsentRefusal(ConsentEnd.MISCONFIGURED, _REGISTRATION),
}


def hosts(_account_id: str) -> tuple[str, ...]:
    return settings.GOOGLE_API_URL, settings.GOOGLE_OPENID_URL


def granted(answer: Mapping[str, Any]) -> frozenset[str] | None:
    """Reads what was granted: Google answers "email" in its long form, and wider scopes cover ours."""
    listed = listed_scopes(answer)
    if listed is None:
        return None
    return frozenset(listed).union(*(covered for wide, covered in COVERS.items() if wide in listed))


def revoke(http: Http, token: str) -> None:
    """Ends the access at Google. What was dead already (400 invalid_token) is as good."""
    try:
        http.request("POST", GOOGLE.endpoint(Endpoint.REVOCATION), data={"token": token}, retry_safe=True)
    except ProviderError as error:
        if error.code != ProblemCode.NEEDS_RECONNECT:
            raise


def identify(http: Http, _callback: Mapping[str, str] | None = None) -> Account:
    """Returns who has consented."""
    body = ask(http, "GET", GOOGLE.endpoint(Endpoint.USERINFO))
    if not body.get("sub"):
        raise Unavailable("Google did not say whose account this is.")
    return Account(id=str(body["sub"]), name=str(body.get("email") or masked(str(body["sub"]))))


GOOGLE = OAuth(
    vendor="Google",
    app="GOOGLE",
    # https://developers.google.com/identity/openid-connect/openid-connect#discovery
    document=lambda: f"{settings.GOOGLE_ACCOUNTS_URL}/.well-known/openid-configuration",
    is_issuer="https://accounts.google.com".__eq__,
    endpoints={
        Endpoint.AUTHORIZATION: lambda: f"{settings.GOOGLE_ACCOUNTS_URL}/o/oauth2/v2/auth",
        Endpoint.TOKEN: lambda: f"{settings.GOOGLE_OAUTH2_URL}/token",
        Endpoint.REVOCATION: lambda: f"{settings.GOOGLE_OAUTH2_URL}/revoke",
        Endpoint.USERINFO: lambda: f"{settings.GOOGLE_OPENID_URL}/v1/userinfo",
    },
    token_hosts=hosts,
    scopes=("openid", "email", EVENTS_SCOPE, LIST_SCOPE),
    permissions={
        EVENTS_SCOPE: "View and edit events on all your calendars",
        LIST_SCOPE: "See the list of Google calendars you're subscribed to",
    },
    granted=granted,
    revoke=revoke,
    # Without `offline` there is no refresh token; without `consent` Google sends one the first time only.
    # https://developers.google.com/identity/protocols/oauth2/web-server#offline
    auth_params={"access_type": "offline", "prompt": "consent select_account"},
    lifetimes=("refresh_token_expires_in",),
    idle_days=180,  # https://support.google.com/cloud/answer/15549257
    refusals=REFUSALS,
)
