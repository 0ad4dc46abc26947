"""Graph's events and our records."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.providers.outlook_calendar.mapping import (
    MADE_WITH,
    MARK,
    is_ours,
    make_id,
    plain_text,
    to_body,
    to_record,
    zone_of,
)
from integrations.providers.outlook_calendar.uid import same_everywhere
from integrations.providers.texts import NOTES_LINE
from integrations.records import Marker, digest, tidy

LINK = "https://fieldcamp.test/admin/workspace/visit/vis_1/change/"
MARKER = Marker("wsp_1", "vis_1", make_id("vis_1"))
TEXT = f"Open in FieldCamp: {LINK}\n\nBring the long ladder\n\n{NOTES_LINE}"
UID = "040000008200E00074C5B7101A82E00800000000EAA532BEA7DBDC0100000000000000001000000019FA0E6DBC59354CB99B92CA3C1CEA94"
VISIT = {
    "start": "2026-11-25T15:00:00Z",
    "end": "2026-11-25T16:00:00Z",
    "title": "Leak",
    "text": "Bring the long ladder",
    "place": "1 Main St",
}


def time(text: str, zone: str = "UTC") -> dict:
    return {"dateTime": f"{text}.0000000", "timeZone": zone}


TIMED = {
    "@odata.etag": 'W/"1"',
    "id": "AAMk=",
    "createdDateTime": "2026-03-01T03:00:50.7579581Z",
    "lastModifiedDateTime": "2026-03-01T03:00:51.245372Z",
    "transactionId": None,
    "originalStartTimeZone": "W. Europe Standard Time",
    "iCalUId": UID,
    "subject": "Dentist",
    "isAllDay": False,
    "isCancelled": False,
    "seriesMasterId": None,
    "showAs": "busy",
    "type": "singleInstance",
    "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
    "body": {"contentType": "text", "content": ""},
    "start": time("2026-03-02T08:00:00"),
    "end": time("2026-03-02T09:00:00"),
    "location": {"displayName": "", "locationType": "default"},
    "recurrence": None,
}
MASTER = {
    **TIMED,
    "id": "series",
    "type": "seriesMaster",
    "uid": UID,
    "recurrence": {"pattern": {"type": "weekly"}, "range": {"type": "noEnd"}},
}
ALL_DAYS = {**MASTER, "isAllDay": True, "originalStartTimeZone": "W. Europe Standard Time"}


def graph_stores(body: dict) -> dict:
    """What Graph gives back of a body that was posted, with our properties asked for."""
    times = {name: time(body[name]["dateTime"]) for name in ("start", "end")}
    return {**TIMED, **body, **times}


def test_an_ordinary_event():
    record = to_record(TIMED)
    assert (record.id, record.tag, record.kind, record.gone, record.marker) == ("AAMk=", 'W/"1"', "block", False, None)
    assert record.fields == {
        "start": "2026-03-02T08:00:00Z",
        "end": "2026-03-02T09:00:00Z",
        "zone": "Europe/Berlin",
        "title": "Dentist",
        "text": "",
        "place": "",
        "repeats": False,
        "busy": True,
        "uid": UID,
        "recurrence": None,
        "series_id": None,
        "original_start": None,
    }
    assert record.shown == {
        "summary": "Dentist",
        "start": "2026-03-02T08:00:00Z",
        "end": "2026-03-02T09:00:00Z",
        "all_day": False,
        "status": "confirmed",
    }
    assert (record.created, record.made_with) == (True, "")


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "Hawaiian Standard Time"])
def test_a_day_never_passes_through_a_time_zone(zone):
    event = {**TIMED, "isAllDay": True, "start": time("2026-12-01T00:00:00", zone), "end": time("2026-12-02T00:00:00")}
    record = to_record(event)
    assert (record.fields["start"], record.fields["end"]) == ("2026-12-01", "2026-12-02")
    assert record.shown["all_day"] is True


@pytest.mark.parametrize(
    ("said", "instant"),
    [
        (time("2026-07-01T10:00:00", "Eastern Standard Time"), "2026-07-01T14:00:00Z"),
        (time("2026-12-01T10:00:00", "America/New_York"), "2026-12-01T15:00:00Z"),
        (time("2026-12-01T10:00:00", "India Standard Time"), "2026-12-01T04:30:00Z"),
        (time("2026-12-01T10:00:00", "tzone://Microsoft/Custom"), "2026-12-01T10:00:00Z"),
        ({"dateTime": "2026-12-01T10:00:00.1234567"}, "2026-12-01T10:00:00Z"),
        ({"dateTime": "2026-12-01T10:00:00+01:00", "timeZone": "UTC"}, "2026-12-01T09:00:00Z"),
    ],
)
def test_wall_clocks_of_any_zone_are_instants_in_utc(said, instant):
    assert to_record({**TIMED, "start": said}).fields["start"] == instant


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("FLE Standard Time", "Europe/Kyiv"),
        ("Europe/Rome", "Europe/Rome"),
        ("UTC", "Etc/UTC"),
        ("tzone://Microsoft/Custom", ""),
        ("../../etc/passwd", ""),
        ("Customized Time Zone", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_zones_of_both_kinds(name, zone):
    assert zone_of(name) in (zone, {"Etc/UTC": "UTC", "Europe/Kyiv": "Europe/Kiev"}.get(zone))


@pytest.mark.parametrize(
    ("change", "busy"),
    [
        ({"showAs": "busy"}, True),
        ({"showAs": "oof"}, True),
        ({"showAs": "tentative"}, True),
        ({"showAs": "free"}, False),
        ({"showAs": "workingElsewhere"}, False),
        ({"showAs": "unknown"}, False),
        ({"isCancelled": True}, False),
        ({"responseStatus": {"response": "declined"}}, False),
        ({"responseStatus": {"response": "notResponded"}}, True),
        ({"responseStatus": None}, True),
    ],
)
def test_what_takes_a_persons_time(change, busy):
    assert to_record({**TIMED, **change}).fields["busy"] is busy


def test_an_occurrence_has_its_place_in_the_series():
    event = {**TIMED, "id": "o", "type": "occurrence", "seriesMasterId": "series", "start": time("2026-03-09T08:00:00")}
    fields = to_record(event, MASTER).fields
    assert (fields["series_id"], fields["original_start"], fields["uid"]) == ("series", "2026-03-09T08:00:00Z", UID)
    assert fields["recurrence"] is None


def test_an_exception_keeps_the_place_that_it_had():
    event = {
        **TIMED,
        "type": "exception",
        "seriesMasterId": "series",
        "originalStart": "2026-03-09T08:00:00Z",
        "start": time("2026-03-10T11:00:00"),
    }
    fields = to_record(event, MASTER).fields
    assert (fields["start"], fields["original_start"]) == ("2026-03-10T11:00:00Z", "2026-03-09T08:00:00Z")


@pytest.mark.parametrize("said", ["2026-03-22T00:00:00Z", "2026-03-21T23:00:00Z"])
def test_a_day_in_a_series_of_days_is_named_by_its_date(said):
    event = {**ALL_DAYS, "type": "exception", "seriesMasterId": "series", "originalStart": said}
    assert to_record(event, ALL_DAYS).fields["original_start"] == "2026-03-22"


def test_an_unchanged_occurrence_is_the_same_when_only_its_series_etag_moved():
    event = {**TIMED, "type": "occurrence", "seriesMasterId": "series"}
    assert to_record(event, MASTER) == to_record({**event, "@odata.etag": 'W/"2"'}, MASTER)
    assert to_record(event, MASTER).tag != to_record({**event, "subject": "Other"}, MASTER).tag


def test_uids_are_the_same_in_every_calendar():
    instance = f"{UID[:32]}07EA0316{UID[40:]}"
    assert same_everywhere(instance) == same_everywhere(instance.lower()) == UID
    wrapped = UID[:32] + "00" * 20 + "23000000" + (b"vCal-Uid\x01\x00\x00\x00" + b"abc@google.com\x00").hex().upper()
    assert same_everywhere(wrapped) == "abc@google.com"
    for as_it_is in ("abc@google.com", "", UID[:32] + "odd"):
        assert same_everywhere(as_it_is) == as_it_is


def test_a_visit_as_a_new_event():
    body = to_body(VISIT, marker=MARKER, link=LINK, create=MARKER.remote_id)
    assert body == {
        "subject": "Leak",
        "body": {"contentType": "text", "content": TEXT},
        "location": {"displayName": "1 Main St"},
        "start": {"dateTime": "2026-11-25T15:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-25T16:00:00", "timeZone": "UTC"},
        "isAllDay": False,
        "showAs": "busy",
        "responseRequested": False,
        "transactionId": MARKER.remote_id,
        "singleValueExtendedProperties": [
            {"id": MARK, "value": f"wsp_1|vis_1|{MARKER.remote_id}"},
            {"id": MADE_WITH, "value": MARKER.remote_id},
        ],
    }


def test_a_patch_says_only_what_changed():
    assert to_body({"title": "New"}, marker=None, link=LINK) == {"subject": "New"}
    times = {"start": VISIT["start"], "end": VISIT["end"]}
    assert to_body(times, marker=None, link=LINK) == {
        "start": {"dateTime": "2026-11-25T15:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-25T16:00:00", "timeZone": "UTC"},
        "isAllDay": False,
    }


def test_our_own_event_is_known_again_and_a_persons_copy_is_not():
    event = graph_stores(to_body(VISIT, marker=MARKER, link=LINK, create=MARKER.remote_id))
    assert to_record(event).ours
    copy = to_record({**event, "id": "copied", "transactionId": None})
    assert copy.marker == MARKER
    assert not copy.ours


@pytest.mark.parametrize("value", ["", "wsp_1", "wsp_1||x", "a|b|c|d"])
def test_half_a_marker_is_none(value):
    event = {**TIMED, "singleValueExtendedProperties": [{"id": MARK, "value": value}, {"id": "other", "value": "x"}]}
    assert to_record(event).marker is None


TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(list("<>&;/ab\n\t\r\xa0 ")), max_size=60
)


@given(TEXTS, TEXTS, TEXTS)
def test_what_we_write_comes_back_the_same(title, text, place):
    sent = {**VISIT, "title": tidy(title), "text": tidy(text), "place": tidy(place)}
    event = json.loads(json.dumps(graph_stores(to_body(sent, marker=MARKER, link=LINK, create=MARKER.remote_id))))
    read = to_record(event)
    assert digest({name: read.fields[name] for name in VISIT}) == digest(sent)


def test_what_exchange_makes_of_a_text():
    page = (
        '<html><head><meta name="Generator" content="Microsoft Exchange Server">\r\n<!-- converted from text -->\r\n'
        "<style><!-- .EmailQuote { margin-left: 1pt; } --></style></head>\r\n<body>\r\n"
        '<font size="2"><span style="font-size:11pt;"><div class="PlainText">Bring<br>\r\nladder &amp; rope'
        "</div></span></font>\r\n</body>\r\n</html>\r\n"
    )
    assert plain_text({"contentType": "html", "content": page}).split() == ["Bring", "ladder", "&", "rope"]
    assert plain_text({"contentType": "text", "content": "a <b> c\r\n"}) == "a <b> c"
    assert plain_text({}) == ""


@given(st.text())
def test_transaction_ids_are_always_the_same_and_no_graph_id(seed):
    made = make_id(seed)
    assert made == make_id(seed)
    assert is_ours(made)
    assert not is_ours(TIMED["id"]) and not is_ours(None) and not is_ours(7)


RECORDED = Path("/work/shared/recorded/outlook")
EVENTS = [
    call["response"]
    for path in sorted(RECORDED.glob("*event.json"))
    for call in json.loads(path.read_text())
    if isinstance(call["response"], dict) and "iCalUId" in call["response"]
]


@pytest.mark.skipif(not EVENTS, reason="the recorded answers are not on this machine")
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["subject"])
def test_recorded_events_are_read(event):
    record = to_record(event)
    assert record.tag == event["@odata.etag"]
    assert record.fields["start"] < record.fields["end"]
    assert record.fields["uid"] == event["uid"]
    assert (record.fields["series_id"], record.fields["busy"], record.ours) == (None, True, False)
    assert record.fields["text"] == event["bodyPreview"]
