"""Amounts as they are written, and lines that are refused."""

import datetime as dt
from decimal import Decimal

import pytest

from fieldcamp.money import cents, plain, rounded
from fieldcamp.workspace.errors import InvalidFields
from fieldcamp.workspace.lines import built, check_totals, checked, settlement_of
from fieldcamp.workspace.models import Invoice, Item
from fieldcamp.workspace.totals import LARGEST, is_overdue


@pytest.mark.parametrize(
    ("value", "written"),
    [("1.50", "1.5"), ("2.00", "2"), ("100", "100"), ("0", "0"), ("-0", "0"), ("-0.0", "0"), ("1E+2", "100"),
     ("33.333333", "33.333333")],
)  # fmt: skip
def test_quantities_have_no_needless_zeros(value, written):
    assert plain(Decimal(value)) == written


@pytest.mark.parametrize(
    ("value", "written"), [("12.5", "12.50"), ("0.005", "0.01"), ("-0.001", "0.00"), ("7", "7.00")]
)
def test_money_has_two_places(value, written):
    assert cents(value) == written
    assert rounded(value) == Decimal(written)


def test_an_invoice_is_overdue_from_the_day_after():
    day = dt.date(2026, 11, 20)
    assert not is_overdue(day, day) and is_overdue(day, day + dt.timedelta(days=1))
    assert not is_overdue(None, day)


def test_a_line_takes_no_item_of_another_company(api, workspace, second_workspace, make_client):
    theirs = Item.objects.create(workspace=second_workspace, name="Drain", price=1)
    body = {"clientId": make_client().pk, "lines": [{"itemId": theirs.pk, "quantity": 1}]}
    answer = api.post("/api/v1/invoices", body)
    assert answer.status_code == 400
    assert "There is no such item." in answer.content.decode()


@pytest.mark.parametrize(
    ("paid", "sent", "state"),
    [("0", True, "unpaid"), ("0.50", True, "partial"), ("10", True, "paid"), ("11", True, "paid"),
     ("10", False, "partial"), ("0", False, "unpaid")],
)  # fmt: skip
def test_how_far_an_invoice_is_paid(paid, sent, state):
    assert settlement_of(Decimal("10.00"), Decimal(paid), sent=sent) == state


def test_what_a_line_does_not_say_comes_from_its_item():
    drain = Item(pk="itm_1", name="Drain", price=Decimal("80"), taxable=False)
    wanted = [{"item_id": "itm_1"}, {"item_id": "itm_1", "taxable": True}, {}, {"item_name": "Pump"}]
    named, given, bare, unknown = built(wanted, {"itm_1": drain})
    assert (named.description, named.quantity, named.unit_price, named.taxable) == ("Drain", 1, 80, False)
    assert given.taxable and given.amount == 80
    assert (named.item_name, bare.item_name, unknown.item_name) == ("Drain", "", "Pump")
    assert (bare.description, bare.unit_price, bare.taxable, bare.item_id) == ("", 0, True, None)


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ({"lines": [{"itemId": "itm_none"}]}, "lines.0.itemId", "There is no such item."),
        ({"lines": [{"unitPrice": -4}]}, "lines", "The lines come to less than nothing."),
        (
            {"lines": [{"unitPrice": 4}], "discountAmount": 5},
            "discountAmount",
            "Must not be more than the lines come to.",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_name(api, make_client, body, field, sentence):
    answer = api.post("/api/v1/invoices", {"clientId": make_client().pk, **body})
    assert answer.status_code == 400
    assert answer.json()["error"]["details"] == {field: [sentence]}


def test_a_quantity_is_not_negative(workspace):
    with pytest.raises(InvalidFields) as refused:
        checked(workspace, [{}, {"quantity": Decimal("-0.5")}, {"quantity": Decimal(0)}])
    assert refused.value.details == {"lines.1.quantity": ["Must not be negative."]}


def test_an_invoice_may_come_to_the_largest_amount_and_to_no_more():
    invoice, most = Invoice(discount_amount=LARGEST), {"subtotal": LARGEST, "total": LARGEST}
    check_totals(invoice, most)
    for name in most:
        with pytest.raises(InvalidFields) as refused:
            check_totals(invoice, most | {name: LARGEST + Decimal("0.01")})
        assert refused.value.details == {"lines": [f"The invoice comes to more than {LARGEST:,}."]}


def test_a_discount_may_be_all_and_a_percentage_is_taken_off(api, make_client):
    client = make_client()
    all_of_it = api.post("/api/v1/invoices", {"clientId": client.pk, "lines": [{"unitPrice": 4}], "discountAmount": 4})
    assert all_of_it.json()["data"]["total"] == 0
    tenth = api.post("/api/v1/invoices", {"clientId": client.pk, "lines": [{"unitPrice": 40}], "discountPercent": 10})
    assert tenth.json()["data"]["total"] == 36
