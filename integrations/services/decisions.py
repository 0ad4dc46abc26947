"""What a person decides about single records: held removals, conflicts, refused records. Each is tried at once."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.models import Workspace
from integrations.accounts.audit_trail import audit_connection
from integrations.errors import ProblemCode
from integrations.ledger.problems import resolve_problems
from integrations.models import Hold, Link, Problem, Stream, SyncJob
from integrations.services.jobs import SyncInProgress, trigger_sync
from integrations.sync.policy import RemovalChoice, Winner

SIDES = (Winner.LOCAL, Winner.REMOTE)


class AlreadyDecided(Exception):
    """Somebody else was faster, or there is nothing left to decide."""

    def __init__(self) -> None:
        super().__init__(gettext("This has been decided already. Reload the page to see how."))


def decide_hold(*, hold: Hold, decision: str, user: AbstractBaseUser) -> SyncJob | None:
    """Confirms held removals or puts the events back: exactly the held ones.

    Starts a job about just these records. While another job is running there is no such job (None): the decision is
    saved with the records, and the next run carries it out.
    """
    if decision not in Hold.Decision.values:
        raise ValueError(f"{decision!r} is no decision.")
    removal = RemovalChoice.CUT if decision == Hold.Decision.CONFIRM else RemovalChoice.PUT_BACK
    with transaction.atomic():
        decided = Hold.objects.filter(pk=hold.pk, decision="").update(
            decision=decision, decided_at=timezone.now(), decided_by=user
        )
        if not decided:
            raise AlreadyDecided
        links = list(Link.objects.select_for_update().filter(hold=hold))
        for link in links:
            link.hold, link.decision, link.unsettled = None, {"removal": removal}, True
        Link.objects.save_many(links, ["hold", "decision", "unsettled"])
        resolve_problems(
            hold.stream.connection, now=timezone.now(), codes=[ProblemCode.CONFIRMATION_NEEDED], record_ids=[hold.pk]
        )
        audit_connection(
            "removals_decided", hold.stream.connection, user, after={"decision": decision, "removals": hold.removals}
        )
    return sync_links_now(hold.stream.connection, [link.pk for link in links], user)


def resolve_conflict(
    *, link: Link, choice: str | dict[str, str], user: AbstractBaseUser, remember: str = ""
) -> SyncJob | None:
    """Settles a conflict: `local`, `remote`, or a side for each field ({"start": "remote", …}).

    `remember` is the side that wins in this stream from now on, without asking.
    """
    sides = [choice] if isinstance(choice, str) else list(choice.values())
    if not sides or any(side not in SIDES for side in [*sides, remember or SIDES[0]]):
        raise ValueError("Choose FieldCamp's side or the other one.")
    decision: dict[str, Any] = {"winner": choice} if isinstance(choice, str) else {"fields": choice}
    with transaction.atomic():
        if not Link.objects.filter(pk=link.pk, parked=True).update(decision=decision, parked=False, unsettled=True):
            raise AlreadyDecided
        audit_connection("conflict_decided", link.stream.connection, user, after={"record": link.record_id, **decision})
        if remember:
            before = {"policy": Stream.objects.select_for_update().get(pk=link.stream_id).policy}
            Stream.objects.filter(pk=link.stream_id).update(policy=remember)
            after = {"policy": remember, "stream": str(link.stream)}
            audit_connection("policy_changed", link.stream.connection, user, before=before, after=after)
    return sync_links_now(link.stream.connection, [link.pk], user)


def retry(*, problem: Problem, user: AbstractBaseUser) -> SyncJob | None:
    """Tries one refused record again; a problem of a whole account is tried by syncing that account."""
    if problem.resolved_at is not None:
        raise AlreadyDecided
    if problem.link_id is None or problem.code == ProblemCode.AMOUNT_VARIANCE:  # whose other side has to be read again
        return _sync_account(problem, user)
    with transaction.atomic():
        Link.objects.filter(pk=problem.link_id).update(parked=False, unsettled=True)
        _note_problem("retried", problem, user)
    return sync_links_now(problem.connection, [problem.link_id], user)


def of_same_cause(problem: Problem) -> QuerySet[Problem]:
    """Returns the listed problems of this account's records that have the same code and reason, this one included."""
    reason = problem.data.get("reason") if isinstance(problem.data, dict) else None
    same = Problem.objects.listed().filter(connection=problem.connection_id, code=problem.code)
    return same.exclude(record_id="").filter(data__reason=reason) if reason else same.filter(pk=problem.pk)


def retry_cause(*, problem: Problem, user: AbstractBaseUser) -> SyncJob | None:
    """Tries again all records of this account that were refused for the same reason, in one sync. While another job is
    running there is no such job (None): the next run tries them."""
    if problem.resolved_at is not None or problem.connection is None:
        raise AlreadyDecided
    with transaction.atomic():
        links = of_same_cause(problem).filter(link__isnull=False).values("link")
        Link.objects.live().filter(pk__in=links, intent__isnull=True).update(parked=False, unsettled=True)
        _note_problem("all_retried", problem, user)
    try:
        return _sync_account(problem, user)
    except SyncInProgress:
        return None


def _sync_account(problem: Problem, user: AbstractBaseUser) -> SyncJob:
    return trigger_sync(
        workspace=problem.workspace,
        integration=problem.integration,
        connection=problem.connection,
        triggered_by=SyncJob.Trigger.ADMIN,
        actor=_name(user),
    )


def ignore(*, problem: Problem, user: AbstractBaseUser) -> None:
    """Takes a problem off the list until it occurs again; `unignore` brings it back."""
    with transaction.atomic():
        Problem.objects.open().filter(pk=problem.pk).update(ignored_at=timezone.now(), ignored_by=user)
        _note_problem("ignored", problem, user)


def unignore(*, problem: Problem, user: AbstractBaseUser) -> None:
    with transaction.atomic():
        Problem.objects.filter(pk=problem.pk).update(ignored_at=None, ignored_by=None)
        _note_problem("unignored", problem, user)


def dismiss_notices(*, workspace: Workspace, user: AbstractBaseUser) -> int:
    """Puts away everything that is merely good to know; how many that were."""
    now = timezone.now()
    open_ones = Problem.objects.notices().filter(workspace=workspace)
    with transaction.atomic():
        count = open_ones.update(ignored_at=now, ignored_by=user)
        if count:
            audit("problem.notices_dismissed", workspace_id=workspace.pk, after={"notices": count}, actor=_name(user))
    return count


def _facts(problem: Problem) -> dict[str, Any]:
    return {"problem": problem.code, "record": problem.record_id}


def _note_problem(action: str, problem: Problem, user: AbstractBaseUser) -> None:
    audit(
        f"problem.{action}",
        workspace_id=problem.workspace_id,
        object_id=problem.pk,
        object_name=problem.message,
        after=_facts(problem),
        actor=_name(user),
    )


def sync_links_now(connection, link_ids: list[int] | None, user: AbstractBaseUser) -> SyncJob | None:
    """Starts a job about just these links (None: about what waits). None where another job is running, whose successor
    carries it out."""
    try:
        return trigger_sync(
            workspace=connection.workspace,
            integration=connection.integration,
            connection=connection,
            only=link_ids,
            triggered_by=SyncJob.Trigger.ADMIN,
            actor=_name(user),
        )
    except SyncInProgress:
        return None


def _name(user: AbstractBaseUser) -> str:
    return user.get_username()
