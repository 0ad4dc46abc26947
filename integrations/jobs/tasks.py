"""What the queue calls (django-q2): ids in, one call. Daily and hourly work are Schedules (`manage.py worker`)."""

from django.utils import timezone
from django_q.tasks import async_task

from integrations.jobs import housekeeping, runner, watchdog
from integrations.mail import weekly


def run_job(job_id: str) -> None:
    """Runs one slice of a job. A second delivery of the same id does nothing: the claim decides."""
    watchdog.executed()
    runner.run(job_id)


def pulse(sender: str) -> None:
    """Proves that tasks get through the queue."""
    watchdog.answer(sender)


def daily() -> None:
    """Prunes, and does what the moving of the window asks for."""
    housekeeping.daily(timezone.now())


def hourly() -> None:
    """Sends the weekly summaries that are due, so many at a time that one task ends well before its time-out."""
    if weekly.send_due(timezone.now()) >= weekly.AT_ONCE:
        async_task("integrations.jobs.tasks.hourly")
