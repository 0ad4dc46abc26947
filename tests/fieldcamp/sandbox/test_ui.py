"""The pages on which a person is the calendar's owner."""

import re

import pytest

from fieldcamp.sandbox.mount import URL

HOME = f"{URL}/google/ui/dana%40google.test"


@pytest.fixture
def person(google):
    """Dana's browser on the calendar page."""

    class Person:
        def page(self, path="", **query):
            return google.session.get(HOME + path, params=query)

        def do(self, action, allow_redirects=True, **form):
            return google.session.post(HOME, data={"action": action} | form, allow_redirects=allow_redirects)

    return Person()


def test_all_accounts_are_listed(google):
    page = google.session.get(f"{URL}/google/ui").text
    assert page.count("@google.test</a>") == 13 and "not Google" in page


def test_adding_shows_up_in_the_next_incremental_list(google, person):
    token = google.events()["nextSyncToken"]
    form = {"title": "Dentist <b>", "start": "2026-11-23T09:00", "end": "2026-11-23T10:30", "repeat": "none"}
    assert person.do("add", allow_redirects=False, **form).status_code == 303
    (event,) = google.events(syncToken=token)["items"]
    assert event["summary"] == "Dentist <b>" and event["creator"]["email"] == "dana@google.test"
    assert event["end"]["dateTime"] == "2026-11-23T10:30:00-05:00"
    page = person.page(week="2026-11-23").text
    assert "Dentist &lt;b&gt;" in page and f'data-event-id="{event["id"]}"' in page
    assert 'data-slot="2026-11-23T09"' in page


def test_all_day_free_and_repeating(google, person):
    person.do("add", title="Off", start="2026-11-24T00:00", end="2026-11-25T00:00", all_day="1")
    person.do("add", title="Run", start="2026-11-24T07:00", show_as="free", repeat="weekly")
    off, run = google.events()["items"]
    assert (off["start"], off["end"]) == ({"date": "2026-11-24"}, {"date": "2026-11-26"})
    assert run["transparency"] == "transparent" and run["recurrence"] == ["RRULE:FREQ=WEEKLY"]
    page = person.page(week="2026-11-23").text
    assert len(re.findall(f'<li data-event-id="{run["id"]}_', page)) == 4


def test_moving_keeps_the_length_and_bumps_the_etag(google, person):
    event = google.insert()
    person.do("move", event=event["id"], start="2026-12-02T15:00")
    moved = google.event("GET", event["id"]).json()
    assert moved["start"]["dateTime"] == "2026-12-02T15:00:00-05:00"
    assert moved["end"]["dateTime"] == "2026-12-02T16:00:00-05:00"
    assert moved["etag"] != event["etag"] and moved["sequence"] == 1


def test_moving_one_day_of_a_series_and_a_whole_day(google, person):
    person.do("add", title="Run", start="2026-11-24T07:00", repeat="daily")
    (run,) = google.events()["items"]
    person.do("move", event=f"{run['id']}_20261125T120000Z", start="2026-11-25T09:00", end="2026-11-25T09:30")
    assert google.events()["items"][1]["start"]["dateTime"] == "2026-11-25T09:00:00-05:00"
    day = google.insert({"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-03"}})
    person.do("move", event=day["id"], start="2026-12-05")
    assert google.event("GET", day["id"]).json()["end"] == {"date": "2026-12-07"}


def test_renaming_and_deleting_several_at_once(google, person):
    first, second, third = (google.insert() for _ in range(3))
    person.do("rename", event=first["id"], title="Mine")
    assert google.event("GET", first["id"]).json()["summary"] == "Mine"
    person.do("delete", event=[second["id"], third["id"]])
    assert [event["id"] for event in google.events()["items"]] == [first["id"]]


def test_the_page_of_one_event_has_its_forms(google, person):
    event = google.insert()
    page = person.page("/event", event=event["id"]).text
    for form in ("rename", "move", "delete"):
        assert f'id="{form}"' in page
    assert 'value="2026-12-01T10:00"' in page


def test_weeks_can_be_turned(person):
    page = person.page(week="2026-12-02").text
    assert "Week of 30 November 2026" in page
    assert "week=2026-11-23" in page and "week=2026-12-07" in page


def test_removing_an_app_ends_its_access(google, person):
    page = person.page("/apps").text
    grant = re.search(r'name="grant" value="(\d+)"', page)[1]
    google.session.post(f"{HOME}/apps", data={"grant": "999"})
    assert google.call("GET", "calendars/primary/events").status_code == 200
    google.session.post(f"{HOME}/apps", data={"grant": grant})
    assert google.call("GET", "calendars/primary/events").status_code == 401
    assert "No app has access" in person.page("/apps").text


@pytest.mark.parametrize(
    "form",
    [
        {"action": "add", "title": "x", "start": ""},
        {"action": "add", "title": "x", "start": "2026-11-24T99:00"},
        {"action": "add", "title": "x", "start": "2026-11-24T10:00", "end": "2026-11-24T09:00"},
        {"action": "move", "event": "nothing", "start": "2026-11-24T10:00"},
        {"action": "rename"},
        {"action": "delete", "event": "nothing"},
        {"action": "explode"},
        {},
    ],
)
def test_mistakes_are_told_on_a_page(google, form):
    response = google.session.post(HOME, data=form)
    assert response.status_code in (400, 404) and 'role="alert"' in response.text


def test_unknown_pages(google):
    for path in ("/google/ui/nobody", "/google/ui/dana%40google.test/x", "/google/ui/dana%40google.test/apps/x"):
        assert google.session.get(URL + path).status_code == 404
    assert google.session.get(HOME, params={"calendar": "nothing"}).status_code == 404
    assert google.session.get(HOME, params={"week": "nonsense"}).status_code == 200
