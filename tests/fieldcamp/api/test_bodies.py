"""What comes in and in which form the answer goes out: never a 500, whatever is sent."""

import gzip
import io
import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from fieldcamp.api.negotiation import accepts_json
from fieldcamp.api.parsers import parse_object
from tests.conftest import api_client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.fieldcamp.api.urls")]

JSON = "application/json"


def send(api, body: bytes, content_type: str | None = JSON):
    return api.generic("POST", "/api/v1/echo", body, content_type=content_type)


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"{}", {}),
        (b"", {}),
        (b" \r\n", {}),
        (b'{"a": [1, -2.5e3, true, null, "\\u00e9"]}', {"a": [1, -2500.0, True, None, "é"]}),
        ('{"é": "😀"}'.encode(), {"é": "😀"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
    ],
)
def test_objects_are_taken(api, body, data):
    assert send(api, body).json()["data"] == data


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"1",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": ["\\ud800"]}',
        b'{"a": "\x00"}',
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        gzip.compress(b"{}", mtime=0),
        b'{"a": 1} {"b": 2}',
    ],
)
def test_anything_else_is_refused_with_a_sentence(api, body):
    response = send(api, body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "VALIDATION_ERROR" and error["message"].startswith("The body")
    assert list(error["details"]) == ["body"]


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", 'application/json;charset="UTF-8"']
)
def test_spellings_of_json(api, content_type):
    assert send(api, b"{}", content_type).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "json",
        "application/json; charset=latin-1",
        "/",
        ";",
        "application/jsonp",
        "\x00",
    ],
)
def test_other_content_types(api, content_type):
    response = send(api, b'{"a": 1}', content_type)
    assert response.status_code == 415
    assert response.json()["error"]["code"] == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_an_empty_body_needs_no_content_type(api, content_type):
    assert send(api, b"", content_type).json()["data"] == {}


def test_a_body_over_the_limit(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20
    assert send(api, b'{"a": "12345678901"}').status_code == 200
    response = send(api, b'{"a": "123456789012"}')
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"


def chunked(api, body: bytes, **extra):
    environ = {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
    } | extra
    request = {"REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/echo", "CONTENT_TYPE": JSON}
    return api.request(**request | environ)


def test_a_chunked_body_is_read_and_limited(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20
    assert chunked(api, b'{"mode": "full"}').json()["data"] == {"mode": "full"}
    assert chunked(api, b'{"a": "123456789012"}').status_code == 413


def test_a_chunked_body_that_the_server_cannot_end_is_refused_rather_than_ignored(api):
    response = chunked(api, b'{"mode": "full"}', **{"wsgi.input_terminated": False})
    assert response.status_code == 400 and "Content-Length" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "application/*",
        "text/html, */*;q=0.1",
        "*",
        "application/json;q=0.5, text/html",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        "nonsense",
        ";;;,,,",
        "application/json;q=oops",
        "text/html, image/gif, *; q=.2",
    ],
)
def test_accept_that_is_met(api, accept):
    assert api.get("/api/v1/open", HTTP_ACCEPT=accept).status_code == 200


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/xml",
        "application/json;q=0",
        "application/json;q=0, */*",
        "application/*;q=0.0",
        "image/*",
    ],
)
def test_accept_that_is_not(api, accept):
    response = api.get("/api/v1/open", HTTP_ACCEPT=accept)
    assert response.status_code == 406
    assert response["Content-Type"] == JSON and response.json()["error"]["code"] == "NOT_ACCEPTABLE"


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_any_accept_header_is_understood_somehow(accept):
    assert accepts_json(accept) in (True, False)


@pytest.mark.slow
@given(
    st.dictionaries(
        st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
        st.none() | st.integers(-(10**30), 10**30) | st.booleans(),
    )
)
def test_whatever_is_json_comes_through_unchanged(value):
    assert parse_object(json.dumps(value).encode()) == value


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_make_an_internal_error(api, body):
    assert send(api, body).status_code in (200, 400)


@pytest.mark.parametrize("query", ["x=%00", "%00=x", "a=1&b=%ff%fe", "x=%ud800"])
def test_queries_that_no_database_takes(api, query):
    response = api.get(f"/api/v1/open?{query}")
    assert response.status_code == 400 and response.json()["error"]["code"] == "VALIDATION_ERROR"


def test_head_and_options():
    client = api_client()
    response = client.head("/api/v1/open")
    assert response.status_code == 200 and response.content == b""
    response = client.options("/api/v1/open")
    assert (response.status_code, response["Allow"], response.content) == (204, "GET, HEAD, OPTIONS", b"")


def seconds(work) -> float:
    """The processor's time that it takes, at best of three."""
    found = []
    for _ in range(3):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


def refused(body: bytes) -> None:
    with pytest.raises(ParseError, match="twice"):
        parse_object(body)


@pytest.mark.parametrize("around", ["%s", '{"a": [%s]}', '{"a": {"b": {"c": [1, %s]}}}'])
def test_a_body_of_twice_the_size_takes_no_more_than_thrice_the_time(around):
    def body(names: int) -> bytes:
        pairs = ",".join(f'"{number:x}":1' for number in range(names))
        return (around % f'{{{pairs},"{names - 1:x}":1}}').encode()

    whole, twice = body(8_000), body(16_000)
    assert seconds(lambda: refused(twice)) <= 3 * seconds(lambda: refused(whole)) + 0.02


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        {f"f{number:x}": 1 for number in range(70_000)},
        {"x" * 900_000: 1},
        {"name": "x", "scopes": ["\x01" * 1_000] * 150},
        {"name": "x", "scopes": [f"s{number}" for number in range(90_000)]},
        {"name": "\U0001f600" * 200_000, "scopes": ["visits:read"]},
    ],
    ids=["unknown", "one name", "echoed", "choices", "long"],
)
@pytest.mark.urls("fieldcamp.urls")
def test_a_refusal_is_small_and_quick_whatever_is_wrong(api, body):
    started = time.process_time()
    answer = send_keys(api, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert len(answer.content) < 50_000 and time.process_time() - started < 2  # one on an idle machine
    details = answer.json()["error"]["details"]
    assert len(details) <= 51 and ("more" in details) == (len(details) == 51)


def send_keys(api, body: dict):
    return api.generic("POST", "/api/v1/api-keys", json.dumps(body, ensure_ascii=False).encode(), content_type=JSON)
