"""Which events an endpoint wants: exact types, all of a resource (`visit.*`), or everything (`*`). Pure."""

from collections.abc import Collection, Iterable

from fieldcamp.webhooks.event_types import EVENT_TYPES, EventType

EVERYTHING = "*"
# What a pattern leaves out, since hardly anybody wants it: it has to be asked for by its name.
_NOT_OF_RESOURCE = frozenset({"sync.started"})
_NOT_OF_EVERYTHING = frozenset({"change.detected"})
# Sent when somebody asks for it, and never by a subscription.
ON_REQUEST = "webhook.test"
PATTERNS = (EVERYTHING, *dict.fromkeys(f"{each.resource}.*" for each in EVENT_TYPES.values()))
KNOWN = frozenset({*PATTERNS, *EVENT_TYPES})


def wants(events: Iterable[str], event_type: str) -> bool:
    """Returns whether these exact types and patterns name the type. A pattern also takes types that come later."""
    resource = event_type.partition(".")[0]
    return event_type != ON_REQUEST and any(
        each == event_type
        or (each == EVERYTHING and event_type not in _NOT_OF_EVERYTHING)
        or (each == f"{resource}.*" and event_type not in _NOT_OF_RESOURCE)
        for each in events
    )


def subscribed(events: Collection[str], scopes: Collection[str]) -> list[EventType]:
    """Returns the types that are sent for these subscriptions where these scopes are had."""
    return [each for each in EVENT_TYPES.values() if each.scope in scopes and wants(events, each.name)]


def lacking(events: Iterable[str], scopes: Collection[str]) -> str | None:
    """Returns a scope without which one of the subscriptions would say nothing; None where each says something.

    An exact type needs its scope, a pattern that of at least one of its types.
    """
    for each in events:
        needed = [found.scope for found in EVENT_TYPES.values() if wants([each], found.name)]
        if needed and not any(scope in scopes for scope in needed):
            return needed[0]
    return None


def overlaps(mine: Collection[str], its: Collection[str]) -> bool:
    """Returns whether some type is named by both."""
    return any(wants(mine, name) and wants(its, name) for name in EVENT_TYPES)
