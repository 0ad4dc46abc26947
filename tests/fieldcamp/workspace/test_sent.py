"""What an invoice was sent with stays with it, whatever becomes of the lists that it was made from."""

import datetime as dt
import itertools
from decimal import Decimal

import pytest

from fieldcamp.workspace import books, catalog, invoicing, services
from fieldcamp.workspace.models import Client, Invoice, Item, TaxRate
from tests.fieldcamp.workspace.answers import data

pytestmark = pytest.mark.django_db
OCTOBER, NOVEMBER = dt.date(2026, 10, 15), dt.date(2026, 11, 15)
STATE = {"name": "State", "rate": "0.04"}
BEFORE, AFTER = ([STATE, {"name": "County", "rate": rate}] for rate in ("0.04", "0.045"))
HISTORY = [{"from": "2014-01-01", "components": BEFORE}, {"from": "2026-11-01", "components": AFTER}]
SHOWN = ("subtotal", "discount_total", "tax_total", "total", "tax_name", "tax_parts", "billed_to")


@pytest.fixture
def tax(workspace) -> TaxRate:
    return catalog.create_tax_rate(workspace=workspace, name="Albany", components=BEFORE)


@pytest.fixture
def item(workspace) -> Item:
    return catalog.create_item(workspace=workspace, name="Drain cleaning", price=Decimal("99.99"))


@pytest.fixture
def client(workspace) -> Client:
    address = {"street": "1 Main St", "city": "Albany"}
    return services.create_client(
        workspace=workspace, first_name="Kim", last_name="Reed", email="kim@reed.test", billing_address=address
    )


@pytest.fixture
def bill(workspace, client, item, tax):
    """An invoice of October, sent: ten drains and something without tax, ten percent off."""

    def make(date: dt.date = OCTOBER, **fields) -> Invoice:
        lines = [
            {"item_id": item.pk, "quantity": Decimal(10)},
            {"description": "Permit", "unit_price": Decimal(48), "taxable": False},
        ]
        values = {"client_id": client.pk, "lines": lines, "date": date, "tax_rate_id": tax.pk, "send": True, **fields}
        return invoicing.create_invoice(workspace=workspace, **values)

    return make


def known(tax: TaxRate) -> None:
    """The books have told since when the tax is what."""
    assert books.apply_tax(tax.pk, tax.version, {"components": AFTER, "history": HISTORY})
    tax.refresh_from_db()


def edit(invoice: Invoice, **changes) -> Invoice:
    return invoicing.update_invoice(workspace=invoice.workspace, invoice_id=invoice.pk, changes=changes)


def shown(invoice: Invoice) -> dict:
    invoice = Invoice.objects.get(pk=invoice.pk)
    return {name: getattr(invoice, name) for name in SHOWN}


def rows(invoice: Invoice, **changes) -> list[dict]:
    """The lines as they are, the first with other words, say."""
    names = ("item_id", "description", "quantity", "unit_price", "taxable")
    found = [{name: getattr(line, name) for name in names} for line in invoice.lines.all()]
    return [found[0] | changes, *found[1:]]


