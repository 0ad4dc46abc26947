"""Whatever is sent, the answer is a refusal in the vendor's shape: never a 500, never a traceback."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldcamp.sandbox.mount import URL

from .conftest import reason, timed, weekly

pytestmark = pytest.mark.slow

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    *("id", "iCalUID", "summary", "description", "location", "colorId", "status", "transparency", "visibility"),
    *("start", "end", "recurrence", "attendees", "reminders", "extendedProperties", "source", "attachments"),
    *("sequence", "eventType", "conferenceData", "outOfOfficeProperties", "workingLocationProperties"),
    *("birthdayProperties", "guestsCanModify", "organizer", "creator", "originalStartTime", "recurringEventId"),
)
PARAMETERS = (
    *("maxResults", "pageToken", "syncToken", "timeMin", "timeMax", "updatedMin", "orderBy", "q", "iCalUID"),
    *("eventTypes", "privateExtendedProperty", "timeZone", "fields", "alt", "prettyPrint", "maxAttendees"),
    *("singleEvents", "showDeleted", "originalStart"),
)


def raw(google, body, path="calendars/primary/events", method="POST", **headers):
    sent = {"Authorization": f"Bearer {google.token['access_token']}", "Content-Type": "application/json"} | headers
    return google.session.request(method, f"{google.base}/{path}", data=body, headers=sent)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b'{"summary": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"summary": NaN, "start": 1e999}',
    ],
)
def test_bodies_that_are_no_event(google, body):
    for path, method in (("calendars/primary/events", "POST"), ("calendars/primary/events/abcde", "PATCH")):
        assert raw(google, body, path, method).status_code in (400, 404)
    assert raw(google, b"no gzip", **{"Content-Encoding": "gzip"}).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "calendars/primary/events/" + "a" * 60_000,
        "calendars/" + "c" * 60_000 + "/events",
        "calendars/%00/events/%00",
        "calendars/primary/events/%ff%fe",
        "calendars/primary/events/abcde_99999999T999999Z",
        "calendars/primary/events/%2e%2e%2f",
        "calendars/primary/events//",
        "calendars/'; DROP TABLE g_events; --/events",
        "users/me/calendarList/%00",
        "users/me/settings/%00",
    ],
)
def test_strange_addresses(google, path):
    for method in ("GET", "DELETE", "PATCH", "PUT"):
        assert raw(google, b"{}", path, method).status_code in (400, 404)


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_of_every_wrong_type(google, name):
    event, series = google.insert(), google.insert(weekly())
    for value in (5, -1, 1.5, "x", "", True, [], [5], [None], [[]], {}, {"a": 5}, {"dateTime": 5}, {"date": []}):
        body = timed() | {name: value}
        assert google.call("POST", "calendars/primary/events", body).status_code in (200, 400, 409)
        for event_id in (event["id"], f"{series['id']}_20261201T150000Z"):
            assert google.event("PATCH", event_id, {name: value}).status_code in (200, 400)
            assert google.event("PUT", event_id, body).status_code in (200, 400)
    assert google.call("GET", "calendars/primary/events").status_code == 200


@MANY
@given(name=st.sampled_from(FIELDS), value=VALUES)
def test_any_value_in_any_field(google, name, value):
    try:
        body = json.dumps(timed() | {name: value}).encode()
    except ValueError:
        return
    google.control("throttle", {"enabled": False})
    assert raw(google, body).status_code in (200, 400, 409)


@MANY
@given(query=st.dictionaries(st.sampled_from(PARAMETERS), st.text(max_size=30), max_size=3))
def test_any_parameter(google, query):
    google.control("throttle", {"enabled": False})
    assert google.call("GET", "calendars/primary/events", **query).status_code in (200, 400, 410)


@MANY
@given(body=st.binary(max_size=200), boundary=st.sampled_from([b"", b"--b\r\n", b"--b\r\n\r\n\r\n", b"\n--b--"]))
def test_any_batch(google, body, boundary):
    headers = {"Content-Type": "multipart/mixed; boundary=b", "Authorization": "Bearer x"}
    url = f"{URL}/google/api/batch/calendar/v3"
    response = google.session.post(url, data=boundary + body + boundary, headers=headers)
    assert response.status_code in (200, 400)


@MANY
@given(line=st.text(alphabet="RULE:FQ=DAILYWKMONTHCUBVZ;,0123456789-+", max_size=40))
def test_any_rule(google, line):
    google.control("throttle", {"enabled": False})
    response = google.call("POST", "calendars/primary/events", weekly(recurrence=["RRULE:FREQ=DAILY;" + line]))
    assert response.status_code in (200, 400)


@MANY
@given(
    path=st.sampled_from(["accounts/o/oauth2/v2/auth", "oauth2/token", "oauth2/revoke", "oauth2/tokeninfo"]),
    values=st.dictionaries(
        st.sampled_from(
            ["client_id", "redirect_uri", "scope", "code", "token", "state", "response_type", "grant_type"]
        ),
        st.text(max_size=20),
    ),
)
def test_any_oauth_call(anonymous, path, values):
    for method, sent in (("GET", {"params": values}), ("POST", {"data": values})):
        url = f"{URL}/google/{path}"
        response = anonymous.session.request(method, url, **sent, allow_redirects=False)
        assert response.status_code < 500


def test_costly_rules_are_cut_short(google):
    for rule in (
        "FREQ=DAILY;COUNT=999999999",
        "FREQ=DAILY;INTERVAL=99999999999",
        "FREQ=SECONDLY",
        "FREQ=YEARLY;BYDAY=1",
    ):
        response = google.call("POST", "calendars/primary/events", weekly(recurrence=[f"RRULE:{rule}"]))
        assert reason(response) == (400, "invalid")
    too_many = weekly(recurrence=["RRULE:FREQ=DAILY"] + ["EXDATE:20261201T150000Z"] * 500)
    assert reason(google.call("POST", "calendars/primary/events", too_many)) == (400, "invalid")


def test_a_compression_bomb_is_refused(google):
    import gzip

    bomb = gzip.compress(b" " * (60 * 1024 * 1024))
    assert raw(google, bomb, **{"Content-Encoding": "gzip"}).status_code == 400
