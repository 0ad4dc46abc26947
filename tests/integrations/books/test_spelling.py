"""The same records however they are spelled: matching, doubts, duplicates and what the database is asked agree."""

import pytest

from fieldcamp.workspace.models import Client
from integrations.books.clients import Clients
from integrations.books.invoices import Invoices
from integrations.books.items import Items
from integrations.books.matching import Candidate, match_people
from integrations.models import Link
from integrations.records import Window
from integrations.sync.state import Local, Pair
from tests.integrations.books.conftest import counts, said

NOW = Window(None, None)
ADDRESSES = ["KIM@Reed.test", "kím@reed.test", "  kim@reed.test", "ｋｉｍ@reed.test", "office@reed.test,kim@reed.test",
             "Kim@reed.test; office@reed.test"]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_found_by_matching_and_bydoubts(address):
    mine = Candidate("a", email="kim@reed.test", name="Kim Reed")
    assert match_people([mine], [Candidate(1, "r1", email=address, name="K. R.")]).links == {"a": 1}
    two = [Candidate(1, "r1", email=address, name="X"), Candidate(2, "r2", email="kim@reed.test", name="Y")]
    assert match_people([mine], two).doubts == {"a": ["r1", "r2"]}


def test_several_addresses_are_nobodys_when_two_could_be_meant():
    theirs = [Candidate(1, "r1", email="a@x.test, b@x.test", name="X")]
    ours = [Candidate("a", email="a@x.test", name="A"), Candidate("b", email="b@x.test", name="B")]
    found = match_people(ours, theirs)
    assert (found.links, found.doubts) == ({}, {"a": ["r1"], "b": ["r1"]})


def test_an_address_that_somebody_linked_has_is_no_proof():
    """Of a couple with one address, who are both on both sides, the one is known by the name and the other is asked
    about: also when the first one is linked, and no longer among them."""
    kim, lee = (Candidate(id, email="reed@x.test", name=name) for id, name in (("a", "Kim Reed"), ("b", "Lee Reed")))
    theirs = [
        Candidate(1, "r1", email="Reed@x.test", name="Kim Reed"),
        Candidate(2, "r2", email="reed@x.test", name="L."),
    ]
    assert (match_people([kim, lee], theirs).links, match_people([kim, lee], theirs).doubts) == (
        {"a": 1},
        {"b": ["r2"]},
    )
    assert match_people([lee], theirs[1:]).links == {"b": 2}
    alone = match_people([lee], theirs[1:], {"reed@x.test"})
    assert (alone.links, alone.doubts) == ({}, {"b": ["r2"]})


@pytest.mark.slow
def test_of_two_with_one_address_the_first_one_is_brought_in(side):
    """In one go as in several, and as the preview says."""
    clients = side(Clients)
    links = [unmatched(clients.stream, display_name=name, email="reed@x.test") for name in ("Kim", "Lee")]
    assert set(clients.rejections(links)) == {links[1].pk}
    clients.make(clients_pair(links[0]))
    assert set(clients.rejections(links[1:])) == {links[1].pk}


def clients_pair(link: Link) -> Pair:
    return Pair(Clients.kind, "", link.remote_id, Local(None), link_id=link.pk, seen=link.seen)


@pytest.mark.slow
def test_a_couple_stays_a_question_at_a_full_sync(company, books, sync, make_client):
    for name in ("Kim Reed", "L. Reed"):
        books.add("Customer", DisplayName=name, PrimaryEmailAddr={"Address": "reed@x.test"})
    for name in ("Kim", "Lee"):
        make_client(first_name=name, last_name="Reed", company_name="", email="reed@x.test")
    assert counts(sync(scope="customers"))[3] == 1
    assert [counts(sync("full", scope="customers"))[:2] for _ in range(2)] == [(0, 0)] * 2
    assert Link.objects.linked().filter(kind="customer", seen__isnull=False).count() == 1


@pytest.fixture
def side(company):
    """FieldCamp's side of one kind, where everything is imported."""

    def side(kind):
        company.books.import_customers = company.books.import_items = True
        company.books.save()
        return kind(company.streams.get(kind=kind.kind.name), NOW)

    return side


def unmatched(stream, **seen) -> Link:
    remote_id = str(900 + Link.objects.count())
    return Link.objects.create(stream=stream, kind=stream.kind, remote_id=remote_id, seen=seen, unsettled=True)


@pytest.mark.slow
def test_a_clients_address_makes_no_second_client(side, make_client):
    client, clients = make_client(), side(Clients)
    other = unmatched(clients.stream, email="lee@reed.test")
    links = [unmatched(clients.stream, email=text) for text in ("kim@reed.test", "KIM@REED.TEST, second@reed.test")]
    for here in ADDRESSES:
        Client.objects.filter(pk=client.pk).update(email=here)
        assert set(clients.rejections([other, *links])) == {link.pk for link in links}, here


