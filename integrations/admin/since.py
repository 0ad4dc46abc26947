"""What the first page says of the time since this person last looked."""

from typing import Any

from django.utils import timezone

from fieldcamp.desk.users import DeskUser
from fieldcamp.workspace.admin.audit_words import names_of, sentence
from integrations.selectors.since import look, since_then


def since_context(desk_user: DeskUser) -> dict[str, Any]:
    """Returns what came about since this person's last sitting, and notes that they look; nothing the first time, and
    for an operator who belongs to no company."""
    if desk_user.member is None:
        return {"then": None}
    now = timezone.now()
    since = look(desk_user.member, now)
    if since is None:
        return {"then": None}
    then = since_then(desk_user.member.workspace, since, now, trail=desk_user.may("settings"))
    names = names_of(desk_user, (entry.actor for entry in then.entries))
    return {
        "then": then,
        "entries": [(entry, sentence(entry, names)) for entry in then.entries],
        "more_entries": then.entries_number - len(then.entries),
        "more_opened": then.opened_number - len(then.opened),
    }
