"""What is found by a few letters of a name or number: the desk's palette asks with every key that is pressed.

Each kind is one query that ends after a handful of rows. Names are looked for among the clients, of whom a company has
thousands and not millions; their visits, invoices and payments are then found over the index of their client, and
besides by id, by number, and by words among the newest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from fieldcamp.desk.users import DeskUser
from fieldcamp.workspace.models import Client, Invoice, Item, Member, Payment, Visit
from fieldcamp.workspace.searching import words
from integrations.models import Connection, SyncJob

MOST = 5  # rows of each kind
NEWEST = 2_000  # visits whose titles are looked at
LONGEST = 80  # characters


@dataclass(frozen=True)
class SearchResults:
    """The rows of each kind, the likeliest first."""

    clients: Sequence[Client] = ()
    visits: Sequence[Visit] = ()
    invoices: Sequence[Invoice] = ()
    payments: Sequence[Payment] = ()
    items: Sequence[Item] = ()
    team: Sequence[Member] = ()
    accounts: Sequence[Connection] = ()
    jobs: Sequence[SyncJob] = ()


def find(desk_user: DeskUser, search: str, integrations: Sequence[str] = ()) -> SearchResults:
    """Looks for all words of the search, in a constant number of queries. `integrations` are those that the search
    names: their last jobs belong to what is found."""
    sought = words(search.replace("\x00", "")[:LONGEST])
    text = " ".join(sought)
    if not text:
        return SearchResults()
    scope = desk_user.scope
    names = _all(sought, "first_name", "last_name", "company_name", "display_name", "email")
    clients = list(scope(Client.objects.filter(names | Q(pk=text), deleted_at=None)).select_related("parent")[:MOST])
    theirs = Q(client__in=[client.pk for client in clients])
    visits = scope(Visit.objects.filter(deleted_at=None)).order_by("-scheduled_start", "-id")
    newest = visits.exclude(scheduled_start=None).values("pk")[:NEWEST]
    titled = Visit.objects.filter(_all(sought, "title"), pk__in=newest.values("pk"))
    shown = visits.filter(Q(pk=text) | theirs | Q(pk__in=titled.values("pk")))
    invoices = scope(Invoice.objects.filter(Q(pk=text) | Q(number__startswith=text) | theirs, deleted_at=None))
    payments = scope(Payment.objects.filter(Q(pk=text) | Q(reference=text) | theirs, deleted_at=None))
    jobs = scope(SyncJob.objects.filter(Q(pk=text) | Q(integration__in=integrations)))
    owners = ("account_name", "member__first_name", "member__last_name")
    return SearchResults(
        clients=clients,
        visits=list(shown.select_related("client__parent", "technician")[:MOST]),
        invoices=list(invoices.select_related("client__parent").order_by("-date", "-pk")[:MOST]),
        payments=list(payments.select_related("client__parent").order_by("-date", "-pk")[:MOST]),
        items=list(scope(Item.objects.filter(_all(sought, "name", "sku"), deleted_at=None))[:MOST]),
        team=list(
            scope(Member.objects.filter(_all(sought, "first_name", "last_name", "email"), erased_at=None))[:MOST]
        ),
        accounts=list(scope(Connection.objects.filter(_all(sought, *owners))).select_related("member")[:MOST]),
        jobs=list(jobs.order_by("-created_at", "-pk")[:MOST]),
    )


def _all(sought: Sequence[str], *fields: str) -> Q:
    """Returns the condition that each word stands in one of the fields."""
    every = Q()
    for word in sought:
        some = Q()
        for name in fields:
            some |= Q(**{f"{name}__icontains": word})
        every &= some
    return every
