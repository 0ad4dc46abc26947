"""A listing ends, or somebody is told that it does not: whatever its pages and links say."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.errors import Endless
from integrations.paging import MOST_PAGES, REPEATS, WITHOUT_NEWS, Turns, getting_on
from integrations.records import Page, RemoteRecord


def page(*ids: str, link: str, tag: str = "1", last: bool = False) -> Page:
    return Page([RemoteRecord(id, tag, "block") for id in ids], link, last, restart="start")


def pages_until_told(pages: Iterator[Page], memory: dict | None = None) -> int:
    """How many pages are asked for before it is said that there is no end."""
    asked = 0

    def counted() -> Iterator[Page]:
        nonlocal asked
        for each in pages:
            asked += 1
            yield each

    with pytest.raises(Endless) as told:
        for _ in getting_on(counted(), memory):
            pass
    assert told.value.restart == "start"
    return asked


ENDLESS = {
    "the same page with a new link": lambda: (page("a", "b", link=f"l{n}") for n in count()),
    "two pages in turn": lambda: (page("ab"[n % 2], link=f"l{n}") for n in count()),
    "pages without a row": lambda: (page(link=f"l{n}") for n in count()),
    "pages that shrink to nothing": lambda: (page(*"abcde"[n:], link=f"l{n}") for n in count()),
    "a link to the page itself": lambda: (page("a", link="l") for _ in count()),
    "three pages in a circle": lambda: (page("abc"[n % 3], link=f"l{n % 3}") for n in count()),
    "rows that were there, put together anew": lambda: (
        page("abc"[n % 3], "abd"[n % 2], link=f"l{n}") for n in count()
    ),
}


@pytest.mark.parametrize("endless", ENDLESS.values(), ids=ENDLESS)
def test_what_brings_nothing_new_is_found_out(endless):
    assert pages_until_told(endless()) <= WITHOUT_NEWS + 6


def test_and_by_another_process_that_goes_on_with_it():
    memory: dict = {}
    asked = 0
    with pytest.raises(Endless):
        for n in count():
            asked += 1
            list(getting_on(iter([page("ab"[n % 2], link=f"l{n}")]), memory))  # a slice of one page each
    assert asked <= REPEATS + 3


def test_a_listing_that_never_repeats_itself_ends_as_well():
    with pytest.raises(Endless):
        turns = Turns()
        for n in range(MOST_PAGES + 2):
            turns.take([f"row {n}"], f"link {n}")


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2), st.integers(0, 5)), max_size=30))
def test_a_listing_that_gets_on_is_left_alone(steps):
    """Rows told again, the last page told again, a few empty pages: all of these are seen of healthy providers."""
    pages, told, last = [], 0, page(link="first")
    for fresh, again, empty in steps:
        last = page(*(f"r{told + n}" for n in range(fresh)), *(f"r{told - 1}",) * bool(told), link=f"p{len(pages)}")
        told += fresh
        pages += [last]
        pages += [page(*(row.id for row in last.records), link=f"p{len(pages) + n}") for n in range(again)]
        pages += [page(link=f"p{len(pages) + n}") for n in range(empty)]
    pages.append(page(link="end", last=True))
    assert len(list(getting_on(iter(pages)))) == len(pages)


def test_a_changed_record_is_news():
    assert len(list(getting_on(page("a", link=f"l{n}", tag=str(n)) for n in range(50)))) == 50


def test_a_listing_that_the_provider_lets_begin_anew_tells_again_what_it_has_told():
    """It had forgotten the place. That is no loop, unless it begins anew without end."""
    told = [page(id, link=f"l{id}") for id in "abcd"]
    again = [replace(told[0], anew=True), *told[1:], page("e", link="", last=True)]
    assert [each.cursor for each in getting_on(iter([*told, *again]))] == ["la", "lb", "lc", "ld"] * 2 + [""]
    for_ever = (replace(told[n % 4], anew=n % 4 == 0) for n in count())
    assert pages_until_told(for_ever) == MOST_PAGES + 1
