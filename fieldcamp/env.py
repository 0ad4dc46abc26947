"""Reading the environment, and the secrets that a single machine makes for itself."""

import datetime as dt
import ipaddress
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def env_bool(name: str, default: bool = False) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    if value:
        raise ImproperlyConfigured(f"{name} is {value!r}: write 1 or 0.")
    return default


def env_int(name: str, default: int) -> int:
    value = os.environ.get(name, "").strip()
    try:
        return int(value) if value else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}: write a whole number.") from None


def env_day(name: str) -> str:
    """Returns a day as 2027-05-31; "" where none is set."""
    value = os.environ.get(name, "").strip()
    try:
        return dt.date.fromisoformat(value).isoformat() if value else ""
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}: write a day as 2027-05-31.") from None


def env_list(name: str) -> list[str]:
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def networks(name: str, values: list[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Returns the addresses and networks that a setting lists. ImproperlyConfigured for what is neither."""
    try:
        return [ipaddress.ip_network(value) for value in values]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}. Write addresses or networks, as 10.0.0.0/8.") from None


def env_text(name: str) -> str:
    return os.environ.get(name, "").strip()


def keep_files_private() -> None:
    """Has this process, and those that it starts, make files that only their owner reads, whatever the umask is."""
    os.umask(0o077)


def read_private(path: str | Path) -> str:
    """Returns what a file says that holds a key. ImproperlyConfigured where it cannot be read, or by others as well."""
    file = Path(path)
    try:
        text = file.read_text()
        others = file.stat().st_mode & 0o077
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{file} cannot be read: {type(error).__name__}.") from None
    if others:
        raise ImproperlyConfigured(f"{file} holds a key, and others on this machine can read it: chmod 600 {file}")
    return text


class Secrets:
    """Secrets from the environment or, on a machine of its own, from files made once (mode 0600) in `folder`.

    `may_make` is off as soon as the database lives elsewhere: several machines must share their secrets, and a
    secret that each made for itself would lock them out of each other's rows.
    """

    def __init__(self, folder: Path, may_make: bool):
        self.folder, self.may_make = folder, may_make

    def get(self, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(50)) -> str:
        if value := os.environ.get(name, "").strip():
            return value
        if not self.may_make:
            raise ImproperlyConfigured(f"{name} must be set when DATABASE_URL is set. See .env.example.")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / name.lower()
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return self._read(path)
        with os.fdopen(handle, "w") as file:
            file.write(make())
        return self._read(path)

    @staticmethod
    def _read(path: Path) -> str:
        value = path.read_text().strip()
        if not value:
            raise ImproperlyConfigured(f"{path} is empty. Delete it to have a new secret made, or restore it.")
        return value


class Vendors:
    """The vendors' addresses and the operator's apps; with `sandbox`, an address, all of them at the simulator."""

    def __init__(self, sandbox: str):
        self.sandbox = sandbox
        self.urls: dict[str, str] = {}  # each of these settings, with its path at the simulator

    def url(self, name: str, sandbox_path: str, default: str) -> str:
        """Returns where a part of a vendor is reached: as the environment says, else the simulator, else `default`."""
        value = os.environ.get(name, "").strip().rstrip("/")
        if value and urlsplit(value).scheme not in ("http", "https"):
            raise ImproperlyConfigured(f"{name} is {value!r}: write an address that starts with https://.")
        self.urls[name] = sandbox_path
        return value or (self.sandbox + sandbox_path if self.sandbox else default)

    def app(self, prefix: str) -> dict[str, str]:
        """Returns the operator's app at a vendor; the sandbox takes any client id with the one secret it publishes."""
        given = {part: os.environ.get(f"{prefix}_CLIENT_{part}", "").strip() for part in ("ID", "SECRET")}
        return {
            "client_id": given["ID"] or ("sandbox-client" if self.sandbox else ""),
            "secret": given["SECRET"] or ("sandbox-secret" if self.sandbox else ""),
            "secret_ends": env_day(f"{prefix}_CLIENT_SECRET_ENDS"),
        }
