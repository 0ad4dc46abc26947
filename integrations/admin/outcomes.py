"""What came of a button that was pressed on a problem: shown in the place of its card, live while it is tried."""

from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from fieldcamp.desk.seat import Seat
from integrations.admin.buttons import Button
from integrations.admin.cards import Progress, progress_of
from integrations.admin.jobpage import action_of
from integrations.admin.problems import Problem, problems
from integrations.models import Issue, JobItem, SyncJob


@dataclass(frozen=True)
class Outcome:
    """`again`: the problem is still there, with its buttons. `fresh`: just pressed, so the focus is put here."""

    problem: Problem
    sentence: str
    tone: str
    job: SyncJob | None = None
    progress: Progress | None = None
    undo: Button | None = None
    again: bool = False
    fresh: bool = True

    @property
    def url(self) -> str:
        """Where the next state of what is running is asked for."""
        query = urlencode({"job": self.job.pk, "said": self.sentence}) if self.job else ""
        return f"{reverse('integrations:outcome', args=[self.problem.issue.pk])}?{query}"


def outcome_of(issue: Issue, job: SyncJob | None, seat: Seat, said: str, *, fresh: bool = True) -> Outcome:
    """How it stands with the issue now; `job` is the run that tries it, `said` what the button has been answered."""
    problem = problems([issue], seat)[0]
    if job is not None and job.in_flight:
        return Outcome(problem, said, "info", job, progress_of(job, timezone.now()), fresh=fresh)
    if issue.ignored_at and not issue.resolved_at:
        back = [replace(button, label=_("Undo")) for button in problem.buttons]
        return Outcome(problem, said, "muted", undo=back[0] if back else None, fresh=fresh)
    if issue.resolved_at:
        return Outcome(problem, _solved(issue, job) if job else said, "success", job, fresh=fresh)
    if job is None or not _tried(issue, job):
        return Outcome(problem, said, problem.tone, again=not _waits(issue), fresh=fresh)
    return Outcome(problem, _("It was tried, and the problem is still there."), "danger", job, again=True, fresh=fresh)


def _waits(issue: Issue) -> bool:
    """Whether the next sync looks at the record by itself."""
    return bool(issue.link and issue.link.unsettled and not issue.link.parked)


def _tried(issue: Issue, job: SyncJob) -> bool:
    """Whether this run was the one about the record, or about everything, and has not come too early for a decision."""
    decided = issue.link is not None and issue.link.decision is not None
    return not decided and (job.only is None or issue.link_id in job.only)


def _solved(issue: Issue, job: SyncJob) -> str:
    """What was done with the record."""
    item = JobItem.objects.filter(job=job, kind=issue.record_kind, key=issue.record_id).first()
    done = action_of(item) if item else ""
    return " ".join(filter(None, [_("Solved."), f"{done}." if done else ""]))
