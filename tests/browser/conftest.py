"""A person in a real browser, in front of a real server, with the simulated Google on a socket of its own.

Chromium is driven, or, with TEST_BROWSER=firefox, the Firefox that Debian ships: both as they are installed.
"""

import datetime as dt
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect, sync_playwright

from fieldcamp.sandbox.mount import URL
from fieldcamp.sandbox.server import Server
from fieldcamp.workspace.models import Member, Role
from integrations.jobs import runner
from integrations.models import Connection, SyncJob
from integrations.providers import PROVIDERS
from integrations.services.connections import set_up, take_grant
from integrations.services.jobs import trigger_sync
from integrations.transport.client import HttpClient, OneToken
from tests.browser.person import DANA, PASSWORD, Person

FIREFOX = os.environ.get("TEST_BROWSER") == "firefox"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
# The consent is reached through such hosts. Firefox starts as if its window were dark or light, for all its pages.
LOCAL = {"network.dns.localDomains": "login.localhost,consent.localhost"}
DARK, LIGHT = ({"layout.css.prefers-color-scheme.content-override": scheme} for scheme in (0, 1))
LONGEST_WAIT = 30_000  # milliseconds; a bound, not a wait: every step goes on as soon as its condition holds

expect.set_options(timeout=LONGEST_WAIT)


def launch(playwright: Playwright, color_scheme: str = "light") -> Browser:
    if not FIREFOX:
        if CHROMIUM is None:
            pytest.skip("NO CHROMIUM: the pages were not driven in a browser. Install the package chromium.")
        return playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
    firefox = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
    if firefox is None:
        pytest.skip("NO FIREFOX: the pages were not driven in it. Install the package firefox-esr.")
    # By WebDriver BiDi, which needs no build of Playwright's own.
    return playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=firefox,
        headless=True,
        firefox_user_prefs=LOCAL | (DARK if color_scheme == "dark" else LIGHT),
    )


@pytest.fixture(scope="package")
def browsers() -> Iterator[Callable[[str], Browser]]:
    """Gives the browser for a colour scheme, which one Chromium does for both."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright's loop counts as running in this thread; the tests' own queries are made between its steps.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        running: dict[str, Browser] = {}

        def browser(color_scheme: str) -> Browser:
            scheme = color_scheme if FIREFOX else "any"
            if scheme not in running:
                running[scheme] = launch(playwright, scheme)
            return running[scheme]

        yield browser
        for each in running.values():
            each.close()


class Worker:
    """Carries out one job after another in a thread, unless it is told to wait."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._may_work = threading.Event()
        self._may_work.set()
        self._jobs: list[Future] = []
        self.rest, self.go_on = self._may_work.clear, self._may_work.set

    def ring(self, job_id: str) -> None:
        # As a worker of the queue does, this one sees a job when the transaction that makes it is through.
        transaction.on_commit(lambda: self._jobs.append(self._pool.submit(self._run, job_id)))

    def _run(self, job_id: str) -> None:
        self._may_work.wait(60)
        try:
            runner.run(job_id)
        finally:
            connection.close()

    def finish(self) -> None:
        """Waits for all that was rung for. What a job has raised is raised here."""
        for job in self._jobs:
            job.result(60)

    def stop(self) -> None:
        self.go_on()
        self._pool.shutdown()
        self.finish()


@pytest.fixture
def worker(transactional_db, monkeypatch) -> Iterator[Worker]:
    worker = Worker()
    monkeypatch.setattr("integrations.queue.ring.ring", worker.ring)
    monkeypatch.setattr("integrations.jobs.runner.ring", worker.ring)
    yield worker
    worker.stop()


@pytest.fixture
def google(vendors, settings) -> Iterator[str]:
    """The sandbox's address. The product calls it there, and so does the browser."""
    vendors.throttle(False)
    server = Server(("127.0.0.1", 0), vendors.adapter.app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    here = f"http://127.0.0.1:{server.server_port}"
    for name in dir(django_settings):
        if name.endswith("_URL") and str(address := getattr(django_settings, name)).startswith(URL):
            setattr(settings, name, address.replace(URL, here))
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def owner(transactional_db, make_member) -> Member:
    return make_member(
        first_name="Olivia",
        role=Role.OWNER,
        user=User.objects.create_user("olivia", password=PASSWORD, is_staff=True),
    )


@pytest.fixture
def open_page(browsers, live_server, google, worker) -> Iterator:
    """Opens a browser of somebody's own: `open_page(color_scheme="dark")`.

    No script on a page may fail, and no page may ask for what its policy of contents forbids.
    """
    opened, errors = [], []

    def heard(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            errors.append(message.text)

    def open_page(**options) -> Page:
        if FIREFOX and not options.get("java_script_enabled", True):
            pytest.skip("Firefox cannot be driven without scripts: tried in Chromium.")
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        context = browsers(options.get("color_scheme", "light")).new_context(base_url=live_server.url, **options)
        context.set_default_timeout(LONGEST_WAIT)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", heard)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert errors == []


@pytest.fixture
def person(open_page, google, owner) -> Person:
    """The owner, signed in."""
    person = Person(open_page(), google)
    person.sign_in()
    return person


@pytest.fixture
def connected(google, vendors, worker, owner, make_technician, make_visit) -> Connection:
    """A technician's account after its first sync: twelve visits, one a day from tomorrow on."""
    dana = make_technician(first_name="Dana", email=DANA)
    for day in range(1, 13):
        start = timezone.now().replace(hour=15, minute=0, second=0, microsecond=0) + dt.timedelta(days=day)
        end = start + dt.timedelta(hours=1)
        make_visit(technician=dana, scheduled_start=start, scheduled_end=end, visit_status="scheduled")
    provider = PROVIDERS["google_calendar"]
    tokens = provider.parse_tokens(vendors.token(DANA, list(provider.scopes)), timezone.now())
    connection = take_grant(
        workspace=dana.workspace,
        integration=provider.name,
        account=provider.identify(HttpClient(provider, OneToken(tokens.access_token))),
        tokens=tokens,
        user=owner.user,
    )
    set_up(connection=connection, member=dana, target_container_id=DANA, busy_container_ids=[DANA])
    trigger_sync(
        workspace=dana.workspace,
        integration=provider.name,
        triggered_by=SyncJob.Trigger.ADMIN,
        actor="Olivia",
    )
    worker.finish()
    return connection
