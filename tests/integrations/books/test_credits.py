"""What settles invoices in the books beside payments: deposits on the form, credits, and what was paid back."""

from decimal import Decimal
from typing import Any

import pytest

from fieldcamp.workspace import invoicing, paying
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.models import Payment
from integrations.models import Problem
from integrations.services.books.decisions import post_again
from tests.integrations.books.bookkeeper import money
from tests.integrations.books.conftest import counts, said
from tests.integrations.engine import finish

SALE, EXPENSE = "SalesItemLineDetail", "AccountBasedExpenseLineDetail"


@pytest.fixture
def posted(company, sync, make_client, make_invoice):
    """An invoice over 100.00 that stands in the books."""
    invoice = make_invoice(make_client(), [(None, 1, "100")])
    sync()
    return invoice


@pytest.fixture
def there(posted, books):
    return books.one("Invoice", DocNumber=posted.number)


def agree(books, *invoices) -> None:
    """What is open of each is the same on both sides, and nothing waits for anybody."""
    for invoice in invoices:
        invoice.refresh_from_db()
        assert invoice.balance == money(books.one("Invoice", DocNumber=invoice.number)["Balance"])
    assert not Problem.objects.filter(resolved_at=None).exists()


def memo_of(books, invoice: dict[str, Any], amount: float) -> dict[str, Any]:
    sold = {"DetailType": SALE, "Amount": amount, SALE: {"ItemRef": invoice["Line"][0][SALE]["ItemRef"]}}
    return books.add("CreditMemo", CustomerRef=invoice["CustomerRef"], Line=[sold])


def row(amount: float, id: str, kind: str = "Invoice") -> dict[str, Any]:
    return {"Amount": amount, "LinkedTxn": [{"TxnId": id, "TxnType": kind}]}


def paid_back(books, customer: str, amount: float) -> dict[str, Any]:
    """An expense by which the customer has got money back."""
    accounts = {each["AccountType"]: {"value": each["Id"]} for each in books.all("Account")}
    detail = {"AccountRef": accounts["Accounts Receivable"]}
    line = {"Amount": amount, "DetailType": EXPENSE, EXPENSE: detail}
    payee = {"EntityRef": {"value": customer, "type": "Customer"}}
    return books.add("Purchase", PaymentType="Cash", AccountRef=accounts["Bank"], Line=[line], **payee)


@pytest.mark.slow
def test_a_deposit_on_the_form_is_read_and_never_written(posted, there, books, sync):
    books.edit("Invoice", there["Id"], Deposit=30.0)
    assert counts(sync())[:2] == (1, 0)
    agree(books, posted)
    assert (posted.deposit, posted.balance, posted.settlement) == (30, 70, "partial")
    lines = [{"item_id": None, "description": "More", "quantity": Decimal(1), "unit_price": Decimal(120)}]
    invoicing.update_invoice(workspace=posted.workspace, invoice_id=posted.pk, changes={"lines": lines, "memo": "Hi"})
    assert counts(sync())[:2] == (0, 1)
    after = books.get("Invoice", there["Id"])
    assert (after["Deposit"], after["DepositToAccountRef"]["value"], after["Balance"]) == (30, "4", 90)
    agree(books, posted)
    assert counts(sync("full"))[:2] == (0, 0)


@pytest.mark.slow
def test_a_deposit_that_is_changed_or_taken_off_there_follows(posted, there, books, sync):
    for amount, balance, settled in ((25, 75, "partial"), (100, 0, "paid"), (40, 60, "partial"), (0, 100, "unpaid")):
        books.edit("Invoice", there["Id"], Deposit=float(amount))
        assert counts(sync())[:2] == (1, 0)
        agree(books, posted)
        assert (posted.deposit, posted.balance, posted.settlement) == (amount, balance, settled)
        assert [counts(sync(mode))[:2] for mode in ("incremental", "full")] == [(0, 0), (0, 0)]


@pytest.mark.slow
def test_what_a_deposit_leaves_open_can_be_paid_and_no_more(posted, there, books, sync, pay):
    books.edit("Invoice", there["Id"], Deposit=30.0)
    sync()
    posted.refresh_from_db()
    with pytest.raises(InvalidFields, match=r"Only 70\.00 .* is open: a deposit of 30\.00 was taken in the books"):
        pay(posted, "80")
    pay(posted, "70")
    sync()
    agree(books, posted)
    assert (posted.balance, posted.settlement) == (0, "paid")


@pytest.mark.slow
def test_an_invoice_is_not_made_smaller_than_its_deposit(posted, there, books, sync):
    books.edit("Invoice", there["Id"], Deposit=30.0)
    sync()
    lines = [{"item_id": None, "description": "Less", "quantity": Decimal(1), "unit_price": Decimal(20)}]
    with pytest.raises(InvalidTransition, match=r"Lower the deposit in the books"):
        invoicing.update_invoice(workspace=posted.workspace, invoice_id=posted.pk, changes={"lines": lines})


@pytest.mark.slow
def test_a_void_does_not_lose_a_deposit(posted, there, books, sync):
    """It waits, with a sentence, until the deposit is taken off there, and then goes by itself."""
    books.edit("Invoice", there["Id"], Deposit=30.0)
    sync()
    invoicing.void_invoice(workspace=posted.workspace, invoice_id=posted.pk)
    sync()
    assert "A deposit of 30.00 was taken on this invoice" in Problem.objects.get(resolved_at=None).message
    assert books.get("Invoice", there["Id"])["Balance"] == 70
    books.edit("Invoice", there["Id"], Deposit=0)
    sync()
    agree(books, posted)
    assert books.get("Invoice", there["Id"])["PrivateNote"].startswith("Voided")


