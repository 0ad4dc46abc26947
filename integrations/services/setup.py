"""Binding a connection to a member and to calendars: nothing syncs before that."""

from collections.abc import Callable
from typing import Any

import structlog
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace.models import Member, Workspace
from integrations.accounts.acting import Actor
from integrations.accounts.audit_trail import audit_connection
from integrations.accounts.clients import open_remote
from integrations.calendar import busy
from integrations.events.connections import connection_moved
from integrations.kinds import CUSTOMER, VISIT
from integrations.ledger.containers import end_stream_problems
from integrations.ledger.dirty import write_rows
from integrations.models import ConflictPolicy, Connection, ConnectionState, Direction, Link, Stream
from integrations.providers import PROVIDERS
from integrations.records import Container, Lack

log = structlog.get_logger(__name__)

# What the forms say, too.
CHOOSE_TARGET = _("Choose a calendar of this account for the visits.")
NO_TARGET = {
    Lack.CHANGE: _("This account may only read that calendar. Choose one that it may change."),
    Lack.READ: _("This account may not see the events of that calendar. Choose one that it may change."),
}
CHOOSE_DIRECTION = _("Choose one of the directions.")
CHOOSE_WINNER = _("Choose who wins.")


class SetupError(Exception):
    """A choice that cannot be taken; `field` is the one to correct, "" if what stands against it is none of them, but
    how the connection is by now."""

    def __init__(self, field: str, message: Any):
        self.field = field
        super().__init__(message)


def list_containers(connection: Connection) -> list[Container]:
    """Returns the account's calendars, asked of the provider. Raises ProviderError."""
    return open_remote(connection).containers()


def suggest_member(connection: Connection) -> Member | None:
    """Returns whose calendar it probably is: the active member with the account's e-mail address."""
    members = Member.objects.filter(workspace_id=connection.workspace_id, is_active=True)
    return members.filter(email__iexact=connection.account_name).first()


def set_up(
    *,
    connection: Connection,
    member: Member,
    target_container_id: str,
    busy_container_ids: list[str],
    direction: str = Direction.TWO_WAY,
    policy: str = ConflictPolicy.LOCAL,
    keep_busy: bool = False,
    user: Actor | AnonymousUser | None = None,
    unchanged: Callable[[], None] | None = None,
) -> Connection:
    """Binds the connection to its member and calendars; from now on it syncs. `keep_busy`: the busy times of calendars
    that are read no more stay as they are. `unchanged` is called under the connection's lock, before anything is
    written. Raises SetupError, ProviderError, and what `unchanged` raises."""
    _must_be_connected(connection)
    if member.workspace_id != connection.workspace_id or not member.is_active:
        raise SetupError("member", gettext("Choose a person of this company who is active."))
    if direction not in Direction.values:
        raise SetupError("direction", CHOOSE_DIRECTION)
    if policy not in ConflictPolicy.values:
        raise SetupError("policy", CHOOSE_WINNER)
    known = {container.id: container for container in list_containers(connection)}
    if target_container_id not in known:
        raise SetupError("target", CHOOSE_TARGET)
    target = known[target_container_id]
    if target.lacks and direction != Direction.PULL:
        raise SetupError("target", NO_TARGET[target.lacks])
    if unknown := [id for id in busy_container_ids if id not in known]:
        raise SetupError("busy", gettext("{name} is no calendar of this account.").format(name=unknown[0]))
    already = set(connection.streams.filter(is_active=True, reads_busy=True).values_list("container_id", flat=True))
    if hidden := [known[id] for id in busy_container_ids if not known[id].readable and id not in already]:
        raise SetupError("busy", gettext("This account may not see the events in {name}.").format(name=hidden[0].name))
    with transaction.atomic():
        connection = Connection.objects.select_for_update().get(pk=connection.pk)
        if unchanged:
            unchanged()
        _must_be_connected(connection)  # while the provider was asked somebody may have disconnected it
        if other_connections(connection, member.pk).exists():
            taken = gettext("{member} has another {provider} account connected. Disconnect that one first.")
            raise SetupError("member", taken.format(member=member, provider=PROVIDERS[connection.integration].label))
        if connection.member_id not in (None, member.pk):
            for stream in connection.streams.all():
                busy.forget(stream)
            forget_calendars(connection)  # everything is read again, for the other person
        before = _choices(connection)
        chosen = {target_container_id, *busy_container_ids}
        _let_go(connection, target_container_id, busy_container_ids, keep_busy)
        for container_id in chosen:
            _save_stream(
                connection,
                known[container_id],
                is_target=container_id == target_container_id,
                reads_busy=container_id in busy_container_ids,
                direction=direction if container_id == target_container_id else Direction.PULL,
                policy=policy,
            )
        connection.member = member
        state = connection.state
        if state == ConnectionState.SETUP:
            connection.fresh_from = timezone.now()
        connection.state = ready_state(connection)
        connection.state_reason = ""
        connection.save(update_fields=["member", "state", "state_reason", "fresh_from"])
        connection_moved(connection, state, user=user)
        audit_connection("set_up", connection, user, before=before, after=_choices(connection))
    log.info("connection_set_up", connection_id=connection.pk, member_id=member.pk, calendars=len(chosen))
    return connection


