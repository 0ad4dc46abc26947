"""Customers and items that were merged into others in the books: the one is gone for good, and the documents that named
it name the other."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.utils import timezone

from fieldcamp.workspace.models import Client, Invoice, InvoiceLine, Item, Payment
from integrations.books.merged_clients import merged_customers, survivors
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, ITEM, PAYMENT, Kind
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import Connection, Link, Stream
from integrations.providers import PROVIDERS

CHUNK = 500
Named = Iterator[tuple[str, str]]  # our record's id, and the remote id that stands now in the place of its own
_MODELS: Mapping[str, Any] = {CUSTOMER.name: Client, ITEM.name: Item}


def follow_merges(connection: Connection) -> None:
    """Finds the survivor of each customer and item that is gone, and lets the client or item go on with that one.

    What proves it are the documents that both sides have: one name that they bear now, in the place of the one that is
    gone. Where they bear several, nobody can tell, and a person is asked. Runs inside the caller's transaction.
    """
    for kind, bearers in _BEARERS.items():
        gone = _gone(connection, kind)
        if not gone:
            continue
        heirs = _heirs(gone, bearers(connection, gone))
        known = Link.objects.present().filter(
            stream__connection=connection, kind=kind.name, remote_id__in=heirs.values()
        )
        theirs = {link.remote_id: link for link in known.select_for_update()}
        for record_id, remote_id in heirs.items():
            _go_on_with(connection, kind, gone[record_id], theirs.get(remote_id), remote_id)


def _gone(connection: Connection, kind: Kind) -> dict[str, Link]:
    """Returns the lost link of each record that has no counterpart any more, or whose counterpart's heir is gone as
    well."""
    # By the stream itself: so the few that are gone are found by their index, and not among all that there are.
    streams = list(Stream.objects.filter(connection=connection, kind=kind.name).values_list("pk", flat=True))
    links = Link.objects.linked().filter(stream__in=streams, kind=kind.name)
    lost = {link.record_id: link for link in links.filter(seen_gone=True).order_by("pk")}
    present = links.present().filter(record_id__in=lost).values_list("record_id", flat=True)
    for record_id in list(present):
        del lost[record_id]
    heirs = {link.successor for link in lost.values()} - {""}
    alive = Link.objects.present().filter(stream__connection=connection, kind=kind.name, remote_id__in=heirs)
    found = set(alive.values_list("remote_id", flat=True))
    return {record_id: link for record_id, link in lost.items() if link.successor not in found}


def _heirs(gone: Mapping[str, Link], named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Returns the one other name that stands now in the place of each of these, by our record."""
    found: dict[str, set[str]] = defaultdict(set)
    for record_id, remote_id in named:
        if remote_id and remote_id != gone[record_id].remote_id:
            found[record_id].add(remote_id)
    return {record_id: names.pop() for record_id, names in found.items() if len(names) == 1}


def _customers(connection: Connection, gone: Mapping[str, Link]) -> Named:
    """Yields the customers that stand on the documents of these clients. A payment that was made there says nothing:
    its payer may be another.

    Documents of a client that was merged in FieldCamp are the survivor's by now: what they were put down to tells them
    from that one's own.
    """
    into = survivors(gone)
    family = merged_customers(connection, {*gone, *into.values()})
    merged = {(into[pk], link.remote_id): pk for pk, link in gone.items() if pk in into}
    client_ids = [*gone, *{*into.values()} - {*gone}]
    for start in range(0, len(client_ids), CHUNK):
        some = client_ids[start : start + CHUNK]
        for kind, documents in (
            (INVOICE, Invoice.objects.filter(client__in=some)),
            (PAYMENT, Payment.objects.filter(client__in=some, made_in="")),
        ):
            owners = dict(documents.values_list("pk", "client_id"))
            for link in _seen(connection, kind, owners):
                owner, agreed = owners[link.record_id], str((link.base or {}).get("customer") or "")
                if agreed in family.get(owner, ()):
                    owner = merged.get((owner, agreed), "")
                if owner in gone:
                    yield owner, str((link.seen or {}).get("customer") or "")


def _items(connection: Connection, gone: Mapping[str, Link]) -> Named:
    """Yields the items that stand in the places where these items stand here, on invoices with as many lines."""
    lines = InvoiceLine.objects.filter(item__in=[*gone], invoice__deleted_at=None).order_by("invoice", "position")
    places: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for invoice_id, position, item_id in lines.values_list("invoice_id", "position", "item_id"):
        places[invoice_id].append((position, item_id))
    for link in _seen(connection, INVOICE, places):
        there, agreed = (link.seen or {}).get("lines") or (), (link.base or {}).get("lines") or ()
        if len(there) != len(agreed):
            continue
        for position, item_id in places[link.record_id]:
            if position < len(there):
                yield item_id, str(there[position].get("item") or "")


def _seen(connection: Connection, kind: Kind, record_ids: Iterable[str]) -> Iterator[Link]:
    ids = list(record_ids)
    links = Link.objects.present().filter(stream__connection=connection, kind=kind.name)
    for start in range(0, len(ids), CHUNK):
        yield from links.filter(record_id__in=ids[start : start + CHUNK]).only("record_id", "seen", "base")


_BEARERS: Mapping[Kind, Callable[[Connection, Mapping[str, Link]], Named]] = {CUSTOMER: _customers, ITEM: _items}


def _go_on_with(connection: Connection, kind: Kind, lost: Link, heir: Link | None, remote_id: str) -> None:
    """Gives the record the survivor for its own; where that is another record's already, what names it goes there."""
    label = PROVIDERS[connection.integration].label
    # Of a client that was merged in FieldCamp as well, what is to be told is told of the one that is left.
    about = survivors([lost.record_id]).get(lost.record_id, lost.record_id) if kind is CUSTOMER else lost.record_id
    seen = (heir.seen if heir else None) or {}
    name = str(seen.get("display_name") or seen.get("name") or remote_id)
    lost.successor = remote_id
    lost.save(update_fields=["successor", "updated_at"])
    if heir is not None and heir.record_id == about:
        return  # both sides have made one of the two
    other = _MODELS[kind.name].objects.filter(pk=heir.record_id).first() if heir and heir.record_id else None
    message = f"Its {kind.counterpart} was merged into “{name}” in {label}"
    if heir is not None and not heir.record_id:
        # What both sides agreed on before is what the survivor is compared with: its own values are taken in.
        heir.record_id, heir.base, heir.unsettled, heir.parked, heir.decision = (
            lost.record_id, lost.base, True, False, None,
        )  # fmt: skip
        heir.save(update_fields=["record_id", "base", "unsettled", "parked", "decision", "updated_at"])
        message += f". The {kind.singular} goes on with that one."
    else:
        whose = f", which is that of the {kind.singular} {other}" if other else ""
        message += f"{whose}. Its documents go there as well; what else changes of it is not synced any more."
    now = timezone.now()
    resolve_problems(connection, now=now, codes=[ProblemCode.RECORD_REMOVED], kind=kind.name, record_ids=[about])
    open_problem(
        connection,
        ProblemCode.RECORD_REMOVED,
        message,
        now=now,
        kind=kind.name,
        record_id=about,
        link=lost,
        data={"reason": ProblemReason.MERGED, "survivor": remote_id},
        notice=True,
    )
