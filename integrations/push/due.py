"""Which accounts are to be synced before the schedule's time: those that were pushed, and those whose records were
saved. Only looks; two indexed reads where there is nothing to do."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, Exists, F, Max, Min, OuterRef, Q, QuerySet, When

from fieldcamp.workspace.attribution import is_by_key
from fieldcamp.workspace.models import Change
from integrations.models import ConnectionState, DirtyRow, PushMark, Stream, SyncJob, WorkspaceIntegration

# After the last of several edits. A client of the API gets longer, so that the trigger at the end of its edits finds no
# job in its way.
QUIET = dt.timedelta(seconds=5)
QUIET_OF_KEYS = dt.timedelta(seconds=12)
# After the first of edits that do not end.
LONGEST = dt.timedelta(minutes=2)
# What was saved longer ago is left to the round, which looks at everything.
LATELY = dt.timedelta(minutes=5)
# What was saved or pushed so shortly before a run began may not have been there for it: the clocks of two machines are
# not the same, and a transaction ends a while after its rows were written.
APART = dt.timedelta(seconds=30)
# Streams that one look takes in; the others have their turn in the next.
AT_ONCE = 5000

IntegrationKey = tuple[str, str]  # workspace id, integration


@dataclass
class DueAccounts:
    """The accounts of one integration that are due, by their ids."""

    pushed: set[str] = field(default_factory=set)
    saved: set[str] = field(default_factory=set)

    @property
    def all(self) -> set[str]:
        return self.pushed | self.saved


def due_accounts(now: dt.datetime, *, everything: bool = True) -> Mapping[IntegrationKey, DueAccounts]:
    """Returns what is due of all integrations that have no job in flight and whose scheduled sync is not due itself;
    with `everything` also what was saved a while ago, and has been waiting since."""
    found: dict[IntegrationKey, DueAccounts] = defaultdict(DueAccounts)
    marks = PushMark.objects.filter(due_at__lte=now)
    if marks.exists():
        for workspace_id, integration, connection_id in _pushed(
            marks.filter(_is_free("stream__connection__", now)), now
        ):
            found[workspace_id, integration].pushed.add(connection_id)
    rows = DirtyRow.objects.all() if everything else DirtyRow.objects.filter(changed_at__gt=now - LATELY)
    if rows.exists():
        for workspace_id, integration, connection_id in _saved(rows, _is_free("connection__", now), now):
            found[workspace_id, integration].saved.add(connection_id)
    return found


def due_accounts_of(key: IntegrationKey, now: dt.datetime) -> DueAccounts:
    """Returns what is due of one integration, whatever is in flight."""
    of = Q(connection__workspace=key[0], connection__integration=key[1])
    marks = PushMark.objects.filter(stream__in=Stream.objects.filter(of), due_at__lte=now)
    return DueAccounts(
        pushed={connection_id for *_, connection_id in _pushed(marks, now)},
        saved={connection_id for *_, connection_id in _saved(DirtyRow.objects.all(), of, now)},
    )


_NAMES = ("stream__connection__workspace_id", "stream__connection__integration", "stream__connection_id")


def _pushed(marks: QuerySet[PushMark], now: dt.datetime) -> QuerySet[PushMark, Any]:
    """Returns the accounts of these marks that may be synced. A calendar's first sync is begun by a person, who has
    seen what it would write, or by the schedule: never by a push."""
    resting = PushMark.objects.filter(stream__connection=OuterRef("stream__connection"), rests_until__gt=now)
    return marks.filter(
        _may_be_synced("stream__connection__", now),
        ~Exists(resting),
        Q(backs_off_until=None) | Q(backs_off_until__lte=now),
        stream__is_active=True,
        stream__first_synced_at__isnull=False,
    ).values_list(*_NAMES)


def _saved(rows: QuerySet[DirtyRow], of: Q, now: dt.datetime) -> list[tuple[str, str, str]]:
    """Returns the accounts whose records were saved since they were looked at, and have come to rest. A row that waits
    for something (a person, another record) is looked at once for each time that it is saved, and once more
    where the run began so soon after that it may have missed it: late enough that this is over with that. The engine's
    own rows were saved by nobody."""
    # The streams first: rows of accounts that are paused may be many, and wait for long.
    failing = PushMark.objects.filter(stream=OuterRef("pk"), backs_off_until__gt=now)
    streams = Stream.objects.filter(
        of,
        ~Exists(failing),
        _may_be_synced("connection__", now),
        Exists(_integration("connection__").filter(sync_on_save=True)),
        pk__in=rows.order_by().values("stream"),
        is_active=True,
        first_synced_at__isnull=False,
    )
    never_looked = Q(stream__looked_at=None)
    rows = rows.filter(
        never_looked | Q(changed_at__gt=F("stream__looked_at") - APART),
        stream__in=list(streams.values_list("pk", flat=True)[:AT_ONCE]),
        changed_at__isnull=False,
    )
    again = When(changed_at__lte=F("stream__looked_at"), then=F("changed_at") + APART)
    # Of a row that had waited already, the first save since is not known.
    first = Case(again, When(never_looked | Q(at__gt=F("stream__looked_at")), then=F("at")), default=F("changed_at"))
    last = Case(again, default=F("changed_at"))
    groups = list(rows.values_list(*_NAMES).annotate(first=Min(first), last=Max(last), seq=Max("seq")).order_by())
    late = [group for group in groups if group[4] > now - QUIET_OF_KEYS]
    actors = dict(Change.objects.filter(seq__in={group[5] for group in late}).values_list("seq", "actor"))
    return [
        (workspace_id, integration, connection_id)
        for workspace_id, integration, connection_id, first_at, last_at, seq in groups
        if last_at <= now - (QUIET_OF_KEYS if is_by_key(actors.get(seq, "")) else QUIET) or first_at <= now - LONGEST
    ]


def _may_be_synced(to: str, now: dt.datetime) -> Q:
    """Returns the condition that an account is well and may be asked now; `to` leads to it. A pause is never lifted."""
    well = {f"{to}state": ConnectionState.ACTIVE, f"{to}leaving__isnull": True}
    of_nobody, works_here = Q(**{f"{to}member": None}), Q(**{f"{to}member__is_active": True})
    waits_for = [
        Q(**{f"{to}{name}": None}) | Q(**{f"{to}{name}__lte": now}) for name in ("retry_at", "backs_off_until")
    ]
    return Q(**well) & (of_nobody | works_here) & waits_for[0] & waits_for[1]


def _is_free(to: str, now: dt.datetime) -> Q:
    """Returns the condition that nothing is in the way: no job in flight, and no scheduled one that is to begin now.
    Where everything is done by hand, this is, too."""
    of = {"workspace": OuterRef(f"{to}workspace"), "integration": OuterRef(f"{to}integration")}
    planned = _integration(to).filter(Q(next_sync_at=None) | Q(next_sync_at__gt=now), interval_minutes__gt=0)
    return ~Q(Exists(SyncJob.objects.in_flight().filter(**of))) & Q(Exists(planned))


def _integration(to: str) -> QuerySet[WorkspaceIntegration]:
    return WorkspaceIntegration.objects.filter(
        workspace=OuterRef(f"{to}workspace"), integration=OuterRef(f"{to}integration")
    )
