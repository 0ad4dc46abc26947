"""POST …/sync: the answer, the order of the checks, one job in flight, and retries that start nothing twice."""

import json
import re

import pytest

from fieldcamp.api.services import create_key
from integrations.models import Connection, SyncJob
from integrations.queue.ring import queue_broker
from tests.integrations import build
from tests.integrations.api.conftest import Caller, caller_of
from tests.integrations.build import NOW

SYNC = "/google-calendar/sync"


def error(response) -> dict:
    return response.json()["error"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("body", [None, {}, {"mode": "incremental"}])
def test_the_answer_is_the_pages_descriptor_and_nothing_more(dana, body):
    queue_broker().purge_queue()
    response = dana.post(SYNC, body)
    job = SyncJob.objects.get()
    assert response.status_code == 202
    assert response.json() == {
        "job_id": job.pk,
        "integration": "google_calendar",
        "mode": "incremental",
        "status": "queued",
        "created_at": job.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    assert re.fullmatch(r"syn_[0-9A-HJKMNP-TV-Z]{26}", job.pk)
    assert response["Location"].endswith(f"/api/v1/integrations/jobs/{job.pk}")
    assert (job.triggered_by, job.request_id) == ("api", response["X-Request-Id"])
    assert queue_broker().queue_size() == 1


@pytest.mark.django_db
def test_a_full_sync_and_a_slash_too_many(dana):
    assert dana.post(f"{SYNC}/", {"mode": "full"}).json()["mode"] == "full"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"mode": "quick"}, "mode"),
        ({"mode": None}, "mode"),
        ({"scope": "all"}, "scope"),
        ({"modes": "full"}, "modes"),
        ({"connection_id": 7}, "connection_id"),
        (b"{", "body"),
        (b"[]", "body"),
    ],
)
def test_a_body_that_is_not_understood_starts_nothing(dana, body, field):
    response = dana.post(SYNC, body)
    assert response.status_code == 400
    assert error(response)["code"] == "VALIDATION_ERROR"
    assert list(error(response)["details"]) == [field]
    assert not SyncJob.objects.exists()


@pytest.mark.django_db
def test_unknown_integrations_and_methods(dana):
    assert error(dana.post("/icloud/sync", {}))["code"] == "NOT_FOUND"
    assert error(dana("PATCH", SYNC, {}))["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.django_db
def test_the_scope_is_named(dana):
    reader = Caller(dana.workspace, create_key(workspace=dana.workspace, name="r", scopes=["integrations:read"])[1])
    response = reader.post(SYNC, {"mode": "nonsense"})
    assert (response.status_code, error(response)["details"]) == (403, {"required_scope": "integrations:write"})


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["disconnected", "needs_reconnect", "needs_permission"])
def test_not_connected_says_why_and_where_to_go(dana, reason):
    Connection.objects.update(state=reason)
    response = dana.post(SYNC, {})
    assert response.status_code == 422
    assert error(response)["code"] == "INTEGRATION_NOT_CONNECTED"
    assert error(response)["details"] == {
        "reason": reason,
        "connect_url": "http://127.0.0.1:8000/admin/integrations/connect/google-calendar/",
    }


@pytest.mark.django_db
def test_never_connected(other):
    Connection.objects.all().delete()
    assert error(other.post(SYNC))["details"]["reason"] == "never_connected"


@pytest.mark.django_db
def test_a_second_trigger_is_told_which_job_runs(dana):
    job = build.job(dana.workspace, "running", started_at=NOW)
    response = dana.post(SYNC, {}, Idempotency_Key="fresh")
    assert response.status_code == 409
    assert error(response)["code"] == "SYNC_IN_PROGRESS"
    assert error(response)["details"] == {"active_job_id": job.pk}
    assert int(response["Retry-After"]) > 0


@pytest.mark.django_db
def test_another_companys_job_is_not_in_the_way(dana, other):
    build.job(other.workspace)
    assert dana.post(SYNC).status_code == 202


@pytest.mark.django_db
def test_narrowed_to_one_account(dana, other):
    mine = dana.workspace.connections.get()
    broken = build.connection(dana.workspace, "needs_reconnect")
    theirs = other.workspace.connections.get()
    assert error(dana.post(SYNC, {"connection_id": theirs.pk}))["code"] == "NOT_FOUND"
    assert error(dana.post(SYNC, {"connection_id": "con_nobody"}))["code"] == "NOT_FOUND"
    refused = dana.post(SYNC, {"connection_id": broken.pk})
    assert (refused.status_code, error(refused)["details"]["reason"]) == (422, "needs_reconnect")
    assert dana.post(SYNC, {"connection_id": mine.pk}).status_code == 202
    assert SyncJob.objects.get().connection == mine


