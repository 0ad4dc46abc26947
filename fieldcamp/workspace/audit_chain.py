"""The chain of a company's audit entries: each is sealed with the digest of the one before it, so that a row that was
changed, taken out or put in between shows (`manage.py audit_check`).

Entries are sealed just after the transaction that wrote them, in a short one of its own: under the company's lock, but
never while the action holds locks that another one waits for. What a process that died has left is sealed with the next
entry, or by the daily work. The digest stands in the log as well: who keeps the logs elsewhere can hold the trail
against them, even where somebody has written the whole chain anew.
"""

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial

import structlog
from django.db import transaction
from django.db.models import Min, QuerySet

from fieldcamp.workspace.models import AuditChain, AuditEntry, Workspace

log = structlog.get_logger(__name__)

AT_ONCE = 500
ERASED = "[erased]"
FORGOTTEN = "audit.forgotten"


@dataclass(frozen=True)
class ChainReport:
    """What became of one chain. `broken` is the first entry that does not hold, `why` a sentence about it; `waiting` is
    how many entries are not sealed yet, and `head` the newest one's digest."""

    scope: str
    name: str
    entries: int
    waiting: int
    head: str
    broken: AuditEntry | None = None
    why: str = ""

    @property
    def holds(self) -> bool:
        """Returns whether nothing was changed."""
        return not self.why


@lru_cache(maxsize=10_000)
def sealer(scope: str) -> Callable[[], int]:
    """Returns `seal` for this company: one and the same each time, so that a transaction needs it once."""
    return partial(seal, scope)


def seal(scope: str) -> int:
    """Seals the company's entries that are not yet; how many."""
    count = 0
    while done := _seal_some(scope):
        for entry in done:
            log.info("audit_sealed", entry_id=entry.pk, workspace_id=scope, action=entry.action, digest=entry.digest)
        count += len(done)
    return count


def seal_all() -> int:
    """Seals whatever processes that died have left; how many."""
    scopes = AuditEntry.objects.filter(position=None).order_by().values_list("workspace_id", flat=True).distinct()
    return sum(seal(scope or "") for scope in scopes)


def _seal_some(scope: str) -> list[AuditEntry]:
    with transaction.atomic():
        chain, _made = AuditChain.objects.select_for_update().get_or_create(scope=scope)
        entries = list(_of(scope).filter(position=None).order_by("pk")[:AT_ONCE])
        if not entries:
            return []
        for entry in entries:
            chain.head += 1
            entry.position, entry.salt = chain.head, secrets.token_hex(16)
            entry.seal = _seal_of(entry)
            entry.digest = chain.head_digest = _digest_of(entry, chain.head_digest)
        AuditEntry.objects.bulk_update(entries, ["position", "salt", "seal", "digest"])
        chain.save(update_fields=["head", "head_digest"])
    return entries


def _of(scope: str) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(workspace_id=scope or None) if scope else AuditEntry.objects.filter(workspace=None)


def _seal_of(entry: AuditEntry) -> str:
    """Returns the digest of what may have to be erased one day: with the salt it goes for good, and the chain holds."""
    content = [
        entry.actor, entry.object_name, entry.before, entry.after, entry.request_id, entry.caller_request_id,
    ]  # fmt: skip
    return _sha256(entry.salt, content)


def _digest_of(entry: AuditEntry, before: str) -> str:
    at = entry.at.astimezone(dt.UTC).isoformat()
    return _sha256(before, [entry.position, at, entry.workspace_id or "", entry.action, entry.object_id, entry.seal])


def _sha256(first: str, rest: list[object]) -> str:
    text = json.dumps([first, *rest], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check_all() -> Iterator[ChainReport]:
    """Yields a report on each company's chain, and on that of no company."""
    yield check("", "No company")
    for pk, name in Workspace.objects.order_by("created_at", "pk").values_list("pk", "name"):
        yield check(pk, name)


def check(scope: str, name: str = "") -> ChainReport:
    """Goes through a chain from its first kept entry to its last."""
    # The ends first: an entry that is sealed meanwhile lies behind them.
    chain = AuditChain.objects.filter(pk=scope).first() or AuditChain(scope=scope)
    waiting = _of(scope).filter(position=None).count()
    position, before, count = chain.start, chain.start_digest, 0
    emptied: dict[int, AuditEntry] = {}

    def broken(entry: AuditEntry | None, why: str) -> ChainReport:
        return ChainReport(scope, name, count, waiting, before, entry, why)

    for entry in _of(scope).filter(position__lte=chain.head).order_by("position", "pk").iterator(chunk_size=AT_ONCE):
        if entry.position != position + 1:
            return broken(entry, "An entry before it is missing, or it was put in.")
        if entry.salt and _seal_of(entry) != entry.seal:
            return broken(entry, "What it says was changed.")
        if not entry.salt:
            if (entry.actor, entry.object_name, entry.before, entry.after) != (ERASED, ERASED, {}, {}):
                return broken(entry, "What it says was changed.")
            emptied[entry.pk] = entry
        if _digest_of(entry, before) != entry.digest:
            return broken(entry, "It was changed, or is not the one that stood here.")
        if entry.action == FORGOTTEN:
            for pk in entry.after.get("entries", []):
                emptied.pop(pk, None)
        position, before, count = entry.position, entry.digest, count + 1
    if (position, before) != (chain.head, chain.head_digest):
        return broken(None, f"The newest entries are missing: {chain.head - position} of them.")
    if _of(scope).filter(position__gt=chain.head).exists() and chain.head == _head_now(scope):
        return broken(_of(scope).filter(position__gt=chain.head).earliest("position"), "It was put in.")
    if emptied:
        return broken(next(iter(emptied.values())), "It was emptied, and no later entry says so.")
    return ChainReport(scope, name, count, waiting, before)


def _head_now(scope: str) -> int:
    return AuditChain.objects.filter(pk=scope).values_list("head", flat=True).first() or 0


def prune(before: dt.datetime) -> int:
    """Drops the entries from before that, oldest first; the chain begins with the first one that is kept. How many."""
    count = 0
    for scope in list(AuditChain.objects.values_list("pk", flat=True)):
        while dropped := _prune_some(scope, before):
            count += dropped
    return count


def _prune_some(scope: str, before: dt.datetime) -> int:
    with transaction.atomic():
        chain = AuditChain.objects.select_for_update().get(pk=scope)
        sealed = _of(scope).filter(position__lte=chain.head)
        kept = sealed.filter(at__gte=before).aggregate(first=Min("position"))["first"] or chain.head + 1
        old = list(sealed.filter(position__lt=kept).order_by("position")[:AT_ONCE])
        if old:
            chain.start, chain.start_digest = old[-1].position or 0, old[-1].digest
            chain.save(update_fields=["start", "start_digest"])
            AuditEntry.objects.filter(pk__in=[entry.pk for entry in old]).delete()
    return len(old)


def forget(scope: str, entries: Iterable[int]) -> list[int]:
    """Erases who did what to whom in the company's entries with these ids, for good; that and when something was done
    stays, and so does the chain. Which ones. The caller writes a `FORGOTTEN` entry with them in its transaction."""
    seal(scope)
    rows = _of(scope).filter(pk__in=list(entries)).exclude(position=None)
    found = list(rows.values_list("pk", flat=True))
    AuditEntry.objects.filter(pk__in=found).update(
        actor=ERASED, object_name=ERASED, before={}, after={}, request_id="", caller_request_id="", salt=""
    )
    return found
