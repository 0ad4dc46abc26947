"""What ends a slice of a job between two steps, and which of it counts where several accounts end at once."""

from collections.abc import Sequence

from integrations.queue.lease import LeaseLost
from integrations.sync.isolation import RunEnds


class SliceOver(RunEnds):
    """The slice has had its time; the next goes on."""


class HandBack(RunEnds):
    """The worker is asked to end; another goes on."""


class Cancelled(RunEnds):
    """A person has cancelled the job."""


_GRAVEST = (LeaseLost, Cancelled, HandBack)


def gravest(raised: Sequence[BaseException]) -> BaseException:
    """Returns which of several accounts' errors ends the slice: a lease that is lost, a person's or the worker's wish,
    any other error, and last the end of its time."""
    for kind in _GRAVEST:
        for error in raised:
            if isinstance(error, kind):
                return error
    return next((error for error in raised if not isinstance(error, SliceOver)), raised[0])
