"""Questions as people read them: names, numbers and amounts of both sides, no ids, and answers that end them."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.utils.html import escape

from fieldcamp.workspace import invoicing, paying
from fieldcamp.workspace.models import Invoice, Payment, PaymentAllocation, Role
from integrations.models import Link, Problem, SyncJob
from tests.integrations.books.bookkeeper import money
from tests.integrations.books.conftest import TODAY
from tests.integrations.books.pages import card, press


@pytest.fixture
def posted(company, sync, make_client, make_item, make_invoice, make_tax) -> Invoice:
    item, tax = make_item(name="Sump check"), make_tax()
    made = make_invoice(make_client(first_name="Kim", last_name="Reed"), [(item, 2, "101")], tax_rate_id=tax.pk)
    assert sync().status == "succeeded"
    return made


def open_one(code: str, kind: str) -> Problem:
    return Problem.objects.open().get(code=code, record_kind=kind)


def shows(page: str, *words: str) -> None:
    for text in words:
        assert escape(text) in page, text


def cells(page: str) -> set[str]:
    """What stands in the cells of the card's tables, those inside of others too."""
    found = re.findall(r"<td[^>]*>((?:(?!</?td).)*)</td>", page, re.DOTALL)
    return {" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in found}


def no_ids(page: str, *kinds: str, quantity: str = "") -> None:
    """No cell is nothing but an id of the books, or one of ours."""
    ids = set(Link.objects.filter(kind__in=kinds).values_list("remote_id", flat=True)) - {quantity}
    found = {cell for cell in cells(page) if cell in ids or re.search(r"\b(inv|cli|pay|itm|tax)_[0-9A-Z]{10}", cell)}
    assert not found, found


def sell(books, company, number: str, amount: int = 70) -> dict[str, Any]:
    detail = {"ItemRef": {"value": company.books.default_item_id}, "TaxCodeRef": {"value": "NON"}}
    line = {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    customer = books.one("Customer", DisplayName="Kim Reed")
    who = {"value": customer["Id"]}
    return books.add("Invoice", DocNumber=number, CustomerRef=who, TxnDate="2026-11-03", Line=[line])


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("answer", ["new", pytest.param("same", marks=pytest.mark.once)])
def test_two_invoices_of_one_number(answer, posted, company, books, sync, make_invoice, desk):
    sold = sell(books, company, "3050")
    books.receive(sold, "30")
    mine = make_invoice(posted.client, [(None, 1, "149")], number="3050")
    sync()
    problem, browser = open_one("RECORD_REJECTED", "invoice"), desk()
    page = card(browser, problem)
    shows(page, "Is it the same invoice?", "Kim Reed", "149.00", "70.00", "30.00", "40.00", "20 Nov 2026",
          "3 Nov 2026", "Same as “3050”", "It is another: give this one the next number", "Last change",
          "Kim Reed · 20 Nov 2026 · $149.00")  # fmt: skip
    no_ids(page, "customer", "invoice", "item")
    assert "Try again" not in page
    choice = sold["Id"] if answer == "same" else "new"
    outcome = press(browser, problem, "match", choice=choice)
    mine.refresh_from_db()
    problem.refresh_from_db()
    if answer == "new":
        assert "Solved" in outcome and mine.number == "3051"
        assert money(books.one("Invoice", DocNumber="3051")["TotalAmt"]) == 149
    else:  # they are linked, and what differs is asked like any change
        assert Link.objects.get(record_id=mine.pk).remote_id == sold["Id"]
        assert {"CONFLICT"} <= set(Problem.objects.open().values_list("code", flat=True))


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("answer", ["same", pytest.param("new", marks=pytest.mark.once)])
def test_money_that_is_there_a_day_earlier(answer, posted, books, sync, pay, desk):
    there = books.one("Invoice", DocNumber=posted.number)
    theirs = books.receive(there, "101", TxnDate="2026-11-19", PaymentRefNum="1234")
    ours = pay(posted, "101", method="check", reference="1234")
    sync()
    problem, browser = open_one("RECORD_REJECTED", "payment"), desk()
    page = card(browser, problem)
    shows(page, "Is it the same payment?", "Kim Reed", "Check", "1234", posted.number, "20 Nov 2026",
          "Same as “$101.00 · 19 Nov 2026”", "It is another payment")  # fmt: skip
    no_ids(page, "customer", "invoice", "payment")
    assert "Solved" in press(browser, problem, "match", choice=theirs["Id"] if answer == "same" else "new")
    assert Link.objects.get(record_id=ours.pk).remote_id == theirs["Id"] or answer == "new"
    assert Payment.objects.count() == (1 if answer == "same" else 2)


@pytest.mark.slow
@pytest.mark.once
def test_money_that_was_taken_in_already_and_who_may_void_it(posted, books, sync, pay, desk):
    there = books.one("Invoice", DocNumber=posted.number)
    theirs = books.receive(there, "101", TxnDate="2026-11-19", PaymentRefNum="1234")
    sync()
    ours = pay(posted, "101", method="check", reference="1234")
    sync()
    problem = open_one("RECORD_REJECTED", "payment")
    browser = desk()
    shows(card(browser, problem), "Same as “$101.00 · 19 Nov 2026”: void this one", "belongs to", "It is another")
    staff, url = desk(Role.STAFF), f"/admin/integrations/problems/{problem.pk}/match/"
    assert "void this one" not in card(staff, problem)
    assert staff.post(url, {"choice": theirs["Id"]}).status_code == 403
    assert "the same" in press(browser, problem, "match", choice=theirs["Id"])
    ours.refresh_from_db()
    assert ours.voided_at and not Problem.objects.open().exists()


@pytest.mark.slow
@pytest.mark.once
def test_money_that_was_entered_there_once_more(posted, books, sync, pay, desk):
    pay(posted, "101", method="check", reference="1234")
    sync()
    books.receive(books.one("Invoice", DocNumber=posted.number), "101", TxnDate="2026-11-19", PaymentRefNum="1234")
    sync()
    problem, browser = open_one("POSSIBLE_DUPLICATE", "payment"), desk()
    page = card(browser, problem)
    shows(page, "Was it entered twice?", "Kim Reed", "101.00", "19 Nov 2026", "It is another payment: take it in")
    no_ids(page, "customer", "invoice", "payment")
    assert "Same as" not in page and "Try again" not in page
    assert "Solved" in press(browser, problem, "match", choice="new") and Payment.objects.count() == 2


@pytest.mark.slow
@pytest.mark.once
def test_an_item_that_is_there_already(company, books, sync, make_item, desk):
    books.add("Item", Name="Sump Check", Type="Service", Sku="S-1", IncomeAccountRef={"value": "1"})
    two = [make_item(name="Sump check", sku="S-1"), make_item(name="sump check", sku="s-1")]
    sync(scope="items")
    problems = Problem.objects.open().filter(record_kind="item")
    assert problems.count() == 2
    browser = desk()
    page = card(browser, problems[0])
    shows(page, "Is it the same?", "Sump Check", "120.00", "Same as “Sump Check”")
    first, second = problems
    assert "Solved" in press(browser, first, "match", choice=books.one("Item", Name="Sump Check")["Id"])
    name = re.search(r'name="name" value="([^"]+)"', card(browser, second))
    assert "Solved" in press(browser, second, "match", choice="new", name=name[1] if name else "")
    assert Link.objects.live().filter(kind="item", record_id__in=[item.pk for item in two]).count() == 2


@pytest.mark.slow
@pytest.mark.once
def test_a_conflict_names_what_it_is_about(posted, company, books, sync, make_item, desk):
    """Items, the tax code, totals, who and when; numbers without needless zeros."""
    there = books.one("Invoice", DocNumber=posted.number)
    services = {"ItemRef": {"value": company.books.default_item_id}, "TaxCodeRef": {"value": "NON"}, "UnitPrice": 44}
    line = {"Amount": 110, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {**services, "Qty": 2.5}}
    books.edit("Invoice", there["Id"], Line=[line], TxnTaxDetail={"TotalTax": 0})
    row = {"item_id": make_item(name="Valve").pk, "description": "Valve", "quantity": Decimal("1.50000"),
           "unit_price": Decimal("99.0000000")}  # fmt: skip
    invoicing.update_invoice(workspace=posted.workspace, invoice_id=posted.pk, changes={"lines": [row]})
    sync()
    problem = open_one("CONFLICT", "invoice")
    browser = desk()
    for page in (card(browser, problem), browser.get("/admin/integrations/conflicts/").content.decode()):
        shows(page, "Valve", "Services", "1.5", "110.00", "99.00", "Total", "Open balance", "Kim Reed")
        assert {"Valve", "Services", "1.5"} <= cells(page) and "1.50000" not in page and "99.0000000" not in page
        no_ids(page, "item", "tax", "customer", quantity="2")  # before
        assert "seen" in page


@pytest.mark.slow
@pytest.mark.once
def test_a_conflict_of_a_payment_names_its_invoices(posted, books, sync, pay, make_invoice, desk):
    other = make_invoice(posted.client, [(None, 1, "50")])
    payment = pay(posted, "40")
    sync()
    there = {number: books.one("Invoice", DocNumber=number)["Id"] for number in (posted.number, other.number)}
    [body] = books.all("Payment")
    lines = [{"Amount": 40, "LinkedTxn": [{"TxnId": there[other.number], "TxnType": "Invoice"}]}]
    books.edit("Payment", body["Id"], Line=lines)
    shares = [{"invoice_id": posted.pk, "amount": Decimal(30)}]
    changes = {"allocations": shares, "amount": Decimal(30)}
    paying.update_payment(workspace=posted.workspace, payment_id=payment.pk, changes=changes)
    sync()
    problem, browser = open_one("CONFLICT", "payment"), desk()
    page = card(browser, problem)
    assert {posted.number, other.number} <= cells(page)
    no_ids(page, "invoice", "customer")
    press(browser, problem, "resolve", choice="local")
    assert not Problem.objects.open().filter(code="CONFLICT").exists()
    assert money(books.get("Payment", body["Id"])["TotalAmt"]) == 30


@pytest.mark.slow
@pytest.mark.once
def test_a_number_that_the_books_refuse_has_a_way_out(posted, sync, make_invoice, desk):
    mine = make_invoice(posted.client, [(None, 1, "149")])
    sync(scope="customers")
    link = Link.objects.create(stream=posted_stream(posted), kind="invoice", record_id=mine.pk, remote_id="f" * 32,
                               parked=True)  # fmt: skip
    problem = Problem.objects.create(
        workspace=posted.workspace, integration="quickbooks", connection=link.stream.connection, link=link,
        code="RECORD_REJECTED", record_kind="invoice", record_id=mine.pk, message="The number is taken.",
        occurred_at=link.updated_at, data={"reason": "duplicate_number"},
    )  # fmt: skip
    browser = desk()
    shows(card(browser, problem), "The number is taken", "It is another: give this one the next number")
    assert "Solved" in press(browser, problem, "match", choice="new")
    assert Invoice.objects.get(pk=mine.pk).number == "1003"


@pytest.mark.slow
@pytest.mark.once
def test_money_for_which_nothing_is_open_there(posted, books, sync, pay, make_invoice, desk):
    """It is refused since another payment, which does not look like it, has paid the invoice there already."""
    other = make_invoice(posted.client, [(None, 1, "50")])
    sync()
    there = books.receive(books.one("Invoice", DocNumber=posted.number), "200", TxnDate="2026-09-01")
    sync()
    ours = pay(other, "50")
    link = Link.objects.create(stream=Link.objects.get(remote_id=there["Id"], kind="payment").stream, kind="payment",
                               record_id=ours.pk, remote_id="f" * 32, parked=True)  # fmt: skip
    PaymentAllocation.objects.filter(payment=ours).update(invoice=posted)
    problem = Problem.objects.create(
        workspace=posted.workspace, integration="quickbooks", connection=link.stream.connection, link=link,
        code="RECORD_REJECTED", record_kind="payment", record_id=ours.pk, message="Only 18.16 is open there.",
        occurred_at=link.updated_at, data={"reason": "over_applied"},
    )  # fmt: skip
    browser = desk()
    shows(card(browser, problem), "Same as “$200.00 · 1 Sep 2026”: void this one", "Try again")
    press(browser, problem, "match", choice=there["Id"])
    ours.refresh_from_db()
    assert ours.voided_at and not Problem.objects.open().filter(pk=problem.pk).exists()


def posted_stream(invoice: Invoice):
    return Link.objects.get(record_id=invoice.pk).stream


@pytest.mark.slow
@pytest.mark.once
def test_a_records_page_shows_no_id_of_what_is_not_there_yet(posted, sync, make_invoice, desk):
    mine = make_invoice(posted.client, [(None, 1, "149")])
    Link.objects.create(stream=posted_stream(posted), kind="invoice", record_id=mine.pk, remote_id="f" * 32)
    page = desk().get(f"/admin/workspace/invoice/{mine.pk}/change/").content.decode()
    assert "f" * 32 not in page
    assert 'value="1.00000"' not in page and 'value="149"' in page
    assert TODAY.isoformat() in page and not SyncJob.objects.filter(status="queued").exists()
