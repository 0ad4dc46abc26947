"""Leaving an account, or a person's account: what becomes of FieldCamp's events there, of the busy times that were read
from it, and of the person's coming visits."""

from dataclasses import dataclass

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace.errors import InvalidFields
from fieldcamp.workspace.models import Member
from fieldcamp.workspace.services import update_visit
from fieldcamp.workspace.tracking import attributed
from integrations.accounts.acting import Actor, job_fields
from integrations.accounts.audit_trail import audit_connection
from integrations.accounts.disconnecting import disconnect
from integrations.accounts.leaving import (
    Left,
    busy_times_of,
    coming_visits,
    forget_busy_times,
    streams_to_leave,
    what_is_left,
)
from integrations.errors import ProblemCode
from integrations.ledger.problems import resolve_problems
from integrations.models import Connection, ConnectionState, SyncJob
from integrations.queue.enqueue import SyncInProgress, active_job, create_job
from integrations.services.setup import SetupError, keeps_books

__all__ = ["LeaveChoices", "Left", "busy_times_of", "can_remove_events", "leave", "new_technicians", "what_is_left"]

NO_ACCESS = _(
    "FieldCamp has no access to this account at present, so its events cannot be removed. Leave them there, or connect "
    "the account again first."
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LeaveChoices:
    """What a person has chosen. Without any choice everything stays where it is."""

    remove_events: bool = False
    remove_busy: bool = False
    visits_to: Member | None = None


def can_remove_events(connection: Connection) -> bool:
    """Returns whether FieldCamp still has access to the account, which it takes to remove anything from it."""
    return connection.usable or connection.state_now == ConnectionState.MEMBER_INACTIVE


def new_technicians(connection: Connection) -> list[Member]:
    """Returns who can take over the person's visits."""
    people = Member.objects.filter(workspace=connection.workspace_id, is_technician=True, is_active=True)
    return list(people.exclude(pk=connection.member_id or ""))


def leave(
    *, connection: Connection, choices: LeaveChoices, user: Actor, disconnecting: bool
) -> tuple[Connection, SyncJob | None]:
    """Carries out what was chosen for an account that is disconnected, or whose person has left.

    Visits and busy times change at once. Events are removed by a job (None: none is needed), after which the account is
    disconnected; while another job runs, it is that one's successor. Asked for twice, it is done once. Raises
    InvalidFields, and SetupError where events are to be removed from an account that FieldCamp has no access to.
    """
    job = None
    if choices != LeaveChoices() and keeps_books(connection):
        raise InvalidFields.of("", gettext("Books have neither events nor busy times, and no person's visits."))
    with transaction.atomic(), attributed(actor=user.get_username()):
        connection = Connection.objects.select_for_update().get(pk=connection.pk)
        if disconnecting and choices == LeaveChoices() and connection.state == ConnectionState.DISCONNECTED:
            return connection, None
        if (
            choices == LeaveChoices(remove_events=True)
            and (connection.leaving or {}).get("disconnect") is disconnecting
        ):
            return connection, active_job(connection.workspace, connection.integration)
        left_there = choices.remove_events and streams_to_leave(connection).exists()
        if left_there and not can_remove_events(connection):
            raise SetupError("", NO_ACCESS)
        if choices.visits_to is not None:
            _reassign(connection, choices.visits_to)
        if choices.remove_busy:
            forget_busy_times(connection)
        resolve_problems(connection, now=timezone.now(), codes=[ProblemCode.MEMBER_INACTIVE])
        if left_there:
            connection.leaving = {"disconnect": disconnecting, "by": user.get_username(), "tries": 0}
            connection.state_reason = "FieldCamp's events are being removed from the calendar."
            connection.retry_at = None
            connection.save(update_fields=["leaving", "state_reason", "retry_at"])
            job = _job(connection, user)
        audit_connection(
            "left",
            connection,
            user,
            after={
                "events": "removed" if left_there else "left there",
                "busy_times": "removed" if choices.remove_busy else "kept",
                "visits_to": str(choices.visits_to) if choices.visits_to else None,
            },
        )
    log.info("connection_left", connection_id=connection.pk, disconnecting=disconnecting, removes=left_there)
    if disconnecting and not left_there:
        connection = disconnect(connection=connection, user=user)
    return connection, job


def _job(connection: Connection, user: Actor) -> SyncJob | None:
    try:
        return create_job(
            workspace=connection.workspace,
            integration=connection.integration,
            connection=connection,
            **job_fields(user),
        )
    except SyncInProgress:  # the schedule starts it right after that one
        return active_job(connection.workspace, connection.integration)


def _reassign(connection: Connection, member: Member) -> None:
    if connection.member_id is None:
        raise InvalidFields.of("visits_to", gettext("This account is nobody's yet, so there are no visits of theirs."))
    if member not in new_technicians(connection):
        raise InvalidFields.of("visits_to", gettext("Choose another technician of this company who is active."))
    for visit_id in list(coming_visits(connection).values_list("pk", flat=True)):
        update_visit(workspace=connection.workspace, visit_id=visit_id, changes={"technician_id": member.pk})
