"""Books whose vendor tells of changes: here within seconds, and next to no billed reads where nothing happens."""

import datetime as dt

import pytest
from django.test import Client as Vendor
from django.utils import timezone

from fieldcamp.workspace.models import Client
from integrations.jobs import schedule
from integrations.models import PushMark, SyncJob, WorkspaceIntegration
from integrations.push.dispatching import dispatch_prompt
from integrations.push.silence import judge_silence
from tests.faketime import process_clock
from tests.integrations.books.bookkeeper import Bookkeeper
from tests.integrations.engine import finish

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
VERIFIER = "b2f1c9a0-verifier"


@pytest.fixture
def company(connect_books):
    return connect_books(import_customers=True)


@pytest.fixture
def told(company, intuit, settings, sync):
    """A company in step, whose changes are told of; time passes, and the jobs that this makes are run."""
    settings.INTUIT_WEBHOOK_VERIFIERS = [VERIFIER]
    intuit.deliver_to(Vendor())
    intuit.portal("https://sync.example.com/push/intuit", verifier=VERIFIER)
    sync()

    def passes(seconds: float, step: float = 3) -> list[SyncJob]:
        jobs = []
        for _ in range(max(1, round(seconds / step))):
            process_clock().move(step)
            intuit.drain()
            schedule.dispatch_due(timezone.now())
            dispatch_prompt(timezone.now(), everything=False)
            jobs += [finish(job) for job in SyncJob.objects.filter(status="queued")]
            judge_silence(timezone.now())
        return jobs

    passes(120, step=30)
    return passes


def clients() -> set[str]:
    return set(Client.objects.values_list("company_name", flat=True))


def pushed(jobs: list[SyncJob]) -> list[SyncJob]:
    return [job for job in jobs if job.triggered_by == "push"]


def test_a_customer_made_there_is_here_within_ten_seconds(told, books, company):
    books.add("Customer", DisplayName="Grand Plaza", CompanyName="Grand Plaza")
    (job,) = pushed(told(9))
    assert (job.status, job.pulled) == ("succeeded", 1) and "Grand Plaza" in clients()
    assert not pushed(told(120, step=20))
    assert not PushMark.objects.exclude(due_at=None).exists()


@pytest.mark.parametrize("form", ["cloudevents", "legacy"])
def test_both_forms_are_read(told, books, intuit, form):
    intuit.portal("https://sync.example.com/push/intuit", verifier=VERIFIER, format=form)
    books.add("Customer", DisplayName="Grand Plaza", CompanyName="Grand Plaza")
    assert len(pushed(told(30))) == 1 and "Grand Plaza" in clients()


@pytest.mark.once
def test_a_company_at_rest_costs_ten_billed_reads_a_day_at_most(told, books, intuit, company):
    books.add("Customer", DisplayName="Grand Plaza", CompanyName="Grand Plaza")
    told(60)
    row = WorkspaceIntegration.objects.get(workspace=company.workspace)
    schedule.after_job(finish_one(company))
    row.refresh_from_db()
    assert row.next_sync_at - timezone.now() > dt.timedelta(hours=2)
    intuit.forget_requests()
    jobs = told(24 * 3600, step=600)
    assert 7 <= len(jobs) <= 10
    reads = [call for call in intuit.requests("/v3/company/") if call["method"] == "GET"]
    assert 1 <= len(reads) <= 10


def finish_one(company) -> SyncJob:
    return SyncJob.objects.filter(workspace=company.workspace, status="succeeded", narrowed=False).latest("created_at")


@pytest.mark.once
def test_silence_brings_the_schedule_back(told, books, intuit, company):
    books.add("Customer", DisplayName="Grand Plaza", CompanyName="Grand Plaza")
    told(60)
    intuit.call("DELETE", "webhooks?vendor=intuit")
    for number in range(4):
        books = Bookkeeper(intuit)
        books.add("Customer", DisplayName=f"Lost {number}", CompanyName=f"Lost {number}")
        told(3.5 * 3600, step=300)
    assert {f"Lost {number}" for number in range(4)} <= clients()
    assert PushMark.objects.filter(missed__gte=3).exists()
    row = WorkspaceIntegration.objects.get(workspace=company.workspace)
    assert row.next_sync_at - timezone.now() < dt.timedelta(minutes=40)
