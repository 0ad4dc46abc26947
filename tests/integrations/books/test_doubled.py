"""Nothing is there twice, however the answer to a create was lost and whoever took the record in meanwhile."""

import pytest

from fieldcamp.workspace.models import Client
from integrations.models import Connection, JobStatus, Link
from integrations.services.observe import observe_pending
from tests.integrations.books.conftest import counts, said
from tests.sandboxed import BOOKS_WRITES


@pytest.fixture
def lost(company, books, sync, intuit, workspace, make_client, clock):
    """Five clients, as many as go in a batch, whose customers were made there, without that we were ever told."""
    sync()
    clients = [make_client(first_name=f"Kim {number}", last_name="Reed") for number in range(5)]
    intuit.fault("drop_after_commit", method="POST", path=BOOKS_WRITES)
    intuit.fault("status", status=503, path="/v3/company", after=1, times=100)
    assert sync().status == JobStatus.FAILED
    intuit.call("DELETE", "faults")
    clock.move(60)
    return clients


def links() -> list[tuple[str, str]]:
    return list(Link.objects.filter(kind="customer").order_by("remote_id").values_list("record_id", "remote_id"))


def read_the_feed(workspace) -> None:
    """Somebody reads the change feed, which takes in what is new there: so far nobody's."""
    observe_pending(workspace, "quickbooks", 30)
    assert Link.objects.filter(kind="customer", record_id="").count() == 5


@pytest.mark.slow
def test_what_the_feed_has_taken_for_nobodys_is_ours_when_we_look(lost, books, sync, workspace):
    read_the_feed(workspace)
    job = sync()
    assert job.status == JobStatus.SUCCEEDED, (job.errors, said(job, "failed"))
    assert links() == [(client.pk, row["Id"]) for client, row in zip(lost, books.all("Customer"), strict=True)]
    assert counts(sync("full"))[:2] == (0, 0)


@pytest.mark.slow
def test_what_was_edited_there_besides_is_ours_when_it_is_written_again(lost, books, sync, workspace):
    """Nothing of what we sent is found any more; the same create is sent again, and answered with the first answer."""
    for row in books.all("Customer"):
        books.edit("Customer", row["Id"], DisplayName=f"Renamed {row['DisplayName']}")
    read_the_feed(workspace)
    job = sync()
    assert job.status == JobStatus.SUCCEEDED, (job.errors, said(job, "failed"))
    assert links() == [(client.pk, row["Id"]) for client, row in zip(lost, books.all("Customer"), strict=True)]
    assert Client.objects.count() == 5
    assert [counts(sync("full"))[:2] for _ in range(2)] == [(5, 0), (0, 0)]
    assert all(name.startswith("Renamed Kim") for name in Client.objects.values_list("display_name", flat=True))


@pytest.mark.slow
def test_an_invoice_too(company, books, sync, intuit, workspace, make_client, make_item, make_invoice, clock):
    invoice = make_invoice(make_client(first_name="Kim", last_name="Reed"), [(make_item(), 1, "100")])
    sync(scope="customers"), sync(scope="items")
    intuit.fault("drop_after_commit", method="POST", path=BOOKS_WRITES, times=9)
    sync()
    intuit.call("DELETE", "faults")
    clock.reach(Connection.objects.get().retry_at)
    clock.move(60)
    observe_pending(workspace, "quickbooks", seconds=20)
    job = sync()
    assert job.status == JobStatus.SUCCEEDED, (job.errors, said(job, "failed"))
    assert len(books.all("Invoice")) == 1
    assert Link.objects.get(kind="invoice").record_id == invoice.pk


@pytest.mark.slow
def test_the_capitals_of_an_address_make_no_second_client(connect_books, books, sync, make_client):
    """One customer has it already; a second with the same address, written otherwise, is not made a client."""
    client = make_client(first_name="Ada", last_name="Park", email="Ada@Example.test")
    connect_books(import_customers=True)
    books.add("Customer", DisplayName="Ada Park", PrimaryEmailAddr={"Address": "ada@example.test"})
    assert sync().status == JobStatus.SUCCEEDED
    assert Link.objects.get(record_id=client.pk, kind="customer")
    books.add("Customer", DisplayName="Ada P.", PrimaryEmailAddr={"Address": "ADA@example.test"})
    sync()
    assert Client.objects.count() == 1
