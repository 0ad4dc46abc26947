"""A limit for what a company may be billed a day: syncs wait, say so, and lose nothing."""

import datetime as dt

import pytest
from django.test import Client as Browser
from django.utils import timezone

from integrations.jobs.schedule import dispatch_due
from integrations.models import Connection, DailyCalls, DirtyRow, Problem, SyncJob, WorkspaceIntegration
from integrations.selectors.metering import forecast, midnight_after
from integrations.selectors.status import status
from tests.integrations.books.bookkeeper import Bookkeeper
from tests.integrations.engine import finish

USED = "reads a day that QuickBooks may bill for this account are used up"


@pytest.fixture
def login(desk) -> Browser:
    return desk()


@pytest.fixture
def limit(company):
    """Sets the limit, and what has been used of it today."""

    def set(limit: int | None, used: int = 0) -> None:
        Connection.objects.filter(pk=company.pk).update(metered_reads_per_day=limit)
        DailyCalls.objects.update_or_create(
            connection=company, day=timezone.now().date(), defaults={"metered": used, "reads": used}
        )

    return set


def used(company) -> int:
    return DailyCalls.objects.get(connection=company, day=timezone.now().date()).metered


@pytest.mark.slow
def test_a_day_that_is_used_up_waits_says_so_and_goes_on_the_next(
    company, workspace, sync, intuit, limit, make_client, clock
):
    sync()
    client = make_client()
    limit(50, used=50)
    intuit.forget_requests()
    job = sync()
    assert job.status == "failed" and not intuit.requests("/v3/company/")
    [error] = job.errors
    midnight = midnight_after(timezone.now())
    assert error["code"] == "RATE_LIMITED" and f"The 50 {USED}" in error["message"]
    assert f"it goes on at 00:00 UTC on {midnight.day} Nov" in error["message"]
    assert DirtyRow.objects.filter(record_id=client.pk).exists()
    now = status(workspace, "quickbooks")
    assert now["health"] == "degraded" and now["errors"][0]["code"] == "RATE_LIMITED"
    assert now["connections"][0]["metered_reads"]["waits_until"] == midnight.isoformat()[:19] + "Z"
    # The schedule leaves it alone until then…
    row = WorkspaceIntegration.objects.get(workspace=workspace, integration="quickbooks")
    assert row.next_sync_at == midnight
    assert dispatch_due(midnight - dt.timedelta(minutes=1)) == 0
    # …and takes it up by itself.
    clock.reach(midnight + dt.timedelta(seconds=1))
    assert dispatch_due(timezone.now()) == 1
    later = finish(SyncJob.objects.get(triggered_by="schedule"))
    assert (later.status, later.pushed) == ("succeeded", 1)
    assert not Problem.objects.open().filter(connection=company).exists()


@pytest.mark.slow
def test_a_run_that_reaches_it_ends_there_and_nothing_is_lost_or_doubled(
    company, books, sync, intuit, limit, make_client, make_invoice, clock
):
    sync()
    for number in range(3):
        books.add("Customer", DisplayName=f"Theirs {number}")
        make_invoice(make_client(first_name=f"Kim {number}"), [(None, 1, 100)])
    for allowed in range(1, 9):
        limit(allowed)
        job = sync()
        assert used(company) <= allowed
        if job.status == "succeeded":
            break
        assert any(USED in error["message"] for error in job.errors)
        clock.reach(midnight_after(timezone.now()) + dt.timedelta(seconds=1))
    assert job.status == "succeeded" and allowed > 2
    books = Bookkeeper(intuit)  # whose token does not live for days
    assert len(books.all("Invoice")) == 3 and len(books.all("Customer")) == 6
    limit(0)
    quiet = sync()
    assert (quiet.status, quiet.pulled, quiet.pushed, quiet.failed) == ("succeeded", 0, 0, 0)


@pytest.mark.slow
def test_several_days_of_a_first_sync_come_to_an_end(company, books, sync, limit, clock):
    for number in range(5):
        books.add("Customer", DisplayName=f"Theirs {number}")
    jobs = []
    while not jobs or jobs[-1].status != "succeeded":
        limit(4)
        jobs.append(sync())  # the first one of a company reads all there is
        assert used(company) <= 4 and len(jobs) < 6
        clock.reach(midnight_after(timezone.now()) + dt.timedelta(seconds=1))
    assert len(jobs) > 1


@pytest.mark.slow
def test_the_installations_limit_holds_where_nothing_is_chosen(company, sync, limit, monkeypatch):
    from dataclasses import replace

    from integrations.providers import PROVIDERS

    monkeypatch.setitem(PROVIDERS, "quickbooks", replace(PROVIDERS["quickbooks"], metered_reads_per_day=5))
    limit(None, used=5)
    assert sync().status == "failed"
    limit(0, used=5)  # none, for this account
    company.refresh_from_db()
    assert company.retry_at == midnight_after(timezone.now())
    assert sync().status == "succeeded"  # a person who asks does not wait for a limit that is no more


@pytest.mark.slow
def test_who_allows_more_lets_it_go_on_at_once(company, workspace, sync, limit, login):
    limit(50, used=50)
    assert sync().status == "failed"
    response = login.post(f"/admin/integrations/connections/{company.pk}/calls/", {"limit": "60"})
    assert response.status_code == 302
    company.refresh_from_db()
    assert (company.metered_reads_per_day, company.retry_at) == (60, None)
    row = WorkspaceIntegration.objects.get(workspace=workspace, integration="quickbooks")
    assert row.next_sync_at < midnight_after(timezone.now())
    assert sync().status == "succeeded"


