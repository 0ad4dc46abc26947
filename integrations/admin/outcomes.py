"""What came of a button that was pressed on a card: shown in the place of its card, live while it is tried."""

from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from fieldcamp.desk.users import DeskUser
from integrations.admin.buttons import Button
from integrations.admin.cards import JobProgress, progress_of
from integrations.admin.jobwords import action_of
from integrations.admin.problem_cards import ProblemCard, problem_cards
from integrations.errors import ProblemCode
from integrations.models import Hold, JobItem, Problem, SyncJob
from integrations.services.problems.undoing import LEFT_REMOVED, RIGHTS, UNDO_FOR


@dataclass(frozen=True)
class FixOutcome:
    """`again`: the problem is still there, with its buttons. `fresh`: just pressed, so the focus is put here."""

    card: ProblemCard
    sentence: str
    tone: str
    job: SyncJob | None = None
    progress: JobProgress | None = None
    undo: Button | None = None
    again: bool = False
    fresh: bool = True

    @property
    def url(self) -> str:
        """Returns where the next state of what is running is asked for."""
        query = urlencode({"job": self.job.pk, "said": self.sentence}) if self.job else ""
        return f"{reverse('integrations:outcome', args=[self.card.problem.pk])}?{query}"


def outcome_of(
    problem: Problem, job: SyncJob | None, desk_user: DeskUser, said: str, *, fresh: bool = True
) -> FixOutcome:
    """Returns how it stands with the problem now; `job` is the run that tries it, `said` what the button has been
    answered."""
    card = problem_cards([problem], desk_user)[0]
    if job is not None and job.in_flight:
        undo = _undo_of(problem, desk_user)
        return FixOutcome(card, said, "info", job, progress_of(job, timezone.now()), undo=undo, fresh=fresh)
    if problem.ignored_at and not problem.resolved_at:
        back = [replace(button, label=_("Undo")) for button in card.buttons]
        return FixOutcome(card, said, "muted", undo=back[0] if back else None, fresh=fresh)
    if problem.resolved_at:
        done = said if problem.code == ProblemCode.CONFIRMATION_NEEDED or job is None else _solved(problem, job)
        return FixOutcome(card, done, "success", job, undo=_undo_of(problem, desk_user), fresh=fresh)
    if job is None or not _tried(problem, job):
        return FixOutcome(card, said, card.tone, again=not _waits(problem), fresh=fresh)
    return FixOutcome(card, _stopped(problem, job) or _("It was tried, and the problem is still there."), "danger", job,
                      again=True, fresh=fresh)  # fmt: skip


def _undo_of(problem: Problem, desk_user: DeskUser) -> Button | None:
    """Returns the button that puts back what was left removed a moment ago."""
    if problem.code != ProblemCode.CONFIRMATION_NEEDED or not desk_user.may(RIGHTS[LEFT_REMOVED]):
        return None
    since = timezone.now() - UNDO_FOR
    hold = Hold.objects.filter(pk=problem.record_id, decision=Hold.Decision.CONFIRM, decided_at__gt=since).first()
    if hold is None or not hold.left_removed:
        return None
    fields = {"kind": LEFT_REMOVED, "key": hold.pk}
    return Button(f"undo-{hold.pk}", _("Undo: put them back"), reverse("integrations:undo_answer"), fields=fields)


def _stopped(problem: Problem, job: SyncJob) -> str:
    """Says what has ended the account's turn, if anything did: then nobody knows whether the record was tried."""
    part = job.parts.filter(connection=problem.connection_id, error__isnull=False).first()
    if part is None or not part.error:
        return ""
    return _("The sync of the account has stopped: {reason}").format(reason=part.error.get("message", ""))


def _waits(problem: Problem) -> bool:
    """Returns whether the next sync looks at the record by itself."""
    return bool(problem.link and problem.link.unsettled and not problem.link.parked)


def _tried(problem: Problem, job: SyncJob) -> bool:
    """Returns whether this run was about the record, or about everything, and has not come too early for a
    decision."""
    decided = problem.link is not None and problem.link.decision is not None
    return not decided and (job.only is None or problem.link_id in job.only)


def _solved(problem: Problem, job: SyncJob) -> str:
    """Says what was done with the record."""
    item = JobItem.objects.filter(job=job, kind=problem.record_kind, key=problem.record_id).first()
    done = action_of(item, job.label) if item else ""
    return " ".join(filter(None, [_("Solved."), f"{done}." if done else ""]))
