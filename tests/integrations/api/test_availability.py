"""Free/busy of technicians: their visits and blocked times, and how far these can be trusted."""

import datetime as dt
import json

import pytest

from fieldcamp.workspace.models import BlockedTime
from integrations.models import Connection, Problem, Stream
from tests.conftest import api_client
from tests.fieldcamp.workspace.answers import data, details
from tests.integrations import build
from tests.integrations.build import NOW

pytestmark = pytest.mark.django_db

PATH = "/api/v1/availability"
DAY = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
RANGE = {"from": "2026-11-23T08:00:00Z", "to": "2026-11-23T18:00:00Z"}


def at(hour: int, minute: int = 0) -> str:
    return f"2026-11-23T{hour:02}:{minute:02}:00Z"


@pytest.fixture
def tech(make_technician):
    return make_technician()


@pytest.fixture
def block(workspace):
    def make(member, start: float, end: float, **fields) -> BlockedTime:
        times = {name: DAY + dt.timedelta(hours=hour) for name, hour in (("starts_at", start), ("ends_at", end))}
        key = str(BlockedTime.objects.count())
        return BlockedTime.objects.create(workspace=workspace, member=member, key=key, **times | fields)

    return make


@pytest.fixture
def visit(make_visit):
    def make(member, start: float, end: float, **fields):
        times = {"scheduled_start": DAY + dt.timedelta(hours=start), "scheduled_end": DAY + dt.timedelta(hours=end)}
        return make_visit(technician=member, **{"visit_status": "scheduled"} | times | fields)

    return make


@pytest.fixture
def connected(workspace):
    """Connects a person's calendar, which was read `minutes` ago by a job that took one."""

    def make(member, minutes: int = 5, part: str = "done", **fields) -> Connection:
        connection = build.connection(workspace, member_id=member.pk, **fields)
        Stream.objects.create(
            connection=connection, container_id="main", container_name="Private canary", reads_busy=True,
            first_synced_at=NOW, window_end=NOW,
        )  # fmt: skip
        started = NOW - dt.timedelta(minutes=minutes)
        ended = {"started_at": started, "finished_at": started + dt.timedelta(minutes=1)}
        build.ended(workspace, "succeeded", {connection: part}, **ended)
        return connection

    return make


def times(rows: list[dict]) -> list[tuple]:
    return [(row["technicianId"], row["kind"], row["start"], row["end"]) for row in rows]


def test_visits_and_blocked_times_sorted_and_cut(api, tech, make_technician, block, visit):
    other, third = make_technician(), make_technician()
    days = {"all_day": True, "start_date": DAY.date(), "end_date": DAY.date() + dt.timedelta(days=1)}
    block(other, 0, 24, **days)
    block(tech, 9, 10)
    mine = visit(tech, 17, 19, title="canary")
    visit(tech, 9, 9.5, visit_status="completed")
    visit(tech, 11, 12, visit_status="cancelled")
    visit(tech, 7, 8), visit(tech, 18, 19), block(tech, 7, 8), block(tech, 12, 12), visit(third, 9, 10)
    response = api.get(PATH, RANGE | {"technicianId": [tech.pk, other.pk, tech.pk]})
    rows = data(response)
    assert times(rows) == [
        (other.pk, "blocked", at(8), at(18)),
        (tech.pk, "blocked", at(9), at(10)),
        (tech.pk, "visit", at(9), at(9, 30)),
        (tech.pk, "visit", at(17), at(18)),
    ]
    assert [row["allDay"] for row in rows] == [True, False, False, False]
    assert rows[3]["visitId"] == mine.pk and "visitId" not in rows[0]
    assert "canary" not in response.content.decode()


@pytest.mark.slow
def test_pages_are_the_whole_list_whatever_begins_together(api, tech, make_technician, block, visit):
    people = [tech, make_technician()]
    for member in people:
        for start in (9, 9, 9, 10):
            block(member, start, 11), visit(member, start, 11)
    query = RANGE | {"technicianId": [member.pk for member in people]}
    whole = data(api.get(PATH, query))
    for limit in (3, 7):
        found, cursor = [], None
        while True:
            page = api.get(PATH, query | {"limit": limit} | ({"cursor": cursor} if cursor else {}))
            found += data(page)
            cursor = page.json()["meta"]["next_cursor"]
            if cursor is None:
                break
            assert len(data(page)) == limit
        assert found == whole and len(whole) == 16
    cursor = api.get(PATH, query | {"limit": 1}).json()["meta"]["next_cursor"]
    details(api.get(PATH, query | {"technicianId": tech.pk, "cursor": cursor}), 400, "INVALID_CURSOR")


