"""What has changed at a company since one of its people last looked."""

import datetime as dt
from dataclasses import dataclass, field

from django.db.models import Count, Q, Sum

from fieldcamp.ids import first_id
from fieldcamp.workspace.models import AuditEntry, Member, Workspace
from integrations.models import JobStatus, Problem, SyncJob
from integrations.selectors.standings import FOR_NOBODY

SITTING = dt.timedelta(minutes=30)  # who has not looked for so long looks anew
A_MINUTE = dt.timedelta(minutes=1)
LONGEST = dt.timedelta(days=30)
SHOWN = 5
MOST_ENTRIES = 200
_NOT_WELL = (JobStatus.FAILED, JobStatus.PARTIAL, JobStatus.NEEDS_CONFIRMATION)


@dataclass(frozen=True)
class SinceThen:
    """What came about since a moment. `entries` are what people did to accounts and settings, for who may see that."""

    since: dt.datetime
    syncs: int = 0
    not_well: int = 0
    taken_in: int = 0
    sent: int = 0
    opened: list[Problem] = field(default_factory=list)
    opened_number: int = 0
    settled: int = 0
    entries: list[AuditEntry] = field(default_factory=list)
    entries_number: int = 0

    @property
    def nothing(self) -> bool:
        return not (self.taken_in or self.sent or self.not_well or self.opened_number or self.settled or self.entries)


def look(member: Member, now: dt.datetime) -> dt.datetime | None:
    """Writes down that the person looks, and returns when they last did before this sitting; None the first time."""
    row = Member.objects.filter(pk=member.pk, looked_at=member.looked_at)
    if member.looked_at is None:
        row.update(looked_at=now)
    elif now - member.looked_at >= SITTING:
        if row.update(looked_at=now, last_seen_at=member.looked_at):
            return member.looked_at
        return Member.objects.values_list("last_seen_at", flat=True).get(pk=member.pk)
    elif now - member.looked_at >= A_MINUTE:
        row.update(looked_at=now)
    return member.last_seen_at


def since_then(workspace: Workspace, since: dt.datetime, now: dt.datetime, *, trail: bool) -> SinceThen:
    """Returns what has come about since then, a month at most: a constant number of queries. `trail`: whether what
    people did is told, too."""
    since = max(since, now - LONGEST)
    jobs = SyncJob.objects.filter(workspace=workspace, created_at__gte=since, dry_run=False).order_by()
    sums = jobs.aggregate(
        syncs=Count("pk"), not_well=Count("pk", filter=Q(status__in=_NOT_WELL)), taken_in=Sum("pulled"),
        sent=Sum("pushed"),
    )  # fmt: skip
    problems = Problem.objects.filter(workspace=workspace, notice=False)
    is_new = Q(pk__gte=first_id("prb", since), occurred_at__gte=since, resolved_at=None, ignored_at=None)
    is_new &= ~Q(code__in=FOR_NOBODY)
    numbers = problems.aggregate(
        opened=Count("pk", filter=is_new), settled=Count("pk", filter=Q(resolved_at__gte=since))
    )
    entries = [entry for entry in _newest_entries(workspace) if entry.at >= since] if trail else []
    return SinceThen(
        since,
        syncs=sums["syncs"],
        not_well=sums["not_well"],
        taken_in=sums["taken_in"] or 0,
        sent=sums["sent"] or 0,
        opened=list(problems.filter(is_new).order_by("-occurred_at", "-id")[:SHOWN]),
        opened_number=numbers["opened"],
        settled=numbers["settled"],
        entries=entries[:SHOWN],
        entries_number=len(entries),
    )


def _newest_entries(workspace: Workspace) -> list[AuditEntry]:
    """Returns the newest of what people did, sign-ins left out; found by the index, however long the trail is."""
    rows = AuditEntry.objects.filter(workspace=workspace).order_by("-id")[:MOST_ENTRIES]
    return [entry for entry in rows if not entry.action.startswith("login.")]
