"""What stands on some days of a company's calendar: its edges, changes of the clock, and what overlaps what."""

import datetime as dt
import zoneinfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fieldcamp.workspace import agenda as module
from fieldcamp.workspace.agenda import Days, agenda, week_of_day
from fieldcamp.workspace.models import BlockedTime, VisitStatus
from fieldcamp.workspace.services import delete_visit

pytestmark = pytest.mark.django_db

ZONE = zoneinfo.ZoneInfo("America/New_York")
MONDAY = dt.date(2026, 11, 30)
HOUR = dt.timedelta(hours=1)


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), ZONE)


@pytest.fixture
def visit(make_visit):
    def make(start: dt.datetime, hours: float = 1, **fields):
        end = start + hours * HOUR
        return make_visit(**{"visit_status": "scheduled", "scheduled_start": start, "scheduled_end": end} | fields)

    return make


@pytest.fixture
def block(workspace):
    def make(member, start: dt.datetime, hours: float = 1, **fields):
        times = {"starts_at": start, "ends_at": start + hours * HOUR, "key": str(BlockedTime.objects.count())}
        return BlockedTime.objects.create(**{"workspace": workspace, "member": member} | times | fields)

    return make


def titles(workspace, day: dt.date = MONDAY, number: int = 1) -> list[str]:
    return [visit.title for visit in agenda(workspace, Days(day, number, ZONE)).visits]


def test_a_day_has_what_lies_on_it_at_least_in_part(workspace, visit):
    midnight = at(MONDAY, 0)
    visit(midnight - HOUR, title="before")
    visit(midnight - HOUR, 2, title="over midnight")
    visit(midnight, title="at midnight")
    visit(at(MONDAY, 23), 2, title="into tomorrow")
    visit(midnight + 24 * HOUR, title="tomorrow")
    visit(midnight - 20 * 24 * HOUR, 21 * 24, title="of three weeks")
    assert titles(workspace) == ["of three weeks", "over midnight", "at midnight", "into tomorrow"]


@pytest.mark.parametrize(("day", "hours"), [(dt.date(2026, 3, 8), 23), (dt.date(2026, 11, 1), 25), (MONDAY, 24)])
def test_days_of_a_change_of_the_clock(workspace, visit, day, hours):
    days = Days(day, 1, ZONE)
    assert days.end - days.start == hours * HOUR
    visit(days.end - HOUR, title="last hour")
    visit(days.end, title="next day")
    assert titles(workspace, day) == ["last hour"]


def test_whose_they_are(workspace, second_workspace, visit, make_technician, make_member):
    idle, office = make_technician(first_name="Ada"), make_member(first_name="Olive")
    gone, helper = make_technician(first_name="Gus", is_active=False), make_member(first_name="Hal")
    make_technician(first_name="Ida", is_active=False)
    make_technician(first_name="Theo", workspace=second_workspace)
    visit(at(MONDAY, 9), technician=gone, title="of who has left")
    visit(at(MONDAY, 10), technician=helper, title="of no technician")
    visit(at(MONDAY, 11), title="of nobody")
    visit(at(MONDAY, 12), title="theirs", workspace=second_workspace)
    deleted = visit(at(MONDAY, 13), title="deleted")
    delete_visit(workspace=workspace, visit_id=deleted.pk)
    visit(at(MONDAY, 14), title="cancelled", visit_status=VisitStatus.CANCELLED, technician=idle)
    found = agenda(workspace, Days(MONDAY, 7, ZONE))
    assert [visit.title for visit in found.visits] == [
        "of who has left", "of no technician", "of nobody", "cancelled",
    ]  # fmt: skip
    assert [member.first_name for member in found.people] == ["Ada", "Gus", "Hal"]
    assert office not in found.people


def test_whole_days_keep_their_dates_whatever_the_zone(workspace, make_technician, block):
    """A day in Auckland begins the afternoon before."""
    tech = make_technician()
    start = dt.datetime(2026, 11, 30, tzinfo=zoneinfo.ZoneInfo("Pacific/Auckland"))
    block(tech, start, 24, all_day=True, start_date=MONDAY, end_date=MONDAY + dt.timedelta(days=1))
    shown = {day: agenda(workspace, Days(day, 1, ZONE)).blocked for day in Days(dt.date(2026, 11, 28), 4, ZONE).all}
    assert [day for day, blocked in shown.items() if blocked] == [MONDAY]


def test_what_overlaps_what(workspace, visit, block, make_technician):
    dana, lee = make_technician(), make_technician()
    one = visit(at(MONDAY, 9), 2, technician=dana, title="one")
    two = visit(at(MONDAY, 10), 2, technician=dana, title="two")
    after = visit(at(MONDAY, 12), technician=dana)
    visit(at(MONDAY, 9), technician=lee)
    visit(at(MONDAY, 9), technician=dana, visit_status=VisitStatus.CANCELLED)
    visit(at(MONDAY, 9))
    blocked = visit(at(MONDAY, 15), technician=dana)
    block(dana, at(MONDAY, 15, 30))
    late = visit(at(MONDAY, 23), 2, technician=dana, title="late")
    tomorrow = visit(at(MONDAY, 0) + 24 * HOUR, technician=dana, title="tomorrow's")
    found = agenda(workspace, Days(MONDAY, 1, ZONE)).overlaps
    assert {key: [other.title for other in others] for key, others in found.items()} == {
        one.pk: ["two"],
        two.pk: ["one"],
        blocked.pk: [""],
        late.pk: ["tomorrow's"],
        tomorrow.pk: ["late"],
    }
    assert after.pk not in found


def test_as_many_queries_for_a_week_with_much_as_for_an_empty_one(workspace, visit, make_technician):
    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            found = agenda(workspace, Days(MONDAY, 7, ZONE))
            [(str(visit.client), str(visit.technician)) for visit in found.visits]
        return len(context)

    make_technician()
    empty = queries()
    for hour in range(12):
        visit(at(MONDAY, hour), technician=make_technician())
    assert (empty, queries()) == (3, 4)


def test_no_more_than_can_be_looked_at(workspace, visit, monkeypatch):
    monkeypatch.setattr(module, "MOST_VISITS", 2)
    for hour in (9, 10):
        visit(at(MONDAY, hour))
    assert agenda(workspace, Days(MONDAY, 1, ZONE)).more is False
    visit(at(MONDAY, 11))
    found = agenda(workspace, Days(MONDAY, 1, ZONE))
    assert (len(found.visits), found.more) == (2, True)
    with pytest.raises(ValueError, match="from 1 to 14"):
        Days(MONDAY, 15, ZONE)


def test_weeks_begin_on_mondays():
    assert {week_of_day(MONDAY + dt.timedelta(days=number)) for number in range(7)} == {MONDAY}
    assert week_of_day(MONDAY - dt.timedelta(days=1)) == dt.date(2026, 11, 23)
