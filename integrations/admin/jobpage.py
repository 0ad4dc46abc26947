"""What one job's page shows: its progress, counts by entity and account, errors, and what became of each record."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.api.models import ApiKey
from fieldcamp.desk.users import DeskUser
from fieldcamp.spreadsheets import csv_line
from integrations.admin.buttons import Button, cancel_button
from integrations.admin.cards import JOB_TONES, progress_of
from integrations.admin.jobcalls import support_of
from integrations.admin.planpage import plan_context
from integrations.admin.record_pages import page_of
from integrations.admin.values import PLURALS
from integrations.kinds import BOOKS, KINDS
from integrations.models import Connection, JobItem, JobPart, JobStatus, Link, Outcome, SyncJob
from integrations.providers import PROVIDERS
from integrations.records import instant
from integrations.selectors.jobs import split_counts
from integrations.selectors.subjects import Subjects, subjects
from integrations.services.problems.fixes import TITLES

PAGE = 50
ACTIONS = {
    "nothing": _("Nothing to do"),
    "settle": _("Already equal"),
    "pull": _("Taken in"),
    "remove_local": _("Removed here"),
    "create_remote": _("Event created"),
    "update_remote": _("Event changed"),
    "remove_remote": _("Event removed"),
    "cut": _("Link cut"),
    "forget": _("Forgotten"),
    "ask": _("Waits for a decision"),
    "hold": _("Held back"),
    "create_local": _("Brought in"),
    "wait": _("Waits"),
}
# What is written into books is no event.
IN_BOOKS = {
    "create_remote": _("Made there"),
    "update_remote": _("Changed there"),
    "remove_remote": _("Removed there"),
}
TRIED = {
    "pull": _("Take it in"),
    "remove_local": _("Remove it here"),
    "create_remote": _("Create the event"),
    "update_remote": _("Change the event"),
    "remove_remote": _("Remove the event"),
}
_IN_BOOKS = frozenset(kind.name.value for kind in BOOKS)
TRIED_IN_BOOKS = {"create_remote": _("Make it there"), "update_remote": _("Change it there")}
PART_TONES = {
    JobPart.Status.DONE: "success",
    JobPart.Status.HELD: "warning",
    JobPart.Status.PARTIAL: "warning",
    JobPart.Status.FAILED: "danger",
    JobPart.Status.RUNNING: "info",
}


def job_context(job: SyncJob, desk_user: DeskUser, query: Mapping[str, str]) -> dict[str, Any]:
    """Returns the whole page; a constant number of queries."""
    return {
        **live_context(job, desk_user),
        **items_context(job, desk_user, query),
        "who": who(job),
        "support": support_of(job),
        "shown_plan": None if job.leaves else plan_context(job, desk_user),
    }


def live_context(job: SyncJob, desk_user: DeskUser) -> dict[str, Any]:
    """Returns the part that is fetched again while the job runs."""
    now = timezone.now()
    parts = list(job.parts.select_related("connection", "connection__member"))
    split = split_counts(job)
    return {
        "job": job,
        "label": PROVIDERS[job.integration].label if job.integration in PROVIDERS else job.integration,
        "tone": JOB_TONES[JobStatus(job.status)],
        "progress": progress_of(job, now) if job.in_flight else None,
        "cancel": _cancel(job, desk_user),
        "by_entity": [
            (PLURALS.get(kind, kind), counts)
            for kind, counts in sorted(split["counts_by_entity"].items(), key=lambda entry: _place(entry[0]))
        ],
        "parts": [
            {
                "connection": part.connection,
                "status": JobPart.Status(part.status).label,
                "tone": PART_TONES.get(JobPart.Status(part.status), "muted"),
                "counts": split["counts_by_connection"].get(part.connection_id, {}),
                "error": part.error,
            }
            for part in parts
        ],
        "errors": [{**error, "title": TITLES.get(error.get("code", ""), error.get("code"))} for error in job.errors],
        "job_url": reverse("admin:integrations_syncjob_change", args=[job.pk]),
    }


def _cancel(job: SyncJob, desk_user: DeskUser) -> Button | None:
    return cancel_button(job) if job.in_flight and not job.cancel_requested_at and desk_user.may("sync") else None


def who(job: SyncJob) -> str:
    """Returns who or what started it."""
    if job.triggered_by == SyncJob.Trigger.SCHEDULE:
        return gettext("records that were saved") if job.narrowed else gettext("the schedule")
    if job.triggered_by == SyncJob.Trigger.PUSH:
        return gettext("a notice from the provider")
    if job.triggered_by == SyncJob.Trigger.API:
        key = ApiKey.objects.filter(pk=job.actor, workspace_id=job.workspace_id).first()
        if key:
            return gettext("the API key “{name}”").format(name=key.name)
        return gettext("the API ({key})").format(key=job.actor)
    return gettext("{name} at the desk").format(name=job.actor) if job.actor else gettext("a person at the desk")


def items_context(job: SyncJob, desk_user: DeskUser, query: Mapping[str, str]) -> dict[str, Any]:
    """Returns one page of results, of one outcome if that is asked for. What does not make sense is taken as not
    asked."""
    outcome = query.get("outcome", "")
    outcome = outcome if outcome in Outcome.values else ""
    total = getattr(job, outcome) if outcome else sum(getattr(job, name) for name in Outcome.values)
    page = query.get("page", "")
    number = min(max(int(page), 1), total // PAGE + 1) if page.isdecimal() and len(page) < 9 else 1
    rows = JobItem.objects.filter(job=job).order_by("id")
    if outcome:
        rows = rows.filter(outcome=outcome)
    start = (number - 1) * PAGE
    found = list(rows.select_related("connection")[start : start + PAGE + 1])
    items, more = found[:PAGE], len(found) > PAGE
    about = subjects((job.workspace_id, item.kind, item.record_id) for item in items)
    names = _names(items)
    return {
        "items": [_row(item, about, names, desk_user) for item in items],
        "outcome": outcome,
        "tabs": [("", gettext("All"), sum(getattr(job, name) for name in Outcome.values))]
        + [(name, Outcome(name).label, getattr(job, name)) for name in Outcome.values],
        "page": number,
        "first": start + 1,
        "last": start + len(items),
        "of": total,
        "next_page": number + 1 if more else None,
        "previous_page": number - 1 if number > 1 else None,
    }


def _place(kind: str) -> tuple[int, str]:
    """Kinds in the order in which they depend on each other."""
    return (list(KINDS).index(kind) if kind in KINDS else len(KINDS), kind)


def _names(items: list[JobItem]) -> dict[tuple[str, str], str]:
    """Returns names of records that FieldCamp does not have, by their remote ids; one query. Somebody's own event has
    no name."""
    alone = {(item.connection_id, item.remote_id) for item in items if not item.record_id and item.kind in _IN_BOOKS}
    if not alone:
        return {}
    links = Link.objects.filter(
        stream__connection__in={connection_id for connection_id, _id in alone},
        remote_id__in={remote_id for _id, remote_id in alone},
        kind__in=_IN_BOOKS,
    )
    return {(link.kind, link.remote_id): name for link in links if (name := KINDS[link.kind].name_in(link.seen))}


def _row(item: JobItem, about: Subjects, names: Mapping[tuple[str, str], str], desk_user: DeskUser) -> dict[str, Any]:
    record = about.get((item.kind, item.record_id))
    known = str(record) if record is not None else names.get((item.kind, item.remote_id))
    return {
        "item": item,
        "title": known or (gettext("Busy time") if item.kind == "block" else item.key),
        "kind": PLURALS.get(item.kind, item.kind),
        "url": page_of(record, desk_user) if record is not None else "",
        "action": action_of(item),
        "account": item.connection.account_name,
    }


def action_of(item: JobItem) -> str:
    """Says what was done, or was tried without success."""
    books = item.kind in _IN_BOOKS
    if item.outcome == Outcome.FAILED and (tried := (TRIED_IN_BOOKS if books else TRIED).get(item.action)):
        return str(tried)
    return str((IN_BOOKS.get(item.action) if books else None) or ACTIONS.get(item.action) or item.action)


def csv_lines(job: SyncJob, outcome: str = "") -> Iterator[str]:
    """Yields the job's results, fetched a chunk at a time."""
    yield csv_line(["job_id", "job_created_at", "account", "kind", "record_id", "remote_id", "outcome", "action",
                           "message"])  # fmt: skip
    accounts = dict(Connection.objects.filter(workspace_id=job.workspace_id).values_list("pk", "account_name"))
    last = 0
    while True:
        rows = JobItem.objects.filter(job=job, pk__gt=last).order_by("pk")
        chunk = list((rows.filter(outcome=outcome) if outcome else rows)[:2000])
        for item in chunk:
            yield csv_line([
                job.pk, instant(job.created_at), accounts.get(item.connection_id, ""), item.kind, item.record_id,
                item.remote_id, item.outcome, item.action, item.message,
            ])  # fmt: skip
        if len(chunk) < 2000:
            return
        last = chunk[-1].pk
