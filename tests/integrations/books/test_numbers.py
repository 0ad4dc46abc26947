"""The numbers of invoices, which both sides count on by themselves: no two sales ever become one."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from fieldcamp.workspace.models import Change, Invoice
from integrations.models import Link, Problem
from integrations.services.books.decisions import decide_match
from tests.integrations.books.bookkeeper import money
from tests.integrations.books.conftest import TODAY, before_the_connection, counts, said
from tests.integrations.engine import finish
from tests.integrations.providers.quickbooks.conftest import rewrite

OTHERS = [
    pytest.param({"TxnDate": "2026-11-20"}, id="the same in everything"),
    pytest.param({"TxnDate": "2026-10-01"}, id="another day", marks=[pytest.mark.slow, pytest.mark.once]),
    pytest.param({"amount": 80}, id="another total", marks=[pytest.mark.slow, pytest.mark.once]),
    pytest.param({"who": "Lee Park"}, id="another client", marks=[pytest.mark.slow, pytest.mark.once]),
    pytest.param(
        {"who": "Lee Park", "amount": 80}, id="another client and total", marks=[pytest.mark.slow, pytest.mark.once]
    ),
]


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("bea")


@pytest.fixture
def sell(books, company):
    """The bookkeeper makes an invoice by hand."""

    def sell(number: str, who: str = "Kim Reed", amount: float = 100, **fields: Any) -> dict[str, Any]:
        customers = [row for row in books.all("Customer") if row["DisplayName"] == who]
        customer = customers[0] if customers else books.add("Customer", DisplayName=who)
        detail = {"ItemRef": {"value": company.books.default_item_id}, "TaxCodeRef": {"value": "NON"}}
        line = {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
        line |= {"Description": "Work"}
        more = {"TxnDate": TODAY.isoformat(), **fields}
        return books.add("Invoice", DocNumber=number, CustomerRef={"value": customer["Id"]}, Line=[line], **more)

    return sell


@pytest.fixture
def kim(company, sync, make_client):
    client = make_client(first_name="Kim", last_name="Reed", email="kim@example.test")
    assert sync().status == "succeeded"
    return client


def question() -> Problem:
    [problem] = Problem.objects.open().filter(record_kind="invoice")
    assert (problem.data["reason"], problem.record_kind) == ("match", "invoice")
    return problem


@pytest.mark.slow
@pytest.mark.once
def test_the_next_number_is_above_all_that_were_seen(kim, books, sync, sell, make_invoice):
    """Of invoices that only the books have, of such as were voided, renumbered or deleted afterwards, too."""
    make_invoice(kim, [(None, 1, "10")])
    sell("2000"), books.void("Invoice", sell("2040")["Id"])
    deleted, renamed = sell("2030"), sell("A-9")
    sync()
    books.delete("Invoice", deleted["Id"]), books.edit("Invoice", renamed["Id"], DocNumber="2050")
    sync()
    there = {row["DocNumber"] for row in books.all("Invoice")}
    mine = [make_invoice(kim, [(None, 1, "10")]).number for _ in range(3)]
    assert mine == ["2051", "2052", "2053"]
    assert sync().status == "succeeded" and not Problem.objects.open().exists()
    assert {row["DocNumber"] for row in books.all("Invoice")} == there | {*mine}


@pytest.mark.slow
@pytest.mark.parametrize("theirs", OTHERS)
@pytest.mark.parametrize("first", ["here", pytest.param("there", marks=pytest.mark.once)])
def test_two_sales_of_one_number_end_as_two(first, theirs, kim, books, sync, sell, make_invoice, pay, user):
    """Whoever was first, however much agrees: it is asked, and the answer gives FieldCamp's another number."""
    if first == "there":
        sold = sell("3050", **theirs)
    invoice = make_invoice(kim, [(None, 1, "100")], number="3050")
    payment = pay(invoice, "40")
    if first == "here":
        sold = sell("3050", **theirs)
    for _ in range(2):
        job = sync()
        assert job.failed == 2 and any("number 3050 already" in text for text in said(job, "failed"))
    assert question().data["candidates"] == [sold["Id"]]
    job = finish(decide_match(problem=question(), choice="new", user=user))
    assert job.status == "succeeded", said(job, "failed")
    sync()
    assert not Problem.objects.open().exists()
    invoice.refresh_from_db()
    assert invoice.number == "3051" and Change.objects.get(record_id=invoice.pk, actor="bea").after["number"] == "3051"
    posted = books.one("Invoice", DocNumber="3051")
    assert (money(posted["TotalAmt"]), money(posted["Balance"])) == (100, 60)
    assert books.get("Invoice", sold["Id"]) == sold  # and the bookkeeper's is as it was
    assert Link.objects.get(record_id=payment.pk).seen["allocations"][0]["invoice"] == posted["Id"]
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full")] == [(0, 0)] * 2


