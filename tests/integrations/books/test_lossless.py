"""What a bookkeeper adds to a document in the books outlives every edit in FieldCamp."""

from decimal import Decimal

import pytest

from fieldcamp.workspace import invoicing, paying
from fieldcamp.workspace.models import Payment
from integrations.models import Problem
from tests.integrations.books.bookkeeper import Bookkeeper, money
from tests.integrations.books.conftest import counts, said
from tests.integrations.providers.quickbooks.conftest import rewrite

SALE = "SalesItemLineDetail"


@pytest.fixture
def posted(company, sync, make_client, make_item, make_tax, make_invoice):
    """240.00 and 95.25, both taxed with 8 %."""
    lines = [(make_item(), 2, "120"), (None, 1, "95.25")]
    invoice = make_invoice(make_client(), lines, tax_rate_id=make_tax().pk)
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    invoice.refresh_from_db()
    return invoice


def lines_of(invoice) -> list[dict]:
    names = ("item_id", "description", "quantity", "unit_price", "taxable")
    return list(invoice.lines.order_by("position").values(*names))


def change_line(invoice, number: int, **values) -> None:
    lines = lines_of(invoice)
    lines[number] |= values
    invoicing.update_invoice(workspace=invoice.workspace, invoice_id=invoice.pk, changes={"lines": lines})


@pytest.mark.slow
def test_class_and_service_date_outlive_an_edit_of_any_line(posted, books, sync):
    klass = books.add("Class", Name="Residential")
    there = books.one("Invoice", DocNumber=posted.number)
    for row in there["Line"][:2]:
        row[SALE] |= {"ServiceDate": "2026-11-03", "ClassRef": {"value": klass["Id"]}}
    before = books.edit("Invoice", there["Id"], Line=there["Line"][:2])
    job = sync()
    assert counts(job)[1] == 0, said(job, "pushed")
    change_line(posted, 0, quantity=Decimal(3))
    assert counts(job := sync())[1] == 1, said(job, "failed")
    after = books.get("Invoice", there["Id"])
    assert after["Line"][1] == before["Line"][1]
    first, was = after["Line"][0], before["Line"][0]
    assert (first["Id"], first["Amount"], first[SALE]) == (was["Id"], 360, {**was[SALE], "Qty": 3})
    posted.refresh_from_db()
    assert money(after["TotalAmt"]) == posted.total == Decimal("491.67")
    assert [counts(sync(mode))[:2] for mode in ("full", "full")] == [(0, 0)] * 2
    assert not Problem.objects.filter(resolved_at=None).exists()


@pytest.mark.slow
def test_an_edit_by_which_the_books_would_lose_something_is_a_problem_with_a_sentence(posted, books, sync):
    there = books.one("Invoice", DocNumber=posted.number)
    estimate = books.add("Estimate", CustomerRef=there["CustomerRef"], Line=there["Line"][:1])
    there["Line"][0]["LinkedTxn"] = [{"TxnId": estimate["Id"], "TxnType": "Estimate"}]
    before = books.edit("Invoice", there["Id"], Line=there["Line"][:2])
    sync()
    invoicing.update_invoice(workspace=posted.workspace, invoice_id=posted.pk, changes={"lines": lines_of(posted)[1:]})
    assert sync().status == "partial"
    problem = Problem.objects.get(resolved_at=None, code="RECORD_REJECTED")
    assert (problem.record_id, problem.data["reason"]) == (posted.pk, "holds_more")
    assert "made from an estimate" in problem.message
    assert books.get("Invoice", there["Id"]) == before
    books.edit("Invoice", there["Id"], Line=before["Line"][1:2])  # where it can be done
    assert sync().status == "succeeded"
    assert not Problem.objects.filter(resolved_at=None).exists()


@pytest.mark.slow
def test_items_that_only_the_books_have_stay_on_their_lines(posted, books, sync, intuit):
    rewrite(intuit, "Preferences", "1", SalesFormsPrefs={"AllowShipping": True})
    there = books.one("Invoice", DocNumber=posted.number)
    account = there["Line"][0][SALE]["ItemAccountRef"]["value"]
    item = books.add("Item", Name="Their own", Type="Service", IncomeAccountRef={"value": account})
    own = {"ItemRef": {"value": item["Id"]}, "Qty": 1, "UnitPrice": 10}
    rows = [
        *there["Line"][:2],
        {"DetailType": SALE, "Amount": 10, "Description": "Theirs", SALE: own},
        {"DetailType": SALE, "Amount": 5, SALE: {"ItemRef": {"value": "SHIPPING_ITEM_ID"}}},
    ]
    before = books.edit("Invoice", there["Id"], Line=rows)
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full", "full")] == [(1, 0), (0, 0), (0, 0)]
    assert books.get("Invoice", there["Id"]) == before
    change_line(posted, 2, quantity=Decimal(2))
    sync()
    after = books.get("Invoice", there["Id"])
    assert after["Line"][2][SALE] == {**before["Line"][2][SALE], "Qty": 2}
    assert after["Line"][-1] == before["Line"][-1]
    lines = [*lines_of(posted), {**lines_of(posted)[0], "description": "More"}]  # below the shipping
    invoicing.update_invoice(workspace=posted.workspace, invoice_id=posted.pk, changes={"lines": lines})
    assert [counts(sync(mode))[:2] for mode in ("incremental", "incremental", "full")] == [(0, 1), (0, 0), (0, 0)]
    after = books.get("Invoice", there["Id"])
    assert after["Line"][-1] == before["Line"][-1]
    posted.refresh_from_db()
    assert money(after["TotalAmt"]) == posted.total
    assert not Problem.objects.filter(resolved_at=None).exists()


