"""Finding out which records of two sides are the same, before either is made a second time. Pure.

What is certain is linked; what is likely is asked about. Both ways at most one: where two could be meant, nobody is.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass, field

from integrations.sync import folding

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


Key = Callable[[Candidate], Hashable]  # None: this one is not known by it; a frozenset: by each of its marks


@dataclass(frozen=True, slots=True)
class Matches:
    links: dict[str, int] = field(default_factory=dict)  # our record's id -> the link of theirs
    doubts: Doubts = field(default_factory=dict)


def match_people(ours: Iterable[Candidate], theirs: Iterable[Candidate], shared: Collection[Hashable] = ()) -> Matches:
    """Matches by an e-mail address, then by name and phone together. The name alone, or an e-mail that several share,
    is a question. `shared` are the folded addresses of those who are linked already: they share theirs as well."""
    left, right = _Pool(ours), _Pool(theirs)
    links = _certain(left, right, lambda one: by_email(one) - frozenset(shared))
    links |= _certain(left, right, _by_email_and_name)
    links |= _certain(left, right, _by_name_and_phone)
    doubts: dict[str, list[str]] = defaultdict(list)
    for key in (by_email, by_name):
        for mine, others in _alike(left, right, key):
            doubts[str(mine.id)] += [other.remote_id for other in others if other.remote_id not in doubts[str(mine.id)]]
    return Matches(links, dict(doubts))


def by_email(one: Candidate) -> frozenset[Hashable]:
    """Returns each address of the e-mail field: whoever has one of them is known by it."""
    return frozenset(folding.emails(one.email))


def by_name(one: Candidate) -> str | None:
    return folding.name(one.name) or None


def _by_email_and_name(one: Candidate) -> frozenset[Hashable]:
    return frozenset((address, folding.name(one.name)) for address in folding.emails(one.email))


def _by_name_and_phone(one: Candidate) -> Hashable:
    name, phone = folding.name(one.name), folding.phone(one.phone)
    return (name, phone) if name and phone else None


def match_by(ours: Iterable[Candidate], theirs: Iterable[Candidate], *keys: Key, ask: Key | None = None) -> Matches:
    """Matches by the first of these keys that exactly one of each side has; who only shares the `ask` key is a
    question."""
    left, right = _Pool(ours), _Pool(theirs)
    links: dict[str, int] = {}
    for key in keys:
        links |= _certain(left, right, key)
    asked = _alike(left, right, ask) if ask else []
    return Matches(links, {str(mine.id): [other.remote_id for other in others] for mine, others in asked})


def _marks(key: Key, candidate: Candidate) -> Collection[Hashable]:
    known = key(candidate)
    if isinstance(known, frozenset):
        return known
    return () if known is None else (known,)


class _Pool:
    """The records of one side that are not linked yet."""

    def __init__(self, candidates: Iterable[Candidate]):
        self.free = {candidate.id: candidate for candidate in candidates}

    def by(self, key: Key) -> dict[Hashable, list[Candidate]]:
        groups: dict[Hashable, list[Candidate]] = defaultdict(list)
        for candidate in self.free.values():
            for mark in _marks(key, candidate):
                groups[mark].append(candidate)
        return groups


def _others(groups: dict[Hashable, list[Candidate]], key: Key, one: Candidate) -> list[Candidate]:
    """Returns those of the other side that have a mark in common with this one, each once."""
    return list({other.id: other for mark in _marks(key, one) for other in groups.get(mark, ())}.values())


def _certain(left: _Pool, right: _Pool, key: Key) -> dict[str, int]:
    ours, theirs = left.by(key), right.by(key)
    found = []
    for mine in left.free.values():
        others = _others(theirs, key, mine)
        if len(others) == 1 and len(_others(ours, key, others[0])) == 1:
            found.append((mine, others[0]))
    for mine, other in found:
        del left.free[mine.id], right.free[other.id]
    return {str(mine.id): int(other.id) for mine, other in found}


def _alike(left: _Pool, right: _Pool, key: Key) -> Iterable[tuple[Candidate, list[Candidate]]]:
    theirs = right.by(key)
    return [(mine, others) for mine in left.free.values() if (others := _others(theirs, key, mine))]
