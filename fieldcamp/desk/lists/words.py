"""What is said of a list: how many rows it has, and what it says when it has none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats

Counted = Callable[[int], str]


@dataclass(frozen=True)
class EmptyList:
    """What an empty list will hold and what fills it, with one button. `address` is a name for `reverse`; a button is
    only offered to whoever has the `right` (`workspace.roles`)."""

    sentence: Any
    button: Any = ""
    address: str = ""
    right: str = "view"

    @property
    def url(self) -> str:
        return reverse(self.address) if self.address else ""


NOTHING = EmptyList(_("Nothing yet."))


def counted_as(number: int, singular: Any, plural: Any) -> str:
    """Returns how a number of things is said, by the names that their table has."""
    text = ngettext("{number} {thing}", "{number} {things}", number)
    return text.format(number=grouped(number), thing=singular, things=plural)


def grouped(number: int) -> str:
    return formats.number(number)


def head(counted: Counted, *, number: int, most: int, first: int, last: int, pages: bool) -> str:
    """Returns "409 visits", "1–50 of 409 visits", "51–100 of more than 10,000 jobs"."""
    total = counted(min(number, most))
    if number > most:
        total = gettext("more than {total}").format(total=total)
    if not pages or not last:
        return total
    return gettext("{first}–{last} of {total}").format(first=grouped(first), last=grouped(last), total=total)
