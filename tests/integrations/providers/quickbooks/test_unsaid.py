"""What QuickBooks does not say is left out of the fields: it is not empty, and neither taken over nor written over."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.providers.quickbooks.mapping import invoices, items, kept, payments
from integrations.providers.quickbooks.mapping.sales_tax import TaxRules
from tests.integrations.providers.quickbooks.conftest import invoice, line, rewrite, update

RECORDED = Path(__file__).parents[3] / "fieldcamp" / "sandbox" / "recorded" / "quickbooks"
MANUAL = TaxRules("manual")
LINES = {"lines", "discount", "tax_code"}
SALE = "SalesItemLineDetail"


def found(data: Any, entity: str) -> Iterator[dict]:
    """Every object of this name in a recorded answer."""
    if isinstance(data, list):
        for part in data:
            yield from found(part, entity)
    elif isinstance(data, dict):
        for name, value in data.items():
            if name == entity:
                yield from value if isinstance(value, list) else [value]
            else:
                yield from found(value, entity)


def recorded(entity: str) -> list[dict]:
    answers = [json.loads(path.read_text()) for path in sorted(RECORDED.glob("*.json"))]
    return [body for answer in answers for row in answer for body in found(row["response"], entity)]


def charged() -> dict:
    """An invoice of what stood on a statement before: one is in Intuit's sample company."""
    return {
        "Id": "67", "SyncToken": "0", "DocNumber": "1013", "TxnDate": "2026-11-01", "DueDate": "2026-12-01",
        "CustomerRef": {"value": "1"}, "LinkedTxn": [{"TxnId": "29", "TxnType": "StatementCharge"}],
        "Line": [{"Amount": 75, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}],
        "TxnTaxDetail": {"TxnTaxCodeRef": {"value": "2"}, "TotalTax": 6}, "TotalAmt": 81, "Balance": 81,
    }  # fmt: skip


def adds_up(fields: dict, body: dict) -> bool:
    off = sum(Decimal(str(row["Amount"])) for row in body["Line"] if row["DetailType"] == "DiscountLineDetail")
    lines = sum((Decimal(each["amount"]) for each in fields["lines"]), Decimal(0))
    return lines - off + Decimal(fields["tax_total"]) == Decimal(fields["total"])


# --- invoices ---------------------------------------------------------------------------------------------------------


def test_every_recorded_invoice_is_read_in_full_or_not_at_all():
    bodies = [*recorded("Invoice"), charged()]
    assert len(bodies) > 4
    for body in bodies:
        fields = invoices.to_fields(body, MANUAL)
        assert adds_up(fields, body) if "lines" in fields else not LINES & set(fields)
        assert (fields["total"], fields["balance"]) == tuple(f"{body[name]:.2f}" for name in ("TotalAmt", "Balance"))
    assert ["lines" in invoices.to_fields(body, MANUAL) for body in bodies] == [True] * (len(bodies) - 1) + [False]


AMOUNT = st.integers(1, 99_99).map(lambda cents: cents / 100)
DETAILS = {SALE: {"ItemRef": {"value": "1"}}, "DiscountLineDetail": {"PercentBased": False}}
PLAIN = st.builds(
    lambda kind, amount: {"DetailType": kind, "Amount": amount, kind: DETAILS.get(kind, {})},
    st.sampled_from([SALE, "DescriptionOnly", "DiscountLineDetail", "SubTotalLineDetail", "NewerLineDetail"]),
    AMOUNT,
)  # fmt: skip
BUNDLE = st.builds(
    lambda rows: {"DetailType": "GroupLineDetail", "Amount": 1, "GroupLineDetail": {"Line": rows}},
    st.lists(PLAIN, max_size=3),
)


