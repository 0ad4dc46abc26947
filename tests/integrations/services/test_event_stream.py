"""`manage.py security_events`: from the service account's key to the test that has come."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from integrations.models import ReceivedSecurityEvent

pytestmark = pytest.mark.once


@pytest.fixture
def key(told, tmp_path):
    """A service account's key file, as Google's console hands it out, closed to others."""

    def key(configures: bool = True):
        made = told.vendors.call("POST", "service_account", json={"vendor": "google", "configures": configures})
        file = tmp_path / f"key-{configures}.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(made))
        return file

    return key


def run(what: str, file, *more: str) -> str:
    out = StringIO()
    call_command("security_events", what, "google-calendar", "--key", str(file), *more, stdout=out)
    return out.getvalue()


@pytest.mark.slow
def test_events_come_once_they_are_registered(told, key):
    file = key()
    with pytest.raises(CommandError, match="Project has no RISC configuration"):
        run("status", file)
    assert "https://sync.example.com/security-events/google-calendar" in run("register", file)
    assert "The test has come, and was believed." in run("verify", file)
    assert ReceivedSecurityEvent.objects.get().kinds == "verification"
    shown = run("status", file)
    assert "All 7 kinds of events are sent to https://sync.example.com/security-events/google-calendar" in shown
    assert "Last event received here: none yet." in shown and "Last test received here: 20" in shown
    told.vendors.revoke()  # as Dana does in the Google account
    assert (told.state(), told.refresh_token()) == ("needs_reconnect", "")
    assert "Last event received here: 20" in run("status", file)


@pytest.mark.slow
def test_what_is_wrong_with_the_stream_is_said(told, key, settings):
    file = key()
    run("register", file)
    told.risc.state.put("google: risc status", "disabled")
    with pytest.raises(CommandError, match="switched off"):
        run("status", file)
    with pytest.raises(CommandError, match=r"No test has come within 0 s"):
        run("verify", file, "--wait", "0")
    run("register", file)  # switches it on
    assert "believed" in run("verify", file)
    settings.PUBLIC_URL = "https://other.example.com"
    with pytest.raises(CommandError, match="Events are sent to https://sync.example.com"):
        run("status", file)
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    with pytest.raises(CommandError, match="serve this site with https"):
        run("register", file)


def test_a_key_has_to_be_one_and_to_be_closed(key, tmp_path):
    with pytest.raises(CommandError, match="RISC configuration"):
        run("register", key(configures=False))
    for text in ("{}", "no JSON", "[]", '{"client_email": 1, "private_key": "x", "private_key_id": "y"}'):
        file = tmp_path / "bad.json"
        file.touch(mode=0o600)
        file.write_text(text)
        with pytest.raises(CommandError, match="no key file of a service account"):
            run("register", file)
    with pytest.raises(CommandError, match="cannot be read"):
        run("register", tmp_path / "nowhere")
    open_one = key()
    open_one.chmod(0o644)
    with pytest.raises(CommandError, match="chmod 600"):
        run("register", open_one)
