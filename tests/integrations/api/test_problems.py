"""Answering a problem by API: a visit whose event was removed."""

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import Visit
from integrations.models import Link, Problem, Stream, SyncJob
from tests.integrations.api.conftest import caller_of
from tests.integrations.build import GOOGLE

pytestmark = pytest.mark.django_db


@pytest.fixture
def removed(workspace, make_visit):
    """The problem about a visit whose event is gone."""
    visit = make_visit(visit_status="scheduled")
    connection = visit.workspace.connections.create(
        workspace=workspace, integration=GOOGLE, account_id="dana", account_name="dana", state="active"
    )
    stream = Stream.objects.create(connection=connection, container_id="main", is_target=True)
    now = timezone.now()
    Link.objects.create(
        stream=stream, kind="visit", record_id=visit.pk, remote_id="event", cut_at=now, seen_gone=True, base={}, seen={}
    )
    return Problem.objects.create(
        workspace=workspace, integration=GOOGLE, connection=connection, code="EVENT_REMOVED", record_kind="visit",
        record_id=visit.pk, message="Removed.", occurred_at=now,
    )  # fmt: skip


def test_it_is_put_back_by_a_job_of_its_own(removed, workspace):
    caller = caller_of(workspace)
    [told] = caller.get("/google-calendar/status").json()["errors"]
    assert (told["id"], told["code"]) == (removed.pk, "EVENT_REMOVED")
    answer = caller.post(f"/problems/{removed.pk}/answer", {"choice": "put_back"})
    assert answer.status_code == 202 and answer.json()["problem"] == told
    job = SyncJob.objects.get(pk=answer.json()["job_id"])
    assert (job.triggered_by, job.only) == ("api", [Link.objects.get().pk])
    again = caller.post(f"/problems/{removed.pk}/answer", {"choice": "put_back"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "INVALID_TRANSITION")


@pytest.mark.parametrize(("choice", "status"), [("leave_removed", "scheduled"), ("cancel_visit", "cancelled")])
def test_the_other_answers_need_no_job(removed, workspace, choice, status):
    answer = caller_of(workspace).post(f"/problems/{removed.pk}/answer", {"choice": choice})
    assert (answer.status_code, answer.json()["job_id"]) == (202, None)
    assert Visit.objects.get().visit_status == status
    assert not Problem.objects.open().exists()


def test_what_cannot_be_answered(removed, workspace, second_workspace):
    place, body = f"/problems/{removed.pk}/answer", {"choice": "put_back"}
    refused = caller_of(workspace, scopes=["integrations:write"]).post(place, body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "INSUFFICIENT_SCOPE")
    assert caller_of(second_workspace).post(place, body).status_code == 404
    assert caller_of(workspace).post(place, {"choice": "shrug"}).status_code == 400
    assert caller_of(workspace).post(place, {}).status_code == 400
    Problem.objects.update(code="CONFLICT")
    wrong = caller_of(workspace).post(place, body)
    assert (wrong.status_code, [*wrong.json()["error"]["details"]]) == (400, ["choice"])
    assert Problem.objects.open().exists()
