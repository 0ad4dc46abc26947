"""What each role may do at the desk."""

from fieldcamp.workspace.models import Member, Role

_VIEWER = {"view"}
_STAFF = _VIEWER | {"sync", "retry", "ignore"}
_ADMIN = _STAFF | {"connect", "disconnect", "settings"}
_OWNER = _ADMIN | {"keys", "erase"}

MAY: dict[str, frozenset[str]] = {
    Role.VIEWER: frozenset(_VIEWER),
    Role.STAFF: frozenset(_STAFF),
    Role.ADMIN: frozenset(_ADMIN),
    Role.OWNER: frozenset(_OWNER),
}
ACTIONS = MAY[Role.OWNER]


def may(member: Member | None, action: str) -> bool:
    """Returns whether this member may do this: somebody inactive, or nobody, may do nothing. ValueError if it is no
    action."""
    if action not in ACTIONS:
        raise ValueError(f"{action!r} is not an action; there are {', '.join(sorted(ACTIONS))}.")
    return member is not None and member.is_active and action in MAY[member.role]
