"""What a run covered: changes taken in, changes sent out, or both."""

from collections.abc import Iterable

from integrations.models import JobDirection


def combined(directions: Iterable[str]) -> str:
    """Returns what several streams or accounts have covered together; "" where nothing was covered."""
    covered = set(directions) - {""}
    return JobDirection.BIDIRECTIONAL if len(covered) > 1 else next(iter(covered), "")
