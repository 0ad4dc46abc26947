"""The endpoints that clients call without a browser: tokens, revocation, the user, discovery, keys.

https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0
"""

import json
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox import id_token
from fieldcamp.sandbox.http import BadInput, Request, Response, content_type, json_response
from fieldcamp.sandbox.intuit.consent import SCOPES, USER
from fieldcamp.sandbox.intuit.switches import REFRESH_GRACE, ROTATE_ALWAYS
from fieldcamp.sandbox.oauth import ANY_CLIENT, CLIENT_SECRET, Grants, client_credentials

ISSUER = "https://oauth.platform.intuit.com/op/v1"
ACCESS_SECONDS = 3600
REFRESH_SECONDS = 100 * 86400  # without a refresh
ROTATION_SECONDS = GRACE_SECONDS = 24 * 3600
# https://blogs.intuit.com/2025/11/12/important-changes-to-refresh-token-policy/
HARD_SECONDS = 5 * 365 * 86400
WITH_HARD_END = "x-include-refresh-token-hard-expires-in"
WRONG_TOKEN, WRONG_KIND = "Incorrect or invalid refresh token", "Incorrect Token type or clientID"


class TokenError(Exception):
    """A refusal as the token endpoint words it."""

    def __init__(self, error: str, text: str = "", status: int = 400) -> None:
        super().__init__(error)
        self.error, self.text, self.status = error, text, status

    def response(self) -> Response:
        """The answer that carries it."""
        body = {"error": self.error} | ({"error_description": self.text} if self.text else {})
        return json_response(body, self.status)


@dataclass(frozen=True)
class Refresh:
    """A refresh token's text, and when the connection ends whatever happens."""

    token: str
    hard_end: float


