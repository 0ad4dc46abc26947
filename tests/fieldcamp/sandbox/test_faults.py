"""Trouble on demand, against single calls and against the parts of a batch."""

import pytest
import requests

from fieldcamp.sandbox.mount import URL

from .conftest import reason, timed
from .test_batch import EVENTS, answers, part, post


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, "badRequest"),
        (401, "authError"),
        (403, "userRateLimitExceeded"),
        (404, "notFound"),
        (409, "duplicate"),
        (410, "fullSyncRequired"),
        (412, "conditionNotMet"),
        (429, "rateLimitExceeded"),
        (500, "backendError"),
        (503, "backendError"),
    ],
)
def test_a_status_comes_with_google_s_usual_body(google, status, expected):
    google.fault(kind="status", status=status)
    assert reason(google.call("GET", "calendars/primary/events")) == (status, expected)
    assert google.call("GET", "calendars/primary/events").status_code == 200


def test_headers_and_body_can_be_ordered(google):
    google.fault(kind="status", status=503, headers={"Retry-After": "7"}, body="busy")
    response = google.call("GET", "calendars/primary/events")
    assert (response.headers["Retry-After"], response.text) == ("7", "busy")
    google.fault(kind="status", status=403, body={"error": "mine"})
    assert google.call("GET", "calendars/primary/events").json() == {"error": "mine"}


def test_matching_by_method_path_times_and_after(google):
    google.fault(kind="status", status=500, method="get", path="/events$", times=2, after=1)
    statuses = [google.call("GET", "calendars/primary/events").status_code for _ in range(4)]
    assert google.call("GET", "users/me/calendarList").status_code == 200
    assert statuses == [200, 500, 500, 200]
    google.fault(kind="status", status=500, path="primary/events/abcde", times=9)
    assert google.call("GET", "calendars/primary/events").status_code == 200
    google.control("faults", method="DELETE")
    assert google.event("GET", "abcde").status_code == 404


def test_drop_does_nothing_and_drop_after_commit_does_it(google):
    for kind, expected in (("drop", 404), ("drop_after_commit", 200)):
        google.fault(kind=kind, method="POST")
        with pytest.raises(requests.exceptions.ConnectionError):
            google.insert(id=f"abcde{len(kind)}")
        assert google.event("GET", f"abcde{len(kind)}").status_code == expected
    statuses = [entry["status"] for entry in google.control("requests", method="GET").json()]
    assert statuses == [0, 404, 0, 200]


def test_delay_is_a_read_timeout_past_the_client_s_patience_and_the_work_is_done(google):
    google.fault(kind="delay", seconds=6, method="POST")
    with pytest.raises(requests.exceptions.ReadTimeout):
        google.insert(id="abcde")
    assert google.event("GET", "abcde").status_code == 200
    google.fault(kind="delay", seconds=4)
    assert google.event("GET", "abcde").status_code == 200
    assert google.adapter.waited == 10


def test_truncated_bodies_do_not_pass_for_whole_ones(google):
    google.fault(kind="truncate")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        google.call("GET", "calendars/primary/events")


def test_expired_access_token(google):
    google.fault(kind="expire_token")
    for _ in range(2):
        assert reason(google.call("GET", "calendars/primary/events")) == (401, "authError")


def test_expired_sync_token(google):
    google.fault(kind="expire_cursor")
    token = google.events()["nextSyncToken"]  # carries no cursor: the fault waits
    for _ in range(2):
        assert reason(google.call("GET", "calendars/primary/events", syncToken=token)) == (410, "fullSyncRequired")
    again = google.events()["nextSyncToken"]
    assert google.events(syncToken=again)["items"] == []


def test_single_parts_of_a_batch_can_fail(google):
    google.fault(kind="status", status=503, path="events/abcde2$")
    google.fault(kind="status", status=403, path="events/abcde3$")
    parts = [part(f"GET {EVENTS}/abcde{n}") for n in range(1, 5)]
    assert [status for _, status, _ in answers(post(google, parts))] == [404, 503, 403, 404]
    assert [status for _, status, _ in answers(post(google, parts))] == [404] * 4


def test_a_fault_without_path_or_for_the_batch_strikes_the_whole(google):
    for path in (None, "/batch/"):
        google.fault(kind="status", status=503, path=path)
        assert post(google, [part(f"GET {EVENTS}")]).status_code == 503


def test_a_batch_can_break_off_in_the_middle(google):
    parts = [part(f"POST {EVENTS}", timed(id=f"abcde{n}")) for n in range(3)]
    google.fault(kind="drop_after_commit", path="primary/events$", after=1)
    with pytest.raises(requests.exceptions.ConnectionError):
        post(google, parts)
    assert [google.event("GET", f"abcde{n}").status_code for n in range(3)] == [200, 200, 404]


