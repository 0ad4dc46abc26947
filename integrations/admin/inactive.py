"""What a refused record uses that is inactive in the books: by name, with the way to it there."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from fieldcamp.workspace.models import Invoice, InvoiceLine, Payment
from integrations.errors import ProblemReason
from integrations.kinds import CUSTOMER, ITEM
from integrations.models import Link, Problem
from integrations.selectors.links import remote_url
from integrations.selectors.subjects import Subjects
from integrations.services.problems.causes import reason_of
from integrations.services.problems.matches import NAMED_BY

MOST = 3  # of one record


@dataclass(frozen=True)
class Inactive:
    """One of the books' records that is inactive there; `url` is its page, "" where that is not known."""

    name: str
    url: str


def inactive_of(problems: Sequence[Problem], about: Subjects) -> dict[str, list[Inactive]]:
    """Returns them by problem, for refusals of that cause; two queries, if there are any."""
    asked = {
        problem.pk: about.get((problem.record_kind, problem.record_id))
        for problem in problems
        if reason_of(problem) == ProblemReason.INACTIVE_REFERENCE
    }
    invoices = {record.pk for record in asked.values() if isinstance(record, Invoice)}
    items: dict[str, set[str]] = defaultdict(set)
    if invoices:
        used = InvoiceLine.objects.filter(invoice__in=invoices, item__isnull=False)
        for invoice_id, item_id in used.values_list("invoice", "item"):
            items[invoice_id].add(item_id)
    uses = {
        pk: {record.client_id} | items.get(record.pk, set())
        for pk, record in asked.items()
        if isinstance(record, Invoice | Payment)
    }
    if not uses:
        return {}
    links = Link.objects.live().filter(
        Q(kind__in=[CUSTOMER.name, ITEM.name], seen__active=False),
        stream__connection__in={problem.connection_id for problem in problems if problem.pk in uses},
        record_id__in=set().union(*uses.values()),
    )
    by_record = {
        (link.stream.connection_id, link.record_id): link for link in links.select_related("stream__connection")
    }
    found = {}
    for problem in problems:
        mine = [
            by_record.get((problem.connection_id or "", record_id)) for record_id in sorted(uses.get(problem.pk, ()))
        ]
        found[problem.pk] = [
            Inactive(str((link.seen or {}).get(NAMED_BY[link.kind]) or "–"), remote_url(link)) for link in mine if link
        ][:MOST]
    return found
