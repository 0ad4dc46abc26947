"""What a stream's run has done so far, for the page of its job: when it read and wrote, how much, in how many calls."""

from typing import Any, Protocol

from django.utils import timezone

from integrations.models import JobPart
from integrations.models.jobs import STORY


class Counted(Protocol):
    """Whoever counts the calls of a stream's work: `records` are those that listings have named."""

    records: int
    reads: int
    writes: int


class StreamStory:
    """One stream's share of its part's story: {"began", "compared", "ended": instants; "records", "reads", "writes"}.
    An earlier slice's share is added to."""

    def __init__(self, part: JobPart, stream_id: str, counted: Counted):
        self._part, self._stream_id, self._counted = part, stream_id, counted
        told: dict[str, dict[str, Any]] = part.progress.get(STORY) or {}
        self._before = told.get(stream_id, {})
        self._told: dict[str, Any] = {
            name: self._before[name] for name in ("began", "compared", "ended") if name in self._before
        }
        self._told.setdefault("began", timezone.now().isoformat())

    def compares(self) -> None:
        """Says that all is read, and both sides are compared from now on."""
        self._told.setdefault("compared", timezone.now().isoformat())

    def ends(self) -> None:
        self._told["ended"] = timezone.now().isoformat()

    def put(self) -> None:
        """Puts the story into the part's progress, which the caller saves."""
        numbers = {
            name: self._before.get(name, 0) + getattr(self._counted, name) for name in ("records", "reads", "writes")
        }
        told: dict[str, dict[str, Any]] = self._part.progress.setdefault(STORY, {})
        told[self._stream_id] = {**self._told, **numbers}
