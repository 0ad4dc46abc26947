"""Marks on views that are kept by `fieldcamp.signin.middleware`, which knows passwords, factors and sessions.

A mark is an attribute of the view, which every decorator that wraps as `functools.wraps` does hands on.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

View = TypeVar("View", bound=Callable[..., Any])
Admin = TypeVar("Admin", bound=type[Any])

CONFIRMED = "desk_confirmed"
THROTTLED = "desk_throttled"


def confirmed(view: View) -> View:
    """Marks a view whose deeds (POST and the like) are done for whoever has signed in, or given password or factor
    again, within the last minutes. Everybody else is asked first, and what they have posted goes on after that."""
    return _marked(view, CONFIRMED, "deeds")


def confirmed_admin(model_admin: Admin) -> Admin:
    """Marks all deeds of an admin class as `confirmed`."""
    for name in ("add_view", "change_view", "delete_view", "changelist_view", "user_change_password"):
        if view := getattr(model_admin, name, None):
            setattr(model_admin, name, confirmed(view))
    return model_admin


def confirmed_to_see(view: View) -> View:
    """Marks a view that shows a secret: as `confirmed`, also when it is only looked at."""
    return _marked(view, CONFIRMED, "all")


def throttled(view: View) -> View:
    """Marks a view that may be posted to a few times a minute from one address."""
    return _marked(view, THROTTLED, True)


def _marked(view: View, mark: str, value: Any) -> View:
    """Returns the view in a wrapper of its own: one that a class has inherited belongs to others, too."""

    @wraps(view)
    def marked(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    setattr(marked, mark, value)
    return cast(View, marked)