@pytest.mark.slow
def test_a_void_there_takes_the_deposit_along(posted, there, books, sync):
    books.edit("Invoice", there["Id"], Deposit=30.0)
    sync()
    books.void("Invoice", there["Id"])
    sync()
    agree(books, posted)
    assert posted.voided_at and posted.balance == 0


@pytest.mark.slow
def test_a_deposit_on_an_invoice_that_is_paid_gives_the_payment_back(posted, there, books, sync, pay):
    """QuickBooks takes off the payment what is too much now: it is unapplied on both sides."""
    payment = pay(posted, "100")
    sync()
    books.edit("Invoice", there["Id"], Deposit=30.0)
    sync()
    agree(books, posted)
    payment = Payment.objects.get(pk=payment.pk)
    assert (posted.paid, posted.balance, payment.unapplied) == (70, 0, 30)


@pytest.mark.slow
def test_what_is_posted_again_has_no_deposit(posted, there, books, sync, admin_user):
    """The deposit went with the invoice that was deleted there."""
    books.edit("Invoice", there["Id"], Deposit=30.0)
    sync()
    books.delete("Invoice", there["Id"])
    sync()
    finish(post_again(problem=Problem.objects.get(resolved_at=None), user=admin_user))
    sync()
    agree(books, posted)
    assert (posted.deposit, posted.balance) == (0, 100)


@pytest.mark.slow
def test_credit_that_was_applied_there_is_no_payment_of_nothing(posted, there, books, sync):
    memo = memo_of(books, there, 30)
    rows = [row(30, there["Id"]), row(30, memo["Id"], "CreditMemo")]
    books.add("Payment", CustomerRef=there["CustomerRef"], TotalAmt=0, Line=rows)
    assert counts(sync())[:2] == (1, 0)
    agree(books, posted)
    credit = Payment.objects.get()
    assert (credit.amount, credit.credited, credit.unapplied, credit.is_credit) == (0, 30, 0, True)
    assert str(credit).startswith("Credit of $30.00")
    with pytest.raises(InvalidFields, match=r"in all: in the books 30\.00 of credit was applied with it"):
        changes = {"allocations": [{"invoice_id": posted.pk, "amount": Decimal(40)}]}
        paying.update_payment(workspace=posted.workspace, payment_id=credit.pk, changes=changes)
    assert counts(sync("full"))[:2] == (0, 0)


@pytest.mark.slow
def test_credit_beside_money(posted, there, books, sync):
    """60.00 of money and 40.00 of a credit memo pay 100.00: what is taken off again is left of the money."""
    memo = memo_of(books, there, 40)
    rows = [row(100, there["Id"]), row(40, memo["Id"], "CreditMemo")]
    paid = books.add("Payment", CustomerRef=there["CustomerRef"], TotalAmt=60, Line=rows)
    sync()
    agree(books, posted)
    payment = Payment.objects.get()
    assert (payment.amount, payment.credited, payment.is_credit, payment.unapplied) == (60, 40, False, 0)
    changes = {"allocations": [{"invoice_id": posted.pk, "amount": Decimal(70)}]}
    paying.update_payment(workspace=posted.workspace, payment_id=payment.pk, changes=changes)
    job = sync()
    assert counts(job)[:2] == (0, 1), said(job, "failed")
    agree(books, posted)
    payment = Payment.objects.get()
    assert payment.unapplied == money(books.get("Payment", paid["Id"])["UnappliedAmt"]) == 30


@pytest.mark.slow
def test_money_that_was_paid_back_is_not_left_of_the_payment(posted, there, books, sync):
    """It is paid back by an expense on receivables, which then stands on the payment as a row."""
    paid = books.add("Payment", CustomerRef=there["CustomerRef"], TotalAmt=150, Line=[row(100, there["Id"])])
    sync()
    assert Payment.objects.get().unapplied == 50
    back = paid_back(books, there["CustomerRef"]["value"], 20)
    books.edit("Payment", paid["Id"], Line=[row(100, there["Id"]), row(20, back["Id"], "Expense")])
    assert counts(sync())[:2] == (1, 0)
    agree(books, posted)
    payment = Payment.objects.get()
    assert (payment.elsewhere, payment.unapplied) == (20, 30)
    with pytest.raises(InvalidFields, match=r"more than 90\.00 in all: in the books 20\.00 of it was used otherwise"):
        paying.update_payment(workspace=posted.workspace, payment_id=payment.pk, changes={"amount": Decimal(110)})
    paying.update_payment(workspace=posted.workspace, payment_id=payment.pk, changes={"reference": "R1"})
    assert counts(sync())[:2] == (0, 1)
    after = books.get("Payment", paid["Id"])
    assert [each["LinkedTxn"][0]["TxnType"] for each in after["Line"]] == ["Invoice", "Expense"]
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full")] == [(0, 0), (0, 0)]


@pytest.mark.slow
def test_what_is_left_of_a_payment_that_pays_more_than_fieldcamp_has(posted, there, books, sync):
    """It pays an invoice that only the books have, too; later it pays less of that."""
    other = books.add("Invoice", CustomerRef=there["CustomerRef"], DocNumber="B-1", Line=there["Line"][:1])
    rows = [row(50, there["Id"]), row(60, other["Id"])]
    paid = books.add("Payment", CustomerRef=there["CustomerRef"], TotalAmt=150, Line=rows)
    for more in (60, 20, 35):
        books.edit("Payment", paid["Id"], Line=[rows[0], row(more, other["Id"])])
        sync()
        agree(books, posted)
        payment = Payment.objects.get()
        assert payment.unapplied == money(books.get("Payment", paid["Id"])["UnappliedAmt"]) == 100 - more
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full")] == [(0, 0), (0, 0)]
