"""An account goes with its person: when they do not work here any more nothing of it is read or written, somebody is
asked once what becomes of the rest, and it goes on by itself when they are back."""

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.accounts.leaving import INACTIVE, what_is_left
from integrations.errors import MemberInactive, NeedsPermission, NeedsReconnect, ProblemCode
from integrations.events.connections import connection_moved
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import BROKEN, USABLE, Connection, ConnectionState

log = structlog.get_logger(__name__)


def follow_members(member_id: str = "") -> int:
    """Brings the state of accounts in line with whether their people are active (one person's, or all); how many have
    changed."""
    connections = Connection.objects.select_related("member", "workspace")
    if member_id:
        connections = connections.filter(member=member_id)
    left = connections.filter(state__in=USABLE, member__is_active=False)
    back = connections.filter(state=ConnectionState.MEMBER_INACTIVE).of_active_people()
    return sum(map(_leave, left)) + sum(map(_return, back))


def check_account(connection_id: str) -> bool:
    """Raises why an account may not be used any more, though it could when it was read: its person has left, or
    somebody has ended the access. Returns whether it is being left, for which it may be used."""
    names = ("state", "refused_at", "member__is_active", "account_name", "leaving")
    state, refused_at, active, name, leaving = Connection.objects.values_list(*names).get(pk=connection_id)
    doubtful = state in BROKEN and refused_at is not None  # our own conclusion, which this run may disprove
    if state == ConnectionState.NEEDS_PERMISSION and not doubtful:
        raise NeedsPermission(f"{name} lacks a permission since a moment ago.", proven=True)
    if state in (ConnectionState.NEEDS_RECONNECT, ConnectionState.DISCONNECTED) and not doubtful:
        raise NeedsReconnect(f"{name} is not connected any more since a moment ago.", proven=True)
    if active is False and leaving is None:
        raise MemberInactive("The person whose account it is is not active any more. Nothing is read or written.")
    return leaving is not None


def _moved(connection: Connection, rows: QuerySet[Connection], state: str, reason: str) -> bool:
    moved = rows.filter(pk=connection.pk).update(
        state=state, state_reason=reason[:300], retry_at=None, fresh_from=timezone.now()
    )
    if moved:
        connection_moved(Connection.objects.get(pk=connection.pk), connection.state)
    return bool(moved)


def _leave(connection: Connection) -> bool:
    reason = INACTIVE.format(member=connection.member)
    with transaction.atomic():
        rows = Connection.objects.filter(state__in=USABLE, member__is_active=False)
        if not _moved(connection, rows, ConnectionState.MEMBER_INACTIVE, reason):
            return False
        left = what_is_left(connection)
        question = (
            f"{connection.account_name}: {reason} Decide what becomes of {left.visits} coming visits, {left.events} "
            f"events that FieldCamp has made, and {left.busy} busy times."
        )
        open_problem(connection, ProblemCode.MEMBER_INACTIVE, question, now=timezone.now())
    log.info("connection_person_left", connection_id=connection.pk)
    return True


def _return(connection: Connection) -> bool:
    rows = Connection.objects.filter(state=ConnectionState.MEMBER_INACTIVE)
    state = ConnectionState.PAUSED if connection.paused_by_person else ConnectionState.ACTIVE
    with transaction.atomic():
        if not _moved(connection, rows, state, ""):
            return False
        resolve_problems(connection, now=timezone.now(), codes=[ProblemCode.MEMBER_INACTIVE])
    log.info("connection_person_back", connection_id=connection.pk)
    return True
