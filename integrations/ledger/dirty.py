"""From a saved record to what each stream has to look at: runs inside the transaction of the record itself."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.utils import timezone

from fieldcamp.workspace.models import Change, Client, Invoice, Item, Payment, TaxRate, Visit
from integrations.kinds import KindName
from integrations.models import DirtyRow, Link, Stream
from integrations.sync.state import Pair

# A client's change reaches the calendar only where the event shows it.
_SHOWN_OF_CLIENT = {
    "first_name", "last_name", "company_name", "display_name", "parent_id", "phone_number", "property_address",
    "billing_address",
}  # fmt: skip

# A record by its name in the change log -> the kind of the books' stream that has it.
_BOOKS = {
    Client.kind: KindName.CUSTOMER,
    Item.kind: KindName.ITEM,
    TaxRate.kind: KindName.TAX,
    Invoice.kind: KindName.INVOICE,
    Payment.kind: KindName.PAYMENT,
}
# What follows from other records (an invoice is paid by its payments) or is FieldCamp's alone.
_OF_NO_CONCERN = {"settlement", "stage", "notes"}


def mark_dirty(changes: Sequence[Change]) -> None:
    """Makes each changed record dirty in the streams that show it, save the one that the change came from."""
    _mark_calendars(changes)
    _mark_books(changes)


def _mark_books(changes: Sequence[Change]) -> None:
    dirty: dict[tuple[str, str], dict[str, tuple[int, str]]] = defaultdict(dict)  # (workspace, kind) -> records
    for change in changes:
        if change.kind in _BOOKS and {*change.before, *change.after} - _OF_NO_CONCERN:
            dirty[change.workspace_id, _BOOKS[change.kind]][change.record_id] = change.seq, change.origin
    if not dirty:
        return
    workspaces = {workspace_id for workspace_id, _ in dirty}
    streams = Stream.objects.filter(connection__workspace__in=workspaces, is_active=True).exclude(kind="")
    for workspace_id, kind, stream_id in streams.values_list("connection__workspace_id", "kind", "pk"):
        rows = dirty.get((workspace_id, kind), {})
        write_rows(((stream_id, pk, seq) for pk, (seq, origin) in rows.items() if origin != stream_id), kind)


def _mark_calendars(changes: Sequence[Change]) -> None:
    visits: dict[str, tuple[int, str]] = {}  # visit id -> (change's number, origin)
    members: dict[str, set[str]] = defaultdict(set)
    clients: dict[str, tuple[int, str]] = {}
    for change in changes:
        if change.kind == Visit.kind:
            visits[change.record_id] = change.seq, change.origin
            members[change.record_id] |= {change.before.get("technician_id"), change.after.get("technician_id")} - {
                None
            }
        elif change.kind == Client.kind and _SHOWN_OF_CLIENT & {*change.before, *change.after}:
            clients[change.record_id] = change.seq, change.origin
    if clients:
        of_clients = Visit.objects.filter(client__in=clients, technician__isnull=False, deleted_at=None)
        for visit_id, client_id in of_clients.values_list("pk", "client_id"):
            visits.setdefault(visit_id, clients[client_id])
    if visits:
        _mark(visits, members)


def _mark(visits: dict[str, tuple[int, str]], members: dict[str, set[str]]) -> None:
    for visit_id, technician_id in Visit.objects.filter(pk__in=visits).values_list("pk", "technician_id"):
        members[visit_id] |= {technician_id} - {None}
    targets: dict[str, list[str]] = defaultdict(list)
    concerned = {member_id for ids in members.values() for member_id in ids}
    for member_id, stream_id in Stream.objects.filter(
        is_target=True, is_active=True, connection__member__in=concerned
    ).values_list("connection__member_id", "pk"):
        targets[member_id].append(stream_id)
    streams = {
        visit_id: {stream_id for member_id in members[visit_id] for stream_id in targets[member_id]}
        for visit_id in visits
    }
    linked = Link.objects.live().filter(kind=Visit.kind, record_id__in=visits)
    for visit_id, stream_id in linked.values_list("record_id", "stream_id"):
        streams[visit_id].add(stream_id)
    write_rows(
        (stream_id, visit_id, visits[visit_id][0])
        for visit_id, stream_ids in streams.items()
        for stream_id in stream_ids
        if stream_id != visits[visit_id][1]
    )


def settle_rows(stream: Stream, pairs: Sequence[Pair]) -> None:
    """Deletes the rows of records that have been dealt with, in the version that was read; a later edit stays dirty."""
    seqs = {pair.record_id: pair.dirty_seq for pair in pairs if pair.dirty_seq is not None}
    rows = DirtyRow.objects.select_for_update().filter(stream=stream, record_id__in=seqs)
    done = [pk for pk, record_id, seq in rows.values_list("pk", "record_id", "seq") if seqs[record_id] == seq]
    DirtyRow.objects.filter(pk__in=done).delete()


def write_rows(rows: Iterable[tuple[str, str, int]], kind: str = Visit.kind) -> int:
    """Upserts dirty rows (stream id, record id, change number), in one order everywhere so that no two writers lock
    each other out. Without a number (0) it is the engine that wants the record looked at: a run that has read the row
    does not settle it then, and when it was saved stays known."""
    now, made = timezone.now(), sorted(rows)
    for is_saved, fields in ((True, ["seq", "changed_at"]), (False, ["seq"])):
        DirtyRow.objects.bulk_create(
            [
                DirtyRow(
                    stream_id=stream_id, kind=kind, record_id=record_id, seq=seq, changed_at=now if is_saved else None
                )
                for stream_id, record_id, seq in made
                if bool(seq) is is_saved
            ],
            batch_size=500,
            update_conflicts=True,
            unique_fields=["stream", "kind", "record_id"],
            update_fields=fields,
        )
    return len(made)
