"""A browser without a window: signs in and connects accounts through the same pages and redirects as a person."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

TIMEOUT = 30


class PageError(Exception):
    """A page that is not the one that was expected."""


@dataclass
class Form:
    action: str
    values: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    """The forms of a page, with what they would send if nobody changed anything."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select: str | None = None
        self._chosen: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(values.get("action", "")))
        if not self.forms:
            return
        if tag == "input" and values.get("name") and values.get("type") not in ("submit", "button", "image"):
            if values.get("type") not in ("checkbox", "radio"):
                self.forms[-1].values.append((values["name"], values.get("value", "")))
            elif "checked" in values:
                self.forms[-1].values.append((values["name"], values.get("value", "on")))
        elif tag == "select":
            self._select, self._chosen = values.get("name"), None
        elif tag == "option" and self._select and ("selected" in values or self._chosen is None):
            self._chosen = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select and self._chosen is not None:
            self.forms[-1].values.append((self._select, self._chosen))
            self._select = None


def forms_of(page: str) -> list[Form]:
    """Returns the forms of a page, as they would be sent if nobody changed anything."""
    parser = _Forms()
    parser.feed(page)
    return parser.forms


def form_with(page: str, *names: str) -> Form:
    """Returns the first form that has all of these fields."""
    for form in forms_of(page):
        if set(names) <= {name for name, _ in form.values}:
            return form
    raise PageError(f"No form with {', '.join(names)} on the page.")


class Browser:
    def __init__(self, base_url: str):
        self.base_url = base_url
        self.session = requests.Session()
        self.session.trust_env = False  # both ends are on this machine: no proxy stands between

    def _send(self, method: str, url: str, expected: tuple[int, ...] = (200,), **kwargs) -> requests.Response:
        response = self.session.request(method, urljoin(self.base_url, url), timeout=TIMEOUT, **kwargs)
        if response.status_code not in expected:
            raise PageError(f"{method} {response.url.split('?')[0]} answered {response.status_code}.")
        return response

    def _submit(self, page: requests.Response, form: Form, **changes: str) -> requests.Response:
        values = [(name, value) for name, value in form.values if name not in changes]
        return self._send(
            "POST",
            urljoin(page.url, form.action),
            data=[*values, *changes.items()],
            headers={"Referer": page.url},
            allow_redirects=False,
            expected=(302,),
        )

    def sign_in(self, username: str, password: str) -> None:
        page = self._send("GET", "/admin/login/")
        self._submit(page, form_with(page.text, "username", "password"), username=username, password=password)

    def connect(self, slug: str, account: str, member: str = "") -> None:
        """Connects an account: our page, the vendor's consent, back, and the choices as they are offered. A calendar
        is somebody's; books are the company's."""
        page = self._send("GET", f"/admin/integrations/connect/{slug}/")
        form = next((form for form in forms_of(page.text) if f"connect/{slug}/" in form.action), None)
        if form is None:
            raise PageError(f"The connect page of {slug} has no button.")
        consent = self._submit(page, form).headers["Location"]
        setup = self._send("GET", f"{consent}&sandbox_auto={account}")
        form = form_with(setup.text, *(("member", "target") if member else ("income_account",)))
        self._submit(setup, form, **({"member": member} if member else {}))
