"""The page on which a company's administrator chooses the company and connects an app to it.

https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0
"""

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox import pages
from fieldcamp.sandbox.http import Request, Response, redirect
from fieldcamp.sandbox.intuit.store import Company, Store
from fieldcamp.sandbox.oauth import Grants, is_loopback, with_query

CODE_SECONDS = 600
VENDOR = {"name": "intuit", "title": "Intuit"}
SCOPES = {
    "com.intuit.quickbooks.accounting": "Read and change the company's books",
    "com.intuit.quickbooks.payment": "Take payments by card and bank",
    "openid": "Know who you are",
    "profile": "See your name",
    "email": "See your e-mail address",
    "phone": "See your phone number",
    "address": "See your address",
}


@dataclass(frozen=True)
class User:
    """Whoever is signed in at Intuit; administrator of all sample companies."""

    sub: str
    email: str
    given_name: str
    family_name: str


USER = User("5b9c1f0a-2d3e-4f56-8a7b-91c0d2e3f405", "owner@intuit.test", "Olivia", "Hart")


@dataclass(frozen=True)
class Asked:
    """A readable authorization request."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str

    def back(self, **values: str) -> Response:
        """Sends the browser back to the app."""
        return redirect(with_query(self.redirect_uri, values | {"state": self.state}))


class Consent:
    """Answers the authorization address."""

    def __init__(self, store: Store, grants: Grants) -> None:
        self.store, self.grants = store, grants

    def handle(self, request: Request) -> Response:
        """Shows the page, or answers it."""
        query = request.query
        problem = _problem(query)
        if problem:
            return pages.page("refused.html", 400, vendor=VENDOR, code="invalid_request", message=problem)
        asked = Asked(
            query["client_id"],
            query["redirect_uri"],
            tuple(dict.fromkeys(query.get("scope", "").split())),
            query["state"],
        )
        if query.get("response_type") != "code":
            return asked.back(error="unsupported_response_type")
        if not asked.scopes or any(scope not in SCOPES for scope in asked.scopes):
            return asked.back(error="invalid_scope")
        if request.method == "POST":
            return self._answer(asked, request.form())
        if query.get("sandbox_auto"):
            company = self.store.company(query["sandbox_auto"])
            if query.get("sandbox_deny") or company is None:
                return asked.back(error="access_denied")
            return self._allow(asked, company)
        return self._page(asked)

    def _page(self, asked: Asked, message: str = "") -> Response:
        return pages.page(
            "connect_company.html",
            vendor=VENDOR,
            client=asked.redirect_uri.split("/")[2],
            client_id=asked.client_id,
            companies=self.store.companies(),
            user=USER,
            asked=[SCOPES[scope] for scope in asked.scopes],
            message=message,
        )

    def _answer(self, asked: Asked, form: MultiDict) -> Response:
        if form.get("answer") != "allow":
            return asked.back(error="access_denied")
        company = self.store.company(form.get("company", ""))
        return self._allow(asked, company) if company else self._page(asked, "Choose a company.")

    def _allow(self, asked: Asked, company: Company) -> Response:
        grant, _ = self.grants.allow(company.realm, asked.client_id, set(asked.scopes))
        details = {"redirect_uri": asked.redirect_uri, "scopes": sorted(asked.scopes)}
        code = self.grants.issue_code(grant, details, CODE_SECONDS, "AB11")
        return asked.back(code=code, realmId=company.realm)


def _problem(query: MultiDict) -> str:
    """What is wrong in a way that only the user can be told, on a page."""
    for name in ("client_id", "redirect_uri", "state"):
        if not query.get(name):
            return f"The {name} query parameter is missing."
    if not is_loopback(query["redirect_uri"]):
        return "The redirect_uri query parameter value is invalid."
    return ""
