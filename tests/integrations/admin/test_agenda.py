"""The calendar's page: what it shows to whom, what its address may say, and moving visits on it."""

import datetime as dt
import re
import zoneinfo

import pytest
import time_machine
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from fieldcamp.workspace.models import BlockedTime, Change, Client, Member, Visit
from integrations.models import Connection, Hold, Link, Problem

pytestmark = pytest.mark.django_db

PAGE = "/admin/integrations/calendar/"
ZONE = zoneinfo.ZoneInfo("America/New_York")
NOW = dt.datetime(2026, 11, 30, 8, tzinfo=ZONE)  # a Monday
JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(NOW, tick=False):
        yield


def at(hour: int, day: int = 30, month: int = 11) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, tzinfo=ZONE)


def add(rows, start: dt.datetime, hours: float = 1, **fields) -> Visit:
    values = {
        "workspace": rows.workspace, "client": rows.client, "technician": rows.tech, "title": "Boiler",
        "visit_status": "scheduled", "scheduled_start": start, "scheduled_end": start + hours * dt.timedelta(hours=1),
    }  # fmt: skip
    return Visit.objects.create(**values | fields)


def shown(browser, **query) -> str:
    response = browser.get(PAGE, query)
    assert response.status_code == 200
    return response.content.decode()


def line_of(html: str, visit: Visit) -> str:
    """The first line of the visit, as it is read."""
    found = re.search(rf'<li [^>]*data-visit="{visit.pk}".*?</li>', html, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split()) if found else ""


def body(visit: Visit, **fields) -> dict[str, str]:
    """What the form sends for the visit as it stands, but for `fields`."""
    start = visit.scheduled_start.astimezone(ZONE)
    minutes = round((visit.scheduled_end - visit.scheduled_start).total_seconds() / 60)
    values = {
        "day": str(start.date()), "time": f"{start:%H:%M}", "minutes": str(minutes),
        "technician": visit.technician_id or "none", "version": str(visit.version),
    }  # fmt: skip
    return values | {name: str(value) for name, value in fields.items()}


def post(browser, visit: Visit, **fields):
    return browser.post(f"{PAGE}visits/{visit.pk}/move/", body(visit, **fields), headers=JSON)


def test_the_week_has_visits_busy_times_and_what_is_wrong_in_words(desk, ours):
    Problem.objects.all().delete()
    Link.objects.all().delete()
    Visit.objects.filter(pk=ours.visit.pk).update(deleted_at=NOW)
    BlockedTime.objects.update(starts_at=at(10), ends_at=at(12))
    BlockedTime.objects.create(
        workspace=ours.workspace, member=ours.tech, key="d", starts_at=at(0, 3, 12), ends_at=at(0, 4, 12),
        all_day=True, start_date=dt.date(2026, 12, 3), end_date=dt.date(2026, 12, 4),
    )  # fmt: skip
    over = add(ours, at(11), title="Over a busy time")
    night = add(ours, at(23, 1, 12), 3, title="Night")
    off, done = (add(ours, at(15, 2, 12), title=name, visit_status=name) for name in ("cancelled", "completed"))
    nobody = add(ours, at(9, 4, 12), technician=None)
    conflict, held = add(ours, at(8, 5, 12), title="Conflict"), add(ours, at(9, 6, 12), title="Held")
    for visit, fields in (
        (conflict, {"parked": True, "unsettled": True}),
        (held, {"hold": ours.hold, "unsettled": True}),
    ):
        Link.objects.create(
            stream=ours.stream, kind="visit", record_id=visit.pk, remote_id=visit.pk, seen={"title": "x"},
            base={"title": "y"}, seen_gone=visit is held, seen_at=NOW, **fields,
        )  # fmt: skip
    Problem.objects.create(
        workspace=ours.workspace, integration=ours.connection.integration, connection=ours.connection, code="CONFLICT",
        record_kind="visit", record_id=conflict.pk, message="Both sides changed it.", occurred_at=NOW,
    )  # fmt: skip
    html = shown(desk())
    assert line_of(html, over).startswith("11:00–12:00 Over a busy time Client of Ours")
    assert "Overlaps" in line_of(html, over)
    assert "Overlaps" not in line_of(html, nobody)
    assert "Busy 10:00–12:00" in html and "Busy all day" in html
    assert line_of(html, night).startswith("23:00–Wed 2 Dec, 02:00")
    assert len(re.findall(f'data-visit="{night.pk}"', html)) == 2, "on both of its days"
    assert "Cancelled" in line_of(html, off) and "Move" not in line_of(html, off)
    assert "Completed" in line_of(html, done) and "Move" not in line_of(html, done)
    assert "Unassigned" in html
    assert "Conflict" in line_of(html, conflict).removeprefix("08:00–09:00 Conflict")
    assert "Removal waits" in line_of(html, held)
    assert html.index("Saturday 5 December") < html.index("Sunday 6 December")