LISTS = {
    "the rate": lambda w, c, i, t: catalog.update_tax_rate(
        workspace=w, tax_rate_id=t.pk, changes={"components": AFTER}
    ),
    "the rate of the books": lambda w, c, i, t: known(t),
    "the tax's name": lambda w, c, i, t: catalog.update_tax_rate(workspace=w, tax_rate_id=t.pk, changes={"name": "X"}),
    "the tax in use": lambda w, c, i, t: catalog.update_tax_rate(
        workspace=w, tax_rate_id=t.pk, changes={"is_active": False}
    ),
    "the tax": lambda w, c, i, t: catalog.delete_tax_rate(workspace=w, tax_rate_id=t.pk),
    "the price": lambda w, c, i, t: catalog.update_item(
        workspace=w, item_id=i.pk, changes={"price": Decimal(500), "name": "X", "description": "Y", "taxable": False}
    ),
    "the item in use": lambda w, c, i, t: catalog.update_item(workspace=w, item_id=i.pk, changes={"is_active": False}),
    "the item": lambda w, c, i, t: catalog.delete_item(workspace=w, item_id=i.pk),
    "the client": lambda w, c, i, t: services.update_client(
        workspace=w, client_id=c.pk, changes={"last_name": "X", "email": "x@x.test", "billing_address": {"city": "X"}}
    ),
    "the client's record": lambda w, c, i, t: services.delete_client(workspace=w, client_id=c.pk),
}
EDITS = {
    "memo": lambda one: edit(one, memo="Thanks"),
    "dates": lambda one: edit(one, date=NOVEMBER, due_date=dt.date(2026, 12, 1)),
    "words": lambda one: edit(one, lines=rows(one, description="Cleaned")),
    "what is left out": lambda one: edit(one, lines=rows(one, description="Cleaned", unit_price=None, taxable=None)),
    "order": lambda one: edit(one, lines=rows(one)[::-1]),
    "all as it was": lambda one: edit(
        one, lines=rows(one), discount_percent=one.discount_percent, tax_rate_id=one.tax_rate_id
    ),
    "words there": lambda one: books.apply_invoice(
        one.pk, one.version, {"lines": rows(one, description="Cleaned", quantity="10"), "due_date": "2026-12-01"}
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", LISTS)
def test_no_list_moves_what_was_sent(workspace, client, item, tax, bill, change):
    invoices = {name: bill(discount_percent=Decimal(10)) for name in EDITS}
    before = {name: shown(invoice) for name, invoice in invoices.items()}
    assert before["memo"]["tax_total"] == Decimal("72.00")
    LISTS[change](workspace, client, item, tax)
    for name, invoice in invoices.items():
        EDITS[name](invoice)
        assert shown(invoice) == before[name], name
        assert {line.item_name for line in invoice.lines.all()} == {"Drain cleaning", ""}, name


def test_what_is_recomputed_has_the_rates_it_was_sent_with(workspace, tax, bill):
    edits = {
        "quantity": {"lines": lambda one: rows(one, quantity=Decimal(20))},
        "taxable": {"lines": lambda one: rows(one, taxable=False)},
        "discount": {"discount_amount": lambda one: Decimal("99.90")},
    }
    invoices = {name: bill() for name in edits}
    catalog.update_tax_rate(workspace=workspace, tax_rate_id=tax.pk, changes={"components": AFTER})
    for name, invoice in invoices.items():
        edit(invoice, **{field: value(invoice) for field, value in edits[name].items()})
    taxes = {name: shown(invoice)["tax_total"] for name, invoice in invoices.items()}
    # 8 % of 1,999.80, of nothing, and of 999.90 less its part of the discount, each half rounded by itself.
    assert taxes == {"quantity": Decimal("159.98"), "taxable": Decimal(0), "discount": Decimal("72.36")}


def test_a_pull_of_amounts_has_them_too(tax, bill):
    invoice = bill()
    known(tax)
    assert books.apply_invoice(invoice.pk, invoice.version, {"lines": rows(invoice, quantity="20")})
    assert shown(invoice)["tax_total"] == Decimal("159.98")


def test_another_tax_is_that_of_the_invoices_date(workspace, tax, bill):
    invoice = bill(tax_rate_id=None)
    assert shown(invoice)["tax_total"] == 0
    known(tax)
    edit(invoice, tax_rate_id=tax.pk)
    assert (shown(invoice)["tax_total"], shown(invoice)["tax_parts"]) == (Decimal("80.00"), BEFORE)


@pytest.mark.parametrize(("date", "total"), [(OCTOBER, "80.00"), (NOVEMBER, "85.00"), (dt.date(2010, 1, 1), "85.00")])
def test_a_new_invoice_has_the_rate_of_its_date(tax, bill, date, total):
    known(tax)
    assert shown(bill(date))["tax_total"] == Decimal(total)


def test_a_draft_follows_its_date_and_the_lists_until_it_is_sent(workspace, tax, bill):
    known(tax)
    draft = bill(send=False)
    edit(draft, date=NOVEMBER)
    assert shown(draft)["tax_total"] == Decimal("85.00")
    catalog.update_tax_rate(workspace=workspace, tax_rate_id=tax.pk, changes={"components": [STATE]})
    invoicing.send_invoice(workspace=workspace, invoice_id=draft.pk)
    assert (shown(draft)["tax_total"], shown(draft)["billed_to"]["email"]) == (Decimal("40.00"), "kim@reed.test")


def test_an_invoice_says_which_tax_it_was_sent_with_and_of_which_day(workspace, tax, bill):
    taxed, untaxed = bill(), bill(tax_rate_id=None)
    assert (taxed.tax_name, taxed.taxed_on) == ("Albany", OCTOBER)
    assert (untaxed.tax_name, untaxed.tax_parts, untaxed.taxed_on) == ("", [], OCTOBER)
    catalog.update_tax_rate(workspace=workspace, tax_rate_id=tax.pk, changes={"name": "County"})
    assert (shown(taxed)["tax_name"], shown(bill())["tax_name"]) == ("Albany", "County")


def test_moved_to_another_day_it_has_the_rate_it_was_sent_with_where_no_other_is_known(workspace, tax, bill):
    invoice = bill()
    catalog.update_tax_rate(workspace=workspace, tax_rate_id=tax.pk, changes={"components": AFTER})
    edit(invoice, date=NOVEMBER, lines=rows(invoice, quantity=Decimal(20)))
    assert shown(invoice)["tax_total"] == Decimal("159.98")


def test_moved_to_another_day_it_keeps_its_total_until_its_amounts_change(tax, bill):
    invoice = bill()
    known(tax)
    edit(invoice, date=NOVEMBER)
    assert shown(invoice)["tax_total"] == Decimal("80.00")
    edit(invoice, lines=rows(invoice, quantity=Decimal(20)))
    assert shown(invoice)["tax_total"] == Decimal("169.98")  # 4 % and 4.5 % of 1,999.80


def test_a_rate_that_a_person_sets_is_that_of_every_day(workspace, tax, bill):
    known(tax)
    catalog.update_tax_rate(workspace=workspace, tax_rate_id=tax.pk, changes={"name": "Albany County"})
    assert TaxRate.objects.get().history == HISTORY
    catalog.update_tax_rate(workspace=workspace, tax_rate_id=tax.pk, changes={"components": [STATE]})
    assert {shown(bill(date))["tax_total"] for date in (OCTOBER, NOVEMBER)} == {Decimal("40.00")}


def test_another_client_is_billed_anew(workspace, bill, make_client):
    invoice = bill()
    edit(invoice, client_id=make_client(email="lee@cole.test").pk)
    assert shown(invoice)["billed_to"]["email"] == "lee@cole.test"


def test_the_api_takes_what_is_left_out_from_what_was_sent(api, workspace, item, bill):
    draft, sent = bill(send=False), bill()
    catalog.update_item(workspace=workspace, item_id=item.pk, changes={"price": Decimal(500)})
    other = catalog.create_item(workspace=workspace, name="Pump", price=Decimal(7))
    body = {"lines": [{"itemId": other.pk}, {"itemId": item.pk, "quantity": 10, "description": "Cleaned"}]}
    found = {one: data(api.patch(f"/api/v1/invoices/{one.pk}", body))["subtotal"] for one in (draft, sent)}
    assert found == {draft: 5007, sent: 1006.9}


def test_of_two_lines_of_one_item_each_keeps_its_own_price(bill, item):
    lines = [{"item_id": item.pk, "unit_price": Decimal(price)} for price in (100, 60)]
    invoice = bill(lines=lines)
    edit(invoice, lines=[{"item_id": item.pk, "description": text} for text in "ab"])
    assert list(itertools.chain.from_iterable(invoice.lines.values_list("unit_price"))) == [100, 60]
