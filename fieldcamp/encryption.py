"""A text column that is encrypted at rest: MultiFernet, a key id in front, and no value at all without the key."""

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class DecryptionError(Exception):
    """The stored value was encrypted with a key that TOKEN_ENCRYPTION_KEYS does not hold."""


@lru_cache(maxsize=8)
def _keyring(keys: tuple[str, ...]) -> tuple[str, dict[str, Fernet]]:
    if not keys:
        raise ImproperlyConfigured("TOKEN_ENCRYPTION_KEYS is empty.")
    try:
        ring = {key_id(key): Fernet(key) for key in keys}
    except ValueError:
        raise ImproperlyConfigured(
            "TOKEN_ENCRYPTION_KEYS holds something that is no Fernet key (32 bytes, url-safe base64)."
        ) from None
    return key_id(keys[0]), ring


def key_id(key: str) -> str:
    """Returns eight characters that name a key without telling anything of it."""
    return hashlib.sha256(b"fieldcamp key id:" + key.encode()).hexdigest()[:8]


def encrypt(text: str) -> str:
    newest, ring = _keyring(tuple(settings.TOKEN_ENCRYPTION_KEYS))
    return f"{newest}:{MultiFernet([ring[newest]]).encrypt(text.encode()).decode()}" if text else ""


def decrypt(stored: str) -> str:
    if not stored:
        return ""
    _, ring = _keyring(tuple(settings.TOKEN_ENCRYPTION_KEYS))
    name, _, token = stored.partition(":")
    try:
        return ring[name].decrypt(token.encode()).decode()
    except (KeyError, InvalidToken) as error:
        raise DecryptionError(
            f"It was encrypted with key {name!r}, which TOKEN_ENCRYPTION_KEYS does not hold. Put that key back."
        ) from error


class EncryptedField(_TextField):
    """Encrypts on the way into the database and decrypts on the way out; all look-ups but for NULL are refused."""

    def get_prep_value(self, value: Any) -> str:
        return encrypt(super().get_prep_value(value) or "")

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str:
        return decrypt(value or "")

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise TypeError("Encrypted fields cannot be searched.")
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        raise TypeError("Encrypted fields cannot be searched.")
