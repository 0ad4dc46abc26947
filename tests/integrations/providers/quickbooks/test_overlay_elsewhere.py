"""The same for payments, and outside the US, where each line has a code of its own and prices may hold the tax."""

import pytest

from integrations import errors
from integrations.transport.client import HttpClient, OneToken
from tests.integrations.providers.quickbooks.conftest import (
    QUICKBOOKS,
    Company,
    invoice,
    line,
    payment,
    rewrite,
    update,
)

NORTHERN = "9130002"


# --- payments ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def settled(books, made, company, who, what):
    """100.00 owed: 60.00 by a check, 40.00 by a credit memo, which stand on one payment of a bookkeeper's."""
    bill = made(invoice(who.id, what.id))
    sold = {"DetailType": "SalesItemLineDetail", "Amount": 40, "SalesItemLineDetail": {"ItemRef": {"value": what.id}}}
    memo = company.make("CreditMemo", CustomerRef={"value": who.id}, Line=[sold])
    rows = [
        {"Amount": amount, "LinkedTxn": [{"TxnId": id, "TxnType": kind}]}
        for amount, id, kind in ((100, bill.id, "Invoice"), (40, memo["Id"], "CreditMemo"))
    ]
    paid = company.make("Payment", CustomerRef={"value": who.id}, TotalAmt=60, Line=rows)
    return books.get("Payment", [paid["Id"]])[paid["Id"]], bill, memo


def test_a_credit_memo_stays_on_a_payment(books, settled, company, made, who, what):
    seen, bill, memo = settled
    second = made(invoice(who.id, what.id, 2))
    shares = [{"invoice": bill.id, "amount": "100.00"}, {"invoice": second.id, "amount": "10.00"}]
    before = company.read("Payment", seen.id)
    [outcome] = books.write("Payment", [update(seen, amount="70.00", allocations=shares)])
    assert outcome.error is None, outcome.error.detail
    after = company.read("Payment", seen.id)
    assert [row["Amount"] for row in after["Line"]] == [100, 40, 10]
    assert after["Line"][1]["LinkedTxn"] == before["Line"][1]["LinkedTxn"]
    assert company.read("CreditMemo", memo["Id"])["Balance"] == 0
    own = [name for name in before if name not in ("SyncToken", "MetaData", "TotalAmt", "Line")]
    assert {name: after.get(name) for name in own} == {name: before[name] for name in own}


def test_another_amount_of_a_payment_touches_no_row(books, settled, company, intuit):
    seen, bill, _ = settled
    shares = [{"invoice": bill.id, "amount": "100.00"}]
    intuit.forget_requests()
    [outcome] = books.write("Payment", [update(seen, amount="75.00", allocations=shares)])
    assert outcome.error is None and outcome.record.fields["unapplied"] == "15.00"
    assert [row["Amount"] for row in company.read("Payment", seen.id)["Line"]] == [100, 40]


def test_a_payment_that_moved_on_is_looked_at_again(books, settled, company):
    seen, bill, _ = settled
    company.edit("Payment", seen.id, PrivateNote="Theirs")
    [outcome] = books.write("Payment", [update(seen, amount="60.00", allocations=[])])
    assert isinstance(outcome.error, errors.Stale)


def test_an_invoice_on_two_rows_is_not_told_apart(books, made, who, what, intuit, company):
    bill = made(invoice(who.id, what.id))
    paid = made(payment(who.id, allocations=[{"invoice": bill.id, "amount": "100.00"}]))
    row = company.read("Payment", paid.id)["Line"][0]
    rewrite(intuit, "Payment", paid.id, Line=[{**row, "Amount": 60}, {**row, "Amount": 40}])
    seen = books.get("Payment", [paid.id])[paid.id]
    assert "allocations" not in seen.fields
    [outcome] = books.write("Payment", [update(seen, amount="90.00", allocations=[])])
    assert outcome.error.reason == "unreadable"


# --- outside the US ---------------------------------------------------------------------------------------------------


class Abroad(Company):
    realm = NORTHERN

    def call(self, method, path, body=None, **params):
        response = self.intuit.browser.request(
            method,
            f"{QUICKBOOKS.hosts(NORTHERN)[0]}/v3/company/{NORTHERN}/{path}",
            params=params,
            headers={"Authorization": f"Bearer {self.token}", "Accept": "application/json"},
            **({"json": body} if body is not None else {}),
        )
        assert response.ok, response.text
        return response.json()


@pytest.fixture
def abroad(intuit) -> Abroad:
    return Abroad(intuit, intuit.token(NORTHERN)["access_token"])


