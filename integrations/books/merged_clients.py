"""Clients that were merged in FieldCamp: what becomes of the customers that they are in the books.

Nothing is merged there. Where only one of them had a customer, the client that is left goes on with it. Where both had,
the documents there stay with the customer that they name, new ones go to the survivor's, and a person is asked to merge
the two there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from fieldcamp.workspace.models import Change, Client, Payment
from integrations.books.asking import candidates_in
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, PAYMENT
from integrations.ledger.dirty import write_rows
from integrations.ledger.problems import open_problem, resolve, resolve_problems
from integrations.models import Connection, ConnectionState, Link, Problem, Stream
from integrations.providers import PROVIDERS

DUPLICATE = ProblemCode.POSSIBLE_DUPLICATE


def survivors(client_ids: Iterable[str]) -> dict[str, str]:
    """Returns the clients into which these were merged, as far as they were."""
    rows = Client.objects.filter(pk__in={*client_ids}, merged_into__isnull=False)
    return dict(rows.values_list("pk", "merged_into_id"))


def merged_customers(connection: Connection, client_ids: Iterable[str]) -> dict[str, set[str]]:
    """Returns the ids there of the customers that were those of clients who have been merged into these, by these."""
    merged = dict(Client.objects.filter(merged_into__in={*client_ids}).values_list("pk", "merged_into_id"))
    found: dict[str, set[str]] = defaultdict(set)
    if not merged:
        return found
    links = Link.objects.filter(stream__connection=connection, kind=CUSTOMER.name, record_id__in=merged)
    for record_id, remote_id, heir in links.exclude(seen=None).values_list("record_id", "remote_id", "successor"):
        found[str(merged[record_id])] |= {remote_id, heir} - {""}
    return found


def standing_customers(connection: Connection, owners: Mapping[str, str], links: Iterable[Link]) -> dict[str, str]:
    """Returns the customers to whom documents were put down before their clients were merged, by document: what both
    sides have agreed on is no edit of ours. `owners` are the documents' clients, `links` the documents' own."""
    family = merged_customers(connection, owners.values())
    if not family:
        return {}
    agreed = {link.record_id: str((link.base or {}).get("customer") or "") for link in links}
    return {pk: name for pk, name in agreed.items() if name in family.get(owners.get(pk, ""), ())}


@dataclass(frozen=True)
class Payers:
    """By payment: the customer who is to have paid there, where that is one of a client that was merged, and the
    customers of its invoices, where they are several and nobody can have paid them all."""

    ids: Mapping[str, str] = field(default_factory=dict)
    mixed: Mapping[str, list[str]] = field(default_factory=dict)


def payers_of(connection: Connection, payments: Sequence[Payment]) -> Payers:
    """Returns who pays there. One that stands there keeps its payer; a new one is of the customer whose invoices it
    pays: the books take no other's money for them."""
    owners = {payment.pk: payment.client_id for payment in payments}
    family = merged_customers(connection, owners.values())
    concerned = [payment for payment in payments if payment.client_id in family]
    if not concerned:
        return Payers()
    links = Link.objects.present().filter(stream__connection=connection)
    posted = list(links.filter(kind=PAYMENT.name, record_id__in=[payment.pk for payment in concerned]))
    ids = standing_customers(connection, owners, posted)
    known, mixed = {link.record_id for link in posted}, {}
    new = [payment for payment in concerned if payment.pk not in known]
    paid = {payment.pk: [share.invoice_id for share in payment.allocations.all()] for payment in new}
    invoices = links.filter(kind=INVOICE.name, record_id__in={pk for pks in paid.values() for pk in pks})
    billed = {link.record_id: str((link.seen or {}).get("customer") or "") for link in invoices}
    for payment in new:
        names = {billed[pk] for pk in paid[payment.pk] if billed.get(pk)}
        if names & family[payment.client_id]:
            if len(names) == 1:
                ids[payment.pk] = names.pop()
            else:
                mixed[payment.pk] = sorted(names)
    return Payers(ids, mixed)


def follow_merged_clients(changes: Sequence[Change]) -> None:
    """Settles in all books of the company what becomes of the customers of clients that are merged just now. Consumes
    the changes of FieldCamp's records, inside their transaction."""
    deleted = {row.record_id for row in changes if row.kind == Client.kind and row.action == Change.Action.DELETED}
    merged = survivors(deleted) if deleted else {}
    if not merged:
        return
    workspaces = {row.workspace_id for row in changes if row.record_id in merged}
    streams = Stream.objects.filter(kind=CUSTOMER.name, connection__workspace__in=workspaces)
    for stream in streams.select_related("connection"):
        settle_merged(stream)
        _no_longer_asked(stream, merged)