@pytest.mark.slow
@pytest.mark.parametrize("text", ["-1", "49", "many", "1.5", "1000001"])
def test_a_limit_that_is_none_is_refused_at_its_field(company, login, text):
    response = login.post(f"/admin/integrations/connections/{company.pk}/calls/", {"limit": text})
    assert response.status_code == 400 and 'id="limit_error"' in response.content.decode()
    company.refresh_from_db()
    assert company.metered_reads_per_day is None


def test_the_card_warns_at_four_fifths(company, limit, login):
    def card() -> str:
        return login.get("/admin/integrations/state/").content.decode()

    limit(100, used=79)
    assert "may bill today" not in card()
    limit(100, used=80)
    assert "80 of 100 reads that QuickBooks may bill today are used." in card()
    limit(100, used=100)
    assert "All 100 reads that QuickBooks may bill today are used up." in card()


def test_the_connections_page_shows_what_the_calls_come_to(company, login, limit):
    today = timezone.now().date()
    for back, metered in ((1, 20), (2, 10), (31, 500)):
        DailyCalls.objects.create(
            connection=company, day=today - dt.timedelta(days=back), metered=metered, reads=metered
        )
    limit(1500, used=1234)
    page = login.get(f"/admin/integrations/connection/{company.pk}/change/").content.decode()
    assert "1,234 of 1,500" in page and "1,264" in page  # today; and the last 30 days


def test_metrics_tell_what_is_billed(company, client, limit):
    limit(None, used=7)
    text = client.get("/metrics").content.decode()
    assert f'fieldcamp_metered_reads_today{{connection="{company.pk}",integration="quickbooks"}} 7.0' in text


@pytest.mark.parametrize(
    ("days", "month"),
    [
        ({}, 0),
        ({20: 10}, 10 + 10 * 10),  # connected today: the rest of the month is like today
        ({13: 7, 14: 7, 15: 7, 16: 7, 17: 7, 18: 7, 19: 7}, 49 + 11 * 7),
        ({18: 0, 19: 20}, 20 + 11 * 10),  # connected the day before yesterday
        ({1: 300, 13: 0, 19: 70}, 370 + 11 * 10),  # what was long ago counts, and says nothing of the days to come
        ({19: 10, 20: 40}, 10 + 40 + 10 * 10),
    ],
)
def test_a_month_comes_to_what_it_has_and_more_like_the_last_seven_days(days, month):
    assert forecast({dt.date(2026, 11, day): count for day, count in days.items()}, dt.date(2026, 11, 20)) == month


@pytest.mark.slow
@pytest.mark.parametrize("page", ["mapping", "reconciliation", "setup"])
def test_a_page_that_would_have_to_ask_says_why_it_does_not(company, sync, login, limit, intuit, page):
    sync()
    limit(50, used=50)
    intuit.forget_requests()
    response = login.get(f"/admin/integrations/connections/{company.pk}/{page}/?read=1", follow=True)
    if response.status_code == 200 and USED not in response.content.decode():
        response = login.post(f"/admin/integrations/connections/{company.pk}/{page}/", follow=True)
    assert not intuit.requests("/v3/company/")
    assert USED in response.content.decode()


@pytest.mark.slow
def test_a_button_that_would_have_to_ask_says_why_it_does_not(
    company, sync, login, limit, make_client, make_tax, make_invoice
):
    invoice = make_invoice(make_client(), [(None, 1, 100)], tax_rate_id=make_tax("Nowhere", "0.0123").pk)
    sync()
    problem = Problem.objects.open().get(record_id=invoice.pk)
    limit(50, used=50)
    response = login.post(f"/admin/integrations/problems/{problem.pk}/retry/")
    assert response.status_code in (200, 302)
    job = finish(SyncJob.objects.order_by("created_at").last())
    outcome = login.get(f"/admin/integrations/problems/{problem.pk}/outcome/", {"job": job.pk})
    assert USED in outcome.content.decode()
    assert Problem.objects.open().filter(pk=problem.pk).exists()
    limit(0)
    assert sync().status in ("succeeded", "partial")


@pytest.mark.slow
def test_the_change_feed_answers_from_what_is_stored(company, sync, limit, intuit, workspace):
    from rest_framework.test import APIClient

    from fieldcamp.api.services import create_key

    sync()
    limit(50, used=50)
    intuit.forget_requests()
    _, secret = create_key(workspace=workspace, name="Zapier")
    api = APIClient(HTTP_AUTHORIZATION=f"Bearer {secret}")
    feed = api.get("/api/v1/integrations/quickbooks/sync")
    assert feed.status_code == 200 and not intuit.requests("/v3/company/")
    trigger = api.post("/api/v1/integrations/quickbooks/sync")
    assert trigger.status_code == 202
    job = finish(SyncJob.objects.get(pk=trigger.json()["job_id"]))
    told = api.get(f"/api/v1/integrations/jobs/{job.pk}").json()
    assert (told["status"], told["errors"][0]["code"]) == ("failed", "RATE_LIMITED")
    assert USED in told["errors"][0]["message"]
    report = api.get("/api/v1/integrations/quickbooks/reconciliation")
    assert report.status_code == 503 and USED in report.json()["error"]["message"]
    assert 0 < int(report["Retry-After"]) <= 86400
