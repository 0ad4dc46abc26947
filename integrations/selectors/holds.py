"""What syncs hold back until somebody decides, as the API shows it."""

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.translation import override

from fieldcamp.workspace.models import Workspace
from integrations.errors import ProblemCode
from integrations.kinds import KINDS, VISIT
from integrations.models import Hold, JobDirection, Link, Problem
from integrations.records import instant
from integrations.selectors.subjects import Subjects, local_kind, subjects
from integrations.sync.guard import judge

SAMPLE = 20  # records that are shown of each
READ_WITH = ("stream__connection",)


class HoldState(StrEnum):
    """Whether somebody has decided, and how."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


_DECISION = {HoldState.OPEN: "", HoldState.CONFIRMED: Hold.Decision.CONFIRM, HoldState.REJECTED: Hold.Decision.REJECT}
_STATE = {str(decision): state for state, decision in _DECISION.items()}


def holds_of(workspace: Workspace) -> QuerySet[Hold]:
    """Returns the company's holds, with what is read along."""
    rows = Hold.objects.filter(stream__connection__workspace=workspace).select_related(*READ_WITH)
    gone = Count("links", filter=Q(links__seen_gone=True))
    return rows.annotate(vanished=gone, present=Count("links", filter=Q(links__seen_gone=False)))


def in_state(rows: QuerySet[Hold], state: HoldState) -> QuerySet[Hold]:
    """Returns those of this state; each is in exactly one."""
    return rows.filter(decision=_DECISION[state])


def hold_rows(holds: Sequence[Hold]) -> list[dict[str, Any]]:
    """Returns holds of `holds_of` as rows; a constant number of queries for as many as a page has."""
    samples = _samples([hold.pk for hold in holds if not hold.decision])
    workspaces = {hold.pk: hold.stream.connection.workspace_id for hold in holds}
    about = subjects(
        (workspaces[pk], link.kind, link.record_id) for pk, links in samples.items() for link in links
    )  # fmt: skip
    asked = Problem.objects.open().filter(
        code=ProblemCode.CONFIRMATION_NEEDED,
        connection__in={hold.stream.connection_id for hold in holds},
        record_id__in=[hold.pk for hold in holds],
    )
    problems = dict(asked.values_list("record_id", "pk")) if holds else {}
    with override("en"):
        return [_row(hold, samples.get(hold.pk, []), about, problems.get(hold.pk)) for hold in holds]


def _samples(hold_ids: Sequence[str]) -> dict[str, list[Link]]:
    """Returns the first links of each hold."""
    found: dict[str, list[Link]] = defaultdict(list)
    if hold_ids:
        place = Window(RowNumber(), partition_by=[F("hold")], order_by=F("pk").asc())
        links = Link.objects.filter(hold__in=hold_ids).annotate(place=place).filter(place__lte=SAMPLE)
        for link in links.order_by("hold", "pk"):
            found[link.hold_id or ""].append(link)
    return found


def _row(hold: Hold, sample: Sequence[Link], about: Subjects, problem_id: str | None) -> dict[str, Any]:
    connection, kind = hold.stream.connection, KINDS[hold.stream.kind or VISIT.name]
    return {
        "id": hold.pk,
        "integration": connection.integration,
        "connection_id": connection.pk,
        "state": _STATE[hold.decision],
        "direction": _direction(hold),
        "kind": kind.name,
        "container": str(hold.stream),
        "removals": hold.removals,
        "of": hold.of,
        "share": round(hold.removals / hold.of, 4) if hold.of else None,
        "message": judge(hold.removals, hold.of).sentence(kind),
        "sample": [_record(link, about) for link in sample],
        "created_at": instant(hold.created_at),
        "held_by_job_id": hold.job_id,
        "problem_id": problem_id,
        "decision": hold.decision or None,
        "decided_at": instant(hold.decided_at) if hold.decided_at else None,
        "job_id": hold.decided_job_id,
    }


def _direction(hold: Any) -> str | None:
    """Returns where the removals come from: what is gone there, or what would be taken away there; None once they are
    decided, when nothing is held any more."""
    if hold.vanished and hold.present:
        return JobDirection.BIDIRECTIONAL.value
    if hold.vanished or hold.present:
        return JobDirection.PULL.value if hold.vanished else JobDirection.PUSH.value
    return None


def _record(link: Link, about: Subjects) -> dict[str, Any]:
    """Returns one of the records. Of what belongs to no record of FieldCamp neither name nor id there is told: it may
    be somebody's own event."""
    known = bool(link.record_id)
    record = about.get((link.kind, link.record_id))
    title = KINDS[link.kind].name_in(link.seen) if known and link.erased_at is None else ""
    return {
        "kind": link.kind,
        "type": local_kind(link.kind),
        "id": link.record_id or None,
        "name": str(record) if record is not None else None,
        "remote_id": link.remote_id if known else None,
        "remote_title": title or None,
        "gone_there": link.seen_gone,
    }
