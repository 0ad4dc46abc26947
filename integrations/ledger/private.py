"""Identifiers that strangers chose: they may say as much as a title does, and only whether two are equal is needed.

An app that makes an event may choose its id, and of an imported one Google makes the id of its iCalendar UID. So all
that is told and compared of busy time's identifiers are keyed hashes. The id itself is needed to ask the provider about
the event, and a listing's cursor to go on with it (vendors put ids into them): both are kept encrypted.
"""

import base64
import datetime as dt
import hmac
import secrets
import traceback
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from fieldcamp.encryption import DecryptionError
from integrations.kinds import KINDS, Kind
from integrations.models import IdentifierKey, Stream
from integrations.providers import PROVIDERS
from integrations.records import Fields, RemoteRecord

LENGTH = 40  # characters of a hash


class Identifiers:
    """The identifiers that one stream meets; those of books are no strangers', and stay as they are. They are the same
    hashes in all calendars of a company, whose secret is made here when there is none yet. Raises `DecryptionError`
    where TOKEN_ENCRYPTION_KEYS does not open it."""

    def __init__(self, stream: Stream):
        self.hides = not stream.kind  # a calendar holds what is nobody's business
        self._might_be_own = PROVIDERS[stream.connection.integration].might_be_own_id
        self._hash_key, self._fernet = _keys(_secret_of(stream.connection.workspace_id) if self.hides else "")

    def hashed(self, identifier: str) -> str:
        """Returns a keyed hash, from which nobody finds the identifier again."""
        return hmac.digest(self._hash_key, identifier.encode("utf-8", "surrogatepass"), "sha256").hex()[:LENGTH]

    def id_of(self, kind: str, remote_id: str) -> str:
        """Returns a remote record's id as it is stored, shown and told for one of this kind."""
        return self.hashed(remote_id) if KINDS[kind].hidden_ids else remote_id

    def tag_of(self, kind: str, tag: str) -> str:
        """Returns a record's tag as it is stored. A busy time's is merely compared, and may be made of its texts."""
        return self.hashed(tag) if tag and KINDS[kind].hidden_ids else tag

    def stored(self, kind: Kind, fields: Fields) -> dict[str, Any]:
        """Returns what is stored of a record's fields: those of the kind, private identifiers as hashes."""
        picked = kind.pick(fields)
        return picked | {name: self.hashed(str(picked[name])) for name in kind.private if picked.get(name)}

    def name_of(self, record: RemoteRecord) -> str:
        """Returns what a record without a link is called: nobody can say whether it is somebody's own event."""
        return self.hashed(record.id) if self.hides else record.id

    def forms(self, remote_ids: Iterable[str]) -> dict[str, str]:
        """Returns the ids by all that links may have for them. One that cannot be of our making is not looked for as it
        stands: databases write down what they are asked."""
        if not self.hides:
            return {remote_id: remote_id for remote_id in remote_ids}
        found: dict[str, str] = {}
        for remote_id in remote_ids:
            found[self.hashed(remote_id)] = remote_id
            if self._might_be_own(remote_id):
                found[remote_id] = remote_id
        return found

    def sealed(self, text: str) -> str:
        """Encrypts an id or a cursor; that of books stays as it is."""
        return self._fernet.encrypt(text.encode()).decode() if text and self.hides else text

    def opened(self, stored: str) -> str:
        """Decrypts what `sealed` has made; "" for what this company's secret does not open."""
        if not stored or not self.hides:
            return stored
        try:
            return self._fernet.decrypt(stored.encode()).decode()
        except InvalidToken:
            return ""

    def plain_ids(self, links: Iterable[Mapping[str, Any]]) -> list[str]:
        """Returns the ids by which the provider is asked about links, given their `remote_id` and `sealed_id`."""
        return [self.opened(link["sealed_id"]) or link["remote_id"] for link in links]


def where(error: Exception) -> dict[str, Any]:
    """Returns what is logged of an error that a stranger's event may have caused: not what it says, which may be a word
    of that."""
    frames = traceback.extract_tb(error.__traceback__)[-20:]
    return {"error": type(error).__name__, "where": [f"{frame.filename}:{frame.lineno}" for frame in frames]}


def forget_lost_secret(workspace_id: str, granted_at: dt.datetime | None) -> bool:
    """Deletes the company's secret where it cannot be read and an account was connected anew since it could be; whether
    it has. What was hashed and encrypted under it is worth nothing from then on. (Where none was, this may be a process
    that was not restarted with the new keys.)"""
    try:
        _secret_of(workspace_id)
    except DecryptionError:
        lost = IdentifierKey.objects.filter(pk=workspace_id, encrypted_at__lt=granted_at) if granted_at else None
        return bool(lost is not None and lost.delete()[0])
    return False


def _secret_of(workspace_id: str) -> str:
    rows = IdentifierKey.objects.filter(pk=workspace_id)
    if (known := rows.first()) is not None:
        return known.secret
    made = IdentifierKey(workspace_id=workspace_id, secret=secrets.token_urlsafe(32))
    IdentifierKey.objects.bulk_create([made], ignore_conflicts=True)  # another may be faster
    return rows.get().secret


@lru_cache(maxsize=256)
def _keys(secret: str) -> tuple[bytes, Fernet]:
    hash_key, seal = (hmac.digest(secret.encode(), purpose, "sha256") for purpose in (b"hash", b"seal"))
    return hash_key, Fernet(base64.urlsafe_b64encode(seal))
