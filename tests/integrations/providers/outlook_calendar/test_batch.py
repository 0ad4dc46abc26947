"""Graph's JSON batches."""

import datetime as dt

from integrations.providers.batches import Answer, Call
from integrations.providers.outlook_calendar.batch import decode, encode

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)


def test_a_batch_on_the_wire():
    calls = [
        Call("POST", "/me/calendars/a/events", {"subject": "Tést"}, {"Prefer": "x"}),
        Call("DELETE", "/me/calendars/a/events/b", None, {"If-Match": 'W/"1"'}),
    ]
    assert encode(calls) == {
        "requests": [
            {
                "id": "0",
                "method": "POST",
                "url": "/me/calendars/a/events",
                "headers": {"Prefer": "x", "Content-Type": "application/json"},
                "body": {"subject": "Tést"},
            },
            {"id": "1", "method": "DELETE", "url": "/me/calendars/a/events/b", "headers": {"If-Match": 'W/"1"'}},
        ]
    }


def test_answers_are_put_in_the_order_of_the_calls():
    parts = [{"id": "1", "status": 204}, {"id": "0", "status": 200, "headers": {"ETag": "x"}, "body": {"id": "é"}}]
    assert decode({"responses": parts}, 2) == [Answer(200, {"id": "é"}, {"ETag": "x"}), Answer(204, None, {})]


def test_what_is_missing_or_odd_is_lost():
    odd = [{"id": "7", "status": 200}, {"id": 0, "status": 200}, {"id": "0"}, {"id": "x", "status": 200}, "odd", None]
    assert decode({"responses": odd}, 1) == [None]
    assert decode({}, 2) == [None, None]
    assert decode({"responses": "odd"}, 1) == [None]


def test_a_part_may_ask_to_wait_in_fractions_of_a_second_or_not_say():
    assert Answer(429, None, {"retry-after": "2.128"}).wait(NOW) == 2.128
    assert Answer(429, None, {"Retry-After": 3}).wait(NOW) == 3
    assert Answer(429, None, {"Retry-After": "soon"}).wait(NOW) == 0
    assert Answer(429, None).wait(NOW) == 0