def test_latency_counts_requests_and_items(google):
    google.control("latency", {"vendor": "google", "per_request_ms": 100, "per_item_ms": 10})
    post(google, [part(f"GET {EVENTS}")] * 5)
    google.events()
    assert google.adapter.waited == pytest.approx(0.15 + 0.11)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("faults", {}),
        ("faults", {"kind": "explode"}),
        ("faults", {"kind": "status", "path": "("}),
        ("faults", {"kind": "status", "times": 0}),
        ("faults", {"kind": "status", "after": -1}),
        ("faults", {"kind": "status", "status": 99}),
        ("faults", {"kind": "status", "status": True}),
        ("faults", {"kind": "delay", "seconds": "long"}),
        ("faults", {"kind": "status", "vendor": "acme"}),
        ("faults", {"kind": "status", "vendor": ["google"]}),
        ("faults", {"kind": "status", "method": 1}),
        ("faults", {"kind": "status", "headers": []}),
        ("faults", {"kind": "status", "headers": {"X": "a\r\nY: b"}}),
        ("faults", {"kind": "status", "colour": "red"}),
        ("reset", {"seed": "big"}),
        ("reset", {"sead": "demo"}),
        ("latency", {"vendor": "google", "per_request_ms": -1}),
        ("throttle", {"vendor": "google"}),
        ("clock", {}),
        ("clock", {"advance_seconds": "1"}),
        ("clock", {"advance_seconds": 1e300}),
        ("token", {"account": "dana@google.test"}),
        ("token", {"vendor": "google"}),
        ("token", {"vendor": "google", "account": "nobody@google.test"}),
        ("token", {"vendor": "google", "account": "dana@google.test", "scopes": 5}),
        ("token", {"vendor": "google", "account": "dana@google.test", "client_id": 5}),
        ("revoke", {"vendor": "google", "account": "nobody@google.test"}),
        ("bulk", {"vendor": "google", "account": "dana@google.test"}),
        ("bulk", {"vendor": "google", "account": "dana@google.test", "events": -1}),
        ("bulk", {"vendor": "google", "account": "dana@google.test", "invoices": 1}),
        ("faults", []),
    ],
)
def test_wrong_control_calls_say_what_is_wrong(anonymous, name, body):
    response = anonymous.control(name, body)
    assert response.status_code == 400
    assert response.json()["error"].endswith(".")


def test_control_calls_that_do_not_exist(anonymous):
    assert anonymous.control("nothing", {}).status_code == 404
    assert anonymous.control("reset", method="GET").status_code == 405
    assert anonymous.control("requests", method="GET", since="x").status_code == 400
    assert anonymous.control("requests", method="GET", vendor="acme").status_code == 400
    bad = anonymous.session.post(f"{URL}/_control/reset", data=b"{")
    assert bad.status_code == 400


def test_pages_of_other_sites_cannot_change_anything(anonymous):
    foreign = {"Origin": "https://evil.example"}
    assert anonymous.session.post(f"{URL}/_control/reset", json={}, headers=foreign).status_code == 403
    assert anonymous.session.post(f"{URL}/_control/reset", json={}, headers={"Origin": URL}).status_code == 200


def test_a_page_can_be_repeated_each_time_with_a_fresh_link(google):
    for n in range(3):
        google.insert(id=f"abcde{n}")
    whole = google.events()
    google.fault(kind="repeat_page", path="/events$", times=3)
    tokens, page = [], google.events()
    while "nextPageToken" in page:
        assert [event["id"] for event in page["items"]] == [event["id"] for event in whole["items"]]
        assert "nextSyncToken" not in page
        tokens.append(page["nextPageToken"])
        page = google.events(pageToken=tokens[-1])
    assert len(tokens) == len(set(tokens)) == 3
    assert page["items"] == whole["items"] and page["nextSyncToken"]
    google.fault(kind="repeat_page")
    assert google.event("GET", "abcde1").json()["id"] == "abcde1"  # what is no list is as ever


def test_graphs_links_lead_to_the_same_page_as_well(outlook):
    window = {"startDateTime": "2026-11-01T00:00:00Z", "endDateTime": "2026-12-01T00:00:00Z"}
    outlook.fault(kind="repeat_page", path="calendarView/delta", times=2)
    page, links = outlook.call("GET", "me/calendarView/delta", **window).json(), set()
    while link := page.get("@odata.nextLink"):
        links.add(link)
        page = outlook.call("GET", link.removeprefix(f"{outlook.base}/")).json()
    assert len(links) >= 2 and page["@odata.deltaLink"]


def test_trouble_of_one_account_and_for_some_time(google, clock):
    google.fault(kind="status", status=401, account="dana@google.test", lasting=600)
    assert [google.call("GET", "calendars/primary/events").status_code for _ in range(3)] == [401] * 3
    google.sign_in("lee@google.test")
    assert google.call("GET", "calendars/primary/events").status_code == 200
    google.sign_in("dana@google.test")
    clock.now += 599
    assert google.call("GET", "calendars/primary/events").status_code == 401
    clock.now += 2
    assert google.call("GET", "calendars/primary/events").status_code == 200


def test_one_fault_can_be_taken_back(google):
    orders = [google.control("faults", {"kind": "status", "status": status}).json() for status in (500, 404)]
    google.control("faults", method="DELETE", n=orders[0]["n"])
    assert google.call("GET", "calendars/primary/events").status_code == 404
    assert google.control("faults", method="DELETE", n="x").status_code == 400


def test_an_answer_can_be_of_any_type(google):
    google.fault(kind="status", status=200, body="<html>", headers={"Content-Type": "text/html"})
    response = google.call("GET", "calendars/primary/events")
    assert (response.headers["Content-Type"], response.text) == ("text/html", "<html>")