@pytest.mark.parametrize(
    ("state", "word"),
    [("active", ""), ("needs_reconnect", "Calendar not in step"), ("paused", "Paused"),
     ("setup", "Set-up not finished"),
     ("disconnected", "No calendar connected")],
)  # fmt: skip
def test_how_a_technicians_calendar_stands_is_said_beneath_the_name(desk, ours, state, word):
    Problem.objects.all().delete()
    ours.stream.first_synced_at = NOW
    ours.stream.save()
    Connection.objects.filter(pk=ours.connection.pk).update(state=state)
    heading = re.search(r"<h4>.*?Tech of Ours.*?</h4>", shown(desk()), re.DOTALL)[0]
    assert re.findall(r'class="fc-badge[^>]*>([^<]*)<', heading) == ([word] if word else [])


def test_the_address_filters_and_what_it_cannot_say_is_answered_kindly(desk, ours):
    browser = desk()
    lee = Member.objects.create(workspace=ours.workspace, first_name="Lee", is_technician=True)
    of_lee, off = add(ours, at(9), technician=lee), add(ours, at(9, 1, 12), visit_status="cancelled")
    html = shown(browser, technician=lee.pk)
    assert line_of(html, of_lee) and not line_of(html, ours.visit) and "1 visit<" in html
    html = shown(browser, state="cancelled", view="list")
    assert line_of(html, off) and not line_of(html, of_lee) and "Clear filters" in html
    html = shown(browser, technician=lee.pk, state="paused")
    assert "No visit matches <em>Lee · Paused</em>" in html
    html = shown(browser, view="day", date="2026-12-01")
    assert line_of(html, off) and not line_of(html, of_lee)
    for name in ("view", "date", "technician", "state"):
        for wrong in ("x'\"><b>", "\x00", "9999-12-31", "0001-01-01", "wsp_1"):
            html = shown(browser, **{name: wrong})
            assert html.count("fc-note") == 1 and line_of(html, of_lee), (name, wrong)
            assert "<b>" not in html.partition('id="agenda"')[2].partition("agenda-last")[0]
    assert "Sun 29 Nov" in shown(browser, date="2026-11-29")
    for edge in ("2000-01-01", "2099-12-31"):
        assert "fc-note" not in shown(browser, date=edge)


def test_an_empty_week_teaches(desk, ours):
    html = shown(desk(), date="2027-03-08")
    assert "No visits on these days" in html and "New visit" in html
    assert "New visit" not in shown(desk("viewer"), date="2027-03-08")
    Visit.objects.all().delete()
    Member.objects.filter(is_technician=True).delete()
    assert "No technicians yet" in shown(desk())


def test_as_many_queries_for_much_as_for_little(desk, ours):
    browser = desk()

    def queries() -> int:
        with CaptureQueriesContext(database) as context:
            shown(browser)
        return len(context)

    def more(number: int) -> None:
        member = Member.objects.create(workspace=ours.workspace, first_name=f"T{number}", is_technician=True)
        client = Client.objects.create(workspace=ours.workspace, company_name=f"C{number}", parent=ours.client)
        account = Connection.objects.create(
            workspace=ours.workspace, integration=ours.connection.integration, member=member, account_id=member.pk,
            account_name=member.pk, state="active", connected_at=NOW,
        )  # fmt: skip
        visit = add(ours, at(9 + number), technician=member, client=client)
        stream = account.streams.create(container_id="main", is_target=True)
        Link.objects.create(stream=stream, kind="visit", record_id=visit.pk, remote_id=visit.pk, seen={}, seen_at=NOW)

    more(0)
    queries()
    little = queries()
    for number in range(1, 7):
        more(number)
    assert queries() == little <= 32


def test_nobody_sees_or_moves_what_is_another_companys(desk, ours, theirs):
    browser = desk()
    assert "of Theirs" not in shown(browser)
    assert browser.get(f"{PAGE}visits/{theirs.visit.pk}/").status_code == 404
    assert post(browser, theirs.visit, time="03:00").status_code == 404
    mine = add(ours, at(9))
    answer = post(browser, mine, technician=theirs.tech.pk)
    assert (answer.status_code, answer.json()) == (400, {"sentence": "Choose one of the technicians, or nobody."})
    assert Visit.objects.get(pk=mine.pk).technician == ours.tech


