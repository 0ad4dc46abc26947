"""Customers' own names, and their sites: kept there, known here, and touched by nothing but an edit of the name."""

from typing import Any

import pytest

from fieldcamp.workspace import services
from fieldcamp.workspace.models import Client
from integrations.services.books.preview import preview_books
from tests.integrations.books.conftest import counts, said
from tests.integrations.books.test_agreed import difference

FREEMAN = {
    "CompanyName": "Freeman Sporting Goods",
    "PrimaryEmailAddr": {"Address": "sporting_goods@freeman.test"},
    "BillAddr": {"Line1": "370 Easy St.", "City": "Middlefield", "CountrySubDivisionCode": "CA"},
}


@pytest.fixture
def importing(connect_books):
    return connect_books(import_customers=True, import_items=True)


@pytest.fixture
def freeman(importing, books, sync) -> dict[str, Client]:
    """A parent with two sites, one of which has a part of its own, brought in: clients by their display names."""
    made = {"Freeman Sporting Goods": books.add("Customer", DisplayName="Freeman Sporting Goods", **FREEMAN)}
    for parent, name, more in (
        ("Freeman Sporting Goods", "0969 Ocean View Road", {**FREEMAN, "GivenName": "Sasha"}),
        ("Freeman Sporting Goods", "55 Twin Lane", {**FREEMAN, "BillWithParent": True}),
        ("0969 Ocean View Road", "Kitchen", {}),
    ):
        ref = {"value": made[parent]["Id"]}
        made[name] = books.add("Customer", DisplayName=name, Job=True, ParentRef=ref, **more)
    assert sync().status == "succeeded"
    return {name: Client.objects.get(display_name=name) for name in made}


def edit(client: Client, **changes: Any) -> Client:
    return services.update_client(workspace=client.workspace, client_id=client.pk, changes=changes)


@pytest.mark.slow
def test_a_name_alone_is_kept_as_it_is(importing, books, sync):
    wilma = books.add("Customer", DisplayName="Wilma Flint")
    assert sync().status == "succeeded"
    client = Client.objects.get(display_name="Wilma Flint")
    assert (client.company_name, client.first_name, str(client)) == ("", "", "Wilma Flint")
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full", "full")] == [(0, 0)] * 3
    edit(client, phone_number={"number": "555 0100"})
    assert counts(sync())[1] == 1
    after = books.get("Customer", wilma["Id"])
    assert difference(wilma, after) == {"PrimaryPhone"} and after["SyncToken"] == "1"


def slow(*case: Any) -> Any:
    return pytest.param(*case, marks=pytest.mark.slow)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shown", "names", "changes", "expected"),
    [
        ("Smith, Jane", ("Jane", "Smith", ""), {"last_name": "Smith-Doe"}, "Smith-Doe, Jane"),
        slow("Smith, Jane", ("Jane", "Smith", ""), {"phone_number": {"number": "1"}}, "Smith, Jane"),
        slow("Smith, Jane", ("Jane", "Smith", ""), {"display_name": "Jane"}, "Jane"),
        slow("Jane's", ("Jane", "Smith", "Jane's Ltd"), {"company_name": "Jane's Inc"}, "Jane's"),
        ("Jane's (old)", ("Jane", "Smith", "Jane's"), {"company_name": "Jane's Inc"}, "Jane's Inc (old)"),
    ],
)
@pytest.mark.parametrize("came_from", ["there", "here"])
def test_a_name_stays_in_its_form(importing, books, sync, make_client, shown, names, changes, expected, came_from):
    given, family, company = names
    body = books.add(
        "Customer", DisplayName=shown, GivenName=given, FamilyName=family, CompanyName=company,
        PrimaryEmailAddr={"Address": "j@smith.test"},
    )  # fmt: skip
    if came_from == "here":
        make_client(first_name=given, last_name=family, company_name=company, email="j@smith.test")
    assert sync().status == "succeeded"
    client = Client.objects.get(email="j@smith.test")
    assert client.display_name == ("" if came_from == "here" else shown)
    edit(client, **changes)
    assert sync().status == "succeeded"
    assert books.get("Customer", body["Id"])["DisplayName"] == expected
    assert [counts(sync(mode))[:2] for mode in ("full", "full")] == [(0, 0)] * 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Flint, Wilma", "Wilma Stone"])
def test_a_name_that_is_changed_there_is_changed_here(name, importing, books, sync):
    body = books.add("Customer", DisplayName="Wilma Flint")
    sync()
    books.edit("Customer", body["Id"], DisplayName=name)
    sync()
    assert [str(client) for client in Client.objects.filter(display_name__contains="Wilma")] == [name]


@pytest.mark.slow
def test_sites_are_places_of_their_parent(freeman):
    assert {str(client) for client in freeman.values()} == {
        "Freeman Sporting Goods",
        "Freeman Sporting Goods: 0969 Ocean View Road",
        "Freeman Sporting Goods: 55 Twin Lane",
        "0969 Ocean View Road: Kitchen",
    }


@pytest.mark.slow
def test_a_correction_of_the_company_renames_no_site(freeman, books, sync):
    for name in ("Freeman Sporting Goods", "55 Twin Lane"):
        edit(freeman[name], company_name="Freeman Sports")
    job = sync()
    assert counts(job)[1] == 2, said(job, "failed")
    there = {row["DisplayName"]: row.get("CompanyName") for row in books.all("Customer")}
    assert (there["Freeman Sports"], there["55 Twin Lane"]) == ("Freeman Sports", "Freeman Sports")
    assert there["0969 Ocean View Road"] == "Freeman Sporting Goods"
    assert str(Client.objects.get(display_name="55 Twin Lane")) == "Freeman Sports: 55 Twin Lane"
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full", "full")] == [(0, 0)] * 3


@pytest.mark.slow
def test_a_site_that_comes_later_or_is_moved_is_put_below_its_parent(freeman, books, sync):
    ref = {"value": books.one("Customer", DisplayName="55 Twin Lane")["Id"]}
    books.add("Customer", DisplayName="Garage", Job=True, ParentRef=ref, **FREEMAN)
    kitchen = books.one("Customer", DisplayName="Kitchen")
    books.edit("Customer", kitchen["Id"], Job=True, ParentRef=ref)
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    below = Client.objects.filter(parent=freeman["55 Twin Lane"]).values_list("display_name", flat=True)
    assert sorted(below) == ["Garage", "Kitchen"]


@pytest.mark.slow
def test_a_client_with_the_companys_address_is_the_parent_and_no_site(importing, books, sync, make_client):
    parent = books.add("Customer", DisplayName="Freeman Sporting Goods", **FREEMAN)
    books.add("Customer", DisplayName="55 Twin Lane", Job=True, ParentRef={"value": parent["Id"]}, **FREEMAN)
    ours = make_client(first_name="", company_name="Freeman", email="sporting_goods@freeman.test")
    predicted = preview_books(importing).counts["customer"]
    assert (predicted.linked, predicted.to_bring_in, predicted.asked) == (1, 1, 0)
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    assert str(Client.objects.get(parent=ours)) == "Freeman: 55 Twin Lane"
    assert books.get("Customer", parent["Id"])["DisplayName"] == "Freeman Sporting Goods"
