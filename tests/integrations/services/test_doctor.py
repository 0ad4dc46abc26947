"""`manage.py doctor`: finds what an operator can get wrong, says how to mend it, and is quiet about the rest."""

import datetime as dt
from io import StringIO
from types import SimpleNamespace

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisDown

from fieldcamp.env import networks
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.audit_chain import seal
from fieldcamp.workspace.models import AuditEntry
from integrations.models import Connection, Heartbeat, OAuthGrant, Problem, ReceivedSecurityEvent
from integrations.providers import PROVIDERS
from integrations.selectors.dashboard import WORKER
from integrations.services.doctor import Weight, examine
from integrations.services.doctor.certificates import app_certificate
from tests.certificates import make_certificate
from tests.integrations import build

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def healthy(db, settings, tmp_path, time_machine):
    """A site that lacks nothing; it is not in DEBUG and has a worker, a mail server and apps. No vendor's change is
    near."""
    time_machine.move_to(dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC))
    settings.FIELDCAMP_DATA = tmp_path
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://sync.example.com", ["sync.example.com"]
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 365 * 86_400
    settings.TRUSTED_PROXIES = networks("TRUSTED_PROXIES", ["127.0.0.1"])
    settings.SECRET_KEY, settings.API_KEY_PEPPER = "qE7" * 30 + "xyzabc", "another secret of the right length"
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.example.com", "FieldCamp <desk@example.com>"
    settings.OPERATOR_NAME, settings.OPERATOR_ADDRESS = "Sync Ltd", "1 Main Street"
    settings.OPERATOR_EMAIL = "privacy@example.com"
    for app in ("GOOGLE", "MICROSOFT", "INTUIT"):
        setattr(settings, f"{app}_CLIENT", {"client_id": "id", "secret": "secret", "secret_ends": "2028-01-31"})
    settings.INTUIT_WEBHOOK_VERIFIERS = ["a verifier"]
    Heartbeat.objects.create(name=WORKER, at=timezone.now())
    ReceivedSecurityEvent.objects.create(
        integration="google_calendar", jti="1", test_state="hello", received_at=timezone.now()
    )


def bad(offline: bool = True) -> list[tuple[str, str]]:
    """What is not fine: (weight and about, sentence and mend). The tests' own vendors have no TLS (E012)."""
    found = [
        finding for finding in examine(offline=offline)
        if finding.weight is not Weight.FINE and "integrations.E012" not in finding.sentence
    ]  # fmt: skip
    assert all(finding.mend for finding in found if not finding.sentence.endswith(")"))
    return [(f"{each.weight} {each.about}", f"{each.sentence} {each.mend}") for each in found]


def test_a_healthy_site_ends_with_nothing_wrong():
    assert bad() == []
    out = StringIO()
    call_command("doctor", "--offline", stdout=out)
    assert "https://sync.example.com/accounts/google-calendar/login/callback/" in out.getvalue()
    assert "Nothing is wrong; 0 to note." in out.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "about", "said"),
    [
        ({"ALLOWED_HOSTS": ["localhost"]}, "wrong Site address", "Add sync.example.com to ALLOWED_HOSTS."),
        ({"ALLOWED_HOSTS": ["*"]}, "note Site address", "any host"),
        ({"PUBLIC_URL": "https://203.0.113.7", "ALLOWED_HOSTS": ["*"]}, "wrong QuickBooks", "no IP address"),
        ({"PUBLIC_URL": "http://sync.example.com"}, "wrong Outlook", "https only"),
        ({"SECRET_KEY": "short"}, "wrong Settings", "SECRET_KEY"),
        ({"API_KEY_PEPPER": "short"}, "wrong Settings", "API_KEY_PEPPER"),
        ({"TOKEN_ENCRYPTION_KEYS": ["no key"]}, "wrong Settings", "Fernet"),
        ({"DEBUG": True}, "wrong Settings", "DEBUG"),
        ({"OPERATOR_EMAIL": ""}, "note Settings", "OPERATOR_EMAIL not set"),
        ({"SUPPORT_URL": "help desk"}, "note Settings", "people cannot open that"),
        ({"EMAIL_HOST": ""}, "note Mail", "EMAIL_HOST"),
        ({"DEFAULT_FROM_EMAIL": "x@localhost"}, "wrong Mail", "DEFAULT_FROM_EMAIL"),
        ({"GOOGLE_CLIENT": {"client_id": "", "secret": ""}}, "note Google Calendar", "GOOGLE_CLIENT_ID"),
    ],
)
def test_mistakes_in_the_settings(settings, changes, about, said):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert any(name == about and said in text for name, text in bad()), bad()
    if about.startswith("wrong"):
        with pytest.raises(CommandError, match="wrong"):
            call_command("doctor", "--offline", stdout=StringIO())


