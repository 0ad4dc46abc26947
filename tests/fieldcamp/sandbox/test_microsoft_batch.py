"""$batch of the simulated Graph, its quotas, and trouble on demand in both."""

import io
import json
import threading

import pytest
import requests

from fieldcamp.sandbox.app import create_app

from .conftest import WINDOW, code, meeting, prefer

JSON = prefer() | {"Content-Type": "application/json"}


def item(name, method="GET", url="/me/calendars", body=None, headers=None, **more):
    made = {"id": str(name), "method": method, "url": url, **more}
    if body is not None:
        made["body"] = body
    return made | {"headers": (JSON if body is not None else prefer()) if headers is None else headers}


def send(outlook, *items):
    response = outlook.call("POST", "$batch", {"requests": list(items)})
    assert response.status_code == 200, response.text
    return {each["id"]: each for each in response.json()["responses"]}


def creates(count, **more):
    return [item(n, "POST", "/me/events", meeting(subject=f"{n}"), **more) for n in range(count)]


def test_twenty_calls_in_one(outlook):
    answers = send(outlook, *creates(20))
    assert sorted(answers, key=int) == [str(n) for n in range(20)]
    assert all(each["status"] == 201 and each["body"]["subject"] == name for name, each in answers.items())
    assert len(outlook.get("me/events", **{"$top": "50"})["value"]) == 20
    assert answers["0"]["headers"]["request-id"]
    assert list(answers) != [str(n) for n in range(20)]  # the order says nothing


def test_each_item_has_its_own_headers_and_fate(outlook):
    event = outlook.create()
    path, stale = f"/me/events/{event['id']}", prefer() | {"If-Match": 'W/"old"'}
    answers = send(
        outlook,
        item(1, "PATCH", path, {"subject": "No"}, JSON | stale),
        item(2, "GET", path, headers=prefer('outlook.timezone="Asia/Tokyo"')),
        item(3, "GET", path, headers={}),
        item(4, "DELETE", path),
        item(5, "GET", "/nothing/here"),
        item(6, "GET", f"/me/calendarView?startDateTime={WINDOW['startDateTime']}&endDateTime=2027-01-01"),
    )
    assert {name: each["status"] for name, each in answers.items()} == {
        "1": 412,
        "2": 200,
        "3": 404,
        "4": 204,
        "5": 400,
        "6": 200,
    }
    assert answers["1"]["body"]["error"]["code"] == "ErrorIrresolvableConflict"
    assert answers["2"]["body"]["start"]["timeZone"] == "Asia/Tokyo"
    assert "body" not in answers["4"] and answers["6"]["body"]["value"] == []


def test_an_address_may_be_whole_or_without_its_slash(outlook):
    answers = send(outlook, item(1, url=f"{outlook.base}/me"), item(2, url="me"), item(3, url="https://graph.test/me"))
    assert [answers[name]["status"] for name in "123"] == [200, 200, 400]


def test_what_depends_on_a_failure_fails_with_it(outlook):
    answers = send(
        outlook,
        item("a", "POST", "/me/events", {"subject": "no times"}),
        item("b", "POST", "/me/events", meeting(), dependsOn=["A"]),
        item("c", "POST", "/me/events", meeting(), dependsOn=["b"]),
        item("d", "POST", "/me/events", meeting()),
    )
    assert {name: each["status"] for name, each in answers.items()} == {"a": 400, "b": 424, "c": 424, "d": 201}
    assert len(outlook.get("me/events")["value"]) == 1


@pytest.mark.parametrize(
    ("items", "words"),
    [
        (creates(21), "maximum value of 20"),
        ([item("a"), item("A")], "already been specified"),
        ([item("a", dependsOn=["b"]), item("b")], "does not precede"),
        ([item("a", "POST", "/me/events", meeting(), {"X": "y"})], "Content-Type"),
        ([item("a", "FETCH")], "method"),
        ([{"method": "GET", "url": "/me"}], "id"),
        ([], "Invalid batch payload"),
        ("all", "Invalid batch payload"),
    ],
)
def test_a_batch_that_is_refused_as_a_whole(outlook, items, words):
    refused = outlook.call("POST", "$batch", {"requests": items})
    assert code(refused) == (400, "BadRequest") and words in refused.json()["error"]["message"]
    assert outlook.get("me/events")["value"] == []


def test_trouble_strikes_single_items(outlook):
    headers = {"Retry-After": "2.128"}
    outlook.fault(kind="status", status=429, headers=headers, method="POST", path="/me/events", after=1, times=2)
    answers = send(outlook, *creates(4))
    assert [answers[str(n)]["status"] for n in range(4)] == [201, 429, 429, 201]
    assert answers["1"]["headers"]["Retry-After"] == "2.128"
    assert answers["1"]["body"]["error"]["code"] == "ApplicationThrottled"
    outlook.fault(kind="status", status=503, path="batch")
    assert outlook.call("POST", "$batch", {"requests": creates(1)}).status_code == 503
    outlook.fault(kind="drop_after_commit", path=r"\$batch")
    with pytest.raises(requests.ConnectionError):
        outlook.call("POST", "$batch", {"requests": creates(2)})
    assert len(outlook.get("me/events")["value"]) == 4


