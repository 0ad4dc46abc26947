"""What most tests need: a workspace, its people and records, and somebody who calls the API."""

import gc
import itertools
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django_q.conf import Conf
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from rest_framework.test import APIClient
from whitenoise.middleware import WhiteNoiseMiddleware

from fieldcamp.api import services as keys
from fieldcamp.workspace.models import Client, Member, Visit, Workspace

pytest_plugins = ["tests.sandboxed"]

_numbers = itertools.count(1)

# The simulated vendors, the house's rules, and what is sent to vendors and read from them.
NO_DATABASE = ("fieldcamp/sandbox", "house", "integrations/providers")
# Pages, mails and whole vendors, whose statements other tests try on each database: all of them, and their slow ones.
TRIED_BY_OTHERS = ("fieldcamp/webhooks/admin", "integrations/push/vendors", "integrations/review", "browser")
SLOW_TRIED_BY_OTHERS = (
    "fieldcamp/desk", "fieldcamp/signin", "fieldcamp/workspace/admin", "integrations/admin", "integrations/books",
    "integrations/demo", "integrations/mail", "integrations/views",
)  # fmt: skip
# What is tried on PostgreSQL alone where both are: ids and parameters that nobody sends in earnest, of which it refuses
# more, and the slow tests of what reads and writes alike on both.
HOSTILE = ("test_two_workspaces.py", "fieldcamp/api/test_fuzz.py")
SLOW_ON_POSTGRESQL = (
    "fieldcamp/api", "fieldcamp/webhooks", "fieldcamp/workspace", "integrations/api", "integrations/push",
    "integrations/reconciliation", "integrations/services",
)  # fmt: skip

# How long it takes to think of an example says how busy the machine is.
hypothesis_settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("suite")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What is left out anyway need not be made: schemathesis takes ten seconds to think of its cases."""
    return True if collection_path.name == "test_fuzz.py" and "not slow" in config.option.markexpr else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves what is marked `once`, and what is about no database, to SQLite. Where both databases are tried, some of
    what is long is left to PostgreSQL: CI has forty minutes for both."""
    if connection.vendor == "sqlite":
        if "BOTH_DATABASES" in os.environ:
            leave_out(config, items, {item for item in items if is_for_postgresql(item)})
        return
    leave_out(config, items, {item for item in items if is_for_sqlite(item)})


def stands_in(item: pytest.Item, folders: tuple[str, ...]) -> bool:
    return not {Path(__file__).parent / folder for folder in folders}.isdisjoint(item.path.parents)


def is_for_sqlite(item: pytest.Item) -> bool:
    """Returns whether one database is enough for it."""
    if item.get_closest_marker("once") or stands_in(item, NO_DATABASE + TRIED_BY_OTHERS):
        return True
    slow = bool(item.get_closest_marker("slow")) and not is_about_commits(item)
    return slow and stands_in(item, SLOW_TRIED_BY_OTHERS)


def is_for_postgresql(item: pytest.Item) -> bool:
    """Returns whether it is left out on SQLite where PostgreSQL is tried as well; nothing is left out on both."""
    if is_for_sqlite(item):
        return False
    if is_a_long_one_in_memory(item) or item.path in {Path(__file__).parent / file for file in HOSTILE}:
        return True
    slow = bool(item.get_closest_marker("slow")) and not is_about_commits(item)
    return slow and stands_in(item, SLOW_ON_POSTGRESQL)


def is_about_commits(item: pytest.Item) -> bool:
    """Returns whether it sees what others commit meanwhile, and their locks: of those PostgreSQL alone has any."""
    marker = item.get_closest_marker("django_db")
    fixtures = {"transactional_db", "in_parallel"}.intersection(getattr(item, "fixturenames", ()))
    return bool(fixtures or (marker and marker.kwargs.get("transaction")))


def is_a_long_one_in_memory(item: pytest.Item) -> bool:
    """Returns whether other vendors' people go through the same test."""
    people = getattr(getattr(item, "callspec", None), "params", {}).get("people")
    alone = "memory" in getattr(item, "fixturenames", ())
    return bool(item.get_closest_marker("slow")) and getattr(people, "__name__", "") == "Memory" and not alone


def leave_out(config: pytest.Config, items: list[pytest.Item], left_out: set[pytest.Item]) -> None:
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    """The thousands of tests stay: the garbage collector need not look through them again and again."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """A good hash of a password takes a third of a second, twice for each person who signs in."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def one_account_at_a_time() -> None:
    """Another thread does not see what a test has not committed; what is about several at once sets it itself."""
    settings.ACCOUNTS_AT_ONCE = 1


