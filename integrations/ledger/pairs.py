"""Pairs out of what is stored: our record as its stream should show it, and its link."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog
from django.db import InterfaceError, OperationalError

from integrations.errors import ProblemReason
from integrations.kinds import KINDS
from integrations.ledger.failures import FAILED_HERE
from integrations.ledger.ports import LocalSide
from integrations.ledger.private import where
from integrations.models import Link, Stream
from integrations.sync.beside import as_sent
from integrations.sync.isolation import isolated
from integrations.sync.state import Local, Pair

UNREADABLE_HERE = Local(None, blocked=FAILED_HERE, reason=ProblemReason.INTERNAL)

log = structlog.get_logger(__name__)


def views_of(local: LocalSide, kind: str, record_ids: Sequence[str]) -> Mapping[str, Local]:
    """Returns our side of these records. One that cannot be read waits, with a problem; it is not taken for gone."""
    return views_by(lambda some: local.read(kind, some), local.stream, record_ids)


def views_by(
    read: Callable[[Sequence[str]], Mapping[str, Local]], stream: Stream, record_ids: Sequence[str]
) -> Mapping[str, Local]:
    """Returns the same, by what reads them."""
    views: dict[str, Local] = {}

    def fail(record_id: str, error: Exception) -> None:
        log.error("record_unreadable", stream_id=stream.pk, record_id=record_id, **where(error))
        views[record_id] = UNREADABLE_HERE

    fatal = (OperationalError, InterfaceError)
    isolated(record_ids, lambda some: views.update(read(some)), fail, fatal)
    return views


def best_links(links: Iterable[Link]) -> dict[str, Link]:
    """Returns of each record its live link, else the one that was cut last. The links come with the cut ones in the
    order of that."""
    best: dict[str, Link] = {}
    for link in links:
        if link.record_id not in best or link.cut_at is None:
            best[link.record_id] = link
    return best


def is_abandoned(link: Link | None) -> bool:
    """Returns whether a write of it could not be resolved: nothing is decided about it before it is."""
    return link is not None and link.parked and link.intent is not None


def pair_of(link: Link | None, local: Local, seq: int | None, kind: str, record_id: str) -> Pair:
    if link is None:
        return Pair(KINDS[kind], record_id, "", local, dirty_seq=seq)
    return Pair(
        KINDS[kind],
        record_id,
        link.remote_id,
        local,
        link_id=link.pk,
        base=link.base,
        seen=as_sent(KINDS[kind], link.base, link.seen, link.spelled),
        gone=link.seen_gone,
        tag=link.seen_tag,
        cut=link.cut_at is not None,
        held=link.hold_id is not None,
        generation=link.generation,
        dirty_seq=seq,
        decision=link.decision,
    )
