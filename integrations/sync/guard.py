"""The mass-removal guard. Pure."""

from dataclasses import dataclass

from integrations.kinds import Kind

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


def judge(removals: int, links: int) -> Verdict:
    """Trips when more than 30 % of a stream's links would go and the stream has at least ten."""
    return Verdict(links >= SMALLEST and removals > SHARE * links, removals, links)
