"""Whose an event of ours is: the calendar for which it was made, which its id says.

Technicians share calendars, and owners move and restore events. What one calendar's stream has made is no other
stream's: not to be taken over, not to be removed, and nobody's busy time.
"""

from functools import cached_property

from integrations.ledger.private import Identifiers
from integrations.models import Stream
from integrations.providers import PROVIDERS
from integrations.records import RemoteRecord
from integrations.sync.state import seed_of

GENERATIONS = 25  # of one visit's event in one calendar; each counts from the one before that was removed
LEFT_OVER = "old_"  # begins the record id of a link of an event that is no visit's any more


class Owners:
    """The calendars of one company at one provider, as far as events can be theirs."""

    def __init__(self, stream: Stream):
        self.stream = stream

    @cached_property
    def _streams(self) -> list[Stream]:
        connection = self.stream.connection
        same = {"connection__workspace_id": connection.workspace_id, "connection__integration": connection.integration}
        own = Stream.objects.filter(**same).order_by("pk")
        return sorted(own, key=lambda stream: stream.pk != self.stream.pk)  # its own first: it is most often that

    def made_for(self, record: RemoteRecord) -> Stream | None:
        """Returns the stream whose event it is; None where nobody can say (an account that was connected anew)."""
        assert record.marker is not None
        make_id = PROVIDERS[self.stream.connection.integration].make_id
        name, visit = record.made_with or record.id, record.marker.record_id
        name = record.marker.remote_id if is_piece(record) else name
        for stream in self._streams:
            if any(name == make_id(seed_of(stream.pk, visit, number)) for number in range(GENERATIONS)):
                return stream
        return None

    def is_anothers(self, record: RemoteRecord) -> bool:
        """Returns whether another calendar's stream looks after the event: that of a colleague who shares this
        calendar. One that was moved here out of another calendar of the same account is nobody's any more."""
        stream = self.made_for(record)
        if stream is None or stream.pk == self.stream.pk:
            return False
        elsewhere = stream.connection_id == self.stream.connection_id
        return not elsewhere or stream.container_id == self.stream.container_id


def is_piece(record: RemoteRecord) -> bool:
    """Returns whether it is one event of a series that somebody has made of a visit's event: an occurrence that stands
    for itself, or the rest of a series that was split in two. Vendors name both after the event."""
    return record.marker is not None and record.id.startswith(f"{record.marker.remote_id}_")


def left_over(record: RemoteRecord, identifiers: Identifiers) -> str:
    """Returns the record id for the link of an event of ours that is no visit's any more: a full sync removes it."""
    return LEFT_OVER + identifiers.hashed(record.id)[:24]
