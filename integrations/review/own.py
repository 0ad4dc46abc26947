"""A product of the review's own: the same code behind TLS, with a worker and the simulated vendors, in a folder that
goes away. Nothing of the operator's database, queue, mail or apps is touched, and nothing leaves the machine."""

import datetime as dt
import secrets
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from integrations.demo.caller import Caller, CallFailed
from integrations.demo.children import Children, wait_for
from integrations.models import SyncJob
from integrations.review.place import Place, TlsProxy

HOST = "127.0.0.1"
DAY = dt.timedelta(days=1)
PATIENCE = 90.0  # seconds that a job may take
# What is the operator's own and not for a trial: where data lives, who is mailed, which app is used at which address.
NOT_TAKEN = (
    "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "API_KEY_PEPPER", "TOKEN_ENCRYPTION_KEYS",
    "EMAIL_HOST", "METRICS_TOKEN", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "ALLOW_PLAIN_HTTP", "BEHIND_TLS_PROXY",
    "DEBUG", "LOG_LEVEL", "SYNC_INTERVAL_MINUTES", "QUICKBOOKS_METERED_READS_PER_DAY", "WORKERS",
)  # fmt: skip
FOREIGN = ("GOOGLE_", "MICROSOFT_", "INTUIT_", "QUICKBOOKS_")
# What the pages say where the operator has not said it yet: else they only say that it is missing.
SAMPLE = {
    "OPERATOR_NAME": "Example Operator Ltd",
    "OPERATOR_ADDRESS": "1 Example Street | Exampleville",
    "OPERATOR_EMAIL": "support@operator.example",
}


def free_port() -> int:
    """Returns a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def environment(given: Mapping[str, str], folder: Path, port: int, sandbox_port: int) -> dict[str, str]:
    """Returns the environment of such a product, made of the operator's: texts, times and rules of theirs stay."""
    kept = {
        name: value
        for name, value in given.items()
        if name not in NOT_TAKEN and not name.startswith(FOREIGN) and not name.upper().endswith("_PROXY")
    }
    return {
        **SAMPLE,
        **kept,
        "FIELDCAMP_DATA": str(folder),
        "PUBLIC_URL": f"https://{HOST}:{port}",
        "SANDBOX_URL": f"http://{HOST}:{sandbox_port}",
        "ALLOW_SANDBOX": "1",
        "TRUSTED_PROXIES": HOST,
        "INTUIT_WEBHOOK_VERIFIERS": secrets.token_urlsafe(24),
        "DJANGO_SETTINGS_MODULE": "fieldcamp.settings",
    }


def certificate_files(folder: Path) -> dict[str, str]:
    """Makes a certificate for the app at vendors that take one instead of a secret; the settings that name it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "FieldCamp review")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + 300 * DAY
    )
    files = {"certificate": made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)}
    files["key"] = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for part, content in files.items():
        path = folder / f"{part}.pem"
        path.touch(mode=0o600)
        path.write_bytes(content)
    return {
        "MICROSOFT_CERTIFICATE_FILE": str(folder / "certificate.pem"),
        "MICROSOFT_CERTIFICATE_KEY_FILE": str(folder / "key.pem"),
    }


def _upload_certificate() -> None:
    """Has the simulated vendor know the app's certificate, where both of them know of such."""
    path = settings.FIELDCAMP_DATA / "certificate.pem"
    if path.exists():
        body = {"vendor": "microsoft", "client_id": "sandbox-client", "certificate": path.read_text()}
        with suppress(CallFailed):
            Caller(f"{settings.SANDBOX_URL}/_control")("POST", "/certificate", body)


@contextmanager
def own_product() -> Iterator[Place]:
    """Starts web, worker and simulator as the settings of this process say, and ends them."""
    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)
    connections.close_all()  # before processes are started that must not share them
    port, sandbox_port = (urlsplit(url).port for url in (settings.PUBLIC_URL, settings.SANDBOX_URL))
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    web = [
        sys.executable,
        "-m",
        "gunicorn",
        "fieldcamp.wsgi",
        "--workers",
        "1",
        "--worker-class",
        "fieldcamp.serving.EnvelopeWorker",
    ]
    state = str(settings.FIELDCAMP_DATA / "sandbox.state")
    children = Children(
        {
            "sandbox": [
                sys.executable,
                "-m",
                "fieldcamp.sandbox",
                "--port",
                str(sandbox_port),
                "--state",
                state,
                "--seed",
                "empty",
            ],
            "web": [*web, "--threads", "4", "--keep-alive", "120", "--bind", f"{HOST}:{port}"],
            "worker": [*manage, "worker"],
        },  # fmt: skip
        settings.FIELDCAMP_DATA / "logs",
    )
    try:
        for name in children.commands:
            children.start(name)
        wait_for(f"{settings.SANDBOX_URL}/")
        wait_for(f"http://{HOST}:{port}/healthz")
        _upload_certificate()
        yield Place(
            url=settings.PUBLIC_URL,
            plain_url=f"http://{HOST}:{port}",
            sandbox_url=settings.SANDBOX_URL,
            mount=_mount,
            finish=_finish,
            log=_log,
        )
    finally:
        connections.close_all()
        children.end()


def _mount(session: requests.Session) -> None:
    session.mount(settings.PUBLIC_URL, TlsProxy())


def _finish(job_id: str) -> None:
    """Returns when the worker has ended the job. TimeoutError if it does not."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not SyncJob.objects.get(pk=job_id).in_flight:
            return
        time.sleep(0.1)
    raise TimeoutError(f"Job {job_id} has not ended after {PATIENCE:.0f} s.")


def _log() -> str:
    folder = settings.FIELDCAMP_DATA / "logs"
    return "\n".join(path.read_text(errors="replace") for name in ("web", "worker")
                     if (path := folder / f"{name}.log").exists())  # fmt: skip
