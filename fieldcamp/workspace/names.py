"""How a client is called, and what becomes of a name in the form that somebody gave it. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_SUFFIX = re.compile(r"(?P<name>.*\S)(?P<suffix>\s*\([^()]*\))")  # what tells two of one name apart: "(rental)"


@dataclass(frozen=True, slots=True)
class Names:
    """What a name is made of; each part may be empty."""

    first: str = ""
    last: str = ""
    company: str = ""

    @property
    def own(self) -> str:
        """Returns what a client is called as long as nobody has said otherwise; "" where there is no name."""
        return self.company or self.person

    @property
    def person(self) -> str:
        return f"{self.first} {self.last}".strip()

    @property
    def reversed(self) -> str:
        return f"{self.last}, {self.first}" if self.first and self.last else self.person


_FORMS: Sequence[Callable[[Names], str]] = (
    lambda names: names.company,
    lambda names: names.person,
    lambda names: names.reversed,
    lambda names: names.last,
    lambda names: names.first,
)


def reformed(shown: str, old: Names, new: Names) -> str:
    """Returns the name under which somebody is shown, once the parts that it is made of are others, in the form that it
    has: "Smith, Jane (rental)" of a Jane Smith-Doe is "Smith-Doe, Jane (rental)". One that is made of something else
    (a site's address) stays."""
    stripped = _SUFFIX.fullmatch(shown)
    for name, suffix in ((shown, ""), *([stripped.group("name", "suffix")] if stripped else [])):
        for form in _FORMS:
            if name and form(old) == name and form(new) != name and (found := form(new) or new.own):
                return found + suffix
    return shown
