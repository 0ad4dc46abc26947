"""Google's events and our records."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.providers.google_calendar.api import make_id
from integrations.providers.google_calendar.mapping import plain_text, to_body, to_record
from integrations.providers.texts import NOTES_LINE
from integrations.records import Marker, digest, tidy

LINK = "https://fieldcamp.test/admin/workspace/visit/vis_1/change/"
MARKER = Marker("wsp_1", "vis_1", make_id("vis_1"))
VISIT = {
    "start": "2026-11-25T15:00:00Z",
    "end": "2026-11-25T16:00:00Z",
    "title": "Leak",
    "text": "Bring the long ladder",
    "place": "1 Main St",
}
TIMED = {
    "id": "abcde",
    "etag": '"1"',
    "status": "confirmed",
    "iCalUID": "abcde@google.com",
    "start": {"dateTime": "2026-03-15T10:00:00-03:00", "timeZone": "America/Sao_Paulo"},
    "end": {"dateTime": "2026-03-15T11:00:00-03:00", "timeZone": "America/Sao_Paulo"},
    "created": "2026-03-12T07:26:48.000Z",
    "updated": "2026-03-12T07:26:49.146Z",
    "sequence": 0,
    "eventType": "default",
}


def google_stores(body: dict, event_id: str = MARKER.remote_id) -> dict:
    """What Google gives back of a body that was inserted."""
    return {"id": event_id, "etag": '"2"', "status": "confirmed", "iCalUID": f"{event_id}@google.com", **body}


def test_an_ordinary_event():
    record = to_record(TIMED)
    assert (record.id, record.tag, record.kind, record.gone, record.marker) == ("abcde", '"1"', "block", False, None)
    assert record.fields == {
        "start": "2026-03-15T13:00:00Z",
        "end": "2026-03-15T14:00:00Z",
        "zone": "America/Sao_Paulo",
        "title": "",
        "text": "",
        "place": "",
        "repeats": False,
        "busy": True,
        "uid": "abcde@google.com",
        "recurrence": None,
        "series_id": None,
        "original_start": None,
    }
    assert record.shown == {
        "summary": "",
        "start": "2026-03-15T13:00:00Z",
        "end": "2026-03-15T14:00:00Z",
        "all_day": False,
        "status": "confirmed",
    }


def test_an_all_day_event_never_passes_through_utc():
    event = {**TIMED, "start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}
    record = to_record(event, "Pacific/Auckland")
    assert (record.fields["start"], record.fields["end"], record.fields["zone"]) == (
        "2026-12-01",
        "2026-12-02",
        "Pacific/Auckland",
    )
    assert record.shown["all_day"] is True


@pytest.mark.parametrize(
    ("time", "instant"),
    [
        ({"dateTime": "2026-07-01T10:00:00", "timeZone": "America/New_York"}, "2026-07-01T14:00:00Z"),
        ({"dateTime": "2026-12-01T10:00:00", "timeZone": "America/New_York"}, "2026-12-01T15:00:00Z"),
        ({"dateTime": "2026-12-01T10:00:00.500Z"}, "2026-12-01T10:00:00Z"),
        ({"dateTime": "2026-12-01T10:00:00+05:30", "timeZone": "Asia/Kolkata"}, "2026-12-01T04:30:00Z"),
        ({"dateTime": "2026-12-01T10:00:00", "timeZone": "Not/AZone"}, "2026-12-01T10:00:00Z"),
    ],
)
def test_instants_are_compared_in_utc_whatever_zone_shows_them(time, instant):
    assert to_record({**TIMED, "start": time}).fields["start"] == instant


@pytest.mark.parametrize(
    ("change", "busy"),
    [
        ({}, True),
        ({"transparency": "opaque"}, True),
        ({"transparency": "transparent"}, False),
        ({"eventType": "outOfOffice"}, True),
        ({"eventType": "focusTime"}, True),
        ({"eventType": "workingLocation"}, False),
        ({"eventType": "birthday"}, False),
        ({"eventType": "fromGmail"}, False),
        ({"status": "tentative"}, True),
        ({"attendees": [{"self": True, "responseStatus": "declined"}]}, False),
        ({"attendees": [{"responseStatus": "declined"}, {"self": True, "responseStatus": "accepted"}]}, True),
        ({"attendees": [{"self": True, "responseStatus": "needsAction"}]}, True),
    ],
)
def test_what_takes_a_persons_time(change, busy):
    assert to_record({**TIMED, **change}).fields["busy"] is busy


def test_a_series_and_its_exception():
    master = to_record({**TIMED, "recurrence": ["RRULE:FREQ=WEEKLY", "EXDATE:20260322T130000Z"]})
    assert master.fields["recurrence"] == ["RRULE:FREQ=WEEKLY", "EXDATE:20260322T130000Z"]
    exception = to_record(
        {
            **TIMED,
            "id": "abcde_20260322T130000Z",
            "recurringEventId": "abcde",
            "originalStartTime": {"dateTime": "2026-03-22T10:00:00-03:00"},
        }
    )
    assert (exception.fields["series_id"], exception.fields["original_start"]) == ("abcde", "2026-03-22T13:00:00Z")


def test_a_cancelled_exception_is_a_tombstone_that_knows_its_series():
    event = {
        "id": "abcde_20260322T130000Z",
        "etag": '"3"',
        "status": "cancelled",
        "recurringEventId": "abcde",
        "originalStartTime": {"dateTime": "2026-03-22T10:00:00-03:00", "timeZone": "America/Sao_Paulo"},
    }
    record = to_record(event)
    assert record.gone
    assert record.fields == {"series_id": "abcde", "original_start": "2026-03-22T13:00:00Z"}


def test_a_cancelled_all_day_exception():
    event = {
        "id": "abcde_20260322",
        "status": "cancelled",
        "recurringEventId": "abcde",
        "originalStartTime": {"date": "2026-03-22"},
    }
    assert to_record(event).fields["original_start"] == "2026-03-22"


def test_a_bare_tombstone_has_an_id_and_nothing_else():
    record = to_record({"id": "abcde", "status": "cancelled"})
    assert (record.id, record.gone, record.fields, record.shown, record.marker) == ("abcde", True, {}, {}, None)


@pytest.mark.parametrize(
    ("change", "created"),
    [
        ({}, True),
        ({"updated": "2026-03-12T07:26:50.000Z"}, True),
        ({"updated": "2026-03-12T07:27:16.946Z"}, False),
        ({"sequence": 1}, False),
        ({"created": None}, False),
    ],
)
def test_whether_anybody_has_touched_it_since_it_was_made(change, created):
    assert to_record({**TIMED, **change}).created is created


def test_a_visit_as_an_event():
    assert to_body({**VISIT, "zone": "America/New_York"}, marker=MARKER, link=LINK) == {
        "summary": "Leak",
        "description": f"Open in FieldCamp: {LINK}\n\nBring the long ladder\n\n{NOTES_LINE}",
        "location": "1 Main St",
        "start": {"dateTime": "2026-11-25T15:00:00Z", "timeZone": "America/New_York"},
        "end": {"dateTime": "2026-11-25T16:00:00Z", "timeZone": "America/New_York"},
        "extendedProperties": {
            "private": {
                "fieldcamp_workspace": "wsp_1",
                "fieldcamp_visit": "vis_1",
                "fieldcamp_event": MARKER.remote_id,
            }
        },
        "source": {"title": "FieldCamp", "url": LINK},
    }


def test_a_patch_says_only_what_changed_and_clears_the_other_form_of_a_time():
    assert to_body({"start": VISIT["start"], "place": ""}, marker=None, link="", patch=True) == {
        "location": "",
        "start": {"dateTime": VISIT["start"], "date": None},
    }
    assert to_body({"end": "2026-11-25"}, marker=None, link="", patch=True) == {
        "end": {"date": "2026-11-25", "dateTime": None}
    }


def test_our_own_event_is_known_again_and_a_persons_copy_is_not():
    event = google_stores(to_body(VISIT, marker=MARKER, link=LINK))
    assert to_record(event).ours
    copy = to_record({**event, "id": "copiedbyaperson"})
    assert copy.marker == MARKER
    assert not copy.ours


@pytest.mark.parametrize("private", [{}, {"fieldcamp_visit": "vis_1"}, {"other": "app"}])
def test_half_a_marker_is_none(private):
    assert to_record({**TIMED, "extendedProperties": {"private": private}}).marker is None


TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(list("<>&;/ab\n\t\r\xa0 ")), max_size=60
)


@given(TEXTS, TEXTS, TEXTS)
def test_what_we_write_comes_back_the_same(title, text, place):
    sent = {**VISIT, "title": tidy(title), "text": tidy(text), "place": tidy(place)}
    event = json.loads(json.dumps(google_stores(to_body(sent, marker=MARKER, link=LINK))))
    read = to_record(event)
    assert digest({name: read.fields[name] for name in VISIT}) == digest(sent)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Bring<br>ladder", "Bring\nladder"),
        ("<p>Bring</p><p>ladder</p>", "Bring\nladder"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("<b>Bring</b>&nbsp;ladder &amp; rope", "Bring ladder & rope"),
        ("a < b and b > c", "a < b and b > c"),
        ("Bring  \r\nladder\n\n", "Bring\nladder"),
    ],
)
def test_what_googles_editor_makes_of_a_text(html, text):
    assert plain_text(html) == text


def test_an_edit_in_googles_editor_that_changes_nothing_is_none():
    html = f'Open in FieldCamp: <a href="{LINK}">{LINK}</a><br><br>Bring the long ladder<br><br>{NOTES_LINE}<br>'
    event = {**google_stores(to_body(VISIT, marker=MARKER, link=LINK)), "description": html}
    assert {name: to_record(event).fields[name] for name in ("text", "notes")} == {"text": VISIT["text"], "notes": ""}


def test_a_strangers_text_keeps_its_last_line():
    event = {**TIMED, "description": "See\n\nOpen in FieldCamp: https://x"}
    assert to_record(event).fields["text"].endswith("https://x")


@given(st.text())
def test_ids_are_in_googles_form_and_always_the_same(seed):
    made = make_id(seed)
    assert made == make_id(seed)
    assert 5 <= len(made) <= 1024
    assert set(made) <= set("0123456789abcdefghijklmnopqrstuv")


RECORDED = Path("/work/shared/recorded/google-calendar")
EVENTS = [
    event
    for path in sorted(RECORDED.glob("*event*.json"))
    for call in json.loads(path.read_text())
    if isinstance(call["response"], dict)
    for event in call["response"].get("items", [call["response"]])
    if event.get("kind") == "calendar#event"
]


@pytest.mark.skipif(not EVENTS, reason="the recorded answers are not on this machine")
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["id"])
def test_recorded_events_are_read(event):
    record = to_record(event)
    assert record.tag == event["etag"]
    assert record.fields["start"].endswith("Z")
    assert record.fields["start"] < record.fields["end"]
    assert record.fields["uid"].endswith("@google.com")
    assert record.fields["series_id"] == event.get("recurringEventId")
