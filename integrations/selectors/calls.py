"""The calls behind a record, the newest first."""

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet

from fieldcamp.workspace.tracking import TrackedModel
from integrations.models import Link, RecordCall
from integrations.selectors.subjects import kinds_of

_MOST_LINKS = 50  # of one record: past ones, and one in each calendar


def calls_of(record: TrackedModel, limit: int, before: str = "") -> list[RecordCall]:
    """Returns the calls about the record, made before the one with the id `before`, with their connections: those that
    named it, and those of listings that had its counterpart before FieldCamp had the record. Three queries at most."""
    found = list(_newest(RecordCall.objects.filter(record_id=record.pk), record, limit, before))
    links = Link.objects.filter(kind__in=kinds_of(record), record_id=record.pk).order_by("-pk")
    counterparts = links.values_list("stream_id", "remote_id")[:_MOST_LINKS]
    if either := [Q(stream_id=stream_id, remote_id=remote_id) for stream_id, remote_id in counterparts]:
        nameless = RecordCall.objects.filter(reduce(or_, either), record_id="")
        found += _newest(nameless, record, limit, before)
    return sorted(found, key=lambda call: call.pk, reverse=True)[:limit]


def _newest(calls: QuerySet[RecordCall], record: Any, limit: int, before: str) -> QuerySet[RecordCall]:
    calls = calls.filter(stream__connection__workspace=record.workspace_id)
    if before:
        calls = calls.filter(pk__lt=before)
    return calls.select_related("stream__connection").order_by("-pk")[:limit]
