"""Comparing is pure: whatever both sides have, the differences explain the sums of each month and each customer."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.reconciliation.causes import Cause
from integrations.reconciliation.compare import Comparison, compare
from integrations.reconciliation.documents import HERE, SIDES, THERE, ZERO, BooksDocument, BooksPair, Period

MONEY = st.integers(-3000, 9000).map(lambda cents: Decimal(cents) / 100)
DAYS = st.sampled_from(["2026-09-30", "2026-10-01", "2026-10-31", "2026-11-15", "2026-12-01"])
PARTIES = st.sampled_from(["cli_1", "cli_2", "there:9"])
KEYS = [f"inv_{n}" for n in range(5)]


def documents(invoice: bool):
    return st.none() | st.builds(
        BooksDocument,
        date=DAYS,
        party=PARTIES,
        amount=MONEY,
        number=st.none() | st.sampled_from(["1", "2"]),
        tax=st.none() | MONEY if invoice else st.none(),
        remainder=st.none() | MONEY,
        shares=st.just({}) if invoice else st.dictionaries(st.sampled_from([*KEYS, "there:77"]), MONEY, max_size=3),
        voided=st.booleans(),
    )


def pair(kind: str, key: str):
    sides = documents(kind == "invoice")
    same = sides.map(lambda one: (one, one))
    return st.tuples(same | st.tuples(sides, sides), st.booleans(), st.booleans(), st.booleans()).map(
        lambda drawn: BooksPair(
            key,
            kind,
            here=drawn[0][0],
            there=drawn[0][1],
            linked=drawn[1],
            cut=drawn[2],
            apart=drawn[3] and not drawn[1],
        )
    )


PAIRS = st.tuples(
    *(pair("invoice", key) for key in KEYS), *(pair("payment", f"pay_{number}") for number in range(4))
).map(list)
PERIODS = st.sampled_from(
    [Period(), Period("2026-10-01"), Period("2026-10-01", "2026-10-31"), Period("", "2026-11-15")]
)


def explained(found: Comparison, period: Period) -> None:
    """For each month and kind, and for each customer: here less there is the sum of the differences."""
    for month, sums in found.months.items():
        for kind, sides in sums.kinds.items():
            differing = ZERO
            for difference in found.differences:
                if difference.pair.kind != kind:
                    continue
                for side, sign in ((HERE, 1), (THERE, -1)):
                    document = difference.pair.side(side)
                    if document and period.holds(document.date) and document.date.startswith(month):
                        differing += sign * document.amount
            assert sides[HERE].total - sides[THERE].total == differing
    for party, owed in found.owed.items():
        assert owed[HERE] - owed[THERE] == sum(
            (one.owed[party][HERE] - one.owed[party][THERE] for one in found.differences if party in one.owed), ZERO
        )


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(PAIRS, PERIODS)
def test_the_differences_explain_the_sums(pairs, period):
    found = compare(pairs, period)
    explained(found, period)
    assert sum(sum(counted.values()) for counted in found.states.values()) <= len(pairs)


@settings(max_examples=25, deadline=None)
@given(PAIRS, PERIODS)
def test_what_is_equal_does_not_differ(pairs, period):
    equal = [BooksPair(one.key, one.kind, here=one.here, there=one.here, linked=True) for one in pairs]
    found = compare(equal, period)
    assert found.differences == []
    assert all(owed[HERE] == owed[THERE] for owed in found.owed.values())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(MONEY, MONEY, PARTIES), max_size=5), st.lists(st.tuples(MONEY, PARTIES), max_size=3))
def test_what_is_owed_is_the_open_balances_less_what_is_unapplied(invoices, payments):
    """Also where a payment of somebody else settles an invoice."""
    pairs, expected = [], dict.fromkeys(("cli_1", "cli_2", "there:9"), ZERO)
    for number, (total, paid, party) in enumerate(invoices):
        document = BooksDocument("2026-11-01", party, total, remainder=total - paid)
        pairs.append(BooksPair(f"inv_{number}", "invoice", here=document, there=document))
        payer = BooksDocument("2026-11-02", "cli_2", paid, remainder=ZERO, shares={f"inv_{number}": paid})
        pairs.append(BooksPair(f"pay_{number}", "payment", here=payer, there=payer))
        expected[party] += total - paid
    for number, (unapplied, party) in enumerate(payments):
        document = BooksDocument("2026-11-02", party, unapplied, remainder=unapplied)
        pairs.append(BooksPair(f"more_{number}", "payment", here=document, there=document))
        expected[party] -= unapplied
    owed = compare(pairs, Period()).owed
    assert {party: sides[HERE] for party, sides in owed.items() if sides[HERE]} == {
        party: amount for party, amount in expected.items() if amount
    }


def invoice(party: str = "cli_1", balance: str = "100", **fields) -> BooksDocument:
    return BooksDocument(**{"date": "2026-11-01", "party": party, "amount": Decimal(100), "remainder": Decimal(balance),
                            **fields})  # fmt: skip


def payment(**fields) -> BooksDocument:
    return BooksDocument(**{"date": "2026-12-02", "party": "cli_1", "amount": Decimal(40), "remainder": ZERO,
                            "shares": {"inv": Decimal(40)}, **fields})  # fmt: skip


def test_a_payment_on_one_side_is_one_difference_and_not_one_more_of_its_invoice():
    """Also one that is dated after the days in question: it settles an invoice of these days."""
    pairs = [
        BooksPair("inv", "invoice", here=invoice(balance="60"), there=invoice(), linked=True),
        BooksPair("pay", "payment", here=payment(), linked=True),
    ]
    for period in (Period(), Period("2026-11-01", "2026-11-30")):
        [difference] = compare(pairs, period).differences
        assert (difference.pair.key, difference.cause) == ("pay", Cause.REMOVED_THERE)
        assert difference.owed == {"cli_1": {HERE: Decimal(-40), THERE: ZERO}}
        explained(compare(pairs, period), period)


def test_an_invoice_that_moves_to_another_customer_takes_its_payments_along():
    pairs = [
        BooksPair("inv", "invoice", here=invoice(balance="60"), there=invoice("cli_2", "60"), linked=True),
        BooksPair("pay", "payment", here=payment(), there=payment(), linked=True),
    ]
    found = compare(pairs, Period())
    [difference] = found.differences
    assert (difference.cause, difference.fields) == (Cause.MOVED_CUSTOMER, ("customer",))
    assert {party: tuple(owed[side] for side in SIDES) for party, owed in found.owed.items() if any(owed.values())} == {
        "cli_1": (60, 0),
        "cli_2": (0, 60),
    }


def test_what_settles_an_invoice_otherwise_is_named():
    """A credit that was applied there is neither a payment nor another total."""
    [difference] = compare(
        [BooksPair("inv", "invoice", here=invoice(), there=invoice(balance="75"))], Period()
    ).differences
    assert (difference.fields, difference.cause) == (("open",), Cause.VARIANCE)


def test_a_balance_that_is_not_known_is_no_difference():
    pairs = [BooksPair("inv", "invoice", here=invoice(balance="60"), there=invoice(remainder=None)),
             BooksPair("pay", "payment", here=payment(), there=payment())]  # fmt: skip
    assert compare(pairs, Period()).differences == []
