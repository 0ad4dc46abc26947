"""Google's multipart batches, as bytes."""

from integrations.providers.batches import Answer, Call
from integrations.providers.google_calendar.batch import decode, encode


def test_a_batch_on_the_wire():
    body, content_type = encode(
        [
            Call("POST", "/calendar/v3/calendars/primary/events?x=1", {"summary": "Tést\r\n--fieldcamp_batch"}),
            Call("DELETE", "/calendar/v3/calendars/primary/events/a", None, {"If-Match": '"1"'}),
        ]
    )
    assert content_type == "multipart/mixed; boundary=fieldcamp_batch"
    text = '{"summary": "T\\u00e9st\\r\\n--fieldcamp_batch"}'
    assert body.decode().split("\r\n") == [
        "--fieldcamp_batch",
        "Content-Type: application/http",
        "Content-ID: <item0:fieldcamp>",
        "",
        "POST /calendar/v3/calendars/primary/events?x=1 HTTP/1.1",
        "Content-Type: application/json",
        f"Content-Length: {len(text)}",
        "",
        text,
        "--fieldcamp_batch",
        "Content-Type: application/http",
        "Content-ID: <item1:fieldcamp>",
        "",
        "DELETE /calendar/v3/calendars/primary/events/a HTTP/1.1",
        'If-Match: "1"',
        "",
        "",
        "--fieldcamp_batch--",
        "",
    ]


def part(number: int, http: str) -> str:
    return f"--b\r\nContent-Type: application/http\r\nContent-ID: <response-item{number}:fieldcamp>\r\n\r\n{http}\r\n"


OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"id": "é"}'
GONE = "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n\r\n{}"
EMPTY = "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


def read(text: str, count: int):
    return decode("multipart/mixed; boundary=b", text.encode(), count)


def test_answers_are_put_in_the_order_of_the_calls():
    assert read(part(1, GONE) + part(2, EMPTY) + part(0, OK) + "--b--\r\n", 3) == [
        Answer(200, {"id": "é"}),
        Answer(404, {}),
        Answer(204, None),
    ]


def test_answers_without_names_come_in_order():
    text = f"--b\r\nContent-Type: application/http\r\n\r\n{OK}\r\n--b\r\n\r\n{GONE}\r\n--b--\r\n"
    assert [answer and answer.status for answer in read(text, 2)] == [200, 404]


def test_what_is_missing_or_broken_off_is_lost():
    assert read(part(0, OK) + "--b--\r\n", 2)[1] is None
    assert read(part(0, OK[:-4]) + "--b--\r\n", 1) == [None]
    assert read(part(0, "nonsense") + "--b--\r\n", 1) == [None]
    assert read(part(7, OK) + "--b--\r\n", 1) == [None]
    assert decode("text/html", b"<html>", 2) == [None, None]
    assert decode("", b"", 1) == [None]
