"""What a person decides about a visit whose event was removed from its calendar."""

from django.db import transaction
from django.utils import timezone

from fieldcamp.workspace.models import Visit, VisitStatus
from fieldcamp.workspace.services import update_visit
from fieldcamp.workspace.tracking import attributed
from integrations.accounts.acting import Actor
from integrations.accounts.audit_trail import audit_connection
from integrations.errors import ProblemCode
from integrations.kinds import VISIT
from integrations.ledger.dirty import write_rows
from integrations.ledger.problems import resolve
from integrations.models import Link, Problem, SyncJob
from integrations.services.decisions import AlreadyDecided, ToSync, carry_out
from integrations.sync.policy import RemovalChoice


def put_back(*, problem: Problem, user: Actor) -> SyncJob | None:
    """Makes the event again. Tried at once, as `carry_out` does. Raises AlreadyDecided."""
    return carry_out([settle_put_back(problem=problem, user=user)], user)


def settle_put_back(*, problem: Problem, user: Actor) -> ToSync:
    """Writes down that the event is made again. Raises AlreadyDecided."""
    with transaction.atomic(), attributed(actor=user.get_username()):
        link = _decide(problem, RemovalChoice.PUT_BACK)
        write_rows([(link.stream_id, link.record_id, 0)])  # a run of everything passes over what is history
        audit_connection("event_put_back", link.stream.connection, None, after={"visit": link.record_id})
    return ToSync(link.stream.connection, [link.pk])


def leave_removed(*, problem: Problem, user: Actor) -> None:
    """Leaves it removed, also at a full sync; an edit of the visit makes it again. Raises AlreadyDecided."""
    with transaction.atomic(), attributed(actor=user.get_username()):
        link = _decide(problem, RemovalChoice.CUT)
        audit_connection("event_left_removed", link.stream.connection, None, after={"visit": link.record_id})


def cancel_visit(*, problem: Problem, user: Actor) -> None:
    """Cancels the visit. Raises AlreadyDecided, InvalidTransition."""
    with transaction.atomic(), attributed(actor=user.get_username()):
        link = _decide(problem, RemovalChoice.CUT)
        changes = {"visit_status": VisitStatus.CANCELLED}
        try:
            update_visit(workspace=problem.workspace, visit_id=link.record_id, changes=changes)
        except Visit.DoesNotExist:
            raise AlreadyDecided from None


def _decide(problem: Problem, choice: RemovalChoice) -> Link:
    """Writes the choice down with the link of the event, and ends the problem."""
    mine = Problem.objects.open().filter(pk=problem.pk, code=ProblemCode.EVENT_REMOVED)
    if not resolve(mine, now=timezone.now()):
        raise AlreadyDecided
    links = Link.objects.select_for_update(of=("self",)).select_related("stream__connection__workspace")
    gone = links.filter(stream__connection=problem.connection, kind=VISIT.name, record_id=problem.record_id)
    link = gone.exclude(cut_at=None).order_by("-cut_at", "-pk").first()
    if link is None or Link.objects.live().filter(stream=link.stream, record_id=link.record_id).exists():
        raise AlreadyDecided
    link.decision = {"removal": choice}
    link.save(update_fields=["decision"])
    return link