def settle_merged(stream: Stream) -> None:
    """Lets clients go on with the customer of one that was merged into them, where they have none of their own, and
    asks about those that have. What is being written just now is left to the next run."""
    merged = Client.objects.filter(workspace_id=stream.connection.workspace_id, merged_into__isnull=False)
    links = list(_links(stream).filter(record_id__in=merged.values("pk")).select_for_update().order_by("pk"))
    into = survivors(link.record_id for link in links) if links else {}
    own = {link.record_id: link for link in _links(stream).filter(record_id__in=into.values()).select_for_update()}
    both: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        client_id = into[link.record_id]
        mine = own.get(client_id)
        if link.intent is not None or (mine is not None and (mine.decision or {}).get("match")):
            continue  # being written, or a person says who the client is
        if link.seen is None:
            link.delete()
        elif link.seen_gone:
            continue  # the run makes history of it
        elif mine is None or (mine.intent is None and (mine.seen is None or mine.seen_gone)):
            _make_way(stream, mine)
            own[client_id] = _hand_over(stream, link, client_id)
        elif mine.seen is not None:
            both[client_id].append(link)
    if stream.connection.state != ConnectionState.DISCONNECTED:
        _ask(stream.connection, own, both)


def being_made(stream: Stream, client_ids: Collection[str]) -> set[str]:
    """Returns those of these clients for whom a customer may have been made just now, by a write for a client that was
    merged into them whose answer has been lost."""
    merged = Client.objects.filter(merged_into__in=client_ids)
    writes = _links(stream).with_intent().filter(record_id__in=merged.values("pk"))
    return set(survivors(writes.values_list("record_id", flat=True)).values()) if client_ids else set()


def _links(stream: Stream) -> Any:
    return Link.objects.live().filter(stream=stream, kind=CUSTOMER.name)


def _make_way(stream: Stream, link: Link | None) -> None:
    """Takes away the link of a client that never came about or whose customer is gone: it gets another one."""
    if link is not None and link.seen is None:
        link.delete()
    elif link is not None:
        link.cut_at = timezone.now()
        link.save(update_fields=["cut_at", "updated_at"])


def _no_longer_asked(stream: Stream, client_ids: Iterable[str]) -> None:
    """Ends what is open about these clients. What was asked about as one of theirs the run decides about anew."""
    about = Problem.objects.open().filter(connection=stream.connection, record_kind=CUSTOMER.name)
    about = about.filter(record_id__in={*client_ids})
    names = {remote_id for data in about.values_list("data", flat=True) for remote_id in candidates_in(data)}
    Link.objects.unmatched().filter(stream=stream, remote_id__in=names).update(unsettled=True)
    resolve(about, now=timezone.now())


def _hand_over(stream: Stream, link: Link, client_id: str) -> Link:
    _no_longer_asked(stream, [client_id])
    link.record_id, link.unsettled, link.parked, link.decision = client_id, True, False, None
    link.save(update_fields=["record_id", "unsettled", "parked", "decision", "updated_at"])
    # A run that is under way may still settle it as the other client's; the next one looks at it again.
    write_rows([(stream.pk, client_id, 0)], CUSTOMER.name)
    return link


# --- two customers for one client -----------------------------------------------------------------------------------


def _ask(connection: Connection, own: Mapping[str, Link], both: Mapping[str, Sequence[Link]]) -> None:
    """Asks of each client who has several customers there; ends what has been settled: by a merge there, say."""
    open_ones = {problem.record_id: problem for problem in _questions(connection)}
    asked = set()
    for client_id, links in both.items():
        active = [link for link in links if (link.seen or {}).get("active") is not False]
        if not active or (own[client_id].seen or {}).get("active") is False:
            continue  # nobody is billed by one of the two any more
        asked.add(client_id)
        names = sorted([own[client_id].remote_id, *(link.remote_id for link in active)])
        data = {"reason": ProblemReason.MERGED_HERE, "customers": names}
        before = open_ones.get(client_id)
        if before is not None and before.data == data:
            continue  # perhaps somebody has answered that the two stay apart
        if before is not None:
            _end(connection, [client_id])
        open_problem(
            connection,
            DUPLICATE,
            _question(connection, own[client_id], active),
            now=timezone.now(),
            kind=CUSTOMER.name,
            record_id=client_id,
            link=own[client_id],
            data=data,
        )
    if over := open_ones.keys() - asked:
        _end(connection, over)


def _questions(connection: Connection) -> QuerySet[Problem]:
    return Problem.objects.open().filter(connection=connection, code=DUPLICATE, record_kind=CUSTOMER.name)


def _end(connection: Connection, client_ids: Collection[str]) -> None:
    resolve_problems(connection, now=timezone.now(), codes=[DUPLICATE], kind=CUSTOMER.name, record_ids=list(client_ids))


def _question(connection: Connection, own: Link, others: Sequence[Link]) -> str:
    label = PROVIDERS[connection.integration].label
    mine, theirs = _named(own), ", ".join(_named(link) for link in others)
    return (
        f"One client here has several customers in {label}: {mine}, and {theirs} of a client that was merged into it. "
        f"What stands there stays with the customer that it names; new invoices go to {mine}."
    )


def _named(link: Link) -> str:
    name = str((link.seen or {}).get("display_name") or link.remote_id)
    return f"“{name[:100]}”"
