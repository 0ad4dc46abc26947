"""What a run covered: changes taken in, changes sent out, or both."""

from collections.abc import Iterable

from integrations.models import Direction, JobDirection

# A stream's direction as the status calls what a run of it has covered.
DIRECTIONS: dict[str, JobDirection] = {
    Direction.PULL: JobDirection.PULL,
    Direction.PUSH: JobDirection.PUSH,
    Direction.TWO_WAY: JobDirection.BIDIRECTIONAL,
}


def combined(directions: Iterable[str]) -> str:
    """Returns what several streams or accounts have covered together; "" where nothing was covered."""
    covered = set(directions) - {""}
    return JobDirection.BIDIRECTIONAL if len(covered) > 1 else next(iter(covered), "")