def test_no_worker_and_a_job_that_waits(workspace):
    Heartbeat.objects.update(at=timezone.now() - dt.timedelta(hours=2))
    build.job(workspace, created_at=timezone.now() - dt.timedelta(minutes=7))
    assert [name for name, _ in bad()] == ["wrong Workers", "wrong Workers"]
    assert "for 2 h" in bad()[0][1] and "7 min" in bad()[1][1]


def test_an_audit_trail_that_was_changed(workspace):
    entry = audit("member.updated", workspace_id=workspace.pk, actor="Olivia")
    seal(workspace.pk)
    assert bad() == []
    AuditEntry.objects.filter(pk=entry.pk).update(actor="Somebody")
    [(name, text)] = bad()
    assert name == "wrong Audit trail" and f"Entry {entry.pk}: What it says was changed." in text


@pytest.mark.slow
def test_a_queue_that_is_away(monkeypatch, settings):
    def down():
        raise RedisDown("away")

    settings.REDIS_URL = "redis://away"
    broker = SimpleNamespace(queue_size=down)
    monkeypatch.setattr("integrations.services.doctor.machine.queue_broker", lambda: broker)
    assert [name for name, _ in bad()] == ["wrong Queue"]


@pytest.mark.slow
def test_what_the_accounts_tell(workspace, settings):
    now = timezone.now()
    for days in (7, 100):
        OAuthGrant.objects.create(
            connection=build.connection(workspace, fresh_from=now), refresh_token="1//x", granted_at=now,
            refresh_expires_at=now + dt.timedelta(days=days),
        )  # fmt: skip
    [(name, text)] = bad()
    assert name == "wrong Accounts" and "testing mode" in text and f"{now + dt.timedelta(days=7):%-d %B %Y}" in text
    OAuthGrant.objects.update(refresh_expires_at=None, granted_at=now - dt.timedelta(days=7, hours=1))
    for grant in OAuthGrant.objects.all():
        assert bad() == []  # one alone may have many causes
        Problem.objects.create(
            workspace=workspace, integration=build.GOOGLE, connection=grant.connection, code="NEEDS_RECONNECT",
            message="Reconnect.", occurred_at=now,
        )  # fmt: skip
    assert "2 accounts 7 days after they were connected" in bad()[0][1]
    Problem.objects.update(occurred_at=now + dt.timedelta(days=1))
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.TOKEN_ENCRYPTION_KEYS]
    assert bad() == []
    settings.TOKEN_ENCRYPTION_KEYS = settings.TOKEN_ENCRYPTION_KEYS[:1]
    assert [name for name, _ in bad()] == ["wrong Stored tokens"] and "2 accounts" in bad()[0][1]
    OAuthGrant.objects.all().delete()
    Connection.objects.all().delete()
    Problem.objects.create(
        workspace=workspace, integration="quickbooks", code="MISCONFIGURED", message="The app is refused.",
        detail="invalid_client", occurred_at=now,
    )  # fmt: skip
    assert "The app is refused. invalid_client" in bad()[0][1]


