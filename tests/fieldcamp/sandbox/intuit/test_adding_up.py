"""Whatever is written in whatever order: the books add up, and nonsense is refused in Intuit's shape."""

import copy
import random
from decimal import Decimal
from typing import Any

import pytest

from .business import Business, applied, line, off, percent_off, ref, tax_code

JUNK = (
    *(None, "", 0, -1, 1.5, 1e12, 1e300, True, [], {}, [{}], [[]], [None], ["a"], {"value": None}, {"value": []}),
    *({"value": "TAX"}, {"value": "999"}, "x" * 5000, "2026-02-30", "\x00", "😀", "-5", "NaN", {"a": 1}),
)


def total(rows: Any, name: str) -> Decimal:
    return sum((Decimal(str(row[name])) for row in rows), Decimal(0))


def check(books) -> None:
    """Balances, open amounts and links say the same, from whichever side one looks."""
    state = books.control("state", method="GET", vendor="intuit", account=books.account).json()
    company = state["accounts"][books.account]
    paid: dict[str, list[tuple[str, Decimal]]] = {}
    for payment in company["Payment"]:
        used = total(payment["Line"], "Amount")
        assert Decimal(str(payment["UnappliedAmt"])) == Decimal(str(payment["TotalAmt"])) - used >= 0
        for each in payment["Line"]:
            paid.setdefault(each["LinkedTxn"][0]["TxnId"], []).append((payment["Id"], Decimal(str(each["Amount"]))))
    for invoice in company["Invoice"]:
        links = paid.pop(invoice["Id"], [])
        assert sorted(link["TxnId"] for link in invoice["LinkedTxn"]) == sorted(each for each, _ in links)
        left = Decimal(str(invoice["TotalAmt"])) - sum(amount for _, amount in links)
        assert Decimal(str(invoice["Balance"])) == left >= 0
        lines = {each["DetailType"]: each for each in invoice["Line"]}
        discount = Decimal(str(lines.get("DiscountLineDetail", {"Amount": 0})["Amount"]))
        tax = invoice["TxnTaxDetail"]
        assert total(tax.get("TaxLine", []), "Amount") == Decimal(str(tax["TotalTax"]))
        subtotal = Decimal(str(lines["SubTotalLineDetail"]["Amount"]))
        assert subtotal - discount + Decimal(str(tax["TotalTax"])) == Decimal(str(invoice["TotalAmt"]))
    assert paid == {}
    for customer in company["Customer"]:
        own = [[each for each in company[name] if each["CustomerRef"]["value"] == customer["Id"]]
               for name in ("Invoice", "Payment")]  # fmt: skip
        assert Decimal(str(customer["Balance"])) == total(own[0], "TotalAmt") - total(own[1], "TotalAmt")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_the_books_add_up(books, seed):
    dice = random.Random(seed)
    business = Business(books)
    customers = [business.customer, books.create("customer", DisplayName="Second")]
    books.switch(void_refused_with_payments=bool(seed % 2))
    answers = set()
    for _ in range(100):
        who = dice.choice(customers)
        invoices = books.query("select * from Invoice").get("Invoice", [])
        payments = books.query("select * from Payment").get("Payment", [])
        own = [each for each in invoices if each["CustomerRef"]["value"] == who["Id"]]
        links = [applied(each, dice.choice([each["Balance"], 5, 12.34])) for each in dice.sample(own, min(2, len(own)))]
        lines = [
            line(business.item, dice.randint(1, 3), dice.choice([9.99, 40, 33.333333]), dice.choice(["TAX", "NON"]))
        ]
        lines += dice.choice([[], [percent_off(7)], [off(3.33)]])
        fields = {"Line": lines, "ApplyTaxAfterDiscount": dice.random() < 0.5, **tax_code(dice.choice("234"))}
        action = dice.choice(["bill", "pay", "pay", "rewrite", "move", "void", "delete", "amount"])
        some = dice.choice([*invoices, *payments] or [None])
        if action == "bill" or some is None:
            answer = books.post("invoice", {"CustomerRef": ref(who)} | fields)
        elif action == "pay":
            body = {"CustomerRef": ref(who), "TotalAmt": dice.choice([20, 100.01, 500]), "Line": links}
            answer = books.post("payment", body)
        elif action == "rewrite" and invoices:
            answer = books.change("invoice", dice.choice(invoices), **fields)
        elif action in ("move", "amount") and payments:
            change = {"Line": links} if action == "move" else {"TotalAmt": dice.choice([1, 50, 300])}
            answer = books.change("payment", dice.choice(payments), **change)
        else:
            segment = "payment" if "UnappliedAmt" in some else "invoice"
            answer = (books.delete if action == "delete" else books.void)(segment, some)
        answers.add((action, answer.status_code))
        assert answer.status_code in (200, 400), answer.text
    check(books)
    done = {action for action, status in answers if status == 200}
    assert {"bill", "pay", "rewrite", "move", "void", "delete"} <= done


def spoiled(body: Any, dice: random.Random) -> Any:
    """The body with something in it that does not belong there."""
    body = copy.deepcopy(body)
    places = list(_places(body))
    holder, key = dice.choice(places)
    if isinstance(holder, dict) and dice.random() < 0.2:
        del holder[key]
    else:
        holder[key] = copy.deepcopy(dice.choice(JUNK))
    return body


def _places(body: Any) -> Any:
    for key in body if isinstance(body, dict) else range(len(body)):
        yield body, key
        if isinstance(body[key], dict | list):
            yield from _places(body[key])


@pytest.mark.slow
@pytest.mark.parametrize("segment", ["invoice", "payment", "taxservice/taxcode"])
def test_nonsense_is_refused(books, segment):
    business, dice = Business(books), random.Random(segment)
    bill = business.bill()
    rate = {"Amount": 8, "DetailType": "TaxLineDetail", "TaxLineDetail": {"TaxRateRef": ref("3"), "TaxPercent": 8}}
    header = {"BillAddr": {"City": "Troy"}, "BillEmail": {"Address": "a@b.test"}, "SalesTermRef": ref("1")}
    body = {
        "invoice": business.draft(line(business.item), percent_off(5), DocNumber="7", TxnDate="2026-11-01", **header)
        | tax_code("2", TotalTax=8, TaxLine=[rate]),
        "payment": business.payment(50, applied(bill, 20), TxnDate="2026-11-01", PaymentMethodRef=ref("1")),
        "taxservice/taxcode": {
            "TaxCode": "New",
            "TaxRateDetails": [{"TaxRateName": "New", "RateValue": "5", "TaxAgencyId": "1"}, {"TaxRateId": "3"}],
        },
    }[segment]
    for _ in range(150):
        response = books.post(segment, spoiled(body, dice))
        assert response.status_code in (200, 400)
        assert response.status_code == 200 or response.json()["Fault"]["Error"][0]["code"].isdecimal()
    if segment == "invoice":
        bill = business.again(bill)
        for _ in range(100):
            response = books.change("invoice", bill, **spoiled(body, dice))
            bill = response.json().get("Invoice", bill)
            assert response.status_code in (200, 400)
    check(books)
