"""What one job's page shows: its story, its progress, what was changed, what it could not do and why, and what became
of each record."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils import timezone

from fieldcamp.desk.users import DeskUser
from integrations.admin.buttons import Button, cancel_button
from integrations.admin.cards import JOB_TONES, progress_of
from integrations.admin.jobcalls import support_of
from integrations.admin.jobrows import PAGE, RowsAsked, called, csv_lines, groups, items_context
from integrations.admin.jobstory import (
    asked_for,
    before,
    chapters,
    first_line,
    is_short,
    quiet_words,
    removals_of,
)
from integrations.admin.planpage import plan_context
from integrations.admin.record_pages import page_of
from integrations.errors import ProblemCode
from integrations.models import JobPart, JobStatus, SyncJob
from integrations.selectors.jobs import split_counts
from integrations.selectors.subjects import subjects
from integrations.services.problems.fixes import TITLES

__all__ = ["PAGE", "RowsAsked", "csv_lines", "job_context", "live_context"]

# Said for information, and nothing that went wrong.
_NOTES = (ProblemCode.FULL_SYNC_FORCED,)
PART_TONES = {
    JobPart.Status.DONE: "success",
    JobPart.Status.HELD: "warning",
    JobPart.Status.PARTIAL: "warning",
    JobPart.Status.FAILED: "danger",
    JobPart.Status.RUNNING: "info",
}


def job_context(job: SyncJob, desk_user: DeskUser, query: Mapping[str, str]) -> dict[str, Any]:
    """Returns the whole page; a constant number of queries."""
    asked = RowsAsked.of(query)
    return {
        **live_context(job, desk_user),
        **items_context(job, desk_user, asked),
        "groups": groups(job, job.label),
        "run_before": before(job),
        "short": is_short(job) and not asked.narrows,
        "support_name": support_of(job),
        "shown_plan": plan_context(job, desk_user) if not job.leaves else None,
    }


def live_context(job: SyncJob, desk_user: DeskUser) -> dict[str, Any]:
    """Returns the part that is fetched again while the job runs."""
    now = timezone.now()
    parts = list(job.parts.select_related("connection", "connection__member"))
    split, removals = split_counts(job), removals_of(job)
    told, quiet = chapters(job, parts, split["counts_by_connection"], removals)
    errors = [error for error in job.errors if error.get("code") not in _NOTES]
    return {
        "job": job,
        "label": job.label,
        "tone": JOB_TONES[JobStatus(job.status)],
        "progress": progress_of(job, now) if job.in_flight else None,
        "cancel": _cancel(job, desk_user),
        "first_line": first_line(job, sum(removals.values())),
        "about": asked_for(job),
        "chapters": [
            {
                "chapter": chapter,
                "status": JobPart.Status(chapter.status).label,
                "tone": PART_TONES.get(JobPart.Status(chapter.status), "muted"),
            }
            for chapter in told
        ],
        "several": len(parts) != 1,
        "quiet": quiet_words(quiet),
        "errors": _errors(job, errors, desk_user),
        "notes": [error.get("message", "") for error in job.errors if error.get("code") in _NOTES],
        "job_url": reverse("admin:integrations_syncjob_change", args=[job.pk]),
    }


def _errors(job: SyncJob, errors: list[dict[str, Any]], desk_user: DeskUser) -> list[dict[str, Any]]:
    """Returns what a job could not do and why, with the record that it is about; a query for each kind of records."""
    told = [(error, error.get("record") or {}) for error in errors]
    about = subjects((job.workspace_id, str(record.get("kind")), str(record.get("id"))) for _, record in told if record)
    shown = []
    for error, record in told:
        found = about.get((str(record.get("kind")), str(record.get("id")))) if record else None
        shown.append(
            {
                "title": TITLES.get(error.get("code", ""), error.get("code")),
                "message": error.get("message", ""),
                "record": " · ".join(filter(None, called(found))) if found is not None else "",
                "url": page_of(found, desk_user) if found is not None else "",
            }
        )
    return shown


def _cancel(job: SyncJob, desk_user: DeskUser) -> Button | None:
    return cancel_button(job) if job.in_flight and not job.cancel_requested_at and desk_user.may("sync") else None