@pytest.fixture
def online(sandbox, monkeypatch, settings):
    """The simulated vendors, whose answers say what time it is, `online.late` seconds ahead of our clock; the mail
    server answers."""
    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.open", lambda self: True, raising=False)
    sandbox.late = 0
    settings.MICROSOFT_CLIENT = {**settings.MICROSOFT_CLIENT, "secret_ends": "2028-01-31"}

    def dated(_path, send):
        response = send()
        there = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=sandbox.late)
        response.headers["Date"] = f"{there:%a, %d %b %Y %H:%M:%S} GMT"
        return response

    sandbox.around(dated)
    return sandbox


@pytest.mark.slow
def test_the_vendors_are_asked(online, settings):
    assert bad(offline=False) == []
    online.late = 95
    [(name, text)] = bad(offline=False)
    assert name == "wrong Clock" and ("95 s late" in text or "94 s late" in text)
    online.late = 0
    body = {"error": "invalid_request", "error_description": "Malformed."}
    online.fault("status", path="/token", status=400, body=body, times=1)
    [(name, text)] = bad(offline=False)
    assert name == "note Google Calendar" and "could not be found out" in text
    settings.GOOGLE_CLIENT = {"client_id": "sandbox-client", "secret": "an old one"}
    [(name, text)] = bad(offline=False)
    assert name == "wrong Google Calendar" and "GOOGLE_CLIENT_SECRET" in text and "an old one" not in text


@pytest.mark.slow
def test_an_address_that_does_not_answer(online, settings):
    settings.MICROSOFT_GRAPH_URL = "http://127.0.0.1:9/graph"
    online.at("intuit").fault("status", path="/", status=503, times=99)
    found = dict(bad(offline=False))
    assert "http://127.0.0.1:9/graph (ConnectionError)" in found["wrong Outlook"]
    assert "503" in found["wrong QuickBooks"] and settings.QUICKBOOKS_API_URL in found["wrong QuickBooks"]
    assert set(found) == {"wrong Outlook", "wrong QuickBooks", "note QuickBooks"}
    assert PROVIDERS["google_calendar"].label not in str(found)


@pytest.mark.slow
def test_a_mail_server_that_refuses(monkeypatch, online):
    def refuse(self):
        raise ConnectionRefusedError("secret host")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.open", refuse, raising=False)
    assert [name for name, _ in bad(offline=False)] == ["wrong Mail"]


def test_a_vendor_that_tells_nothing_of_its_accounts():
    ReceivedSecurityEvent.objects.all().delete()
    [(name, text)] = bad()
    assert name == "note Google Calendar" and "security_events register google-calendar" in text


@pytest.mark.slow
def test_the_certificate_of_the_app(settings, tmp_path):
    outlook = PROVIDERS["outlook_calendar"]

    def found() -> list[tuple[Weight, str]]:
        findings = app_certificate("Outlook", outlook.authentication)
        return [(each.weight, f"{each.sentence} {each.mend}") for each in findings]

    settings.MICROSOFT_CERTIFICATE = make_certificate(tmp_path)
    assert [(name, "the certificate is used" in text) for name, text in bad()] == [("note Outlook", True)]
    settings.MICROSOFT_CLIENT = {"client_id": "id", "secret": ""}
    for begins, days, weight, said in (
        (-1, 365, Weight.FINE, "good until"), (-330, 361, Weight.FINE, "good until"),
        (-330, 359, Weight.NOTE, "both are good then"), (-365, 364, Weight.WRONG, "has ended on"),
        (1, 365, Weight.WRONG, "and not before"),
    ):  # fmt: skip
        settings.MICROSOFT_CERTIFICATE = make_certificate(tmp_path, f"{begins} {days}", begins=begins, days=days)
        [(heavy, text)] = found()
        assert heavy is weight and said in text
    settings.MICROSOFT_CERTIFICATE = make_certificate(tmp_path, "open")
    (tmp_path / "open.key").chmod(0o644)
    assert {name for name, text in bad() if "chmod 600" in text} == {"wrong Settings", "wrong Outlook"}