@pytest.mark.slow
@pytest.mark.once
def test_one_sale_entered_twice_is_one_by_a_persons_word(kim, books, sync, sell, make_invoice, user):
    sold = sell("3050", DueDate=TODAY.isoformat())
    invoice = make_invoice(kim, [(None, 1, "100")], number="3050")
    sync()
    decide = finish(decide_match(problem=question(), choice=sold["Id"], user=user))
    assert decide.status == "succeeded", said(decide, "failed")
    assert Link.objects.get(record_id=invoice.pk).remote_id == sold["Id"]
    assert len(books.all("Invoice")) == 1 and Invoice.objects.get().number == "3050"


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("number", ["３０５１", "03051", " 3051 "])
def test_a_number_is_the_same_however_it_is_written(number, kim, sync, sell, make_invoice):
    make_invoice(kim, [(None, 1, "100")], number="3051")
    sell(number, amount=70)
    sync()
    assert question()


@pytest.mark.slow
@pytest.mark.once
def test_what_was_entered_by_hand_before_the_connection_is_linked(kim, company, books, sync, sell, make_invoice):
    sold = sell("a-17", DueDate=TODAY.isoformat()), sell("A-18", TxnDate="2026-10-01")
    invoice = make_invoice(kim, [(None, 1, "100")], number="A-17")
    make_invoice(kim, [(None, 1, "100")], number="A-18")
    before_the_connection(company)
    sync()
    assert Link.objects.get(record_id=invoice.pk).remote_id == sold[0]["Id"]
    assert question().data["candidates"] == [sold[1]["Id"]]


@pytest.mark.slow
@pytest.mark.once
def test_what_was_refused_and_then_entered_by_hand_is_asked(kim, books, intuit, sync, sell, make_invoice, user):
    """Its own refusal is no reason to post it a second time later."""
    rewrite(intuit, "Preferences", "1", AccountingInfoPrefs={"BookCloseDate": TODAY.isoformat()})
    invoice = make_invoice(kim, [(None, 1, "100")])
    sync()
    assert Problem.objects.open().get().data["reason"] == "closed_period"
    rewrite(intuit, "Preferences", "1", AccountingInfoPrefs={})
    sell(invoice.number)
    sync()
    assert question().record_id == invoice.pk
    finish(decide_match(problem=question(), choice="new", user=user))
    assert sorted(row["DocNumber"] for row in books.all("Invoice")) == ["1001", "1002"]


@pytest.mark.slow
@pytest.mark.once
def test_what_was_deleted_and_entered_again_there_is_asked(kim, books, sync, sell, make_invoice, user):
    invoice = make_invoice(kim, [(None, 1, "100")])
    sync()
    books.delete("Invoice", books.all("Invoice")[0]["Id"])
    sync()
    sold = sell(invoice.number, DueDate=TODAY.isoformat())
    sync()
    problem = Problem.objects.open().get(code="RECORD_REJECTED")
    assert (problem.data["candidates"], problem.record_id) == ([sold["Id"]], invoice.pk)
    job = finish(decide_match(problem=problem, choice=sold["Id"], user=user))
    assert job.status == "succeeded", said(job, "failed")
    assert not Problem.objects.open().filter(code="RECORD_REMOVED").exists()
    assert Link.objects.live().get(record_id=invoice.pk).remote_id == sold["Id"]


@pytest.mark.slow
@pytest.mark.once
def test_a_question_goes_with_its_cause(kim, books, sync, sell, make_invoice):
    """The bookkeeper's is renumbered: FieldCamp's is posted under its number, and nobody is asked any more."""
    invoice = make_invoice(kim, [(None, 1, "100")])
    sold = sell(invoice.number, amount=70)
    sync()
    assert question()
    books.edit("Invoice", sold["Id"], DocNumber="B-1")
    assert sync().status == "succeeded"
    assert not Problem.objects.open().exists()
    assert money(books.one("Invoice", DocNumber=invoice.number)["TotalAmt"]) == 100


@pytest.mark.slow
@pytest.mark.once
def test_a_void_one_is_nobodys_sale(kim, books, sync, sell, make_invoice):
    invoice = make_invoice(kim, [(None, 1, "100")])
    books.void("Invoice", sell(invoice.number)["Id"])
    assert sync().status == "succeeded"
    assert sorted(money(row["TotalAmt"]) for row in books.all("Invoice")) == [0, 100]
