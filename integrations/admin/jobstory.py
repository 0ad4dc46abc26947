"""A job told as a story: its name, what it came to in one line, what it did for each account and when, and how the run
before it went."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from fieldcamp import formats
from fieldcamp.api.models import ApiKey
from fieldcamp.workspace.models import Member
from integrations.models import Hold, JobPart, JobStatus, SyncJob
from integrations.models.jobs import STORY

_MOST_TOLD = 12  # accounts that are told of one by one though nothing was changed for them


@dataclass(frozen=True)
class StoryStep:
    """One thing that a job did for one account. `at` is None where it was not written down."""

    words: str
    at: dt.datetime | None = None
    tone: str = ""
    url: str = ""


@dataclass(frozen=True)
class Chapter:
    """What a job did for one account."""

    account: str
    url: str
    status: str
    steps: list[StoryStep] = field(default_factory=list)
    quiet: bool = False  # nothing was changed, and nothing is wrong


def who(job: SyncJob) -> str:
    """Returns who or what has asked for it; one query at most."""
    if job.triggered_by == SyncJob.Trigger.SCHEDULE:
        return gettext("records that were saved") if job.narrowed else gettext("the schedule")
    if job.triggered_by == SyncJob.Trigger.PUSH:
        return gettext("a notice from {place}").format(place=job.label)
    if job.triggered_by == SyncJob.Trigger.API:
        key = ApiKey.objects.filter(pk=job.actor, workspace_id=job.workspace_id).first()
        return gettext("the key {name}").format(name=key.name) if key else gettext("a key that is gone")
    if not job.actor:
        return gettext("a person at the desk")
    member = Member.objects.filter(workspace=job.workspace_id, user__username=job.actor).first()
    return str(member) if member else job.actor


def took(job: SyncJob) -> str:
    """Returns `3.2 s`, `2 min 5 s`; "" for what has not ended."""
    if not job.started_at or not job.finished_at:
        return ""
    seconds = max((job.finished_at - job.started_at).total_seconds(), 0)
    if seconds < 60:
        return gettext("{number} s").format(number=f"{seconds:.1f}")
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return gettext("{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)
    return gettext("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)


def sums(job: SyncJob, removals: int = 0) -> str:
    """Returns `21 taken in, 79 sent, 1 waits for you, 8 had nothing to do`; what there is none of is left out."""
    said = []
    if job.pulled:
        said.append(gettext("{number} taken in").format(number=formats.number(job.pulled)))
    if job.pushed:
        said.append(gettext("{number} sent").format(number=formats.number(job.pushed)))
    if job.failed:
        waits = ngettext("{number} waits for you", "{number} wait for you", job.failed)
        said.append(waits.format(number=formats.number(job.failed)))
    if removals:
        asked = ngettext("{number} removal waits for your answer", "{number} removals wait for your answer", removals)
        said.append(asked.format(number=formats.number(removals)))
    if job.skipped:
        said.append(gettext("{number} had nothing to do").format(number=formats.number(job.skipped)))
    return ", ".join(said)


def first_line(job: SyncJob, removals: int) -> str:
    """Returns what the job has come to, how long it took and who has asked for it, in sentences."""
    said = []
    if length := took(job):
        said.append(gettext("Took {length}.").format(length=length))
    elif job.status == JobStatus.CANCELLED and not job.started_at:
        said.append(gettext("It was cancelled before it began."))
    if counts := sums(job, removals):
        said.append(f"{counts}.")
    elif not job.in_flight and job.started_at and not job.errors:
        said.append(gettext("Nothing had changed on either side."))
    said.append(gettext("Asked for by {who}.").format(who=who(job)))
    return " ".join(said)


def removals_of(job: SyncJob) -> dict[str, int]:
    """Returns how many removals this job has put aside that still wait, by connection; one query."""
    found: dict[str, int] = {}
    for connection_id, number in Hold.objects.filter(job=job, decision="").values_list(
        "stream__connection", "removals"
    ):
        found[connection_id] = found.get(connection_id, 0) + number
    return found


def chapters(
    job: SyncJob,
    parts: Sequence[JobPart],
    by_connection: Mapping[str, Mapping[str, int]],
    removals: Mapping[str, int],
) -> tuple[list[Chapter], int]:
    """Returns what was done for each account, and how many more there are for which nothing was to do."""
    told = [_chapter(job, part, by_connection.get(part.connection_id, {}), removals) for part in parts]
    loud = [chapter for chapter in told if not chapter.quiet]
    quiet = [chapter for chapter in told if chapter.quiet]
    if len(told) <= _MOST_TOLD:
        return loud + quiet, 0
    return loud, len(quiet)


def _chapter(job: SyncJob, part: JobPart, counts: Mapping[str, int], removals: Mapping[str, int]) -> Chapter:
    held = removals.get(part.connection_id, 0)
    quiet = not (counts.get("pulled") or counts.get("pushed") or counts.get("failed") or held or part.error)
    page = reverse("admin:integrations_connection_change", args=[part.connection_id])
    steps = [*_done(job, part, counts), *_waiting(job, part, counts, held)]
    return Chapter(part.connection.account_name, page, part.status, steps, quiet)


def _done(job: SyncJob, part: JobPart, counts: Mapping[str, int]) -> Iterator[StoryStep]:
    """Yields what was read, compared, taken in and sent."""
    streams = list(part.progress.get(STORY, {}).values())
    records, reads, writes = (sum(one.get(name, 0) for one in streams) for name in ("records", "reads", "writes"))
    if streams:
        yield StoryStep(_read(job, part, records) + _calls(reads), min(_moments(streams, "began"), default=None))
    if looked := sum(counts.values()):
        said = gettext("compared {number}").format(number=formats.number(looked))
        yield StoryStep(said, max(_moments(streams, "compared"), default=None))
    if counts.get("pulled"):
        yield StoryStep(gettext("took in {number}").format(number=formats.number(counts["pulled"])))
    if counts.get("pushed") or writes:
        said = gettext("sent {number}").format(number=formats.number(counts.get("pushed", 0)))
        yield StoryStep(said + _calls(writes), max(_moments(streams, "ended"), default=None))


def _read(job: SyncJob, part: JobPart, records: int) -> str:
    if not records:
        return gettext("found nothing new in {place}").format(place=job.label)
    words = ngettext("read {number} change from {place}", "read {number} changes from {place}", records)
    if any(part.progress.get(stream, {}).get("full") for stream in part.progress.get(STORY, {})):
        words = ngettext("read all of {place}: {number} record", "read all of {place}: {number} records", records)
    return words.format(number=formats.number(records), place=job.label)


def _waiting(job: SyncJob, part: JobPart, counts: Mapping[str, int], held: int) -> Iterator[StoryStep]:
    """Yields what it could not do: what waits for a person, and what has ended the account's turn."""
    if failed := counts.get("failed"):
        words = ngettext("{number} waits for you", "{number} wait for you", failed)
        here = reverse("admin:integrations_syncjob_change", args=[job.pk])
        failing = f"{here}?outcome=failed#records"
        yield StoryStep(words.format(number=formats.number(failed)), None, "danger", failing)
    if held:
        words = ngettext("{number} removal waits for your answer", "{number} removals wait for your answer", held)
        needs = f"{reverse('admin:index')}#needs"
        yield StoryStep(words.format(number=formats.number(held)), None, "warning", needs)
    if part.error:
        yield StoryStep(str(part.error.get("message", "")), None, "danger")


