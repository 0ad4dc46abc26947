"""Buttons as data: what they say, where they lead, and whether they change something (then they post)."""

from dataclasses import dataclass, field, replace

from django.urls import reverse
from django.utils.translation import gettext

from fieldcamp.desk.users import DeskUser
from integrations.accounts.rights import Rights, rights_of
from integrations.models import Connection, ConnectionState, SyncJob
from integrations.providers import PROVIDERS


@dataclass(frozen=True)
class Button:
    """`key` makes the element's id, so that the focus stays on it when a fragment is replaced."""

    key: str
    label: str
    url: str
    post: bool = True
    tone: str = ""  # "", primary, danger
    fields: dict[str, str] = field(default_factory=dict)
    about: str = ""  # what a screen reader adds to the label
    swaps: bool = False  # the problem's card is replaced by what came of it; without scripts the page is loaded anew

    def plain(self) -> "Button":
        """Returns the same without a colour, for a menu."""
        return replace(self, tone="")

    def renamed(self, label: str) -> "Button":
        return replace(self, label=label)

    def keyed(self, key: str) -> "Button":
        """Returns the same for another place of the page."""
        return replace(self, key=key)


def rights_at(desk_user: DeskUser) -> Rights:
    """Returns what the person may do with connections in the desk user's workspace."""
    rights = getattr(desk_user, "_rights", None)
    if rights is None:
        none = Rights(manages=False, member=None)
        rights = rights_of(desk_user.user, desk_user.workspace) if desk_user.workspace else none
        desk_user._rights = rights  # type: ignore[attr-defined]  # asked for by each card of a page
    return rights


def connect_button(slug: str, label: str = "", tone: str = "primary") -> Button:
    return Button(
        f"connect-{slug}",
        label or gettext("Connect"),
        reverse("integrations:connect", args=[slug]),
        post=False,
        tone=tone,
    )


def reconnect_button(connection: Connection, key: str = "") -> Button:
    provider = PROVIDERS[connection.integration]
    return Button(
        f"{key}reconnect-{connection.pk}",
        gettext("Reconnect"),
        reverse("integrations:connect", args=[provider.slug]),
        tone="primary",
        fields={"connection": connection.pk},
        about=connection.account_name,
    )


def _of(connection: Connection, verb: str, label: str, *, post: bool = True, tone: str = "") -> Button:
    url = reverse(f"integrations:{verb}", args=[connection.pk])
    return Button(f"{verb}-{connection.pk}", label, url, post=post, tone=tone, about=connection.account_name)


def connection_buttons(connection: Connection, desk_user: DeskUser, rights: Rights) -> list[Button]:
    """Returns what this person may do with the connection as it stands."""
    state = connection.state
    found: list[Button] = []
    if rights.may_change(connection):
        if state in (ConnectionState.NEEDS_RECONNECT, ConnectionState.NEEDS_PERMISSION, ConnectionState.DISCONNECTED):
            found.append(reconnect_button(connection))
        if connection.state_now == ConnectionState.MEMBER_INACTIVE:
            found.append(_of(connection, "leaving", gettext("Decide what becomes of it"), post=False, tone="primary"))
        if state == ConnectionState.SETUP:
            found.append(_of(connection, "setup", gettext("Finish setting up"), post=False, tone="primary"))
        if connection.usable:
            found.append(pause_button(connection))
            found.append(_of(connection, "settings", gettext("Settings"), post=False))
        if state != ConnectionState.DISCONNECTED:
            found.append(_of(connection, "disconnect", gettext("Disconnect"), post=False, tone="danger"))
    elif connection.usable:
        found.append(_of(connection, "settings", gettext("Settings"), post=False))
    return found


def pause_button(connection: Connection) -> Button:
    """Returns pause or resume, for a usable connection: the one of the two that changes something."""
    if connection.state == ConnectionState.PAUSED:
        return _of(connection, "resume", gettext("Resume"), tone="primary")
    return _of(connection, "pause", gettext("Pause"))


def sync_button(connection: Connection, desk_user: DeskUser) -> Button | None:
    if not (connection.usable and desk_user.may("sync")):
        return None
    return _of(connection, "sync", gettext("Sync now"))


def cancel_button(job: SyncJob) -> Button:
    return Button(
        f"cancel-{job.pk}", gettext("Cancel"), reverse("integrations:cancel", args=[job.pk]), about=gettext("this sync")
    )
