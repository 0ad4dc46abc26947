"""What a trigger's answer is polled with: one job, the list, and cancelling."""

import datetime as dt

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from fieldcamp.api.services import create_key
from integrations.models import JobItem, SyncJob
from tests.integrations import build
from tests.integrations.api.conftest import Caller
from tests.integrations.build import NOW

pytestmark = pytest.mark.django_db


def test_a_job_shows_how_far_it_is_and_what_became_of_each_record(dana):
    connection = dana.workspace.connections.get()
    job = build.job(
        dana.workspace,
        "running",
        started_at=NOW,
        stage="push",
        done=3,
        total=120,
        pushed=2,
        failed=1,
        errors=[{"code": "RECORD_REJECTED", "message": "No.", "occurred_at": "…", "connection_id": connection.pk}],
    )
    for number, outcome in enumerate(["pushed", "pushed", "failed"]):
        JobItem.objects.create(job=job, connection=connection, kind="visit", key=f"vis_{number}", outcome=outcome)
    counts = {"pulled": 0, "pushed": 2, "skipped": 0, "failed": 1}
    assert dana.get(f"/jobs/{job.pk}").json() == {
        "job_id": job.pk,
        "integration": "google_calendar",
        "mode": "incremental",
        "status": "running",
        "created_at": "2026-11-22T08:00:00Z",
        "started_at": "2026-11-22T08:00:00Z",
        "finished_at": None,
        "triggered_by": "api",
        "dry_run": False,
        "plan_id": None,
        "progress": {"stage": "push", "done": 3, "total": 120},
        "counts": counts,
        "errors": job.errors,
        "hold_ids": [],
        "next_action_url": f"http://127.0.0.1:8000/admin/integrations/syncjob/{job.pk}/change/",
        "counts_by_entity": {"visit": counts},
        "counts_by_connection": {connection.pk: counts},
    }


@pytest.mark.parametrize("path", ["/jobs/{}", "/jobs?limit=5"])
def test_who_polls_is_told_that_nothing_has_changed(dana, path):
    job = build.job(dana.workspace, "running")
    path = path.format(job.pk)
    first = dana.get(path)
    again = dana.get(path, If_None_Match=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert int(again["X-RateLimit-Remaining"]) == int(first["X-RateLimit-Remaining"]) - 1
    SyncJob.objects.filter(pk=job.pk).update(done=5)
    changed = dana.get(path, If_None_Match=first["ETag"])
    assert changed.status_code == 200 and changed["ETag"] != first["ETag"]


def test_a_job_is_cancelled_once_for_each_key(dana):
    job = build.job(dana.workspace)
    first, again = (dana.post(f"/jobs/{job.pk}/cancel", Idempotency_Key="k1") for _ in range(2))
    assert first.status_code == 202 and first["Location"].endswith(f"/jobs/{job.pk}")
    assert (again.status_code, again.content, again["Idempotent-Replayed"]) == (202, first.content, "true")
    assert dana.post(f"/jobs/{job.pk}/cancel", Idempotency_Key="k2").json()["error"]["code"] == "JOB_FINISHED"


def test_a_dead_grant_leads_to_the_connect_page(dana):
    job = build.job(dana.workspace, "failed", errors=[{"code": "NEEDS_RECONNECT"}, {"code": "CONFLICT"}])
    url = dana.get(f"/jobs/{job.pk}").json()["next_action_url"]
    assert url == "http://127.0.0.1:8000/admin/integrations/connect/google-calendar/"


@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("HEAD", ""), ("POST", "/cancel")])
def test_another_companys_job_does_not_exist(dana, other, method, suffix):
    job = build.job(other.workspace)
    assert dana(method, f"/jobs/{job.pk}{suffix}").status_code == 404
    assert dana(method, f"/jobs/syn_none{suffix}").status_code == 404
    job.refresh_from_db()
    assert job.status == "queued"


def test_the_list_is_newest_first_and_pages_to_its_end(dana, other):
    build.job(other.workspace)
    at = [NOW - dt.timedelta(minutes=minutes) for minutes in (0, 0, 1, 2, 3)]
    made = {build.job(dana.workspace, "succeeded", created_at=moment).pk: moment for moment in at}
    expected = sorted(made, key=lambda pk: (made[pk], pk), reverse=True)
    found, cursor = [], ""
    while cursor is not None:
        page = dana.get(f"/jobs?limit=2{f'&cursor={cursor}' if cursor else ''}").json()
        found += [job["job_id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
    assert found == expected


def test_the_list_is_filtered_and_its_cursor_belongs_to_the_filters(dana):
    for _ in range(2):
        build.job(dana.workspace, "failed")
    build.job(dana.workspace, "queued")
    planned = build.job(dana.workspace, "planned", dry_run=True)
    assert [job["job_id"] for job in dana.get("/jobs?dry_run=true").json()["jobs"]] == [planned.pk]
    assert planned.pk not in [job["job_id"] for job in dana.get("/jobs?dry_run=false").json()["jobs"]]
    page = dana.get("/jobs?status=failed&integration=google_calendar&limit=1").json()
    assert [job["status"] for job in page["jobs"]] == ["failed"]
    assert len(dana.get("/jobs?integration=google-calendar").json()["jobs"]) == 4
    response = dana.get(f"/jobs?limit=1&cursor={page['next_cursor']}")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_CURSOR")


@pytest.mark.parametrize("query", ["status=done", "integration=icloud", "limit=0", "limit=201", "limit=x", "dry_run=1"])
def test_filters_that_are_not_understood(dana, query):
    response = dana.get(f"/jobs?{query}")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert list(response.json()["error"]["details"]) == [query.split("=")[0]]


def test_the_list_costs_the_same_however_long_it_is(dana):
    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            dana.get("/jobs")
        return len(captured)

    dana.get("/jobs")
    build.job(dana.workspace, "succeeded")
    before = queries()
    for _ in range(40):
        build.job(dana.workspace, "succeeded")
    assert queries() == before > 0


def test_cancel(dana):
    job = build.job(dana.workspace)
    response = dana.post(f"/jobs/{job.pk}/cancel")
    assert (response.status_code, response.json()["status"]) == (202, "cancelled")
    again = dana.post(f"/jobs/{job.pk}/cancel", {})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "JOB_FINISHED")


def test_cancelling_what_runs_answers_at_once_and_asks_the_worker(dana):
    job = build.job(dana.workspace, "running", started_at=NOW, lease_owner="w", lease_until=NOW)
    response = dana.post(f"/jobs/{job.pk}/cancel", {})
    assert (response.status_code, response.json()["status"]) == (202, "running")
    assert SyncJob.objects.get().cancel_requested_at is not None


def test_cancel_takes_no_fields(dana):
    job = build.job(dana.workspace)
    assert dana.post(f"/jobs/{job.pk}/cancel", {"force": True}).status_code == 400
    job.refresh_from_db()
    assert job.status == "queued"


def test_scopes(dana):
    job = build.job(dana.workspace)
    reader = Caller(dana.workspace, create_key(workspace=dana.workspace, name="r", scopes=["integrations:read"])[1])
    writer = Caller(dana.workspace, create_key(workspace=dana.workspace, name="w", scopes=["integrations:write"])[1])
    assert reader.get(f"/jobs/{job.pk}").status_code == 200
    assert reader.post(f"/jobs/{job.pk}/cancel").status_code == 403
    assert writer.get("/jobs").json()["error"]["details"] == {"required_scope": "integrations:read"}
