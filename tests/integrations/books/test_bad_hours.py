"""Intuit's bad hour: the company stays connected, nothing is posted twice, and all goes on by itself."""

import pytest

from integrations.models import Connection, Problem
from tests.integrations.providers.test_no_answers import NO_ANSWERS
from tests.sandboxed import BOOKS_WRITES

PATH = "^/intuit/api/"


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec",
    [
        {"status": 403, "body": {"fault": {"error": [{"code": "3100", "message": "no"}], "type": "AUTHORIZATION"}}},
        {"status": 200, "body": "<html>Sign in</html>", "headers": {"Content-Type": "text/html"}},
    ],
    ids=lambda spec: f"{spec['status']}",
)
def test_ten_minutes_of_it_disconnect_no_company(company, books, sync, intuit, make_client, clock, spec):
    intuit.fault("status", path=PATH, lasting=500, **spec)
    make_client(first_name="Kim", last_name="Reed")
    for _ in range(2):
        [told] = [error for error in sync().errors if "record" not in error]
        assert told["code"] == "PROVIDER_UNAVAILABLE"
        assert Connection.objects.get().state == "active"
        clock.move(251)
    job = sync()
    assert job.status == "succeeded", job.errors
    assert [row["DisplayName"] for row in books.all("Customer")] == ["Kim Reed"]
    assert not Problem.objects.open().exists()


@pytest.mark.slow
def test_a_write_that_is_not_answered_is_looked_for(company, books, sync, intuit, make_client):
    sync()
    kind, body = NO_ANSWERS["an empty object"]
    spec = {"path": BOOKS_WRITES, "method": "POST", "status": 200, "body": body, "headers": {"Content-Type": kind}}
    for number in range(5):
        make_client(first_name=f"Kim {number}", last_name="Reed")
    for times in (10**6, 1):
        intuit.fault("status", **spec, times=times)
        job = sync()
        assert "INTERNAL_ERROR" not in {error["code"] for error in job.errors}, job.errors
        intuit.heal()
    assert job.status == "succeeded", job.errors
    assert len(books.all("Customer")) == 5
