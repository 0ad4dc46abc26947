"""Invoices after they have been posted: edited, voided and deleted at either side."""

from decimal import Decimal

import pytest
from django.utils import timezone

from fieldcamp.workspace import invoicing, paying
from fieldcamp.workspace.models import Invoice
from integrations.models import ChangeRow, Link, Problem
from tests.integrations.books.bookkeeper import money
from tests.integrations.books.conftest import counts, said


@pytest.fixture
def posted(company, sync, make_client, make_item, make_tax, make_invoice) -> Invoice:
    """335.25 taxed with 8 %."""
    item = make_item()
    client = make_client(first_name="Kim", last_name="Reed", email="kim@example.test")
    invoice = make_invoice(client, [(item, 2, "120"), (None, 1, "95.25")], tax_rate_id=make_tax().pk)
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    invoice.refresh_from_db()
    return invoice


def change(invoice: Invoice, **changes) -> Invoice:
    return invoicing.update_invoice(workspace=invoice.workspace, invoice_id=invoice.pk, changes=changes)


def counterpart(books, invoice):
    return books.one("Invoice", DocNumber=invoice.number)


@pytest.mark.slow
def test_an_edit_here_is_written_there_and_nothing_else(posted, books, sync):
    before = counterpart(books, posted)
    line = {"item_id": None, "description": "Pipe", "quantity": Decimal(3), "unit_price": Decimal("33.333333")}
    change(posted, lines=[line], memo="Please pay soon")
    job = sync()
    assert counts(job)[1] == 1, said(job, "failed")
    after = counterpart(books, posted)
    posted.refresh_from_db()
    assert money(after["TotalAmt"]) == posted.total == Decimal("108.00")
    assert after["CustomerMemo"]["value"] == "Please pay soon"
    kept = ("Id", "DocNumber", "TxnDate", "CustomerRef", "PrivateNote")
    assert [after.get(name) for name in kept] == [before.get(name) for name in kept]
    assert counts(sync())[:2] == (0, 0)


@pytest.mark.slow
def test_a_line_that_only_says_something_needs_no_item(connect_books, books, sync, make_client, make_item, make_tax,
                                                       make_invoice):  # fmt: skip
    connect_books(default_item_id="")
    words = {"item_id": None, "description": "As agreed by phone", "quantity": Decimal(0), "unit_price": Decimal(0)}
    invoice = make_invoice(make_client(), [words, (make_item(), 1, "100")], tax_rate_id=make_tax().pk)
    assert sync().status == "succeeded"
    assert counterpart(books, invoice)["Line"][0]["DetailType"] == "DescriptionOnly"
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full", "full")] == [(0, 0)] * 3


@pytest.mark.slow
def test_an_edit_there_comes_here(posted, books, sync):
    there = counterpart(books, posted)
    lines = [line for line in there["Line"] if line["DetailType"] == "SalesItemLineDetail"]
    lines[1] |= {"Amount": 100, "SalesItemLineDetail": {**lines[1]["SalesItemLineDetail"], "Qty": 1, "UnitPrice": 100}}
    books.edit("Invoice", there["Id"], Line=lines, DueDate="2026-12-31", CustomerMemo={"value": "Thanks"})
    job = sync()
    assert counts(job)[:2] == (1, 0), said(job, "failed")
    posted.refresh_from_db()
    assert (posted.due_date.isoformat(), posted.memo) == ("2026-12-31", "Thanks")
    assert posted.total == money(counterpart(books, posted)["TotalAmt"]) == Decimal("367.20")
    row = ChangeRow.objects.get(kind="invoice", action="updated")
    assert (row.record_id, row.remote_id) == (posted.pk, there["Id"])
    assert counts(sync())[:2] == (0, 0)


@pytest.mark.slow
def test_edited_at_both_sides_is_a_question_with_both_versions(posted, books, sync):
    there = counterpart(books, posted)
    books.edit("Invoice", there["Id"], CustomerMemo={"value": "Theirs"})
    change(posted, memo="Ours")
    for _ in range(2):
        job = sync()
    problem = Problem.objects.get(resolved_at=None)
    assert (job.failed, problem.code, problem.data["fields"]) == (0, "CONFLICT", "memo")
    assert (problem.data["local"]["memo"], problem.data["remote"]["memo"]) == ("Ours", "Theirs")
    assert counterpart(books, posted)["CustomerMemo"]["value"] == "Theirs"


@pytest.mark.slow
def test_a_void_here_voids_there(posted, books, sync):
    invoicing.void_invoice(workspace=posted.workspace, invoice_id=posted.pk)
    assert counts(sync())[1] == 1
    there = counterpart(books, posted)
    assert money(there["TotalAmt"]) == 0 and there["PrivateNote"].startswith("Voided")
    assert counts(sync())[:2] == (0, 0) and counts(sync("full"))[:2] == (0, 0)


@pytest.mark.slow
def test_a_void_there_voids_here_and_keeps_what_was_billed(posted, books, sync):
    books.void("Invoice", counterpart(books, posted)["Id"])
    assert counts(sync())[:2] == (1, 0)
    posted.refresh_from_db()
    assert posted.voided_at and posted.total == Decimal("362.07") and posted.lines.count() == 2
    assert counts(sync("full"))[:2] == (0, 0)
    assert not Problem.objects.filter(resolved_at=None).exists()


