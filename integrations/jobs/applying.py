"""Applying a plan: the same is found out once more, and only where nothing has moved is it done, and nothing else.

What moves after that is held by each write's own precondition: the record's version here, its tag there. Such a record
is looked at again and decided about anew, which is not in the plan, and so it is left for the next sync.
"""

import datetime as dt
from typing import Any

from integrations.errors import PRECONDITION_FAILED
from integrations.jobs.errors import job_error
from integrations.jobs.interruptions import SliceOver, gravest
from integrations.jobs.planning import looked_at
from integrations.jobs.recorder import Findings
from integrations.jobs.stream_failures import failed_streams
from integrations.jobs.syncing import SyncSlice
from integrations.ledger.plans import changed_since, gate_of, not_done, told
from integrations.models import JobItem, JobPart, JobStatus, Outcome, Plan, Stream, SyncJob
from integrations.sync.ports import Gate

_CHECKED = (
    "changed"  # in a part's progress: what has changed of its account since the plan was made, once that is known
)
GONE = "The plan is not kept any more, so nothing was done. Make a new one."
GONE_SINCE = "The plan is not kept any more, so the rest of it was not done. Make a new one."
CHANGED = (
    "{count} of the records that the plan is about have changed at one side or the other since it was made, or there "
    "are others. Nothing was done; make a new plan."
)
NOT_DONE = "{count} of the planned operations were not made, since their records or accounts have changed meanwhile."
_WENT_ON = (JobStatus.SUCCEEDED, JobStatus.PARTIAL, JobStatus.NEEDS_CONFIRMATION)


class ApplyingSlice(SyncSlice):
    """One slice of a job that applies a plan."""

    def work(self) -> str | dt.datetime:
        self.check()
        plan = Plan.objects.filter(pk=self.job.applies, workspace=self.job.workspace_id).first()
        parts = list(self.parts())
        if plan is None:
            return self._end_half_way(parts) if self._has_begun(parts) else self._refuse(GONE)
        unchecked = [p for p in parts if p.status not in JobPart.OVER and _CHECKED not in p.progress]
        if raised := self.at_once.each(unchecked, lambda part: self._look(plan, part)):
            raise gravest(raised)
        if self.waiting:
            return max(self.waiting)
        parts = list(self.parts())
        if changed := self._changed(plan, parts):
            return self._refuse(CHANGED.format(count=len(changed)), changed=told(changed))
        self.checkpoint()
        came_to = super().work()
        if came_to in _WENT_ON and (left := self._left(plan)):
            self._note(NOT_DONE.format(count=len(left)), changed=told(left))
            return JobStatus.PARTIAL if came_to == JobStatus.SUCCEEDED else came_to
        return came_to

    def part(self, part: JobPart) -> None:
        if part.connection.leaving is None:
            super().part(part)
        else:  # which is no part of the plan, so the gate would let nothing of it through: a job of its own does it
            self.save(part, JobPart.Status.PARTIAL)

    def _look(self, plan: Plan, part: JobPart) -> None:
        def take(found: Findings) -> None:
            changed = changed_since(plan, part.connection_id, found.operations)
            part.progress = {_CHECKED: changed}  # how often it had to wait for that is no matter of the run
            self.save(part, JobPart.Status.WAITING, progress=part.progress)

        looked_at(self, part, take)

    def _changed(self, plan: Plan, parts: list[JobPart]) -> list[str]:
        """Returns what has changed: also all that is planned for an account that is not among the job's any more."""
        changed = [name for part in parts for name in part.progress.get(_CHECKED, ())]
        others = plan.operations.exclude(connection__in=[part.connection_id for part in parts])
        changed += [row.record_id or row.remote_id for row in others.order_by("number")]
        return list(dict.fromkeys(changed))

    def _refuse(self, message: str, **details: Any) -> str:
        self._note(message, **details)
        with self.held():
            parts = JobPart.objects.filter(job=self.job).exclude(status__in=JobPart.OVER)
            parts.update(status=JobPart.Status.FAILED)
        return JobStatus.FAILED

    def _has_begun(self, parts: list[JobPart]) -> bool:
        """Returns whether a slice before this one may have written something at either side."""
        begun = any(_CHECKED in part.progress and part.status != JobPart.Status.WAITING for part in parts)
        return begun or self.job.pulled + self.job.pushed > 0

    def _end_half_way(self, parts: list[JobPart]) -> str:
        """Ends the job without its plan; the accounts that are through keep what they have come to."""
        self._note(GONE_SINCE)
        for part in parts:
            if part.status not in JobPart.OVER:
                self.save(part, JobPart.Status.FAILED)
        came_to = self.status(parts)
        return came_to if came_to == JobStatus.NEEDS_CONFIRMATION else JobStatus.PARTIAL

    def _note(self, message: str, **details: Any) -> None:
        """Leaves with the job, once, why it was not done as planned."""
        error = job_error(PRECONDITION_FAILED, message, self.job.connection_id, details=details)
        with self.held():
            SyncJob.objects.filter(pk=self.job.pk).update(errors=[error])

    def _left(self, plan: Plan) -> list[str]:
        """Returns the records with an operation that was not made, as far as no error tells why."""
        made = JobItem.objects.filter(job=self.job).exclude(outcome=Outcome.SKIPPED)  # what failed has a problem
        parts = list(self.parts())
        failed = [part.connection_id for part in parts if part.status == JobPart.Status.FAILED]
        streams = [stream_id for part in parts for stream_id in failed_streams(part)]
        rows = plan.operations.exclude(connection__in=failed).exclude(stream__in=streams)
        return not_done(rows, set(made.values_list("connection", "kind", "key")))

    def gate(self, stream: Stream) -> Gate:
        plan = Plan.objects.filter(pk=self.job.applies).first()
        if plan is None:  # erased meanwhile: the next slice says so
            raise SliceOver
        return gate_of(plan, stream)
