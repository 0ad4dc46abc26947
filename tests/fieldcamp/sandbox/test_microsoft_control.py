"""What is around the simulated Graph: seeds, control calls, pages for people, and input that means no good."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldcamp.sandbox.mount import URL

from .conftest import WINDOW, code, meeting, prefer, tuesdays

HOME = f"{URL}/microsoft/ui/dana%40outlook.test"
BEYOND = {"startDateTime": "2026-11-01", "endDateTime": "2027-02-01"}


@pytest.fixture
def person(outlook):
    """Dana's browser on the calendar page."""

    class Person:
        def page(self, path="", **query):
            return outlook.session.get(HOME + path, params=query)

        def do(self, action, **form):
            return outlook.session.post(HOME, data={"action": action} | form, allow_redirects=False)

    return Person()


def dump(outlook, account):
    return outlook.control("state", method="GET", vendor="microsoft", account=account).json()["accounts"][account]


def test_the_demo_seed(outlook):
    outlook.control("reset", {"seed": "demo"})
    counts = {}
    for name in ("dana", "lee", "ravi", "maria"):
        main, birthdays, family = dump(outlook, f"{name}@outlook.test")["calendars"]
        counts[name] = len(main["events"])
        assert main["isDefaultCalendar"] and not birthdays["canEdit"] and len(family["events"]) == 1
        assert all(event["showAs"] == "busy" for event in main["events"]) or name == "maria"
    assert (counts["dana"], counts["lee"], counts["ravi"]) == (0, 0, 5)
    kinds = {event["type"] for event in dump(outlook, "maria@outlook.test")["calendars"][0]["events"]}
    shown = {event["showAs"] for event in dump(outlook, "maria@outlook.test")["calendars"][0]["events"]}
    assert kinds == {"singleInstance", "seriesMaster"} and shown == {"busy", "free", "tentative", "oof"}


def test_the_same_seed_gives_the_same_ids(outlook):
    outlook.control("reset", {"seed": "demo"})
    first = dump(outlook, "maria@outlook.test")
    outlook.control("reset", {"seed": "demo"})
    assert dump(outlook, "maria@outlook.test") == first


def test_the_state_is_what_graph_shows(outlook):
    event = outlook.create(body={"contentType": "text", "content": "Words"})
    gone = outlook.create()
    outlook.delete(gone)
    (main, *_), clients = dump(outlook, "dana@outlook.test")["calendars"], dump(outlook, "dana@outlook.test")["clients"]
    (shown,) = main["events"]
    assert shown["id"] == event["id"] and shown["body"] == {"contentType": "text", "content": "Words"}
    assert clients == ["*"]


def test_control_calls_that_are_mistaken(outlook):
    for call, body in (
        ("token", {"vendor": "microsoft", "account": "nobody@outlook.test"}),
        ("token", {"vendor": "microsoft", "account": "dana@outlook.test", "scopes": ["Everything.Do"]}),
        ("bulk", {"vendor": "microsoft", "account": "dana@outlook.test", "invoices": 3}),
        ("revoke", {"vendor": "microsoft", "account": "dana@google.test"}),
    ):
        assert outlook.control(call, body).status_code == 400


def test_bulk_events_are_ordinary_ones(outlook):
    outlook.control("bulk", {"vendor": "microsoft", "account": "dana@outlook.test", "events": 30})
    rows, link = outlook.round(startDateTime="2026-01-01T00:00:00Z", endDateTime="2028-01-01T00:00:00Z")
    assert len(rows) == 30 and rows[3]["location"]["displayName"]
    changed = outlook.patch(rows[3], subject="By hand")
    assert changed.json()["subject"] == "By hand" and outlook.delete(rows[4]).status_code == 204
    assert len(outlook.round(link)[0]) == 2
    outlook.control("bulk", {"vendor": "microsoft", "account": "dana@outlook.test", "events": 5})
    assert len(outlook.round(link)[0]) == 7


def test_all_accounts_are_listed(outlook):
    page = outlook.session.get(f"{URL}/microsoft/ui").text
    assert page.count("@outlook.test</a>") == 19 and "not Microsoft" in page
    assert 'href="/microsoft/ui"' in outlook.session.get(f"{URL}/").text


