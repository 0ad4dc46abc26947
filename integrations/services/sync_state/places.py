"""Where a record is or should be: an account, or an integration in which nobody is connected."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import Q

from integrations.kinds import PAYMENT, Kind
from integrations.models import DirtyRow, Link, Problem
from integrations.services.sync_state.judging import by_severity
from integrations.services.sync_state.reasons import Explanation


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """`name` is the calendar's, or how the books' records of this kind are called; "" where there is no account."""

    integration: str
    connection_id: str | None
    name: str
    explanation: Explanation
    link: Link | None = None


@dataclass(frozen=True)
class Traces:
    """What the sync remembers of some records: by stream and record, problems by account and record."""

    links: Mapping[tuple[str, str], Link]
    dirty: Mapping[tuple[str, str], DirtyRow]
    problems: Mapping[tuple[str, str], list[Problem]]


def traces_of(workspace_id: str, kind: Kind, record_ids: Collection[str]) -> Traces:
    """Returns what is remembered of these records of a company; three queries."""
    ids = set(record_ids)
    links: dict[tuple[str, str], Link] = {}
    rows = Link.objects.filter(kind=kind.name, record_id__in=ids, stream__connection__workspace=workspace_id)
    # Whoever asks has the streams, each once: read with every link, they were half of what this takes.
    for link in rows.select_related("hold").order_by("cut_at", "pk"):
        key = (link.stream_id, link.record_id)
        if key not in links or link.cut_at is None:
            links[key] = link
    dirty_rows = DirtyRow.objects.filter(kind=kind.name, record_id__in=ids, stream__connection__workspace=workspace_id)
    dirty = {(row.stream_id, row.record_id): row for row in dirty_rows}
    about = Q(record_kind=kind.name, record_id__in=ids)
    if kind is PAYMENT:  # a problem of the books' second one names ours
        about |= Q(record_kind=kind.name, data__payment__in=list(ids))
    problems: dict[tuple[str, str], list[Problem]] = defaultdict(list)
    found = Problem.objects.open().filter(about, workspace=workspace_id).order_by("-occurred_at", "-id")
    for problem in sorted(found, key=by_severity):
        named = problem.data.get("payment") if isinstance(problem.data, dict) else None
        record_id = named if isinstance(named, str) and named in ids else problem.record_id
        problems[problem.connection_id or "", record_id].append(problem)
    return Traces(links, dirty, problems)
