"""Many questions who is who, answered at once, and taken back at once."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from fieldcamp.workspace.models import AuditEntry
from integrations.accounts.acting import Actor
from integrations.accounts.audit_trail import audit_connection
from integrations.books.agreeing import likely_pairs
from integrations.kinds import Kind
from integrations.models import Connection, Link, Stream, SyncJob
from integrations.services.books.links import can_part, part_all
from integrations.services.decisions import AlreadyDecided, ToSync, sync_links_now

ANSWERED, TAKEN_BACK = "matches_decided", "matches_taken_back"
TAKEN_BACK_FOR = dt.timedelta(days=7)
SHOWN = 5  # answers that can be taken back
# What a person may have decided about a record in the meantime.
_DECIDED = ("connection.match_decided", "connection.parted", "connection.relinked", "connection.conflict_decided",
            "connection.posted_again")  # fmt: skip


@dataclass(frozen=True)
class BulkAnswer:
    """How many were done, and how many were left as they are: decided or changed by then. `job` is the one sync that
    carries it out; None where another is running, whose successor does."""

    done: int
    left: int
    job: SyncJob | None = None


def same_for_all(*, connection: Connection, kind: Kind, chosen: Mapping[str, str], user: Actor) -> BulkAnswer:
    """Answers that these are the same: `chosen` are the ids of customers or items there, by the question's id.

    Left out is each that is not a likely pair (any more), as `likely_pairs` has them. Tried at once, in one sync.
    """
    to_sync, answered = settle_pairs(connection=connection, kind=kind, chosen=chosen, user=user)
    job = sync_links_now(connection, to_sync.links, user) if to_sync.links else None
    return BulkAnswer(len(answered), len(chosen) - len(answered), job)


def settle_pairs(
    *, connection: Connection, kind: Kind, chosen: Mapping[str, str], user: Actor
) -> tuple[ToSync, set[str]]:
    """Writes down what `same_for_all` says. Returns what is left to a sync, and the questions that were answered."""
    with transaction.atomic():
        likely = [pair for pair in likely_pairs(connection, kind) if chosen.get(pair.problem_id) == pair.link.remote_id]
        pairs = {pair.link.pk: pair.record.pk for pair in likely}
        stream = Stream.objects.filter(connection=connection, kind=kind.name).first()
        records = _without_counterpart(stream, kind, pairs.values())
        locked = Link.objects.present().unmatched().select_for_update().filter(pk__in=pairs).order_by("pk")
        links = [link for link in locked if pairs[link.pk] in records]
        own = Link.objects.live().filter(stream=stream, kind=kind.name, record_id__in=[pairs[one.pk] for one in links])
        own.delete()
        for link in links:
            link.record_id, link.base, link.unsettled = pairs[link.pk], None, True
            link.parked, link.decision = False, None
        Link.objects.save_many(links, ["record_id", "base", "unsettled", "parked", "decision"])
        if links:
            after = {"kind": kind.name, "pairs": [[link.record_id, link.remote_id] for link in links]}
            audit_connection(ANSWERED, connection, user, after=after)
    done = {link.pk for link in links}
    return ToSync(connection, [*done]), {pair.problem_id for pair in likely if pair.link.pk in done}


def _without_counterpart(stream: Stream | None, kind: Kind, record_ids: Any) -> set[str]:
    """Returns those of these records that have no counterpart and are getting none just now, and locks their links."""
    mine = Link.objects.live().filter(stream=stream, kind=kind.name, record_id__in=[*record_ids])
    taken = {
        link.record_id
        for link in mine.select_for_update().order_by("pk")
        if link.seen is not None or link.intent is not None
    }
    return {*record_ids} - taken


def answers_to_take_back(connection: Connection) -> list[AuditEntry]:
    """Returns the last answers that were given for many at once and not taken back, the newest first."""
    entries = AuditEntry.objects.filter(
        workspace_id=connection.workspace_id,
        object_id=connection.pk,
        action__in=[f"connection.{ANSWERED}", f"connection.{TAKEN_BACK}"],
        at__gte=timezone.now() - TAKEN_BACK_FOR,
    )
    rows = list(entries.order_by("-pk"))
    over = {row.after.get("entry") for row in rows}
    return [row for row in rows if row.action == f"connection.{ANSWERED}" and row.pk not in over][:SHOWN]


def take_back(*, connection: Connection, entry_id: int, user: Actor) -> BulkAnswer:
    """Parts again what was answered to be the same, but for what somebody has decided about since. Neither side is
    changed: each is a question again. Raises AlreadyDecided where the answer was taken back before, or is old."""
    with transaction.atomic():
        # One at a time: who comes second finds the answer taken back.
        Connection.objects.select_for_update().get(pk=connection.pk)
        entry = next((row for row in answers_to_take_back(connection) if row.pk == entry_id), None)
        if entry is None:
            raise AlreadyDecided
        pairs = {remote_id: record_id for record_id, remote_id in entry.after["pairs"]}
        stream = Stream.objects.select_related("connection").get(connection=connection, kind=entry.after["kind"])
        links = Link.objects.select_for_update().filter(stream=stream, remote_id__in=pairs).order_by("pk")
        since = _decided_since(connection, entry)
        parted = [
            link
            for link in links
            if can_part(link) and link.record_id == pairs[link.remote_id] and link.record_id not in since
        ]
        own = part_all(stream, parted)
        after = {"entry": entry.pk, "records": [link.record_id for link in own]}
        audit_connection(TAKEN_BACK, connection, user, after=after)
    job = sync_links_now(connection, [link.pk for link in own], user) if own else None
    return BulkAnswer(len(own), len(pairs) - len(own), job)


def _decided_since(connection: Connection, entry: AuditEntry) -> set[str]:
    later = AuditEntry.objects.filter(
        workspace_id=connection.workspace_id, object_id=connection.pk, pk__gt=entry.pk, action__in=_DECIDED
    )
    rows = later.values_list("before", "after")
    return {str(values.get("record")) for row in rows for values in row if values.get("record")}
