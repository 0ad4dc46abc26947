"""The calendar in a browser: the grid, a visit dragged to somebody else and put back, keys, and what axe says."""

import datetime as dt
import zoneinfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from fieldcamp.workspace.models import BlockedTime, Visit
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.slow]

PAGE = "/admin/integrations/calendar/"


@pytest.fixture
def monday(owner) -> dt.datetime:
    """Next week's, at nine."""
    zone = zoneinfo.ZoneInfo(owner.workspace.timezone)
    today = timezone.now().astimezone(zone)
    day = today.date() + dt.timedelta(days=7 - today.weekday())
    return dt.datetime.combine(day, dt.time(9), zone)


@pytest.fixture
def visit(monday, make_technician, make_visit, workspace) -> Visit:
    """Ada's, on Monday at nine; Bob is busy then on Wednesday."""
    ada, bob = make_technician(first_name="Ada"), make_technician(first_name="Bob")
    busy = monday + dt.timedelta(days=2)
    BlockedTime.objects.create(
        workspace=workspace, member=bob, key="k", starts_at=busy, ends_at=busy + dt.timedelta(hours=1)
    )
    make_visit(title="Cancelled", technician=ada, scheduled_start=busy, scheduled_end=busy + dt.timedelta(hours=1),
               visit_status="cancelled")  # fmt: skip
    end = monday + dt.timedelta(hours=1)
    return make_visit(
        title="Boiler", technician=ada, scheduled_start=monday, scheduled_end=end, visit_status="scheduled"
    )


def serious(page) -> list[str]:
    found = Axe().run(page, options={"rules": {"target-size": {"enabled": True}}}).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:300]}" for each in found if each["impact"] in ("serious", "critical")
    ]


def drag(page, what: str, row: str, column: int) -> None:
    """Drags an event into the row of a person, by their name, and to the column of a day."""
    event = page.locator(".ec-event", has_text=what).bounding_box()
    label = page.locator(".fc-grid-person", has_text=row).bounding_box()
    day = page.locator(".ec-col-head").nth(column).bounding_box()
    page.mouse.move(event["x"] + 30, event["y"] + 10)
    page.mouse.down()
    page.mouse.move(event["x"] + 40, event["y"] + 14, steps=3)
    page.mouse.move(day["x"] + 40, label["y"] + 12, steps=8)
    page.mouse.up()


def test_a_visit_is_dragged_asked_about_and_put_back(person, visit, monday):
    page, wednesday = person.page, monday + dt.timedelta(days=2)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{PAGE}?date={monday.date()}")
    event = page.locator(".ec-event", has_text="Boiler")
    expect(event).to_contain_text("09:00–10:00")
    expect(page.locator("#agenda-days")).to_be_hidden()
    assert serious(page) == []

    # To where nobody is in the way.
    drag(page, "Boiler", "Bob", 1)
    last = page.locator("#agenda-last")
    expect(last).to_contain_text("with Bob")
    moved = Visit.objects.get(pk=visit.pk)
    assert (moved.technician.first_name, moved.scheduled_start) == ("Bob", monday + dt.timedelta(days=1))
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#agenda-undo")).to_have_count(0)
    expect(event).to_be_visible()
    assert Visit.objects.get(pk=visit.pk).scheduled_start == monday

    # Over a busy time: asked first, and put back; then all the same.
    for answer, start in (("Put it back", monday), ("Move it all the same", wednesday)):
        drag(page, "Boiler", "Bob", 2)
        expect(page.locator("#agenda-ask")).to_contain_text("Busy")
        assert Visit.objects.get(pk=visit.pk).scheduled_start == monday
        page.get_by_role("button", name=answer).click()
        if start == wednesday:
            expect(event).to_contain_text("Overlaps")
        expect(page.locator("#agenda-ask")).to_be_hidden()
        assert Visit.objects.get(pk=visit.pk).scheduled_start == start

    # What somebody else has changed meanwhile goes back, with a sentence.
    Visit.objects.filter(pk=visit.pk).update(title="Boiler, new")
    drag(page, "Boiler", "Ada", 0)
    expect(last).to_contain_text("was changed while you had it open")
    expect(page.locator(".ec-event", has_text="Boiler, new")).to_be_visible()
    assert Visit.objects.get(pk=visit.pk).scheduled_start == wednesday


def test_by_keyboard_alone_and_in_the_dark(open_page, google, owner, visit, monday):

    page = open_page(color_scheme="dark", viewport={"width": 1440, "height": 900})
    Person(page, google).sign_in()
    page.goto(f"{PAGE}?view=day&date={monday.date()}")
    expect(page.locator(".ec-event")).to_have_count(1)
    assert serious(page) == []
    page.locator(".ec-event").focus()
    page.keyboard.press("Enter")
    panel = page.locator("#agenda-panel")
    expect(panel).to_contain_text("Ada")
    assert serious(page) == []
    panel.get_by_label("Starts at").fill("11:30")
    panel.get_by_label("Minutes").press("Enter")
    expect(panel).to_be_hidden()
    expect(page.locator(".ec-event")).to_contain_text("11:30–12:30")
    assert Visit.objects.get(pk=visit.pk).scheduled_start == monday.replace(hour=11, minute=30)
    # Its end, dragged by two slots of a quarter of an hour.
    edge = page.locator(".ec-event .ec-resizer").bounding_box()
    page.mouse.move(edge["x"] + edge["width"] / 2, edge["y"] + 10)
    page.mouse.down()
    page.mouse.move(edge["x"] + 20, edge["y"] + 10, steps=4)
    page.mouse.move(edge["x"] + 50, edge["y"] + 10, steps=4)
    page.mouse.up()
    expect(page.locator(".ec-event")).to_contain_text("11:30–13:00")
    page.locator("body").press("t")
    page.wait_for_url(lambda url: "date=" not in url)
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: "date=" in url)


def test_on_a_phone_it_is_a_list(open_page, google, owner, visit, monday):

    page = open_page(viewport={"width": 360, "height": 800})
    Person(page, google).sign_in()
    page.goto(f"{PAGE}?date={monday.date()}")
    expect(page.locator("#agenda-grid")).to_be_hidden()
    page.get_by_role("link", name="Boiler", exact=True).click()
    expect(page.locator("#agenda-panel")).to_contain_text("Open the visit")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.keyboard.press("Escape")
    assert serious(page) == []
