"""Google's token, revocation, token information and user information addresses."""

import json
import re
from typing import Any

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox import id_token
from fieldcamp.sandbox.google import errors
from fieldcamp.sandbox.google.calendars import Calendars
from fieldcamp.sandbox.google.scopes import IDENTITY
from fieldcamp.sandbox.http import Request, Response, content_type, json_response
from fieldcamp.sandbox.oauth import ANY_CLIENT, CLIENT_SECRET, Grants, client_credentials, verifier_matches

ISSUER = "https://accounts.google.com"
ACCESS_SECONDS = 3599
REFRESH_SECONDS = 183 * 86400  # a refresh token dies when it is not used for six months
MAX_REFRESH_TOKENS = 100
# While the app's consent screen is in "Testing": https://developers.google.com/identity/protocols/oauth2#expiration
TESTING_SECONDS = 604_799
# The longest that Google gives out: https://developers.google.com/identity/protocols/oauth2#size
CODE_LENGTH, ACCESS_LENGTH, REFRESH_LENGTH = 256, 2048, 512
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}", re.ASCII)


class TokenError(Exception):
    """A refusal in the flat shape of RFC 6749."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(description)
        self.status, self.code, self.description = status, code, description

    def response(self) -> Response:
        """The answer that carries it."""
        return json_response({"error": self.code, "error_description": self.description}, self.status)


def bad_grant(description: str = "Bad Request") -> TokenError:
    """The code or refresh token is no good."""
    return TokenError(400, "invalid_grant", description)


class TokenApi:
    """Answers the addresses that clients call without a browser."""

    def __init__(self, calendars: Calendars, grants: Grants) -> None:
        self.calendars, self.grants, self.state = calendars, grants, grants.state

    @property
    def testing(self) -> bool:
        """Whether the apps' consent screens are in the status "Testing"."""
        return self.state.get("google: testing") == "on"

    def token(self, request: Request) -> Response:
        """Exchanges a code or a refresh token."""
        try:
            if request.method != "POST" or content_type(request.headers)[0] != "application/x-www-form-urlencoded":
                raise TokenError(400, "invalid_request", "Send a form with POST.")
            form = request.form()
            client_id = _client(request, form)
            with self.state.transaction():
                if form.get("grant_type") == "authorization_code":
                    answer = self._exchange(form, client_id)
                elif form.get("grant_type") == "refresh_token":
                    answer = self._refresh(form, client_id)
                elif not form.get("grant_type"):
                    raise TokenError(400, "invalid_request", "Missing required parameter: grant_type")
                else:
                    raise TokenError(400, "unsupported_grant_type", "Invalid grant_type.")
        except TokenError as error:
            return error.response()
        response = json_response(answer, pretty=True)
        response.headers["Cache-Control"] = "no-cache, no-store, max-age=0, must-revalidate"
        return response

    def answer_for(self, account: str, grant: int, scopes: set[str], refresh: bool, nonce: str = "") -> dict[str, Any]:
        """The token answer for a grant."""
        prefix = "ya29.a0"
        answer: dict[str, Any] = {
            "access_token": self.grants.issue("access", grant, scopes, prefix, ACCESS_SECONDS, length=ACCESS_LENGTH),
            "expires_in": ACCESS_SECONDS,
        }
        if refresh:
            short = self.testing and not scopes <= set(IDENTITY.values())
            seconds = TESTING_SECONDS if short else REFRESH_SECONDS
            more = {"keep": MAX_REFRESH_TOKENS, "length": REFRESH_LENGTH}
            token = answer["refresh_token"] = self.grants.issue("refresh", grant, scopes, "1//0", seconds, **more)
            if short:
                self.state.put(f"google: ends {token}", "after a week")
                answer["refresh_token_expires_in"] = seconds
        answer |= {"scope": " ".join(sorted(scopes)), "token_type": "Bearer"}
        if "openid" in scopes:
            answer["id_token"] = self._id_token(account, grant, scopes, nonce)
        return answer

    def _exchange(self, form: MultiDict, client_id: str) -> dict[str, Any]:
        code = form.get("code", "")
        if not code:
            raise TokenError(400, "invalid_request", "Missing required parameter: code")
        if not code.startswith("4/"):
            raise bad_grant("Malformed auth code.")
        spent = self.grants.spend_code(code)
        if spent is None:
            raise bad_grant()
        grant, details = spent
        account, allowed_client = self.grants.owner(grant)
        if allowed_client != client_id:
            raise bad_grant()
        if form.get("redirect_uri") != details["redirect_uri"]:
            raise TokenError(400, "redirect_uri_mismatch", "Bad Request")
        if details["challenge"]:
            verifier = form.get("code_verifier", "")
            if not verifier:
                raise bad_grant("Missing code verifier.")
            matches = verifier_matches(details["challenge"], details["challenge_method"], verifier)
            if not _VERIFIER.fullmatch(verifier) or not matches:
                raise bad_grant("Invalid code verifier.")
        return self.answer_for(account, grant, set(details["scopes"]), details["refresh"], details["nonce"])

    def _refresh(self, form: MultiDict, client_id: str) -> dict[str, Any]:
        text = form.get("refresh_token", "")
        if not text:
            raise TokenError(400, "invalid_request", "Missing required parameter: refresh_token")
        token = self.grants.lookup(text, "refresh")
        if token is None:
            raise bad_grant("Token has been expired or revoked.")
        if token.client_id not in (client_id, ANY_CLIENT):
            raise TokenError(401, "unauthorized_client", "Unauthorized")
        scopes = set(token.scopes)
        if form.get("scope"):
            asked = {IDENTITY.get(scope, scope) for scope in form["scope"].split()}
            if not asked <= scopes:
                raise TokenError(400, "invalid_scope", "Bad Request")
            scopes = asked
        if self.state.get(f"google: ends {text}") is None:
            self.grants.prolong(text, REFRESH_SECONDS)
        return self.answer_for(token.account, token.grant, scopes, refresh=False)

    def revoke(self, request: Request) -> Response:
        """Ends the whole grant behind an access or refresh token."""
        text = request.form().get("token") or request.query.get("token", "")
        token = self.grants.lookup(text)
        if token is None:
            return TokenError(400, "invalid_token", "Token expired or revoked").response()
        self.grants.remove(token.grant)
        return json_response({})

    def token_info(self, request: Request) -> Response:
        """What an access token is for; it may come in the address, in a form or as a bearer's.
        https://developers.google.com/identity/protocols/oauth2/native-app#validate-access-token
        """
        text = request.query.get("access_token") or request.form().get("access_token") or request.bearer
        token = self.grants.lookup(text, "access")
        if token is None:
            return TokenError(400, "invalid_token", "Invalid Value").response()
        answer: dict[str, Any] = {
            "azp": token.client_id,
            "aud": token.client_id,
            "scope": " ".join(token.scopes),
            "exp": str(int(token.expires_at)),
            "expires_in": str(int(token.expires_at - self.state.now())),
            "access_type": "online",
        }
        return json_response(answer | self._identity(token.account, set(token.scopes)))

    def user_info(self, request: Request) -> Response:
        """Who the bearer of the token is."""
        token = self.grants.lookup(request.bearer or request.query.get("access_token", ""), "access")
        if token is None or not set(token.scopes) & set(IDENTITY.values()):
            return errors.bad_credentials().response()
        return json_response(self._identity(token.account, set(token.scopes)))

    def user_info_v2(self, request: Request) -> Response:
        """The same in the shape of the older API, which Google's own libraries still call.
        https://www.googleapis.com/discovery/v1/apis/oauth2/v2/rest
        """
        response = self.user_info(request)
        if response.status != 200:
            return response
        body = json.loads(response.body)
        names = {"sub": "id", "email_verified": "verified_email"}
        return json_response({names.get(name, name): value for name, value in body.items()})

    def discovery(self, request: Request) -> Response:
        """The OpenID Connect discovery document, with this sandbox's addresses."""
        root = f"{request.root}/google"
        document = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{root}/accounts/o/oauth2/v2/auth",
            "token_endpoint": f"{root}/oauth2/token",
            "revocation_endpoint": f"{root}/oauth2/revoke",
            "userinfo_endpoint": f"{root}/openid/v1/userinfo",
            "jwks_uri": f"{root}/api/oauth2/v3/certs",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["plain", "S256"],
        }
        return json_response(document)

    def _identity(self, email: str, scopes: set[str]) -> dict[str, Any]:
        row = self.state.the("SELECT * FROM g_accounts WHERE email = ?", email)
        result: dict[str, Any] = {"sub": row["sub"]}
        if IDENTITY["profile"] in scopes:
            names = {"given_name": row["given_name"], "family_name": row["family_name"]}
            result |= {"name": f"{row['given_name']} {row['family_name']}", **names, "picture": ""}
        if IDENTITY["email"] in scopes:
            result |= {"email": email, "email_verified": True}
        return result

    def _id_token(self, account: str, grant: int, scopes: set[str], nonce: str) -> str:
        client_id = self.grants.owner(grant)[1]
        now = int(self.state.now())
        claims: dict[str, Any] = {"iss": ISSUER, "azp": client_id, "aud": client_id}
        claims |= self._identity(account, scopes)
        claims |= {"nonce": nonce} if nonce else {}
        return id_token.issue(self.state, claims | {"iat": now, "exp": now + ACCESS_SECONDS})


def _client(request: Request, form: MultiDict) -> str:
    """The client that authenticated itself, by form or by HTTP Basic."""
    try:
        client_id, secret = client_credentials(request, form)
    except ValueError:
        raise TokenError(401, "invalid_client", "Unauthorized") from None
    if not client_id:
        raise TokenError(400, "invalid_request", "Could not determine client ID from request.")
    if secret != CLIENT_SECRET:
        raise TokenError(401, "invalid_client", "Unauthorized")
    return client_id