def test_what_a_person_adds_arrives_in_the_next_round(outlook, person):
    _, link = outlook.round()
    form = {"title": "Dentist <b>", "start": "2026-11-23T09:00", "end": "2026-11-23T10:30", "repeat": "none"}
    assert person.do("add", **form).status_code == 303
    ((event,), link) = outlook.round(link)
    assert event["subject"] == "Dentist <b>" and event["start"]["dateTime"] == "2026-11-23T14:00:00.0000000"
    assert event["originalStartTimeZone"] == "Eastern Standard Time"
    page = person.page(week="2026-11-23").text
    assert "Dentist &lt;b&gt;" in page and f'data-event-id="{event["id"]}"' in page
    assert 'data-slot="2026-11-23T09"' in page
    person.do("move", event=event["id"], start="2026-11-24T15:00")
    ((moved,), link) = outlook.round(link)
    assert moved["end"]["dateTime"] == "2026-11-24T21:30:00.0000000"
    person.do("rename", event=event["id"], title="Doctor")
    assert outlook.get(f"me/events/{event['id']}")["subject"] == "Doctor"
    assert "Doctor" in person.page("/event", event=event["id"]).text
    person.do("delete", event=event["id"])
    assert outlook.round(link)[0][0]["@removed"] == {"reason": "deleted"}


def test_all_day_free_and_repeating(outlook, person):
    person.do("add", title="Off", start="2026-11-24T00:00", end="2026-11-25T00:00", all_day="1")
    person.do("add", title="Run", start="2026-11-24T07:00", show_as="free", repeat="weekly")
    off, run = outlook.get("me/events")["value"]
    assert off["isAllDay"] and (off["start"]["dateTime"][:10], off["end"]["dateTime"][:10]) == (
        "2026-11-24",
        "2026-11-26",
    )
    assert run["showAs"] == "free" and run["recurrence"]["pattern"]["daysOfWeek"] == ["tuesday"]
    page = person.page(week="2026-11-23").text
    assert len(re.findall(r'<span class="chip">repeats</span>', page)) == 4
    assert re.search(r"Tuesday, 24 November</h3>\s*<ul[^>]*>\s*<li[^>]*>\s*<label[^>]*>.*all day</span> Off", page)
    person.do("move", event=off["id"], start="2026-11-30")
    assert outlook.get(f"me/events/{off['id']}")["end"]["dateTime"][:10] == "2026-12-02"


def test_one_day_of_a_series_is_moved_by_hand(outlook, person):
    outlook.create(zone="Eastern Standard Time", recurrence=tuesdays())
    second = outlook.get("me/calendarView", **WINDOW)["value"][1]
    assert "Only this day" in person.page("/event", event=second["id"]).text
    person.do("move", event=second["id"], start="2026-12-09T16:00")
    found = outlook.get("me/calendarView", **WINDOW)["value"]
    assert [each["type"] for each in found] == ["occurrence", "exception", "occurrence", "occurrence"]


def test_removing_an_app_on_its_page(outlook, person):
    page = person.page("/apps").text
    assert "Read and change your calendars" in page
    grant = re.search(r'name="grant" value="(\d+)"', page)[1]
    outlook.session.post(f"{HOME}/apps", data={"grant": grant})
    assert code(outlook.call("GET", "me")) == (401, "InvalidAuthenticationToken")
    assert "No app has access" in person.page("/apps").text


def test_pages_that_do_not_exist_and_forms_that_make_no_sense(outlook, person):
    birthdays = outlook.get("me/calendars")["value"][1]["id"]
    assert outlook.session.get(f"{URL}/microsoft/ui/nobody").status_code == 404
    assert person.page(calendar="none").status_code == 404
    assert person.page("/event", event="none").status_code == 400
    assert person.do("dance").status_code == 400
    assert person.do("add", title="x", start="soon").status_code == 400
    refused = outlook.session.post(f"{HOME}?calendar={birthdays}", data={"action": "add", "start": "2026-12-01T10:00"})
    assert refused.status_code == 403 and "Access is denied" in refused.text


