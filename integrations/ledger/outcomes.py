"""What decisions leave behind in the links: before a write (the intent), after it, and without one.

Each method runs inside the ledger's transaction and returns the rows of the job's log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from django.utils import timezone

from integrations.errors import Duplicate, ProblemCode, ProblemReason, ProviderError, Rejected
from integrations.kinds import Owner
from integrations.ledger.dirty import write_rows
from integrations.ledger.links import agree, agreed, is_over, pending, resolved
from integrations.ledger.problems import open_problem
from integrations.models import JobItem, Link, Outcome
from integrations.records import Operation, RemoteRecord, Verb
from integrations.sync.ports import Written
from integrations.sync.state import REMOTE_WRITES, Action, Decision, Local, Pair

if TYPE_CHECKING:
    from integrations.ledger.stream import StreamLedger

_LINK = ["record_id", "remote_id", "series_id", "generation", "base", "seen", "seen_gone", "seen_tag", "unsettled",
         "seen_at", "intent", "hold", "parked", "decision", "cut_at"]  # fmt: skip
OVERTAKEN = "Somebody edited it or decided about it while the sync ran; the next sync looks at it again."
CONFLICTS = (
    "Moved in FieldCamp and in the calendar. Choose which time is right.",
    "Changed in FieldCamp and at the other side. Choose what is right.",
)


class Results:
    def __init__(self, ledger: StreamLedger):
        self.ledger = ledger

    def _links(self, pairs: Sequence[Pair]) -> dict[int, Link]:
        # Locked: a person may be deciding about one of them right now.
        links = Link.objects.select_for_update().order_by("pk")
        return {link.pk: link for link in links.filter(pk__in=[pair.link_id for pair in pairs if pair.link_id])}

    def _save(self, links: Sequence[Link]) -> None:
        Link.objects.save_many(links, _LINK)

    # --- before a write ---------------------------------------------------------------------------------------------

    def intend(self, items: Sequence[tuple[Decision, Operation, int]]) -> None:
        """Stores what is about to be written, so that a lost answer can be resolved by looking."""
        links = self._links([decision.pair for decision, _, _ in items])
        new, known = [], []
        for decision, operation, generation in items:
            pair = decision.pair
            link = links.get(pair.link_id or 0)
            if link is None:
                link = Link(stream=self.ledger.stream, kind=pair.kind.name, record_id=pair.record_id)
                new.append(link)
            else:
                known.append(link)
            fields = None
            if operation.verb is Verb.CREATE:
                fields = dict(operation.fields)
                link.remote_id, link.generation = operation.remote_id, generation
                link.base = link.seen = link.hold = link.decision = link.cut_at = None
                link.seen_gone, link.seen_tag, link.parked = False, "", False
            elif operation.verb is Verb.UPDATE:
                fields = {**(pair.seen or {}), **operation.fields}
            link.intent = {"verb": operation.verb, "fields": fields}
            link.unsettled = True  # until it is answered: what breaks off here is looked at again by any run
        Link.objects.bulk_create(new)
        self._save(known)

    def settle(self, records: Mapping[str, RemoteRecord]) -> list[JobItem]:
        """Intents whose answer was lost, now that we have looked."""
        links = Link.objects.filter(stream=self.ledger.stream, remote_id__in=records, intent__isnull=False)
        items, changed = [], []
        for link in links:
            done = resolved(link, records[link.remote_id])
            changed.append(link)
            if done:
                items.append(self._item_of_link(link, done))
        self._make_room(changed)
        self._save(changed)
        return items

    def _item_of_link(self, link: Link, action: str) -> JobItem:
        return JobItem(
            job=self.ledger.job,
            connection=self.ledger.connection,
            kind=link.kind,
            key=link.record_id or link.remote_id,
            record_id=link.record_id,
            remote_id=link.remote_id,
            outcome=Outcome.PUSHED,
            action=action,
        )

    # --- after a write ----------------------------------------------------------------------------------------------

    def written(self, written: Sequence[Written]) -> list[JobItem]:
        pairs = [item.decision.pair for item in written]
        links = self._links(pairs)
        by_record = {
            link.record_id: link
            for link in Link.objects.filter(
                stream=self.ledger.stream,
                kind=self.ledger.kind.name,
                cut_at=None,
                record_id__in=[pair.record_id for pair in pairs if pair.record_id],
            )
        }
        items, good, changed = [], [], []
        for entry in written:
            pair = entry.decision.pair
            link = links.get(pair.link_id or 0) or by_record[pair.record_id]
            changed.append(link)
            if entry.error is not None:
                items.append(self._refused(link, entry))
                continue
            good.append(pair)
            agree(link, entry.decision, entry.record)
            items.append(self.ledger.item(pair, Outcome.PUSHED, entry.decision.action))
        self._make_room(changed)
        self._save(changed)
        self.ledger.settle_dirty(good)
        self.ledger.resolve(good)
        return items

    def _make_room(self, links: Sequence[Link]) -> None:
        """A reader of the feed may have taken our new record for somebody else's before its answer was saved."""
        named = {link.remote_id for link in links if link.record_id}
        unmatched = Link.objects.filter(stream=self.ledger.stream, remote_id__in=named, record_id="")
        unmatched.exclude(pk__in=[link.pk for link in links]).delete()

    def _refused(self, link: Link, entry: Written) -> JobItem:
        """The provider refuses the record as it is: parked until one side is edited. Anything else is tried again."""
        pair, error = entry.decision.pair, entry.error
        assert error is not None
        link.intent = None
        if isinstance(error, Rejected):
            link.parked = True
            self.ledger.settle_dirty([pair])
            self._problem(link, pair, error.code, str(error), detail=error.detail, data=_data(error.reason))
        elif isinstance(error, ProviderError) and not isinstance(error, Duplicate):
            self._problem(link, pair, ProblemCode.RECORD_REJECTED, str(error), detail=error.detail)
        return self.ledger.item(pair, Outcome.FAILED, entry.decision.action, str(error))

    def _problem(
        self, link: Link | None, pair: Pair, code: str, message: str, *, detail: str = "", data: dict | None = None
    ) -> None:
        open_problem(
            self.ledger.connection,
            code,
            message,
            now=timezone.now(),
            kind=pair.kind.name,
            record_id=pair.key,
            link=link if link and link.pk else None,
            detail=detail,
            data=data,
        )

    # --- without a write --------------------------------------------------------------------------------------------

    def decided_meanwhile(self, decisions: Sequence[Decision]) -> set[str]:
        """Keys of the pairs about which a person has decided since they were read."""
        links = self._links([decision.pair for decision in decisions])
        return {
            pair.key
            for pair in (decision.pair for decision in decisions)
            if (link := links.get(pair.link_id or 0)) and link.decision != pair.decision
        }

    def here(self, decisions: Sequence[Decision], overtaken: set[str]) -> list[JobItem]:
        """Everything that a plan does on our own side."""
        links = self._links([decision.pair for decision in decisions])
        items: list[JobItem] = []
        settled: list[Pair] = []
        changed: list[Link] = []
        gone: list[Link] = []
        asked: set[str] = set()
        waiting: list[tuple[str, str, int]] = []
        own = self._own(decisions)
        for decision in decisions:
            pair = decision.pair
            link = links.get(pair.link_id or 0)
            if pair.key in overtaken:
                items.append(self.ledger.item(pair, Outcome.SKIPPED, Action.NOTHING, OVERTAKEN))
                continue
            if decision.action in REMOTE_WRITES:  # the pulled half of a merge; the dirty row waits for the other half
                assert link is not None
                link.base = {**(link.base or {}), **decision.pull}
                changed.append(link)
                continue
            if decision.action is Action.WAIT:
                items.append(self._waits(decision, link))
                if pair.dirty_seq is None:
                    waiting.append((self.ledger.stream.pk, pair.record_id, 0))
                continue
            verified = decision.action is Action.NOTHING and link is not None and not pending(link)
            if link is not None and link.pk in self.ledger.local.made:
                link.record_id = self.ledger.local.made[link.pk]
            outcome, message = self._one(decision, link, own.get(link.record_id) if link else None)
            items.append(self.ledger.item(pair, outcome, decision.action, message))
            if decision.action is not Action.HOLD:
                settled.append(pair)
            if decision.action is Action.ASK:
                asked.add(pair.key)
            if link is not None and not verified:
                changed.append(link)
                if is_over(link, decision):
                    gone.append(link)
        self._save(changed)
        write_rows(waiting, self.ledger.kind.name)
        self.ledger.local.expand(decisions)
        series = [link.remote_id for link in gone if (link.seen or {}).get("recurrence") and not link.record_id]
        if gone:
            Link.objects.filter(pk__in=[link.pk for link in gone]).delete()
            # A removed series sends no word of its exceptions.
            Link.objects.filter(stream=self.ledger.stream, series_id__in=series).exclude(series_id="").delete()
        self.ledger.settle_dirty(settled)
        self.ledger.resolve(
            [pair for pair in settled if pair.key not in asked], ProblemCode.CONFLICT, ProblemCode.RECORD_REJECTED
        )
        return items

    def _own(self, decisions: Sequence[Decision]) -> Mapping[str, Local]:
        """The records that a pull has just changed, where what is our own affair may have moved along."""
        kind, made = self.ledger.kind, self.ledger.local.made
        pulled = [d.pair for d in decisions if d.action in (Action.PULL, Action.CREATE_LOCAL)] if kind.loose else []
        ids = [pair.record_id or made.get(pair.link_id or 0, "") for pair in pulled]
        return self.ledger.local.read(kind.name, ids) if ids else {}

    def _one(self, decision: Decision, link: Link | None, own: Local | None) -> tuple[Outcome, str]:
        """One decision: changes the link in memory and says how it counts."""
        pair, action = decision.pair, decision.action
        now = timezone.now()
        if action is Action.HOLD:
            return Outcome.SKIPPED, decision.reason
        if action is Action.ASK:
            assert link is not None
            link.parked = True
            data = {"local": pair.local.fields, "remote": pair.seen, "base": pair.base, "fields": decision.reason}
            self._problem(link, pair, ProblemCode.CONFLICT, CONFLICTS[bool(self.ledger.stream.kind)], data=data)
            return Outcome.FAILED, CONFLICTS[bool(self.ledger.stream.kind)]
        if link is not None:
            link.unsettled = link.parked = False
            link.decision = None
            if pair.local.exists and not pair.gone:
                link.hold = None  # it has come back
        if action is Action.CUT:
            assert link is not None
            link.cut_at, link.hold = now, None
            code, sentence = self.ledger.local.removed_remotely()
            open_problem(
                self.ledger.connection,
                code,
                sentence,
                now=now,
                kind=pair.kind.name,
                record_id=pair.key,
                link=link,
                notice=True,
            )
            return Outcome.PULLED, sentence
        if action is Action.FORGET:
            if link is not None:
                link.cut_at, link.base, link.hold = now, None, None
            return Outcome.SKIPPED, decision.reason
        if action in (Action.PULL, Action.CREATE_LOCAL, Action.SETTLE):
            assert link is not None
            if pair.kind.owner is Owner.REMOTE:
                link.base = link.seen
            else:
                link.base = agreed(pair, {**(pair.base or {}), **(pair.seen or {})}, own)
            return (Outcome.SKIPPED if action is Action.SETTLE else Outcome.PULLED), decision.reason
        if action is Action.REMOVE_LOCAL:
            assert link is not None
            link.base = None
            if pair.record_id:
                link.cut_at, link.hold = now, None
            return Outcome.PULLED, ""
        return Outcome.SKIPPED, decision.reason

    def _waits(self, decision: Decision, link: Link | None) -> JobItem:
        """Held back as it is: it stays dirty, and is looked at again by the next run. Where a person has to do
        something about it, that is a problem of the record."""
        pair = decision.pair
        if not pair.local.reason:
            return self.ledger.item(pair, Outcome.SKIPPED, decision.action, decision.reason)
        data = {**_data(pair.local.reason), **pair.local.data}
        self._problem(link, pair, ProblemCode.RECORD_REJECTED, decision.reason, data=data)
        return self.ledger.item(pair, Outcome.FAILED, decision.action, decision.reason)


def _data(reason: ProblemReason | None) -> dict[str, str]:
    return {"reason": reason} if reason else {}
