"""What the first sync of a company's books would do, record by record, as its page lists it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from integrations.admin.values import PLURALS
from integrations.services.books.preview import BooksPreview, Count, Fate, PreviewRow

_TITLES = {
    Fate.LINKED: _("{records} that both sides have: linked"),
    Fate.ASKED: _("{records} that {place} may have already: you will be asked"),
    Fate.NEW_THERE: _("{records} that are made in {place}"),
    Fate.NEW_HERE: _("{records} that are taken into FieldCamp"),
    Fate.WAITING: _("{records} that wait"),
}


@dataclass(frozen=True)
class PreviewList:
    """The records of one kind and fate; `more` are not listed."""

    title: str
    rows: Sequence[PreviewRow]
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
