"""Taking back what somebody has just answered: what was ignored, and events that were left removed."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.models import Workspace
from integrations.accounts.acting import Actor
from integrations.accounts.audit_trail import audit_connection
from integrations.ledger.dirty import write_rows
from integrations.models import Hold, Link, Problem, SyncJob
from integrations.services.decisions import AlreadyDecided, ToSync, carry_out
from integrations.sync.policy import RemovalChoice

UNDO_FOR = dt.timedelta(minutes=10)
SHOWN = 5  # answers that are offered to be taken back
IGNORED, LEFT_REMOVED = "ignored", "left_removed"
RIGHTS = {IGNORED: "ignore", LEFT_REMOVED: "settings"}


@dataclass(frozen=True)
class Undoable:
    """An answer that can be taken back until `until`: of what it was (`kind`), of how many, by whom. `key` names it;
    `about` is what was ignored, where it is one problem alone, or the account."""

    kind: str
    key: str
    number: int
    who: str
    at: dt.datetime
    about: str = ""

    @property
    def until(self) -> dt.datetime:
        return self.at + UNDO_FOR


@dataclass(frozen=True)
class Undone:
    """How many were taken back, and the job that carries it out; None where none is needed, or another is running,
    whose successor does."""

    kind: str
    done: int
    job: SyncJob | None = None


def undoable(workspace: Workspace, now: dt.datetime) -> list[Undoable]:
    """Returns what was answered lately and can be taken back, the newest first; two queries."""
    since = now - UNDO_FOR
    ignored = Problem.objects.ignored().filter(workspace=workspace, ignored_at__gt=since)
    times = ignored.order_by().values("ignored_at", "ignored_by__username").annotate(n=Count("pk"), said=Min("message"))
    found = [
        Undoable(
            IGNORED,
            at.isoformat(),
            row["n"],
            row["ignored_by__username"] or "",
            at,
            row["said"] if row["n"] == 1 else "",
        )
        for row in times.order_by("-ignored_at")[:SHOWN]
        if (at := row["ignored_at"])
    ]
    holds = _decided(workspace, since).select_related("stream__connection", "decided_by")
    for hold in holds.order_by("-decided_at")[:SHOWN]:
        who = hold.decided_by.get_username() if hold.decided_by else ""
        if hold.left_removed and hold.decided_at:
            account = hold.stream.connection.account_name
            found.append(Undoable(LEFT_REMOVED, hold.pk, len(hold.left_removed), who, hold.decided_at, account))
    return sorted(found, key=lambda one: one.at, reverse=True)[:SHOWN]


def _decided(workspace: Workspace, since: dt.datetime) -> QuerySet[Hold]:
    mine = Hold.objects.filter(stream__connection__workspace=workspace, decision=Hold.Decision.CONFIRM)
    return mine.filter(decided_at__gt=since)


def undo(*, workspace: Workspace, kind: str, key: str, user: Actor) -> Undone:
    """Takes it back. Raises AlreadyDecided where that was done, or it is too long ago."""
    since = timezone.now() - UNDO_FOR
    if kind == IGNORED:
        return Undone(IGNORED, _bring_back(workspace, key, since, user))
    with transaction.atomic():
        hold = _decided(workspace, since).select_for_update(of=("self",)).filter(pk=key).first()
        if hold is None or not hold.left_removed:
            raise AlreadyDecided
        Hold.objects.filter(pk=hold.pk).update(left_removed=[])
        links = _put_back(hold, hold.left_removed)
        after = {"removals": len(links)}
        audit_connection("removals_undone", hold.stream.connection, user, after=after)
    return Undone(LEFT_REMOVED, len(links), carry_out([ToSync(hold.stream.connection, links)], user))


def _bring_back(workspace: Workspace, key: str, since: dt.datetime, user: Actor) -> int:
    try:
        at = dt.datetime.fromisoformat(key)
    except ValueError:
        raise AlreadyDecided from None
    if timezone.is_naive(at) or not since < at <= timezone.now():
        raise AlreadyDecided
    with transaction.atomic():
        rows = Problem.objects.ignored().filter(workspace=workspace, ignored_at=at)
        locked = list(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
        if not locked:
            raise AlreadyDecided
        count = Problem.objects.filter(pk__in=locked).update(ignored_at=None, ignored_by=None)
        after = {"problems": count}
        audit("problem.many_unignored", workspace_id=workspace.pk, after=after, actor=user.get_username())
    return count


def _put_back(hold: Hold, link_ids: Sequence[int]) -> list[int]:
    """Has the next run make again what is still left removed: whether a run has cut it already or not."""
    links = list(Link.objects.select_for_update().filter(pk__in=link_ids, stream=hold.stream).order_by("pk"))
    left = [link for link in links if link.record_id and link.decision == {"removal": RemovalChoice.CUT}]
    again = Link.objects.live().filter(stream=hold.stream, record_id__in=[link.record_id for link in left])
    taken = {*again.exclude(pk__in=[link.pk for link in left]).values_list("record_id", flat=True)}
    back = [link for link in left if link.record_id not in taken]
    for link in back:
        link.decision = {"removal": RemovalChoice.PUT_BACK}
        link.unsettled = link.unsettled or link.cut_at is None
    Link.objects.save_many(back, ["decision", "unsettled"])
    for kind in {link.kind for link in back}:
        # A run passes over what is history, unless the record is to be looked at.
        write_rows([(link.stream_id, link.record_id, 0) for link in back if link.kind == kind], kind)
    return [link.pk for link in back]
