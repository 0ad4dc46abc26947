"""Books that take their time: nothing is sent twice meanwhile, and the job stays ours."""

import pytest

from tests.integrations.books.conftest import counts, said


@pytest.mark.parametrize("seconds", [100, pytest.param(119, marks=pytest.mark.slow)])
def test_a_batch_of_two_minutes_is_one_call(company, books, sync, intuit, make_client, seconds):
    for number in range(5):
        make_client(first_name=f"Kim {number}", last_name="Reed")
    intuit.fault("delay", path="/batch$", seconds=seconds, times=9)
    intuit.forget_requests()
    job = sync(scope="customers")
    assert job.status == "succeeded", (job.errors, said(job, "failed"))
    assert counts(job)[1] == 5 and len(books.all("Customer")) == 5
    assert len(intuit.requests("/batch")) == 1


@pytest.mark.slow
def test_a_batch_that_takes_longer_is_looked_for_before_it_is_sent_again(company, books, sync, intuit, make_client):
    for number in range(5):
        make_client(first_name=f"Kim {number}", last_name="Reed")
    intuit.fault("delay", path="/batch$", seconds=200, times=1)
    intuit.forget_requests()
    job = sync(scope="customers")
    assert job.status == "succeeded", (job.errors, said(job, "failed"))
    assert len(books.all("Customer")) == 5
    paths = [row["path"].rsplit("/", 1)[-1] for row in intuit.requests() if row["path"].endswith(("batch", "query"))]
    assert paths[paths.index("batch") + 1] == "query"
