"""One record in one place: all that decides how it stands there, and what the sync would do about it now."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from fieldcamp.workspace.tracking import TrackedModel
from integrations.accounts.streams import owes_full
from integrations.kinds import Kind
from integrations.ledger.pairs import pair_of
from integrations.models import DirtyRow, Link, Problem, Stream
from integrations.services.sync_state.facts import AccountFacts
from integrations.sync.plan import decide
from integrations.sync.state import Absence, Action, Decision, Local

# What a run does about a pair that is in step.
_NOTHING = (Action.NOTHING, Action.SETTLE, Action.FORGET)


@dataclass(frozen=True)
class Situation:
    """`absence` says why the other side is not to have the record, `local` how it is to have it. `wanted`: the next run
    looks at it although nothing here or there has changed. `problems` are the open ones about it, ignored ones and
    notices too, the gravest first; `since` is the day from which documents are posted."""

    record: TrackedModel
    kind: Kind
    account: AccountFacts
    stream: Stream
    local: Local
    link: Link | None = None
    dirty: DirtyRow | None = None
    absence: Absence | None = None
    wanted: bool = False
    problems: Sequence[Problem] = field(default_factory=list)
    since: dt.date | None = None

    @cached_property
    def decision(self) -> Decision:
        """Returns what the next run would do, by the rules that it goes by."""
        pair = pair_of(self.link, self.local, self.dirty.seq if self.dirty else None, self.kind.name, self.record.pk)
        return decide(pair, self.account.policy(self.stream))

    @property
    def now(self) -> dt.datetime:
        return self.account.now

    @property
    def label(self) -> str:
        return self.account.provider.label

    @property
    def is_present(self) -> bool:
        """Returns whether its counterpart was there when it was last looked at."""
        return self.link is not None and self.link.is_present

    @property
    def to_do(self) -> bool:
        """Returns whether the two sides are not as they should be."""
        begun = self.link is not None and self.link.intent is not None
        return begun or self.decision.action not in _NOTHING

    @property
    def is_looked_at(self) -> bool:
        """Returns whether the next run looks at it, whatever it is asked to do."""
        if self.dirty is not None:
            return True
        if self.link is not None and self.link.is_due:
            return True
        if self.link is None and self.absence is not None:
            return False
        return owes_full(self.stream) or self.wanted

    @property
    def is_asked(self) -> bool:
        """Returns whether the next run would have somebody decide about it."""
        action = self.decision.action
        return action is Action.ASK or (action is Action.WAIT and self.local.reason is not None)

    @property
    def open_problems(self) -> list[Problem]:
        """Returns those that wait for an answer."""
        return [problem for problem in self.problems if not problem.notice and problem.ignored_at is None]

    @property
    def changed_at(self) -> dt.datetime | None:
        """Returns when somebody changed it in FieldCamp, if no run has looked at it since."""
        return self.dirty.changed_at if self.dirty else None
