"""The guard against removing much at once, or making much again. Pure."""

from dataclasses import dataclass

from integrations.kinds import Kind
from integrations.sync.state import Action, Decision

SHARE = 0.30
SMALLEST = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    tripped: bool
    removals: int
    of: int

    def sentence(self, kind: Kind) -> str:
        share = round(100 * self.removals / self.of) if self.of else 0
        return f"{self.removals} of {self.of} {kind.plural} would lose their {kind.counterpart} ({share} %)."


def is_drastic(decision: Decision) -> bool:
    """Returns whether many of its kind are a person's to decide about: a removal, or that a vanished counterpart is
    made again which nobody has asked for (a listing that came back empty would make all of them twice)."""
    pair = decision.pair
    asked_for = pair.dirty_seq is not None or bool(pair.decision)
    return decision.removal or (decision.action is Action.CREATE_REMOTE and pair.gone and not asked_for)


def judge(removals: int, links: int) -> Verdict:
    """Trips when more than 30 % of a stream's links would go and the stream has at least ten."""
    return Verdict(links >= SMALLEST and removals > SHARE * links, removals, links)
