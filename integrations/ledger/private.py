"""Identifiers that strangers chose: they may say as much as a title does, and only whether two are equal is needed."""

from typing import Any

from django.utils.crypto import salted_hmac

from integrations.kinds import Kind
from integrations.models import Stream
from integrations.providers import PROVIDERS
from integrations.records import Fields


def hashed(identifier: str) -> str:
    """Returns a keyed hash, from which nobody finds the identifier again."""
    return salted_hmac("integrations.identifier", identifier, algorithm="sha256").hexdigest()[:40]


def shown_id(stream: Stream, remote_id: str) -> str:
    """Returns a remote record's id as it may be shown and told: hashed where it is made of what somebody else chose."""
    private = PROVIDERS[stream.connection.integration].is_private_id
    return hashed(remote_id) if private(remote_id) else remote_id


def stored(kind: Kind, fields: Fields) -> dict[str, Any]:
    """Returns what is stored of a record's fields: those of the kind, private identifiers as hashes."""
    picked = kind.pick(fields)
    return picked | {name: hashed(str(picked[name])) for name in kind.private if picked.get(name)}
