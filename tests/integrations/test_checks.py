"""Each mistake in the settings is told apart, with an id; the settings as they come have none."""

import pytest
from cryptography.fernet import Fernet

from integrations.checks import check_files, check_settings


def ids() -> list[str]:
    return [str(message.id).removeprefix("integrations.") for message in check_settings()]


def test_the_settings_as_they_come_are_fine():
    assert ids() == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"SANDBOX_URL": "http://127.0.0.1:8001"}, ["E001"]),
        ({"SANDBOX_URL": "http://127.0.0.1:8001", "ALLOW_SANDBOX": True}, []),
        ({"SANDBOX_URL": "http://127.0.0.1:8001", "DEBUG": True}, []),
        ({"TOKEN_ENCRYPTION_KEYS": []}, ["E002"]),
        ({"TOKEN_ENCRYPTION_KEYS": ["not a key", Fernet.generate_key().decode()]}, ["E003"]),
        ({"PUBLIC_URL": "sync.example.com"}, ["E004"]),
        ({"PUBLIC_URL": "https://user@sync.example.com"}, ["E004"]),
        ({"PUBLIC_URL": "https://sync.example.com:port"}, ["E004"]),
        ({"PUBLIC_URL": "ftp://sync.example.com"}, ["E004"]),
        ({"PUBLIC_URL": "http://sync.example.com"}, ["E010"]),
        ({"PUBLIC_URL": "http://sync.example.com", "ALLOW_PLAIN_HTTP": True}, ["W001"]),
        ({"PUBLIC_URL": "https://sync.example.com", "DEBUG": True}, ["E009"]),
        ({"SECRET_KEY": "x"}, ["E011"]),
        ({"API_KEY_PEPPER": "ab" * 40}, ["E011"]),
        ({"TOKEN_ENCRYPTION_KEYS": ["A" * 43 + "="]}, ["E003"]),
        ({"GOOGLE_OAUTH2_URL": "http://oauth2.example.com"}, ["E012"]),
        ({"GOOGLE_OAUTH2_URL": "http://127.0.0.1:8001/google/oauth2"}, []),
        ({"PUBLIC_URL": "http://localhost:8000"}, []),
        ({"PUBLIC_URL": "http://[::1]:8000"}, []),
        ({"PUBLIC_URL": "https://sync.example.com", "SECURE_SSL_REDIRECT": True}, []),
        ({"SYNC_WINDOW_FUTURE_DAYS": 0}, ["E006"]),
        ({"FEED_RETENTION_DAYS": -1, "JOB_RETENTION_DAYS": 0}, ["E006", "E006"]),
        ({"GOOGLE_CLIENT": {"client_id": "id", "secret": ""}}, ["E008"]),
        ({"MICROSOFT_CERTIFICATE": {"file": "/nowhere.pem", "key_file": ""}}, ["E013", "E008"]),
        ({"GOOGLE_CLIENT": {"client_id": "", "secret": "s"}}, ["E008"]),
        ({"GOOGLE_CLIENT": {"client_id": "id", "secret": "s"}}, []),
    ],
)
def test_a_mistake_is_found(settings, changes, found):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert ids() == found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"retry": 480}, []),
        ({"retry": 479}, ["E005"]),
        ({"workers": 1, "retry": 599}, ["E005"]),
        ({"workers": 1, "retry": 600}, []),
        ({"workers": 0}, ["E007"]),
    ],
)
def test_no_task_is_delivered_twice_while_it_waits(settings, changes, found):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "workers": 2, "timeout": 120, "queue_limit": 2, **changes}
    assert ids() == found


def test_what_others_can_read_is_told(settings, tmp_path):
    settings.FIELDCAMP_DATA = tmp_path
    (tmp_path / "static").mkdir(mode=0o755)
    (tmp_path / "secrets").mkdir(mode=0o700)
    tmp_path.chmod(0o700)
    for name, mode in (("fieldcamp.sqlite3", 0o600), ("secrets/secret_key", 0o600)):
        (tmp_path / name).touch(mode)
        assert check_files() == []
    tmp_path.chmod(0o755)
    [warning] = check_files()
    assert warning.id == "integrations.W002" and "no file there" in warning.msg
    (tmp_path / "secrets/secret_key").chmod(0o640)
    [warning] = check_files()
    assert f"can read {tmp_path / 'secrets/secret_key'}: secrets" in warning.msg
    assert warning.hint == f"chmod -R go= {tmp_path}"
    settings.FIELDCAMP_DATA = tmp_path / "nothing"
    assert check_files() == []
