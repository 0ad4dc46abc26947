"""Where a stream's run stands: its stage and progress as people see them, and what the next slice goes on from.

Everything runs inside the ledger's transaction.
"""

from dataclasses import asdict

from django.db.models import F
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from integrations.errors import ProblemCode
from integrations.kinds import SubjectKind
from integrations.ledger.holds import Holds
from integrations.ledger.ports import LocalSide
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import DirtyRow, JobPart, Link, Stream, SyncJob
from integrations.sync.ports import RunProgress, Stage

FORCED = "The provider could not tell all that has changed since the last sync, so everything was read anew."


class RunState:
    """The state of one stream's run in one job."""

    def __init__(self, stream: Stream, job: SyncJob, part: JobPart, local: LocalSide, holds: Holds):
        self.stream, self.job, self.part, self.local, self.holds = stream, job, part, local, holds
        self._row = Stream.objects.filter(pk=stream.pk)

    def save(self, progress: RunProgress) -> None:
        self.part.progress[self.stream.pk] = asdict(progress)
        self.part.save(update_fields=["progress"])

    def begin_pull(self) -> None:
        self._show(Stage.PULL, remaining=0)

    def begin_push(self, progress: RunProgress) -> None:
        """Matches what has met for the first time and counts what there is to do; an incremental run first takes in
        the visits that the moving window has reached."""
        if not progress.full:
            self.local.enter_window()
        self.local.match(progress.full)
        self._wake()
        self._show(Stage.PUSH, self._remaining(progress.full))
        self.save(progress)

    def _wake(self) -> None:
        """Takes up again what was refused for something that is another by now: a period that is open again, say."""
        refused = Link.objects.live().linked().filter(stream=self.stream, parked=True, intent__isnull=True)
        links = list(refused.exclude(refused_under=""))
        now = self.local.circumstances([link.record_id for link in links]) if links else {}
        woken = [link for link in links if now.get(link.record_id, link.refused_under) != link.refused_under]
        for link in woken:
            link.parked, link.unsettled = False, True
        Link.objects.save_many(woken, ["parked", "unsettled"])

    def _show(self, stage: Stage, remaining: int) -> None:
        """Adds to what there is to do: other accounts have told theirs, and are at it at the same time."""
        told = Greatest(F("total"), F("done"))
        SyncJob.objects.filter(pk=self.job.pk).update(stage=stage, total=told + remaining)

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
        self._row.update(window_end=self.local.window.end, first_synced_at=Coalesce("first_synced_at", now))
        self.holds.bring_up_to_date()
        if not (self.stream.kind or self.stream.is_target or self.stream.reads_busy):
            # The visits have moved to another calendar; once the last event is gone there is nothing left to do.
            live = Link.objects.live().filter(stream=self.stream).exists() or self.stream.dirty_rows.exists()
            self._row.update(is_active=live)
        code, about, kind = ProblemCode.FULL_SYNC_FORCED, self.stream.connection, SubjectKind.STREAM
        if progress.forced:
            open_problem(about, code, FORCED, now=now, kind=kind, record_id=self.stream.pk)
        else:
            resolve_problems(about, now=now, codes=[code], kind=kind, record_ids=[self.stream.pk])
        self.save(progress)
