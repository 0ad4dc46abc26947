"""Pairs out of what is stored: our record as its stream should show it, and its link."""

from collections.abc import Iterable

from integrations.kinds import KINDS
from integrations.models import Link
from integrations.sync.beside import as_sent
from integrations.sync.state import Local, Pair


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
