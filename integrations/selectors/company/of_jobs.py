"""What is said of the job that runs, and of the last one where nothing else explains how it ended."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.kinds import CUSTOMER
from integrations.models import JobStatus, SyncJob
from integrations.selectors.company.facts import CompanyFacts
from integrations.selectors.company.findings import ActsNext, CompanyFinding, FindingKind, Urgency
from integrations.selectors.company.words import clock, place
from integrations.selectors.freshness import AT_WORK
from integrations.selectors.progress import left_in_words, percent_of, seconds_left
from integrations.selectors.standings import Standing

# So long a job may wait to be taken up before it is said.
WAITS_LONG = dt.timedelta(seconds=60)
_EXPLAINED = (FindingKind.NEEDS_YOU, FindingKind.VENDOR_DOWN, FindingKind.VENDOR_WAITS, FindingKind.NO_ACCESS,
              FindingKind.GIVEN_UP, FindingKind.FAILING, FindingKind.NOT_UP_TO_DATE)  # fmt: skip


def findings_of_jobs(facts: CompanyFacts, one: Standing, before: Sequence[CompanyFinding]) -> Iterator[CompanyFinding]:
    """Yields what runs, or hangs; where nothing runs, how the last run ended, if that is not told of `before`."""
    if one.live_job is not None:
        if one.live_job.started_at is None and not facts.queue.working:
            return  # what waits for nobody is counted where that is told
        yield _live(facts, one, one.live_job)
    elif not any(finding.kind in _EXPLAINED for finding in before):
        yield from _last(facts, one)


def _page(job: SyncJob) -> str:
    return reverse("admin:integrations_syncjob_change", args=[job.pk])


def _live(facts: CompanyFacts, one: Standing, job: SyncJob) -> CompanyFinding:
    name = place(one.provider.name)
    about: dict[str, Any] = {
        "integration": one.provider.name, "job_id": job.pk, "url": _page(job), "label": _("Watch"),
        "connections": tuple(one.accounts) if job.connection_id is None else tuple(
            account for account in one.accounts if account.pk == job.connection_id
        ),
    }  # fmt: skip
    if job.status == JobStatus.QUEUED and job.started_at is None:
        since = job.created_at
        if facts.now - since > WAITS_LONG and facts.queue.working:
            return CompanyFinding(
                FindingKind.QUEUED_LONG,
                Urgency.PASSES,
                ActsNext.OPERATOR,
                _("{place} waits for a worker since {time}.").format(
                    place=name, time=clock(since, facts.zone, facts.now)
                ),
                _("{place}: it begins by itself. Whoever runs this site can start more workers.").format(place=name),
                since=since,
                **about,
            )
        said = _("{place} is about to be synced.")
        return CompanyFinding(
            FindingKind.RUNNING, Urgency.CALM, ActsNext.FIELDCAMP, said.format(place=name),
            _("{place}: a worker takes it up within seconds.").format(place=name), since=since, **about,
        )  # fmt: skip
    further = job.progressed_at or job.started_at or job.created_at
    waits = job.run_after if job.run_after and job.run_after > facts.now else None
    if facts.now - further > AT_WORK and waits is None:
        return CompanyFinding(
            FindingKind.STUCK,
            Urgency.CAN_WAIT,
            ActsNext.PERSON,
            _("A sync of {place} has come no further since {time}.").format(
                place=name, time=clock(further, facts.zone, facts.now)
            ),
            _("{place}: cancel it on its page; the next begins anew. Nothing is lost.").format(place=name),
            since=further,
            **about,
        )
    return _running(facts, one, job, waits, about)


def _running(
    facts: CompanyFacts, one: Standing, job: SyncJob, waits: dt.datetime | None, about: dict[str, Any]
) -> CompanyFinding:
    name = place(one.provider.name)
    if job.cancel_requested_at:
        said, when = _("The sync of {place} is being stopped."), _("{place}: it stops after the call that it is in.")
    elif job.dry_run:
        said, when = _("What a sync of {place} would do is being worked out."), _("{place}: nothing is changed by it.")
    else:
        said, when = _("Syncing {place}."), _("{place}: it ends by itself.")
    detail = when.format(place=name)
    if waits:
        detail = _("{place} has asked us to wait; it goes on at {time}.").format(
            place=name, time=clock(waits, facts.zone, facts.now)
        )
    return CompanyFinding(
        FindingKind.RUNNING,
        Urgency.CALM,
        ActsNext.FIELDCAMP,
        said.format(place=name),
        detail,
        moving=_moving(one, job, facts.now),
        spoken=_spoken(job),
        since=job.started_at,
        next_at=waits,
        **about,
    )


def _moving(one: Standing, job: SyncJob, now: dt.datetime) -> str:
    """Returns `50 of 120 visits, about 20 s left`."""
    if not job.total or job.done > job.total:
        return ""
    said = _("{done} of {total} records") if CUSTOMER.name in one.provider.kinds else _("{done} of {total} visits")
    parts = [said.format(done=f"{job.done:,}", total=f"{job.total:,}")]
    seconds = seconds_left(job, now)
    if seconds is not None:
        parts.append(left_in_words(seconds))
    return ", ".join(parts)


def _spoken(job: SyncJob) -> str:
    """Returns `40 % done`, in tenths."""
    percent = percent_of(job)
    # xgettext:no-python-format
    return _("{percent} % done").format(percent=percent // 10 * 10) if percent is not None else ""


def _last(facts: CompanyFacts, one: Standing) -> Iterator[CompanyFinding]:
    job = one.last_job
    failing = one.row is not None and one.row.failures > 0
    if job is None or (job.status == JobStatus.SUCCEEDED and not failing):
        return
    ended = clock(job.finished_at or job.created_at, facts.zone, facts.now)
    said = {
        JobStatus.PARTIAL: _("The last sync of {place} could not settle everything."),
        JobStatus.NEEDS_CONFIRMATION: _("The last sync of {place} held removals back; they were answered since."),
        JobStatus.CANCELLED: _("The last sync of {place} was cancelled."),
        JobStatus.SUCCEEDED: _("Not every sync of {place} has gone well."),
        JobStatus.FAILED: _("The last sync of {place} failed."),
    }.get(JobStatus(job.status), _("Something needs a look: {place}."))
    nxt = one.next_sync_at
    when = _("It is tried again when somebody starts a sync.") if nxt is None else _(
        "It is tried again at {time}."
    ).format(time=clock(nxt, facts.zone, facts.now))  # fmt: skip
    yield CompanyFinding(
        FindingKind.LAST_RUN,
        Urgency.CALM if job.status == JobStatus.CANCELLED else Urgency.PASSES,
        ActsNext.FIELDCAMP if nxt else ActsNext.PERSON,
        said.format(place=place(one.provider.name)),
        _("{place}: it ended at {time}.").format(place=place(one.provider.name), time=ended) + f" {when}",
        integration=one.provider.name,
        since=job.finished_at,
        next_at=nxt,
        url=_page(job),
        label=_("Open"),
        job_id=job.pk,
    )
