"""Money that customers get back: an expense or a check on receivables, and what it is taken of is set against it; and
what else a bookkeeper puts down to receivables."""

import pytest

from .business import Business, applied, line, ref
from .conftest import PLUMBING, code

CHECKING, RECEIVABLES = "35", "84"


@pytest.fixture
def business(books):
    return Business(books)


@pytest.fixture
def refund(books, business):
    def refund(amount, how="Cash", account=RECEIVABLES, **fields):
        detail = {"AccountBasedExpenseLineDetail": {"AccountRef": ref(account)}}
        row = {"Amount": amount, "DetailType": "AccountBasedExpenseLineDetail", **detail}
        body = {"PaymentType": how, "AccountRef": ref(CHECKING), "Line": [row]}
        return body | {"EntityRef": {"value": business.customer["Id"], "type": "Customer"}} | fields

    return lambda *args, **kwargs: books.create("purchase", refund(*args, **kwargs))


def against(purchase, amount, kind="Expense"):
    """A payment's line for money that was paid back."""
    return {"Amount": amount, "LinkedTxn": [{"TxnId": purchase["Id"], "TxnType": kind}]}


def test_a_refund_of_too_much_money(books, business, refund):
    bill = business.bill()
    paid = business.pay(150, applied(bill, bill["TotalAmt"]))
    left = paid["UnappliedAmt"]
    back = refund(20)
    assert (back["TotalAmt"], back["EntityRef"]["type"], "Balance" in back) == (20, "Customer", False)
    assert business.owes() == 20 - left
    lines = [applied(bill, bill["TotalAmt"]), against(back, 20)]
    set_off = books.changed("payment", paid, Line=lines)
    assert set_off["UnappliedAmt"] == left - 20 and business.owes() == 20 - left
    assert [each["LinkedTxn"][0]["TxnType"] for each in set_off["Line"]] == ["Invoice", "Expense"]
    assert code(books.change("payment", set_off, Line=[lines[0], against(back, 21)])) == (400, "6000")
    assert code(books.delete("purchase", books.get("purchase", back["Id"]))) == (400, "800")


def test_a_credit_memo_that_is_paid_back_by_check(books, business, refund):
    memo = books.create("creditmemo", business.draft(line(business.item, 1, 30)))
    back = refund(30, "Check")
    use = {"Amount": 30, "LinkedTxn": [{"TxnId": memo["Id"], "TxnType": "CreditMemo"}]}
    wrong = business.payment(0, against(back, 30), use)
    assert code(books.post("payment", wrong)) == (400, "620")  # a check is no expense
    business.pay(0, against(back, 30, "Check"), use)
    assert books.get("creditmemo", memo["Id"])["RemainingCredit"] == 0 and business.owes() == 0


def test_it_is_paid_to_a_customer_from_a_bank_account(books, business, refund):
    before = books.get("account", CHECKING)["CurrentBalance"]
    refund(12.5)
    assert books.get("account", CHECKING)["CurrentBalance"] == before - 12.5
    row = {"Amount": 5, "AccountBasedExpenseLineDetail": {"AccountRef": ref(RECEIVABLES)}}
    body = {"PaymentType": "Cash", "AccountRef": ref(CHECKING), "Line": [row]}
    assert code(books.post("purchase", body)) == (400, "6000")
    somebody = {"EntityRef": {"value": business.customer["Id"], "type": "Customer"}}
    assert code(books.post("purchase", body | somebody | {"AccountRef": ref(RECEIVABLES)})) == (400, "6430")


def test_an_invoice_that_is_made_smaller_keeps_the_refund(books, business, refund):
    bill = business.bill(line(business.item, 1, 100, "NON"))
    paid = business.pay(150, applied(bill, 100), against(refund(20), 20))
    books.changed("invoice", business.again(bill), Line=[line(business.item, 1, 60, "NON")])
    now = business.again(paid)
    assert [each["Amount"] for each in now["Line"]] == [60, 20] and now["UnappliedAmt"] == 70


