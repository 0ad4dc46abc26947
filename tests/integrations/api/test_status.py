"""GET …/status: always 200, what the page shows, and what needs a person."""

import datetime as dt

import pytest
import time_machine
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.jobs import schedule
from integrations.models import Connection, Heartbeat, Problem
from integrations.selectors.dashboard import WORKER
from tests.integrations import build
from tests.integrations.build import GOOGLE, NOW

pytestmark = pytest.mark.django_db

STATUS = "/google-calendar/status"


def problem(connection, code="CONFLICT", minutes=0, **fields):
    return Problem.objects.create(
        workspace=connection.workspace,
        integration=GOOGLE,
        connection=connection,
        code=code,
        message=f"{code}.",
        occurred_at=NOW + dt.timedelta(minutes=minutes),
        **({"record_kind": "visit", "record_id": f"vis_{minutes}"} | fields),
    )


def test_a_healthy_integration(dana):
    connection = dana.workspace.connections.get()
    job = build.ended(dana.workspace, "succeeded", {connection: "done"}, pushed=3)
    schedule.after_job(job, NOW, lambda: 0.5)
    Heartbeat.objects.create(name=WORKER, at=NOW + dt.timedelta(minutes=37))
    with time_machine.travel(NOW + dt.timedelta(minutes=37), tick=False):
        answer = dana.get(STATUS).json()
    assert answer == {
        "integration": "google_calendar",
        "connected": True,
        "last_synced_at": "2026-11-22T08:00:00Z",
        "next_scheduled_sync_at": "2026-11-22T08:30:00Z",
        "fresh_until": "2026-11-22T08:38:00Z",
        "stalled": False,
        "active_job_id": None,
        "errors": [],
        "direction": "bidirectional",
        "health": "ok",
        "last_job": {
            "job_id": job.pk,
            "status": "succeeded",
            "counts": {"pulled": 0, "pushed": 3, "skipped": 0, "failed": 0},
        },
        "connections": [
            {
                "id": connection.pk,
                "account": connection.account_name,
                "member": connection.member_id,
                "state": "active",
                "last_synced_at": "2026-11-22T08:00:00Z",
                "fresh_until": "2026-11-22T08:38:00Z",
                "stalled": False,
                "access_ends_at": None,
                "metered_reads": None,
            }
        ],
    }


@pytest.mark.parametrize(
    ("kind", "record_id", "record"),
    [
        ("visit", "vis_1", {"kind": "visit", "id": "vis_1"}),
        ("invoice", "inv_1", {"kind": "invoice", "id": "inv_1"}),
        ("hold", "hld_1", None),  # held removals are not one record
        ("stream", "str_1", None),  # nor is a calendar
        ("", "", None),  # nor a whole account
    ],
)
def test_an_error_names_its_record_where_it_is_about_one(dana, kind, record_id, record):
    problem(dana.workspace.connections.get(), record_kind=kind, record_id=record_id)
    (error,) = dana.get(STATUS).json()["errors"]
    assert error.get("record", None) == record and ("record" in error) is (record is not None)


def test_never_connected_is_no_error(dana):
    Connection.objects.all().delete()
    answer = dana.get(STATUS)
    assert answer.status_code == 200
    assert answer.json() == {
        "integration": "google_calendar",
        "connected": False,
        "last_synced_at": None,
        "next_scheduled_sync_at": None,
        "fresh_until": None,
        "stalled": False,
        "active_job_id": None,
        "errors": [],
        "direction": None,
        "health": "disconnected",
        "last_job": None,
        "connections": [],
    }


def test_one_dead_account_of_two_needs_attention_and_the_other_is_still_connected(dana):
    dead = build.connection(dana.workspace, "needs_reconnect")
    problem(dead, "NEEDS_RECONNECT", record_id="", record_kind="")
    answer = dana.get(STATUS).json()
    assert (answer["connected"], answer["health"]) == (True, "needs_attention")
    assert answer["errors"] == [
        {
            "id": Problem.objects.get().pk,
            "code": "NEEDS_RECONNECT",
            "message": "NEEDS_RECONNECT.",
            "occurred_at": "2026-11-22T08:00:00Z",
            "connection_id": dead.pk,
        }
    ]


