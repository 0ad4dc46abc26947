"""What the queue calls (django-q2): ids in, one call. The daily work is a Schedule, made by `manage.py worker`."""

from django.utils import timezone

from integrations import housekeeping, runner, watchdog


def run_job(job_id: str) -> None:
    """One slice of a job. A second delivery of the same id does nothing: the claim decides."""
    watchdog.executed()
    runner.run(job_id)


def pulse(sender: str) -> None:
    """Proves that tasks get through the queue."""
    watchdog.answer(sender)


def daily() -> None:
    """Pruning, and what the moving of the window asks for."""
    housekeeping.daily(timezone.now())
