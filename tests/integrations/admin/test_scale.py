"""The desk with many rows: the same queries, and plans that do not look at all of them."""

import datetime as dt
import zoneinfo

import pytest
from django.db import connection as database
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Client, Member, Visit
from integrations.admin.jobpage import PAGE
from integrations.models import Connection, JobItem, JobPart, Problem, Stream, SyncJob
from integrations.models.jobs import IS_IN_FLIGHT
from integrations.selectors.runs import strips_of
from tests.integrations.admin.conftest import GOOGLE, LISTS, pages_of

pytestmark = pytest.mark.slow

MANY = PAGE + 20


def fill(company) -> None:
    """More of everything than a page shows."""
    now, workspace = timezone.now(), company.workspace
    people = Member.objects.bulk_create(
        Member(workspace=workspace, first_name=f"Tech {n}", is_technician=True) for n in range(MANY)
    )
    clients = Client.objects.bulk_create([Client(workspace=workspace, company_name=f"Client {n}") for n in range(MANY)])
    visits = Visit.objects.bulk_create(
        [
            Visit(workspace=workspace, client=client, technician=member, title="Visit", scheduled_start=now)
            for client, member in zip(clients, people, strict=True)
        ]
    )
    accounts = Connection.objects.bulk_create(
        Connection(
            workspace=workspace, integration=GOOGLE, member=member, account_id=member.pk, account_name=member.pk,
            state="active", connected_at=now,
        )
        for member in people
    )  # fmt: skip
    for account, member in zip(accounts, people, strict=True):
        Stream.objects.create(connection=account, container_id="main", is_target=True)
        BlockedTime.objects.create(workspace=workspace, member=member, key="k", starts_at=now, ends_at=now)
    jobs = SyncJob.objects.bulk_create(
        SyncJob(workspace=workspace, integration=GOOGLE, status="succeeded", triggered_by="api", created_at=now)
        for _ in range(MANY)
    )
    JobPart.objects.bulk_create(JobPart(job=job, connection=company.connection) for job in jobs)
    JobPart.objects.bulk_create(JobPart(job=company.job, connection=account) for account in accounts)
    JobItem.objects.bulk_create(
        JobItem(job=company.job, connection=account, kind="visit", key=visit.pk, record_id=visit.pk, outcome="failed")
        for account, visit in zip(accounts, visits, strict=True)
    )
    SyncJob.objects.filter(pk=company.job.pk).update(failed=MANY)
    Problem.objects.bulk_create(
        Problem(
            workspace=workspace, integration=GOOGLE, connection=account, code="RECORD_REJECTED", record_kind="visit",
            record_id=visit.pk, message="Refused.", occurred_at=now,
        )
        for account, visit in zip(accounts, visits, strict=True)
    )  # fmt: skip


def queries_of(browser, address: str, capture) -> int:
    with capture as queries:
        assert browser.get(address).status_code == 200
    return len(queries)


def test_no_page_asks_more_with_more_rows(desk, ours, django_assert_max_num_queries):
    addresses = {**LISTS, **{name: pages_of(ours)[name] for name in ("job", "connection", "visit", "live")}}
    SyncJob.objects.filter(pk=ours.job.pk).update(status="running")
    browser = desk()
    before = {name: queries_of(browser, at, django_assert_max_num_queries(40)) for name, at in addresses.items()}
    fill(ours)
    after = {name: queries_of(browser, at, django_assert_max_num_queries(40)) for name, at in addresses.items()}
    assert {name: count - before[name] for name, count in after.items() if count > before[name]} == {}


@pytest.mark.skipif(database.vendor != "sqlite", reason="PostgreSQL knows what a bound value is when it plans")
def test_the_running_job_is_found_without_looking_through_all(ours):
    mine = SyncJob.objects.filter(IS_IN_FLIGHT, workspace=ours.workspace, integration=GOOGLE)
    assert "one_job_in_flight" in mine.explain()
    assert "job_in_flight" in SyncJob.objects.filter(IS_IN_FLIGHT).order_by("created_at").explain()


def test_the_condition_finds_what_is_in_flight(ours):
    for status in SyncJob.objects.model._meta.get_field("status").choices:
        SyncJob.objects.update(status=status[0])
        assert SyncJob.objects.filter(IS_IN_FLIGHT).exists() == SyncJob.objects.get().in_flight


def test_a_day_begins_at_the_companys_midnight(ours):
    """Also on the day on which the clocks go back."""
    ours.workspace.timezone = "America/New_York"
    SyncJob.objects.all().delete()
    zone = zoneinfo.ZoneInfo("America/New_York")
    for moment, status in (
        (dt.datetime(2026, 10, 31, 23, 59, tzinfo=zone), "failed"),
        (dt.datetime(2026, 11, 1, 0, 0, tzinfo=zone), "failed"),
        (dt.datetime(2026, 11, 1, 23, 59, tzinfo=zone), "done"),
        (dt.datetime(2026, 11, 2, 0, 0, tzinfo=zone), "done"),
        (dt.datetime(2026, 10, 1, tzinfo=zone), "done"),  # too old
    ):
        job = SyncJob.objects.create(
            workspace=ours.workspace, integration=GOOGLE, status="succeeded", triggered_by="api", created_at=moment,
            finished_at=moment + dt.timedelta(seconds=7),
        )  # fmt: skip
        JobPart.objects.create(job=job, connection=ours.connection, status=status, pulled=2, pushed=3)
    now = dt.datetime(2026, 11, 2, 5, 30, tzinfo=dt.UTC)
    [strip] = strips_of(ours.workspace, [ours.connection], now)
    assert [(day.date, day.runs, day.records, day.result) for day in strip.days[-4:]] == [
        (dt.date(2026, 10, 30), 0, 0, "none"),
        (dt.date(2026, 10, 31), 1, 5, "failed"),
        (dt.date(2026, 11, 1), 2, 10, "waits"),
        (dt.date(2026, 11, 2), 1, 5, "done"),
    ]
    assert (strip.runs, strip.records, strip.longest) == (4, 20, dt.timedelta(seconds=7))
