"""Who is making changes now, and by what way."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Attribution:
    """Who is making changes now, and, for a pull, from which stream of which integration.

    `source` is the way that they come in: "api", "desk", or "" where nobody has said.
    """

    actor: str = ""
    origin: str = ""
    source: str = ""
    integration: str = ""


_attribution: ContextVar[Attribution] = ContextVar("attribution", default=Attribution())  # noqa: B039  (frozen)


def who() -> Attribution:
    """Returns who is making changes now."""
    return _attribution.get()


def current_actor() -> str:
    """Returns who is making changes now; "" if nobody has said."""
    return who().actor


@contextlib.contextmanager
def attributed(
    actor: str | None = None, origin: str | None = None, source: str | None = None, integration: str | None = None
) -> Iterator[None]:
    """Writes all changes made inside down as made by `actor` and coming from `origin`.

    What is not given stays as an enclosing `attributed` has it.
    """
    given = {"actor": actor, "origin": origin, "source": source, "integration": integration}
    said = {name: value for name, value in given.items() if value is not None}
    token = _attribution.set(replace(who(), **said))
    try:
        yield
    finally:
        _attribution.reset(token)
