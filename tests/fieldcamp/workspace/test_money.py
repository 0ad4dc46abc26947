"""Amounts as they are written, and lines that are refused."""

import datetime as dt
from decimal import Decimal

import pytest

from fieldcamp.money import cents, plain, rounded
from fieldcamp.workspace.models import Item
from fieldcamp.workspace.totals import is_overdue


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
