"""Payments, made and changed at either side, and what they leave open."""

from decimal import Decimal

import pytest

from fieldcamp.workspace import paying
from fieldcamp.workspace.models import Invoice, Payment
from integrations.models import Problem
from tests.integrations.books.bookkeeper import money
from tests.integrations.books.conftest import counts, said


@pytest.fixture
def invoices(company, sync, make_client, make_item, make_invoice) -> list[Invoice]:
    """Two of 100.00, posted."""
    client, item = make_client(first_name="Kim", last_name="Reed"), make_item()
    made = [make_invoice(client, [(item, 1, "100")]) for _ in range(2)]
    assert sync().status == "succeeded"
    return made


def counterpart(books, invoice):
    return books.one("Invoice", DocNumber=invoice.number)


def open_here(invoices):
    return [Invoice.objects.get(pk=invoice.pk).balance for invoice in invoices]


def open_there(books, invoices):
    return [money(counterpart(books, invoice)["Balance"]) for invoice in invoices]


@pytest.mark.slow
def test_paid_there_is_paid_here(invoices, books, sync):
    books.receive(counterpart(books, invoices[0]), "60", PaymentRefNum="774")
    assert counts(sync())[:2] == (1, 0)
    payment = Payment.objects.get()
    assert (payment.amount, payment.reference, payment.made_in) == (Decimal(60), "774", "quickbooks")
    assert open_here(invoices) == [Decimal(40), Decimal(100)]
    assert counts(sync())[:2] == (0, 0)


@pytest.mark.slow
def test_what_has_one_line_there_is_written_once(invoices, books, sync, make_client, make_invoice, pay):
    invoice = make_invoice(make_client(first_name="Lee"), [(None, 1, "10")], number="A\t7")
    payment = pay(invoice, "4", reference="check\n77")
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    assert books.one("Payment", PaymentRefNum="check 77") and books.one("Invoice", DocNumber="A 7")
    assert [counts(sync(mode))[:2] for mode in ("full", "full")] == [(0, 0)] * 2
    payment.refresh_from_db()
    assert payment.reference == "check\n77"


@pytest.mark.slow
def test_moved_to_another_invoice_there(invoices, books, sync):
    received = books.receive(counterpart(books, invoices[0]), "60")
    sync()
    line = {"Amount": 60, "LinkedTxn": [{"TxnId": counterpart(books, invoices[1])["Id"], "TxnType": "Invoice"}]}
    books.edit("Payment", received["Id"], Line=[line])
    job = sync()
    assert counts(job)[:2] == (1, 0), said(job, "failed")
    assert open_here(invoices) == open_there(books, invoices) == [Decimal(100), Decimal(40)]


@pytest.mark.slow
def test_moved_to_another_invoice_here(invoices, books, sync, pay):
    payment = pay(invoices[0], "60")
    sync()
    shares = [
        {"invoice_id": invoices[0].pk, "amount": Decimal(10)},
        {"invoice_id": invoices[1].pk, "amount": Decimal(50)},
    ]
    paying.update_payment(workspace=payment.workspace, payment_id=payment.pk, changes={"allocations": shares})
    assert counts(sync())[1] == 1
    assert open_here(invoices) == open_there(books, invoices) == [Decimal(90), Decimal(50)]
    assert counts(sync())[:2] == (0, 0)


@pytest.mark.slow
def test_taken_off_an_invoice_here(invoices, books, sync, pay):
    payment = pay(invoices[0], "60")
    sync()
    shares = [{"invoice_id": invoices[1].pk, "amount": Decimal(60)}]
    paying.update_payment(workspace=payment.workspace, payment_id=payment.pk, changes={"allocations": shares})
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    assert open_here(invoices) == open_there(books, invoices) == [Decimal(100), Decimal(40)]
    assert not Problem.objects.filter(code="AMOUNT_VARIANCE").exists()


@pytest.mark.slow
@pytest.mark.parametrize("side", ["here", "there"])
def test_a_void_opens_the_invoice_at_both_sides(invoices, books, sync, pay, side):
    payment = pay(invoices[0], "60")
    sync()
    if side == "here":
        paying.void_payment(workspace=payment.workspace, payment_id=payment.pk)
    else:
        books.void("Payment", books.all("Payment")[0]["Id"])
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    assert open_here(invoices) == open_there(books, invoices) == [Decimal(100), Decimal(100)]
    assert counts(sync("full"))[:2] == (0, 0)


@pytest.mark.slow
def test_their_payment_deleted_there_is_void_here(invoices, books, sync):
    received = books.receive(counterpart(books, invoices[0]), "60")
    sync()
    books.delete("Payment", received["Id"])
    assert counts(sync())[:2] == (1, 0)
    assert Payment.objects.get().voided_at and open_here(invoices) == [Decimal(100), Decimal(100)]
    assert counts(sync("full"))[:2] == (0, 0)


@pytest.mark.slow
def test_our_payment_deleted_there_is_flagged(invoices, books, sync, pay):
    pay(invoices[0], "60")
    sync()
    books.delete("Payment", books.all("Payment")[0]["Id"])
    sync()
    assert "RECORD_REMOVED" in set(Problem.objects.filter(resolved_at=None).values_list("code", flat=True))
    assert Payment.objects.get().voided_at is None and books.all("Payment") == []


@pytest.mark.slow
def test_the_same_money_entered_at_both_sides_is_one_payment(invoices, books, sync, pay):
    received = books.receive(counterpart(books, invoices[0]), "60", TxnDate="2026-11-20")
    pay(invoices[0], "60")
    assert sync().status == "succeeded"
    assert Payment.objects.count() == 1 and [row["Id"] for row in books.all("Payment")] == [received["Id"]]


@pytest.mark.slow
def test_a_payment_of_several_leaves_alone_what_is_not_ours(invoices, books, sync):
    ours = counterpart(books, invoices[0])
    item = ours["Line"][0]["SalesItemLineDetail"]["ItemRef"]["value"]
    line = {"Amount": 70, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": item}}}
    other = books.add("Invoice", CustomerRef=ours["CustomerRef"], Line=[line])
    lines = [{"Amount": 70, "LinkedTxn": [{"TxnId": other["Id"], "TxnType": "Invoice"}]},
             {"Amount": 30, "LinkedTxn": [{"TxnId": ours["Id"], "TxnType": "Invoice"}]}]  # fmt: skip
    received = books.add("Payment", CustomerRef=ours["CustomerRef"], TotalAmt=100, Line=lines)
    sync()
    payment = Payment.objects.get()
    assert [share.amount for share in payment.allocations.all()] == [Decimal(30)]
    assert counts(sync("full"))[:2] == (0, 0)
    paying.update_payment(workspace=payment.workspace, payment_id=payment.pk, changes={"reference": "CHK-9"})
    assert counts(sync())[1] == 1
    assert sorted(line["Amount"] for line in books.get("Payment", received["Id"])["Line"]) == [30, 70]


@pytest.mark.slow
def test_deposited_money_is_not_touched(invoices, books, sync, pay):
    payment = pay(invoices[0], "60")
    sync()
    books.click(f"payments/{books.all('Payment')[0]['Id']}", action="deposit")
    paying.update_payment(workspace=payment.workspace, payment_id=payment.pk, changes={"reference": "CHK-9"})
    assert sync().failed == 1
    assert Problem.objects.get(resolved_at=None).data["reason"] == "deposited"
