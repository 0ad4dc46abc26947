"""What a person decides about single records: held removals, conflicts, refused records. Each is tried at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.models import Workspace
from integrations.accounts.acting import Actor, KeyActor, job_fields, login_of
from integrations.accounts.audit_trail import audit_connection
from integrations.errors import ProblemCode
from integrations.events.jobs import hold_decided
from integrations.ledger.problems import resolve_problems
from integrations.models import Connection, Hold, Link, Problem, Stream, SyncJob
from integrations.selectors.standings import INFORMING
from integrations.services.jobs import NotConnected, SyncInProgress, trigger_sync
from integrations.services.plans import check_plain_trigger
from integrations.sync.policy import RemovalChoice, Winner

AT_ONCE = 5_000  # ids in one statement
SIDES = (Winner.LOCAL, Winner.REMOTE)


class AlreadyDecided(Exception):
    """Somebody else was faster, or there is nothing left to decide."""

    def __init__(self) -> None:
        super().__init__(gettext("This has been decided already. Reload the page to see how."))


class HeldMeanwhile(Exception):
    """There are not as many removals in the hold as the caller has seen: `count`. Nothing was decided."""

    def __init__(self, count: int):
        self.count = count
        sentence = gettext("It holds {count} removals now. Nothing was decided. Look at them, and send that number.")
        super().__init__(sentence.format(count=count))


@dataclass(frozen=True)
class ToSync:
    """What a decision leaves to a sync: these links of one account, which a `hold` has held, if any."""

    connection: Connection
    links: list[int] = field(default_factory=list)
    hold: Hold | None = None


def carry_out(decided: Sequence[ToSync], user: Actor) -> SyncJob | None:
    """Starts one job about just what these decisions of one integration leave to a sync. There is none (None) where
    nothing is left to it, and none while another runs or no account can sync: what was decided is saved with the
    records, and the next run carries it out."""
    links = [link for each in decided for link in each.links]
    accounts = {each.connection.pk: each.connection for each in decided if each.links}
    if not links:
        return None
    connection, *others = accounts.values()
    try:
        job = trigger_sync(
            workspace=connection.workspace,
            integration=connection.integration,
            connection=None if others else connection,
            only=links,
            **job_fields(user),
        )
    except (SyncInProgress, NotConnected):
        return None
    if holds := [each.hold.pk for each in decided if each.hold]:
        Hold.objects.filter(pk__in=holds).update(decided_job=job)
    return job


def decide_hold(
    *, hold: Hold, decision: str, user: Actor, expected: int | None = None, put_back: Collection[int] | None = None
) -> SyncJob | None:
    """Confirms held removals or puts the events back: exactly the held ones. Tried at once, as `carry_out` does."""
    done = settle_hold(hold=hold, decision=decision, user=user, expected=expected, put_back=put_back)
    return carry_out([done], user)


def settle_hold(
    *, hold: Hold, decision: str, user: Actor, expected: int | None = None, put_back: Collection[int] | None = None
) -> ToSync:
    """Writes down what becomes of held removals. `expected` is how many the person has seen, None where that is not
    known. Where they are left removed, the links `put_back` are put back all the same, as chosen one by one.
    Raises AlreadyDecided, HeldMeanwhile."""
    if decision not in Hold.Decision.values:
        raise ValueError(f"{decision!r} is no decision.")
    confirmed, kept = decision == Hold.Decision.CONFIRM, {*(put_back or ())}
    with transaction.atomic():
        # The hold first, then its links in order: as a sync does that holds more.
        locked = Hold.objects.select_for_update().filter(pk=hold.pk, decision="").first()
        if locked is None:
            raise AlreadyDecided
        if expected is not None and locked.removals != expected:
            raise HeldMeanwhile(locked.removals)
        hold.removals = locked.removals
        links = list(Link.objects.select_for_update().filter(hold=hold).order_by("pk"))
        left = [link.pk for link in links if confirmed and link.pk not in kept]
        Hold.objects.filter(pk=hold.pk).update(
            decision=decision, decided_at=timezone.now(), decided_by=login_of(user), left_removed=left
        )
        for link in links:
            removal = RemovalChoice.CUT if confirmed and link.pk not in kept else RemovalChoice.PUT_BACK
            link.hold, link.decision, link.unsettled = None, {"removal": removal}, True
        Link.objects.save_many(links, ["hold", "decision", "unsettled"])
        resolve_problems(
            hold.stream.connection, now=timezone.now(), codes=[ProblemCode.CONFIRMATION_NEEDED], record_ids=[hold.pk]
        )
        hold_decided(
            hold,
            decision,
            by_key=isinstance(user, KeyActor),
            actor=user.get_username(),
            request_id=getattr(user, "request_id", ""),
        )
        after = {"decision": decision, "removals": hold.removals}
        if confirmed and len(left) < len(links):
            after["put_back"] = len(links) - len(left)
        audit_connection("removals_decided", hold.stream.connection, user, after=after)
    return ToSync(hold.stream.connection, [link.pk for link in links], hold)


def resolve_conflict(*, link: Link, choice: str | dict[str, str], user: Actor, remember: str = "") -> SyncJob | None:
    """Settles a conflict: `local`, `remote`, or a side for each field ({"start": "remote", …}). Tried at once, as
    `carry_out` does.

    `remember` is the side that wins in this stream from now on, without asking.
    """
    return carry_out([settle_conflict(link=link, choice=choice, user=user, remember=remember)], user)


def settle_conflict(*, link: Link, choice: str | dict[str, str], user: Actor, remember: str = "") -> ToSync:
    """Writes down which side of a conflict is right. Raises AlreadyDecided."""
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
    return ToSync(link.stream.connection, [link.pk])


def retry(*, problem: Problem, user: Actor) -> SyncJob | None:
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


def retry_cause(*, problem: Problem, user: Actor) -> SyncJob | None:
    """Tries again all records of this account that were refused for the same reason, in one sync. While another job is
    running there is no such job (None): the next run tries them."""
    if problem.resolved_at is not None or problem.connection is None:
        raise AlreadyDecided
    with transaction.atomic():
        _note_problem("all_retried", problem, user)
        same = of_same_cause(problem).select_related("connection__workspace")
        return try_again(problems=[*same, problem], user=user)


def try_again(*, problems: Sequence[Problem], user: Actor) -> SyncJob | None:
    """Tries these problems of one integration again, in one sync of their accounts. While another job is running there
    is no such job (None): the next run tries them. Raises NotConnected, NeedsPlan."""
    _check_may_sync(problems[0], user)
    links = sorted({problem.link_id for problem in problems if problem.link_id})
    accounts = {problem.connection.pk: problem.connection for problem in problems if problem.connection}
    for start in range(0, len(links), AT_ONCE):
        some = links[start : start + AT_ONCE]
        with transaction.atomic():
            free = Link.objects.select_for_update().live().filter(pk__in=some, intent__isnull=True)
            locked = list(free.order_by("pk").values_list("pk", flat=True))  # in the order in which syncs lock them
            Link.objects.filter(pk__in=locked).update(parked=False, unsettled=True)
    connection, *others = accounts.values()
    try:
        return trigger_sync(
            workspace=connection.workspace,
            integration=connection.integration,
            connection=None if others else connection,
            **job_fields(user),
        )
    except SyncInProgress:
        return None


def _check_may_sync(problem: Problem, user: Actor) -> None:
    """Raises NeedsPlan where a key would sync whole accounts, and the company wants that approved."""
    if isinstance(user, KeyActor):
        check_plain_trigger(problem.workspace, problem.integration)


def _sync_account(problem: Problem, user: Actor) -> SyncJob:
    _check_may_sync(problem, user)
    return trigger_sync(
        workspace=problem.workspace,
        integration=problem.integration,
        connection=problem.connection,
        **job_fields(user),
    )


def ignore(*, problem: Problem, user: Actor) -> None:
    """Takes a problem off the list until it occurs again; `unignore` brings it back."""
    with transaction.atomic():
        Problem.objects.open().filter(pk=problem.pk).update(ignored_at=timezone.now(), ignored_by=login_of(user))
        _note_problem("ignored", problem, user)


def ignore_many(*, problems: Collection[Problem], user: Actor) -> int:
    """Takes these problems of one company off the list at once, until each occurs again; how many that were."""
    workspaces = {problem.workspace_id for problem in problems}
    if not workspaces:
        return 0
    [workspace_id] = workspaces
    with transaction.atomic():
        rows = Problem.objects.open().filter(pk__in=[problem.pk for problem in problems], ignored_at=None)
        locked = list(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
        count = Problem.objects.filter(pk__in=locked).update(ignored_at=timezone.now(), ignored_by=login_of(user))
        if count:
            audit("problem.many_ignored", workspace_id=workspace_id, after={"problems": count}, actor=_name(user))
    return count


def unignore(*, problem: Problem, user: Actor) -> None:
    with transaction.atomic():
        Problem.objects.filter(pk=problem.pk).update(ignored_at=None, ignored_by=None)
        _note_problem("unignored", problem, user)


def dismiss_notices(*, workspace: Workspace, user: Actor) -> int:
    """Puts away everything that is merely good to know; how many that were."""
    now = timezone.now()
    informs = Q(notice=True) | Q(code__in=INFORMING)
    open_ones = Problem.objects.open().filter(informs, workspace=workspace, ignored_at=None)
    with transaction.atomic():
        count = open_ones.update(ignored_at=now, ignored_by=login_of(user))
        if count:
            audit("problem.notices_dismissed", workspace_id=workspace.pk, after={"notices": count}, actor=_name(user))
    return count


def _facts(problem: Problem) -> dict[str, Any]:
    return {"problem": problem.code, "record": problem.record_id}


def _note_problem(action: str, problem: Problem, user: Actor) -> None:
    audit(
        f"problem.{action}",
        workspace_id=problem.workspace_id,
        object_id=problem.pk,
        object_name=problem.message,
        after=_facts(problem),
        actor=_name(user),
    )


def sync_links_now(connection, link_ids: list[int] | None, user: Actor) -> SyncJob | None:
    """Starts a job about just these links (None: about what waits). None where another job is running, whose successor
    carries it out."""
    try:
        return trigger_sync(
            workspace=connection.workspace,
            integration=connection.integration,
            connection=connection,
            only=link_ids,
            **job_fields(user),
        )
    except SyncInProgress:
        return None


def _name(user: Actor) -> str:
    return user.get_username()
