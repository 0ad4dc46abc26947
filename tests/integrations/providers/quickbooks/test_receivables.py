"""What else is on customers' accounts, by the report: in each shape in which Intuit's pages and recordings have it."""

import pytest

from integrations.errors import Rejected
from integrations.providers.quickbooks.receivables import other_entries

ROWS = [["2026-11-01", "Journal Entry", "W-7", "-30.25"], ["2026-11-02", "Invoice", "1001", "100.00"],
        ["2026-11-03", "Deposit", "", "-12"], ["2026-11-04", "Charge", "3", "0.00"]]  # fmt: skip


class Answering:
    def __init__(self, answer):
        self.answer, self.asked = answer, {}

    def get(self, path, **params):
        self.asked = params
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def report(columns, rows):
    def cells(row):
        return {"ColData": [{"value": value, **({"id": "9"} if at == 1 else {})} for at, value in enumerate(row)]}

    head = {"Header": {"ColData": [{"value": "Kim", "id": "58"}, {"value": ""}]}}
    section = {**head, "Rows": {"Row": [cells(row) for row in rows]}, "Summary": {"ColData": []}, "type": "Section"}
    parent = {"Header": {"ColData": [{"value": "Top", "id": "57"}]}, "Rows": {"Row": [cells(rows[0]), section]}}
    total = {"Summary": {"ColData": [{"value": "TOTAL"}]}, "type": "Section"}
    return {"Columns": {"Column": columns}, "Rows": {"Row": [parent, total]}}


NAMES = ("tx_date", "txn_type", "doc_num")
BY_TYPE = [{"ColTitle": "", "ColType": name} for name in (*NAMES, "subt_open_bal")]
BY_KEY = [
    {"ColType": "String", "MetaData": [{"Name": "ColKey", "Value": name}]} for name in (*NAMES, "foreign_open_bal")
]


@pytest.mark.parametrize("columns", [BY_TYPE, BY_KEY])
def test_entries_are_told_by_customer_and_documents_are_not(columns):
    calls = Answering(report(columns, ROWS))
    found = {(one.customer, one.kind, one.number, one.open, one.id) for one in other_entries(calls, ["57", "58"])}
    journal = ("Journal Entry", "W-7", "-30.25", "9")
    assert found == {("57", *journal), ("58", *journal), ("58", "Deposit", "", "-12.00", "9")}
    assert calls.asked["customer"] == "57,58"
    assert {one.customer for one in other_entries(calls, ["58"])} == {"58"}


@pytest.mark.parametrize(
    "answer", [{}, {"Rows": {}}, {"Rows": [], "Columns": 7}, {"Rows": {"Row": [7, {"Rows": 8}, {"ColData": [None]}]}},
               Rejected("Not in this plan.")]
)  # fmt: skip
def test_what_the_report_does_not_tell_stays_unexplained(answer):
    assert other_entries(Answering(answer), [str(number) for number in range(101)]) == []


def test_for_many_customers_all_are_asked_about():
    calls = Answering({})
    other_entries(calls, [str(number) for number in range(101)])
    assert "customer" not in calls.asked
