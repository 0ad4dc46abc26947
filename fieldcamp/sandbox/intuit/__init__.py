"""QuickBooks Online and the Intuit identity platform, simulated."""

import json
import re
from typing import Any

from fieldcamp.sandbox.faults import Faults
from fieldcamp.sandbox.http import BadInput, Request, Response, json_response
from fieldcamp.sandbox.intuit import engine, errors, merging, records, seed, switches
from fieldcamp.sandbox.intuit.api import PREFIX, SCOPE, Api
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.consent import SCOPES, Consent
from fieldcamp.sandbox.intuit.push import VOID_WORD, IntuitPush
from fieldcamp.sandbox.intuit.schema import SCHEMA
from fieldcamp.sandbox.intuit.store import Store
from fieldcamp.sandbox.intuit.token_api import TokenApi
from fieldcamp.sandbox.intuit.ui import Ui
from fieldcamp.sandbox.oauth import ANY_CLIENT, Grants
from fieldcamp.sandbox.push.pushes import Pushes
from fieldcamp.sandbox.repeating import Paging
from fieldcamp.sandbox.state import State

DISCOVERY = tuple(
    f"/intuit/developer/.well-known/{name}" for name in ("openid_configuration", "openid_sandbox_configuration")
)


class Intuit:
    """Implements `fieldcamp.sandbox.vendor.Vendor`. An account is a company's realm id."""

    name = "intuit"
    title = "Intuit"
    consent_path = re.compile(r"/intuit/appcenter/connect/oauth2")
    paging: Paging | None = None  # rows are asked for by their position

    def __init__(self, state: State, faults: Faults, pushes: Pushes) -> None:
        state.install(SCHEMA)
        self.state, self.faults = state, faults
        self.grants, self.store = Grants(state, self.name), Store(state)
        self.consent, self.tokens = Consent(self.store, self.grants), TokenApi(self.grants)
        self.api = Api(
            self.store, self.grants, lambda part, do, outer: self.faults.around(self, part, do, outer_path=outer)
        )
        self.push = IntuitPush(pushes, self.grants, self._vendor_switches)
        pushes.register(self.push)
        self.ui = Ui(self)

    @property
    def throttled(self) -> bool:
        """Whether quotas apply."""
        return self.api.limits.enabled

    @throttled.setter
    def throttled(self, enabled: bool) -> None:
        self.api.limits.enabled = enabled
        self.forget()

    def handle(self, request: Request) -> Response:
        """Answers a call below /intuit."""
        path, read = request.path, request.method in ("GET", "HEAD")
        if path.startswith(f"{PREFIX}/"):
            return self.api.handle(request)
        if path == "/intuit/appcenter/connect/oauth2" and request.method in ("GET", "POST"):
            return self.consent.handle(request)
        if path == "/intuit/oauth/oauth2/v1/tokens/bearer":
            return errors.traced(self.tokens.token(request))
        if path == "/intuit/developer/v2/oauth2/tokens/revoke" and request.method == "POST":
            return errors.traced(self.tokens.revoke(request))
        if path == "/intuit/accounts/v1/openid_connect/userinfo" and read:
            return errors.traced(self.tokens.user_info(request))
        if path == "/intuit/oauth/op/v1/jwks" and read:
            return self.tokens.keys()
        if path in DISCOVERY and read:
            return self.tokens.discovery(request)
        return json_response({"error": "Intuit has no such address."}, 404)

    def page(self, request: Request) -> Response:
        """Answers a call below /intuit/ui."""
        return self.ui.handle(request)

    def seed(self, seed_name: str) -> None:
        """Makes the sample companies; "demo" and "messy" also give them customers and invoices."""
        seed.fill(self, seed_name)

    def token(self, account: str, scopes: list[str] | None, client_id: str | None) -> dict[str, Any]:
        """A token answer for a company; without a client id, one that any client may refresh."""
        realm, wanted = self.books(account).realm, set(scopes or (SCOPE,))
        unknown = sorted(wanted - set(SCOPES))
        if unknown:
            raise BadInput(f"Intuit has no scope {unknown[0]!r}.")
        with self.state.transaction():
            grant, _ = self.grants.allow(realm, client_id or ANY_CLIENT, wanted)
            return self.tokens.answer_for(grant, wanted)

    def revoke(self, account: str) -> int:
        """Removes every app's access to the company."""
        grants = self.grants.of_account(self.books(account).realm)
        for grant in grants:
            self.tokens.forget(grant["n"])
        return len(grants)

    def bulk(self, account: str, counts: dict[str, int]) -> dict[str, int]:
        """Makes customers, items and invoices."""
        return seed.bulk(self.books(account), counts)

    def record(self, account: str, entity: str, object_id: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """Keeps an object as a person has left it on QuickBooks' pages, or removes it."""
        try:
            return records.put(self.books(account), entity, object_id, body)
        except errors.Fault as fault:
            raise BadInput(fault.detail) from None

    def merge(self, account: str, entity: str, kept: str, lost: str) -> dict[str, Any]:
        """Merges two customers or two items."""
        books = self.books(account)
        if entity not in merging.KINDS:
            raise BadInput(f"QuickBooks merges {' and '.join(merging.KINDS)} only.")
        try:
            merging.KINDS[entity](books, kept, lost)
        except errors.Fault as fault:
            raise BadInput(fault.detail) from None
        return {"entity": entity, "id": kept}

    def dump(self, account: str | None) -> dict[str, Any]:
        """All objects by type; what is deleted is not shown."""
        realms = [self.books(account).realm] if account else [company.realm for company in self.store.companies()]
        result: dict[str, Any] = {}
        with self.state.transaction():
            for realm in realms:
                books = self.books(realm)
                shown = {name: [engine.shown(books, each) for each in books.rows(name)] for name in books.entities}
                clients = [grant["client_id"] for grant in self.grants.of_account(realm)]
                result[realm] = {**shown, "switches": books.company.switches, "clients": clients}
        return {"accounts": result}

    def switch(self, account: str | None, values: dict[str, Any]) -> dict[str, Any]:
        """Sets switches of one company, or without an account those of the vendor; all of them as they are now."""
        if account is not None:
            realm = self.books(account).realm
            switches.check(switches.COMPANY_SWITCHES, values)
            self.store.switch(realm, values)
            return self.books(realm).company.switches
        switches.check(switches.VENDOR_SWITCHES, values)
        if values.get(VOID_WORD) not in (None, "void", "voided"):
            raise BadInput(f"{VOID_WORD} must be void or voided.")
        now = self._vendor_switches() | values
        self.state.put("intuit_switches", json.dumps(now))
        return now

    def webhook(self) -> dict[str, Any] | None:
        """The endpoint that is entered at the portal."""
        return self.push.endpoint()

    def set_webhook(self, body: dict[str, Any] | None) -> dict[str, Any] | None:
        """Enters it, or changes or deletes it."""
        return self.push.enter(body)

    def books(self, account: str) -> Books:
        """The books of a company; BadInput when there is none of that realm id."""
        books = self.api.books(account)
        if books is None:
            raise BadInput(f"There is no company {account!r} at this vendor.")
        return books

    def _vendor_switches(self) -> dict[str, Any]:
        return json.loads(self.state.get("intuit_switches") or "{}")

    def cursor_of(self, request: Request) -> str:
        """The moment that change data capture is asked from."""
        return request.query.get("changedSince", "") if request.path.endswith("/cdc") else ""

    def expire_token(self, token: str) -> None:
        """Ends an access token's life."""
        self.grants.prolong(token, 0)

    def expire_cursor(self, cursor: str) -> None:
        """From now on that moment is too long ago."""
        self.state.kill_cursor(cursor)

    def error_response(self, status: int) -> Response:
        """The body one meets most often under that status."""
        now = self.state.now()
        if status == 401:
            return errors.no_token("").response(now)
        if status == 403:
            return errors.not_authorized().response(now)
        return json_response({"Fault": errors.usual(status).body()}, status)

    def forget(self) -> None:
        """Empties the quota windows."""
        self.api.limits.clear()
