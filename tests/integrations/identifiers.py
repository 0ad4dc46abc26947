"""What FieldCamp calls somebody's own event."""

from integrations.ledger.private import Identifiers
from integrations.models import Stream


def known_as(event_id: str) -> str:
    """Returns the keyed hash under which the event is known in the calendars of the one company."""
    return Identifiers(Stream.objects.filter(kind="").earliest("pk")).hashed(event_id)


def cursor_of(stream: Stream, name: str = "cursor") -> str:
    """Returns a calendar's cursor, decrypted."""
    return Identifiers(stream).opened(getattr(stream, name))
