"""Who has paid: a landlord pays for the flats, and the books' word on it is kept."""

from decimal import Decimal

import pytest

from fieldcamp.workspace import paying
from fieldcamp.workspace.models import Client, Invoice, Payment
from tests.integrations.books.bookkeeper import money
from tests.integrations.books.conftest import counts, said


@pytest.fixture
def family(connect_books, books, sync, make_client) -> dict[str, Client | None]:
    """A landlord and two flats in the books; "stranger" is a landlord whom FieldCamp does not have."""

    def make(stranger: bool = False) -> dict[str, Client]:
        income = {"value": next(row["Id"] for row in books.all("Account") if row["AccountType"] == "Income")}
        item = books.add("Item", Name="Services", Type="Service", IncomeAccountRef=income)
        connect_books(import_customers=not stranger, default_item_id=item["Id"])
        parent = books.add("Customer", DisplayName="Landlord")
        for name in ("Flat 1", "Flat 2"):
            mail = {"Address": f"{name[-1]}@flat.test"}
            books.add("Customer", DisplayName=name, Job=True, ParentRef={"value": parent["Id"]}, PrimaryEmailAddr=mail)
            if stranger:
                make_client(first_name=name, email=mail["Address"])
        assert sync().status == "succeeded"
        return {client.own_name: client for client in Client.objects.order_by("pk")}

    return make


@pytest.fixture
def billed(make_invoice, sync, books):
    """What an invoice of so much to a client has become in the books."""

    def make(client: Client, amount: str) -> dict:
        invoice = make_invoice(client, [(None, 1, amount)])
        assert sync().status == "succeeded"
        return books.one("Invoice", DocNumber=invoice.number)

    return make


def received(books, payer: str, amount: float, *shares: tuple[dict, float]) -> dict:
    lines = [{"Amount": part, "LinkedTxn": [{"TxnId": one["Id"], "TxnType": "Invoice"}]} for one, part in shares]
    customer = {"value": books.one("Customer", DisplayName=payer)["Id"]}
    return books.add("Payment", CustomerRef=customer, TotalAmt=amount, Line=lines)


def owed(books) -> dict[str, Decimal]:
    return {row["DisplayName"]: money(row["Balance"]) for row in books.all("Customer")}


def agree(books, sync, payment: dict, **changed: object) -> None:
    """Nothing but this is another in the books, however often they are synced."""
    for mode in ("incremental", "full", "full"):
        assert counts(sync(mode))[:2] == (0, 0)
    after = books.get("Payment", payment["Id"])
    moving = {"SyncToken", "MetaData"} | changed.keys()
    assert {name: after[name] for name in payment.keys() - moving} == {
        name: payment[name] for name in payment.keys() - moving
    }
    assert {name: after[name] for name in changed} == changed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("payer", "stranger"),
    [("Landlord", False), ("Landlord", True), ("Flat 1", False)],
)
def test_a_payment_keeps_its_payer(family, books, sync, billed, payer, stranger):
    clients = family(stranger)
    bills = [billed(clients[name], amount) for name, amount in (("Flat 1", "90"), ("Flat 2", "40"))]
    bills = bills[: 1 if payer == "Flat 1" else 2]
    payment = received(books, payer, 500, *((bill, float(bill["Balance"])) for bill in bills))
    before = owed(books)
    job = sync()
    assert job.status == "succeeded" and job.pulled >= 1, said(job, "failed")
    ours = Payment.objects.get()
    assert ours.client == clients["Flat 1" if stranger else payer]
    agree(books, sync, payment)
    paying.update_payment(workspace=ours.workspace, payment_id=ours.pk, changes={"reference": "CHK-9"})
    assert counts(sync())[1] == 1
    agree(books, sync, payment, PaymentRefNum="CHK-9")
    assert owed(books) == before
    assert set(Invoice.objects.filter(number__in=[bill["DocNumber"] for bill in bills]).values_list("settlement")) == {
        ("paid",)
    }


@pytest.mark.slow
def test_of_what_a_parent_has_paid_the_amount_is_edited_here(family, books, sync, billed):
    clients = family()
    payment = received(books, "Landlord", 500, (billed(clients["Flat 1"], "90"), 90))
    sync()
    ours = Payment.objects.get()
    paying.update_payment(workspace=ours.workspace, payment_id=ours.pk, changes={"amount": Decimal(450)})
    job = sync()
    assert counts(job)[1] == 1, said(job, "failed")
    after = books.get("Payment", payment["Id"])
    assert (after["TotalAmt"], after["CustomerRef"]) == (450, payment["CustomerRef"])


@pytest.mark.slow
def test_our_payment_that_is_given_to_the_parent_there_is_not_taken_back(family, books, sync, billed, pay):
    clients = family()
    billed(clients["Flat 1"], "90")
    ours = pay(Invoice.objects.get(), "90")
    sync()
    landlord = books.one("Customer", DisplayName="Landlord")["Id"]
    payment = books.edit("Payment", books.all("Payment")[0]["Id"], CustomerRef={"value": landlord})
    agree(books, sync, payment)
    paying.update_payment(workspace=ours.workspace, payment_id=ours.pk, changes={"reference": "CHK-9"})
    assert counts(sync())[1] == 1
    agree(books, sync, payment, PaymentRefNum="CHK-9")


@pytest.mark.slow
def test_a_parent_pays_for_a_place_and_nobody_else(family, books, sync, billed, api, make_client):
    clients = family()
    billed(clients["Flat 1"], "90")
    share = [{"invoiceId": Invoice.objects.get().pk, "amount": 90}]
    for client, status in ((make_client(), 400), (clients["Flat 2"], 400), (clients["Landlord"], 201)):
        body = {"clientId": client.pk, "amount": 90, "allocations": share}
        assert api.post("/api/v1/payments", body).status_code == status
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    [payment] = books.all("Payment")
    assert payment["CustomerRef"]["value"] == books.one("Customer", DisplayName="Landlord")["Id"]
