"""What an examination says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import structlog

log = structlog.get_logger(__name__)


class Weight(StrEnum):
    FINE = "fine"
    NOTE = "note"  # works, and should be known
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One sentence about one thing, and what mends it."""

    weight: Weight
    about: str
    sentence: str
    mend: str = ""


def examined(about: str, examination: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yields what it finds; one that breaks off has found that something is wrong, and the others go on."""
    try:
        yield from examination()
    except Exception as error:
        log.exception("examination_failed", about=about)
        yield Finding(
            Weight.WRONG,
            about,
            f"This could not be examined: {type(error).__name__}.",
            "The log has the details.",
        )