def test_a_paused_account_is_connected_but_has_no_next_sync(dana):
    schedule.dispatch_due(NOW)
    assert dana.get(STATUS).json()["next_scheduled_sync_at"] is not None
    Connection.objects.update(state="paused", paused_by_person=True)
    answer = dana.get(STATUS).json()
    assert (answer["connected"], answer["next_scheduled_sync_at"]) == (True, None)


def test_the_active_job_is_named_and_is_not_the_last_one(dana):
    last = build.job(dana.workspace, "partial", finished_at=NOW)
    live = build.job(dana.workspace, "running", created_at=NOW + dt.timedelta(minutes=1))
    answer = dana.get(STATUS).json()
    assert (answer["active_job_id"], answer["last_job"]["job_id"]) == (live.pk, last.pk)


def test_problems_open_now_newest_first_at_most_fifty(dana, other):
    connection = dana.workspace.connections.get()
    for minutes in range(55):
        problem(connection, minutes=minutes)
    problem(connection, "FULL_SYNC_FORCED", 100, notice=True)
    problem(connection, "RECORD_REJECTED", 101, resolved_at=NOW)
    problem(connection, "RECORD_REJECTED", 102, ignored_at=NOW)
    problem(other.workspace.connections.get(), minutes=103)
    errors = dana.get(STATUS).json()["errors"]
    assert [error["record"] for error in errors] == [
        {"kind": "visit", "id": f"vis_{minutes}"} for minutes in range(54, 4, -1)
    ]
    assert {error["code"] for error in errors} == {"CONFLICT"}


@pytest.mark.parametrize(
    ("code", "health"),
    [("PROVIDER_UNAVAILABLE", "degraded"), ("RATE_LIMITED", "degraded"), ("CONFLICT", "needs_attention")],
)
def test_health_tells_what_passes_from_what_needs_a_person(dana, code, health):
    problem(dana.workspace.connections.get(), code)
    assert dana.get(STATUS).json()["health"] == health


@pytest.mark.parametrize(("beat", "waited", "health"), [(8, 30, "ok"), (8, 80, "degraded"), (80, 80, "degraded")])
def test_health_tells_of_a_job_that_waits_and_of_a_worker_that_is_dead(dana, beat, waited, health):
    Connection.objects.update(last_synced_at=NOW, fresh_from=NOW)
    build.job(dana.workspace, created_at=NOW)
    now = NOW + dt.timedelta(seconds=waited)
    Heartbeat.objects.create(name=WORKER, at=now - dt.timedelta(seconds=beat))
    with time_machine.travel(now, tick=False):
        assert dana.get(STATUS).json()["health"] == health


def test_an_unchanged_status_is_304(dana):
    first = dana.get(STATUS)
    same = dana.get(STATUS, If_None_Match=first["ETag"])
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
    build.job(dana.workspace)
    assert dana.get(STATUS, If_None_Match=first["ETag"]).status_code == 200


def test_head_and_an_unknown_integration(dana):
    head = dana("HEAD", STATUS)
    assert (head.status_code, head.content) == (200, b"")
    assert dana.get("/icloud/status").json()["error"]["code"] == "NOT_FOUND"


def test_it_costs_the_same_however_much_there_is(dana):
    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            dana.get(STATUS)
        return len(captured)

    dana.get(STATUS)
    before = queries()
    for minutes in range(30):
        problem(build.connection(dana.workspace), minutes=minutes)
        build.job(dana.workspace, "failed", finished_at=NOW)
    assert queries() == before


def test_the_tag_changes_when_it_stalls_and_not_before(dana):
    connection = dana.workspace.connections.get()
    schedule.after_job(build.ended(dana.workspace, "succeeded", {connection: "done"}), NOW, lambda: 0.5)

    def tag(minutes: float) -> tuple[str, bool]:
        with time_machine.travel(NOW + dt.timedelta(minutes=minutes), tick=False):
            answer = dana.get(STATUS)
        return answer.headers["ETag"], answer.json()["stalled"]

    fresh, stalled = tag(1), tag(38)
    assert tag(37.9) == fresh != stalled == tag(39)
    assert (fresh[1], stalled[1]) == (False, True)
