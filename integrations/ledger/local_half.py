"""Saving what decisions make of our own side: links, outcomes, problems, and what is still dirty.

Everything runs inside the ledger's transaction.
"""

from collections.abc import Collection, Mapping, Sequence

from django.utils import timezone

from integrations.errors import ProblemCode
from integrations.kinds import Kind
from integrations.ledger.counts import JobLog
from integrations.ledger.dirty import settle_rows, write_rows
from integrations.ledger.links import is_over, is_pending, locked_links, save_links
from integrations.ledger.outcomes import Circumstances, Effect, apply_effect
from integrations.ledger.overwritten import note_taken_over
from integrations.ledger.ports import LocalSide
from integrations.ledger.problems import open_record_problem, resolve_problems
from integrations.models import Link, Outcome, Stream
from integrations.sync.state import REMOTE_WRITES, Action, Decision, Local, Pair

OVERTAKEN = "Somebody edited it or decided about it while the sync ran; the next sync looks at it again."
CONFLICT_OF_VISIT = "Moved in FieldCamp and in the calendar. Choose which time is right."
CONFLICT_OF_RECORD = "Changed in FieldCamp and at the other side. Choose what is right."
_OVER_WHEN_SETTLED = (
    ProblemCode.CONFLICT,
    ProblemCode.RECORD_REJECTED,
    ProblemCode.WAITING_FOR_GONE,
    ProblemCode.INTERNAL_ERROR,
)


class LocalHalf:
    """What a plan does in FieldCamp and in the links, for one stream in one job."""

    def __init__(self, stream: Stream, kind: Kind, log: JobLog, local: LocalSide):
        self.stream, self.kind, self.log, self.local = stream, kind, log, local

    def save(self, decisions: Sequence[Decision]) -> set[str]:
        """Makes the local half of decisions true. Returns the keys of pairs that a person has edited, or decided about,
        since they were read: those are left as they are."""
        overtaken = _decided_meanwhile(decisions)
        overtaken |= self.local.apply([d for d in decisions if d.pair.key not in overtaken])
        for decision in decisions:
            if decision.pair.key in overtaken:
                self.log.add(decision.pair, Outcome.SKIPPED, Action.NOTHING, OVERTAKEN)
        self._save([d for d in decisions if d.pair.key not in overtaken])
        self.log.save()
        return overtaken

    def _save(self, decisions: Sequence[Decision]) -> None:
        links = locked_links([decision.pair for decision in decisions])
        pulled = self._pulled(decisions)
        changed: list[Link] = []
        over: list[Link] = []
        settled: list[Pair] = []
        solved: list[Pair] = []
        present: list[str] = []
        dirty: list[tuple[str, str, int]] = []
        for decision in decisions:
            pair, link = decision.pair, links.get(decision.pair.link_id or 0)
            verified = decision.action is Action.NOTHING and link is not None and not is_pending(link)
            if link is not None and link.pk in self.local.made:
                link.record_id = self.local.made[link.pk]
            effect = apply_effect(decision, link, self._circumstances(pulled.get(link.record_id) if link else None))
            self._count(decision, link, effect)
            note_taken_over(self.stream.connection, decision)
            if effect.settles:
                settled.append(pair)
                if effect.problem is None or effect.problem.notice:
                    solved.append(pair)
                    if not _is_missing_there(decision):
                        present.append(pair.key)
            if decision.action is Action.WAIT:
                if pair.dirty_seq is None:
                    dirty.append((self.stream.pk, pair.record_id, 0))
                continue
            if link is not None and not verified:
                changed.append(link)
                if decision.action not in REMOTE_WRITES and is_over(link, decision):
                    over.append(link)
        save_links(changed)
        write_rows(dirty, self.kind.name)
        self.local.expand(decisions)
        self._forget(over)
        settle_rows(self.stream, settled)
        about, now, keys = self.stream.connection, timezone.now(), [pair.key for pair in solved]
        # Books number each kind of record from 1: item 2 is settled with no word about customer 2.
        kind = self.stream.kind or None
        resolve_problems(about, now=now, codes=_OVER_WHEN_SETTLED, kind=kind, record_ids=keys)
        resolve_problems(about, now=now, codes=[ProblemCode.RECORD_REMOVED], record_ids=present, notices=False)
        resolve_problems(about, now=now, codes=[ProblemCode.EVENT_REMOVED], record_ids=present)
        # Where nothing is left to compare with, that is what has to be decided about.
        gone = [decision.pair.key for decision in decisions if decision.action is Action.CUT]
        resolve_problems(about, now=now, codes=[ProblemCode.AMOUNT_VARIANCE], record_ids=gone)

    def _circumstances(self, pulled: Local | None) -> Circumstances:
        conflict = CONFLICT_OF_RECORD if self.stream.kind else CONFLICT_OF_VISIT
        return Circumstances(timezone.now(), pulled, conflict, self.local.removed_remotely())

    def _count(self, decision: Decision, link: Link | None, effect: Effect) -> None:
        aside = False
        if problem := effect.problem:
            aside = open_record_problem(
                self.stream.connection,
                decision.pair,
                problem.code,
                problem.message,
                link=link,
                data=dict(problem.data),
                notice=problem.notice,
            )
        if effect.outcome is not None:
            self.log.add_judged(decision.pair, effect.outcome, decision.action, effect.message, aside=aside)

    def _forget(self, over: Sequence[Link]) -> None:
        """Deletes links of which nothing has to be remembered. A removed series sends no word of its exceptions."""
        if not over:
            return
        series = [link.remote_id for link in over if (link.seen or {}).get("recurrence") and not link.record_id]
        Link.objects.filter(pk__in=[link.pk for link in over]).delete()
        Link.objects.filter(stream=self.stream, series_id__in=series).exclude(series_id="").delete()

    def _pulled(self, decisions: Sequence[Decision]) -> Mapping[str, Local]:
        """Returns the records that a pull has just changed, where what is our own affair may have moved along."""
        made = self.local.made
        pulled = [d.pair for d in decisions if d.action in (Action.PULL, Action.CREATE_LOCAL) and self.kind.loose]
        ids = [pair.record_id or made.get(pair.link_id or 0, "") for pair in pulled]
        return self.local.read(self.kind.name, ids) if ids else {}


def _is_missing_there(decision: Decision) -> bool:
    """Returns whether the counterpart was removed there and FieldCamp still wants one."""
    pair = decision.pair
    return (pair.cut or decision.action is Action.CUT) and pair.local.fields is not None


def _decided_meanwhile(decisions: Collection[Decision]) -> set[str]:
    """Returns keys of the pairs about which a person has decided since they were read."""
    links = locked_links([decision.pair for decision in decisions])
    return {
        pair.key
        for pair in (decision.pair for decision in decisions)
        if (link := links.get(pair.link_id or 0)) and link.decision != pair.decision
    }
