"""The sandbox's answers beside recorded ones of Microsoft's: the same keys in the same order, values of the same form.

`recorded/outlook` holds answers of the real API with names made anonymous.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from . import shapes
from .conftest import at

RECORDED = Path(__file__).parent / "recorded" / "outlook"
PRIMARY = {"Prefer": ""}  # the recordings are of a client that asks for nothing special
FORMS = (
    ("unset time", r"0001-01-01T00:00:00Z"),
    ("instant", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z"),
    ("wall clock", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}"),
    ("etag", r'W/"[A-Za-z0-9+/]{30}=="'),
    ("change key", r"[A-Za-z0-9+/]{30}=="),
    ("uid", r"040000008200E00074C5B7101A82E008[0-9A-F]{40,}"),
    ("item id", r"(AQMkAD|AAkALg)[\w\-]{90,}={0,2}"),
    ("item link", r"https://outlook\.live\.com/owa/\?itemid=[\w%\-]+&exvsurl=1&path=/calendar/item"),
    ("context", r"https?://[^/]+/.*\$metadata#.*"),
    ("reference", r"https?://[^/]+/.*users\('[^']+'\)/calendars\('[^']+'\)/\$ref"),
    ("calendar link", r"https?://[^/]+/.*users\('[^']+'\)/calendars\('[^']+'\)"),
    ("address", r"[^@\s]+@[^@\s]+"),
)


def recorded(name: str) -> dict[str, Any]:
    return json.loads((RECORDED / f"{name}.json").read_text())[0]


def shape(data: Any) -> Any:
    return shapes.shape(data, FORMS)


@pytest.fixture
def made(outlook):
    response = outlook.call("POST", "me/events", recorded("create-event")["request"]["data"], PRIMARY)
    assert response.status_code == 201
    return response.json()


def test_create(made):
    real = recorded("create-event")["response"]
    assert shape(made) == shape(real)
    same = set(real) - {"@odata.context", "@odata.etag", "id", "createdDateTime", "lastModifiedDateTime", "changeKey",
                        "iCalUId", "uid", "webLink", "organizer"}  # fmt: skip
    assert {name: made[name] for name in same} == {name: real[name] for name in same}


def test_get(outlook, made):
    got = outlook.call("GET", f"me/events/{made['id']}", headers=PRIMARY).json()
    assert shape(got) == shape(recorded("get-event")["response"])


def test_update(outlook, made):
    real = recorded("update-event")
    times = {"start": at("2026-05-10T10:00:00"), "end": at("2026-05-10T11:00:00")}
    changed = outlook.call("PATCH", f"me/events/{made['id']}", real["request"]["data"] | times, PRIMARY).json()
    assert shape(changed) == shape(real["response"])
    for name in ("subject", "body", "bodyPreview", "start", "end"):
        assert changed[name] == real["response"][name]
    assert changed["changeKey"] != made["changeKey"]


def test_delete(outlook, made):
    real = recorded("delete-event")
    gone = outlook.call("DELETE", f"me/events/{made['id']}", headers=PRIMARY)
    assert (gone.status_code, gone.text) == (real["status"], real["response"])


def test_a_delta_round_without_events(outlook):
    real = recorded("events")
    page = outlook.call("GET", "me/calendarView/delta", headers=PRIMARY, **real["request"]["params"]).json()
    assert list(page) == list(real["response"]) and page["value"] == []
    assert "/me/calendarView/delta?$deltatoken=" in page["@odata.deltaLink"]


def test_the_list_of_calendars(outlook):
    real = recorded("list-calendars")
    page = outlook.call("GET", "me/calendars", headers=PRIMARY, **real["request"]["params"]).json()
    assert list(page) == list(real["response"])
    main, birthdays, family = page["value"]
    assert shape(main) == shape(real["response"]["value"][0])
    assert shape(birthdays) == shape(real["response"]["value"][1])
    assert shape(family) == shape(real["response"]["value"][-1])
    for name in ("isDefaultCalendar", "canEdit", "canShare", "isRemovable", "isTallyingResponses"):
        for ours, theirs in ((main, 0), (birthdays, 1), (family, -1)):
            assert ours[name] == real["response"]["value"][theirs][name]
