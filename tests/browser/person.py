"""What a person does at the desk and at Google."""

import datetime as dt
import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

DANA = "dana@google.test"
SIGN_IN = "/admin/login/"
PASSWORD = "correct horse battery staple"


@dataclass
class Person:
    page: Page
    google: str

    def sign_in(self, username: str = "olivia") -> None:
        """Sends the form of the sign-in page, which `test_signin` fills in."""
        context = self.page.context
        context.request.get(SIGN_IN)
        token = next(each["value"] for each in context.cookies() if each["name"] == "csrftoken")
        form = {"username": username, "password": PASSWORD, "csrfmiddlewaretoken": token, "next": "/admin/"}
        assert context.request.post(SIGN_IN, form=form, max_redirects=0).status == 302
        self.page.goto("/admin/")
        expect(self.card).to_be_visible()

    @property
    def card(self) -> Locator:
        return self.page.locator("#card-google-calendar")

    @property
    def needs(self) -> Locator:
        return self.page.locator("#needs")

    def press(self, name: str, within: Locator | None = None) -> None:
        (within or self.page.locator("main")).get_by_role("button", name=name).click()

    def connect(self) -> None:
        """As far as Google's consent page."""
        self.card.get_by_role("link", name="Connect").click()
        self.press("Continue to Google Calendar")

    def consent(self, account: str, without: str = "", answer: str = "Allow") -> None:
        """Ticks every box but the one whose label has the words `without`, and answers."""
        self.page.get_by_label("Account").select_option(account)
        for label in self.page.locator("label.tick").all():
            if not without or without not in label.inner_text():
                label.get_by_role("checkbox").check()
        self.press(answer)

    def sync(self) -> None:
        """Presses Sync now and watches the card until the run is over, without loading the page again."""
        self.page.goto("/admin/")
        self.press("Sync now", self.card)
        expect(self.page.get_by_role("status").filter(has_text="Sync started.")).to_be_visible()
        self.wait()

    def wait(self) -> None:
        """Until nothing runs."""
        expect(self.card.get_by_role("button", name="Sync now")).to_be_visible()

    def expect_counts(self, *, pulled: int = 0, pushed: int = 0, skipped: int = 0, failed: int = 0) -> None:
        numbers = rf"Taken in\s*{pulled}\s*Sent\s*{pushed}\s*Skipped\s*{skipped}\s*Failed\s*{failed}\s*$"
        expect(self.card.locator(".fc-counts")).to_have_text(re.compile(numbers))

    def look_at(self, account: str, day: dt.date) -> Locator:
        """The account's calendar at Google, as its owner sees it; the events of four weeks."""
        self.page.goto(f"{self.google}/google/ui/{account}?week={day}")
        return self.page.locator("#list li")
