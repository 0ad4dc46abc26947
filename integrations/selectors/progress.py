"""How far a running job is: never less than was shown before, and from a few seconds on how long it takes."""

import datetime as dt

from django.utils.translation import gettext as _

from integrations.models import SyncJob

SAYS_AFTER = 5.0  # seconds, before which nobody knows how fast it is


def percent_of(job: SyncJob) -> int | None:
    """Returns how much of a job is done; None while nobody can know. Where more turns up to do the rest of the way gets
    longer, and what is behind stays behind (`ledger.run_state`). Whole it is only when it is over."""
    if not job.total:
        return None
    ahead = job.total - job.measured_from
    share = min((job.done - job.measured_from) / ahead, 1.0) if ahead > 0 else 1.0
    return min(int(job.measured_percent + (100 - job.measured_percent) * max(share, 0.0)), 99)


def seconds_left(job: SyncJob, now: dt.datetime) -> int | None:
    """Returns how long the rest will take at the speed so far; None where that cannot be said yet."""
    if not (job.started_at and job.total > job.done > 0):
        return None
    seconds = (now - job.started_at).total_seconds()
    return int(seconds * (job.total - job.done) / job.done) + 1 if seconds >= SAYS_AFTER else None


def left_in_words(seconds: int) -> str:
    """Returns `about 20 s left`, in steps that do not flicker."""
    if seconds < 60:
        return _("about {number} s left").format(number=max(5, round(seconds / 5) * 5))
    return _("about {number} min left").format(number=round(seconds / 60))
