"""Problems by API: listed, narrowed, read by whom; and the one about a visit whose event was removed."""

import datetime as dt

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.workspace.models import AuditEntry, Visit
from integrations.models import Link, Problem, Stream, SyncJob
from tests.integrations import build
from tests.integrations.api.conftest import JOBS, caller_of
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
    assert answer.status_code == 202
    problem = answer.json()["problem"]
    assert (problem["id"], problem["state"], problem["choices"]) == (told["id"], "resolved", [])
    assert (answer.json()["outcome"], answer["Location"]) == ("queued", f"{JOBS}/{answer.json()['job_id']}")
    job = SyncJob.objects.get(pk=answer.json()["job_id"])
    assert (job.triggered_by, job.only) == ("api", [Link.objects.get().pk])
    again = caller.post(f"/problems/{removed.pk}/answer", {"choice": "put_back"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "INVALID_TRANSITION")


@pytest.mark.parametrize(("choice", "status"), [("leave_removed", "scheduled"), ("cancel_visit", "cancelled")])
def test_the_other_answers_need_no_job(removed, workspace, choice, status):
    answer = caller_of(workspace).post(f"/problems/{removed.pk}/answer", {"choice": choice})
    assert (answer.status_code, answer.json()["outcome"], answer.json()["job_id"]) == (202, "settled", None)
    assert Visit.objects.get().visit_status == status
    assert not Problem.objects.open().exists()


def test_what_cannot_be_answered(removed, workspace, second_workspace):
    place, body = f"/problems/{removed.pk}/answer", {"choice": "put_back"}
    refused = caller_of(workspace, scopes=["integrations:write"]).post(place, body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "INSUFFICIENT_SCOPE")
    assert caller_of(second_workspace).post(place, body).status_code == 404
    assert caller_of(workspace).post(place, {"choice": "shrug"}).status_code == 400
    assert caller_of(workspace).post(place, {}).status_code == 400
    Problem.objects.update(code="CONFLICT", link=None)
    wrong = caller_of(workspace).post(place, body)
    assert (wrong.status_code, [*wrong.json()["error"]["details"]]) == (400, ["choice"])
    assert Problem.objects.open().exists()


def open_one(connection, **fields) -> Problem:
    values = {
        "workspace": connection.workspace, "integration": connection.integration, "connection": connection,
        "code": "RECORD_REJECTED", "record_kind": "visit", "record_id": f"vis_{Problem.objects.count()}",
        "message": "Refused.", "occurred_at": build.NOW,
    }  # fmt: skip
    return Problem.objects.create(**values | fields)


@pytest.fixture
def google(workspace):
    return build.connection(workspace)


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["problems"]]


def test_each_problem_is_in_the_list_of_exactly_one_state(google, workspace):
    put_away = open_one(google, ignored_at=build.NOW, notice=True)
    over = open_one(google, resolved_at=build.NOW, ignored_at=build.NOW)
    told, waits = open_one(google, notice=True), open_one(google)
    caller = caller_of(workspace)
    by_state = {
        state: ids(caller.get(f"/problems?state={state}")) for state in ("open", "notice", "ignored", "resolved")
    }
    assert by_state == {"open": [waits.pk], "notice": [told.pk], "ignored": [put_away.pk], "resolved": [over.pk]}
    assert ids(caller.get("/problems")) == [waits.pk]
    waits.code = "MEMBER_INACTIVE"
    waits.save()
    assert caller.get(f"/problems/{waits.pk}").json()["next_action_url"].endswith(f"/{google.pk}/leaving/")
    for state, [problem_id] in by_state.items():
        assert caller.get(f"/problems/{problem_id}").json()["state"] == state


