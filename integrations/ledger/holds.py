"""Removals of one stream that a person has to confirm. Everything runs inside the caller's transaction."""

from collections.abc import Sequence

from django.utils import timezone

from integrations.errors import ProblemCode
from integrations.kinds import Kind, SubjectKind
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import Hold, Link, Stream, SyncJob
from integrations.sync.guard import judge
from integrations.sync.state import Decision


class Holds:
    """The removals of one stream that wait for a person."""

    def __init__(self, stream: Stream, job: SyncJob, kind: Kind):
        self.stream, self.job, self.kind = stream, job, kind

    def count(self) -> int:
        return Link.objects.live().filter(stream=self.stream, hold__decision="").count()

    def put_aside(self, decisions: Sequence[Decision], of: int) -> None:
        """Puts removals aside until a person decides; what is held already is held together with them."""
        hold = self._open() or Hold.objects.create(stream=self.stream, job=self.job, removals=0, of=of)
        Link.objects.filter(pk__in=[decision.pair.link_id for decision in decisions]).update(hold=hold)
        hold.job, hold.of = self.job, of
        self._describe(hold, hold.links.count())

    def _open(self) -> Hold | None:
        """Returns the hold that nobody has decided, locked: a person may be deciding right now, and what is decided is
        not added to."""
        return Hold.objects.select_for_update().filter(stream=self.stream, decision="").first()

    def bring_up_to_date(self) -> None:
        """Lets go of what was held and has come back, or was decided by an edit."""
        hold = self._open()
        if hold is None or (left := hold.links.count()) == hold.removals:
            return
        if left:
            self._describe(hold, left)
        else:
            resolve_problems(
                self.stream.connection,
                now=timezone.now(),
                codes=[ProblemCode.CONFIRMATION_NEEDED],
                record_ids=[hold.pk],
            )
            hold.delete()

    def _describe(self, hold: Hold, removals: int) -> None:
        hold.removals = removals
        hold.save(update_fields=["job", "of", "removals"])
        open_problem(
            self.stream.connection,
            ProblemCode.CONFIRMATION_NEEDED,
            judge(removals, hold.of).sentence(self.kind) + " Put them back or leave them removed.",
            now=timezone.now(),
            kind=SubjectKind.HOLD,
            record_id=hold.pk,
            data={"hold": hold.pk, "removals": removals, "of": hold.of},
        )
