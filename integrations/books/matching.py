"""Finding out which records of two sides are the same, before either is made a second time. Pure.

What is certain is linked; what is likely is asked about. Both ways at most one: where two could be meant, nobody is.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

Doubts = dict[str, list[str]]  # our record's id -> remote ids of those that it may be


@dataclass(frozen=True, slots=True)
class Candidate:
    """One record of either side: our record's id or their link's id, and by what it is known."""

    id: str | int
    remote_id: str = ""
    email: str = ""
    name: str = ""
    phone: str = ""
    extra: Hashable = None


Key = Callable[[Candidate], Hashable]  # None: this one is not known by it


@dataclass(frozen=True, slots=True)
class Matches:
    links: dict[str, int] = field(default_factory=dict)  # our record's id -> the link of theirs
    doubts: Doubts = field(default_factory=dict)


def plain_name(text: str) -> str:
    """Returns a name as it is compared, without case, accents and punctuation; "Smith, John" is "john smith"."""
    last, comma, first = text.partition(",")
    text = f"{first} {last}" if comma and first.strip() and "," not in first else text
    letters = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^\w]+", " ", letters.replace("&", " and ").replace("'", "")).split())


def plain_phone(text: str) -> str:
    """Returns the last ten digits, so that a country's prefix makes no difference."""
    digits = re.sub(r"\D", "", text)
    return digits[-10:] if len(digits) >= 7 else ""


def match_people(ours: Iterable[Candidate], theirs: Iterable[Candidate]) -> Matches:
    """Matches by e-mail, then by name and phone together. The name alone, or an e-mail that several share, is a
    question."""
    left, right = _Pool(ours), _Pool(theirs)
    links = _certain(left, right, lambda one: one.email.casefold() or None)
    links |= _certain(left, right, lambda one: (one.email.casefold(), plain_name(one.name)) if one.email else None)
    links |= _certain(left, right, _by_name_and_phone)
    doubts: dict[str, list[str]] = defaultdict(list)
    for key in (lambda one: one.email.casefold() or None, lambda one: plain_name(one.name) or None):
        for mine, others in _alike(left, right, key):
            doubts[str(mine.id)] += [other.remote_id for other in others if other.remote_id not in doubts[str(mine.id)]]
    return Matches(links, dict(doubts))


def _by_name_and_phone(one: Candidate) -> Hashable:
    name, phone = plain_name(one.name), plain_phone(one.phone)
    return (name, phone) if name and phone else None


def match_by(ours: Iterable[Candidate], theirs: Iterable[Candidate], *keys: Key, ask: Key | None = None) -> Matches:
    """Matches by the first of these keys that exactly one of each side has; who only shares the `ask` key is a
    question."""
    left, right = _Pool(ours), _Pool(theirs)
    links: dict[str, int] = {}
    for key in keys:
        links |= _certain(left, right, key)
    prefilter = _alike(left, right, ask) if ask else []
    return Matches(links, {str(mine.id): [other.remote_id for other in others] for mine, others in prefilter})


class _Pool:
    """The records of one side that are not linked yet."""

    def __init__(self, candidates: Iterable[Candidate]):
        self.free = {candidate.id: candidate for candidate in candidates}

    def by(self, key: Key) -> dict[Hashable, list[Candidate]]:
        groups: dict[Hashable, list[Candidate]] = defaultdict(list)
        for candidate in self.free.values():
            if (value := key(candidate)) is not None:
                groups[value].append(candidate)
        return groups


def _certain(left: _Pool, right: _Pool, key: Key) -> dict[str, int]:
    theirs = right.by(key)
    links = {}
    for value, mine in left.by(key).items():
        others = theirs.get(value, [])
        if len(mine) == len(others) == 1:
            links[str(mine[0].id)] = int(others[0].id)
            del left.free[mine[0].id], right.free[others[0].id]
    return links


def _alike(left: _Pool, right: _Pool, key: Key) -> Iterable[tuple[Candidate, list[Candidate]]]:
    theirs = right.by(key)
    return [(one, theirs[value]) for value, mine in left.by(key).items() if value in theirs for one in mine]
