"""How far a job has come, to tell a slice that led somewhere from one in vain."""

from typing import Any

from integrations.jobs.sweeper import MAX_ATTEMPTS
from integrations.models import JobPart, SyncJob

IN_VAIN = (
    f"The sync has come no further {MAX_ATTEMPTS} times in a row, and was ended. Nothing is lost; the next sync tries "
    "again."
)


def standing(job: SyncJob) -> list[Any]:
    """Returns where the job stands: what is equal before and behind a slice was worked on in vain."""
    counts = SyncJob.objects.values_list("done", "stage").get(pk=job.pk)
    parts = JobPart.objects.filter(job=job).order_by("pk").values_list("status", "progress")
    return [counts, *((status, [_reached(entry) for entry in progress.values()]) for status, progress in parts)]


def _reached(entry: Any) -> Any:
    """Returns where one stream's run stands. Of a listing counts what it brought, not how many pages were read."""
    return {**entry, "listing": entry.get("listing", {}).get("rows")} if isinstance(entry, dict) else entry