@pytest.fixture
def northern(abroad):
    return QUICKBOOKS.open(HttpClient(QUICKBOOKS, OneToken(abroad.token)), NORTHERN)


@pytest.fixture
def codes(abroad) -> dict[str, str]:
    return {row["Name"]: row["Id"] for row in abroad.rows("TaxCode")}


@pytest.fixture
def bill(abroad):
    account = next(row["Id"] for row in abroad.rows("Account") if row["AccountType"] == "Income")
    who = abroad.make("Customer", DisplayName="Condos")["Id"]
    item = abroad.make("Item", Name="Work", Type="Service", IncomeAccountRef={"value": account})["Id"]

    def make(*lines: tuple[float, str], **more) -> dict:
        rows = [
            {"DetailType": "SalesItemLineDetail", "Amount": amount, "Description": f"Line {number}",
             "SalesItemLineDetail": {"ItemRef": {"value": item}, "Qty": 1, "UnitPrice": amount,
                                     "TaxCodeRef": {"value": code}}}
            for number, (amount, code) in enumerate(lines, 1)
        ]  # fmt: skip
        return abroad.make("Invoice", CustomerRef={"value": who}, Line=rows, **more)

    return make


def of_lines(body: dict) -> list[str]:
    rows = [row for row in body["Line"] if row["DetailType"] == "SalesItemLineDetail"]
    return [row["SalesItemLineDetail"]["TaxCodeRef"]["value"] for row in rows]


def write(northern, body: dict, change, **more):
    seen = northern.get("Invoice", [body["Id"]])[body["Id"]]
    lines = [dict(each) for each in seen.fields["lines"]]
    change(lines)
    said = {name: seen.fields[name] for name in ("discount", "tax_code") if name in seen.fields}
    [outcome] = northern.write("Invoice", [update(seen, lines=lines, **{**said, **more})])
    return outcome


@pytest.mark.slow
def test_a_line_keeps_its_own_code(abroad, northern, codes, bill):
    whole, part = codes["GST/PST BC"], codes["GST"]
    before = bill((99.99, whole), (4495.16, part))
    seen = northern.get("Invoice", [before["Id"]])[before["Id"]]
    assert "tax_code" not in seen.fields and [each["taxable"] for each in seen.fields["lines"]] == [True, True]
    outcome = write(northern, before, lambda lines: lines[0].update(unit_price="100", amount="100.00"))
    assert outcome.error is None, outcome.error.detail
    after = abroad.read("Invoice", before["Id"])
    assert of_lines(after) == [whole, part] and after["Line"][1] == before["Line"][1]
    assert after["TxnTaxDetail"]["TotalTax"] == 236.76  # 5 % and 7 % of 100, 5 % of the rest
    outcome = write(northern, after, lambda lines: lines[1].update(taxable=False))
    assert outcome.error is None and of_lines(abroad.read("Invoice", before["Id"]))[0] == whole


def test_a_new_taxed_line_has_no_code_where_the_others_have_several(northern, codes, bill):
    before = bill((10, codes["GST/PST BC"]), (20, codes["GST"]))
    new = line("1", "1", "5", taxable=True)
    assert write(northern, before, lambda lines: lines.append(new)).error.reason == "holds_more"
    outcome = write(northern, before, lambda lines: None, tax_code=codes["GST"])
    assert outcome.error.reason == "holds_more"


def test_another_code_for_the_invoice_takes_the_place_of_its_old_one(abroad, northern, codes, bill):
    exempt = next(
        row["Id"] for row in abroad.rows("TaxCode") if row["Name"] in ("Exempt", "Zero-rated", "Out of scope")
    )
    before = bill((10, codes["GST/PST BC"]), (20, exempt))
    outcome = write(northern, before, lambda lines: None, tax_code=codes["GST"])
    assert outcome.error is None, outcome.error
    assert of_lines(abroad.read("Invoice", before["Id"])) == [codes["GST"], exempt]
    assert outcome.record.fields["tax_code"] == codes["GST"]


def test_amounts_that_hold_the_tax_are_changed_there_only(abroad, northern, codes, bill):
    before = bill((112, codes["GST/PST BC"]), GlobalTaxCalculation="TaxInclusive")
    outcome = write(northern, before, lambda lines: lines[0].update(unit_price="7", amount="7.00"))
    assert outcome.error.reason == "holds_more" and "include the tax" in str(outcome.error)
    outcome = write(northern, before, lambda lines: lines[0].update(description="Words"))
    assert outcome.error is None, outcome.error.detail
    after = abroad.read("Invoice", before["Id"])
    kept = ("TotalAmt", "TxnTaxDetail", "GlobalTaxCalculation")
    assert [after[name] for name in kept] == [before[name] for name in kept]
