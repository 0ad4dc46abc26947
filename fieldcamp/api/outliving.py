"""What keys have made that goes on without them: webhooks. They stand above and register themselves here."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fieldcamp.api.models import ApiKey


@dataclass(frozen=True, slots=True)
class Outliving:
    """Things that keys have made: `of` returns their names by id, `stop` ends what they do and returns their ids."""

    of: Callable[[ApiKey], dict[str, str]]
    stop: Callable[[ApiKey], Sequence[str]]


_registered: list[Outliving] = []


def register_outliving(things: Outliving) -> None:
    if things not in _registered:
        _registered.append(things)


def made_with(keys: Iterable[ApiKey]) -> dict[str, str]:
    """Returns the names of what these keys have made and of what goes on without them, by id."""
    return {pk: name for key in keys for each in _registered for pk, name in each.of(key).items()}


def stop_made_with(keys: Iterable[ApiKey]) -> list[str]:
    """Stops what these keys have made; the ids of what was stopped."""
    return [pk for key in keys for each in _registered for pk in each.stop(key)]
