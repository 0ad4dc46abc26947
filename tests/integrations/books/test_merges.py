"""Customers that were merged in the books: the survivor stands on the documents, and work goes on with that one."""

import pytest

from fieldcamp.workspace.models import Item
from fieldcamp.workspace.services import update_client
from integrations.models import Link, Problem
from integrations.services.books.decisions import post_again
from integrations.services.decisions import AlreadyDecided
from tests.integrations.books.bookkeeper import money
from tests.sandboxed import COMPANY


@pytest.fixture
def merge(intuit, books):
    def do(lost: str, kept: str, entity: str = "Customer") -> None:
        """Makes one record of two, as the bookkeeper does on their page, by their names."""
        by = "DisplayName" if entity == "Customer" else "Name"
        ids = {name: books.one(entity, **{by: name})["Id"] for name in (lost, kept)}
        call = {"vendor": "intuit", "account": COMPANY, "entity": entity, "from": ids[lost], "into": ids[kept]}
        intuit.call("POST", "merge", json=call)

    return do


@pytest.fixture
def kim(company, sync, make_client, make_item, make_invoice, pay):
    """A client with a posted invoice of 110.00, of which 10.00 is paid."""
    client = make_client(first_name="Kim", last_name="Reed", email="kim@example.test")
    pay(make_invoice(client, [(make_item(), 1, "110")]), "10")
    sync()
    return client


def owed(books, name: str):
    return money(books.one("Customer", DisplayName=name)["Balance"])


def is_quiet(sync) -> bool:
    """Whether three more runs write nothing anywhere."""
    jobs = [sync(), sync("full"), sync("full")]
    return not any(job.pulled or job.pushed or job.failed for job in jobs)


@pytest.mark.slow
@pytest.mark.once
def test_work_goes_on_with_a_survivor_that_was_nobodys(kim, books, sync, merge, make_item, make_invoice, pay):
    books.add("Customer", DisplayName="Reed Household", GivenName="Kim", FamilyName="Reed-Lee")
    sync()
    merge("Kim Reed", "Reed Household")
    later = make_invoice(kim, [(make_item(name="Valve"), 1, "130")])
    pay(later, "20")
    job = sync()
    assert (job.status, job.failed, job.errors) == ("succeeded", 0, [])
    assert owed(books, "Reed Household") == 110 - 10 + 130 - 20
    assert sync().pulled == 1  # what the books say of the survivor
    kim.refresh_from_db()
    assert kim.last_name == "Reed-Lee"
    [told] = Problem.objects.open()
    assert told.notice and "merged into “Reed Household”" in told.message
    assert is_quiet(sync)
    with pytest.raises(AlreadyDecided):  # the customer is not made once more
        post_again(problem=told, user=None)
    update_client(workspace=kim.workspace, client_id=kim.pk, changes={"email": "new@example.test"})
    sync()
    assert books.one("Customer", DisplayName="Reed Household")["PrimaryEmailAddr"]["Address"] == "new@example.test"


@pytest.mark.slow
@pytest.mark.once
def test_documents_of_two_clients_go_to_the_one_customer_that_is_left(
    kim, books, sync, merge, make_client, make_item, make_invoice, pay
):
    lee = make_client(first_name="Ann", last_name="Lee")
    make_invoice(lee, [(make_item(name="Valve"), 1, "50")])
    sync()
    merge("Kim Reed", "Ann Lee")
    later = make_invoice(kim, [(make_item(name="Pump"), 1, "130")])
    pay(later, "20")
    job = sync()
    assert (job.status, job.failed) == ("succeeded", 0)
    assert owed(books, "Ann Lee") == 50 + 110 - 10 + 130 - 20
    assert [row["DisplayName"] for row in books.all("Customer")] == ["Ann Lee"]
    [told] = Problem.objects.open()
    assert told.notice and "that of the client Ann Lee" in told.message
    assert Link.objects.live().get(record_id=lee.pk).remote_id == books.one("Customer")["Id"]
    assert is_quiet(sync)


@pytest.mark.slow
@pytest.mark.once
def test_a_chain_of_merges_is_followed_to_its_end(kim, books, sync, merge, make_item, make_invoice):
    for name in ("One", "Two"):
        books.add("Customer", DisplayName=name)
    sync()
    merge("Kim Reed", "One")
    sync()
    merge("One" if books.all("Customer", "WHERE DisplayName = 'One'") else "Kim Reed", "Two")
    make_invoice(kim, [(make_item(name="Pump"), 1, "30")])
    sync()
    assert owed(books, "Two") == 140 - 10
    sync()
    assert is_quiet(sync)


@pytest.mark.slow
@pytest.mark.once
def test_a_customer_without_documents_is_asked_about(company, books, sync, merge, make_client, make_item, make_invoice):
    """Nothing says who the survivor is: the client's next invoice waits, with a problem of its own."""
    client = make_client(first_name="Kim", last_name="Reed")
    books.add("Customer", DisplayName="Reed Household")
    sync()
    merge("Kim Reed", "Reed Household")
    job = sync()
    [gone] = Problem.objects.listed()
    assert (gone.code, gone.record_id) == ("RECORD_REMOVED", client.pk)
    assert [error["code"] for error in job.errors] == ["RECORD_REMOVED"]
    invoice = make_invoice(client, [(make_item(), 1, "30")])
    for _ in range(2):
        job = sync()
        assert {error["code"] for error in job.errors} == {"RECORD_REMOVED", "WAITING_FOR_GONE"}
    waiting = Problem.objects.listed().get(code="WAITING_FOR_GONE")
    assert waiting.record_id == invoice.pk
    assert waiting.data["waits_for"] == {"kind": "customer", "id": client.pk}
    assert "its client Kim Reed, which was removed in QuickBooks" in waiting.message


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("known", [False, pytest.param(True, marks=pytest.mark.once)])
def test_an_item_that_was_merged_goes_on_as_the_survivor(known, kim, books, sync, merge, make_item, make_invoice):
    """Whether or not the survivor is another item of ours already."""
    drain = Item.objects.get()
    account = books.all("Account", "WHERE AccountType = 'Income'")[0]["Id"]
    if known:
        make_invoice(kim, [(make_item(name="Labour"), 1, "60")])
    else:
        books.add("Item", Name="Labour", Type="Service", IncomeAccountRef={"value": account}, UnitPrice=120)
    sync()
    merge("Drain cleaning", "Labour", "Item")
    later = make_invoice(kim, [(drain, 2, "30")])
    job = sync()
    assert (job.status, job.failed, job.errors) == ("succeeded", 0, [])
    line = books.one("Invoice", DocNumber=later.number)["Line"][0]
    assert line["SalesItemLineDetail"]["ItemRef"]["name"] == "Labour"
    sync()
    assert is_quiet(sync)
    assert "merged into “Labour”" in Problem.objects.open().get().message
