"""To whom an invoice is put down in the books, where that is neither its client nor one of the same family."""

from collections.abc import Iterator, Mapping, Sequence

from django.db.models import Q

from fieldcamp.workspace.models import Invoice
from integrations.books.merged_clients import merged_customers
from integrations.kinds import CUSTOMER
from integrations.models import Connection, Link

DEEPEST = 5  # levels of customers below each other: https://developer.intuit.com/…/customer, `Level`


def strangers(connection: Connection, invoices: Mapping[str, Invoice], links: Sequence[Link]) -> dict[str, str]:
    """Returns the names of the customers to whom these invoices are put down there, by invoice, where FieldCamp has
    them as somebody else's. A site of the client, or whom the client is a site of, is nobody else."""
    there = {link.record_id: str((link.seen or {}).get("customer") or "") for link in links}
    clients = {invoice.client_id for invoice in invoices.values()}
    customers = Link.objects.filter(stream__connection=connection, kind=CUSTOMER.name)
    own: dict[str, set[str]] = {}
    for client_id, remote_id, heir in customers.filter(record_id__in=clients).values_list(
        "record_id", "remote_id", "successor"
    ):
        own.setdefault(client_id, set()).update({remote_id, heir} - {""})
    for client_id, names in merged_customers(connection, clients).items():
        own.setdefault(client_id, set()).update(names)
    asked = {name for pk, name in there.items() if pk in invoices and name not in own.get(invoices[pk].client_id, ())}
    if not asked:
        return {}
    known = _with_parents(connection, asked | {name for names in own.values() for name in names})
    found = {}
    for pk, name in there.items():
        mine = own.get(invoices[pk].client_id, set()) if pk in invoices else set()
        if name not in asked or name not in known or not mine or name in mine:
            continue
        if mine & {*_above(name, known)} or any(name in _above(each, known) for each in mine):
            continue
        found[pk] = str(known[name].get("display_name") or name)
    return found


def _with_parents(connection: Connection, remote_ids: set[str]) -> dict[str, dict[str, str]]:
    """Returns what was seen of these customers and of those above them, by id."""
    known: dict[str, dict[str, str]] = {}
    customers = Link.objects.present().filter(Q(stream__connection=connection), kind=CUSTOMER.name)
    for _ in range(DEEPEST):
        known |= {link.remote_id: link.seen or {} for link in customers.filter(remote_id__in=remote_ids)}
        remote_ids = {str(seen.get("parent") or "") for seen in known.values()} - {""} - known.keys()
        if not remote_ids:
            break
    return known


def _above(remote_id: str, known: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for _ in range(DEEPEST):
        remote_id = str(known.get(remote_id, {}).get("parent") or "")
        if not remote_id:
            return
        yield remote_id
