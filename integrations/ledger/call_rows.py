"""Forgetting the calls behind records: by number, with the person or the account that they are about."""

from collections.abc import Collection, Sequence

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from fieldcamp.workspace.erasing import portions
from integrations.models import Connection, Link, RecordCall

MOST = 100  # calls that are kept of each record and each counterpart of its in each stream
_CHUNK = 2_000


def prune_surplus() -> int:
    """Deletes of each record's calls all but the newest; returns how many these were."""
    number = Window(RowNumber(), partition_by=[F("stream"), F("record_id"), F("remote_id")], order_by=F("id").desc())
    # Read once: it goes through the whole table.
    surplus = list(RecordCall.objects.annotate(number=number).filter(number__gt=MOST).values_list("pk", flat=True))
    for start in range(0, len(surplus), _CHUNK):
        RecordCall.objects.filter(pk__in=surplus[start : start + _CHUNK]).delete()
    return len(surplus)


def forget_calls(record_ids: Collection[str], links: Sequence[int] = ()) -> None:
    """Deletes the calls about these records, and about the counterparts of theirs and of these links. Runs inside the
    caller's transaction."""
    for some in portions(sorted(record_ids)):
        RecordCall.objects.filter(record_id__in=some).delete()
        _of_counterparts(Link.objects.filter(record_id__in=some))
    for start in range(0, len(links), _CHUNK):
        _of_counterparts(Link.objects.filter(pk__in=links[start : start + _CHUNK]))


def _of_counterparts(links: QuerySet[Link]) -> None:
    by_stream: dict[str, list[str]] = {}
    for stream_id, remote_id in links.values_list("stream_id", "remote_id"):
        by_stream.setdefault(stream_id, []).append(remote_id)
    for stream_id, remote_ids in by_stream.items():
        for some in portions(remote_ids):
            RecordCall.objects.filter(stream=stream_id, remote_id__in=some).delete()


def forget_calls_of(connection: Connection) -> None:
    """Deletes the calls of this account."""
    RecordCall.objects.filter(stream__connection=connection).delete()
