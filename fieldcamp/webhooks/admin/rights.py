"""Who sees and does what with webhooks at the desk: everybody sees how they do; what was sent is for those who work
with the records, what was answered and every change for those who manage."""

from fieldcamp.api.scopes import SCOPES
from fieldcamp.desk.users import DeskUser

# What a role needs to have events of a scope sent somewhere. Every other scope reads what each role sees at the desk.
_NEEDS = {"webhooks:read": "settings"}


def may_change(desk_user: DeskUser) -> bool:
    """Returns whether the person makes, changes, tests and resends; sees answers, signed requests and fresh secrets."""
    return desk_user.may("settings")


def may_see_payloads(desk_user: DeskUser) -> bool:
    """Returns whether the person sees what was sent: a viewer does not, whose role is for looking at the schedule."""
    return desk_user.may("sync")


def scopes_of(desk_user: DeskUser) -> list[str]:
    """Returns the scopes that a webhook of the person's making gets: those of reading, as far as the role sees it."""
    if not desk_user.may("view"):
        return []
    return [scope for scope in SCOPES if scope.endswith(":read") and desk_user.may(_NEEDS.get(scope, "view"))]
