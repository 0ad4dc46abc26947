"""The product in this process as a reviewer meets it: behind TLS, with the sandbox beside it, and nothing waits."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction

from fieldcamp.sandbox.mount import URL, SandboxAdapter
from integrations.models import SyncJob
from integrations.review.company import make_review_company
from integrations.review.own import certificate_files
from integrations.review.place import Place
from integrations.review.probe import Probe
from tests.faketime import ProcessClock, moved_clock
from tests.integrations.engine import finish, heartbeat, quiet_queue  # noqa: F401  (fixtures)

HOST = "127.0.0.1:8000"


class QuickHasher(PBKDF2PasswordHasher):
    """The product's own hasher, a thousand times quicker: it is its name that is looked for."""

    iterations = 1


@pytest.fixture(autouse=True)
def clock(heartbeat) -> Iterator[ProcessClock]:  # noqa: F811
    with moved_clock() as clock:
        clock.beat = heartbeat.beat
        yield clock


@pytest.fixture
def behind_tls(settings) -> Any:
    """The settings as a PUBLIC_URL that begins with https makes them."""
    settings.PUBLIC_URL = f"https://{HOST}"
    settings.SECURE_SSL_REDIRECT, settings.SECURE_SSL_HOST = True, HOST
    settings.SECURE_HSTS_SECONDS = 365 * 86_400
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.CSRF_TRUSTED_ORIGINS = [settings.PUBLIC_URL]
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    settings.OPERATOR_NAME, settings.OPERATOR_ADDRESS = "Sync & Sons Ltd", "1 Main Street"
    settings.OPERATOR_EMAIL = "help@sync.example"
    settings.INTUIT_WEBHOOK_VERIFIERS = ["a-verifier-of-tests"]
    settings.PASSWORD_HASHERS = [f"{__name__}.QuickHasher"]
    return settings


@pytest.fixture
def one_database_connection() -> Iterator[None]:
    """A server closes what a request has left open; here that would be the test's own transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def committed(monkeypatch) -> None:
    """What is done after a commit is done at once: the test's own transaction never ends. And vendors' documents are
    read anew."""
    monkeypatch.setattr("integrations.providers.discovery._known", {})
    monkeypatch.setattr(transaction, "on_commit", lambda done, using=None, robust=False: done())


@pytest.fixture
def make_probe(
    behind_tls, vendors, clock, db, caplog, one_database_connection, committed, tmp_path
) -> Callable[[], Probe]:
    """A probe of the product as the settings are by then."""
    files = certificate_files(tmp_path)
    behind_tls.MICROSOFT_CERTIFICATE = {
        "file": files["MICROSOFT_CERTIFICATE_FILE"], "key_file": files["MICROSOFT_CERTIFICATE_KEY_FILE"],
    }  # fmt: skip
    known = {"vendor": "microsoft", "client_id": "sandbox-client"}
    vendors.call("POST", "certificate", json={**known, "certificate": (tmp_path / "certificate.pem").read_text()})

    def make() -> Probe:
        clock.follow(vendors.adapter)
        application = WSGIHandler()

        def whole(environ, start_response) -> list[bytes]:
            """Reads the answer to its end and closes it, as a server does: some things are done only then."""
            answer = application(environ, start_response)
            body = b"".join(answer)
            answer.close()
            return [body]

        adapter = SandboxAdapter(whole)

        def mount(session) -> None:
            session.mount(f"https://{HOST}", adapter)
            session.mount(f"http://{HOST}", adapter)
            session.mount(URL, vendors.adapter)

        caplog.set_level(logging.INFO)
        return Probe(
            Place(
                url=f"https://{HOST}",
                plain_url=f"http://{HOST}",
                sandbox_url=URL,
                mount=mount,
                finish=lambda job_id: finish(SyncJob.objects.get(pk=job_id)),
                log=lambda: caplog.text,
            ),
            make_review_company(),
        )

    return make


@pytest.fixture
def probe(make_probe) -> Probe:
    return make_probe()
