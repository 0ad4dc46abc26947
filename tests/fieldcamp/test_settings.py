"""The settings by what they cause: the site is started anew with an environment, and its answers are looked at."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

# No transaction of ours may be open: SQLite has one writer, and here that is another process.
pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[2]


def database_url() -> str:
    """The test database, as a child process is told of it."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgres://{found['USER']}:{found['PASSWORD']}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """One process with this environment, and nothing of ours beside what it cannot do without."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=kept | environment, capture_output=True, text=True, timeout=60
    )


def answers(tmp_path: Path, public_url: str) -> dict:
    """What a site with this public address answers to somebody who signs in through a proxy that says "https"."""
    asked = json.dumps({"host": public_url.split("//")[1], "x-forwarded-proto": "https"})
    done = start(
        "-m", "tests.fieldcamp.probe", asked,
        DATABASE_URL=database_url(), FIELDCAMP_DATA=str(tmp_path), SECRET_KEY=settings.SECRET_KEY,
        API_KEY_PEPPER=settings.API_KEY_PEPPER, TOKEN_ENCRYPTION_KEYS=",".join(settings.TOKEN_ENCRYPTION_KEYS),
        PUBLIC_URL=public_url, LOG_LEVEL="CRITICAL",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def assert_gives_nothing_away(found: dict) -> None:
    """In no frame, with no script of anybody's, under no other name, and no word of what is behind it."""
    headers = found["dashboard"]["headers"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";") if part.strip())
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
    assert policy["default-src"] == policy["base-uri"] == "'self'"
    assert "'unsafe-inline'" not in policy["script-src"] and "//" not in policy["script-src"]
    assert found["elsewhere"]["status"] == 400
    assert "DEBUG" not in found["missing"] and "urlconf" not in found["missing"].lower()


@pytest.mark.slow
def test_behind_https_every_cookie_of_the_sign_in_goes_over_https_only(tmp_path):
    found = answers(tmp_path, "https://sync.example.com")
    assert found["signed in"]["status"] == 302 and found["signed in"]["headers"]["Location"] == "/admin/"
    assert found["dashboard"]["status"] == 200 and found["operators need a second factor"]
    cookies = {name: each for page in ("form", "signed in", "told") for name, each in found[page]["cookies"].items()}
    assert {"__Host-sessionid", "__Host-csrftoken", "__Host-messages", "__Host-fieldcamp_device"} == set(cookies)
    assert all(cookie["path"] == "/" for cookie in cookies.values())
    assert all(cookie["secure"] for cookie in cookies.values())
    assert all(cookie["samesite"] == "Lax" and not cookie["domain"] for cookie in cookies.values())
    assert found["signed in"]["cookies"]["__Host-sessionid"]["httponly"]
    assert_gives_nothing_away(found)
    assert found["dashboard"]["headers"]["Strict-Transport-Security"] == "max-age=31536000"
    # What comes without TLS, or by another name, learns nothing but the right address; who watches the process may.
    assert found["plain"]["status"] == found["plain API"]["status"] == 301
    assert found["plain"]["headers"]["Location"] == "https://sync.example.com/admin/login/?a=1"
    assert found["by address"]["status"] == 400
    assert {name: found[name]["status"] for name in ("healthz", "metrics", "metrics here")} == {
        "healthz": 200, "metrics": 404, "metrics here": 301,
    }  # fmt: skip


@pytest.mark.slow
def test_without_https_a_sign_in_works_all_the_same_and_no_header_is_believed(tmp_path):
    found = answers(tmp_path, "http://127.0.0.1:8000")
    assert found["dashboard"]["status"] == 200 and not found["operators need a second factor"]
    assert found["plain"]["status"] == found["by address"]["status"] == found["metrics here"]["status"] == 200
    assert "Strict-Transport-Security" not in found["dashboard"]["headers"]
    session = found["signed in"]["cookies"]["sessionid"]
    assert (bool(session["secure"]), bool(session["httponly"]), session["samesite"]) == (False, True, "Lax")
    assert found["scheme"] == "http"  # whoever speaks to the site itself cannot say that a proxy has seen to it
    assert_gives_nothing_away(found)
    # PKCE: the consents of Google and Microsoft are bound to us. Intuit's address takes no code challenge.
    assert found["pkce"] == {"google-calendar": True, "outlook-calendar": True, "quickbooks": False}


@pytest.mark.slow
def test_secrets_that_a_machine_makes_are_its_owners_alone(tmp_path):
    data = tmp_path / "data"
    done = start("-c", "import fieldcamp.settings", FIELDCAMP_DATA=str(data))
    assert done.returncode == 0, done.stderr
    made = {path.name: path for path in (data / "secrets").iterdir()}
    assert set(made) == {"secret_key", "api_key_pepper", "token_encryption_keys"}
    assert stat.S_IMODE((data / "secrets").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.values()} == {0o600}
    before = {name: path.read_text() for name, path in made.items()}
    assert len(set(before.values())) == 3 and all(len(text) >= 40 for text in before.values())
    start("-c", "import fieldcamp.settings", FIELDCAMP_DATA=str(data))
    assert {name: path.read_text() for name, path in made.items()} == before