@pytest.mark.slow
@given(st.lists(PLAIN | BUNDLE, max_size=5), st.sampled_from([0, 0.55]), st.sampled_from(["", "Voided"]))
def test_whatever_rows_there_are_their_sum_is_right_or_they_are_not_read(rows, tax, note):
    flat = [part for row in rows for part in (row["GroupLineDetail"]["Line"] if "GroupLineDetail" in row else [row])]
    sign = {SALE: 1, "DiscountLineDetail": -1}
    sums = sum(Decimal(str(row["Amount"])) * sign.get(row["DetailType"], 0) for row in flat)
    right = sums + Decimal(str(tax))
    for total in (right, right + 1):
        body = {"Line": rows, "TotalAmt": float(total), "TxnTaxDetail": {"TotalTax": tax}, "PrivateNote": note}
        fields = invoices.to_fields(body, TaxRules("automated"))
        assert "lines" not in fields or (total == right and adds_up(fields, {"Line": flat}))
        known = all(row["DetailType"] != "NewerLineDetail" for row in flat)
        few = sum(row["DetailType"] == "DiscountLineDetail" for row in flat) < 2
        assert ("lines" in fields) == (total == right and known and few)


def test_what_is_not_read_in_full_is_not_written_in_part(books, made, who, what, intuit, company):
    bill = made(invoice(who.id, what.id))
    rewrite(intuit, "Invoice", bill.id, LinkedTxn=[{"TxnId": "29", "TxnType": "StatementCharge"}], TotalAmt=175)
    before = company.read("Invoice", bill.id)
    seen = books.get("Invoice", [bill.id])[bill.id]
    assert not LINES & set(seen.fields) and seen.fields["total"] == "175.00"
    for fields in ({"lines": [line(what.id, "3")]}, {"discount": {"percent": "10"}}, {"tax_code": "2"}):
        [outcome] = books.write("Invoice", [update(seen, **fields)])
        assert outcome.error.reason == "unreadable" and "cannot read it in full" in str(outcome.error)
    assert company.read("Invoice", bill.id) == before
    [outcome] = books.write("Invoice", [update(seen, memo="New words")])
    assert outcome.error is None
    assert company.read("Invoice", bill.id)["Line"] == before["Line"]


# --- tax codes, and the other fields ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "code", "said"),
    [
        (TaxRules("manual"), {"TxnTaxCodeRef": {"value": "2"}, "TotalTax": 8}, "2"),
        (TaxRules("manual"), {"TotalTax": 0}, ""),
        (TaxRules("manual"), {"TotalTax": 8}, None),  # by hand, or by what computed it once
        (TaxRules("automated"), {"TxnTaxCodeRef": {"value": "2"}, "TotalTax": 8}, None),
        (TaxRules("automated"), {"TxnTaxCodeRef": {"value": "2"}, "TotalTax": 0}, None),
        (TaxRules("none"), {"TxnTaxCodeRef": {"value": "2"}, "TotalTax": 8}, None),
    ],
)
def test_a_code_that_nobody_chose_is_not_said(rules, code, said):
    row = {"DetailType": SALE, "Amount": 100, SALE: {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": "TAX"}}}
    body = {"Line": [row], "TxnTaxDetail": code, "TotalAmt": 100 + code["TotalTax"]}
    assert invoices.to_fields(body, rules).get("tax_code") == said


def test_fields_that_are_missing_are_left_out():
    assert not {"date", "due_date", "total", "balance"} & set(invoices.to_fields({"Line": []}, MANUAL))
    assert not {"date", "method"} & set(payments.to_fields({"TotalAmt": 5}, {"1": "Cash"}))
    assert "method" not in payments.to_fields({"PaymentMethodRef": {"value": "9"}}, {"1": "Cash"})  # not in its list
    item = {"Name": "Pump", "Type": "Service"}
    assert "taxable" not in items.to_fields(item)
    assert items.to_fields({**item, "Taxable": False})["taxable"] is False
    assert kept("item", {"name": "Pump", "taxable": True}) == {"name": "Pump", "taxable": True}
