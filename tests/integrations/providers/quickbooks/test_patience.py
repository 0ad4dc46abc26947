"""How much is sent at once, how long it is waited for, and what is kept of each call."""

import pytest

from integrations import errors
from integrations.providers.quickbooks.calls import PATIENCE
from integrations.transport.client import READ_TIMEOUT, HttpClient, OneToken
from tests.faketime import FakeTime
from tests.integrations.providers.quickbooks.conftest import NOW, QUICKBOOKS, REALM, customer


def posts(intuit) -> list[str]:
    return [row["path"].rsplit("/", 1)[-1] for row in intuit.requests() if row["method"] == "POST"]


@pytest.mark.parametrize(("number", "sent"), [(1, ["customer"]), (4, ["customer"] * 4), (5, ["batch"])])
def test_a_handful_goes_one_by_one(books, intuit, number, sent):
    outcomes = books.write("Customer", [customer(n) for n in range(number)])
    assert [outcome.error for outcome in outcomes] == [None] * number
    assert posts(intuit) == sent


def test_one_refusal_among_a_handful_is_no_others(books, company, intuit):
    company.make("Customer", DisplayName="Client 1")
    outcomes = books.write("Customer", [customer(n) for n in range(3)])
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]


def test_after_a_lost_answer_the_rest_of_a_handful_waits(books, intuit, company):
    intuit.fault("drop", method="POST", path="/customer$", after=1, times=9)
    first, *rest = books.write("Customer", [customer(n) for n in range(4)])
    intuit.heal()
    assert first.record and all(isinstance(one.error, errors.Unavailable) for one in rest)
    assert len([row for row in company.rows("Customer") if row["DisplayName"].startswith("Client")]) == 1


@pytest.fixture
def slow(intuit, tokens, monkeypatch):
    """A client at books that take so many seconds for each batch, and the time-outs that it was sent with."""
    seen: list[float] = []
    real = intuit.adapter.send

    def send(request, **kwargs):
        if kwargs["timeout"]:
            seen.append(kwargs["timeout"][1])
        return real(request, **kwargs)

    monkeypatch.setattr(intuit.adapter, "send", send)
    http = HttpClient(QUICKBOOKS, OneToken(tokens["access_token"]), **FakeTime(NOW).kwargs())

    def at(seconds: float, times: int = 9):
        intuit.fault("delay", path="/batch$", seconds=seconds, times=times)
        return QUICKBOOKS.open(http, REALM), seen

    return at


def test_a_batch_is_waited_for_as_long_as_quickbooks_may_take(slow, intuit):
    books, seen = slow(119)
    outcomes = books.write("Customer", [customer(n) for n in range(30)])
    assert [outcome.error for outcome in outcomes] == [None] * 30
    assert posts(intuit) == ["batch"] and seen == [PATIENCE] and PATIENCE >= 120
    books.get("Customer", ["1"])
    assert seen[-1] == READ_TIMEOUT


def test_a_batch_that_takes_too_long_is_sent_once_and_the_next_are_smaller(slow, intuit):
    books, _ = slow(PATIENCE + 1, times=1)
    operations = [customer(n) for n in range(30)]
    with pytest.raises(errors.TimedOut):
        books.write("Customer", operations)
    assert posts(intuit) == ["batch"]
    intuit.heal()
    outcomes = books.write("Customer", [customer(n) for n in range(100, 130)])
    assert [outcome.error for outcome in outcomes] == [None] * 30
    assert posts(intuit) == ["batch"] * 3


def test_intuits_name_of_every_call_is_logged(books, caplog, intuit):
    with caplog.at_level("INFO"):
        books.get("Customer", ["1"])
        intuit.fault("status", path="/query", status=400, body={"Fault": {"Error": [{"code": "4000"}]}},
                     headers={"intuit_tid": "1-canary"})  # fmt: skip
        with pytest.raises(errors.Rejected):
            books.get("Customer", ["1"])
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    traces = [line["trace"] for line in lines if line["event"] == "provider_call"]
    assert len(traces) == 2 and traces[0] and traces[1] == "1-canary"
