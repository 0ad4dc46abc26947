"""What each role may do at the desk."""

from django.contrib.auth.models import User

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


def is_privileged(user: User | None) -> bool:
    """Returns whether the login has rights of its own, which no role of a company gives: those of an operator."""
    if user is None:
        return False
    return user.is_superuser or user.groups.exists() or user.user_permissions.exists()
