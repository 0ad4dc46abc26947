"""Taking a person's words out of what a sync remembers: links, the change feed, problems, jobs.

A link stays, empty: it is what keeps the counterpart at the provider from being taken for somebody new. Everything runs
inside the caller's transaction.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from fieldcamp.workspace.erasing import Words, portions
from fieldcamp.workspace.models import Visit
from integrations.kinds import CUSTOMER, INVOICE, PAYMENT, VISIT
from integrations.ledger.call_rows import forget_calls
from integrations.ledger.ownership import LEFT_OVER
from integrations.models import (
    BooksReading,
    ChangeRow,
    ChatMessage,
    Connection,
    JobItem,
    JobPart,
    Link,
    Plan,
    Problem,
    RecordCall,
    SyncJob,
)

WAS_ERASED = "The person whom this was about has been erased."
_DOCUMENTS = (INVOICE.name, PAYMENT.name)
_COLUMNS = ["erased_at", "base", "seen", "spelled", "intent", "decision"]
_TIMES = ("start", "end", "all_day", "status")


def erase_links(workspace_id: str, record_ids: Collection[str], words: Words) -> list[int]:
    """Empties the links of these records, and of what only the other side has of the same person; their ids."""
    mine = Link.objects.filter(stream__connection__workspace=workspace_id)
    found: dict[int, Link] = {}
    for some in portions(sorted(record_ids)):
        found |= {link.pk: link for link in mine.filter(record_id__in=some).select_for_update(of=("self",))}
    customers = [link.remote_id for link in found.values() if link.kind == CUSTOMER.name]
    for link in _only_there(mine, customers, words):
        found[link.pk] = link
    empty_links(found.values())
    return sorted(found)


def empty_links(links: Iterable[Link]) -> None:
    """Takes all words out of these links, for good."""
    found, now = list(links), timezone.now()
    for link in found:
        link.erased_at = link.erased_at or now
    Link.objects.save_many(found, _COLUMNS)


def _only_there(mine: QuerySet[Link], customers: Sequence[str], words: Words) -> Iterable[Link]:
    """Yields links of customers whom FieldCamp does not have and who are called the same, of documents of this person
    that it does not have, and of events that were left over of their visits."""
    for some in portions(customers):
        yield from mine.filter(record_id="", kind__in=_DOCUMENTS, seen__customer__in=some)
    namesakes = mine.filter(record_id="", kind=CUSTOMER.name, seen__isnull=False)
    left_over = mine.filter(record_id__startswith=LEFT_OVER, kind=VISIT.name)
    for rows in (namesakes, left_over):
        for link in rows.iterator(chunk_size=1_000):
            if words.erased([link.seen, link.base]) != [link.seen, link.base]:
                yield link


def erase_traces(workspace_id: str, record_ids: Collection[str], links: Sequence[int], words: Words) -> None:
    """Takes the words out of what was said of these records and links by jobs, problems and the change feed, and out of
    what was said of others."""
    for some in portions(sorted(record_ids)):
        JobItem.objects.filter(record_id__in=some).exclude(message="").update(message=WAS_ERASED)
        feed = ChangeRow.objects.filter(workspace=workspace_id, record_id__in=some, shown__isnull=False)
        rows = list(feed)
        for row in rows:
            shown = row.shown or {}
            row.shown = {name: shown[name] for name in _TIMES if name in shown}
        ChangeRow.objects.bulk_update(rows, ["shown"], batch_size=500)
    _erase_problems(workspace_id, record_ids, links)
    forget_calls(record_ids, links)
    _erase_mentions(workspace_id, words)
    # Made anew by whoever wants it; a job that applies one says that it is gone, and does no more of it.
    Plan.objects.filter(workspace=workspace_id).delete()
    # Read from the provider for the next report, and read again for it.
    BooksReading.objects.filter(connection__workspace=workspace_id).delete()


def _erase_problems(workspace_id: str, record_ids: Collection[str], links: Sequence[int]) -> None:
    """Deletes what is about these records; what is open of a document stays open, and says nothing of anybody."""
    ours = Problem.objects.filter(workspace=workspace_id)
    for some in portions(sorted({*record_ids, *map(str, links)})):
        of_links = Q(link__in=[int(each) for each in some if each.isdigit()])
        about = ours.filter(Q(record_id__in=some) | of_links)
        about.exclude(record_kind__in=_DOCUMENTS).delete()
        for problem in about:
            kept = {name: problem.data[name] for name in ("reason", "waits_for") if name in problem.data}
            Problem.objects.filter(pk=problem.pk).update(message=WAS_ERASED, detail="", data=kept)


def _erase_mentions(workspace_id: str, words: Words) -> None:
    problems = Problem.objects.filter(workspace=workspace_id)
    _overwrite(problems, ("message", "detail", "data"), words)
    _overwrite(SyncJob.objects.filter(workspace=workspace_id), ("errors", "actor"), words)
    _overwrite(JobPart.objects.filter(job__workspace=workspace_id, error__isnull=False), ("error",), words)
    _overwrite(ChangeRow.objects.filter(workspace=workspace_id, shown__isnull=False), ("shown",), words)
    calls = RecordCall.objects.filter(stream__connection__workspace=workspace_id, error__isnull=False)
    _overwrite(calls, ("error",), words)
    _overwrite(ChatMessage.objects.filter(address__workspace=workspace_id), ("text",), words)
    mentioning = Q(pk__in=[])
    for word in words.inside:
        mentioning |= Q(message__icontains=word)
    _overwrite(JobItem.objects.filter(mentioning, job__workspace=workspace_id), ("message",), words)


def _overwrite(rows: QuerySet[Any], names: Sequence[str], words: Words) -> None:
    for row in rows.only(*names).order_by("pk").iterator(chunk_size=1_000):
        before = {name: getattr(row, name) for name in names}
        after = {name: words.erased(value) for name, value in before.items()}
        if after != before:
            rows.model._base_manager.filter(pk=row.pk).update(**after)


def erased_customers(connection: Connection) -> frozenset[str]:
    """Returns the ids in these books of the customers whose clients were erased."""
    links = Link.objects.filter(stream__connection=connection, kind=CUSTOMER.name).exclude(erased_at=None)
    return frozenset(links.values_list("remote_id", flat=True))


def is_erased(visit_id: str) -> bool:
    """Returns whether the visit is one of a client who was erased."""
    return Visit.objects.filter(pk=visit_id).exclude(erased_at=None).exists()
