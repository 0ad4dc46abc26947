"""Seeing that a listing gets on. Whether there is another page is the provider's to say, and providers have been seen
to say so for ever: the same page with a link that is new each time, two pages in turn, pages without a row.

https://github.com/microsoftgraph/msgraph-sdk-dotnet/issues/3070 · …/issues/3082
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from integrations.errors import Endless
from integrations.records import Page

# Pages in a row. Providers repeat a row now and then, and send empty pages, so neither is a fault by itself.
REPEATS = 3  # the very pages that were there before
WITHOUT_NEWS = 18  # any that bring nothing that this listing has not brought yet
MOST_PAGES = 10_000  # of one listing, whatever they bring
REMEMBERED = 64  # pages, and links to them, that are known again by another slice of the run


class Turns:
    """One listing as it goes on, page by page. `memory` is JSON, to be kept where the listing may be gone on with by
    another process."""

    def __init__(self, memory: dict[str, Any] | None = None):
        self._memory = {} if memory is None else memory
        self._rows: set[str] = set()

    def take(self, rows: Iterable[str], following: str) -> None:
        """Takes a page that another one follows into account: what tells each of its rows from all others, and what
        leads to the next. Raises `Endless` where the listing brings nothing new any more."""
        marks = {_mark(row) for row in rows}
        page, link = f"page {_mark(*sorted(marks))}" if marks else "", f"link {_mark(following)}"
        known: list[str] = self._memory.setdefault("known", [])
        again = page in known
        fresh = 0 if again else len(marks - self._rows)
        self._rows |= marks
        idle, repeats = (0, 0) if fresh else (self._count("idle") + 1, self._count("repeats") + again)
        pages = self._count("pages") + 1
        self._memory.update(idle=idle, repeats=repeats, pages=pages, rows=self._count("rows") + fresh)
        returns = link in known and not fresh
        if returns or repeats >= REPEATS or idle >= WITHOUT_NEWS or pages > MOST_PAGES:
            raise Endless(
                "The list does not come to an end: the provider repeats what it has told already. What was read is "
                "kept, and the next sync begins this list anew."
            )
        known += [mark for mark in (page, link) if mark and mark not in known]
        del known[: -2 * REMEMBERED]

    def forget(self) -> None:
        """Begins anew, as the listing does, but for the number of its pages: it does not begin anew for ever either."""
        pages = self._count("pages")
        self._memory.clear()
        self._memory["pages"] = pages
        self._rows.clear()

    def _count(self, name: str) -> int:
        return int(self._memory.get(name, 0))


def getting_on(pages: Iterator[Page], memory: dict[str, Any] | None = None) -> Iterator[Page]:
    """Passes a listing's pages on as long as they bring something new; see `Turns`. The page at which it is found out
    is not passed on. Raises `Endless`, with the cursor from which the listing is begun anew."""
    turns = Turns(memory)
    for page in pages:
        if page.anew:
            turns.forget()
        if not page.last:
            try:
                turns.take([*(f"{row.id} {row.tag} {row.gone}" for row in page.records), *page.series], page.cursor)
            except Endless as error:
                error.restart = page.restart
                raise
        yield page


def _mark(*texts: str) -> str:
    return hashlib.blake2b("\n".join(texts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
