"""Writes at the provider: stored before they are sent, and what their answers make of the links.

Everything runs inside the ledger's transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from integrations.errors import Duplicate, ProblemCode, ProviderError, Rejected
from integrations.kinds import Kind
from integrations.ledger.counts import JobLog
from integrations.ledger.dirty import settle_rows, write_rows
from integrations.ledger.links import agree, is_removed_there, locked_links, resolved, save_links
from integrations.ledger.outcomes import reason_data
from integrations.ledger.overwritten import note_overwritten
from integrations.ledger.private import Identifiers
from integrations.ledger.problems import open_record_problem, resolve_problems
from integrations.models import DirtyRow, Link, Outcome, Stream
from integrations.records import Fields, Operation, RemoteRecord, Verb, instant
from integrations.sync.ports import Written
from integrations.sync.state import Action, Decision, Pair


class Writes:
    """The writes of one stream in one job."""

    def __init__(self, stream: Stream, identifiers: Identifiers, kind: Kind, log: JobLog):
        self.stream, self.identifiers, self.kind, self.log = stream, identifiers, kind, log

    def open_intents(self) -> dict[str, Fields]:
        """Returns remote ids of writes that were begun and never answered, with what creates sent. One that could not
        be resolved is left alone until its record is edited or retried."""
        edited = DirtyRow.objects.filter(stream=self.stream, record_id=OuterRef("record_id")).exclude(record_id="")
        links = Link.objects.with_intent().filter(Q(parked=False) | Exists(edited), stream=self.stream).order_by("pk")
        return {link.remote_id: (link.intent or {}).get("fields") or {} for link in links}

    def intend(self, items: Sequence[tuple[Decision, Operation, int]]) -> None:
        """Stores what is about to be written, so that a lost answer can be resolved by looking."""
        links = locked_links([decision.pair for decision, _, _ in items])
        new, known, at = [], [], instant(timezone.now())
        for decision, operation, generation in items:
            pair = decision.pair
            link = links.get(pair.link_id or 0)
            if link is None:
                link = Link(stream=self.stream, kind=pair.kind.name, record_id=pair.record_id)
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
            link.intent = {"verb": operation.verb, "fields": fields, "at": at}
            link.unsettled = True  # until it is answered: what breaks off here is looked at again by any run
        Link.objects.bulk_create(new)
        save_links(known)

    def settle(self, records: Mapping[str, RemoteRecord]) -> list[tuple[Link, RemoteRecord, str]]:
        """Resolves intents whose answer was lost, now that we have looked. Returns the links with what was found, and
        by which id it was asked for."""
        asked: list[tuple[Link, RemoteRecord, str]] = []
        changed = list(Link.objects.with_intent().filter(stream=self.stream, remote_id__in=records).order_by("pk"))
        held = self._held(records.values(), changed)
        for link in changed:
            record, name = records[link.remote_id], link.remote_id
            asked.append((link, record, name))
            if record.id != link.remote_id and record.id in held:
                record = replace(record, id=link.remote_id, gone=True, tag="", marker=None, made_with="")
            if done := resolved(link, record):
                link.pushed_at = timezone.now()
                self.log.add_link(link, Outcome.PUSHED, done)
            held.add(link.remote_id)
        self._make_room(changed)
        save_links(changed)
        self.log.save()
        return asked

    def _held(self, records: Iterable[RemoteRecord], links: Sequence[Link]) -> set[str]:
        """Returns ids of those records that other links of ours hold. What is known there by its contents alone (a
        name) may be another record's: it is not ours twice."""
        others = (
            Link.objects.live().linked().filter(stream=self.stream, remote_id__in=[record.id for record in records])
        )
        return set(others.exclude(pk__in=[link.pk for link in links]).values_list("remote_id", flat=True))

    def save(
        self, written: Sequence[Written], circumstances: Mapping[str, str], removed: tuple[ProblemCode, str]
    ) -> None:
        """Takes the answers of writes into the links; of what is refused under which `circumstances` (by record).
        `removed` is how a counterpart that somebody has removed there is spoken of."""
        links = self._links_of(written)
        done = []
        for entry, link in zip(written, links, strict=True):
            pair = entry.decision.pair
            if entry.error is not None:
                self._refused(link, entry, circumstances)
                continue
            done.append(pair)
            note_overwritten(self.stream.connection, entry.decision)
            agree(link, entry.decision, entry.record)
            self.log.add(pair, Outcome.PUSHED, entry.decision.action)
        self._make_room(links)
        save_links(links)
        settle_rows(self.stream, done)
        # Whether amounts agree is told by comparing them, not by a write.
        apart = (ProblemCode.AMOUNT_VARIANCE, ProblemCode.RECORD_REMOVED)
        codes = [code for code in ProblemCode if code not in apart]
        about, now, keys = self.stream.connection, timezone.now(), [pair.key for pair in done]
        resolve_problems(about, now=now, codes=codes, record_ids=keys)
        resolve_problems(about, now=now, codes=[ProblemCode.RECORD_REMOVED], record_ids=keys, notices=False)
        code, sentence = removed
        for entry, link in zip(written, links, strict=True):
            if entry.error is None and is_removed_there(entry.decision):
                open_record_problem(about, entry.decision.pair, code, sentence, link=link)
        self.log.save()

    def leave_waiting(self, pairs: Sequence[Pair], reason: str) -> None:
        """Leaves pairs for the next run; those that no edit has brought here are made dirty, so that it finds them."""
        found = [pair for pair in pairs if pair.record_id and pair.dirty_seq is None and pair.local.exists]
        write_rows(((self.stream.pk, pair.record_id, 0) for pair in found), self.kind.name)
        for pair in pairs:
            self.log.add(pair, Outcome.SKIPPED, Action.NOTHING, reason)
        self.log.save()

    def _links_of(self, written: Sequence[Written]) -> list[Link]:
        """Returns the link of each write: known before, or made by its intent."""
        pairs = [entry.decision.pair for entry in written]
        known = locked_links(pairs)
        ids = [pair.record_id for pair in pairs if pair.record_id]
        live = Link.objects.live().filter(stream=self.stream, kind=self.kind.name, record_id__in=ids)
        by_record = {link.record_id: link for link in live}
        return [known.get(pair.link_id or 0) or by_record[pair.record_id] for pair in pairs]

    def _make_room(self, links: Sequence[Link]) -> None:
        """Deletes the links of a feed's reader who took our new record for somebody else's before its answer was
        saved."""
        named = self.identifiers.forms(link.remote_id for link in links if link.record_id)
        unmatched = Link.objects.unmatched().filter(stream=self.stream, remote_id__in=named)
        unmatched.exclude(pk__in=[link.pk for link in links]).delete()

    def _refused(self, link: Link, entry: Written, circumstances: Mapping[str, str]) -> None:
        """Parks what the provider refuses as it is, until one side is edited or what it was refused under is another.
        Anything else is tried again."""
        pair, error = entry.decision.pair, entry.error
        assert error is not None
        link.intent = None
        connection, message, aside = self.stream.connection, str(error), False
        if isinstance(error, Rejected):
            link.parked, link.refused_under = True, circumstances.get(pair.record_id, "")
            settle_rows(self.stream, [pair])
            code, data = error.code, reason_data(error.reason)
            aside = open_record_problem(connection, pair, code, message, link=link, detail=error.detail, data=data)
        elif isinstance(error, ProviderError) and not isinstance(error, Duplicate):
            code = ProblemCode.RECORD_REJECTED
            aside = open_record_problem(connection, pair, code, message, link=link, detail=error.detail)
        self.log.add_judged(pair, Outcome.FAILED, entry.decision.action, message, aside=aside)
