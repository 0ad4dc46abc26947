"""Plans over HTTP: a dry run, its plan page by page, applying it once, and who may approve it."""

import datetime as dt

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.api.models import ApiKey
from fieldcamp.api.services import create_key
from fieldcamp.workspace.models import AuditEntry
from integrations.ledger.plans import LIVES
from integrations.models import (
    Connection,
    DirtyRow,
    JobItem,
    Plan,
    PlanOperation,
    Stream,
    SyncJob,
    WorkspaceIntegration,
)
from integrations.reconciliation.moving import _posted_since_last_listing
from integrations.selectors.freshness import jobs_of
from integrations.selectors.stalls import in_flight
from integrations.services.plans import set_approval
from tests.integrations import build
from tests.integrations.api.conftest import Caller, caller_of

pytestmark = pytest.mark.django_db
SYNC = "/google-calendar/sync"


@pytest.fixture
def plan(dana) -> Plan:
    """A plan of three operations, as a worker has made it of this key's dry run."""
    job = SyncJob.objects.get(pk=dana.post(SYNC, {"dry_run": True}).json()["job_id"])
    now = timezone.now()
    SyncJob.objects.filter(pk=job.pk).update(status="planned", started_at=now, finished_at=now)
    connection = Connection.objects.get(workspace=dana.workspace)
    stream = Stream.objects.create(connection=connection, container_id="main", is_target=True)
    counts = {"operations": 3, "fieldcamp": {}, "provider": {"create": 3}, "held": 0, "skipped": 0, "failed": 0}
    made = Plan.objects.create(
        workspace=dana.workspace, integration=job.integration, job=job, made_at=now, expires_at=now + LIVES,
        counts=counts, standing={stream.pk: {"vis_1": 7}},
    )  # fmt: skip
    for number in range(1, 4):
        PlanOperation.objects.create(
            plan=made, number=number, connection=connection, stream=stream, action="create", side="provider",
            kind="visit", key=f"vis_{number}", record_id=f"vis_{number}", remote_id=f"made{number:020}",
            fields={"title": [None, "Leak"], "after": [None, f"made{max(1, number - 1):020}"]},
        )  # fmt: skip
    DirtyRow.objects.create(stream=stream, kind="visit", record_id="vis_1", seq=7)
    return made


