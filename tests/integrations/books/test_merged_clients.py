"""Clients that are merged in FieldCamp: nothing is merged in the books, and nothing there is put otherwise."""

import pytest
from django.contrib.auth.models import User

from fieldcamp.workspace.merging import merge_clients
from fieldcamp.workspace.models import Payment
from fieldcamp.workspace.services import update_client
from integrations.models import Link, Problem
from integrations.reconciliation.report import make_report
from integrations.services.books.links import part
from tests.integrations.books.bookkeeper import money
from tests.integrations.engine import finish
from tests.sandboxed import COMPANY


@pytest.fixture
def merge(workspace):
    return lambda client, into: merge_clients(workspace=workspace, client_id=client.pk, into_id=into.pk)


@pytest.fixture
def merge_there(intuit, books):
    def do(lost: str, kept: str) -> None:
        ids = {name: books.one("Customer", DisplayName=name)["Id"] for name in (lost, kept)}
        call = {"vendor": "intuit", "account": COMPANY, "entity": "Customer", "from": ids[lost], "into": ids[kept]}
        intuit.call("POST", "merge", json=call)

    return do


@pytest.fixture
def ann(company, sync, make_client, make_item, make_invoice, pay):
    """A client with an invoice of 110.00 in the books, of which 10.00 is paid."""
    client = make_client(first_name="Ann", last_name="Lee", email="ann@lee.test")
    client.invoice = make_invoice(client, [(make_item(), 1, "110")])
    pay(client.invoice, "10")
    sync()
    return client


@pytest.fixture
def lee(ann, sync, make_client, make_item, make_invoice):
    """Another with one of 50.00."""
    client = make_client(first_name="A.", last_name="Lee", email="a@lee.test")
    client.invoice = make_invoice(client, [(make_item(name="Valve"), 1, "50")])
    sync()
    return client


def tokens(books) -> dict[tuple[str, str], str]:
    entities = ("Customer", "Invoice", "Payment")
    return {(entity, row["Id"]): row["SyncToken"] for entity in entities for row in books.all(entity)}


def owed(books, name: str):
    return money(books.one("Customer", DisplayName=name)["Balance"])


def question() -> Problem:
    return Problem.objects.listed().get()


@pytest.mark.slow
@pytest.mark.once
def test_both_had_a_customer(ann, lee, books, sync, merge, make_item, make_invoice, pay):
    before = tokens(books)
    merge(ann, lee)
    asked = question()
    assert (asked.code, asked.record_kind, asked.record_id) == ("POSSIBLE_DUPLICATE", "customer", lee.pk)
    assert "“A. Lee”" in asked.message and "“Ann Lee”" in asked.message
    for mode in ("incremental", "full", "full"):
        job = sync(mode)
        assert (job.pushed, job.pulled, job.failed) == (0, 0, 0), mode
        assert tokens(books) == before, mode
    assert question() == asked
    # What is new goes to the survivor's customer; money for what stands at the other, to that one.
    pay(ann.invoice, "100", client_id=lee.pk)
    make_invoice(lee, [(make_item(name="Pump"), 1, "30")])
    assert sync().failed == 0
    assert (owed(books, "Ann Lee"), owed(books, "A. Lee")) == (0, 80)
    assert sync("full").pushed == 0


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize(("lost", "kept"), [("Ann Lee", "A. Lee"), ("A. Lee", "Ann Lee")])
def test_the_question_ends_when_the_two_are_merged_there(
    lost, kept, ann, lee, books, sync, merge, merge_there, make_item, make_invoice
):
    merge(ann, lee)
    sync()
    merge_there(lost, kept)
    job = sync()
    assert (job.status, job.failed) == ("succeeded", 0)
    make_invoice(lee, [(make_item(name="Pump"), 1, "30")])
    assert sync().failed == 0
    sync()
    assert not Problem.objects.listed().exists()
    [left] = books.all("Customer")
    assert money(left["Balance"]) == 110 - 10 + 50 + 30
    assert left["DisplayName"] == "A. Lee"  # as the client is called that is left
    assert [sync(mode).pushed for mode in ("incremental", "full", "full")] == [0, 0, 0]
    assert Link.objects.present().get(kind="customer", record_id=lee.pk).remote_id == left["Id"]


@pytest.mark.slow
@pytest.mark.once
def test_the_other_customer_may_be_merged_there_into_one_that_is_nobodys(
    ann, lee, books, sync, merge, merge_there, make_item, make_invoice
):
    books.add("Customer", DisplayName="Lee Household")
    sync()
    merge(ann, lee)
    sync()
    merge_there("Ann Lee", "Lee Household")
    for mode in ("incremental", "incremental", "full"):
        assert (sync(mode).failed, sync(mode).pushed) == (0, 0)
    assert "“Lee Household”" in question().message
    assert (owed(books, "Lee Household"), owed(books, "A. Lee")) == (100, 50)


@pytest.mark.slow
@pytest.mark.once
def test_the_books_are_right_all_the_same(ann, lee, company, sync, merge):
    merge(ann, lee)
    for mode in ("", "incremental"):
        if mode:
            sync(mode)
        found = make_report(company)
        assert found.differences == [], mode
        [owes] = found.customers
        assert (owes.client_id, owes.here, owes.there) == (lee.pk, 150, 150), mode


@pytest.mark.slow
@pytest.mark.once
def test_the_two_may_stay_apart(ann, lee, sync, merge, desk):
    merge(ann, lee)
    asked, browser = question(), desk()
    page = browser.get(f"/admin/workspace/client/{lee.pk}/change/").content.decode()
    assert "Leave the two apart" in page and "Two customers there, one client here" in page
    browser.post(f"/admin/integrations/problems/{asked.pk}/ignore/")
    assert not Problem.objects.listed().exists()
    sync()
    sync("full")
    assert not Problem.objects.listed().exists()


