"""What is owed that nobody can say at present: an invoice's open balance, after a payment was posted and before the
books have been asked again."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from django.utils import timezone

from fieldcamp.workspace.models import PaymentAllocation
from integrations.kinds import PAYMENT
from integrations.models import BooksReading, Connection, JobItem, JobPart, Outcome
from integrations.reconciliation.documents import BooksDocument
from integrations.reconciliation.links import KnownLink

_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def moving(
    connection: Connection,
    reading: BooksReading | None,
    links: Iterable[KnownLink],
    payments: Mapping[str, BooksDocument],
) -> tuple[set[str], set[str]]:
    """Returns invoices and clients whose open balance there is not known: a payment was written since it was seen, and
    the answer to that tells the payment alone."""
    if reading is not None:
        since = reading.as_of or reading.began_at
        written = [
            link.record_id
            for link in links
            if link.kind == PAYMENT.name and link.record_id and (link.seen_at or _LONG_AGO) > since
        ]
    else:
        written = _posted_since_last_listing(connection)
    clients = {payments[pk].party for pk in written if pk in payments}
    return set(_paid_by(written)), clients


def _posted_since_last_listing(connection: Connection) -> list[str]:
    whole = (JobPart.Status.DONE, JobPart.Status.HELD)
    parts = JobPart.objects.of_syncs().filter(connection=connection, status__in=whole)
    begun = parts.order_by("-job__created_at").values_list("job__created_at", flat=True).first()
    posted = JobItem.objects.filter(connection=connection, kind=PAYMENT.name, outcome=Outcome.PUSHED)
    return list(posted.filter(job__created_at__gte=begun or timezone.now()).values_list("record_id", flat=True))


def _paid_by(payment_ids: Sequence[str]) -> list[str]:
    found: list[str] = []
    for start in range(0, len(payment_ids), 500):
        chunk = payment_ids[start : start + 500]
        found += PaymentAllocation.objects.filter(payment__in=chunk).values_list("invoice_id", flat=True)
    return found
