"""How much a job will have to do, over all of its accounts, before any of them has told: so that its progress has one
total from the start. Each stream corrects its own share when it knows better (`ledger.run_state`)."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count
from django.utils import timezone

from fieldcamp.workspace.models import Visit
from integrations.ledger.run_state import EXPECTED
from integrations.models import DirtyRow, JobPart, Link, Stream, SyncJob
from integrations.providers import PROVIDERS
from integrations.selectors.subjects import models


def expect(job: SyncJob, parts: Sequence[JobPart]) -> None:
    """Writes down what is expected of each stream, and its sum as the job's total; nothing where nothing is to be done.
    Runs inside the caller's transaction; three queries for a job that is idle, and a few more at a first sync."""
    kinds = PROVIDERS[job.integration].covers(job.scope)
    accounts = [part.connection_id for part in parts if part.connection.leaving is None]
    streams = list(Stream.objects.filter(connection__in=accounts, is_active=True, kind__in=("", *kinds)))
    expected = _expected(job, parts, streams)
    if not (total := sum(expected.values())):
        return
    for part in parts:
        mine = {stream.pk: expected[stream.pk] for stream in streams if stream.connection_id == part.connection_id}
        if any(mine.values()):
            part.progress[EXPECTED] = {pk: number for pk, number in mine.items() if number}
            part.save(update_fields=["progress"])
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
    first = [stream for stream in streams if stream.first_synced_at is None and not found[stream.pk]]
    if not first:
        return found
    members = {part.connection_id: part.connection.member_id for part in parts}
    people = {members[stream.connection_id] for stream in first if stream.is_target} - {None}
    coming = Visit.objects.filter(technician__in=people, scheduled_end__gte=timezone.now()).order_by()
    visits = dict(coming.values_list("technician").annotate(Count("pk"))) if people else {}
    for stream in first:
        if stream.kind in models():
            found[stream.pk] = _records(stream.kind, job.workspace_id)
        elif stream.is_target:
            found[stream.pk] = visits.get(members[stream.connection_id] or "", 0)
    return found


def _records(kind: str, workspace_id: str) -> int:
    rows: Any = models()[kind].objects  # each has a workspace
    return int(rows.filter(workspace=workspace_id).count())
