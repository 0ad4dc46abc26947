"""Who is making changes now, and by what way."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Attribution:
    """Who is making changes now, and, for a pull, from which stream of which integration.

    `source` is the way that they come in: "api", "desk", or "" where nobody has said. `job` is the id of the sync job
    that makes them.
    """

    actor: str = ""
    origin: str = ""
    source: str = ""
    integration: str = ""
    job: str = ""


_attribution: ContextVar[Attribution] = ContextVar("attribution", default=Attribution())  # noqa: B039  (frozen)


def who() -> Attribution:
    """Returns who is making changes now."""
    return _attribution.get()


def current_actor() -> str:
    """Returns who is making changes now; "" if nobody has said."""
    return who().actor


_BY_KEY = "API key "


def by_key(name: str) -> str:
    """Returns how the change log names an API key."""
    return f"{_BY_KEY}{name}"


def is_by_key(actor: str) -> bool:
    return actor.startswith(_BY_KEY)


def key_name(actor: str) -> str:
    """Returns the name of the key that the change log names so."""
    return actor.removeprefix(_BY_KEY)


@contextlib.contextmanager
def attributed(
    actor: str | None = None,
    origin: str | None = None,
    source: str | None = None,
    integration: str | None = None,
    job: str | None = None,
) -> Iterator[None]:
    """Writes all changes made inside down as made by `actor` and coming from `origin`.

    What is not given stays as an enclosing `attributed` has it.
    """
    given = {"actor": actor, "origin": origin, "source": source, "integration": integration, "job": job}
    said = {name: value for name, value in given.items() if value is not None}
    token = _attribution.set(replace(who(), **said))
    try:
        yield
    finally:
        _attribution.reset(token)
