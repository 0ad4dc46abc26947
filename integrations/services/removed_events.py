"""What a person decides about a visit whose event was removed from its calendar."""

from django.db import transaction
from django.utils import timezone

from fieldcamp.workspace.models import Visit, VisitStatus
from fieldcamp.workspace.services import update_visit
from fieldcamp.workspace.tracking import attributed
from integrations.accounts.audit_trail import audit_connection
from integrations.errors import ProblemCode
from integrations.kinds import VISIT
from integrations.ledger.dirty import write_rows
from integrations.models import Link, Problem, SyncJob
from integrations.services.decisions import AlreadyDecided
from integrations.services.jobs import NotConnected, SyncInProgress, trigger_sync
from integrations.sync.policy import RemovalChoice


def put_back(*, problem: Problem, actor: str, by_api: bool = False) -> SyncJob | None:
    """Makes the event again. Starts a job about just that one; while another runs, or none
    can (None), the next carries it out.
    Raises AlreadyDecided."""
    with transaction.atomic(), attributed(actor=actor):
        link = _decide(problem, RemovalChoice.PUT_BACK)
        write_rows([(link.stream_id, link.record_id, 0)])  # a run of everything passes over what is history
        audit_connection("event_put_back", link.stream.connection, None, after={"visit": link.record_id})
    connection = link.stream.connection
    try:
        return trigger_sync(
            workspace=connection.workspace,
            integration=connection.integration,
            connection=connection,
            only=[link.pk],
            triggered_by=SyncJob.Trigger.API if by_api else SyncJob.Trigger.ADMIN,
            actor=actor,
        )
    except (SyncInProgress, NotConnected):
        return None


def leave_removed(*, problem: Problem, actor: str) -> None:
    """Leaves it removed, also at a full sync; an edit of the visit makes it again. Raises AlreadyDecided."""
    with transaction.atomic(), attributed(actor=actor):
        link = _decide(problem, RemovalChoice.CUT)
        audit_connection("event_left_removed", link.stream.connection, None, after={"visit": link.record_id})


def cancel_visit(*, problem: Problem, actor: str) -> None:
    """Cancels the visit. Raises AlreadyDecided, InvalidTransition."""
    with transaction.atomic(), attributed(actor=actor):
        link = _decide(problem, RemovalChoice.CUT)
        changes = {"visit_status": VisitStatus.CANCELLED}
        try:
            update_visit(workspace=problem.workspace, visit_id=link.record_id, changes=changes)
        except Visit.DoesNotExist:
            raise AlreadyDecided from None


def _decide(problem: Problem, choice: RemovalChoice) -> Link:
    """Writes the choice down with the link of the event, and ends the problem."""
    mine = Problem.objects.open().filter(pk=problem.pk, code=ProblemCode.EVENT_REMOVED)
    if not mine.update(resolved_at=timezone.now()):
        raise AlreadyDecided
    links = Link.objects.select_for_update(of=("self",)).select_related("stream__connection__workspace")
    gone = links.filter(stream__connection=problem.connection, kind=VISIT.name, record_id=problem.record_id)
    link = gone.exclude(cut_at=None).order_by("-cut_at", "-pk").first()
    if link is None or Link.objects.live().filter(stream=link.stream, record_id=link.record_id).exists():
        raise AlreadyDecided
    link.decision = {"removal": choice}
    link.save(update_fields=["decision"])
    return link
