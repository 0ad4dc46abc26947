"""How much a job will have to do, over all of its accounts, before any of them has told: so that its progress has one
total from the start. Each stream corrects its own share when it knows better (`ledger.run_state`)."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count
from django.utils import timezone

from fieldcamp.workspace.models import Visit
from integrations.jobs.accounts import streams_of
from integrations.ledger.run_state import EXPECTED
from integrations.models import DirtyRow, JobPart, Link, Stream, SyncJob
from integrations.selectors.subjects import models


def expect(job: SyncJob, parts: Sequence[JobPart]) -> None:
    """Writes down what is expected of each stream, and its sum as the job's total. Runs inside the caller's
    transaction; a constant number of queries, and one for each kind of record at the first sync of books."""
    streams = {part.pk: streams_of(part) for part in parts}
    expected = _expected(job, parts, [stream for mine in streams.values() for stream in mine])
    for part in parts:
        part.progress[EXPECTED] = {stream.pk: expected.get(stream.pk, 0) for stream in streams[part.pk]}
        part.save(update_fields=["progress"])
    total = sum(expected.values())
    SyncJob.objects.filter(pk=job.pk, total=0).update(total=total)


def _expected(job: SyncJob, parts: Sequence[JobPart], streams: Sequence[Stream]) -> dict[str, int]:
    ids = [stream.pk for stream in streams]
    links = Link.objects.filter(stream__in=ids)
    if job.mode != SyncJob.Mode.FULL:
        links = links.due()
    found: dict[str, int] = dict.fromkeys(ids, 0)
    for rows in (links, DirtyRow.objects.filter(stream__in=ids)):
        for pk, number in rows.order_by().values_list("stream").annotate(Count("pk")):
            found[pk] += number
    members = {part.connection.pk: part.connection.member_id for part in parts}
    first = [stream for stream in streams if stream.first_synced_at is None and not found[stream.pk]]
    people = [members[stream.connection_id] for stream in first if stream.is_target and not stream.kind]
    coming = Visit.objects.filter(technician__in=[each for each in people if each], scheduled_end__gte=timezone.now())
    visits = dict(coming.order_by().values_list("technician").annotate(Count("pk"))) if people else {}
    for stream in first:
        if stream.kind in models():
            found[stream.pk] = _records(stream.kind, job.workspace_id)
        elif stream.is_target:
            found[stream.pk] = visits.get(members[stream.connection_id] or "", 0)
    return found


def _records(kind: str, workspace_id: str) -> int:
    rows: Any = models()[kind].objects  # each has a workspace
    return int(rows.filter(workspace=workspace_id).count())