def test_put_as_it_is_and_merged(app, books, business, refund):
    other = books.create("customer", DisplayName="Southway")
    back = refund(20)
    merge = {"vendor": "intuit", "account": PLUMBING, "entity": "Customer"}
    ids = {"from": business.customer["Id"], "into": other["Id"]}
    assert books.control("merge", merge | ids).status_code == 200
    assert books.get("purchase", back["Id"])["EntityRef"]["value"] == other["Id"]
    assert books.get("customer", other["Id"])["Balance"] == 20


def entry(customer, amount, *sides):
    """A journal entry's lines: the customer's receivable, and income."""
    whose = {"Entity": {"Type": "Customer", "EntityRef": ref(customer)}} if customer else {}
    details = [{"AccountRef": ref(RECEIVABLES), **whose}, {"AccountRef": ref("79")}]
    kind = "JournalEntryLineDetail"
    rows = [(amount, side, detail) for side, detail in zip(sides, details, strict=True)]
    return {"Line": [{"Amount": a, "DetailType": kind, kind: {"PostingType": s, **d}} for a, s, d in rows]}


def open_rows(books, **query):
    """What the report of balances lists: kind, number, what is open."""
    answer = books.call("GET", "reports/CustomerBalanceDetail", **query).json()
    names = [column["ColType"] for column in answer["Columns"]["Column"]]
    assert answer["Header"]["Option"][-1]["Value"] == ("false" if answer["Rows"] else "true")
    rows = [dict(zip(names, row["ColData"], strict=True)) for part in answer["Rows"].get("Row", [])
            for row in part.get("Rows", {}).get("Row", [])]  # fmt: skip
    return [(row["txn_type"]["value"], row["txn_type"]["id"], row["subt_open_bal"]["value"]) for row in rows]


def test_journal_entries_and_deposits_on_receivables(app, books, business):
    owner = business.customer
    assert code(books.post("journalentry", entry(None, 30, "Credit", "Debit"))) == (400, "6000")
    uneven = entry(owner, 30, "Credit", "Credit")
    assert code(books.post("journalentry", uneven)) == (400, "6000")
    bill = business.bill(line(business.item, 1, 100, "NON"))
    written_off = books.create("journalentry", entry(owner, 30, "Credit", "Debit"))
    charged = books.create("journalentry", entry(owner, 5, "Debit", "Credit"), TxnDate="2031-01-01")
    detail = {"AccountRef": ref(RECEIVABLES), "Entity": {"value": owner["Id"], "type": "CUSTOMER"}}
    row = {"Amount": 12, "DetailType": "DepositLineDetail", "DepositLineDetail": detail}
    body = {"DepositToAccountRef": ref(CHECKING), "Line": [row]}
    banked = books.create("deposit", body)
    unnamed = row | {"DepositLineDetail": {"AccountRef": ref(RECEIVABLES)}}
    assert code(books.post("deposit", body | {"Line": [unnamed]})) == (400, "6000")
    assert business.owes() == 100 - 30 + 5 - 12
    mine = {"customer": owner["Id"]}
    assert open_rows(books, **mine) == [
        ("Deposit", banked["Id"], "-12.00"),
        ("Invoice", bill["Id"], "100.00"),
        ("Journal Entry", written_off["Id"], "-30.00"),
    ]
    assert len(open_rows(books, **mine, report_date="2031-01-01")) == 4
    other = books.create("customer", DisplayName="Southway")
    merge = {"vendor": "intuit", "account": PLUMBING, "entity": "Customer", "from": owner["Id"], "into": other["Id"]}
    assert books.control("merge", merge).status_code == 200
    assert open_rows(books, **mine) == [] and len(open_rows(books, customer=other["Id"])) == 3
    again = books.get("journalentry", charged["Id"])
    assert again["Line"][0]["JournalEntryLineDetail"]["Entity"]["EntityRef"]["value"] == other["Id"]
    assert books.delete("journalentry", again).status_code == 200
    assert books.get("customer", other["Id"])["Balance"] == 100 - 30 - 12
