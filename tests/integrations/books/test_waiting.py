"""What waits goes on by itself once its cause is mended; what waits for something that is gone is a problem."""

import datetime as dt

import pytest
from django.contrib.auth.models import User

from fieldcamp.workspace.services import update_client
from integrations.books.references import Missing, why_missing
from integrations.kinds import CUSTOMER
from integrations.models import Link, Problem, SyncJob
from integrations.services.books.decisions import post_again, void_here
from tests.integrations import build
from tests.integrations.books.bookkeeper import money
from tests.integrations.engine import finish


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("bea")


def errors(job) -> list[tuple[str, str]]:
    return sorted((error["code"], error["record"]["id"]) for error in job.errors)


@pytest.fixture
def paid(company, books, sync, make_client, make_item, make_invoice, pay):
    """An invoice of 100.00 and the payment of it, both posted."""
    invoice = make_invoice(make_client(), [(make_item(), 1, "100")])
    payment = pay(invoice, "100")
    sync()
    return invoice, payment


@pytest.mark.slow
def test_a_payment_that_was_deleted_there_is_a_difference_until_somebody_decides(paid, books, sync, user):
    invoice, payment = paid
    books.delete("Payment", books.one("Payment")["Id"])
    for mode in ("incremental", "incremental", "full"):
        assert errors(sync(mode)) == [("AMOUNT_VARIANCE", invoice.pk), ("RECORD_REMOVED", payment.pk)], mode
    assert "open balance 0.00 and 100.00" in Problem.objects.listed().get(code="AMOUNT_VARIANCE").message
    assert finish(post_again(problem=Problem.objects.listed().get(code="RECORD_REMOVED"), user=user)).failed == 0
    sync()
    assert not Problem.objects.open().exists()
    assert money(books.one("Invoice")["Balance"]) == 0


@pytest.mark.slow
def test_a_payment_that_was_deleted_there_is_voided_here(paid, books, sync, user):
    books.delete("Payment", books.one("Payment")["Id"])
    sync()
    void_here(problem=Problem.objects.listed().get(code="RECORD_REMOVED"), user=user)
    assert sync().errors == []
    assert not Problem.objects.open().exists()
    assert sync("full").pushed == 0


@pytest.mark.slow
def test_a_payment_of_an_invoice_that_was_deleted_there_is_a_problem(company, books, sync, make_client, make_item,
                                                                      make_invoice, pay):  # fmt: skip
    invoice = make_invoice(make_client(), [(make_item(), 1, "100")])
    sync()
    books.delete("Invoice", books.one("Invoice")["Id"])
    sync()
    payment = pay(invoice, "40")
    for _ in range(2):
        assert errors(sync()) == [("RECORD_REMOVED", invoice.pk), ("WAITING_FOR_GONE", payment.pk)]
    assert f"its invoice {invoice.number}, which was removed" in Problem.objects.get(code="WAITING_FOR_GONE").message


@pytest.mark.slow
def test_documents_of_a_client_about_whom_is_asked_are_problems_until_that_is_answered(
    company, books, sync, make_client, make_item, make_invoice
):
    client = make_client(first_name="Kim", last_name="Reed")
    books.add("Vendor", DisplayName="Kim Reed")
    invoice = make_invoice(client, [(make_item(), 1, "100")])
    sync()
    assert errors(sync()) == [("RECORD_REJECTED", client.pk), ("WAITING_FOR_GONE", invoice.pk)]
    update_client(workspace=client.workspace, client_id=client.pk, changes={"last_name": "Reed-Lee"})
    assert sync().errors == []
    assert books.one("Invoice")["CustomerRef"]["name"] == "Kim Reed-Lee"


@pytest.mark.slow
def test_what_is_on_its_way_is_no_problem(company, sync, make_client, make_item, make_invoice, pay):
    pay(make_invoice(make_client(), [(make_item(), 1, "100")]), "40")
    job = sync(scope="payments")
    assert (job.errors, job.failed) == ([], 0)
    assert sync().errors == []


@pytest.mark.slow
def test_what_was_refused_for_a_closed_period_goes_by_itself_once_it_is_open(company, books, sync, make_client,
                                                                             make_item, make_invoice):  # fmt: skip
    early = make_invoice(make_client(), [(make_item(), 1, "100")], date=dt.date(2026, 9, 1))
    books.click("settings", action="close", day="2026-09-30")
    for _ in range(2):
        assert errors(sync()) == [("RECORD_REJECTED", early.pk)]
    books.click("settings", action="close", day="")
    job = sync()
    assert (job.errors, job.pushed) == ([], 1)
    assert books.one("Invoice", DocNumber=early.number)


@pytest.mark.slow
def test_what_was_refused_for_something_inactive_goes_by_itself_once_it_is_active(company, books, sync, make_client,
                                                                                  make_item, make_invoice):  # fmt: skip
    client, item = make_client(), make_item()
    make_invoice(client, [(item, 1, "100")])
    sync()
    customer = books.one("Customer")
    books.edit("Customer", customer["Id"], Active=False)
    later = make_invoice(client, [(item, 1, "30")])
    for _ in range(2):
        assert errors(sync()) == [("RECORD_REJECTED", later.pk)]
    books.edit("Customer", customer["Id"], Active=True)
    assert sync().errors == []
    assert books.one("Invoice", DocNumber=later.number)


@pytest.mark.parametrize(
    ("links", "asked", "why"),
    [
        ([], False, Missing.COMING),
        ([], True, Missing.ASKED),
        ([{"seen_gone": True, "cut_at": "2026-11-20T08:00:00Z"}], False, Missing.GONE),
        ([{"seen_gone": True}], True, Missing.GONE),
        ([{"seen_gone": True, "cut_at": "2026-11-20T08:00:00Z"}, {}], False, Missing.COMING),
    ],
)
def test_why_the_books_do_not_have_a_record(links, asked, why, db):
    company = build.connection(build.workspace(), integration="quickbooks")
    stream = company.streams.create(kind="customer", container_id="Customer")
    for number, fields in enumerate(links):
        Link.objects.create(stream=stream, kind="customer", record_id="cli_1", remote_id=f"r{number}", **fields)
    if asked:
        Problem.objects.create(
            workspace=company.workspace, connection=company, code="RECORD_REJECTED", record_kind="customer",
            record_id="cli_1", message="…", occurred_at="2026-11-20T08:00:00Z",
        )  # fmt: skip
    assert why_missing(company, CUSTOMER, ["cli_1"]) == {"cli_1": why}


@pytest.mark.slow
def test_all_that_wait_for_one_reason_are_tried_again_by_one_press(company, books, sync, make_client, make_item,
                                                                   make_invoice, desk):  # fmt: skip
    """Under a cause that no sync can see: a vendor there has each client's name."""
    vendors = [books.add("Vendor", DisplayName=f"Kim Reed {number}") for number in range(3)]
    for vendor in vendors:
        make_client(first_name="Kim", last_name=vendor["DisplayName"].removeprefix("Kim "))
    sync()
    refused = list(Problem.objects.listed())
    assert len(refused) == 3
    for vendor in vendors:
        books.edit("Vendor", vendor["Id"], DisplayName=f"Vendor {vendor['Id']}")
    assert sync().pushed == 0
    browser = desk()
    page = browser.get(f"/admin/integrations/problem/{refused[0].pk}/change/").content.decode()
    assert "Try all 3 again" in page
    assert browser.post(f"/admin/integrations/problems/{refused[0].pk}/retry-all/").status_code == 302
    job = finish(SyncJob.objects.get(status="queued"))
    assert (job.pushed, job.errors) == (3, [])
