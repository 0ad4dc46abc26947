"""The pages on which a person keeps a company's books: everything below /intuit/ui.

The company is part of the address: nobody signs in here.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox import pages
from fieldcamp.sandbox.http import BadInput, Request, Response, redirect
from fieldcamp.sandbox.intuit import portal, preferences, ui_settings
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.consent import SCOPES
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.ui_deposits import Deposits
from fieldcamp.sandbox.intuit.ui_names import NAME_LISTS
from fieldcamp.sandbox.intuit.ui_parts import Kind
from fieldcamp.sandbox.intuit.ui_payments import Payments
from fieldcamp.sandbox.intuit.ui_sales import SALES_FORMS

if TYPE_CHECKING:
    from fieldcamp.sandbox.intuit import Intuit

ROOT = "/intuit/ui"
VENDOR = {"name": "intuit", "title": "Intuit"}
TABS = (
    ("customers", "Customers"),
    ("items", "Products and services"),
    ("estimates", "Estimates"),
    ("invoices", "Invoices"),
    ("credits", "Credit memos"),
    ("payments", "Payments"),
    ("deposits", "Deposits"),
    ("vendors", "Vendors"),
    ("classes", "Classes"),
    ("locations", "Locations"),
    ("settings", "Settings"),
    ("apps", "Apps with access"),
)
KINDS: dict[str, Kind] = {**NAME_LISTS, **SALES_FORMS, "payments": Payments(), "deposits": Deposits()}
PAGE = 50
NEWEST = "json_extract(body, '$.TxnDate') COLLATE NOCASE DESC, n DESC"
OF_CUSTOMER = (
    "json_extract(body, '$.CustomerRef.value') IN (SELECT id FROM q_objects WHERE realm = ? AND type = 'Customer'"
    " AND json_extract(body, '$.DisplayName') LIKE ? ESCAPE '\\')"
)


class NoPage(Exception):
    """There is nothing at this address."""


class Ui:
    """Shows a page, or does what its form says and leads on."""

    def __init__(self, intuit: "Intuit") -> None:
        self.intuit = intuit

    def handle(self, request: Request) -> Response:
        """Answers a call below /intuit/ui. What the books refuse is said in a sentence."""
        parts = [unquote(part) for part in request.path.removeprefix(ROOT).strip("/").split("/") if part]
        if not parts:
            companies = [self._company(self.intuit.books(each.realm)) for each in self.intuit.store.companies()]
            return pages.page("intuit/companies.html", vendor=VENDOR, companies=companies)
        if parts == ["developer"]:
            return portal.answer(self.intuit, request)
        try:
            books = self.intuit.books(parts[0])
        except BadInput as error:
            return _message(404, str(error), ROOT)
        root, rest = f"{ROOT}/{books.realm}", parts[1:]
        if not rest:
            return redirect(f"{root}/customers")
        try:
            with self.intuit.state.lock:
                return self._page(request, books, rest)
        except (Fault, BadInput) as error:
            text = error.detail if isinstance(error, Fault) else str(error)
            return _message(400, text, request.path)
        except NoPage:
            return _message(404, "There is no such page.", root)

    def _page(self, request: Request, books: Books, rest: list[str]) -> Response:
        tab, object_id, *more = [*rest, ""] if len(rest) == 1 else rest
        if more or tab not in dict(TABS):
            raise NoPage(tab)
        if tab == "settings" and not object_id:
            return self._settings(request, books)
        if tab == "apps" and not object_id:
            return self._apps(request, books)
        if tab in ("settings", "apps"):
            raise NoPage(object_id)
        if not object_id:
            return self._list(request, books, tab)
        return self._record(request, books, tab, "" if object_id == "new" else object_id)

    def _list(self, request: Request, books: Books, tab: str) -> Response:
        q, text = request.query.get("q", "").strip(), request.query.get("page", "1")
        number = min(int(text), 1_000_000) if text.isdecimal() and len(text) < 8 and int(text) else 1
        kind = KINDS[tab]
        where, params = _search(books, kind, q)
        order = NEWEST if kind.number else books.entities[kind.entity].order
        found = list(books.rows(kind.entity, where, *params, order=order, limit=PAGE + 1, offset=(number - 1) * PAGE))
        total = books.store.count(books.realm, kind.entity, where, *params)
        here = f"{ROOT}/{books.realm}/{tab}"
        return self._show(
            "list",
            books,
            tab,
            title=kind.title,
            new=kind.new,
            heads=kind.heads,
            rows=[kind.row(books, each) for each in found[:PAGE]],
            q=q,
            caption=f"{total} in all",
            earlier=f"{here}?{urlencode({'q': q, 'page': number - 1})}" if number > 1 else "",
            later=f"{here}?{urlencode({'q': q, 'page': number + 1})}" if len(found) > PAGE else "",
        )

    def _record(self, request: Request, books: Books, tab: str, object_id: str) -> Response:
        kind = KINDS[tab]
        stored = books.get(kind.entity, object_id) if object_id else None
        if object_id and stored is None:
            raise NoPage(object_id)
        if request.method == "POST":
            return self._change(request, books, tab, stored)
        shown = {"template": kind.template} | kind.form(books, stored, request.query, f"{ROOT}/{books.realm}")
        return self._show(shown.pop("template"), books, tab, token=stored.token if stored else "", **shown)

    def _change(self, request: Request, books: Books, tab: str, stored: Stored | None) -> Response:
        """Through the same functions as the API."""
        root, kind = f"{ROOT}/{books.realm}", KINDS[tab]
        # Browsers end the lines of a text area with a carriage return too.
        form = MultiDict((name, text.replace("\r\n", "\n")) for name, text in request.form().items(multi=True))
        if stored is None or form.get("action") == "save":
            next_ = kind.save(books, stored, form)
        else:
            next_ = kind.act(books, stored, form)
        place = next_ if next_.startswith("/") else f"/{tab}/{next_}".rstrip("/")
        return redirect(f"{root}{place}", 303)

    def _settings(self, request: Request, books: Books) -> Response:
        if request.method == "POST":
            ui_settings.act(books, request.form())
            return redirect(request.path, 303)
        return self._show("settings", books, "settings", sections=ui_settings.sections(books))

    def _apps(self, request: Request, books: Books) -> Response:
        grants = self.intuit.grants.of_account(books.realm)
        if request.method == "POST":
            for grant in grants:
                if str(grant["n"]) == request.form().get("grant"):
                    self.intuit.tokens.forget(grant["n"])
            return redirect(request.path, 303)
        apps = [grant | {"allows": [SCOPES.get(scope, scope) for scope in grant["scopes"]]} for grant in grants]
        return self._show("apps", books, "apps", apps=apps)

    def _show(self, template: str, books: Books, tab: str, **values: Any) -> Response:
        company = self._company(books)
        return pages.page(f"intuit/{template}.html", vendor=VENDOR, company=company, tabs=TABS, tab=tab, **values)

    def _company(self, books: Books) -> dict[str, Any]:
        info, prefs = books.the("CompanyInfo").body, books.the("Preferences").body
        return {
            "realm": books.realm,
            "name": info["CompanyName"],
            "country": info["Country"],
            "currency": prefs["CurrencyPrefs"]["HomeCurrency"]["value"],
            "root": f"{ROOT}/{books.realm}",
            "lapsed": not ui_settings.is_subscribed(books),
            "closed": preferences.books_closed_until(prefs),
        }


def _search(books: Books, kind: Kind, q: str) -> tuple[str, tuple[Any, ...]]:
    """The condition that finds what a person has typed, and its values."""
    if not q:
        return "NOT deleted", ()
    escaped = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    like = f"%{escaped}%"
    if not kind.number:
        names = books.entities[kind.entity].names
        name = "FullyQualifiedName" if names and names.qualified else names.field if names else "Name"
        return f"NOT deleted AND json_extract(body, '$.{name}') LIKE ? ESCAPE '\\'", (like,)
    own = f"json_extract(body, '$.{kind.number}') LIKE ? ESCAPE '\\'"
    return f"NOT deleted AND ({own} OR {OF_CUSTOMER})", (like, books.realm, like)


def _message(status: int, text: str, back: str) -> Response:
    return pages.page("message.html", status, vendor=VENDOR, message=text, back=back)
