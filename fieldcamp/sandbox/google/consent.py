"""The pages on which a user chooses an account and allows a client some of what it asks for.

https://developers.google.com/identity/protocols/oauth2/web-server
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox import pages
from fieldcamp.sandbox.google.calendars import Calendars
from fieldcamp.sandbox.google.scopes import IDENTITY, KNOWN, NAMES
from fieldcamp.sandbox.google.token_api import CODE_LENGTH
from fieldcamp.sandbox.http import Request, Response, redirect
from fieldcamp.sandbox.oauth import Grants, is_loopback, with_query

CODE_SECONDS = 600
VENDOR = {"name": "google", "title": "Google"}


@dataclass(frozen=True)
class Asked:
    """A readable authorization request."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    prompts: tuple[str, ...]
    offline: bool
    include_granted: bool
    hint: str
    challenge: str
    challenge_method: str
    nonce: str

    def back(self, **values: str) -> Response:
        """Sends the browser back to the client."""
        answer = values | ({"state": self.state} if self.state is not None else {})
        return redirect(with_query(self.redirect_uri, answer))


class Refused(Exception):
    """The request is wrong in a way that only the user can be told, on a page."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Consent:
    """Answers the authorization address."""

    def __init__(self, calendars: Calendars, grants: Grants) -> None:
        self.calendars, self.grants = calendars, grants

    def handle(self, request: Request) -> Response:
        """Shows the page, or answers it."""
        try:
            asked = read(request.query)
        except Refused as refused:
            return pages.page("refused.html", 400, vendor=VENDOR, code=refused.code, message=refused.message)
        if request.method == "POST":
            return self._answer(asked, request.form())
        if request.query.get("sandbox_auto"):
            return self._automatic(asked, request.query)
        account = self.calendars.account(asked.hint) if asked.hint else None
        known = self.grants.find(account["email"], asked.client_id) if account else None
        covered = known is not None and known[1].issuperset(IDENTITY.get(s, s) for s in asked.scopes)
        if account and covered and "consent" not in asked.prompts and "select_account" not in asked.prompts:
            return self._allow(asked, account["email"], set(asked.scopes))
        if asked.prompts == ("none",):
            return asked.back(error="interaction_required")
        return self._page(asked, request)

    def _page(self, asked: Asked, request: Request, message: str = "") -> Response:
        optional = [scope for scope in asked.scopes if scope not in IDENTITY]
        return pages.page(
            "consent.html",
            vendor=VENDOR,
            client=urlsplit(asked.redirect_uri).netloc,
            client_id=asked.client_id,
            accounts=self.calendars.accounts(),
            hint=asked.hint,
            scopes=[(scope, NAMES.get(scope, scope)) for scope in optional],
            message=message,
        )

    def _answer(self, asked: Asked, form: MultiDict) -> Response:
        if form.get("answer") != "allow":
            return asked.back(error="access_denied")
        account = self.calendars.account(form.get("account", ""))
        if account is None:
            return self._page(asked, Request("GET", ""), "Choose an account.")
        ticked = {scope for scope in asked.scopes if scope in IDENTITY or scope in form.getlist("scope")}
        return self._allow(asked, account["email"], ticked)

    def _automatic(self, asked: Asked, query: MultiDict) -> Response:
        """The answer without a page, for tests: sandbox_auto, sandbox_deny, sandbox_scopes."""
        account = self.calendars.account(query["sandbox_auto"])
        if query.get("sandbox_deny") or account is None:
            return asked.back(error="access_denied")
        chosen = set(query["sandbox_scopes"].split()) if "sandbox_scopes" in query else set(asked.scopes)
        return self._allow(asked, account["email"], {s for s in asked.scopes if s in IDENTITY or s in chosen})

    def _allow(self, asked: Asked, account: str, scopes: set[str]) -> Response:
        scopes = {IDENTITY.get(scope, scope) for scope in scopes}
        if not scopes:
            return asked.back(error="access_denied")
        grant, first = self.grants.allow(account, asked.client_id, scopes)
        if asked.include_granted:
            earlier = self.grants.find(account, asked.client_id)
            scopes |= earlier[1] if earlier else set()
        details: dict[str, Any] = {
            "redirect_uri": asked.redirect_uri,
            "scopes": sorted(scopes),
            # Only the first consent gets a refresh token, or one that the client insisted on.
            "refresh": asked.offline and (first or "consent" in asked.prompts),
            "challenge": asked.challenge,
            "challenge_method": asked.challenge_method,
            "nonce": asked.nonce,
        }
        code = self.grants.issue_code(grant, details, CODE_SECONDS, length=CODE_LENGTH)
        return asked.back(code=code, scope=" ".join(sorted(scopes)))


def read(query: MultiDict) -> Asked:
    """The request, or Refused."""
    redirect_uri = query.get("redirect_uri", "")
    if not query.get("client_id"):
        raise Refused("invalid_request", "Missing required parameter: client_id")
    if not redirect_uri:
        raise Refused("invalid_request", "Missing required parameter: redirect_uri")
    if not is_loopback(redirect_uri):
        raise Refused("redirect_uri_mismatch", "Only addresses of this machine are registered with the sandbox.")
    if query.get("response_type") != "code":
        raise Refused("invalid_request", "response_type must be code.")
    scopes = tuple(dict.fromkeys(query.get("scope", "").split()))
    if not scopes:
        raise Refused("invalid_request", "Missing required parameter: scope")
    unknown = [scope for scope in scopes if scope not in KNOWN]
    if unknown:
        raise Refused("invalid_scope", f"Some requested scopes were invalid: {unknown[0][:200]}")
    prompts = tuple(query.get("prompt", "").split())
    if not set(prompts) <= {"none", "consent", "select_account"} or ("none" in prompts and len(prompts) > 1):
        raise Refused("invalid_request", "Invalid parameter value for prompt.")
    method = query.get("code_challenge_method", "plain")
    if method not in ("S256", "plain"):
        raise Refused("invalid_request", "Invalid parameter value for code_challenge_method.")
    return Asked(
        client_id=query["client_id"],
        redirect_uri=redirect_uri,
        scopes=scopes,
        state=query.get("state"),
        prompts=prompts,
        offline=query.get("access_type") == "offline",
        include_granted=query.get("include_granted_scopes") == "true",
        hint=query.get("login_hint", ""),
        challenge=query.get("code_challenge", ""),
        challenge_method=method,
        nonce=query.get("nonce", ""),
    )
