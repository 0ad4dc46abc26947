"""Answers that get lost, workers that die, a vendor that is ill: nothing is written twice, nothing is forgotten."""

import contextlib
from decimal import Decimal

import pytest

from fieldcamp.workspace import invoicing, paying
from fieldcamp.workspace.models import Client, Invoice
from integrations.jobs import runner
from integrations.models import Connection, Link, Problem, Stream, SyncJob
from integrations.services.jobs import trigger_sync
from tests.integrations.books.bookkeeper import money
from tests.integrations.books.conftest import counts, said
from tests.integrations.engine import abandoned, finish
from tests.killing import Killed
from tests.sandboxed import BOOKS_WRITES

pytestmark = pytest.mark.slow

KINDS = ("Customer", "Item", "Invoice", "Payment")


def made(books) -> dict[str, int]:
    return {kind: len(books.all(kind)) for kind in KINDS}


@pytest.fixture
def world(company, make_client, make_item, make_invoice, pay):
    """A client with an invoice and its payment, none of them in the books."""
    invoice = make_invoice(make_client(first_name="Kim", last_name="Reed"), [(make_item(), 1, "100")])
    return invoice, pay(invoice, "60")


ONE_OF_EACH = {"Customer": 1, "Item": 2, "Invoice": 1, "Payment": 1}  # and the item for lines without one


@pytest.mark.parametrize("write", range(4))
@pytest.mark.parametrize("kind", ["drop_after_commit", "drop", "truncate"])
def test_a_lost_answer_to_a_create(world, books, sync, intuit, write, kind):
    intuit.fault(kind, method="POST", path=BOOKS_WRITES, after=write)
    for _ in range(2):
        job = sync()
    assert job.status == "succeeded", (job.errors, said(job, "failed"))
    assert made(books) == ONE_OF_EACH
    assert counts(sync("full"))[:2] == (0, 0)


@pytest.mark.parametrize("kind", ["drop_after_commit", "drop"])
def test_every_answer_of_a_run_is_lost(world, books, sync, intuit, kind):
    intuit.fault(kind, method="POST", path=BOOKS_WRITES, times=9)
    sync()
    intuit.call("DELETE", "faults")
    job = sync()
    assert job.status == "succeeded", (job.errors, said(job, "failed"))
    assert made(books) == ONE_OF_EACH


@pytest.mark.parametrize("kind", ["drop_after_commit", "drop"])
def test_a_lost_answer_to_an_update(world, books, sync, intuit, kind):
    invoice, payment = world
    sync()
    Client.objects.filter(pk=invoice.client_id).update(last_name="Reed-Cole")
    invoicing.update_invoice(workspace=invoice.workspace, invoice_id=invoice.pk, changes={"memo": "Please"})
    paying.update_payment(workspace=invoice.workspace, payment_id=payment.pk, changes={"reference": "CHK-2"})
    intuit.fault(kind, method="POST", path=BOOKS_WRITES, times=3)
    for _ in range(2):
        job = sync()
    assert job.status == "succeeded", (job.errors, said(job, "failed"))
    assert books.all("Customer")[0]["FamilyName"] == "Reed-Cole"
    assert books.all("Invoice")[0]["CustomerMemo"]["value"] == "Please"
    assert books.all("Payment")[0]["PaymentRefNum"] == "CHK-2"
    assert made(books) == ONE_OF_EACH


@pytest.mark.parametrize("kind", ["drop_after_commit", "drop"])
def test_a_lost_answer_to_a_void(world, books, sync, intuit, kind):
    invoice, payment = world
    sync()
    paying.void_payment(workspace=invoice.workspace, payment_id=payment.pk)
    intuit.fault(kind, method="POST", path="/payment")
    for _ in range(2):
        job = sync()
    assert job.status == "succeeded", (job.errors, said(job, "failed"))
    assert money(books.all("Invoice")[0]["Balance"]) == Decimal(100)
    invoicing.void_invoice(workspace=invoice.workspace, invoice_id=invoice.pk)
    intuit.fault(kind, method="POST", path="/invoice")
    for _ in range(2):
        job = sync()
    assert job.status == "succeeded", (job.errors, said(job, "failed"))
    assert money(books.all("Invoice")[0]["TotalAmt"]) == 0
    assert not Problem.objects.filter(resolved_at=None).exists()


@pytest.mark.parametrize("call", range(14))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_at_each_call(world, books, sync, monkeypatch, workspace, call, moment):
    """The worker dies before or after one of the calls; another takes the job up, and each record is there once."""
    from integrations.transport.client import HttpClient

    sent, real = [0], HttpClient.request

    def request(self, *args, **kwargs):
        number, sent[0] = sent[0], sent[0] + 1
        if number == call and moment == "before":
            raise Killed
        answer = real(self, *args, **kwargs)
        if number == call:
            raise Killed
        return answer

    monkeypatch.setattr(HttpClient, "request", request)
    job = trigger_sync(workspace=workspace, integration="quickbooks", triggered_by="api", actor="test")
    with contextlib.suppress(Killed):
        runner.run(job.pk)
    monkeypatch.setattr(HttpClient, "request", real)
    if not SyncJob.objects.filter(pk=job.pk, finished_at__isnull=False).exists():
        abandoned(job)
        finish(job)
    job.refresh_from_db()
    assert job.status == "succeeded", (job.errors, said(job, "failed"))
    assert made(books) == ONE_OF_EACH
    assert counts(sync("full"))[:2] == (0, 0)


def test_a_reader_of_the_feed_takes_our_new_invoice_for_nobodys(world, books, sync, intuit, workspace):
    """Between a lost answer and the next sync somebody reads the feed: the invoice is still only one."""
    from integrations.services.observe import observe_pending

    sync(scope="customers"), sync(scope="items")
    intuit.fault("drop_after_commit", method="POST", path=BOOKS_WRITES, times=9)
    sync()
    intuit.call("DELETE", "faults")
    Connection.objects.update(observed_at=None, retry_at=None)
    observe_pending(workspace, "quickbooks", seconds=20)
    job = sync()
    assert job.status == "succeeded", (job.errors, said(job, "failed"))
    assert made(books) == ONE_OF_EACH
    assert Link.objects.filter(kind="invoice").count() == 1


def test_a_month_without_a_sync_reads_everything_anew(world, books, sync, intuit):
    sync()
    first = Invoice.objects.get()
    books.delete("Payment", books.all("Payment")[0]["Id"])
    books.edit("Invoice", books.all("Invoice")[0]["Id"], CustomerMemo={"value": "Later"})
    Stream.objects.exclude(cursor="").filter(kind__in=["customer", "item", "invoice", "payment"]).update(
        cursor='{"since": "2026-01-01T00:00:00-08:00"}'
    )
    job = sync()
    assert "FULL_SYNC_FORCED" in {error["code"] for error in job.errors}
    first.refresh_from_db()
    assert first.memo == "Later"
    assert "RECORD_REMOVED" in set(Problem.objects.filter(resolved_at=None).values_list("code", flat=True))
