"""Customers that were merged into others in the books: the one is gone for good, and its documents name the other."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.utils import timezone

from fieldcamp.workspace.models import Client, Invoice, Payment
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, PAYMENT
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import Connection, Link
from integrations.providers import PROVIDERS

CHUNK = 500
_DOCUMENTS: Mapping[str, type[Invoice] | type[Payment]] = {INVOICE.name: Invoice, PAYMENT.name: Payment}


def follow_merges(connection: Connection) -> None:
    """Finds the survivor of each customer that is gone, and lets the client go on with that one.

    What proves it are the documents that both sides have: one name that they bear now, in the place of the one that is
    gone. Where they bear several, nobody can tell, and a person is asked. Runs inside the caller's transaction.
    """
    gone = _gone(connection)
    if not gone:
        return
    survivors = _survivors(connection, gone)
    known = Link.objects.present().filter(
        stream__connection=connection, kind=CUSTOMER.name, remote_id__in=survivors.values()
    )
    theirs = {link.remote_id: link for link in known.select_for_update()}
    for client_id, remote_id in survivors.items():
        _go_on_with(connection, gone[client_id], theirs.get(remote_id), remote_id)


def _gone(connection: Connection) -> dict[str, Link]:
    """Returns the lost link of each client who has no customer any more, or whose customer's heir is gone as well."""
    customers = Link.objects.linked().filter(stream__connection=connection, kind=CUSTOMER.name)
    lost = {link.record_id: link for link in customers.filter(seen_gone=True).order_by("pk")}
    present = customers.present().filter(record_id__in=lost).values_list("record_id", flat=True)
    for record_id in list(present):
        del lost[record_id]
    heirs = {link.successor for link in lost.values()} - {""}
    alive = Link.objects.present().filter(stream__connection=connection, kind=CUSTOMER.name, remote_id__in=heirs)
    found = set(alive.values_list("remote_id", flat=True))
    return {record_id: link for record_id, link in lost.items() if link.successor not in found}


def _survivors(connection: Connection, gone: Mapping[str, Link]) -> dict[str, str]:
    """Returns who stands now on the documents of these clients, by client: the one other name that they bear."""
    named: dict[str, set[str]] = defaultdict(set)
    clients = list(gone)
    for start in range(0, len(clients), CHUNK):
        for kind, model in _DOCUMENTS.items():
            owners = dict(
                model.objects.filter(client__in=clients[start : start + CHUNK]).values_list("pk", "client_id")
            )
            for record_id, customer in _customers_of(connection, kind, owners):
                if customer and customer != gone[owners[record_id]].remote_id:
                    named[owners[record_id]].add(customer)
    return {client_id: names.pop() for client_id, names in named.items() if len(names) == 1}


def _customers_of(connection: Connection, kind: str, record_ids: Collection[str]) -> list[tuple[str, str]]:
    ids = list(record_ids)
    links = Link.objects.present().filter(stream__connection=connection, kind=kind)
    return [
        (link.record_id, str((link.seen or {}).get("customer") or ""))
        for start in range(0, len(ids), CHUNK)
        for link in links.filter(record_id__in=ids[start : start + CHUNK]).only("record_id", "seen")
    ]


def _go_on_with(connection: Connection, lost: Link, heir: Link | None, remote_id: str) -> None:
    """Gives the client the survivor for its own; where that is another client's already, its documents go there."""
    label = PROVIDERS[connection.integration].label
    name = str(((heir.seen if heir else None) or {}).get("display_name") or remote_id)
    lost.successor = remote_id
    lost.save(update_fields=["successor", "updated_at"])
    other = Client.objects.filter(pk=heir.record_id).first() if heir and heir.record_id else None
    if heir is not None and not heir.record_id:
        # What both sides agreed on before is what the survivor is compared with: its own values are taken in.
        heir.record_id, heir.base, heir.unsettled, heir.parked, heir.decision = (
            lost.record_id, lost.base, True, False, None,
        )  # fmt: skip
        heir.save(update_fields=["record_id", "base", "unsettled", "parked", "decision", "updated_at"])
        message = f"Its customer was merged into “{name}” in {label}. The client goes on with that one."
    else:
        whose = f", which is that of the client {other}" if other else ""
        message = (
            f"Its customer was merged into “{name}” in {label}{whose}. The invoices and payments of this client go "
            "there as well; its name and address are not synced any more."
        )
    now = timezone.now()
    resolve_problems(
        connection, now=now, codes=[ProblemCode.RECORD_REMOVED], kind=CUSTOMER.name, record_ids=[lost.record_id]
    )
    open_problem(
        connection,
        ProblemCode.RECORD_REMOVED,
        message,
        now=now,
        kind=CUSTOMER.name,
        record_id=lost.record_id,
        link=lost,
        data={"reason": ProblemReason.MERGED, "survivor": remote_id},
        notice=True,
    )
