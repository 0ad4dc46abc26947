"""The sandbox's answers beside recorded ones of Intuit's: from the same input the same properties and totals."""

import json
from pathlib import Path
from typing import Any

import pytest

from .. import shapes
from .business import line, ref
from .conftest import QuickBooks

RECORDED = Path(__file__).parents[1] / "recorded" / "quickbooks"
FORMS = (
    ("moment", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"),
    ("day", r"\d{4}-\d\d-\d\d"),
    ("id", r"\d+"),
)
# It stands in the answer only if the call asks for it.
UNKNOWN = {"InvoiceLink"}


def recorded(name: str) -> dict[str, Any]:
    return json.loads((RECORDED / f"{name}.json").read_text())[0]


def answered(name: str, entity: str) -> dict[str, Any]:
    return recorded(name)["response"][entity]


def found(name: str, entity: str) -> list[dict[str, Any]]:
    return recorded(name)["response"]["QueryResponse"][entity]


def shape(data: Any) -> Any:
    """Without regard to the order of properties; a number is a number, whole or not."""
    return json.loads(json.dumps(shapes.shape(_known(data), FORMS)).replace('"float"', '"int"'))


def _known(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _known(data[name]) for name in sorted(data) if name not in UNKNOWN}
    if isinstance(data, list):
        return [_known(each) for each in data if not _is_estimate(each)]
    return data


def _is_estimate(data: Any) -> bool:
    return isinstance(data, dict) and data.get("TxnType") == "Estimate"


@pytest.fixture
def amy(books: QuickBooks) -> dict[str, Any]:
    """The customer of the recorded invoice."""
    place = {name: value for name, value in answered("create-invoice", "Invoice")["BillAddr"].items() if name != "Id"}
    return books.create("customer", DisplayName="Amy's Bird Sanctuary", BillAddr=place, ShipAddr=place)


@pytest.fixture
def service(books: QuickBooks) -> dict[str, Any]:
    return books.create("item", Name="Test Item Updated", Type="Service", IncomeAccountRef=ref("1"))


def test_creating_an_invoice(books, amy, service):
    real = answered("create-invoice", "Invoice")
    sent = recorded("create-invoice")["request"]["data"]
    assert (amy["Id"], service["Id"]) == (sent["CustomerRef"]["value"], "1")
    made = books.create("invoice", sent)
    assert shape(made) == shape(real)
    same = ("TxnDate", "DueDate", "Line", "TxnTaxDetail", "CustomerRef", "TotalAmt", "Balance", "EmailStatus",
            "PrintStatus", "ApplyTaxAfterDiscount", "FreeFormAddress", "CurrencyRef", "LinkedTxn", "CustomField",
            "domain", "sparse", "SyncToken")  # fmt: skip
    assert {name: made[name] for name in same} == {name: real[name] for name in same}


def test_updating_a_taxed_invoice(books):
    real = answered("update-invoice", "Invoice")
    lines = []
    for each in real["Line"][:-1]:
        sold = each["SalesItemLineDetail"]
        item = books.create("item", Name=sold["ItemRef"]["name"], Type="NonInventory", IncomeAccountRef=ref("79"))
        lines.append(line(item, sold["Qty"], sold["UnitPrice"], "TAX", Description=each["Description"]))
    place = {name: value for name, value in real["ShipAddr"].items() if name not in ("Id", "Lat", "Long")}
    customer = books.create("customer", DisplayName=real["CustomerRef"]["name"], ShipAddr=place)
    header = {name: real[name] for name in ("TxnDate", "CustomerMemo", "BillEmail", "DocNumber")}
    header |= {"SalesTermRef": ref("3"), "TxnTaxDetail": {"TxnTaxCodeRef": ref("2")}, "CustomerRef": ref(customer)}
    free_form = {name: value for name, value in real["BillAddr"].items() if name.startswith("Line")}
    made = books.create("invoice", header, Line=lines, BillAddr=free_form)
    note = recorded("update-invoice")["request"]["data"]["PrivateNote"]
    changed = books.changed("invoice", made, PrivateNote=note)
    same = ("PrivateNote", "TxnTaxDetail", "TotalAmt", "Balance", "DueDate", "SalesTermRef", "DocNumber", "BillEmail",
            "CustomerMemo", "LinkedTxn")  # fmt: skip
    known = _known(real)
    assert {name: changed[name] for name in same} == {name: known[name] for name in same}
    assert changed["TxnTaxDetail"]["TotalTax"] == 26.82
    assert [each["Amount"] for each in changed["Line"]] == [275, 12.75, 47.5, 335.25]
    plain = {name: value for name, value in known.items() if name != "Line"}
    assert shape({name: changed[name] for name in plain}) == shape(plain)
    assert set(changed) - set(plain) == {"Line", "ShipFromAddr"}  # it was made before Intuit showed where it ships from


def test_sending_an_invoice(books, amy, service):
    real = answered("send-invoice", "Invoice")
    made = books.create("invoice", {"CustomerRef": ref(amy), "Line": [line(service)]}, BillEmail=real["BillEmail"])
    sent = books.call("POST", f"invoice/{made['Id']}/send").json()["Invoice"]
    for name in ("EmailStatus", "BillEmail", "DeliveryInfo"):
        assert shape(sent[name]) == shape(real[name])
    assert sent["SyncToken"] == real["SyncToken"]


def test_creating_a_payment(books, amy):
    real = answered("create-payment", "Payment")
    made = books.create("payment", recorded("create-payment")["request"]["data"])
    assert shape(made) == shape(real)
    same = set(real) - {"Id", "MetaData", "TxnDate", "CustomerRef"}
    assert {name: made[name] for name in same} == {name: real[name] for name in same}


def test_creating_a_customer(books):
    real = answered("create-customer", "Customer")
    made = books.create("customer", recorded("create-customer")["request"]["data"])
    assert shape(made) == shape(real)
    same = set(real) - {"Id", "MetaData", "BillAddr"}
    assert {name: made[name] for name in same} == {name: real[name] for name in same}


def test_each_kind_of_answer_tells_its_own_of_a_customer(books):
    (real,) = (each for each in found("customers", "Customer") if each["DisplayName"] == "Final Validation Customer")
    made = books.create("customer", DisplayName=real["DisplayName"], GivenName="Final", FamilyName="Test",
                        PrimaryEmailAddr=real["PrimaryEmailAddr"])  # fmt: skip
    assert shape(books.query("select * from Customer")["Customer"][0]) == shape(real)
    changed = books.changed("customer", made, DisplayName="Test Customer With RealmId", BillAddr={"Line1": "1 A St"})
    real = answered("update-customer", "Customer")
    assert shape({name: changed[name] for name in real if name in changed}) == shape(
        {name: value for name, value in real.items() if name in changed}
        | {"BillAddr": {"Id": "2", "Line1": "4581 Finch St.", "Lat": "INVALID", "Long": "INVALID"}}
    )
    assert set(changed) < set(real)
    read = books.get("customer", made["Id"])
    assert set(read) - set(changed) == {"V4IDPseudonym"} and "Lat" not in read["BillAddr"]


def test_addresses_are_on_the_map(books):
    for real in (*found("customers", "Customer"), *found("query-entities", "Customer")):
        sent = {name: real[name] for name in ("DisplayName", "BillAddr", "ShipAddr") if name in real}
        if "BillAddr" not in sent:
            continue
        books.post("customer", sent)
    rows = books.query("select * from Customer")["Customer"]
    assert len(rows) == 5
    for row in rows:
        place = row["BillAddr"]
        assert place["CountrySubDivisionCode"] in ("CA", "AZ") and -123 < float(place["Long"]) < -110
        assert 32 < float(place["Lat"]) < 38 and row.get("ShipAddr", place)["Lat"] == place["Lat"]


def test_creating_an_item(books):
    real = answered("create-item", "Item")
    made = books.create("item", recorded("create-item")["request"]["data"])
    assert shape(made) == shape(real)
    same = set(real) - {"Id", "MetaData"}
    assert {name: made[name] for name in same} == {name: real[name] for name in same}
