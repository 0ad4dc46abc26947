"""What a visit overlaps: its answer says so, and not a word of what is private."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fieldcamp.workspace.busy import overlaps_of
from fieldcamp.workspace.models import BlockedTime, Visit
from tests.fieldcamp.workspace.answers import data

pytestmark = pytest.mark.django_db

NINE = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


def at(hour: int, minute: int = 0) -> str:
    return f"2026-11-23T{hour:02}:{minute:02}:00Z"


@pytest.fixture
def tech(make_technician):
    return make_technician()


@pytest.fixture
def block(workspace, tech):
    def make(start: int = 9, hours: float = 1, **fields) -> BlockedTime:
        starts_at = NINE.replace(hour=start)
        times = {"starts_at": starts_at, "ends_at": starts_at + dt.timedelta(hours=hours)}
        owner = {"workspace": workspace, "member": tech, "key": str(BlockedTime.objects.count())}
        return BlockedTime.objects.create(**owner | times | fields)

    return make


@pytest.fixture
def visit(make_visit, tech):
    def make(start: int = 9, **fields) -> Visit:
        starts_at = NINE.replace(hour=start)
        times = {"scheduled_start": starts_at, "scheduled_end": starts_at + dt.timedelta(hours=1)}
        return make_visit(**{"technician": tech, "visit_status": "scheduled"} | times | fields)

    return make


@pytest.fixture
def post(api, client, tech):
    def call(start: str | None = at(9), **body) -> list[dict]:
        times = {"scheduledStart": start} if start else {}
        body = {"clientId": client.pk, "title": "Boiler", "technicianId": tech.pk} | times | body
        response = api.post("/api/v1/visits", body)
        data(response, 201)
        return response.json()["warnings"]

    return call


def codes(warnings: list[dict]) -> list[tuple]:
    return [(each["code"], each["start"], each.get("visitId")) for each in warnings]


def test_both_kinds_in_the_order_of_time(post, block, visit, tech):
    block(8, hours=1.5)
    other = visit(9)
    warnings = post()
    assert codes(warnings) == [("OVERLAPS_BLOCKED_TIME", at(8), None), ("OVERLAPS_VISIT", at(9), other.pk)]
    assert [sorted(each) for each in warnings] == [
        ["code", "end", "message", "start"],
        ["code", "end", "message", "start", "visitId"],
    ]
    assert warnings[0]["end"] == at(9, 30)
    assert "from 2026-11-23 03:00 to 04:30 (America/New_York)" in warnings[0]["message"]


def test_what_takes_no_time_is_no_overlap(post, block, visit, make_technician):
    block(8)  # touches
    block(10)
    block(9, hours=0)
    visit(8)
    visit(10)
    visit(visit_status="cancelled")
    visit(visit_status="unscheduled", scheduled_start=None, scheduled_end=None)
    visit(deleted_at=NINE)
    visit(technician=make_technician())
    visit(technician=None)
    assert post() == []
    Visit.objects.all().delete()
    block(9)
    assert post(start=None) == []
    assert post(technicianId=None) == post(visitStatus="cancelled") == []
    assert codes(post()) == [("OVERLAPS_BLOCKED_TIME", at(9), None)]


def test_whole_days_are_told_by_their_dates(post, block):
    days = {"all_day": True, "start_date": dt.date(2026, 11, 23), "end_date": dt.date(2026, 11, 24)}
    block(5, hours=24, **days)
    [warning] = post()
    assert "all day on 2026-11-23." in warning["message"] and warning["start"] == at(5)


def test_however_a_visit_is_moved_to_somebody_or_some_time(api, post, block, visit, client, tech, make_technician):
    block(12)
    mine = visit(9, technician=make_technician())
    other = visit(15)
    path = f"/api/v1/visits/{mine.pk}"

    def warned(body: dict, call=api.patch) -> list[tuple]:
        response = call(path, body)
        assert response.status_code == 200
        return codes(response.json()["warnings"])

    assert warned({"scheduledStart": at(12, 30)}) == []
    assert warned({"technicianId": tech.pk}) == [("OVERLAPS_BLOCKED_TIME", at(12), None)]
    assert warned({"scheduledEnd": at(16)}) == [
        ("OVERLAPS_BLOCKED_TIME", at(12), None),
        ("OVERLAPS_VISIT", at(15), other.pk),
    ]
    assert warned({"notes": "Still so"}) != []
    whole = {"clientId": client.pk, "title": "x", "technicianId": tech.pk, "scheduledStart": at(15, 30)}
    assert warned(whole, api.put) == [("OVERLAPS_VISIT", at(15), other.pk)]
    assert warned({"scheduledStart": None}) == []
    assert "warnings" not in api.get(path).json()


def test_a_replay_warns_of_what_the_first_answer_warned_of(api, block, client, tech):
    block()
    body = {"clientId": client.pk, "title": "x", "technicianId": tech.pk, "scheduledStart": at(9)}
    first = api.post("/api/v1/visits", body, HTTP_IDEMPOTENCY_KEY="k1")
    BlockedTime.objects.all().delete()
    second = api.post("/api/v1/visits", body, HTTP_IDEMPOTENCY_KEY="k1")
    assert len(first.json()["warnings"]) == 1 and second.content == first.content


def test_the_tag_is_that_of_the_visit_alone(api, post, block, visit):
    block()
    mine = visit()
    changed = api.patch(f"/api/v1/visits/{mine.pk}", {"title": "y"})
    assert changed.json()["warnings"] and changed["ETag"] == api.get(f"/api/v1/visits/{mine.pk}")["ETag"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL chooses by what is in the table")
def test_a_long_past_is_not_gone_through(visit, tech):
    mine = visit()
    with CaptureQueriesContext(connection) as asked:
        overlaps_of(mine)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked.captured_queries[-1]['sql']}")
        assert "INDEX visit_ends (technician_id=? AND scheduled_end>?)" in str(cursor.fetchall())
