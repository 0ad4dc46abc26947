"""Too many calls, and how they are made up for."""

import pytest

from integrations import errors
from integrations.transport.client import HttpClient, OneToken
from tests.faketime import FakeTime
from tests.integrations.providers.quickbooks.conftest import (
    QUICKBOOKS,
    REALM,
    customer,
)

THROTTLED = {
    "Fault": {
        "Error": [
            {"Message": "message=ThrottleExceeded; errorCode=003001; statusCode=429", "Detail": "x", "code": "3001"}
        ],
        "type": "SERVICE",
    }
}


def throttled(number: int) -> dict:
    """What a batch of so many is answered, whose first part was refused for the rate and whose rest is to come."""
    parts = [{"bId": str(n), "Customer": {"Id": str(70 + n), "SyncToken": "0"}} for n in range(1, number)]
    return {"BatchItemResponse": [{"bId": "0", **THROTTLED}, *parts], "time": "2026-11-23T00:00:00Z"}


@pytest.mark.parametrize("number", [1, 5])
def test_what_is_throttled_is_tried_under_another_name(books, intuit, company, number):
    """The same request id would get the same refusal for a day."""
    path = "/batch$" if number > 1 else "/customer$"
    body = throttled(number) if number > 1 else THROTTLED
    intuit.fault("status", method="POST", path=path, status=200, body=body)
    outcomes = books.write("Customer", [customer(n) for n in range(number)])
    assert [outcome.error for outcome in outcomes] == [None] * number
    first, second = intuit.requests(path.rstrip("$"))
    assert "requestid" in first["query"] and first["query"] != second["query"]


@pytest.mark.parametrize("number", [1, 2, 5])
def test_what_stays_throttled_is_paced(books, intuit, http, monkeypatch, number):
    slowed = []
    monkeypatch.setattr(http, "slow_down", lambda: slowed.append(1))
    path = "/batch$" if number > 4 else "/customer$"
    body = throttled(number) if number > 4 else THROTTLED
    intuit.fault("status", method="POST", path=path, status=200, body=body, times=2)
    outcomes = books.write("Customer", [customer(n) for n in range(number)])
    assert isinstance(outcomes[0].error, errors.RateLimited) and slowed
    if number == 2:  # what comes next is not even tried
        assert isinstance(outcomes[1].error, errors.RateLimited) and len(intuit.requests(path.rstrip("$"))) == 2


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
