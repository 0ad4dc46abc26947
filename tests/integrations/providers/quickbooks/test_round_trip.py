"""Whatever FieldCamp may send is read back as it was sent, to the letter and to the cent."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldcamp.money import cents, plain, rounded
from tests.integrations.providers.quickbooks.conftest import IDS, customer, invoice, item, payment

# What is left of a name when everything is taken out that QuickBooks does not take.
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters=":"), min_size=1, max_size=20
)
TEXTS = st.lists(WORDS, max_size=4).map(" ".join)
ADDRESS = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"street": st.lists(TEXTS.filter(bool), min_size=1, max_size=5).map("\n".join)},
        optional={"city": WORDS, "state": st.sampled_from(["CA", "NY"]), "postalCode": WORDS, "country": WORDS},
    ),
)
MONEY = st.decimals(min_value=1, max_value=5000, places=2)
PRICE = st.decimals(min_value="0.01", max_value=2000, places=7)
FEW = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


def check(books, op):
    [outcome] = books.write(IDS[op.kind], [op])
    assert outcome.error is None, outcome.error.detail
    read = books.get(IDS[op.kind], [outcome.record.id])[outcome.record.id]
    for record in (outcome.record, read):
        assert {name: record.fields[name] for name in op.fields} == dict(op.fields)
    return read


@pytest.fixture(scope="module")
def numbers():
    """No two records of this file have the same name."""
    return iter(range(10_000, 100_000))


@pytest.mark.slow
@FEW
@given(TEXTS, TEXTS, ADDRESS, ADDRESS)
def test_customers(books, numbers, first, company_name, home, site):
    number = next(numbers)
    values = {"given_name": first, "company": company_name, "bill_address": home, "ship_address": site}
    check(books, customer(number, **values))


@pytest.mark.slow
@FEW
@given(TEXTS, PRICE, st.booleans(), st.sampled_from(["service", "product"]))
def test_items(books, numbers, description, price, taxable, type):
    values = {"description": description, "price": plain(price), "taxable": taxable, "type": type}
    check(books, item(next(numbers), **values))


@pytest.mark.slow
@FEW
@given(
    st.lists(st.tuples(TEXTS, st.decimals("0.01", 99, places=3), PRICE, st.booleans()), min_size=1, max_size=4),
    st.sampled_from([None, {"percent": "12.5"}, {"amount": "0.01"}]),
    TEXTS,
)
def test_invoices(books, made, numbers, rows, discount, memo):
    number = next(numbers)
    who, what = made(customer(number)), made(item(number))
    lines = [
        {
            "item": what.id, "description": words, "quantity": plain(quantity), "unit_price": plain(price),
            "amount": cents(quantity * price), "taxable": taxable,
        }
        for words, quantity, price, taxable in rows
    ]  # fmt: skip
    if discount and "amount" in discount and sum(Decimal(row["amount"]) for row in lines) < 1:
        discount = None
    record = check(books, invoice(who.id, what.id, number, lines=lines, discount=discount, memo=memo, tax_code="2"))
    # California's 8 % of what is taxed after the discount, as ours would compute it.
    total, tax = Decimal(record.fields["total"]), Decimal(record.fields["tax_total"])
    base = sum(Decimal(row["amount"]) for row in lines)
    off = (
        rounded(base * Decimal("0.125"))
        if discount and "percent" in discount
        else Decimal((discount or {}).get("amount", 0))
    )
    assert total == base - off + tax


@pytest.mark.slow
@FEW
@given(MONEY, MONEY, st.sampled_from(["cash", "check", "card", "bank_transfer"]), WORDS)
def test_payments(books, made, numbers, owed, paid, method, reference):
    number = next(numbers)
    who, what = made(customer(number)), made(item(number))
    row = {
        "item": what.id,
        "description": "",
        "quantity": "1",
        "unit_price": plain(owed),
        "amount": cents(owed),
        "taxable": False,
    }
    bill = made(invoice(who.id, what.id, number, lines=[row]))
    used = [{"invoice": bill.id, "amount": cents(min(owed, paid))}]
    record = check(
        books, payment(who.id, number, amount=cents(paid), method=method, reference=reference, allocations=used)
    )
    assert Decimal(record.fields["unapplied"]) == paid - min(owed, paid)