def test_a_batch_counts_its_items(outlook):
    outlook.control("requests", method="DELETE")
    send(outlook, *creates(5))
    (entry,) = outlook.control("requests", method="GET", vendor="microsoft").json()
    assert (entry["path"], entry["items"], entry["status"]) == ("/microsoft/graph/v1.0/$batch", 5, 200)


def test_a_truncated_answer_and_an_expired_token(outlook):
    outlook.fault(kind="truncate", path="me/calendars")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        outlook.call("GET", "me/calendars")
    outlook.fault(kind="expire_token")
    assert code(outlook.call("GET", "me")) == (401, "InvalidAuthenticationToken")
    assert code(outlook.call("GET", "me")) == (401, "InvalidAuthenticationToken")


def test_ten_thousand_calls_in_ten_minutes(outlook, app, clock):
    lanes = app.vendors["microsoft"].graph.lanes
    for _ in range(9_999):
        lanes.count("* dana@outlook.test", clock.now)
    assert outlook.call("GET", "me").status_code == 200
    refused = outlook.call("GET", "me")
    assert code(refused) == (429, "TooManyRequests") and int(refused.headers["Retry-After"]) > 0
    assert {each["status"] for each in send(outlook, item(1), item(2)).values()} == {429}
    outlook.sign_in("lee@outlook.test")
    assert outlook.call("GET", "me").status_code == 200
    outlook.sign_in()
    clock.now += 601
    assert outlook.call("GET", "me").status_code == 200


class Slow:
    """A sandbox whose answers take as long as a test wants: each waits at a gate."""

    def __init__(self, app):
        self.app, self.gate, self.waiting = app, threading.Event(), threading.Semaphore(0)
        self.results = []

    def sleep(self, seconds):
        self.waiting.release()
        assert self.gate.wait(10)

    def call(self, token, method="GET", path="me", body=None, wait=True):
        raw = json.dumps(body or {}).encode()
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": f"/microsoft/graph/v1.0/{path}",
            "SERVER_NAME": "sandbox.test",
            "SERVER_PORT": "80",
            "HTTP_AUTHORIZATION": f"Bearer {token}",
            "CONTENT_LENGTH": str(len(raw)),
            "wsgi.input": io.BytesIO(raw),
            "sandbox.sleep": self.sleep if wait else lambda seconds: None,
        }
        got = []
        chunks = self.app(environ, lambda status, headers: got.append((status, dict(headers))))
        result = (int(got[0][0][:3]), got[0][1], json.loads(b"".join(chunks)))
        self.results.append(result)
        return result

    def start(self, count, *args):
        """So many calls that are all being answered when this returns."""
        threads = [threading.Thread(target=self.call, args=args) for _ in range(count)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert self.waiting.acquire(timeout=10)
        return threads


@pytest.fixture
def slow(outlook, app):
    outlook.control("latency", {"vendor": "microsoft", "per_request_ms": 1})
    return Slow(app)


def test_the_fifth_call_at_once_is_refused(outlook, slow):
    token = outlook.token["access_token"]
    threads = slow.start(4, token)
    status, headers, body = slow.call(token, wait=False)
    assert (status, body["error"]["code"], headers["Retry-After"]) == (429, "ApplicationThrottled", "1")
    assert "MailboxConcurrency" in body["error"]["message"]
    other = outlook.sign_in("lee@outlook.test")["access_token"]
    assert slow.call(other, wait=False)[0] == 200
    slow.gate.set()
    for thread in threads:
        thread.join()
    assert slow.call(token, wait=False)[0] == 200


def test_a_batch_shares_the_four_places(outlook, slow):
    token = outlook.token["access_token"]
    threads = slow.start(1, token)
    _, _, body = slow.call(token, "POST", "$batch", {"requests": [item(n) for n in range(20)]}, wait=False)
    statuses = [each["status"] for each in body["responses"]]
    assert (statuses.count(200), statuses.count(429)) == (15, 5)
    chain = [item(n, **({"dependsOn": [str(n - 1)]} if n else {})) for n in range(20)]
    _, _, body = slow.call(token, "POST", "$batch", {"requests": chain}, wait=False)
    assert {each["status"] for each in body["responses"]} == {200}
    slow.gate.set()
    for thread in threads:
        thread.join()


def test_limits_are_off_when_a_test_wants_it(outlook, slow):
    outlook.control("throttle", {"vendor": "microsoft", "enabled": False})
    threads = slow.start(6, outlook.token["access_token"])
    slow.gate.set()
    for thread in threads:
        thread.join()
    assert [status for status, _, _ in slow.results] == [200] * 6


def test_a_lost_answer_leaves_no_place_taken(outlook):
    for _ in range(5):
        outlook.fault(kind="drop_after_commit", path="me/calendars")
        with pytest.raises(requests.ConnectionError):
            outlook.call("GET", "me/calendars")
    assert outlook.call("GET", "me/calendars").status_code == 200


def test_the_sandbox_itself_is_kept(tmp_path):
    path = str(tmp_path / "state.db")
    app = create_app(path, seed="demo")
    before = app.vendors["microsoft"].dump("ravi@outlook.test")
    app.close()
    again = create_app(path)
    assert again.vendors["microsoft"].dump("ravi@outlook.test") == before

    again.close()
