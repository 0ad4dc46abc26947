"""A client who was erased stays a customer in the books, and neither sync brings them back nor takes anything there."""

from decimal import Decimal

import pytest

from fieldcamp.workspace import services
from fieldcamp.workspace.models import Client, Invoice, Payment
from integrations.models import Link
from integrations.services.erasure import erase_client
from tests.canary import rows, spelled

pytestmark = pytest.mark.django_db
WORD = "quixotry"


def told() -> list[str]:
    """The tables that still hold the word."""
    return [table for table, text in rows() if any(each in text.lower() for each in spelled(WORD))]


@pytest.fixture
def jane(workspace) -> Client:
    place = {"street": f"1 {WORD} Street", "city": WORD, "postalCode": "94105"}
    names = {"first_name": "Jane", "last_name": f"{WORD}a", "company_name": f"{WORD} Ltd", "email": f"jane@{WORD}.test"}
    return services.create_client(workspace=workspace, billing_address=place, phone_number={"number": "555"}, **names)


@pytest.mark.slow
def test_the_customer_stays_theirs_and_the_invoice_goes_on(
    connect_books, company, books, jane, make_invoice, pay, sync
):
    line = {"description": f"Visit to {WORD}", "quantity": Decimal(2), "unit_price": Decimal(60)}
    invoice = make_invoice(jane, [line], memo=f"Dear {WORD}")
    payment = pay(invoice, "20.00", reference=WORD)
    assert sync().failed == 0
    theirs = books.one("Customer", CompanyName=f"{WORD} Ltd")
    posted = books.one("Invoice", DocNumber=invoice.number)
    stray = books.add(
        "Invoice", CustomerRef={"value": theirs["Id"]}, Line=posted["Line"][:1], CustomerMemo={"value": WORD}
    )
    sync()
    assert len(told()) >= 5, "the word has to be there first"

    erase_client(jane, actor="Olga")
    assert told() == []

    books.edit("Customer", theirs["Id"], GivenName="Janet")
    books.edit("Invoice", posted["Id"], CustomerMemo={"value": f"Thank you, {WORD}"}, PrivateNote="x")
    books.edit("Invoice", stray["Id"], CustomerMemo={"value": f"Thank you, {WORD}"})
    books.receive(posted, "30.00", PaymentRefNum=f"{WORD} 2")
    for mode in ("incremental", "full"):
        job = sync(mode)
        assert job.failed == 0, [*job.items.filter(outcome="failed").values_list("kind", "message")]
        links = Link.objects.exclude(erased_at=None)
        assert WORD not in repr([*links.values_list("seen", "base", "intent", "decision")])
        assert not Client.objects.alive().exists()
    # What the books have is theirs, and nothing of it was written over.
    assert books.get("Customer", theirs["Id"])["CompanyName"] == f"{WORD} Ltd"
    there = books.get("Invoice", posted["Id"])
    assert there["CustomerMemo"]["value"] == f"Thank you, {WORD}" and WORD in there["Line"][0]["Description"]
    assert Invoice.objects.get(pk=invoice.pk).paid == 50 and Payment.objects.get(pk=payment.pk).amount == 20
    assert told() == []


@pytest.mark.slow
def test_import_does_not_bring_them_back(connect_books, books, workspace, sync):
    theirs = books.add("Customer", GivenName="Jane", FamilyName=f"{WORD}a", DisplayName=f"Jane {WORD}a")
    connect_books(import_customers=True)
    sync()
    jane = Client.objects.get(last_name=f"{WORD}a")
    twin = books.add("Customer", GivenName="Jane", FamilyName=f"{WORD}a", DisplayName=f"Jane {WORD}a 2", Active=True)
    erase_client(jane, actor="Olga")
    books.edit("Customer", theirs["Id"], FamilyName=f"{WORD}b")
    before = Client.objects.alive().count()
    sync("full")
    # The second one was never FieldCamp's: it is somebody new, as far as anybody can tell.
    assert Client.objects.alive().count() == before + 1 and twin["Id"]
    assert Client.objects.get(pk=jane.pk).last_name == ""
