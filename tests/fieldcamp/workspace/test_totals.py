"""What an invoice comes to: examples from the books, and what holds for every invoice."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcamp.money import rounded
from fieldcamp.workspace.totals import ZERO, discount_of, line_amount, totals_of

D = Decimal
money = st.decimals(min_value=0, max_value=1_000_000, places=2)
percents = st.decimals(min_value=0, max_value=100, places=4)
rates = st.lists(st.decimals(min_value=0, max_value="0.3", places=6), max_size=4)


@pytest.mark.parametrize(
    ("quantity", "price", "amount"),
    [("3", "33.3333333", "100.00"), ("1", "0.005", "0.01"), ("1.5", "0.03", "0.05"), ("0.00001", "1", "0.00")],
)
def test_a_line_is_rounded_half_up(quantity, price, amount):
    assert line_amount(D(quantity), D(price)) == D(amount)


def test_the_sample_invoice_of_the_books():
    totals = totals_of([(D("335.25"), True), (D("27.00"), False)], rates=[D("0.08")])
    assert (totals.subtotal, totals.tax, totals.total) == (D("362.25"), D("26.82"), D("389.07"))


def test_each_component_is_rounded_by_itself():
    """Half a cent twice is two cents; rounded once it would be one."""
    assert totals_of([(D("0.10"), True)], rates=[D("0.05"), D("0.05")]).tax == D("0.02")
    assert totals_of([(D("0.10"), True)], rates=[D("0.10")]).tax == D("0.01")


def test_a_discount_lessens_the_taxable_part_in_proportion():
    totals = totals_of([(D("75.00"), True), (D("25.00"), False)], percent=D(10), rates=[D("0.08")])
    assert (totals.discount, totals.taxable, totals.tax, totals.total) == (D(10), D("67.50"), D("5.40"), D("95.40"))


def test_a_discount_is_never_above_the_subtotal():
    assert discount_of(D("10.00"), None, D("12.00")) == D("10.00")
    assert discount_of(D("-3.00"), None, D("12.00")) == ZERO
    assert totals_of([(D("10.00"), True)], amount=D("12.00"), rates=[D("0.2")]).total == ZERO


@given(
    st.lists(st.tuples(money, st.booleans()), max_size=8),
    st.one_of(st.none(), percents),
    st.one_of(st.none(), money),
    rates,
)
def test_what_holds_for_every_invoice(lines, percent, amount, each):
    totals = totals_of(lines, percent=percent, amount=amount, rates=each)
    assert totals.subtotal == sum((row for row, _ in lines), ZERO)
    assert ZERO <= totals.discount <= totals.subtotal
    assert totals.total == totals.subtotal - totals.discount + totals.tax
    assert ZERO <= totals.taxable <= totals.subtotal - totals.discount
    assert all(value == rounded(value) and value >= 0 for value in vars(totals).values())
    assert abs(totals.tax - totals.taxable * sum(each)) <= D("0.005") * len(each)


@given(st.lists(money, min_size=1, max_size=8), rates)
def test_lines_that_are_all_taxable_are_taxed_as_a_whole(amounts, each):
    totals = totals_of([(amount, True) for amount in amounts], percent=D("12.5"), rates=each)
    assert totals.taxable == totals.subtotal - totals.discount
