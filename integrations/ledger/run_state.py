"""Where a stream's run stands: its stage and progress as people see them, and what the next slice goes on from.

What writes runs inside the ledger's transaction, which asserts that the job is still ours.
"""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from integrations.errors import ProblemCode
from integrations.kinds import SubjectKind
from integrations.ledger.holds import Holds
from integrations.ledger.ports import LocalSide
from integrations.ledger.problems import open_problem
from integrations.ledger.story import StreamStory
from integrations.models import DirtyRow, Hold, JobPart, Link, Stream, SyncJob
from integrations.selectors.progress import percent_of
from integrations.sync.ports import RunProgress, Stage

# In a part's progress: how much is expected of its streams that have not told yet, by their ids.
EXPECTED = "expected"
FORCED = "The provider could not tell all that has changed since the last sync, so everything was read anew."


class RunState:
    """The state of one stream's run in one job."""

    def __init__(self, stream: Stream, job: SyncJob, part: JobPart, local: LocalSide, holds: Holds, story: StreamStory):
        self.stream, self.job, self.part, self.local, self.holds = stream, job, part, local, holds
        self.story = story
        self._row = Stream.objects.filter(pk=stream.pk)
        self._idle = False

    def save(self, progress: RunProgress) -> None:
        self.part.progress[self.stream.pk] = asdict(progress)
        self.story.put()
        self.part.save(update_fields=["progress"])

    def begin_pull(self) -> None:
        self._show(Stage.PULL, remaining=0)

    def shows(self, stage: Stage) -> bool:
        """Returns whether this is what the job says that it does. (Each of its accounts says so for itself.)"""
        return self.job.stage == stage

    def has_nothing_to_do(self, progress: RunProgress) -> bool:
        """Returns whether a calendar has nothing new on either side, and nothing that waits. (Books match first.) Only
        looks, outside of a transaction; what is due all the same is done by `finish`."""
        new_window = self.stream.window_end != self.local.window.end
        if self.stream.kind or new_window or progress.full or progress.held or progress.forced:
            return False
        waiting: tuple[QuerySet[Any], ...] = (
            DirtyRow.objects.filter(stream=self.stream),
            Link.objects.due().filter(stream=self.stream),
            Hold.objects.filter(stream=self.stream, decision=""),
        )
        first, *others = (rows.order_by().values_list("stream_id") for rows in waiting)
        self._idle = not first.union(*others, all=True)[:1]
        return self._idle

    def begin_push(self, progress: RunProgress) -> None:
        """Matches what has met for the first time and counts what there is to do; an incremental run first takes in
        the visits that the moving window has reached."""
        self.story.compares()
        if not progress.full:
            self.local.enter_window()
        self.local.match(progress.full)
        self._wake()
        self._show(Stage.PUSH, self._remaining(progress.full))
        self.save(progress)

    def _wake(self) -> None:
        """Takes up again what was refused for something that is another by now: a period that is open again, say."""
        if not self.stream.kind:  # of a calendar's refusals none depends on such a thing
            return
        refused = Link.objects.live().linked().filter(stream=self.stream, parked=True, intent__isnull=True)
        links = list(refused.exclude(refused_under=""))
        now = self.local.circumstances([link.record_id for link in links]) if links else {}
        woken = [link for link in links if now.get(link.record_id, link.refused_under) != link.refused_under]
        for link in woken:
            link.parked, link.unsettled = False, True
        Link.objects.save_many(woken, ["parked", "unsettled"])

    def _show(self, stage: Stage, remaining: int) -> None:
        """Puts what there is to do in the place of what was expected of this stream: other accounts have told theirs,
        and are at it at the same time. How far the job was is kept, so that it never falls back."""
        job = SyncJob.objects.select_for_update().get(pk=self.job.pk)
        values: dict[str, Any] = {"stage": stage}
        if stage is Stage.PUSH:
            expected = self.part.progress.get(EXPECTED, {}).pop(self.stream.pk, 0)
            total = max(job.total - expected, job.done) + remaining
            if total != job.total:
                values |= {"total": total, "measured_from": job.done, "measured_percent": percent_of(job) or 0}
        SyncJob.objects.filter(pk=job.pk).update(**values)
        self.job.stage = stage

    def _remaining(self, full: bool) -> int:
        links = Link.objects.filter(stream=self.stream)
        if full:
            return links.count() + self.local.count_unlinked()
        dirty = DirtyRow.objects.filter(stream=self.stream)
        return dirty.count() + links.due().count()

    def begin_full(self, again: bool) -> None:
        """Starts a full listing, or goes on with the one that this job has begun (`again`: from its start)."""
        rows = self._row if again else self._row.exclude(full_mark=self.job.pk)
        rows.update(full_mark=self.job.pk, full_cursor="")

    def finish_full(self) -> None:
        cursor = self._row.values_list("full_cursor", flat=True).get()
        self._row.update(cursor=cursor, full_cursor="", full_mark="", last_full_at=timezone.now())

    def finish(self, progress: RunProgress) -> None:
        now = timezone.now()
        self.story.ends()
        if self.stream.first_synced_at is None or self.stream.window_end != self.local.window.end:
            self._row.update(window_end=self.local.window.end, first_synced_at=Coalesce("first_synced_at", now))
        if self._idle:  # else it was matched when the push began
            self.local.match(everything=False)
        else:
            self.holds.bring_up_to_date()
        if not (self.stream.kind or self.stream.is_target or self.stream.reads_busy):
            # The visits have moved to another calendar; once the last event is gone there is nothing left to do.
            live = Link.objects.live().filter(stream=self.stream).exists() or self.stream.dirty_rows.exists()
            self._row.update(is_active=live)
        if progress.forced:  # else it ends with the stream's other problems
            code, kind = ProblemCode.FULL_SYNC_FORCED, SubjectKind.STREAM
            open_problem(self.stream.connection, code, FORCED, now=now, kind=kind, record_id=self.stream.pk)
        self.save(progress)
