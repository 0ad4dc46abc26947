"""The v2 endpoints that clients call without a browser: tokens, discovery, keys.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
"""

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox import id_token
from fieldcamp.sandbox.http import Request, Response, content_type, json_response
from fieldcamp.sandbox.microsoft import scopes, traits
from fieldcamp.sandbox.microsoft.calendars import Calendars
from fieldcamp.sandbox.microsoft.client_assertion import Certificates, Refused
from fieldcamp.sandbox.oauth import ANY_CLIENT, CLIENT_SECRET, Grants, client_credentials, verifier_matches

ROOT = "/microsoft/login"
TENANT_ID = "9188040d-6c67-4c5b-b112-36a304b66dad"  # the tenant of all personal accounts
ACCESS_SECONDS = 3599
TOKEN_LENGTH = 1_600  # opaque ones of personal accounts; only their being long is known
REFRESH_SECONDS = 90 * 86400
INACTIVE, REVOKED = 700082, 50173


class TokenError(Exception):
    """A refusal as the token endpoint words it; clients branch on `error` and `suberror`, people on the number.

    https://learn.microsoft.com/entra/identity-platform/reference-error-codes
    """

    def __init__(self, error: str, number: int, text: str, suberror: str = "", status: int = 400) -> None:
        super().__init__(text)
        self.error, self.number, self.text, self.suberror, self.status = error, number, text, suberror, status

    def response(self, now: float) -> Response:
        """The answer that carries it."""
        trace, correlation = uuid.uuid4(), uuid.uuid4()
        stamp = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%SZ}"
        text = f"AADSTS{self.number}: {self.text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
        body: dict[str, Any] = {
            "error": self.error,
            "error_description": text,
            "error_codes": [self.number],
            "timestamp": stamp,
            "trace_id": str(trace),
            "correlation_id": str(correlation),
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
        if self.suberror:
            body["suberror"] = self.suberror
        if self.suberror in ("basic_action", "message_only"):
            body["claims"] = '{"access_token":{"capolids":{"essential":true,"values":["sandbox-policy"]}}}'
        return json_response(body, self.status)


def bad_grant(number: int, text: str, suberror: str = "") -> TokenError:
    """The code or refresh token is no good."""
    return TokenError("invalid_grant", number, text, suberror)


def missing(name: str) -> TokenError:
    """A parameter that must be there is not."""
    text = f"The request body must contain the following parameter: '{name}'."
    return TokenError("invalid_request", 900144, text)


class TokenApi:
    """Answers the token endpoint and what lies around it."""

    def __init__(self, calendars: Calendars, grants: Grants) -> None:
        self.calendars, self.grants, self.state = calendars, grants, grants.state
        self.certificates = Certificates(self.state)
        self.access_withdrawn: Callable[[str, str], None] = lambda email, client_id: None  # whoever else ends with it

    def token(self, request: Request) -> Response:
        """Exchanges a code or a refresh token."""
        try:
            if request.method != "POST" or content_type(request.headers)[0] != "application/x-www-form-urlencoded":
                raise TokenError("invalid_request", 900561, "The endpoint only accepts POST requests with a form.")
            form = request.form()
            client_id = self._client(request, form)
            with self.state.transaction():
                if form.get("grant_type") == "authorization_code":
                    answer = self._exchange(request, form, client_id)
                elif form.get("grant_type") == "refresh_token":
                    answer = self._refresh(request, form, client_id)
                elif not form.get("grant_type"):
                    raise missing("grant_type")
                else:
                    text = "The app requested an unsupported grant type."
                    raise TokenError("unsupported_grant_type", 70003, text)
        except TokenError as error:
            return error.response(self.state.now())
        response = json_response(answer)
        response.headers["Cache-Control"] = "no-store, no-cache"
        return response

    def answer_for(
        self, root: str, email: str, grant: int, granted: set[str], nonce: str = "", only: set[str] | None = None
    ) -> dict[str, Any]:
        """The token answer for a grant. `only` narrows what this access token reaches."""
        account = self.calendars.the_account(email)
        held = granted if only is None else only
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "scope": " ".join(sorted(held - {"offline_access"})),
            "expires_in": ACCESS_SECONDS,
            "ext_expires_in": ACCESS_SECONDS,
            "access_token": self.grants.issue(
                "access", grant, held, "EwB4A8l6BAAU", ACCESS_SECONDS, length=TOKEN_LENGTH
            ),
        }
        if "offline_access" in granted:
            keep = 1 if account.trait == traits.STRICT else 10_000
            answer["refresh_token"] = self.grants.issue(
                "refresh", grant, granted, "M.C5_BAY.0.U.-", REFRESH_SECONDS, keep, TOKEN_LENGTH
            )
        if "openid" in held:
            answer["id_token"] = self._id_token(root, email, grant, held, nonce)
        return answer

    def forget(self, grant: int, reason: int = REVOKED) -> None:
        """Takes a grant away; its refresh tokens say from now on why they are dead."""
        self.state.execute(
            "INSERT OR IGNORE INTO m_dead_tokens"
            " SELECT token, ? FROM oauth_tokens WHERE grant_n = ? AND kind = 'refresh'",
            reason,
            grant,
        )
        with self.state.transaction():
            with suppress(LookupError):  # taken away before
                self.access_withdrawn(*self.grants.owner(grant))
            self.grants.remove(grant)

    def discovery(self, request: Request, tenant: str) -> Response:
        """The OpenID Connect discovery document, with this sandbox's addresses."""
        root = f"{request.root}{ROOT}"
        issuer = "{tenantid}" if tenant in ("common", "organizations") else tenant
        document = {
            "token_endpoint": f"{root}/{tenant}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{root}/{tenant}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{root}/{issuer}/v2.0",
            "userinfo_endpoint": f"{request.root}/microsoft/graph/oidc/userinfo",
            "authorization_endpoint": f"{root}/{tenant}/oauth2/v2.0/authorize",
            "end_session_endpoint": f"{root}/{tenant}/oauth2/v2.0/logout",
        }
        return json_response(document)

    def keys(self) -> Response:
        """The public key behind ID tokens."""
        return json_response(id_token.certificates(self.state))

    def user_info(self, request: Request) -> Response:
        """Who the bearer of the token is."""
        token = self.grants.lookup(request.bearer, "access")
        if token is None or "openid" not in token.scopes:
            return json_response({"error": {"code": "InvalidAuthenticationToken", "message": "No OpenID token."}}, 401)
        account = self.calendars.the_account(token.account)
        names = {"given_name": account.given_name, "family_name": account.family_name}
        return json_response({"sub": account.oid, "name": account.name, **names, "email": account.email})

    def _exchange(self, request: Request, form: MultiDict, client_id: str) -> dict[str, Any]:
        code = form.get("code", "")
        if not code:
            raise missing("code")
        spent = self.grants.spend_code(code)
        if spent is None:
            raise bad_grant(54005, "OAuth2 Authorization code was already redeemed or is unknown; use a new one.")
        grant, details = spent
        account, allowed_client = self.grants.owner(grant)
        if allowed_client != client_id:
            raise bad_grant(700005, "The authorization code was issued to another application.")
        if form.get("redirect_uri") != details["redirect_uri"]:
            raise bad_grant(70000, "The redirect_uri differs from that of the authorization request.")
        if details["challenge"]:
            verifier = form.get("code_verifier", "")
            if not verifier or not verifier_matches(details["challenge"], details["challenge_method"], verifier):
                raise bad_grant(501481, "The Code_Verifier does not match the code_challenge of the authorization.")
        return self.answer_for(request.root, account, grant, set(details["scopes"]), details["nonce"])

    def _refresh(self, request: Request, form: MultiDict, client_id: str) -> dict[str, Any]:
        text = form.get("refresh_token", "")
        if not text:
            raise missing("refresh_token")
        token = self.grants.lookup(text, "refresh")
        if token is None:
            raise self._why_dead(text)
        if token.client_id not in (client_id, ANY_CLIENT):
            raise bad_grant(700005, "The refresh token was issued to another application.", "client_mismatch")
        trait = self.calendars.the_account(token.account).trait
        if trait in traits.REFRESH_ERRORS:
            raise TokenError(*traits.REFRESH_ERRORS[trait])
        granted, only = set(token.scopes), None
        if form.get("scope"):
            asked = {scopes.short(scope) for scope in form["scope"].split()}
            if None in asked:
                raise TokenError(
                    "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid."
                )
            held = {scopes.short(scope): scope for scope in granted}
            # The sign-in scopes come along whether or not a client repeats them, as msal does.
            new = {str(scope) for scope in asked} - set(held) - set(scopes.SIGN_IN) - {".default"}
            if new:
                text = f"The user or administrator has not consented to use the application for {sorted(new)[0]}."
                raise bad_grant(65001, text, "consent_required")
            wanted = {scope for scope in asked if scope in held}
            only = granted if ".default" in asked else {held[scope] for scope in wanted}
        return self.answer_for(request.root, token.account, token.grant, granted, only=only)

    def _why_dead(self, text: str) -> TokenError:
        row = self.state.one("SELECT reason FROM m_dead_tokens WHERE token = ?", text)
        if row is not None:
            words = "The provided grant has expired due to it being revoked, a fresh auth token is needed."
            return bad_grant(row["reason"], words, "bad_token")
        known = self.state.one("SELECT expires_at FROM oauth_tokens WHERE token = ? AND kind = 'refresh'", text)
        if known is not None:
            issued = datetime.fromtimestamp(known["expires_at"] - REFRESH_SECONDS, UTC)
            words = (
                f"The refresh token has expired due to inactivity. The token was issued on {issued:%Y-%m-%dT%H:%M:%SZ}"
            )
            return bad_grant(INACTIVE, f"{words} and was inactive for 90.00:00:00.", "bad_token")
        return bad_grant(70000, "The provided value for the 'refresh_token' is not valid.", "bad_token")

    def _id_token(self, root: str, email: str, grant: int, held: set[str], nonce: str) -> str:
        account = self.calendars.the_account(email)
        now = int(self.state.now())
        claims: dict[str, Any] = {
            "ver": "2.0",
            "iss": f"{root}{ROOT}/{TENANT_ID}/v2.0",
            "sub": account.oid.replace("-", ""),
            "aud": self.grants.owner(grant)[1],
            "exp": now + ACCESS_SECONDS,
            "iat": now,
            "nbf": now,
            "tid": TENANT_ID,
            "oid": account.oid,
        }
        if "profile" in held:
            claims |= {"name": account.name, "preferred_username": account.email}
        if "email" in held:
            claims["email"] = account.email
        return id_token.issue(self.state, claims | ({"nonce": nonce} if nonce else {}))

    def _client(self, request: Request, form: MultiDict) -> str:
        """The client that authenticated itself, by form or by HTTP Basic, with its secret or a certificate."""
        try:
            client_id, secret = client_credentials(request, form)
        except ValueError:
            raise TokenError("invalid_client", 7000215, "The Authorization header is malformed.", "", 401) from None
        if not client_id:
            raise missing("client_id")
        if assertion := form.get("client_assertion"):
            try:
                kind, audience = form.get("client_assertion_type", ""), f"{request.root}{request.path}"
                self.certificates.check(client_id, kind, assertion, audience)
            except Refused as refused:
                raise TokenError("invalid_client", refused.number, refused.text, "", 401) from None
            return client_id
        if not secret:
            text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            raise TokenError("invalid_client", 7000218, text, "", 401)
        if secret != CLIENT_SECRET:
            text = "Invalid client secret provided. Ensure the secret being sent in the request is the secret's value."
            raise TokenError("invalid_client", 7000215, text, "", 401)
        return client_id
