"""What the first sync of a company's books would do, record by record, as its page lists it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from integrations.admin.record_lines import Foldable
from integrations.admin.values import PLURALS
from integrations.services.books.preview import BooksPreview
from integrations.services.books.preview_rows import Count, Fate, PreviewRow, Span

_TITLES = {
    Fate.LINKED: _("{records} that both sides have: linked"),
    Fate.ASKED: _("{records} that {place} may have already: you will be asked"),
    Fate.NEW_THERE: _("{records} that are made in {place}"),
    Fate.NEW_HERE: _("{records} that are taken into FieldCamp"),
    Fate.WAITING: _("{records} that wait"),
}


@dataclass(frozen=True)
class PreviewList(Foldable):
    """The records of one kind and fate; `more` are not listed."""

    title: str
    lines: Sequence[PreviewRow]
    more: int


def listed_in(preview: BooksPreview, place: str) -> list[PreviewList]:
    """Returns what is listed, kind by kind, without what there is nothing of."""
    found = []
    for kind, count in preview.counts.items():
        for fate, title in _TITLES.items():
            rows = preview.rows.get((kind, fate)) or ()
            if rows:
                said = str(title).format(records=PLURALS[kind], place=place)
                found.append(PreviewList(said, rows, max(0, _number(count, fate) - len(rows))))
    return found


def _number(count: Count, fate: Fate) -> int:
    numbers = {Fate.ASKED: count.asked, Fate.NEW_THERE: count.to_create, Fate.NEW_HERE: count.to_bring_in}
    return numbers.get(fate, count.waiting if fate is Fate.WAITING else count.linked)


def dated_in(preview: BooksPreview, place: str) -> list[str]:
    """Returns a sentence for each kind of documents and each side that gets some: how many, and of which days."""
    heads = {
        Fate.NEW_THERE: gettext("{records} that are made in {place}: {number}, {days}."),
        Fate.NEW_HERE: gettext("{records} that are taken into FieldCamp: {number}, {days}."),
    }
    return [
        heads[fate].format(
            records=PLURALS[kind], place=place, number=f"{_number(preview.counts[kind], fate):,}", days=_days(span)
        )
        for (kind, fate), span in preview.spans.items()
    ]


def _days(span: Span) -> str:
    first, last = formats.day(span.first), formats.day(span.last)
    if span.days == 1:
        return gettext("all of {day}").format(day=first)
    days = ngettext("{number} day", "{number} days", span.days).format(number=f"{span.days:,}")
    months = ngettext("{number} month", "{number} months", span.months).format(number=f"{span.months:,}")
    return gettext("dated {first} to {last}, on {days} in {months}").format(
        first=first, last=last, days=days, months=months
    )
