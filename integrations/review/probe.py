"""The reviewer: asks the product as a visitor, as an owner at the desk, as an integrator with a key, as the vendor."""

import email
import io
import re
import time
from collections.abc import Mapping
from email.message import Message
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection as database

from integrations.demo.browser import Browser, forms_of
from integrations.demo.caller import Caller
from integrations.review.company import ReviewCompany
from integrations.review.place import Place
from integrations.review.seen import Unmet, Witness, around, expect

TIMEOUT = 60
PATIENCE = 15.0  # seconds that a mail may take


class Probe:
    """Asks one product. Every question and its answer are noted for the evidence."""

    def __init__(self, place: Place, company: ReviewCompany):
        self.place, self.company = place, company
        self.witness = Witness()
        self.witness.hide(company.key, company.other_key, company.password, *company.tokens)

    # --- by HTTP --------------------------------------------------------------------------------------------------

    def session(self, **headers: str) -> requests.Session:
        """Returns a session of somebody who has never been here, whose requests are noted."""
        session = requests.Session()
        session.trust_env = False
        session.headers.update(headers)
        session.hooks["response"].append(self.witness.heard)
        self.place.mount(session)
        return session

    def ask(
        self, path: str, method: str = "GET", *, by: requests.Session | None = None, plain: bool = False, **kwargs: Any
    ) -> requests.Response:
        """Returns the product's answer to one request, redirects not followed. Without `by` nobody is signed in."""
        base = self.place.plain_url if plain else self.place.url
        session = by if by is not None else self.session()
        return session.request(method, urljoin(base, path), timeout=TIMEOUT, allow_redirects=False, **kwargs)

    def api(self, path: str, method: str = "GET", *, key: str | None = None, **kwargs: Any) -> requests.Response:
        """Returns the API's answer to a caller with the company's key, or with another one; "" is none."""
        key = self.company.key if key is None else key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return self.ask(f"/api/v1{path}", method, by=self.session(**headers), **kwargs)

    @cached_property
    def caller(self) -> Caller:
        """Calls the API as an integrator's program does."""
        caller = Caller(f"{self.place.url}/api/v1", self.company.key)
        self.place.mount(caller.session)
        caller.session.hooks["response"].append(self.witness.heard)
        return caller

    @cached_property
    def owner(self) -> Browser:
        """Returns the company's owner, signed in at the desk."""
        return self.signed_in(self.company.username, self.company.password)

    def signed_in(self, username: str, password: str) -> Browser:
        """Returns a browser in which this person has signed in."""
        browser = self.browser()
        browser.sign_in(username, password)
        return browser

    def browser(self) -> Browser:
        """Returns a browser in which nobody has signed in."""
        browser = Browser(self.place.url)
        browser.session.hooks["response"].append(self.witness.heard)
        self.place.mount(browser.session)
        return browser

    def page(self, path: str, by: Browser | None = None) -> str:
        """Returns a page of the desk as its owner sees it. Unmet where it does not open."""
        response = self.ask(path, by=(by or self.owner).session)
        expect(response.status_code == 200, f"{path} answered {response.status_code} to the owner.")
        return response.text

    def submit(
        self,
        path: str,
        values: Mapping[str, str] | None = None,
        *,
        action: str = "",
        by: Browser | None = None,
        page: str = "",
    ) -> requests.Response:
        """Returns the answer to the form of a page whose address holds `action` (without: one that is sent to the
        page itself), sent as it stands but for `values`. `page` is the page where it has been opened already."""
        browser = by or self.owner
        found = [form for form in forms_of(page or self.page(path, browser)) if form.values]
        form = next((form for form in found if (action in form.action if action else not form.action)), None)
        if form is None:
            raise Unmet(f"{path} has no form for {action or 'that'}.")
        changed = dict(values or {})
        fields = [(name, value) for name, value in form.values if name not in changed]
        target = urljoin(self.place.url + path, form.action)
        headers = {"Referer": self.place.url + path}
        return self.ask(target, "POST", by=browser.session, data=[*fields, *changed.items()], headers=headers)

    def quote(self, text: str, word: str) -> None:
        """Notes with the last answer where in it the word stands."""
        self.witness.exchanges[-1].excerpt = around(self.witness.clean(text), word)

    def leave_out(self) -> None:
        """Keeps the last answer's text out of the evidence: it showed a secret to whom it belongs."""
        self.witness.exchanges[-1].excerpt = "(left out: it shows a secret)"

    # --- as the vendor --------------------------------------------------------------------------------------------

    def vendor(self, method: str, call: str, /, **body: Any) -> Any:
        """Calls the simulator's controls: what a vendor does by itself, or what its people do there."""
        session = requests.Session()
        session.trust_env = False
        self.place.mount(session)
        url = f"{self.place.sandbox_url}/_control/{call}"
        response = session.request(method, url, json=body or None, timeout=TIMEOUT)
        if not response.ok:
            raise Unmet(f"The simulated vendor could not be asked: {method} {call}: {response.text[:200]}")
        return response.json()

    def vendor_calls(self, vendor: str, path: str = "") -> list[dict[str, Any]]:
        """Returns what the product has called at this vendor since the calls were last forgotten, and notes it."""
        pattern = re.compile(path)
        found = [row for row in self.vendor("GET", f"requests?vendor={vendor}") if pattern.search(row["path"])]
        shown = ", ".join(f"{row['method']} {row['path']} {row['status']}" for row in found[:6])
        self.witness.note(f"calls at {vendor} that match {path or 'anything'}", f"{len(found)}", text=shown)
        return found

    def forget_calls(self) -> None:
        """Has the simulator begin a new list of calls."""
        self.vendor("DELETE", "requests")

    # --- what it leaves behind ------------------------------------------------------------------------------------

    def command(self, *arguments: str) -> tuple[int, str]:
        """Runs one of the product's commands; what it ends with, and what it prints."""
        out = io.StringIO()
        code = 0
        try:
            call_command(*arguments, stdout=out, stderr=out, no_color=True)
        except CommandError as error:
            code = error.returncode
            out.write(str(error))
        except SystemExit as end:
            code = int(end.code or 0)
        self.witness.note(f"manage.py {' '.join(arguments)}", f"ends with {code}", text=out.getvalue())
        return code, out.getvalue()

    def stored(self) -> dict[str, str]:
        """Returns everything that stands in the database, as text by table."""
        found = {}
        tables = database.introspection.table_names()
        for table in tables:
            with database.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")  # noqa: S608
                found[table] = repr(cursor.fetchall())
        size = sum(map(len, found.values()))
        self.witness.note("the whole database, as a dump", f"{len(found)} tables, {size:,} characters")
        return found

    def holding(self, *needles: str) -> dict[str, list[str]]:
        """Returns the tables in which one of these texts stands, by the text."""
        dump = self.stored()
        return {
            needle: tables
            for needle in needles
            if (tables := [table for table, text in dump.items() if needle.lower() in text.lower()])
        }

    def log(self) -> str:
        """Returns everything that the product's processes have logged so far."""
        text = self.place.log()
        self.witness.note(
            "the log of all processes", f"{len(text.splitlines())} lines", text=self.witness.clean(text)[-300:]
        )
        return text

    def mails_since(self, count: int) -> list[Message]:
        """Returns the mails after the first `count`, as soon as there are any: some are sent behind an answer."""
        deadline = time.monotonic() + PATIENCE
        while len(self._mails()) <= count and time.monotonic() < deadline:
            time.sleep(0.2)
        return self.mails()[count:]

    def mails(self) -> list[Message]:
        """Returns the mails that were sent so far."""
        found = self._mails()
        subjects = "; ".join(str(each["Subject"]) for each in found[-5:])
        self.witness.note("the mails that were sent", str(len(found)), text=subjects)
        return found

    def _mails(self) -> list[Message]:
        folder = Path(settings.EMAIL_FILE_PATH)
        if hasattr(mail, "outbox"):
            return [each.message() for each in mail.outbox]
        texts = [path.read_text() for path in sorted(folder.glob("*.log"))] if folder.is_dir() else []
        parts = [part for text in texts for part in re.split(r"(?m)^-{79}$\n?", text) if part.strip()]
        return [email.message_from_string(part) for part in parts]

    def table(self, name: str) -> Any:
        """Returns a model by `app.Model`, for what only time or a vendor's whim would change."""
        return apps.get_model(name)