@pytest.mark.parametrize("role", ["staff", "viewer"])
def test_who_may_not_move_visits_is_not_offered_to(desk, ours, role):
    browser, visit = desk(role), add(ours, at(15))
    html = shown(browser)
    assert line_of(html, visit) and "data-movable" not in html and "Move…" not in html
    assert "<form" not in browser.get(f"{PAGE}visits/{visit.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert post(browser, visit, time="03:00").status_code == 403
    assert browser.post(f"{PAGE}undo/").status_code == 403
    assert Visit.objects.get(pk=visit.pk).version == visit.version


def test_a_visit_is_moved_and_put_back(desk, ours):
    browser, lee = desk(), Member.objects.create(workspace=ours.workspace, first_name="Lee", is_technician=True)
    visit = add(ours, at(15) + dt.timedelta(seconds=30))
    answer = post(browser, visit, technician=lee.pk, day="2026-12-01")
    assert answer.status_code == 200
    assert answer.json()["sentence"] == "“Boiler” is now Tue 1 Dec, 15:00–16:00, with Lee."
    moved = Visit.objects.get(pk=visit.pk)
    assert (moved.scheduled_start, moved.scheduled_end, moved.technician) == (at(15, 1, 12), at(16, 1, 12), lee)
    change = Change.objects.filter(record_id=visit.pk).latest("seq")
    assert (change.actor, change.source) == ("Owner", "desk")
    assert "Undo" in shown(browser)
    assert browser.post(f"{PAGE}undo/", headers=JSON).status_code == 200
    put_back = Visit.objects.get(pk=visit.pk)
    assert (put_back.scheduled_start, put_back.technician) == (visit.scheduled_start, ours.tech)
    assert "Undo" not in shown(browser)
    again = browser.post(f"{PAGE}undo/", headers=JSON)
    assert (again.status_code, again.json()["sentence"]) == (409, "There is no move to take back any more.")


def test_what_is_as_it_was_is_not_touched(desk, ours):
    """A visit keeps its seconds when it is given to somebody else, and one of an hour that there is twice its hour."""
    second_half_past_one = dt.datetime(2026, 11, 1, 1, 30, 20, tzinfo=ZONE, fold=1).astimezone(dt.UTC)
    visit = add(ours, second_half_past_one)
    assert post(desk(), visit, technician="none").status_code == 200
    assert Visit.objects.get(pk=visit.pk).scheduled_start == second_half_past_one
    visit.refresh_from_db()
    assert post(desk(), visit).json()["sentence"].startswith("Nothing was changed")
    assert post(desk(), visit, minutes=90).status_code == 200
    moved = Visit.objects.get(pk=visit.pk)
    assert (moved.scheduled_start, moved.scheduled_end) == (
        second_half_past_one,
        second_half_past_one + dt.timedelta(minutes=90),
    )


def test_over_a_change_of_the_clock_the_hour_stays(desk, ours):
    visit = add(ours, at(9, 31, 10))
    assert post(desk(), visit, day="2026-11-02").status_code == 200
    assert Visit.objects.get(pk=visit.pk).scheduled_start == at(9, 2, 11)
    visit.refresh_from_db()
    for day, time in (("2026-11-01", "01:30"), ("2027-03-14", "02:30")):  # twice, and never
        answer = post(desk(), visit, day=day, time=time)
        assert answer.status_code == 400 and "America/New_York" in answer.json()["sentence"]
    assert Visit.objects.get(pk=visit.pk).scheduled_start == at(9, 2, 11)


def test_what_overlaps_is_said_before_it_is_stored(desk, ours):
    browser, visit = desk(), add(ours, at(15))
    BlockedTime.objects.update(starts_at=at(10), ends_at=at(12))
    other = add(ours, at(11), title="Other")
    answer = post(browser, visit, time="11:30")
    assert answer.status_code == 409
    assert answer.json()["overlaps"] == ["Busy: Mon 30 Nov, 10:00–12:00", "Other: Mon 30 Nov, 11:00–12:00"]
    assert Visit.objects.get(pk=visit.pk).version == visit.version
    seen = answer.json()["seen"]
    add(ours, at(12), title="Came meanwhile")
    answer = post(browser, visit, time="11:30", seen=seen)
    assert answer.status_code == 409 and len(answer.json()["overlaps"]) == 3, "those were not seen"
    assert post(browser, visit, time="11:30", seen=answer.json()["seen"]).status_code == 200
    html = shown(browser)
    assert "Overlaps" in line_of(html, visit) and "Overlaps" in line_of(html, other)


def test_a_visit_that_was_changed_meanwhile_is_not_moved(desk, ours):
    browser, visit = desk(), add(ours, at(15))
    assert post(browser, visit, time="16:00").status_code == 200
    late = post(browser, visit, time="17:00")  # as it was seen before
    assert late.status_code == 412 and "was changed while you had it open" in late.json()["sentence"]
    Visit.objects.get(pk=visit.pk).save()
    Visit.objects.filter(pk=visit.pk).update(title="Boiler, the new one")
    undone = browser.post(f"{PAGE}undo/", headers=JSON)
    assert (undone.status_code, undone.json()["sentence"]) == (
        412, "Not taken back: the visit was changed since it was moved.",
    )  # fmt: skip
    assert Visit.objects.get(pk=visit.pk).scheduled_start == at(16)


def test_a_visit_that_is_deleted_meanwhile_is_not_put_back_and_that_is_said(desk, ours):
    browser, visit = desk(), add(ours, at(15))
    assert post(browser, visit, time="16:00").status_code == 200
    Visit.objects.filter(pk=visit.pk).update(deleted_at=NOW)
    assert post(browser, visit, time="17:00").status_code == 404
    undone = browser.post(f"{PAGE}undo/", headers=JSON)
    assert (undone.status_code, undone.json()["sentence"]) == (409, "Not taken back: the visit is deleted.")


def test_a_busy_time_over_the_hour_that_there_is_twice_ends_after_it_begins(desk, ours):
    night = dt.datetime(2026, 11, 1, 5, 45, tzinfo=dt.UTC)  # 01:45, and half an hour later it is 01:15
    BlockedTime.objects.update(starts_at=night, ends_at=night + dt.timedelta(minutes=30))
    page = shown(desk(), view="day", date="2026-11-01")
    assert 'data-start="2026-11-01T01:45" data-end="2026-11-01T02:00"' in page


@pytest.mark.parametrize("status", ["completed", "cancelled"])
def test_what_is_over_is_not_moved(desk, ours, status):
    visit = add(ours, at(15), visit_status=status)
    answer = post(desk(), visit, time="16:00")
    assert answer.status_code == 409 and "is not moved any more" in answer.json()["sentence"]
    panel = desk().get(f"{PAGE}visits/{visit.pk}/").content.decode()
    assert "is not moved any more" in panel and 'name="minutes"' not in panel


def test_without_scripts_the_form_does_it(desk, ours):
    browser, visit = desk(), add(ours, at(15))
    address = f"{PAGE}visits/{visit.pk}/"
    assert 'name="minutes" value="60"' in browser.get(address).content.decode()
    for wrong in ("javascript:alert(1)", "https://evil.example/"):
        assert wrong not in browser.get(address, {"next": wrong}).content.decode()
    refused = browser.post(f"{address}move/", body(visit, time="25:00", minutes="0", day="1999-01-01"))
    assert refused.status_code == 400 and refused.content.decode().count('class="fc-error"') == 3
    other = add(ours, at(10), title="Other")
    asks = browser.post(f"{address}move/", body(visit, time="10:00", next="/admin/"))
    html = asks.content.decode()
    assert asks.status_code == 409 and "Other" in html and "Move it all the same" in html
    seen = re.search(r'name="seen" value="(\w+)"', html)[1]
    done = browser.post(f"{address}move/", body(visit, time="10:00", seen=seen, next=f"{PAGE}?view=list"))
    assert (done.status_code, done.url) == (302, f"{PAGE}?view=list")
    assert Visit.objects.get(pk=visit.pk).scheduled_start == other.scheduled_start
    changed = browser.post(f"{address}move/", body(visit, time="12:00"))
    assert changed.status_code == 412 and 'name="time" value="10:00"' in changed.content.decode()
    assert browser.post(f"{PAGE}undo/").status_code == 302
    assert Visit.objects.get(pk=visit.pk).scheduled_start == at(15)


def test_the_panel_says_where_it_stands_and_why(desk, ours):
    Hold.objects.all().delete()
    html = desk().get(f"{PAGE}visits/{ours.visit.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in html
    for said in ("Visit of Ours", "Client of Ours", "Conflict of Ours", "Answer it", "#history-title", "Overlaps"):
        assert said in html, said