@pytest.mark.slow
def test_how_old_it_is_and_whose_calendars_are_not_read(api, workspace, make_technician, connected):
    def calendars(*members) -> tuple:
        meta = api.get(PATH, RANGE | {"technicianId": [member.pk for member in members]}).json()["meta"]
        return meta["asOf"], [(row["calendars"], row["asOf"]) for row in meta["technicians"]]

    old, recent, none = (make_technician() for _ in range(3))
    connected(old, 25), connected(old, 15, integration="outlook_calendar"), connected(recent, 5)
    assert calendars(none) == (None, [("none", None)])
    five, then = "2026-11-22T07:55:00Z", "2026-11-22T07:35:00Z"  # when their jobs began
    assert calendars(recent, none, old) == (then, [("read", five), ("none", None), ("read", then)])
    connection = Connection.objects.get(member=recent)
    stream = connection.streams.get()
    for state in ("needs_reconnect", "needs_permission", "paused"):
        Connection.objects.filter(pk=connection.pk).update(state=state)
        assert calendars(recent) == (five, [("not_read", five)])
    Connection.objects.filter(pk=connection.pk).update(state="active")
    build.ended(workspace, "failed", {connection: "failed"})
    assert calendars(recent) == (five, [("not_read", five)])
    build.ended(workspace, "planned", {connection: "done"}, started_at=NOW, dry_run=True)  # took nothing in
    assert calendars(recent) == (five, [("not_read", five)])
    build.ended(workspace, "succeeded", {connection: "done"}, started_at=NOW)
    build.ended(workspace, "failed", {connection: "failed"}, applies="pln_1")  # something had moved
    assert calendars(recent)[1] == [("read", "2026-11-22T08:00:00Z")]
    problem = Problem.objects.create(
        workspace=workspace, integration=connection.integration, connection=connection, code="RECORD_REJECTED",
        record_kind="stream", record_id=stream.pk, message="gone", occurred_at=NOW,
    )  # fmt: skip
    assert calendars(recent)[1][0][0] == "not_read"
    Problem.objects.filter(pk=problem.pk).update(code="RECORD_UNREADABLE")  # it blocks rather too much
    assert calendars(recent)[1][0][0] == "read"
    Stream.objects.filter(pk=stream.pk).update(window_end=None)  # another calendar was chosen, and no sync has run
    assert calendars(recent)[1][0][0] == "not_read"
    never = make_technician()
    Stream.objects.create(connection=build.connection(workspace, member_id=never.pk), container_id="x", reads_busy=True)
    assert calendars(never, old) == (None, [("not_read", None), ("read", then)])
    Connection.objects.filter(member=old).update(state="disconnected")
    assert calendars(old) == (None, [("none", None)])


def test_a_failed_calendar_of_a_real_sync_is_told(api, workspace, make_technician, connected):
    """What a part that failed in part leaves: the last whole reading counts."""
    tech = make_technician()
    connection = connected(tech, 20)
    build.ended(workspace, "partial", {connection: "partial"}, started_at=NOW)
    meta = api.get(PATH, RANGE | {"technicianId": tech.pk}).json()["meta"]
    assert meta["asOf"] == "2026-11-22T07:40:00Z"
    assert meta["calendarsFrom"] < meta["calendarsTo"]


BAD = [
    ({"technicianId": []}, "technicianId"),
    ({"technicianId": ""}, "technicianId"),
    ({"technicianId": ["mem_nope"]}, "technicianId"),
    ({"technicianId": [f"mem_{number}" for number in range(101)]}, "technicianId"),
    ({"from": None}, "from"),
    ({"to": "tomorrow"}, "to"),
    ({"to": RANGE["from"]}, "to"),
    ({"from": "2026-11-24T00:00:00Z"}, "to"),
    ({"to": "2027-03-04T00:00:00Z"}, "to"),
    ({"to": "9999-12-31T00:00:00Z"}, "to"),
    ({"limit": "0"}, "limit"),
]


def test_bad_questions(api, tech):
    for changes, field in BAD:
        query = {"technicianId": tech.pk} | RANGE | changes
        query = {name: value for name, value in query.items() if value is not None}
        assert list(details(api.get(PATH, query))) == [field], changes


def test_who_may_ask_for_whom(api, api_key, tech, second_workspace, make_technician):
    stranger = make_technician(workspace=second_workspace)
    found = details(api.get(PATH, RANGE | {"technicianId": [tech.pk, stranger.pk]}))
    assert found == {"technicianId": [f"There is no such team member: {stranger.pk}."]}
    poor = api_client(api_key(scopes=["team:read", "integrations:read"]))
    assert details(poor.get(PATH, RANGE | {"technicianId": tech.pk}), 403, "INSUFFICIENT_SCOPE")


def test_the_number_of_queries(api, make_technician, connected, block, visit, django_assert_num_queries, call_queries):
    people = [make_technician() for _ in range(3)]
    api.get(PATH)  # the key's first call is written down
    for count in (1, 3):
        for member in people[:count]:
            block(member, 9, 10), visit(member, 11, 12)
        if count == 3:
            for member in people:
                connected(member), connected(member, integration="outlook_calendar")
        # The people, blocked times, visits; connections, their streams, problems (where there are any streams).
        with django_assert_num_queries(call_queries + (6 if count == 3 else 4)):
            data(api.get(PATH, RANGE | {"technicianId": [member.pk for member in people[:count]]}))


def test_the_example_has_the_shape_of_the_document():
    import jsonschema

    from fieldcamp.api.docs import document

    served = document()[0]
    content = served["paths"][PATH]["get"]["responses"]["200"]["content"]["application/json"]
    assert json.dumps(content["schema"]).count("AvailabilityMeta") == 1
    answer = {"$ref": "#/components/schemas/Availability"} | {"components": served["components"]}
    for shown in content["examples"].values():
        for row in shown["value"]["data"]:
            assert not list(jsonschema.Draft202012Validator(answer).iter_errors(row))
