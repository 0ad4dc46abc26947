"""Batches: https://developers.google.com/workspace/calendar/api/guides/batch"""

import gzip
import json
from email.parser import BytesParser

import pytest

from fieldcamp.sandbox.mount import URL

from .conftest import Google, reason, timed

ADDRESS = f"{URL}/google/api/batch/calendar/v3"
EVENTS = "/calendar/v3/calendars/primary/events"


def part(line, body=None, headers="", content_id="<id + 1>", newline="\r\n"):
    """One part as Google's Python client writes it."""
    inner = [f"{line} HTTP/1.1", "Content-Type: application/json", "MIME-Version: 1.0", "Host: www.googleapis.com"]
    inner += [headers] if headers else []
    text = "" if body is None else json.dumps(body)
    inner += [f"content-length: {len(text)}"] if text else []
    head = ["Content-Type: application/http", "MIME-Version: 1.0", "Content-Transfer-Encoding: binary"]
    head += [f"Content-ID: {content_id}"] if content_id else []
    return newline.join([*head, "", *inner, "", text])


def post(google: Google, parts, newline="\r\n", raw=None, **headers):
    text = "".join(f"--bb{newline}{each}{newline}" for each in parts) + f"--bb--{newline}"
    sent = {"Content-Type": 'multipart/mixed; boundary="bb"', "Authorization": f"Bearer {google.token['access_token']}"}
    return google.session.post(ADDRESS, data=raw or text.encode(), headers=sent | headers)


def answers(response):
    """(content id, status, body) of each part."""
    assert response.status_code == 200, response.text
    head = f"Content-Type: {response.headers['Content-Type']}\r\n\r\n".encode()
    result = []
    for each in BytesParser().parsebytes(head + response.content).get_payload():
        status_line, _, rest = each.get_payload().partition("\r\n")
        body = rest.partition("\r\n\r\n")[2]
        result.append((each["Content-ID"], int(status_line.split()[1]), json.loads(body) if body.strip() else None))
    return result


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_parts_are_answered_in_order_under_their_ids(google, newline):
    parts = [
        part(f"POST {EVENTS}?alt=json", timed(id="abcde1", summary="Ünï"), content_id="<u + 1>", newline=newline),
        part(f"PATCH {EVENTS}/abcde1", {"summary": "B"}, content_id="<u + 2>", newline=newline),
        part(f"GET {EVENTS}/nothing1", content_id="<u + 3>", newline=newline),
        part(f"DELETE {EVENTS}/abcde1", content_id="<u + 4>", newline=newline),
        part(f"DELETE /google/api{EVENTS}/abcde1", content_id=None, newline=newline),
    ]
    found = answers(post(google, parts, newline))
    assert [status for _, status, _ in found] == [200, 200, 404, 204, 410]
    assert [content_id for content_id, _, _ in found] == [*(f"<response-u + {n}>" for n in (1, 2, 3, 4)), None]
    assert found[1][2]["summary"] == "B" and found[3][2] is None


def test_a_batch_has_at_most_fifty_calls(google):
    parts = [part(f"GET {EVENTS}/x{n:04d}") for n in range(51)]
    assert len(answers(post(google, parts[:50]))) == 50
    assert post(google, parts).status_code == 400


def test_a_part_may_bring_its_own_authorization(google):
    own = google.token
    ravi = google.sign_in("ravi@google.test")
    google.token = own
    parts = [
        part(f"GET {EVENTS}"),
        part(f"GET {EVENTS}", headers=f"Authorization: Bearer {ravi['access_token']}"),
        part(f"GET {EVENTS}", headers="Authorization: Bearer nothing"),
    ]
    found = answers(post(google, parts))
    assert [body.get("summary") for _, _, body in found] == ["dana@google.test", "ravi@google.test", None]
    assert found[2][1] == 401


def test_conditions_inside_a_batch(google):
    event = google.insert()
    parts = [
        part(f"GET {EVENTS}/{event['id']}", headers=f"If-None-Match: {event['etag']}"),
        part(f"PATCH {EVENTS}/{event['id']}", {"summary": "B"}, headers='If-Match: "1"'),
    ]
    assert [status for _, status, _ in answers(post(google, parts))] == [304, 412]


def test_gzip_both_ways(google):
    text = f"--bb\r\n{part(f'GET {EVENTS}')}\r\n--bb--"
    response = post(google, [], raw=gzip.compress(text.encode()), **{"Content-Encoding": "gzip"})
    assert answers(response)[0][1] == 200
    assert post(google, [], raw=b"no gzip", **{"Content-Encoding": "gzip"}).status_code == 400


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/mixed", b"--bb--"),
        ("multipart/mixed; boundary=bb", b""),
        ("multipart/mixed; boundary=bb", b"no boundary at all"),
        ("multipart/mixed; boundary=bb", b"--bb--\r\n"),
        ("multipart/mixed; boundary=" + "b" * 500, b"--bb--\r\n"),
    ],
)
def test_malformed_batches(google, content_type, body):
    response = post(google, [], raw=body or b" ", **{"Content-Type": content_type})
    assert reason(response) == (400, "badRequest")


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "nonsense",
        "Content-Type: application/http\r\n\r\n\r\n",
        "Content-Type: application/http\r\n\r\nGET\r\n\r\n",
        "Content-Type: application/http\r\n\r\nGET /\xff HTTP/1.1\r\n\r\n",
        "Content-Type: application/http\r\n\r\nGET http://[::1 HTTP/1.1\r\n\r\n",
        "Content-Type: application/http\r\n\r\nGET /calendar/v3/nothing HTTP/1.1\r\n\r\n",
        "Content-Type: application/http\r\n\r\nGET /batch/calendar/v3 HTTP/1.1\r\n\r\n",
        f"Content-Type: application/http\r\n\r\nPOST {EVENTS} HTTP/1.1\r\nContent-Length: 99999\r\n\r\n{{bad",
        f"Content-Type: application/http\r\n\r\nPOST {EVENTS} HTTP/1.1\r\n broken header\r\n\r\n{{}}",
    ],
)
def test_a_malformed_part_fails_alone(google, inner):
    found = answers(post(google, [inner or "x", part(f"GET {EVENTS}")]))
    assert found[0][1] in (400, 404) and found[1][1] == 200