def error(response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.parametrize("value", ["no", "true", 1, 0, None, []])
def test_only_true_and_false_are_taken(dana, value):
    assert error(dana.post(SYNC, {"dry_run": value})) == (400, "VALIDATION_ERROR")
    assert not SyncJob.objects.exists()


def test_the_job_names_its_plan(dana, plan):
    answer = dana.get(f"/jobs/{plan.job_id}").json()
    assert (answer["status"], answer["dry_run"], answer["plan_id"]) == ("planned", True, plan.pk)
    assert dana.get("/jobs?status=planned").json()["jobs"][0]["plan_id"] == plan.pk
    assert dana.get("/google-calendar/status").json()["last_job"] is None


def test_a_dry_run_brings_nothing_up_to_date(dana):
    assert dana.post(SYNC, {"dry_run": True}).status_code == 202
    assert not jobs_of(Connection.objects.select_related("member"), in_flight(dana.workspace.pk))
    connection = Connection.objects.get(workspace=dana.workspace)
    sync = build.ended(dana.workspace, "succeeded", {connection: "done"})
    build.ended(dana.workspace, "planned", {connection: "done"}, dry_run=True, created_at=build.NOW + LIVES)
    JobItem.objects.create(
        job=sync, connection=connection, kind="payment", key="pay_1", record_id="pay_1", outcome="pushed"
    )  # fmt: skip
    assert _posted_since_last_listing(connection) == ["pay_1"]


def test_a_plan_is_read_page_by_page(dana, plan, django_assert_num_queries):
    first = dana.get(f"/plans/{plan.pk}?limit=2").json()
    assert [row["record"]["id"] for row in first["operations"]] == ["vis_1", "vis_2"]
    assert (first["state"], first["counts"]["operations"], first["applied_by"]) == ("open", 3, None)
    assert first["operations"][1]["remote_id"] is None
    assert first["operations"][1]["fields"]["after"] == [None, "new:vis_1"]
    last = dana.get(f"/plans/{plan.pk}?limit=2&cursor={first['next_cursor']}").json()
    assert [row["record"]["id"] for row in last["operations"]] == ["vis_3"] and last["next_cursor"] is None
    with CaptureQueriesContext(database) as one:
        dana.get(f"/plans/{plan.pk}?limit=1")
    with django_assert_num_queries(len(one)):
        assert len(dana.get(f"/plans/{plan.pk}").json()["operations"]) == 3
    assert error(dana.get(f"/plans/{plan.pk}?cursor=x")) == (400, "INVALID_CURSOR")
    assert error(dana.get(f"/plans/{plan.pk}?since=x")) == (400, "VALIDATION_ERROR")


def test_it_is_applied_once(dana, plan):
    for headers in ({}, {"Idempotency_Key": "one"}, {"Idempotency_Key": "one"}, {"Idempotency_Key": "two"}):
        answer = dana.post(f"/plans/{plan.pk}/apply", {}, **headers)
        assert answer.status_code == 202
        assert answer.json()["plan_id"] == plan.pk
    job = SyncJob.objects.get(applies=plan.pk)
    assert answer["Location"].endswith(job.pk) and answer.json()["job_id"] == job.pk
    assert dana.get(f"/plans/{plan.pk}").json()["state"] == "applied"
    assert dana.get(f"/jobs/{job.pk}").json()["plan_id"] == plan.pk


def test_it_is_not_applied_beside_another_job(dana, plan):
    job_id = dana.post(SYNC).json()["job_id"]
    refused = dana.post(f"/plans/{plan.pk}/apply")
    assert error(refused) == (409, "SYNC_IN_PROGRESS")
    assert refused.json()["error"]["details"]["active_job_id"] == job_id


def test_late_and_after_records_were_saved_it_is_412(dana, plan):
    DirtyRow.objects.update(seq=8)
    DirtyRow.objects.create(stream=Stream.objects.get(), kind="visit", record_id="vis_9", seq=9)
    refused = dana.post(f"/plans/{plan.pk}/apply")
    assert error(refused) == (412, "PRECONDITION_FAILED")
    assert refused.json()["error"]["details"]["changed"] == {"count": 2, "ids": ["vis_1", "vis_9"]}
    Plan.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    refused = dana.post(f"/plans/{plan.pk}/apply")
    assert error(refused) == (412, "PRECONDITION_FAILED") and "expires_at" in refused.json()["error"]["details"]
    assert not SyncJob.objects.exclude(applies="").exists()


def test_another_company_knows_nothing_of_it(dana, other, plan):
    for method, path in (("GET", ""), ("POST", "/apply"), ("POST", "/approve")):
        assert error(other(method, f"/plans/{plan.pk}{path}")) == (404, "NOT_FOUND")
    Plan.objects.update(counts={})  # still being made
    assert error(dana.get(f"/plans/{plan.pk}")) == (404, "NOT_FOUND")
    assert error(caller_of(dana.workspace, scopes=["integrations:read"]).post(f"/plans/{plan.pk}/apply"))[0] == 403


@pytest.fixture
def approval(dana, admin_user) -> None:
    set_approval(workspace=dana.workspace, integration="google_calendar", wanted=True, user=admin_user)


def child_of(caller: Caller) -> Caller:
    maker = ApiKey.objects.get(workspace=caller.workspace)
    key, secret = create_key(workspace=caller.workspace, name="child", scopes=["integrations:write"])
    ApiKey.objects.filter(pk=key.pk).update(made_by=maker)
    return Caller(caller.workspace, secret)


def test_where_approval_is_wanted_nobody_of_the_family_gives_it(dana, plan, approval):
    child = child_of(dana)
    assert dana.get(f"/plans/{plan.pk}").json()["state"] == "needs_approval"
    assert error(dana.post(SYNC)) == (409, "INVALID_TRANSITION")
    assert error(dana.post(f"/plans/{plan.pk}/apply")) == (409, "INVALID_TRANSITION")
    for caller in (dana, child):
        assert error(caller.post(f"/plans/{plan.pk}/approve")) == (409, "INVALID_TRANSITION")
    another = caller_of(dana.workspace)
    for _twice in range(2):
        answer = another.post(f"/plans/{plan.pk}/approve", {})
        assert (answer.status_code, answer.json()["state"]) == (200, "open")
    assert answer.json()["approved_by"].startswith("API key test (key_")
    assert AuditEntry.objects.filter(action="plan.approved", object_id=plan.pk).count() == 1
    assert dana.post(f"/plans/{plan.pk}/apply").status_code == 202
    answer = another.post(f"/plans/{plan.pk}/approve")
    assert (answer.status_code, answer.json()["state"]) == (200, "applied")  # approving twice is harmless then, too
    Plan.objects.update(approved_at=None)  # applied before an approval was asked for
    assert error(another.post(f"/plans/{plan.pk}/approve")) == (409, "INVALID_TRANSITION")
    assert WorkspaceIntegration.objects.get(workspace=dana.workspace).approves_plans