@pytest.mark.django_db
def test_the_same_request_again_is_answered_with_the_same_bytes_whatever_has_happened_since(dana):
    first = dana.post(SYNC, {"mode": "incremental"}, Idempotency_Key="k-1")
    SyncJob.objects.update(status="running", started_at=NOW)
    again = dana.post(SYNC, {}, Idempotency_Key='"k-1"')
    assert (again.status_code, again.content, again["Location"]) == (202, first.content, first["Location"])
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    Connection.objects.update(state="disconnected")
    assert dana.post(SYNC, {}, Idempotency_Key="k-1").content == first.content
    assert SyncJob.objects.count() == 1


@pytest.mark.django_db
def test_a_key_is_good_for_one_request(dana, other):
    assert dana.post(SYNC, {}, Idempotency_Key="k-1").status_code == 202
    assert error(dana.post(SYNC, {"mode": "full"}, Idempotency_Key="k-1"))["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert "Idempotent-Replayed" not in other.post(SYNC, {}, Idempotency_Key="k-1")


@pytest.mark.django_db
def test_a_refusal_is_not_answered_with_another_companys_job(dana, other):
    """Their guard refuses, so that what is stored under the key is looked for: theirs only, of which there is none."""
    mine = dana.post(SYNC, {}, Idempotency_Key="k-1").json()["job_id"]
    blocking = build.job(other.workspace)
    response = other.post(SYNC, {}, Idempotency_Key="k-1")
    assert response.status_code == 409
    assert error(response)["details"] == {"active_job_id": blocking.pk}
    assert mine not in response.content.decode() and "Idempotent-Replayed" not in response


@pytest.mark.django_db
@pytest.mark.parametrize("turned", [False, True])
def test_one_key_in_two_companies_keeps_each_its_own_answer(dana, other, turned):
    callers = [other, dana] if turned else [dana, other]
    first = [caller.post(SYNC, {}, Idempotency_Key="k-1") for caller in callers]
    again = [caller.post(SYNC, {}, Idempotency_Key="k-1") for caller in callers]
    assert [response.status_code for response in first + again] == [202] * 4
    assert [response.content for response in again] == [response.content for response in first]
    assert first[0].content != first[1].content
    assert all(response["Idempotent-Replayed"] == "true" for response in again)


@pytest.mark.django_db
def test_a_refusal_is_not_kept(dana):
    blocking = build.job(dana.workspace)
    assert dana.post(SYNC, {}, Idempotency_Key="k-1").status_code == 409
    SyncJob.objects.filter(pk=blocking.pk).update(status="succeeded")
    assert dana.post(SYNC, {}, Idempotency_Key="k-1").status_code == 202


@pytest.mark.django_db(transaction=True)
def test_sixteen_at_once_make_one_job(dana, in_parallel):
    responses = in_parallel(16, lambda _number: dana.post(SYNC, {}))
    job = SyncJob.objects.get()
    assert sorted(response.status_code for response in responses) == [202] + [409] * 15
    ids = {error(response)["details"]["active_job_id"] for response in responses if response.status_code == 409}
    assert ids == {job.pk}


@pytest.mark.django_db(transaction=True)
def test_sixteen_at_once_with_one_key_get_one_answer(dana, in_parallel):
    responses = in_parallel(16, lambda _number: dana.post(SYNC, {}, Idempotency_Key="same"))
    assert [response.status_code for response in responses] == [202] * 16
    assert len({response.content for response in responses}) == 1
    assert sum("Idempotent-Replayed" not in response for response in responses) == 1
    assert json.loads(responses[0].content)["job_id"] == SyncJob.objects.get().pk


@pytest.mark.django_db
def test_a_trigger_costs_the_same_whatever_there_is(dana, django_assert_max_num_queries):
    for _ in range(30):
        build.job(dana.workspace, "succeeded", finished_at=NOW)
        build.connection(dana.workspace)
    with django_assert_max_num_queries(17):
        assert dana.post(SYNC, {}, Idempotency_Key="k").status_code == 202


@pytest.mark.django_db
def test_the_daily_quota_is_the_workspaces(dana):
    dana.workspace.daily_request_limit = 1
    dana.workspace.save()
    second = caller_of(dana.workspace)
    assert dana.post(SYNC).status_code == 202
    assert error(second.post(SYNC))["code"] == "RATE_LIMITED"
