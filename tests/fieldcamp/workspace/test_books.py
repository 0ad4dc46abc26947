"""What a sync with the books does to records: only while nobody has edited them, and without the guards for people."""

from decimal import Decimal

import pytest

from fieldcamp.workspace import books
from fieldcamp.workspace.invoicing import create_invoice, update_invoice
from fieldcamp.workspace.models import Change, Client, Invoice, Item, Payment, TaxRate
from fieldcamp.workspace.paying import record_payment
from fieldcamp.workspace.tracking import attributed

pytestmark = pytest.mark.django_db
LINE = {"item_id": None, "description": "Pump", "quantity": "2", "unit_price": "33.3333333", "taxable": True}


@pytest.fixture
def client(make_client) -> Client:
    return make_client()


@pytest.fixture
def invoice(workspace, client) -> Invoice:
    lines = [{"description": "Pump", "unit_price": Decimal(100)}]
    return create_invoice(workspace=workspace, client_id=client.pk, lines=lines, send=True)


@pytest.fixture
def payment(workspace, client, invoice) -> Payment:
    shares = [{"invoice_id": invoice.pk, "amount": Decimal(40)}]
    made = record_payment(workspace=workspace, client_id=client.pk, amount=Decimal(40), allocations=shares)
    invoice.refresh_from_db()
    return made


def test_an_invoice_is_as_it_is_in_the_books(workspace, invoice):
    tax = books.import_tax(workspace=workspace, values={"name": "CA", "components": [{"name": "S", "rate": "0.08"}]})
    values = {"lines": [LINE], "discount_amount": "6.67", "tax_rate_id": tax.pk, "due_date": "2026-12-24"}
    with attributed(actor="Books", origin="str_1"):
        assert books.apply_invoice(invoice.pk, invoice.version, values)
    invoice.refresh_from_db()
    assert (invoice.subtotal, invoice.tax_total, invoice.total) == (Decimal("66.67"), Decimal("4.80"), Decimal("64.80"))
    change = Change.objects.latest("seq")
    assert (change.origin, change.actor, change.after["due_date"]) == ("str_1", "Books", "2026-12-24")
    assert invoice.version == change.version


def test_a_line_without_a_price_is_one_of_its_amount(invoice):
    line = {"description": "Fee", "quantity": None, "unit_price": None, "amount": "12.34"}
    assert books.apply_invoice(invoice.pk, invoice.version, {"lines": [line]})
    assert Invoice.objects.get().total == Decimal("12.34")


def test_what_was_edited_meanwhile_is_left_alone(workspace, invoice, payment, client):
    item = books.import_item(workspace=workspace, values={"name": "Pipe", "price": "5"})
    tax = books.import_tax(workspace=workspace, values={"name": "CA", "rate": "0.08"})
    before = Change.objects.count()
    for apply, row, values in (
        (books.apply_client, client, {"company_name": "New"}),
        (books.apply_item, item, {"price": "6"}),
        (books.apply_tax, tax, {"rate": "0.09"}),
        (books.apply_invoice, invoice, {"lines": [LINE]}),
        (books.apply_payment, payment, {"amount": "1", "allocations": []}),
    ):
        assert not apply(row.pk, row.version + 1, values), apply
    assert Change.objects.count() == before
    assert Invoice.objects.get().paid == 40
    update_invoice(workspace=workspace, invoice_id=invoice.pk, changes={"memo": "Mine"})
    assert not books.apply_invoice(invoice.pk, invoice.version, {"memo": "Theirs"})
    assert Invoice.objects.get().memo == "Mine"


def test_records_take_what_the_books_say(workspace, client):
    item = books.import_item(workspace=workspace, values={"name": "x" * 200, "price": "1.123456789", "sku": "S"})
    tax = books.import_tax(workspace=workspace, values={"name": "CA", "rate": "0.08"})
    assert books.apply_client(client.pk, client.version, {"first_name": "y" * 100, "company_name": ""})
    assert books.apply_item(item.pk, item.version, {"is_active": False, "price": "2.5"})
    parts = [{"name": "S", "rate": "0.07"}, {"name": "C", "rate": "0.02"}]
    assert books.apply_tax(tax.pk, tax.version, {"components": parts})
    item, tax, client = Item.objects.get(), TaxRate.objects.get(), Client.objects.get()
    assert (len(item.name), item.price, item.is_active) == (100, Decimal("2.5"), False)
    assert (tax.rate, tax.components) == (Decimal("0.09"), parts)
    assert client.first_name == "y" * 80


def test_a_payment_of_the_books_may_apply_credits_and_overpay(workspace, client, invoice):
    shares = [{"invoice_id": invoice.pk, "amount": "130"}]
    values = {"client_id": client.pk, "amount": "100", "date": "2026-11-02", "method": "check", "allocations": shares}
    payment = books.import_payment(workspace=workspace, made_in="quickbooks", values=values)
    invoice.refresh_from_db()
    assert (payment.made_in, payment.unapplied, invoice.paid, invoice.status) == ("quickbooks", 0, 130, "paid")
    assert invoice.balance == -30


def test_a_payment_that_is_voided_or_moved_there(workspace, client, invoice, payment):
    other = create_invoice(workspace=workspace, client_id=client.pk, lines=[{"unit_price": Decimal(9)}], send=True)
    shares = [{"invoice_id": other.pk, "amount": "9"}, {"invoice_id": invoice.pk, "amount": "31"}]
    assert books.apply_payment(payment.pk, payment.version, {"allocations": shares})
    assert [Invoice.objects.get(pk=row.pk).paid for row in (invoice, other)] == [31, 9]
    payment.refresh_from_db()
    assert books.apply_payment(payment.pk, payment.version, {"voided": True})
    assert [Invoice.objects.get(pk=row.pk).status for row in (invoice, other)] == ["sent", "sent"]
    assert Payment.objects.get().voided_at


def test_an_invoice_is_voided_there_whatever_was_paid(invoice, payment):
    assert books.apply_invoice(invoice.pk, invoice.version, {"voided": True})
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.balance) == ("void", 0)
    assert books.apply_invoice(invoice.pk, invoice.version, {"voided": True})
    assert Invoice.objects.get().version == invoice.version