@pytest.mark.slow
@pytest.mark.once
def test_only_the_one_that_goes_had_a_customer(ann, books, sync, merge, make_client, make_item, make_invoice):
    into = make_client(first_name="Kim", last_name="Reed")
    merge(ann, into)
    assert Link.objects.live().get(kind="customer").record_id == into.pk
    assert sync().failed == 0
    [customer] = books.all("Customer")
    assert (customer["DisplayName"], customer["PrimaryEmailAddr"]["Address"]) == ("Kim Reed", "ann@lee.test")
    make_invoice(into, [(make_item(name="Pump"), 1, "30")])
    assert sync().failed == 0
    assert owed(books, "Kim Reed") == 130
    assert not Problem.objects.listed().exists()
    assert [sync(mode).pushed for mode in ("incremental", "full", "full")] == [0, 0, 0]


@pytest.mark.slow
@pytest.mark.once
def test_neither_had_one_yet(company, books, sync, merge, make_client):
    ann, lee = make_client(first_name="Ann"), make_client(first_name="Lee")
    merge(ann, lee)
    assert sync().failed == 0
    assert [row["DisplayName"] for row in books.all("Customer")] == ["Lee"]


@pytest.mark.slow
@pytest.mark.once
def test_one_that_was_asked_about_leaves_no_question(ann, books, sync, merge, make_client):
    books.add("Customer", DisplayName="Kim Reed", PrimaryEmailAddr={"Address": "office@reed.test"})
    kim = make_client(first_name="Kim", last_name="Reed", email="kim@reed.test")
    sync()
    assert question().record_id == kim.pk
    merge(kim, ann)
    assert not Problem.objects.listed().exists()
    sync("full")
    assert not Problem.objects.listed().exists()
    assert not Link.objects.live().filter(record_id=kim.pk).exists()


@pytest.mark.slow
@pytest.mark.once
def test_one_that_was_asked_about_goes_on_with_the_others_customer(ann, books, sync, merge, make_client):
    books.add("Customer", DisplayName="Kim Reed", PrimaryEmailAddr={"Address": "office@reed.test"})
    kim = make_client(first_name="Kim", last_name="Reed", email="kim@reed.test")
    sync()
    merge(ann, kim)
    assert not Problem.objects.listed().exists()
    assert Link.objects.live().get(kind="customer", record_id=kim.pk).base["display_name"] == "Ann Lee"


@pytest.mark.slow
@pytest.mark.once
def test_money_that_is_received_there_for_the_other_is_the_survivors(ann, lee, books, sync, merge):
    merge(ann, lee)
    sync()
    theirs = next(row for row in books.all("Invoice") if money(row["TotalAmt"]) == 110)
    books.receive(theirs, "40")
    assert sync().failed == 0
    received = Payment.objects.exclude(made_in="").get()
    assert received.client_id == lee.pk
    assert [sync(mode).pushed for mode in ("incremental", "full")] == [0, 0]


@pytest.mark.slow
@pytest.mark.once
def test_one_payment_for_both_waits_and_says_why(ann, lee, books, sync, merge, merge_there, pay):
    merge(ann, lee)
    sync()
    paid = pay(ann.invoice, "70", {ann.invoice.pk: "40", lee.invoice.pk: "30"}, client_id=lee.pk)
    sync()
    waiting = Problem.objects.listed().get(record_kind="payment")
    assert waiting.record_id == paid.pk and "several customers of QuickBooks" in waiting.message
    merge_there("Ann Lee", "A. Lee")
    sync()
    sync()
    assert not Problem.objects.listed().exists()
    assert owed(books, "A. Lee") == 110 - 10 + 50 - 70


@pytest.mark.slow
@pytest.mark.once
def test_an_edit_after_the_merge_sends_what_was_edited(ann, lee, books, sync, merge, workspace):
    merge(ann, lee)
    update_client(workspace=workspace, client_id=lee.pk, changes={"email": "new@lee.test"})
    sync()
    assert books.one("Customer", DisplayName="A. Lee")["PrimaryEmailAddr"]["Address"] == "new@lee.test"
    assert books.one("Customer", DisplayName="Ann Lee")["PrimaryEmailAddr"]["Address"] == "ann@lee.test"


@pytest.mark.slow
@pytest.mark.once
def test_a_write_whose_answer_is_out_is_left_to_the_next_run(ann, books, sync, merge, make_client):
    into, link = make_client(first_name="Kim"), Link.objects.get(record_id=ann.pk)
    Link.objects.filter(pk=link.pk).update(intent={"verb": "update", "fields": {}})
    merge(ann, into)
    assert Link.objects.get(pk=link.pk).record_id == ann.pk
    sync()
    sync()
    assert Link.objects.get(pk=link.pk).record_id == into.pk
    assert len(books.all("Customer")) == 1


@pytest.mark.slow
@pytest.mark.once
def test_a_client_that_was_parted_gets_no_other_customer_unasked(ann, lee, sync, merge):
    merge(ann, lee)
    finish(part(link=Link.objects.live().get(kind="customer", record_id=lee.pk), user=User.objects.create_user("bea")))
    sync()
    asked = Problem.objects.listed().get(record_kind="customer", record_id=lee.pk)
    assert asked.data["reason"] == "match"
    assert Link.objects.live().get(kind="customer", record_id=ann.pk).seen["display_name"] == "Ann Lee"