def test_pages_hold_each_problem_once_and_filters_narrow(google, workspace, second_workspace):
    made = [
        open_one(google, occurred_at=build.NOW - dt.timedelta(hours=number // 2), data={"reason": "closed_period"})
        for number in range(5)
    ]
    other = open_one(build.connection(workspace), code="INTERNAL_ERROR", record_id="vis_x")
    open_one(build.connection(second_workspace), data={"reason": "closed_period"})
    caller = caller_of(workspace)
    first = caller.get(f"/problems?limit=2&connection_id={google.pk}")
    rest = caller.get(f"/problems?limit=3&connection_id={google.pk}&cursor={first.json()['next_cursor']}")
    assert [*ids(first), *ids(rest)] == [made[number].pk for number in (1, 0, 3, 2, 4)]
    assert rest.json()["next_cursor"] is None
    wrong = caller.get(f"/problems?cursor={first.json()['next_cursor']}")
    assert wrong.json()["error"]["code"] == "INVALID_CURSOR"
    assert len(ids(caller.get("/problems?cause=closed_period&integration=google-calendar"))) == 5
    assert ids(caller.get("/problems?cause=internal_error")) == [other.pk]
    assert ids(caller.get("/problems?record_id=vis_x&code=INTERNAL_ERROR")) == [other.pk]
    assert ids(caller.get("/problems?integration=quickbooks")) == []
    since = build.NOW.isoformat().replace("+00:00", "Z")
    assert {*ids(caller.get(f"/problems?since={since}"))} == {made[0].pk, made[1].pk, other.pk}
    counts = caller.get("/problems/causes").json()["causes"]
    assert {(row["connection_id"], row["cause"], row["count"]) for row in counts} == {
        (google.pk, "closed_period", 5),
        (other.connection_id, "internal_error", 1),
    }


def test_what_is_no_filter_is_told(google, workspace):
    caller = caller_of(workspace)
    for query in ("state=gone", "cause=CONFLICT", "code=conflict", "integration=fax", "limit=0", "since=now"):
        answer = caller.get(f"/problems?{query}")
        assert (answer.status_code, [*answer.json()["error"]["details"]]) == (400, [query.partition("=")[0]])


@pytest.mark.slow
def test_a_page_of_many_costs_as_many_queries_as_one_of_few(google, workspace, make_client):
    stream = Stream.objects.create(connection=google, kind="customer", container_id="customer")

    def ask() -> None:
        client = make_client(company_name="Kim Reed")
        link = Link.objects.create(
            stream=stream, kind="customer", remote_id=f"c{client.pk}", seen={"display_name": "Kim Reed"}
        )
        open_one(google, record_kind="customer", record_id=client.pk,
                 data={"reason": "match", "candidates": [link.remote_id]})  # fmt: skip

    caller = caller_of(workspace)

    def cost() -> int:
        with CaptureQueriesContext(database) as queries:
            assert all(len(row["choices"]) == 2 for row in caller.get("/problems").json()["problems"])
        return len(queries)

    ask()
    caller.get("/problems")
    few = cost()
    for _ in range(7):
        ask()
    assert cost() == few


def test_nobody_reads_or_answers_without_the_scope_or_from_another_company(removed, workspace, second_workspace):
    stranger, reader = caller_of(second_workspace), caller_of(workspace, scopes=["problems:read"])
    blind = caller_of(workspace, scopes=["integrations:read", "integrations:write"])
    one = f"/problems/{removed.pk}"
    for path in ("/problems", "/problems/causes", one):
        assert reader.get(path).status_code == 200
        assert blind.get(path).json()["error"]["details"] == {"required_scope": "problems:read"}
    assert ids(stranger.get("/problems")) == [] and stranger.get("/problems/causes").json() == {"causes": []}
    assert stranger.get(one).status_code == 404
    assert stranger.get(f"/problems?connection_id={removed.connection_id}").status_code == 404
    of_cause = {"cause": "event_removed", "integration": GOOGLE, "expected": 1}
    posts = {
        f"{one}/answer": {"choice": "cancel_visit"}, f"{one}/retry": {}, f"{one}/ignore": {}, f"{one}/unignore": {},
        "/problems/answer": {**of_cause, "choice": "cancel_visit"}, "/problems/retry": of_cause,
    }  # fmt: skip
    for path, body in posts.items():
        assert reader.post(path, body).json()["error"]["details"] == {"required_scope": "problems:write"}, path
        foreign = {**body, "connection_id": removed.connection_id} if "expected" in body else body
        assert stranger.post(path, foreign).status_code == 404, path
        if "expected" in body:
            assert stranger.post(path, body).json()["error"]["details"] == {"count": 0}
    assert Visit.objects.get().visit_status == "scheduled"
    assert Problem.objects.listed().count() == 1


def test_only_what_was_seen_is_answered(removed, workspace):
    caller, place = caller_of(workspace), f"/problems/{removed.pk}"
    tag = caller.get(place)["ETag"]
    assert caller.get(place, If_None_Match=tag).status_code == 304
    Problem.objects.update(message="Removed once more.")
    stale = caller.post(f"{place}/answer", {"choice": "cancel_visit"}, If_Match=tag)
    assert (stale.status_code, Visit.objects.get().visit_status) == (412, "scheduled")
    answer = caller.post(f"{place}/answer", {"choice": "leave_removed"}, If_Match=stale["ETag"], Idempotency_Key="k")
    assert answer.status_code == 202
    again = caller.post(f"{place}/answer", {"choice": "leave_removed"}, If_Match=stale["ETag"], Idempotency_Key="k")
    assert (again.content, again["Idempotent-Replayed"]) == (answer.content, "true")


def test_what_is_put_away_comes_back_and_is_answered_then(removed, workspace):
    caller, place = caller_of(workspace), f"/problems/{removed.pk}"
    for _ in range(2):  # twice is harmless
        assert caller.post(f"{place}/ignore").json()["state"] == "ignored"
    assert AuditEntry.objects.filter(action="problem.ignored").count() == 1
    refused = caller.post(f"{place}/answer", {"choice": "put_back"})
    assert (refused.status_code, "Bring it back" in refused.json()["error"]["message"]) == (409, True)
    assert caller.post(f"{place}/unignore", {}).json()["state"] == "open"
    assert caller.post(f"{place}/answer", {"choice": "leave_removed"}).status_code == 202
    for verb in ("ignore", "unignore", "retry"):
        assert caller.post(f"{place}/{verb}").status_code == 409, verb
