"""An invoice that a bookkeeper puts down to somebody else is a difference; to one of the same family it is none."""

import pytest

from fieldcamp.workspace.invoicing import update_invoice
from integrations.models import Problem


@pytest.fixture
def billed(company, books, sync, make_client, make_item, make_invoice):
    """A posted invoice of 100.00."""
    invoice = make_invoice(make_client(first_name="Kim", last_name="Reed"), [(make_item(), 1, "100")])
    sync()
    return invoice


def put_down_to(books, name: str, **fields):
    customer = books.add("Customer", DisplayName=name, **fields)
    books.edit("Invoice", books.one("Invoice")["Id"], CustomerRef={"value": customer["Id"]})
    return customer


@pytest.mark.slow
def test_a_stranger_is_named_until_both_sides_agree(billed, books, sync):
    put_down_to(books, "Landlord")
    for _ in range(2):
        job = sync()
        [error] = job.errors
        assert (error["code"], error["record"]["id"]) == ("AMOUNT_VARIANCE", billed.pk)
        assert "is Kim Reed's in FieldCamp and put down to “Landlord” in QuickBooks" in error["message"]
    assert (sync("full").pushed, books.one("Invoice")["CustomerRef"]["name"]) == (0, "Landlord")
    kim = books.one("Customer", DisplayName="Kim Reed")
    books.edit("Invoice", books.one("Invoice")["Id"], CustomerRef={"value": kim["Id"]})
    assert sync().errors == []


@pytest.mark.slow
def test_it_may_be_given_to_that_one_here_too(billed, connect_books, company, books, sync, make_client):
    lord = make_client(company_name="Landlord Ltd", first_name="", last_name="")
    sync()
    there = books.one("Customer", DisplayName="Landlord Ltd")
    books.edit("Invoice", books.one("Invoice")["Id"], CustomerRef={"value": there["Id"]})
    assert sync().errors
    update_invoice(workspace=billed.workspace, invoice_id=billed.pk, changes={"client_id": lord.pk})
    assert sync().errors == []
    assert (sync("full").pushed, Problem.objects.listed().count()) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("above", [False, True])
def test_a_site_and_its_owner_are_one_family(above, billed, books, sync):
    kim = books.one("Customer", DisplayName="Kim Reed")
    if above:
        owner = books.add("Customer", DisplayName="Landlord")
        books.edit("Customer", kim["Id"], Job=True, ParentRef={"value": owner["Id"]})
        books.edit("Invoice", books.one("Invoice")["Id"], CustomerRef={"value": owner["Id"]})
    else:
        put_down_to(books, "55 Twin Lane", Job=True, ParentRef={"value": kim["Id"]})
    assert sync().errors == []
    assert sync("full").pushed == 0