def test_the_database_is_asked_for_each_spelling_of_a_number(side, make_client, make_invoice):
    invoices = side(Invoices)
    more = {"customer": "1", "total": "1.00", "date": "2026-11-20"}
    links = [unmatched(invoices.stream, number=text, **more) for text in ("A-17", " a-17", "Ａ-17", "á-17")]
    unmatched(invoices.stream, number="A-18", **more)
    invoice = make_invoice(make_client(), [(None, 1, "100")], number="a-17")
    invoices.match(everything=False)
    assert invoices.doubts == {invoice.pk: [link.remote_id for link in links]}


@pytest.mark.slow
def test_an_item_is_the_same_however_it_is_written(side, make_item):
    items = side(Items)
    ours = [make_item(name="Drain cleaning", sku="D-1"), make_item(name="Tap", sku="t-1")]
    links = [unmatched(items.stream, name=name, sku=sku)
             for name, sku in (("ＤＲＡＩＮ  cleaning", "d-1"), ("Táp ", "T-1 "))]  # fmt: skip
    items.match(everything=True)
    assert [Link.objects.get(pk=link.pk).record_id for link in links] == [item.pk for item in ours]


@pytest.mark.slow
def test_what_is_asked_about_is_not_taken_in_meanwhile(side, make_item):
    """Of an item, as of a client: the answer would find it taken."""
    items = side(Items)
    link = unmatched(items.stream, name="drain cleaning")
    make_item(name="Drain cleaning"), make_item(name="DRAIN CLEANING")
    items.match(everything=True)
    assert "a person is asked" in items.rejections([link])[link.pk]


@pytest.mark.slow
def test_a_bookkeepers_spelling_is_taken_over(company, books, sync, make_client):
    """Upper case, accents, the form of a phone number or an address: neither lost here nor put back there."""
    address = {"street": "1 Elm St", "city": "Troy", "state": "NY"}
    client = make_client(first_name="Jose", last_name="Reed", company_name="", email="jose@reed.test",
                         phone_number={"number": "555 010 0001"}, billing_address=address)  # fmt: skip
    sync(scope="customers")
    there = books.all("Customer")[-1]
    spelled = {"DisplayName": "JOSÉ REED", "GivenName": "José", "PrimaryEmailAddr": {"Address": "Jose@Reed.test"},
               "PrimaryPhone": {"FreeFormNumber": "(555) 010-0001"},
               "BillAddr": {"Line1": "1 ELM ST", "City": "Troy", "CountrySubDivisionCode": "NY"}}  # fmt: skip
    books.edit("Customer", there["Id"], **spelled)
    assert counts(sync(scope="customers"))[:2] == (1, 0)
    client.refresh_from_db()
    assert (client.own_name, client.first_name, client.email) == ("JOSÉ REED", "José", "Jose@Reed.test")
    assert client.phone_number["number"] == "(555) 010-0001" and client.billing_address["street"] == "1 ELM ST"
    quiet = books.get("Customer", there["Id"])
    assert [counts(sync(mode, scope="customers"))[:2] for mode in ("full", "full", "incremental")] == [(0, 0)] * 3
    books.edit("Customer", there["Id"], GivenName="JOSE", SyncToken=quiet["SyncToken"])
    client.company_name = "Reed Plumbing"
    client.save()
    assert counts(sync(scope="customers"))[1] == 1
    client.refresh_from_db()
    now = books.get("Customer", there["Id"])
    assert (client.first_name, now["GivenName"], now["CompanyName"]) == ("JOSE", "JOSE", "Reed Plumbing")
    assert counts(sync("full", scope="customers"))[:2] == (0, 0)


@pytest.mark.slow
def test_letter_case_alone_rewrites_no_customer(connect_books, books, sync, make_client):
    fields = {"DisplayName": "KIM REED", "GivenName": "KIM", "FamilyName": "REED",
              "PrimaryEmailAddr": {"Address": "KIM@REED.TEST, office@reed.test"},
              "PrimaryPhone": {"FreeFormNumber": "(555) 010-0001"},
              "BillAddr": {"Line1": "1 ELM ST", "City": "TROY"}}  # fmt: skip
    customer = books.get("Customer", books.add("Customer", **fields)["Id"])
    client = make_client(first_name="Kim", last_name="Reed", email="kim@reed.test",
                         phone_number={"number": "555 010 0001"},
                         billing_address={"street": "1 Elm St", "city": "Troy"})  # fmt: skip
    connect_books(import_customers=True)
    for mode in ("incremental", "full", "full"):
        assert counts(sync(mode, scope="customers"))[:2] == (0, 0)
    assert books.get("Customer", customer["Id"]) == customer
    assert Link.objects.get(record_id=client.pk).remote_id == customer["Id"] and Client.objects.count() == 1
    Client.objects.filter(pk=client.pk).update(last_name="REEd")
    job = sync(scope="customers")
    assert job.pushed == 1, said(job, "failed")
    edited = books.get("Customer", customer["Id"])
    assert edited["FamilyName"] == "REEd" and edited["PrimaryEmailAddr"] == fields["PrimaryEmailAddr"]
    assert [counts(sync(mode, scope="customers"))[:2] for mode in ("incremental", "full")] == [(0, 0)] * 2