@pytest.mark.slow
def test_a_credit_memo_stays_on_a_payment_that_is_edited_here(posted, books, sync):
    there = books.one("Invoice", DocNumber=posted.number)
    sold = {"DetailType": SALE, "Amount": 40, SALE: {"ItemRef": there["Line"][0][SALE]["ItemRef"]}}
    memo = books.add("CreditMemo", CustomerRef=there["CustomerRef"], Line=[sold])
    rows = [
        {"Amount": amount, "LinkedTxn": [{"TxnId": id, "TxnType": kind}]}
        for amount, id, kind in ((100, there["Id"], "Invoice"), (40, memo["Id"], "CreditMemo"))
    ]
    paid = books.add("Payment", CustomerRef=there["CustomerRef"], TotalAmt=60, Line=rows)
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full")] == [(1, 0), (0, 0)]
    payment = Payment.objects.get()
    changes = {"amount": Decimal(90), "allocations": [{"invoice_id": posted.pk, "amount": Decimal(120)}]}
    paying.update_payment(workspace=posted.workspace, payment_id=payment.pk, changes=changes)
    job = sync()
    assert counts(job)[1] == 1, said(job, "failed")
    after = books.get("Payment", paid["Id"])
    assert [(row["Amount"], row["LinkedTxn"][0]["TxnType"]) for row in after["Line"]] == [
        (120, "Invoice"),
        (40, "CreditMemo"),
    ]
    posted.refresh_from_db()
    assert posted.balance == money(books.get("Invoice", there["Id"])["Balance"])


@pytest.mark.slow
def test_an_invoice_that_cannot_be_read_in_full_is_left_alone(posted, books, sync, intuit):
    there = books.one("Invoice", DocNumber=posted.number)
    charged = {"LinkedTxn": [{"TxnId": "29", "TxnType": "StatementCharge"}], "Line": there["Line"][-1:]}
    rewrite(intuit, "Invoice", there["Id"], **charged)
    books.edit("Invoice", there["Id"], DueDate="2026-12-24")
    before = books.get("Invoice", there["Id"])
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full")] == [(1, 0), (0, 0)]
    posted.refresh_from_db()
    assert (posted.due_date.isoformat(), posted.lines.count()) == ("2026-12-24", 2)
    change_line(posted, 0, quantity=Decimal(3))
    sync()
    problem = Problem.objects.get(resolved_at=None, code="RECORD_REJECTED")
    assert (problem.record_id, problem.data["reason"]) == (posted.pk, "unreadable")
    assert books.get("Invoice", there["Id"]) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "mode",
    [
        {"PartnerTaxEnabled": True, "UsingSalesTax": True},
        {"UsingSalesTax": False},
    ],
    ids=str,
)
def test_another_tax_mode_there_changes_no_tax_of_an_invoice(posted, books, sync, intuit, mode):
    there = books.one("Invoice", DocNumber=posted.number)
    rewrite(intuit, "Preferences", "1", TaxPrefs=mode)
    before = books.edit("Invoice", there["Id"], DueDate="2026-12-24", CustomerMemo={"value": "Thanks"})
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full", "full")] == [(1, 0), (0, 0), (0, 0)]
    assert books.get("Invoice", there["Id"]) == before
    posted.refresh_from_db()
    assert posted.tax_total == money(before["TxnTaxDetail"]["TotalTax"]) == Decimal("26.82")
    assert not Problem.objects.filter(resolved_at=None).exists()


@pytest.mark.slow
def test_a_code_of_its_own_outlives_an_edit_of_another_line(
    intuit, connect_books, sync, make_client, make_tax, make_invoice
):
    books = Bookkeeper(intuit, "9130002")
    account = next(row for row in books.all("Account") if row["AccountType"] == "Income")
    item = books.add("Item", Name="Services", Type="Service", IncomeAccountRef={"value": account["Id"]})
    connect_books("9130002", default_item_id=item["Id"])
    tax = make_tax("GST/PST BC", "0.12")
    sync(scope="taxes")
    invoice = make_invoice(make_client(), [(None, 1, "99.99"), (None, 1, "4495.16")], tax_rate_id=tax.pk)
    assert sync().status == "succeeded"
    there = books.one("Invoice", DocNumber=invoice.number)
    gst = books.one("TaxCode", Name="GST")["Id"]
    there["Line"][1][SALE]["TaxCodeRef"] = {"value": gst}
    before = books.edit("Invoice", there["Id"], Line=there["Line"][:2])
    sync()
    variance = Problem.objects.get(resolved_at=None)
    assert variance.code == "AMOUNT_VARIANCE"
    change_line(invoice, 0, quantity=Decimal(2))
    sync()
    after = books.get("Invoice", there["Id"])
    assert after["Line"][1] == before["Line"][1] and after["Line"][0][SALE]["Qty"] == 2
    assert Problem.objects.get(resolved_at=None).code == "AMOUNT_VARIANCE"  # until both sides agree
    assert counts(sync("full"))[:2] == (0, 0)
    assert books.get("Invoice", there["Id"]) == after