class TokenApi:
    """Answers these endpoints."""

    def __init__(self, grants: Grants) -> None:
        self.grants, self.state = grants, grants.state

    def token(self, request: Request) -> Response:
        """Exchanges a code or a refresh token."""
        try:
            client_id = _client(request)
            if request.method != "POST" or content_type(request.headers)[0] != "application/x-www-form-urlencoded":
                raise TokenError("invalid_request")
            form = request.form()
            with self.state.transaction():
                if form.get("grant_type") == "authorization_code":
                    answer = self._exchange(request, form, client_id)
                elif form.get("grant_type") == "refresh_token":
                    answer = self._renew(request, form, client_id)
                else:
                    raise TokenError("unsupported_grant_type" if form.get("grant_type") else "invalid_request")
        except TokenError as error:
            return error.response()
        response = json_response(answer)
        response.headers["Cache-Control"] = "no-cache, no-store"
        return response

    def answer_for(self, grant: int, scopes: set[str], issuer: str = ISSUER, hard: bool = False) -> dict[str, Any]:
        """The token answer for a fresh consent."""
        hard_end = self.state.now() + HARD_SECONDS
        return self._answer(grant, scopes, self._new_refresh(grant, scopes, hard_end), issuer, hard)

    def revoke(self, request: Request) -> Response:
        """Ends the whole connection that an access or refresh token belongs to."""
        try:
            client_id = _client(request)
            token = self.grants.lookup(_sent_token(request))
            if token is None or token.client_id not in (client_id, ANY_CLIENT):
                raise TokenError("invalid_grant", WRONG_KIND)
        except TokenError as error:
            return error.response()
        self.forget(token.grant)
        return Response(200, b"")

    def forget(self, grant: int) -> None:
        """Takes a grant away."""
        with self.state.transaction():
            self.state.execute("DELETE FROM q_refresh_tokens WHERE grant_n = ?", grant)
            self.grants.remove(grant)

    def user_info(self, request: Request) -> Response:
        """Who is signed in, as far as the scopes tell."""
        token = self.grants.lookup(request.bearer, "access")
        if token is None or "openid" not in token.scopes:
            response = json_response({"error": "invalid_token"}, 401)
            response.headers["WWW-Authenticate"] = 'Bearer realm="Intuit", error="invalid_token"'
            return response
        claims: dict[str, Any] = {"sub": USER.sub}
        if "email" in token.scopes:
            claims |= {"email": USER.email, "emailVerified": True}
        if "profile" in token.scopes:
            claims |= {"givenName": USER.given_name, "familyName": USER.family_name}
        return json_response(claims)

    def discovery(self, request: Request) -> Response:
        """The OpenID Connect discovery document, with this sandbox's addresses."""
        root = f"{request.root}/intuit"
        return json_response(
            {
                "issuer": f"{root}/oauth/op/v1",
                "authorization_endpoint": f"{root}/appcenter/connect/oauth2",
                "token_endpoint": f"{root}/oauth/oauth2/v1/tokens/bearer",
                "userinfo_endpoint": f"{root}/accounts/v1/openid_connect/userinfo",
                "revocation_endpoint": f"{root}/developer/v2/oauth2/tokens/revoke",
                "jwks_uri": f"{root}/oauth/op/v1/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": list(SCOPES),
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
            }
        )

    def keys(self) -> Response:
        """The keys that ID tokens are signed with."""
        return json_response(id_token.certificates(self.state))

    def switch(self, name: str) -> bool:
        """Whether one of the vendor's switches is on."""
        return bool(json.loads(self.state.get("intuit_switches") or "{}").get(name))

    def _exchange(self, request: Request, form: MultiDict, client_id: str) -> dict[str, Any]:
        for name in ("code", "redirect_uri"):
            if not form.get(name):
                raise TokenError("invalid_request")
        spent = self.grants.spend_code(form["code"])
        if spent is None:
            raise TokenError("invalid_grant")
        grant, details = spent
        if self.grants.owner(grant)[1] != client_id or details["redirect_uri"] != form["redirect_uri"]:
            raise TokenError("invalid_grant")
        return self.answer_for(grant, set(details["scopes"]), _issuer(request), _wants_hard_end(request))

    def _renew(self, request: Request, form: MultiDict, client_id: str) -> dict[str, Any]:
        sent = form.get("refresh_token")
        if not sent:
            raise TokenError("invalid_request")
        token = self.grants.lookup(sent)
        if token is None:
            raise TokenError("invalid_grant", WRONG_TOKEN)
        row = self.state.one("SELECT * FROM q_refresh_tokens WHERE token = ?", sent)
        # A token of another app is refused, but lives on.
        if row is None or token.client_id not in (client_id, ANY_CLIENT):
            raise TokenError("invalid_grant", WRONG_KIND)
        scopes = set(token.scopes)
        if row["successor"]:
            refresh = Refresh(row["successor"], row["hard_end"])
        elif self.switch(ROTATE_ALWAYS) or self.state.now() - row["made_at"] >= ROTATION_SECONDS:
            refresh = self._new_refresh(token.grant, scopes, row["hard_end"])
            self.state.execute("UPDATE q_refresh_tokens SET successor = ? WHERE token = ?", refresh.token, sent)
            self.grants.prolong(sent, GRACE_SECONDS if self.switch(REFRESH_GRACE) else 0)
        else:
            refresh = Refresh(sent, row["hard_end"])
            self.grants.prolong(sent, self._life(refresh.hard_end))
        return self._answer(token.grant, scopes, refresh, _issuer(request), _wants_hard_end(request))

    def _new_refresh(self, grant: int, scopes: set[str], hard_end: float) -> Refresh:
        text = self.grants.issue("refresh", grant, scopes, "AB11", self._life(hard_end))
        values = (text, grant, self.state.now(), hard_end)
        self.state.execute("INSERT INTO q_refresh_tokens VALUES (?, ?, ?, ?, NULL)", *values)
        return Refresh(text, hard_end)

    def _life(self, hard_end: float) -> float:
        return min(REFRESH_SECONDS, hard_end - self.state.now())

    def _answer(self, grant: int, scopes: set[str], refresh: Refresh, issuer: str, hard: bool) -> dict[str, Any]:
        access = self.grants.issue("access", grant, scopes, "eyJ", ACCESS_SECONDS)
        answer: dict[str, Any] = {
            "token_type": "bearer",
            "access_token": access,
            "refresh_token": refresh.token,
            "expires_in": ACCESS_SECONDS,
            "x_refresh_token_expires_in": int(self._life(refresh.hard_end)),
        }
        if hard:
            answer["x_refresh_token_hard_expires_in"] = int(refresh.hard_end - self.state.now())
        if "openid" in scopes:
            answer["id_token"] = self._id_token(grant, issuer)
        return answer

    def _id_token(self, grant: int, issuer: str) -> str:
        realm, client_id = self.grants.owner(grant)
        now = int(self.state.now())
        claims = {"sub": USER.sub, "aud": [client_id], "realmid": realm, "auth_time": now, "iss": issuer}
        return id_token.issue(self.state, claims | {"iat": now, "exp": now + ACCESS_SECONDS})


def _client(request: Request) -> str:
    """The client that authenticated itself by HTTP Basic; nothing else is taken."""
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    try:
        client_id, secret = client_credentials(request, MultiDict())
    except ValueError:
        raise TokenError("invalid_client", status=401) from None
    if scheme.lower() != "basic" or not client_id or secret != CLIENT_SECRET:
        raise TokenError("invalid_client", status=401)
    return client_id


def _sent_token(request: Request) -> str:
    try:
        token = request.json_object().get("token")
    except BadInput:
        token = request.form().get("token")
    if not isinstance(token, str) or not token:
        raise TokenError("invalid_request")
    return token


def _issuer(request: Request) -> str:
    return f"{request.root}/intuit/oauth/op/v1"


def _wants_hard_end(request: Request) -> bool:
    return request.headers.get(WITH_HARD_END, "").lower() == "true"
