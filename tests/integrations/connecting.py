"""A company whose people sign in to the desk, and a browser that goes through a vendor's consent and back."""

from collections.abc import Callable, Iterator
from urllib.parse import urlencode, urlsplit

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from fieldcamp.workspace.models import Member, Role
from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.records import Account
from integrations.services import connections
from tests.faketime import ProcessClock, moved_clock
from tests.sandboxed import COMPANY

GOOGLE, QUICKBOOKS = PROVIDERS["google_calendar"], PROVIDERS["quickbooks"]
MAIN = "dana@google.test"
SERVICES, DESIGN, UNDEPOSITED = "1", "82", "4"  # accounts of Dana's Plumbing
CONNECT = "/admin/integrations/connect/google-calendar/"


class Browser(Client):
    """A person at the desk. `consent` presses the button, answers Google's page, and comes back."""

    def start(self, **data: str) -> str:
        """Presses the button; where that leads."""
        response = self.post(self.connect_page, data)
        assert response.status_code == 302, response.content
        return response["Location"]

    def answer(self, authorize_url: str, account: str = "", **choices: str) -> str:
        """The vendor's answer to the consent page: the address it sends the browser back to."""
        query = urlencode({"sandbox_auto": account or self.vendors.main, **choices})
        response = self.vendors.browser.get(f"{authorize_url}&{query}", allow_redirects=False)
        assert response.status_code in (302, 303), response.text
        return response.headers["Location"]

    def come_back(self, location: str) -> HttpResponse:
        """The answer to who comes back; where that leads to a page about a consent in vain, that page."""
        parts = urlsplit(location)
        answer = self.get(f"{parts.path}?{parts.query}")
        return self.get(answer["Location"]) if "/ended/" in answer.get("Location", "") else answer

    def consent(self, account: str = "", **data: str) -> HttpResponse:
        return self.come_back(self.answer(self.start(**data), account))


@pytest.fixture(autouse=True)
def clock() -> Iterator[ProcessClock]:
    """Nobody waits for a vendor that is ill: the pauses between attempts move the clock."""
    with moved_clock() as clock:
        yield clock


@pytest.fixture
def vendor() -> str:
    """Google, unless a test is run for others too."""
    return "google"


@pytest.fixture
def vendors(vendors, vendor):
    return vendors.at(vendor)


@pytest.fixture
def provider(vendor):
    return PROVIDERS[{"google": "google_calendar", "microsoft": "outlook_calendar"}[vendor]]


@pytest.fixture
def browse(vendors, provider, db) -> Callable[[Member | None], Browser]:
    def browse(member: Member | None = None) -> Browser:
        browser = Browser(headers={"host": "127.0.0.1:8000"})
        browser.vendors, browser.connect_page = vendors, f"/admin/integrations/connect/{provider.slug}/"
        if member is not None:
            browser.force_login(member.user)
        return browser

    return browse


@pytest.fixture
def person(make_member) -> Callable[..., Member]:
    """Somebody with a login."""

    def person(name: str, **fields) -> Member:
        user = User.objects.create_user(username=name.lower(), is_staff=True)
        return make_member(first_name=name, user=user, **fields)

    return person


@pytest.fixture
def admin(person) -> Member:
    return person("Adam", role=Role.ADMIN, email="adam@fieldcamp.test")


@pytest.fixture
def dana(person) -> Member:
    return person("Dana", is_technician=True, email="Dana@google.test")


@pytest.fixture
def lee(person) -> Member:
    return person("Lee", is_technician=True, email="lee@google.test")


@pytest.fixture
def desk(browse, admin) -> Browser:
    return browse(admin)


def only_connection() -> Connection:
    return Connection.objects.get()


@pytest.fixture
def new(vendors, workspace, admin):
    """Takes a consent's grant without the browser."""

    def new(account: str = MAIN, **kwargs) -> Connection:
        tokens = GOOGLE.parse_tokens(vendors.token(account, list(GOOGLE.scopes)), timezone.now())
        return connections.take_grant(
            workspace=kwargs.pop("workspace", workspace),
            integration="google_calendar",
            account=Account(f"id of {account}", account),
            tokens=tokens,
            user=admin.user,
            **kwargs,
        )

    return new


@pytest.fixture
def active(new, dana) -> Connection:
    return connections.set_up(connection=new(), member=dana, target_container_id=MAIN, busy_container_ids=[MAIN])


@pytest.fixture
def intuit(vendors):
    vendors = vendors.at("intuit")
    vendors.throttle(False)
    return vendors


@pytest.fixture
def grant(intuit, workspace):
    """Takes a company's grant without the browser."""

    def grant(company: str = COMPANY, name: str = "Dana's Plumbing", **kwargs) -> Connection:
        tokens = QUICKBOOKS.parse_tokens(intuit.token(company, list(QUICKBOOKS.scopes)), timezone.now())
        return connections.take_grant(
            workspace=kwargs.pop("workspace", workspace),
            integration=QUICKBOOKS.name,
            account=Account(company, name),
            tokens=tokens,
            user=None,
            **kwargs,
        )

    return grant