@pytest.mark.slow
def test_a_void_here_of_what_is_paid_there_is_refused_with_the_way_out(posted, books, sync):
    there = counterpart(books, posted)
    invoicing.void_invoice(workspace=posted.workspace, invoice_id=posted.pk)
    books.receive(there, "50")
    job = sync()
    assert job.failed == 1
    problem = Problem.objects.get(resolved_at=None, record_kind="invoice")
    assert problem.data["reason"] == "has_payments"
    assert money(counterpart(books, posted)["TotalAmt"]) == Decimal("362.07")


@pytest.mark.slow
def test_deleted_there_it_is_flagged_and_never_made_again_unasked(posted, books, sync):
    books.delete("Invoice", counterpart(books, posted)["Id"])
    assert counts(sync())[:2] == (1, 0)
    for mode in ("incremental", "full"):
        change(posted, memo=f"Edited before a {mode} sync")
        assert counts(sync(mode))[1] == 0
    assert books.all("Invoice") == []
    assert Problem.objects.get(resolved_at=None).code == "RECORD_REMOVED"
    assert Invoice.objects.get().voided_at is None


@pytest.mark.slow
def test_a_draft_is_nobodys_business(company, books, sync, workspace, make_client):
    invoicing.create_invoice(workspace=workspace, client_id=make_client().pk, lines=[], date=timezone.localdate())
    assert sync().status == "succeeded"
    assert books.all("Invoice") == []


@pytest.mark.slow
def test_a_total_that_differs_is_shown(posted, books, sync):
    link = Link.objects.get(kind="invoice")
    Invoice.objects.filter(pk=posted.pk).update(total=Decimal("362.09"), tax_total=Decimal("26.84"))
    books.edit(
        "Invoice", link.remote_id, PrivateNote="Checked. " + (books.get("Invoice", link.remote_id)["PrivateNote"])
    )
    books.edit("Invoice", link.remote_id, CustomerMemo={"value": "Checked"})
    sync()
    problem = Problem.objects.get(resolved_at=None)
    assert problem.code == "AMOUNT_VARIANCE" and "362.07" in problem.message


@pytest.mark.slow
def test_prices_with_many_decimals_come_to_the_same_cent(company, books, sync, make_client, make_tax, make_invoice):
    tax = make_tax("California", "0.08")
    prices = ["33.333333", "0.005", "19.995", "4495.16", "0.3333333"]
    invoices = [make_invoice(make_client(), [(None, 3, price)], tax_rate_id=tax.pk) for price in prices]
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    for invoice in invoices:
        invoice.refresh_from_db()
        assert money(counterpart(books, invoice)["TotalAmt"]) == invoice.total
    assert not Problem.objects.filter(resolved_at=None).exists()
    assert counts(sync("full"))[:2] == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("discount", [{"discount_percent": Decimal("12.5")}, {"discount_amount": Decimal("33.33")}])
def test_a_discount_reduces_the_tax_on_both_sides_alike(company, books, sync, make_client, make_item, make_tax,
                                                        make_invoice, discount):  # fmt: skip
    item = make_item()
    free = {"item_id": item.pk, "description": "Permit", "quantity": Decimal(1), "unit_price": Decimal("48.10"),
            "taxable": False}  # fmt: skip
    invoice = make_invoice(make_client(), [(item, 1, "199.99"), free], tax_rate_id=make_tax().pk, **discount)
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    there = counterpart(books, invoice)
    assert money(there["TotalAmt"]) == invoice.total
    assert money(there["TxnTaxDetail"]["TotalTax"]) == invoice.tax_total
    assert counts(sync("full"))[:2] == (0, 0)


@pytest.mark.slow
def test_what_only_rounds_otherwise_is_kept_as_it_was_billed(company, books, sync, make_client, make_tax, make_invoice):
    """Two rates of 4 % of 12.67 come to 1.02, one of 8 % to 1.01."""
    invoice = make_invoice(make_client(), [(None, 2, "6.333333")], tax_rate_id=make_tax("Albany", "0.08").pk)
    assert sync().status == "succeeded"
    assert money(counterpart(books, invoice)["TotalAmt"]) == invoice.total == Decimal("13.68")


@pytest.mark.slow
def test_a_rate_that_differs_is_not_covered_up(company, books, sync, make_client, make_tax, make_invoice):
    tax = make_tax("California", "0.08")
    sync()
    type(tax).objects.filter(pk=tax.pk).update(rate=Decimal("0.0875"), components=[])
    invoice = make_invoice(make_client(), [(None, 1, "100")], tax_rate_id=tax.pk)
    job = sync()
    assert (job.status, job.failed) == ("partial", 1)
    assert money(counterpart(books, invoice)["TotalAmt"]) == Decimal(108)
    problem = Problem.objects.get(resolved_at=None)
    assert (problem.code, problem.data["local"]["total"], problem.data["remote"]["total"]) == (
        "AMOUNT_VARIANCE",
        "108.75",
        "108.00",
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["invoice", "payment"])
def test_a_void_before_the_books_have_heard_of_it_is_nobodys_problem(kind, posted, books, sync, make_invoice, pay):
    invoice = posted if kind == "payment" else make_invoice(posted.client, [(None, 1, "10")])
    if kind == "payment":
        payment = pay(invoice, "10")
        paying.void_payment(workspace=payment.workspace, payment_id=payment.pk)
    else:
        invoicing.void_invoice(workspace=invoice.workspace, invoice_id=invoice.pk)
    assert sync().status == "succeeded" and not Problem.objects.open().exists()
    assert (len(books.all("Invoice")), len(books.all("Payment"))) == (1, 0)