def _must_be_connected(connection: Connection) -> None:
    if connection.state not in (ConnectionState.SETUP, ConnectionState.ACTIVE, ConnectionState.PAUSED):
        raise SetupError("", gettext("Connect this account again first."))


def _choices(connection: Connection) -> dict[str, Any]:
    streams = list(connection.streams.filter(is_active=True).order_by("container_id"))
    target = next((stream for stream in streams if stream.is_target), None)
    return {
        "member": str(connection.member) if connection.member else None,
        "target": str(target) if target else None,
        "busy": [str(stream) for stream in streams if stream.reads_busy],
        "direction": target.direction if target else None,
        "policy": target.policy if target else None,
    }


def _let_go(connection: Connection, target_container_id: str, busy_container_ids: list[str], keep_busy: bool) -> None:
    """Calendars that lose a part: busy time that is not read any more goes now, if it is not to be kept; events go at
    the next sync, which closes the calendar behind them (`StreamLedger.finish`)."""
    for stream in connection.streams.filter(is_active=True):
        if stream.reads_busy and stream.container_id not in busy_container_ids:
            stream.connection = connection
            if not keep_busy:
                busy.forget(stream)
            stream.reads_busy = False
        if stream.is_target and stream.container_id != target_container_id:
            stream.is_target = False
            events = Link.objects.live().linked().filter(stream=stream, kind=VISIT.name)
            write_rows((stream.pk, record_id, 0) for record_id in events.values_list("record_id", flat=True))
        if not (stream.is_target or stream.reads_busy):  # what is wrong with it concerns nobody any more
            stream.connection = connection
            end_stream_problems(stream)
        stream.is_active = stream.is_target or stream.reads_busy or stream.dirty_rows.exists()
        stream.save(update_fields=["reads_busy", "is_target", "is_active"])


def _save_stream(connection: Connection, container: Container, **choices) -> None:
    stream, _ = Stream.objects.get_or_create(
        connection=connection, container_id=container.id, defaults={"container_name": container.name, **choices}
    )
    if (choices["reads_busy"] and not stream.reads_busy) or (choices["is_target"] and not stream.is_target):
        # What was passed over until now has to be read.
        stream.cursor, stream.window_end = "", None
    if choices["direction"] != stream.direction and stream.direction != Direction.TWO_WAY:
        stream.cursor, stream.window_end = "", None  # what the old direction held back is found by reading everything
    stream.container_name, stream.is_active = container.name, True
    for name, value in choices.items():
        setattr(stream, name, value)
    stream.save()


def ready_state(connection: Connection) -> ConnectionState:
    """Returns what a connection with a good grant is: what a person has paused stays so."""
    streams = connection.streams.filter(is_active=True)
    if not streams.exists() or (streams.exclude(kind="").exists() and other_books(connection).exists()):
        return ConnectionState.SETUP
    return ConnectionState.PAUSED if connection.paused_by_person else ConnectionState.ACTIVE


def other_connections(connection: Connection, member_id: str):
    others = Connection.objects.filter(member_id=member_id, integration=connection.integration)
    return others.connected().exclude(pk=connection.pk)


def taken_members(connection: Connection) -> set[str]:
    """Returns the people who have another account of this provider connected: nobody has two."""
    others = Connection.objects.filter(workspace_id=connection.workspace_id, integration=connection.integration)
    ids = others.connected().exclude(pk=connection.pk).filter(member__isnull=False)
    return set(ids.values_list("member_id", flat=True))


def keeps_books(connection: Connection) -> bool:
    """Returns whether it is a company's books, not somebody's calendar."""
    return CUSTOMER.name in PROVIDERS[connection.integration].kinds


def other_books(connection: Connection):
    """Returns other companies of the same provider: an invoice is posted in the books of one only."""
    others = Connection.objects.filter(workspace_id=connection.workspace_id, integration=connection.integration)
    ready = others.exclude(pk=connection.pk).connected()
    return ready.filter(streams__is_active=True).exclude(streams__kind="").distinct()


def kept_elsewhere(connection: Connection) -> bool:
    """Returns whether another workspace has the same company connected: both would write into the same books."""
    same = Connection.objects.connected().same_account(connection).filter(streams__is_active=True)
    return same.exclude(workspace_id=connection.workspace_id).exists()


def books_of(workspace: Workspace, integration: str) -> Connection | None:
    """Returns the company of this provider that the workspace keeps its books in already."""
    ready = Connection.objects.connected().filter(workspace=workspace, integration=integration, streams__is_active=True)
    return ready.exclude(streams__kind="").first()


def forget_calendars(connection: Connection) -> None:
    connection.streams.update(is_active=False, cursor="", full_mark="", full_cursor="", window_end=None)
