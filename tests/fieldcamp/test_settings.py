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
    cookies = {**found["form"]["cookies"], **found["signed in"]["cookies"], **found["dashboard"]["cookies"]}
    assert {"sessionid", "csrftoken"} <= set(cookies)
    assert all(cookie["secure"] for cookie in cookies.values())
    assert all(cookie["samesite"] == "Lax" and not cookie["domain"] for cookie in cookies.values())
    assert found["signed in"]["cookies"]["sessionid"]["httponly"]
    assert_gives_nothing_away(found)


@pytest.mark.slow
def test_without_https_a_sign_in_works_all_the_same_and_no_header_is_believed(tmp_path):
    found = answers(tmp_path, "http://127.0.0.1:8000")
    assert found["dashboard"]["status"] == 200 and not found["operators need a second factor"]
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


@pytest.mark.slow
def test_machines_that_share_a_database_must_be_given_their_secrets(tmp_path):
    done = start("-c", "import fieldcamp.settings", FIELDCAMP_DATA=str(tmp_path), DATABASE_URL="postgres://x@y/z")
    assert done.returncode != 0
    assert "SECRET_KEY must be set" in done.stderr
    assert not (tmp_path / "secrets").exists()
