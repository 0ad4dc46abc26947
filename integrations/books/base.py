"""What the five kinds of the books have in common on FieldCamp's side (`integrations.calendar.visits.Side`)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When

from fieldcamp.workspace.tracking import TrackedModel, attributed
from integrations.books.asking import ask_again, dirty, make_room, parted
from integrations.books.matching import Doubts, Matches
from integrations.books.merges import follow_merges
from integrations.books.other_kinds import OtherKinds
from integrations.books.references import Missing
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, PAYMENT, Kind
from integrations.ledger.erasing import WAS_ERASED
from integrations.models import BooksSettings, Link, Stream
from integrations.providers import PROVIDERS
from integrations.records import Fields, Window, digest
from integrations.sync.state import Absence, Action, Decision, Local, Pair

Asked = tuple[ProblemReason, dict[str, Any]]  # what a person is asked of a record, and the data of that problem
MOST_ASKED = 10_000  # records about which the database is asked at once; SQLite takes 32,766 values


class BooksSide(OtherKinds):
    """One kind of record of one company's books. Subclasses say which records those are and how they look there."""

    kind: ClassVar[Kind]
    model: ClassVar[type[TrackedModel]]
    removed: ClassVar[str]  # what a person is told of a counterpart that was removed there; {books} is the provider

    def __init__(self, stream: Stream, window: Window):
        self.stream, self.window = stream, window
        self.connection = stream.connection
        self.label = PROVIDERS[self.connection.integration].label
        settings = BooksSettings.objects.filter(connection=self.connection).first()
        self.settings = settings or BooksSettings(connection=self.connection)
        self.made: dict[int, str] = {}
        self.doubts: Doubts = {}

    # --- what a kind says -------------------------------------------------------------------------------------------

    def needs(self) -> Mapping[Absence, Q]:
        """Returns what a record needs to be made in the books, by why it is not where it lacks that."""
        return {}

    def wanted(self) -> QuerySet[Any]:
        """Returns the records that the books are to have."""
        return self.model.objects.alive().filter(*self.needs().values())

    def absences(self, record_ids: Iterable[str]) -> Mapping[str, Absence]:
        """Returns why the books are not to have these records, of those that they are not; one query."""
        lacks = {Absence.DELETED: Q(deleted_at=None), **self.needs()}
        why = Case(*(When(~need, then=Value(absence.value)) for absence, need in lacks.items()), default=Value(""))
        rows = self.model.objects.filter(pk__in=set(record_ids)).annotate(why=why).exclude(why="")
        return {pk: Absence(absence) for pk, absence in rows.values_list("pk", "why")}

    def views(self, records: Sequence[Any]) -> dict[str, Local]:
        """Returns the records as the books should have them."""
        raise NotImplementedError

    def matches(self, records: Sequence[Any], unmatched: Sequence[Link]) -> Matches:
        """Returns which of our records are the same as which of theirs."""
        raise NotImplementedError

    def prefilter(self, records: Sequence[Any], unmatched: QuerySet[Any]) -> QuerySet[Any]:
        """Returns those of the unmatched that may be one of these records, as far as the database can tell."""
        return unmatched

    def rejections(self, links: Sequence[Link]) -> dict[int, str]:
        """Returns why remote records that FieldCamp does not have are not taken in, by link; those that are have no
        entry."""
        return {link.pk: f"Only in {self.label}." for link in links}

    def asked_there(self, links: Sequence[Link], rejections: Mapping[int, str]) -> dict[int, Asked]:
        """Returns what a person is asked of the books' own records before they are taken in, by link. The question is
        its rejection's sentence."""
        return {}

    def take(self, pair: Pair, pull: Fields) -> bool:
        """Makes a pull true; False when somebody has edited the record since it was read."""
        raise NotImplementedError

    def make(self, pair: Pair) -> str:
        """Makes the record that only the other side has; its id."""
        raise NotImplementedError

    def remove_local(self, pair: Pair) -> None:
        """Removes the record that the other side had made and has removed."""

    # --- `LocalSide` ------------------------------------------------------------------------------------------------

    def waits_for(self, record: Any, kind: Kind, awaited: Any, why: Missing, called: str = "") -> Local:
        """Returns a record that cannot be posted before another one is: silently as long as that one is on its way,
        else as a problem that names it."""
        one = f"its {kind.singular} {called or awaited}"
        data = {"waits_for": {"kind": kind.name, "id": awaited.pk}}
        if awaited.deleted_at and why is not Missing.GONE:
            sentence = f"Waits for {one}, which was deleted in FieldCamp. Choose another one, or restore it."
        elif why is Missing.COMING and getattr(awaited, "voided_at", None):
            sentence = f"Waits for {one}, which is void in FieldCamp and not in {self.label}. Take it off this one."
        elif why is Missing.COMING:
            return Local(None, blocked=f"Waits for {one} to be in {self.label}.", data=data, version=record.version)
        elif why is Missing.ASKED:
            sentence = f"Waits for {one}, which is not in {self.label} yet. Solve what is open about that first."
        else:
            sentence = f"Waits for {one}, which was removed in {self.label}. Decide what becomes of that first."
        return Local(None, blocked=sentence, reason=ProblemReason.WAITING, data=data, version=record.version)

    def read(self, kind: str, record_ids: Iterable[str]) -> Mapping[str, Local]:
        if kind != self.kind.name:
            return {}
        rows = self._with_related(self.model.objects.filter(pk__in=set(record_ids)).order_by())
        records = {record.pk: record for record in rows if self._is_mine(record)}
        views = self.views(list(records.values()))
        views |= self._over_before_posted(views)
        doubts = {**self.doubts, **parted(self, views)} if views else self.doubts
        asked = {
            record_id: ids
            for record_id, ids in doubts.items()
            if (view := views.get(record_id)) and (view.fields is not None or (view.blocked and view.reason is None))
        }
        return views | self._doubtful([records[record_id] for record_id in asked], asked)

    def _over_before_posted(self, views: Mapping[str, Local]) -> dict[str, Local]:
        """Returns the documents that ended (a void) before the books have heard of them: there is nothing to post."""
        ends = self.kind.ends
        ended = [pk for pk, view in views.items() if ends and view.fields and view.fields.get(ends)]
        links = Link.objects.filter(stream=self.stream, kind=self.kind.name, record_id__in=ended)
        known = links.filter(Q(seen__isnull=False) | Q(intent__isnull=False)).values_list("record_id", flat=True)
        unheard = {*ended} - {*known} if ended else set()
        return {pk: replace(views[pk], fields=None) for pk in unheard}

    def _with_related(self, records: QuerySet[Any]) -> QuerySet[Any]:
        return records

    def _is_mine(self, record: Any) -> bool:
        return bool(record.workspace_id == self.connection.workspace_id)

    def _doubtful(self, records: Sequence[Any], doubts: Doubts) -> dict[str, Local]:
        sentences = self.questions(records, doubts) if records else {}
        return {
            record_id: Local(
                fields=None,
                blocked=sentence,
                reason=ProblemReason.MATCH,
                data={"candidates": list(doubts[record_id])},
            )
            for record_id, sentence in sentences.items()
        }

    def questions(self, records: Sequence[Any], doubts: Doubts) -> dict[str, str]:
        """Returns what a person is asked of each of these records, as which the books may have some already; the number
        of queries does not depend on how many they are."""
        return {record.pk: self.question(record, doubts[record.pk]) for record in records}

    def question(self, record: Any, remote_ids: Sequence[str]) -> str:
        """Returns what a person is asked of a record that the books may have already, as these; without a query."""
        return f"{self.label} may have this already. Say whether it is the same, or make a new one."

    def unlinked(self, after: str, limit: int) -> list[str]:
        found = self._unlinked().filter(pk__gt=after).order_by("pk")
        return list(found.values_list("pk", flat=True)[:limit])

    def count_unlinked(self) -> int:
        return self._unlinked().count()

    def _unlinked(self) -> QuerySet[Any]:
        links = Link.objects.filter(stream=self.stream, kind=self.kind.name, record_id=OuterRef("pk"))
        return self.wanted().filter(~Exists(links), workspace_id=self.connection.workspace_id)

    def enter_window(self) -> None:
        """Books have no window that moves."""

    def match(self, everything: bool) -> None:
        if self.kind in (INVOICE, PAYMENT):
            follow_merges(self.connection)
        matches = self._matches(everything)
        self.doubts = {**matches.doubts, **parted(self)}
        ask_again(self, self.doubts)
        by_link = {link_id: record_id for record_id, link_id in matches.links.items()}
        make_room(self, [*matches.links])
        found = list(Link.objects.filter(pk__in=by_link))
        for link in found:
            record_id = by_link[link.pk]
            link.record_id, link.base, link.unsettled, link.parked = record_id, None, True, False
        Link.objects.save_many(found, ["record_id", "base", "unsettled", "parked"])

    def _matches(self, everything: bool) -> Matches:
        records = list(self._with_related(self.to_match(everything)))
        if not records:
            return Matches()
        asked = self._unmatched()
        unmatched = list(self.prefilter(records, asked) if len(records) <= MOST_ASKED else asked)
        return self.matches(records, unmatched)

    def to_match(self, everything: bool) -> QuerySet[Any]:
        """Returns the records that are looked for among those of the books: all that have no counterpart, or those of
        them that are new."""
        unlinked = self._unlinked()
        return unlinked if everything else unlinked.filter(pk__in=dirty(self))

    def _unmatched(self) -> QuerySet[Any]:
        links = Link.objects.present().unmatched().filter(stream=self.stream, kind=self.kind.name)
        return links.filter(erased_at=None).order_by("pk").only("remote_id", "seen")

    def circumstances(self, record_ids: Collection[str]) -> Mapping[str, str]:
        """Returns a digest of the company's facts and choices, and of what the books have of all that each of these
        records names, and under its own name."""
        records = self._with_related(self.model.objects.filter(pk__in=set(record_ids)))
        named = {record.pk: self.names(record) for record in records}
        wanted = Q(pk__in=[])
        for kind in {kind for pairs in named.values() for kind, _ in pairs}:
            ids = {id for pairs in named.values() for other, id in pairs if other == kind}
            wanted |= Q(stream__kind=kind, record_id__in=ids)
        links = Link.objects.present().filter(wanted, stream__connection=self.connection).order_by("pk")
        state: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for link in links.only("kind", "record_id", "remote_id", "seen"):
            state[link.kind, link.record_id].append((link.remote_id, self._weighs(link)))
        facts: list[Any] = [self.settings.company, self.settings.default_item_id, self.settings.income_account_id]
        facts += [self.settings.class_id, self.settings.location_id, self.settings.terms_id]
        called = self.namesakes(list(records))
        return {
            record_id: digest(
                {
                    "facts": facts,
                    "named": [(*pair, state[pair]) for pair in sorted(pairs)],
                    "called": called.get(record_id, []),
                }
            )
            for record_id, pairs in named.items()
        }

    def namesakes(self, records: Sequence[Any]) -> Mapping[str, Sequence[str]]:
        """Returns who there has the name that each of these records is made with, where names are unique."""
        return {}

    def names(self, record: Any) -> set[tuple[str, str]]:
        """Returns the records that this one names, as pairs of kind and id."""
        return set()

    def _weighs(self, link: Link) -> list[Any]:
        """Returns what of a record there decides whether another that names it is accepted."""
        return [(link.seen or {}).get(name) for name in ("active", "balance", "voided", "currency")]

    def unmatched(self, links: Sequence[Link]) -> Mapping[int, Local]:
        reasons = self.rejections(links) if links else {}
        # A customer of nobody here who is called as somebody who was erased; documents are taken in without a word.
        reasons |= {link.pk: WAS_ERASED for link in links if link.erased_at and link.kind == CUSTOMER.name}
        asked = self.asked_there(links, reasons) if links else {}
        views = {}
        for link in links:
            reason, data = asked.get(link.pk, (None, {}))
            blocked = reasons.get(link.pk, "")
            views[link.pk] = Local(None, exists=False, blocked=blocked, reason=reason, data=data)
        return views

    def orphans(self, links: Any) -> Any:
        return links.none()

    def apply(self, decisions: Sequence[Decision]) -> set[str]:
        overtaken: set[str] = set()
        with attributed(actor=self._actor, origin=self.stream.pk, integration=self.connection.integration):
            for decision in sorted(decisions, key=lambda decision: decision.pair.key):
                pair = decision.pair
                if decision.action is Action.CREATE_LOCAL:
                    assert pair.link_id is not None
                    self.made[pair.link_id] = self.make(pair)
                elif decision.action is Action.REMOVE_LOCAL:
                    self.remove_local(pair)
                elif decision.pull and not self.take(pair, decision.pull):
                    overtaken.add(pair.key)
        return overtaken

    @property
    def _actor(self) -> str:
        """Returns who a pull's changes are signed by."""
        return f"{self.connection.account_name} ({self.label})"

    def prepare(self, decisions: Sequence[Decision]) -> None:
        """Does nothing: nothing about the books takes long."""

    def expand(self, decisions: Sequence[Decision]) -> None:
        """Does nothing: nothing else follows from decisions about the books."""

    def removed_remotely(self) -> tuple[ProblemCode, str]:
        return ProblemCode.RECORD_REMOVED, self.removed.format(books=self.label)
