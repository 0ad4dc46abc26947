"""Too many calls, and how they are made up for."""

import pytest

from integrations import errors
from integrations.transport.client import HttpClient, OneToken
from tests.faketime import FakeTime
from tests.integrations.providers.quickbooks.conftest import (
    QUICKBOOKS,
    REALM,
    customer,
    refusal,
)

THROTTLED = {
    "Fault": {
        "Error": [
            {"Message": "message=ThrottleExceeded; errorCode=003001; statusCode=429", "Detail": "x", "code": "3001"}
        ],
        "type": "SERVICE",
    }
}


def test_a_throttled_part_is_tried_under_another_name(books, intuit, company):
    """The same request id would get the same refusal for a day."""
    part = {"BatchItemResponse": [{"bId": "0", **THROTTLED}], "time": "2026-11-23T00:00:00Z"}
    intuit.fault("status", path="/batch", status=200, body=part)
    [outcome] = books.write("Customer", [customer(8)])
    assert outcome.error is None
    first, second = intuit.requests("batch")
    assert "requestid" in first["query"] and first["query"] != second["query"]


def test_what_stays_throttled_is_paced(books, intuit, http, monkeypatch):
    slowed = []
    monkeypatch.setattr(http, "slow_down", lambda: slowed.append(1))
    part = {"BatchItemResponse": [{"bId": "0", **THROTTLED}], "time": "2026-11-23T00:00:00Z"}
    intuit.fault("status", path="/batch", status=200, body=part, times=2)
    assert isinstance(refusal(books, customer(8)), errors.RateLimited)
    assert slowed


@pytest.mark.parametrize("status", [429, 403, 200])
def test_a_throttle_in_whatever_envelope(books, intuit, status):
    intuit.fault("status", path="/query", status=status, body=THROTTLED, times=2)
    with pytest.raises(errors.RateLimited):
        books.get("Customer", ["1"])


def test_what_others_asked_in_the_same_second_is_waited_for_once(intuit, tokens):
    """The setup's own calls come just before the first sync, from another process."""
    time = FakeTime()
    books = QUICKBOOKS.open(HttpClient(QUICKBOOKS, OneToken(tokens["access_token"]), **time.kwargs()), REALM)
    intuit.fault("status", path="/query", status=429, body=THROTTLED)
    assert books.get("Customer", ["1"])
    assert time.slept == [pytest.approx(1.1)]
    intuit.fault("status", path="/query", status=429, body=THROTTLED, headers={"Retry-After": "90"})
    with pytest.raises(errors.RateLimited):
        books.get("Customer", ["1"])
    assert len(time.slept) == 1


def test_ten_calls_a_second_and_no_more(intuit, tokens):
    time = FakeTime()
    http = HttpClient(QUICKBOOKS, OneToken(tokens["access_token"]), **time.kwargs())
    for _ in range(25):
        QUICKBOOKS.open(http, REALM).get("Customer", ["1"])
    assert len(time.slept) == 2 and all(pause >= 1 for pause in time.slept)