def test_zones_and_settings(outlook):
    windows = {each["alias"] for each in outlook.get("me/outlook/supportedTimeZones")["value"]}
    iana = outlook.get("me/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')")
    assert "W. Europe Standard Time" in windows and "Europe/Berlin" in {each["alias"] for each in iana["value"]}
    assert code(outlook.call("GET", "me/mailboxSettings/timeZone")) == (403, "ErrorAccessDenied")
    outlook.sign_in(scopes="MailboxSettings.Read")
    assert outlook.get("me/mailboxSettings/timeZone")["value"] == "Eastern Standard Time"


def test_the_clients_own_request_id_comes_back(outlook):
    response = outlook.call("GET", "me", headers={"client-request-id": "c-1"})
    assert response.headers["client-request-id"] == "c-1" and response.headers["request-id"]
    inner = outlook.call("GET", "me/events/x", headers={"client-request-id": "c-2"}).json()["error"]["innerError"]
    assert inner["client-request-id"] == "c-2" and inner["request-id"] and inner["date"]
    assert 'IdType="ImmutableId"' in outlook.call("GET", "me/events").headers["Preference-Applied"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([
    *("subject", "body", "start", "end", "isAllDay", "location", "locations", "attendees", "recurrence", "categories"),
    *("singleValueExtendedProperties", "transactionId", "showAs", "reminderMinutesBeforeStart", "isReminderOn"),
])  # fmt: skip
GENTLE = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@GENTLE
@given(fields=st.dictionaries(FIELDS, JSON, max_size=4))
def test_no_body_breaks_it(outlook, fields):
    made = outlook.call("POST", "me/events", meeting() | fields)
    assert made.status_code in (201, 400), made.text
    if made.status_code == 201:
        assert outlook.patch(made.json(), **fields).status_code in (200, 400)
        assert outlook.call("GET", "me/calendarView", **BEYOND).status_code == 200
        outlook.delete(made.json())


@GENTLE
@given(
    name=st.sampled_from(
        ["$filter", "$orderby", "$top", "$skip", "$select", "$expand", "$deltatoken", "startDateTime"]
    ),
    value=st.text(max_size=40) | st.from_regex(r"[\w/ ()',:]{0,30}", fullmatch=True),
    path=st.sampled_from(["me/events", "me/calendars", "me/calendarView", "me/calendarView/delta", "me"]),
)
def test_no_query_breaks_it(outlook, name, value, path):
    response = outlook.call("GET", path, **(BEYOND | {name: value}))
    assert response.status_code in (200, 400, 410), response.text


@pytest.mark.slow
@GENTLE
@given(path=st.text(max_size=30), value=st.from_regex(r"[!-~][ -~]{0,30}", fullmatch=True))
def test_no_address_and_no_preference_breaks_it(outlook, path, value):
    for target in (path, f"me/{path}", f"me/events/{path}", f"me/calendars/{path}/events"):
        assert outlook.call("GET", target.replace("?", "").replace("#", "")).status_code in (200, 400, 403, 404)
    headers = {"Prefer": value, "If-Match": value}
    assert outlook.call("GET", "me/events", headers=headers).status_code in (200, 400)


@pytest.mark.slow
@GENTLE
@given(name=st.sampled_from(["id", "method", "url", "headers", "body", "dependsOn"]), value=JSON)
def test_no_batch_breaks_it(outlook, name, value):
    item = {
        "id": "1",
        "method": "POST",
        "url": "/me/events",
        "headers": prefer() | {"Content-Type": "application/json"},
    }
    requests = [item | {"body": meeting()} | {name: value}, value]
    assert outlook.call("POST", "$batch", {"requests": requests[:1]}).status_code in (200, 400)
    assert outlook.call("POST", "$batch", {"requests": requests}).status_code == 400


def test_bodies_that_are_no_json(outlook):
    for body in (b"{", b"[]", b"\xff", b'{"subject": "\\ud800"}'):
        response = outlook.session.post(
            f"{outlook.base}/me/events",
            data=body,
            headers={"Authorization": f"Bearer {outlook.token['access_token']}", "Content-Type": "application/json"},
        )
        assert code(response) == (400, "BadRequest")
    assert outlook.call("POST", "me/events", headers=prefer()).status_code == 400
