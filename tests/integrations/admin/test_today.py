"""The first page's block of today: who has which visits, when they are busy otherwise, and what is not settled."""

import datetime as dt
import re
import zoneinfo

import pytest
import time_machine

from fieldcamp.workspace.models import BlockedTime, Client, Member, Visit
from integrations.models import DirtyRow, Link, Problem
from tests.integrations.admin.conftest import company

pytestmark = pytest.mark.django_db

ZONE = zoneinfo.ZoneInfo("America/New_York")
NOW = dt.datetime(2026, 11, 30, 9, 30, tzinfo=ZONE)  # a Monday


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(NOW, tick=False):
        yield


def at(hour: int, minute: int = 0, day: int = 30) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


def add(rows, start: dt.datetime, **fields) -> Visit:
    values = {
        "workspace": rows.workspace, "client": rows.client, "technician": rows.tech, "title": "Boiler",
        "visit_status": "scheduled", "scheduled_start": start, "scheduled_end": start + dt.timedelta(hours=1),
    }  # fmt: skip
    return Visit.objects.create(**values | fields)


def block(html: str) -> str:
    return re.search(r'<section id="today".*?</section>', html, re.DOTALL)[0]


def read(html: str) -> list[str]:
    """What each line says, as it is read."""
    lines = re.findall(r'<li class="fc-today-line">(.*?)</li>', html, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in lines]


def test_who_has_what_today_and_what_of_it_is_not_settled(desk, ours):
    Visit.objects.filter(workspace=ours.workspace).update(deleted_at=NOW)
    Problem.objects.filter(workspace=ours.workspace).delete()
    BlockedTime.objects.filter(member__workspace=ours.workspace).delete()
    add(ours, at(8), title="Over already")
    on, asked = add(ours, at(9), title="On now"), add(ours, at(13), title="Asked about")
    add(ours, at(15), visit_status="cancelled")
    add(ours, at(8, day=29))
    add(ours, at(8, day=1) + dt.timedelta(days=30))
    add(ours, at(10), technician=None, title="<b>Nobody's</b>")
    Member.objects.create(workspace=ours.workspace, first_name="Idle", is_technician=True)
    Member.objects.create(workspace=ours.workspace, first_name="Gone", is_technician=True, is_active=False)
    BlockedTime.objects.create(
        workspace=ours.workspace, member=ours.tech, key="b", starts_at=at(12, 30), ends_at=at(14)
    )  # fmt: skip
    Problem.objects.create(
        workspace=ours.workspace, connection=ours.connection, integration="google_calendar", code="CONFLICT",
        record_kind="visit", record_id=asked.pk, message="No.", occurred_at=NOW,
    )  # fmt: skip
    DirtyRow.objects.all().delete()  # each visit that is made is one at first
    for visit in (on, asked):
        DirtyRow.objects.get_or_create(stream=ours.link.stream, kind="visit", record_id=visit.pk, defaults={"seq": 1})
    html = block(desk("viewer").get("/admin/").content.decode())
    nobody, tech = read(html)
    assert nobody == "Unassigned 1 visit 10:00 &lt;b&gt;Nobody&#x27;s&lt;/b&gt; · Client of Ours"
    assert tech == (
        "Tech of Ours 3 visits now On now · Client of Ours busy 12:30 – 14:00 1 needs somebody 1 overlaps "
        "1 not synced yet"
    )
    assert "Mon 30 Nov · 4 visits" in html and "Nothing today: Idle." in html and "Gone" not in html
    page = f"/admin/integrations/calendar/?view=day&amp;date=2026-11-30&amp;technician={ours.tech.pk}"
    assert f'href="{page}"' in html and f'href="{page}&amp;state=overlaps"' in html
    assert desk("viewer").get(page.replace("&amp;", "&")).status_code == 200
    assert block(desk("viewer").get("/admin/integrations/today/").content.decode()) == html


def test_a_company_without_anything_is_told_what_will_stand_here(desk, ours):
    Link.objects.filter(stream__connection__workspace=ours.workspace).delete()
    BlockedTime.objects.filter(member__workspace=ours.workspace).delete()
    Visit.objects.filter(workspace=ours.workspace).update(deleted_at=NOW)
    html = block(desk("owner").get("/admin/").content.decode())
    assert "Nobody has a visit or a busy time today." in html and "/admin/workspace/visit/add/" in html
    assert "/admin/workspace/visit/add/" not in block(desk("viewer").get("/admin/").content.decode())
    Member.objects.filter(workspace=ours.workspace).update(is_technician=False)
    html = block(desk("owner").get("/admin/").content.decode())
    assert "Here stand the visits and busy times of your technicians." in html


def test_as_many_queries_for_forty_people_as_for_one(desk, ours, django_assert_max_num_queries):
    browser, other = desk("viewer"), company("Theirs, of another company")
    add(other, at(11), title="Not to be seen")
    add(ours, at(11))
    browser.get("/admin/integrations/today/")
    with django_assert_max_num_queries(40) as few:
        browser.get("/admin/integrations/today/")
    for number in range(40):
        member = Member.objects.create(workspace=ours.workspace, first_name=f"Tom {number}", is_technician=True)
        client = Client.objects.create(workspace=ours.workspace, company_name=f"Kim {number}")
        add(ours, at(11), technician=member, client=client)
    with django_assert_max_num_queries(len(few)):
        html = browser.get("/admin/integrations/today/").content.decode()
    assert len(read(html)) == 12 and "more people in the calendar" in html
    assert "Not to be seen" not in html
