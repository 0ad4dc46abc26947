"""Questions about records that the books may have already: of which ones they are asked, and when they are over."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.books.matching import Doubts
from integrations.kinds import Kind
from integrations.ledger.dirty import write_rows
from integrations.models import Connection, DirtyRow, Link, Problem, Stream

NOT_PLAIN = r"[^!-~]"  # texts that a database may fold otherwise than `integrations.sync.folding`


ASK = {"match": "ask"}  # the decision of a link whose record a person has parted from what it was linked with


class KindSide(Protocol):
    """One kind of record of one company's books (`integrations.books.base`)."""

    stream: Stream
    connection: Connection

    @property
    def kind(self) -> Kind: ...
    def wanted(self) -> QuerySet[Any]: ...


def candidates_in(data: Any) -> list[str]:
    """Returns the remote ids that a problem's data names: of what may be the same as its record."""
    named = data.get("candidates") if isinstance(data, Mapping) else None
    return [str(remote_id) for remote_id in named] if isinstance(named, list) else []


def asked_in(doubts: Doubts) -> set[str]:
    """Returns the remote ids about which these doubts ask."""
    return {remote_id for ids in doubts.values() for remote_id in ids}


def dirty(side: KindSide) -> QuerySet[Any]:
    """Returns the ids of the records that have changed here."""
    return DirtyRow.objects.filter(stream=side.stream, kind=side.kind.name).values_list("record_id", flat=True)


def documents(side: KindSide, everything: bool) -> QuerySet[Any]:
    """Returns the documents that are looked for among those of the books. Where these have something new, that is also
    what was refused or removed there: somebody may have entered it by hand since. What a person has decided is left
    alone."""
    mine = Link.objects.filter(stream=side.stream, kind=side.kind.name, record_id=OuterRef("pk"))
    settled = mine.live().filter(Q(seen__isnull=False) | Q(intent__isnull=False) | Q(decision__isnull=False))
    records: QuerySet[Any] = side.wanted().filter(~Exists(settled), workspace_id=side.connection.workspace_id)
    if everything:
        return records
    new = Q(pk__in=dirty(side))
    news_there = Link.objects.due().unmatched().filter(stream=side.stream).exists()
    return records.filter(new | Exists(mine) if news_there else new)


def ask_again(side: KindSide, doubts: Doubts) -> None:
    """Lets the run ask about what was refused or removed there, and may be there nevertheless; and lets it decide about
    what was asked about before and may be nobody's any more."""
    links = Link.objects.filter(stream=side.stream, kind=side.kind.name)
    mine = links.filter(record_id__in=[*doubts])
    mine.live().filter(parked=True).update(parked=False, unsettled=True)
    removed = mine.exclude(cut_at=None).exclude(record_id__in=dirty(side)).values_list("record_id", flat=True)
    write_rows([(side.stream.pk, record_id, 0) for record_id in {*removed}], side.kind.name)
    problems = Problem.objects.open().filter(connection=side.connection, record_kind=side.kind.name)
    before = {remote_id for data in problems.values_list("data", flat=True) for remote_id in candidates_in(data)}
    if over := before - asked_in(doubts):
        links.present().unmatched().filter(remote_id__in=over).update(unsettled=True)


def make_room(side: KindSide, record_ids: Collection[str]) -> None:
    """Deletes the links of writes that have never come about, of records that have found their counterparts."""
    links = Link.objects.live().filter(stream=side.stream, kind=side.kind.name, record_id__in=record_ids)
    links.filter(seen__isnull=True, intent__isnull=True).delete()


def rejected(links: Sequence[Link], doubts: Doubts, what: str) -> dict[int, str]:
    """Returns why those of the books' records that are asked about are not taken in, by link."""
    asked = asked_in(doubts)
    sentence = f"May be {what} that FieldCamp has already; a person is asked."
    return {link.pk: sentence for link in links if link.remote_id in asked}


def parted(side: KindSide, record_ids: Collection[str] | None = None) -> Doubts:
    """Returns the records (of these, or all) that a person has parted from what they were linked with, and that: they
    are linked with nothing, and nothing is made of them, before somebody says what they are."""
    links = Link.objects.live().linked().filter(stream=side.stream, seen__isnull=True, intent__isnull=True)
    if record_ids is not None:
        links = links.filter(record_id__in=set(record_ids))
    return {link.record_id: candidates_in(link.decision) for link in links.filter(decision__match=ASK["match"])}
