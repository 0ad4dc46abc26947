"""Reading the environment, and the secrets that a single machine makes for itself."""

import ipaddress
import os
import secrets
from pathlib import Path

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


def env_list(name: str) -> list[str]:
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def networks(name: str, values: list[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Returns the addresses and networks that a setting lists. ImproperlyConfigured for what is neither."""
    try:
        return [ipaddress.ip_network(value) for value in values]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}. Write addresses or networks, as 10.0.0.0/8.") from None


class Secrets:
    """Secrets from the environment or, on a machine of its own, from files made once (mode 0600) in `folder`.

    `may_make` is off as soon as the database lives elsewhere: several machines must share their secrets, and a
    secret that each made for itself would lock them out of each other's rows.
    """

    def __init__(self, folder: Path, may_make: bool):
        self.folder, self.may_make = folder, may_make

    def get(self, name: str, make=lambda: secrets.token_urlsafe(50)) -> str:
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