@pytest.fixture(scope="session", autouse=True)
def nobody_stands_in_for_the_worker() -> None:
    """No test has one, and what a thread commits beside a test stays."""
    from integrations.jobs import stalls

    stalls.EVERY = float("inf")


@pytest.fixture(scope="session", autouse=True)
def static_files_found_once() -> None:
    """WhiteNoise looks for them when it is made, which every test client does anew: 20 ms for each of most tests."""
    find, found = WhiteNoiseMiddleware.add_files_from_finders, {}

    def find_once(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            find(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    WhiteNoiseMiddleware.add_files_from_finders = find_once


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix) -> None:
    """Removes what a process that a test killed has left beside SQLite's file: a new file with it is unreadable."""
    if "MUTANT_UNDER_TEST" in os.environ:  # many processes at once (scripts/mutants)
        connection.settings_dict["TEST"]["NAME"] = settings.FIELDCAMP_DATA / f"test-{os.getpid()}.sqlite3"
    if connection.vendor == "sqlite":
        for suffix in ("-wal", "-shm"):
            Path(f"{connection.settings_dict['TEST']['NAME']}{suffix}").unlink(missing_ok=True)


@pytest.fixture(scope="session", autouse=True)
def a_queue_of_its_own() -> None:
    """Processes that test at the same time must not hear each other's bells."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if settings.REDIS_URL and worker:
        url = urlsplit(settings.REDIS_URL)._replace(path=f"/{int(worker.removeprefix('gw')) + 1}").geturl()
        settings.REDIS_URL = os.environ["REDIS_URL"] = Conf.REDIS = url


@pytest.fixture
def workspace(db) -> Workspace:
    return Workspace.objects.create(name="Dana's Plumbing")


@pytest.fixture
def second_workspace(db) -> Workspace:
    return Workspace.objects.create(name="Other Company")


@pytest.fixture
def api_key(workspace) -> Callable[..., str]:
    """Makes a key and gives its secret: `api_key(scopes=["visits:read"])`."""

    def make(*, workspace: Workspace = workspace, name: str = "test", **fields: Any) -> str:
        fields.setdefault("rate_limit_override", 1_000_000)
        return keys.create_key(workspace=workspace, name=name, **fields)[1]

    return make


def api_client(secret: str | None = None) -> APIClient:
    """A client of the API as an integrator is one: a bearer key, JSON bodies, and no exception passed through."""
    headers = {"HTTP_AUTHORIZATION": f"Bearer {secret}"} if secret else {}
    client = APIClient(raise_request_exception=False, **headers)
    client.default_format = "json"
    return client


@pytest.fixture
def api(api_key) -> APIClient:
    return api_client(api_key())


@pytest.fixture
def make_member(workspace) -> Callable[..., Member]:
    def make(**fields: Any) -> Member:
        number = next(_numbers)
        defaults = {"workspace": workspace, "first_name": f"Person {number}", "email": f"person{number}@example.test"}
        return Member.objects.create(**defaults | fields)

    return make


@pytest.fixture
def make_technician(make_member) -> Callable[..., Member]:
    return lambda **fields: make_member(**{"is_technician": True} | fields)


@pytest.fixture
def make_client(workspace) -> Callable[..., Client]:
    return lambda **fields: Client.objects.create(
        **{"workspace": workspace, "first_name": f"Client {next(_numbers)}"} | fields
    )


@pytest.fixture
def make_visit(workspace, make_client) -> Callable[..., Visit]:
    """Makes a visit, unscheduled unless told otherwise, for a new client unless one is given."""

    def make(**fields: Any) -> Visit:
        owner = fields.setdefault("workspace", workspace)
        fields.setdefault("client", None) or fields.update(client=make_client(workspace=owner))
        return Visit.objects.create(**{"title": f"Visit {next(_numbers)}"} | fields)

    return make


@pytest.fixture
def in_parallel() -> Callable[[int, Callable[[int], Any]], list[Any]]:
    """Runs a function n times at once, each in its own thread with its own connection; results in order."""

    def run(count: int, work: Callable[[int], Any]) -> list[Any]:
        start = threading.Barrier(count)

        def one(number: int) -> Any:
            start.wait(timeout=30)
            try:
                return work(number)
            finally:
                connection.close()

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    return run


@pytest.fixture
def call_queries() -> int:
    """What every API call takes before its own queries: key, quota (begin, count, end)."""
    return 4
