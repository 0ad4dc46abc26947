"""The pages on which a user chooses an account and allows an app what it asks for.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#request-an-authorization-code
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox import pages
from fieldcamp.sandbox.http import Request, Response, redirect
from fieldcamp.sandbox.microsoft import scopes, traits
from fieldcamp.sandbox.microsoft.calendars import Account, Calendars
from fieldcamp.sandbox.oauth import Grants, is_loopback, with_query

CODE_SECONDS = 600
PROMPTS = ("", "login", "none", "consent", "select_account")
DECLINED = "AADSTS65004: User declined to consent to access the app."
NEEDS_ADMIN = "AADSTS90094: An administrator of the organization must grant consent to this app."
VENDOR = {"name": "microsoft", "title": "Microsoft"}


@dataclass(frozen=True)
class Asked:
    """A readable authorization request."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    prompt: str
    mode: str
    hint: str
    challenge: str
    challenge_method: str
    nonce: str

    def back(self, **values: str) -> Response:
        """Sends the browser back to the app, in the way it asked for."""
        answer = values | ({"state": self.state} if self.state is not None else {})
        if self.mode == "form_post":
            return pages.page("form_post.html", vendor=VENDOR, action=self.redirect_uri, fields=answer)
        if self.mode == "fragment":
            return redirect(urlunsplit(urlsplit(self.redirect_uri)._replace(fragment=urlencode(answer))))
        return redirect(with_query(self.redirect_uri, answer))


class Refused(Exception):
    """The request is wrong in a way that only the user can be told, on a page."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = f"AADSTS{number}", message


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
        if request.query.get("response_type") != "code":
            return asked.back(
                error="unsupported_response_type", error_description="AADSTS70005: Only code is supported."
            )
        unknown = [scope for scope in asked.scopes if scopes.short(scope) is None]
        if unknown or not asked.scopes:
            text = f"AADSTS70011: The provided value for the input parameter 'scope' is not valid: {unknown[:1]}."
            return asked.back(error="invalid_scope", error_description=text)
        if request.method == "POST":
            return self._answer(asked, request.form())
        if request.query.get("sandbox_auto"):
            return self._automatic(asked, request.query)
        account = self.calendars.account(asked.hint) if asked.hint else None
        known = self.grants.find(account.email, asked.client_id) if account else None
        if account and known and known[1].issuperset(asked.scopes) and asked.prompt in ("", "none"):
            return self._allow(asked, account, set(asked.scopes))
        if asked.prompt == "none":
            text = "AADSTS50058: A silent sign-in request was sent but no user is signed in."
            return asked.back(error="login_required", error_description=text)
        return self._page(asked)

    def _page(self, asked: Asked, message: str = "") -> Response:
        return pages.page(
            "consent.html",
            vendor=VENDOR,
            client=urlsplit(asked.redirect_uri).netloc,
            client_id=asked.client_id,
            accounts=self.calendars.accounts(),
            hint=asked.hint,
            # All or nothing: Microsoft's page has no boxes.
            asked=[scopes.NAMES.get(scopes.short(scope) or "", scope) for scope in asked.scopes
                   if scopes.short(scope) not in ("openid", "profile", "email")],
            scopes=[],
            message=message,
        )  # fmt: skip

    def _answer(self, asked: Asked, form: MultiDict) -> Response:
        if form.get("answer") != "allow":
            return asked.back(error="access_denied", error_subcode="cancel", error_description=DECLINED)
        account = self.calendars.account(form.get("account", ""))
        if account is None:
            return self._page(asked, "Choose an account.")
        return self._allow(asked, account, set(asked.scopes))

    def _automatic(self, asked: Asked, query: MultiDict) -> Response:
        """The answer without a page, for tests: sandbox_auto, sandbox_deny, sandbox_scopes."""
        account = self.calendars.account(query["sandbox_auto"])
        if query.get("sandbox_deny") or account is None:
            return asked.back(error="access_denied", error_subcode="cancel", error_description=DECLINED)
        chosen = set(asked.scopes)
        if "sandbox_scopes" in query:
            chosen &= {*query["sandbox_scopes"].split(), *scopes.SIGN_IN}
        return self._allow(asked, account, chosen)

    def _allow(self, asked: Asked, account: Account, allowed: set[str]) -> Response:
        if account.trait == traits.APPROVAL:
            return asked.back(error="access_denied", error_description=NEEDS_ADMIN)
        grant, _ = self.grants.allow(account.email, asked.client_id, allowed)
        details: dict[str, Any] = {
            "redirect_uri": asked.redirect_uri,
            "scopes": sorted(allowed),
            "challenge": asked.challenge,
            "challenge_method": asked.challenge_method,
            "nonce": asked.nonce,
        }
        code = self.grants.issue_code(grant, details, CODE_SECONDS, "M.C5_BAY.2.U.")
        return asked.back(code=code)


def read(query: MultiDict) -> Asked:
    """The request, or Refused."""
    redirect_uri = query.get("redirect_uri", "")
    for name in ("client_id", "redirect_uri"):
        if not query.get(name):
            raise Refused(900144, f"The request must contain the following parameter: '{name}'.")
    if not is_loopback(redirect_uri):
        raise Refused(50011, "The redirect URI specified in the request does not match those of this application.")
    if query.get("prompt", "") not in PROMPTS:
        raise Refused(90023, "Unsupported prompt value.")
    method, mode = query.get("code_challenge_method", "plain"), query.get("response_mode", "query")
    if method not in ("S256", "plain"):
        raise Refused(501491, "The code_challenge_method is not supported.")
    if mode not in ("query", "fragment", "form_post"):
        raise Refused(900236, "The response_mode is not supported.")
    return Asked(
        client_id=query["client_id"],
        redirect_uri=redirect_uri,
        scopes=tuple(dict.fromkeys(query.get("scope", "").split())),
        state=query.get("state"),
        prompt=query.get("prompt", ""),
        mode=mode,
        hint=query.get("login_hint", ""),
        challenge=query.get("code_challenge", ""),
        challenge_method=method,
        nonce=query.get("nonce", ""),
    )