USE = """
import os, subprocess, sys
os.umask(0o022)
import django
django.setup()
from django.conf import settings
from django.core.mail import send_mail
from django.db import connection
connection.cursor().execute("CREATE TABLE kept (text)")
connection.cursor().execute("INSERT INTO kept VALUES ('x')")
send_mail("Your login", "a link", None, ["tech@x.test"])
from integrations.demo.children import Children
command = [sys.executable, "-c", "print(1, file=open('made', 'w'))"]
children = Children({"one": command}, settings.FIELDCAMP_DATA / "logs")
settings.BASE_DIR = settings.FIELDCAMP_DATA  # where the process works
children.start("one")
children.processes["one"].wait()
(settings.FIELDCAMP_DATA / "logs" / "one.log").rename(settings.FIELDCAMP_DATA / "logs" / "one.log.1")
children.start("one")
children.processes["one"].wait()
os._exit(0)  # SQLite would take its files beside the database along
"""


@pytest.mark.slow
def test_whatever_is_kept_is_its_owners_alone_whatever_the_folder_and_the_umask_are(tmp_path):
    tmp_path.chmod(0o755)
    done = start("-c", USE, FIELDCAMP_DATA=str(tmp_path), DJANGO_SETTINGS_MODULE="fieldcamp.settings")
    assert done.returncode == 0, done.stderr
    modes = {str(path.relative_to(tmp_path)): stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert {"fieldcamp.sqlite3", "fieldcamp.sqlite3-wal", "logs/one.log", "logs/one.log.1", "made"} <= set(modes)
    assert any(name.startswith("mail/") for name in modes)
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}


@pytest.mark.slow
def test_machines_that_share_a_database_must_be_given_their_secrets(tmp_path):
    done = start("-c", "import fieldcamp.settings", FIELDCAMP_DATA=str(tmp_path), DATABASE_URL="postgres://x@y/z")
    assert done.returncode != 0
    assert "SECRET_KEY must be set" in done.stderr
    assert not (tmp_path / "secrets").exists()


SECRET = "a secret for tests alone, and a long one 0123456789"
LIVE = {"PUBLIC_URL": "https://sync.example.com", "SECRET_KEY": SECRET, "API_KEY_PEPPER": SECRET[::-1]}
SIMULATED = {"PUBLIC_URL": "http://127.0.0.1:8000", "SANDBOX_URL": "http://sandbox:8001"}
BAD: tuple[tuple[dict[str, str], str], ...] = (
    (LIVE | {"SANDBOX_URL": "http://127.0.0.1:8001"}, "E001"),
    (SIMULATED, "E001"),
    (LIVE | {"WEBHOOK_ALLOW_PRIVATE": "1"}, "E014"),
    (LIVE | {"TOKEN_ENCRYPTION_KEYS": "no key"}, "E003"),
    (LIVE | {"PUBLIC_URL": "sync.example.com"}, "E004"),
    (LIVE | {"PUBLIC_URL": "https://["}, "E004"),
    (LIVE | {"JOB_RETENTION_DAYS": "0"}, "E006"),
    (LIVE | {"WORKERS": "0"}, "E007"),
    (LIVE | {"INTUIT_CLIENT_ID": "id"}, "E008"),
    (LIVE | {"DEBUG": "1"}, "E009"),
    (LIVE | {"PUBLIC_URL": "http://sync.example.com"}, "E010"),
    (LIVE | {"PUBLIC_URL": "HTTP://203.0.113.7"}, "E010"),
    (LIVE | {"SECRET_KEY": "x"}, "E011"),
    (LIVE | {"API_KEY_PEPPER": "ab" * 30}, "E011"),
    (LIVE | {"GOOGLE_OAUTH2_URL": "http://oauth2.example.com"}, "E012"),
    (LIVE | {"MICROSOFT_LOGIN_URL": "http://localhost.example.com"}, "E012"),
    (SIMULATED | {"ALLOW_SANDBOX": "1", "INTUIT_OAUTH_URL": "http://elsewhere.example"}, "E012"),
)
SOUND: tuple[dict[str, str], ...] = (
    LIVE,
    SIMULATED | {"ALLOW_SANDBOX": "1"},
    {"PUBLIC_URL": "http://127.0.0.1:8000", "SANDBOX_URL": "http://127.0.0.1:8001", "DEBUG": "1", "WORKERS": "1"},
    LIVE | {"PUBLIC_URL": "http://sync.internal", "ALLOW_PLAIN_HTTP": "1"},
    LIVE | {"PUBLIC_URL": "https://[2001:db8::1]:8443", "SECRET_KEY_FALLBACKS": "an older one"},
)


NAMED = {"OPERATOR_NAME": "Sync Ltd", "OPERATOR_ADDRESS": "1 Main Street", "OPERATOR_EMAIL": "sync@example.com"}


@pytest.mark.slow
def test_what_must_not_serve_does_not_start(tmp_path):
    environments = [environment for environment, _ in BAD] + list(SOUND)
    done = start("-m", "tests.fieldcamp.starting", json.dumps(environments), FIELDCAMP_DATA=str(tmp_path))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert [(i, text) for i, (text, (_, code)) in enumerate(zip(said, BAD, strict=False)) if code not in text] == []
    assert said[len(BAD) :] == [""] * len(SOUND)
    # The processes themselves: the server, the worker, and what an operator is told to run before either.
    served = start("-m", "gunicorn", "fieldcamp.wsgi", "--check-config", FIELDCAMP_DATA=str(tmp_path), **BAD[0][0])
    worked = start("manage.py", "worker", FIELDCAMP_DATA=str(tmp_path), **BAD[0][0])
    for refused in (served, worked):
        assert refused.returncode != 0 and "integrations.E001" in refused.stderr
    sound = SOUND[0] | NAMED | {"FIELDCAMP_DATA": str(tmp_path), "TRUSTED_PROXIES": "127.0.0.1"}
    checked = start("manage.py", "check", "--deploy", "--tag", "security", **sound)
    assert "no issues" in checked.stdout, checked.stderr
