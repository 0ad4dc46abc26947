"""Syncing chosen records now: many, of which what waits for a person, an account or a rule is left; or one, whatever
else waits."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.models import Workspace
from integrations.accounts.acting import Actor, job_fields
from integrations.kinds import VISIT
from integrations.ledger.dirty import write_rows
from integrations.models import Connection, DirtyRow, Link, Stream, SyncJob
from integrations.selectors.subjects import kinds_of
from integrations.services.jobs import NotConnected, SyncInProgress, require_usable, trigger_sync
from integrations.services.sync_state.reasons import RecordState
from integrations.services.sync_state.states import SyncStateRow, sync_states

MOST_AT_ONCE = 500
_GOES_ON = (RecordState.SYNCED, RecordState.PENDING)


@dataclass(frozen=True)
class RecordsAsked:
    """How many records the next run looks at; `left` says why each other one is as it was, by its id. `jobs` were
    started for it; where another was running its successor does it."""

    done: int
    left: Mapping[str, str] = field(default_factory=dict)
    jobs: tuple[SyncJob, ...] = ()


def sync_records(*, workspace: Workspace, kind: str, record_ids: Collection[str], user: Actor) -> RecordsAsked:
    """Has the next run look at these records of one kind, and starts it. Asked for twice it is done once."""
    wanted: dict[str, set[str]] = defaultdict(set)  # account -> records
    left: dict[str, str] = {}
    for record_id, rows in sync_states(workspace.pk, kind, record_ids).items():
        accounts = [row.connection_id for row in rows if row.connection_id and row.explanation.state in _GOES_ON]
        for connection_id in accounts:
            wanted[connection_id].add(record_id)
        if not accounts:
            left[record_id] = _why(rows)
    with transaction.atomic():
        for connection_id, ids in sorted(wanted.items()):
            _mark(connection_id, kind, ids)
    jobs = _start(workspace, sorted(wanted), user)
    return RecordsAsked(len(set().union(*wanted.values())) if wanted else 0, left, jobs)


def _why(rows: list[SyncStateRow]) -> str:
    return rows[0].explanation.sentence if rows else ""


def _mark(connection_id: str, kind: str, record_ids: set[str]) -> None:
    """Makes the next run look at both sides of these records: at links, and at what has none yet."""
    streams = Stream.objects.filter(connection=connection_id, is_active=True)
    streams = streams.filter(is_target=True) if kind == VISIT.name else streams.filter(kind=kind)
    links = Link.objects.live().filter(stream__connection=connection_id, kind=kind, record_id__in=record_ids)
    linked = set(links.values_list("stream_id", "record_id"))
    free = links.filter(parked=False, hold=None, intent__isnull=True).select_for_update(of=("self",))
    locked = list(free.order_by("pk").values_list("pk", flat=True))  # in the order in which syncs lock them
    Link.objects.filter(pk__in=locked).update(unsettled=True)
    dirty = DirtyRow.objects.filter(stream__connection=connection_id, kind=kind, record_id__in=record_ids)
    known = linked | set(dirty.values_list("stream_id", "record_id"))
    fresh = [(stream.pk, pk, 0) for stream in streams for pk in record_ids if (stream.pk, pk) not in known]
    write_rows(fresh, kind)


def _start(workspace: Workspace, connection_ids: list[str], user: Actor) -> tuple[SyncJob, ...]:
    by_integration: dict[str, list[Connection]] = defaultdict(list)
    for connection in Connection.objects.filter(pk__in=connection_ids).select_related("member").order_by("pk"):
        by_integration[connection.integration].append(connection)
    jobs = []
    for integration, accounts in sorted(by_integration.items()):
        one = accounts[0] if len(accounts) == 1 else None
        try:
            jobs.append(trigger_sync(workspace=workspace, integration=integration, connection=one, **job_fields(user)))
        except (SyncInProgress, NotConnected):
            continue
    return tuple(jobs)


def sync_record(*, record: Any, connection: Connection, user: Actor) -> SyncJob | None:
    """Starts a sync of just this record with one account. One that has no counterpart there yet is marked as changed,
    and the account's changes are synced. None while another job is running, whose successor does it. Raises
    NotConnected."""
    [kind] = kinds_of(record)
    require_usable(connection)
    streams = Stream.objects.filter(connection=connection, kind="" if kind == VISIT.name else kind, is_active=True)
    with transaction.atomic():
        links = (
            Link.objects.select_for_update()
            .live()
            .filter(stream__connection=connection, kind=kind, record_id=record.pk, intent__isnull=True)
        )
        ids = list(links.order_by("pk").values_list("pk", flat=True))
        Link.objects.filter(pk__in=ids).update(parked=False, unsettled=True)
        if not ids:
            targets = streams.filter(is_target=True) if kind == VISIT.name else streams
            write_rows([(stream_id, record.pk, 0) for stream_id in targets.values_list("pk", flat=True)], kind)
        audit(
            "record.sync_asked",
            workspace_id=connection.workspace_id,
            object_id=record.pk,
            object_name=str(record),
            after={"account": connection.account_name},
            actor=user.get_username(),
        )
    try:
        return trigger_sync(
            workspace=connection.workspace,
            integration=connection.integration,
            connection=connection,
            only=ids or None,
            **job_fields(user),
        )
    except SyncInProgress:
        return None