def _calls(number: int) -> str:
    if not number:
        return ""
    calls = ngettext("{number} call", "{number} calls", number).format(number=formats.number(number))
    return f" ({calls})"


def _moments(streams: Sequence[Mapping[str, Any]], name: str) -> list[dt.datetime]:
    return [dt.datetime.fromisoformat(one[name]) for one in streams if one.get(name)]


def before(job: SyncJob) -> dict[str, str] | None:
    """Returns the last run of the same accounts before this one: when, how it went, and its page; one query."""
    runs = SyncJob.objects.ended().filter(workspace=job.workspace_id, integration=job.integration, dry_run=False)
    runs = runs.filter(only__isnull=True, created_at__lt=job.created_at, connection=job.connection_id)
    last = runs.order_by("-created_at", "-id").first() if not (job.dry_run or job.only) else None
    if last is None:
        return None
    length = took(last)
    said = sums(last) or gettext("nothing to do")
    return {
        "at": last.created_at,  # type: ignore[dict-item]
        "url": reverse("admin:integrations_syncjob_change", args=[last.pk]),
        "said": ", ".join(filter(None, (str(last.get_status_display()).lower(), length, said))),
    }


def asked_for(job: SyncJob) -> str:
    """Returns what the job is about, where that is less than everything, or more than what has changed."""
    said = []
    if job.dry_run:
        said.append(gettext("A trial: nothing is changed."))
    elif job.mode == SyncJob.Mode.FULL:
        said.append(gettext("Everything is checked again."))
    if job.only is not None:
        few = ngettext("Only {number} record.", "Only {number} records.", len(job.only))
        said.append(few.format(number=formats.number(len(job.only))))
    if job.connection_id and job.connection:
        said.append(gettext("Only {account}.").format(account=job.connection.account_name))
    return " ".join(said)


def quiet_words(number: int) -> str:
    if not number:
        return ""
    more = ngettext(
        "For {number} more account there was nothing to do.",
        "For {number} more accounts there was nothing to do.",
        number,
    )
    return more.format(number=formats.number(number))


def is_short(job: SyncJob) -> bool:
    """Returns whether the job is told in three lines: it is over, changed nothing, and nothing is wrong."""
    return not (job.in_flight or job.pulled or job.pushed or job.failed or job.errors or job.dry_run or job.applies)
