"""What a kind of the books asks about the other kinds of the same books: which records are whose counterparts."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet

from integrations.books.asking import candidates_in
from integrations.books.merged_clients import survivors
from integrations.books.references import Missing, References, why_missing
from integrations.kinds import CUSTOMER, Kind
from integrations.models import Connection, Link, Stream


class OtherKinds:
    """One company's books, as the side of one kind (`integrations.books.base`) looks at the others."""

    stream: Stream
    connection: Connection

    def remote_ids(self, kind: Kind, record_ids: Iterable[str]) -> dict[str, str]:
        """Returns how the books call these records of ours, as far as they have them: of what was merged there into
        another, that one."""
        wanted = set(record_ids)
        merged = Link.objects.filter(stream__connection=self.connection, stream__kind=kind.name, record_id__in=wanted)
        heirs = dict(merged.exclude(successor="").values_list("record_id", "successor"))
        return heirs | dict(self._links(kind).filter(record_id__in=wanted).values_list("record_id", "remote_id"))

    def references(self, kind: Kind, record_ids: Iterable[str]) -> References:
        """Returns the same, and why the books do not have the others."""
        wanted = set(record_ids)
        ids = self.remote_ids(kind, wanted)
        return References(ids, why_missing(self.connection, kind, wanted - ids.keys()))

    def orphaned(self, records: Sequence[Any], customers: References) -> set[str]:
        """Returns those of these documents that stand in the books in the name of a customer that was removed there, or
        parted from its client: nothing is said of their customer until somebody has decided about that one."""
        gone = {client_id for client_id, why in customers.missing.items() if why is not Missing.COMING}
        owners = {record.pk: record.client_id for record in records if record.client_id in gone}
        if not owners:
            return set()
        lost = Link.objects.filter(stream__connection=self.connection, kind=CUSTOMER.name, record_id__in=gone)
        names = {(link.record_id, name) for link in lost for name in (link.remote_id, *candidates_in(link.decision))}
        posted = Link.objects.present().filter(stream=self.stream, record_id__in=owners).only("record_id", "base")
        named = {link.record_id: (link.base or {}).get("customer") for link in posted}
        return {record_id for record_id, name in named.items() if (owners[record_id], name) in names}

    def counterparts(self, kind: Kind, record_ids: Iterable[str]) -> Iterable[Link]:
        """Returns the links of these records of ours, with what was seen of them there."""
        return self._links(kind).filter(record_id__in=set(record_ids))

    def record_ids(self, kind: Kind, remote_ids: Iterable[str]) -> dict[str, str]:
        """Returns which records of ours these of theirs are: of a client that was merged here, the one that is left."""
        links = self._links(kind).filter(remote_id__in=set(remote_ids)).exclude(record_id="")
        found: dict[str, str] = dict(links.values_list("remote_id", "record_id"))
        merged = survivors(found.values()) if kind is CUSTOMER and found else {}
        return {remote_id: merged.get(record_id, record_id) for remote_id, record_id in found.items()}

    def _links(self, kind: Kind) -> QuerySet[Any]:
        return Link.objects.present().filter(stream__connection=self.connection, stream__kind=kind.name)
