"""A job's calls, kept for the vendor's support: enough for it to find them, and nothing else."""

import csv
import datetime as dt
import io
import re

import pytest
from django.utils import timezone

from fieldcamp.texts import masked
from integrations.jobs import housekeeping
from integrations.models import JobCall, SyncJob
from tests.sandboxed import COMPANY


def rows(response) -> list[dict[str, str]]:
    assert response["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))


@pytest.mark.slow
def test_each_call_of_a_job_is_a_row_with_the_vendors_name_for_it(
    company, sync, intuit, desk, make_client, make_invoice
):
    make_invoice(make_client(last_name="Unmistakable", email="unmistakable@reed.test"), [(None, 1, "123.45")])
    intuit.forget_requests()
    intuit.fault("status", path="/customer$", status=503, times=1)
    job = sync()
    assert job.status == "succeeded"
    browser, address = desk(), f"/admin/integrations/jobs/{job.pk}/calls.csv"
    page = browser.get(f"/admin/integrations/syncjob/{job.pk}/change/").content.decode()
    assert "Export for Intuit support" in page and address in page
    found = rows(browser.get(address))
    seen = intuit.requests("/v3/company/")
    assert [(row["method"], row["path"], row["status"]) for row in found] == [
        (one["method"], one["path"].replace(COMPANY, masked(COMPANY)), str(one["status"])) for one in seen
    ]
    assert "503" in {row["status"] for row in found}
    traces = [row["intuit_tid"] for row in found if row["status"] != "503"]  # a proxy's, say, that knows of none
    assert all(traces) and len(set(traces)) == len(traces)
    assert all(f"/v3/company/{masked(COMPANY)}/" in row["path"] and COMPANY not in row["path"] for row in found)
    assert all(re.fullmatch(r"2026-11-\d\dT[\d:]{8}\.\d{3}\+00:00", row["time_utc"]) for row in found)
    text = str(found).casefold()
    for secret in ("unmistakable", "select", "requestid", "123.45", "bearer", "?"):
        assert secret not in text


@pytest.mark.slow
def test_a_call_without_an_answer_is_a_row_as_well(company, sync, intuit, desk):
    sync()
    intuit.fault("drop", path="/cdc", times=1)
    job = sync()
    found = rows(desk().get(f"/admin/integrations/jobs/{job.pk}/calls.csv"))
    assert [row["status"].isdigit() for row in found] == [False, True]
    assert found[0]["intuit_tid"] == ""


@pytest.mark.slow
def test_nobody_of_another_company_gets_them(company, sync, desk, second_workspace):
    job = sync()
    SyncJob.objects.filter(pk=job.pk).update(workspace=second_workspace)
    assert desk().get(f"/admin/integrations/jobs/{job.pk}/calls.csv").status_code == 404


@pytest.mark.slow
def test_they_are_kept_for_thirty_days(company, sync, desk):
    job = sync()
    now = timezone.now()
    first = JobCall.objects.filter(job=job).order_by("pk").first()
    JobCall.objects.filter(pk=first.pk).update(at=now - dt.timedelta(days=31))
    before = JobCall.objects.count()
    housekeeping.daily(now)
    assert JobCall.objects.count() == before - 1 > 0
    JobCall.objects.update(at=now - dt.timedelta(days=31))
    housekeeping.daily(now)
    browser = desk()
    assert "Intuit support" not in browser.get(f"/admin/integrations/syncjob/{job.pk}/change/").content.decode()
    assert browser.get(f"/admin/integrations/jobs/{job.pk}/calls.csv").status_code == 404
    assert SyncJob.objects.filter(pk=job.pk).exists()


@pytest.mark.slow
def test_a_job_that_is_forgotten_takes_its_calls_along(company, sync):
    job = sync()
    SyncJob.objects.filter(pk=job.pk).update(finished_at=timezone.now() - dt.timedelta(days=100))
    housekeeping.daily(timezone.now())
    assert not SyncJob.objects.filter(pk=job.pk).exists() and not JobCall.objects.filter(job_id=job.pk).exists()


@pytest.mark.slow
def test_calls_of_many_slices_are_one_table(company, sync, desk, make_client):
    for number in range(95):
        make_client(first_name=f"Kim {number}", last_name="Reed", email=f"kim{number}@reed.test")
    job = sync()
    assert (
        len(rows(desk().get(f"/admin/integrations/jobs/{job.pk}/calls.csv"))) == JobCall.objects.filter(job=job).count()
    )
