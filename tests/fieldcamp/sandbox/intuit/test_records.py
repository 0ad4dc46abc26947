"""`/_control/record`: what a person leaves on QuickBooks' own pages, exactly as it is given."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldcamp.sandbox.intuit.registry import ENTITIES

from .business import Business, applied, line, ref, tax_code
from .conftest import PLUMBING, code
from .test_recorded import RECORDED

OWN = {"Id", "SyncToken", "MetaData"}


@pytest.fixture
def business(books):
    return Business(books)


@pytest.fixture
def record(books):
    """Puts an object, or removes it; where it is now, or the sentence why not."""

    def put(entity, object_id, body):
        call = {"vendor": "intuit", "account": PLUMBING, "entity": entity, "id": object_id, "body": body}
        url = "http://sandbox.test/_control/record"
        answer = books.session.post(url, data=json.dumps(call), headers={"Content-Type": "application/json"})
        assert answer.status_code in (200, 400), answer.text
        return answer.json() if answer.status_code == 200 else answer.json()["error"]

    return put


def told(books, entity, since="2026-11-20T00:00:00Z"):
    (answer,) = books.call("GET", "cdc", entities=entity, changedSince=since).json()["CDCResponse"]
    return {each["Id"]: each for each in answer["QueryResponse"][0].get(entity, [])}


def statement_charge(customer):
    """An invoice of a charge that stood on a statement: Intuit's sample company has one like it."""
    charged = [{"TxnId": "29", "TxnType": "StatementCharge"}]
    rate = {"TaxRateRef": {"value": "3"}, "PercentBased": True, "TaxPercent": 8, "NetAmountTaxable": 75}
    tax_line = {"Amount": 6, "DetailType": "TaxLineDetail", "TaxLineDetail": rate}
    detail = {"TxnTaxCodeRef": {"value": "2"}, "TotalTax": 6, "TaxLine": [tax_line]}
    sums = [{"Amount": 75, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}]
    head = {"CustomerRef": {"value": customer["Id"], "name": "Amy"}, "TxnDate": "2026-11-01", "DueDate": "2026-12-01"}
    return head | {"DocNumber": "1013", "LinkedTxn": charged, "Line": sums, "TxnTaxDetail": detail, "TotalAmt": 81,
                   "Balance": 81, "CurrencyRef": {"value": "USD", "name": "United States Dollar"},
                   "EmailStatus": "NotSet", "PrintStatus": "NeedToPrint", "ApplyTaxAfterDiscount": False,
                   "CustomField": [{"DefinitionId": "1", "Name": "Crew #", "Type": "StringType"}]}  # fmt: skip


def every_recorded_object():
    for file in sorted(RECORDED.glob("*.json")):
        for exchange in json.loads(file.read_text()):
            answer = exchange["response"]
            for name, value in {**answer, **answer.get("QueryResponse", {})}.items():
                for each in value if isinstance(value, list) else [value]:
                    if name in ENTITIES and isinstance(each, dict) and "Id" in each:
                        yield name, each


def test_whatever_was_recorded_is_kept_as_it_was(books, record):
    seen = list(every_recorded_object())
    assert len(seen) > 15 and {name for name, _ in seen} >= {"Customer", "Invoice", "Payment", "Item"}
    for _, body in seen:
        for reference in (body.get("CustomerRef"), body.get("ParentRef")):
            if reference and books.call("GET", f"customer/{reference['value']}").status_code != 200:
                record("Customer", reference["value"], {"DisplayName": f"Stand-in {reference['value']}"})
    for name, body in seen:
        record(name, body["Id"], body)
        shown = books.get(ENTITIES[name].segment, body["Id"])
        assert {key: value for key, value in shown.items() if key not in OWN} == {
            key: value for key, value in body.items() if key not in OWN
        }


def test_it_moves_on_and_is_told_and_goes(books, business, record):
    body = statement_charge(business.customer)
    assert record("Invoice", "67", body) == {"id": "67", "sync_token": "0"}
    shown = books.get("invoice", "67")
    assert {name: shown[name] for name in body} == body and set(shown) - set(body) == OWN | {"domain", "sparse"}
    assert shown["MetaData"]["LastModifiedByRef"]["value"]
    (row,) = books.query("select * from Invoice where DocNumber = '1013' and Balance > 80")["Invoice"]
    assert row == shown == told(books, "Invoice")["67"] and business.owes() == 81
    assert record("Invoice", "67", body | {"PrivateNote": "Call her", "TotalAmt": 80}) == {
        "id": "67", "sync_token": "1"}  # fmt: skip
    assert books.get("invoice", "67")["PrivateNote"] == "Call her" and business.owes() == 80
    assert business.bill()["DocNumber"] == "1014" and business.bill()["Id"] == "69"
    assert record("Invoice", "67", None) == {"id": "67", "sync_token": None}
    assert code(books.call("GET", "invoice/67")) == (400, "610") and told(books, "Invoice")["67"]["status"] == "Deleted"
    assert business.owes() == 200
    assert record("Invoice", "67", body) == {"id": "67", "sync_token": "3"} and business.owes() == 281


def test_an_app_goes_on_with_it(books, business, record):
    body = statement_charge(business.customer)
    record("Invoice", "67", body)
    paid = business.pay(31, {"Amount": 31, "LinkedTxn": [{"TxnId": "67", "TxnType": "Invoice"}]})
    shown = books.get("invoice", "67")
    assert (shown["Balance"], shown["SyncToken"]) == (50, "1")
    assert shown["LinkedTxn"] == [*body["LinkedTxn"], {"TxnId": paid["Id"], "TxnType": "Payment"}]
    assert {name: shown[name] for name in body if name not in ("Balance", "LinkedTxn")} == {
        name: body[name] for name in body if name not in ("Balance", "LinkedTxn")}  # fmt: skip
    changed = books.changed("invoice", shown, PrivateNote="From the app")
    assert changed["TotalAmt"] == 81 and changed["TxnTaxDetail"]["TotalTax"] == 6 and changed["Balance"] == 50
    assert changed["CustomerRef"] == {"value": business.customer["Id"], "name": "Northway Hardware"}
    more = books.changed("invoice", changed, Line=[*changed["Line"][:-1], line(business.item, 1, 10, "NON")])
    assert (more["TotalAmt"], more["Balance"]) == (91, 60)
    assert books.void("invoice", more).status_code == 400  # a payment is linked
    assert books.delete("payment", paid).status_code == 200 and books.get("invoice", "67")["Balance"] == 91


@pytest.mark.parametrize("step", ["void", "delete", "send"])
def test_an_app_ends_it(books, business, record, step):
    record("Invoice", "5", statement_charge(business.customer))
    known = books.get("invoice", "5")
    if step == "send":
        sent = books.call("POST", "invoice/5/send", sendTo="amy@northway.test").json()["Invoice"]
        assert (sent["EmailStatus"], sent["TotalAmt"]) == ("EmailSent", 81)
    else:
        assert getattr(books, step)("invoice", known).status_code == 200
        assert business.owes() == 0


def test_names_that_no_app_could_give(books, record):
    head = {"DisplayName": "Weiss, Tom: \t shop", "Active": False, "Balance": 3, "Job": False, "Notes": "x"}
    record("Customer", "9", head)
    assert "9" not in [each["Id"] for each in books.query("select * from Customer").get("Customer", [])]
    (found,) = books.query("select * from Customer where Active in (true, false)")["Customer"]
    assert {name: found[name] for name in head} == head
    record("Customer", "10", head | {"Active": True})  # the same name twice, as after an import
    record("Customer", "11", {"DisplayName": "Site", "ParentRef": {"value": "10"}, "Job": True})
    bill = {"CustomerRef": {"value": "11"}, "TotalAmt": 7, "Line": []}
    record("Invoice", "1", bill)
    assert books.get("customer", "10")["BalanceWithJobs"] == 10
    moved = books.changed("customer", books.get("customer", "10"), DisplayName="Weiss")
    assert moved["SyncToken"] == "1" and books.get("customer", "11")["FullyQualifiedName"] == "Weiss:Site"
    item = record("Item", "4", {"Name": "Pipe", "IncomeAccountRef": {"value": "79", "name": "Sales"}})
    assert item == {"id": "4", "sync_token": "0"}
    assert books.get("item", "4")["IncomeAccountRef"] == {"value": "79", "name": "Sales"}
    assert books.create("item", Name="Next", Type="Service", IncomeAccountRef=ref("79"))["Id"] == "5"


def test_the_company_s_own_choices(books, record):
    given_ = books.single("preferences")
    plain = {name: value for name, value in given_.items() if name not in OWN | {"domain", "sparse"}}
    plain["TaxPrefs"] = {"UsingSalesTax": True, "PartnerTaxEnabled": True}
    plain["AccountingInfoPrefs"] = {"BookCloseDate": "2026-10-31", "ClassTrackingPerTxnLine": True}
    record("Preferences", "1", plain)
    shown = books.single("preferences")
    assert shown["TaxPrefs"] == plain["TaxPrefs"] and shown["SyncToken"] == "1"
    assert shown["AccountingInfoPrefs"] == plain["AccountingInfoPrefs"]
    business = Business(books)
    assert business.bill(line(business.item))["TxnTaxDetail"]["TotalTax"] == 8
    assert code(books.post("invoice", business.draft(TxnDate="2026-10-31"))) == (400, "6210")
    record("Preferences", "1", {name: value for name, value in plain.items() if name != "AccountingInfoPrefs"})
    assert business.bill(TxnDate="2026-10-31")["Id"] and "AccountingInfoPrefs" not in books.single("preferences")


def test_removing_frees_what_it_was_linked_to(books, business, record):
    first, second = business.bill(), business.bill()
    memo = books.create("creditmemo", business.draft(line(business.item, 1, 30)))
    use = {"Amount": 30, "LinkedTxn": [{"TxnId": memo["Id"], "TxnType": "CreditMemo"}]}
    alone = business.pay(0, applied(first, 30), use)
    paid = business.pay(50, applied(second, 50))
    books.create("deposit", DepositToAccountRef=ref("35"), Line=[{"Amount": 50, "LinkedTxn": [
        {"TxnId": paid["Id"], "TxnType": "Payment"}]}])  # fmt: skip
    record("CreditMemo", memo["Id"], None)
    assert code(books.call("GET", f"payment/{alone['Id']}")) == (400, "610")
    assert business.again(first)["Balance"] == 100 and business.again(first)["LinkedTxn"] == []
    record("Invoice", second["Id"], None)
    assert business.again(paid)["UnappliedAmt"] == 50 and business.again(paid)["Line"] == []
    record("Payment", paid["Id"], None)
    assert books.query("select count(*) from Deposit")["totalCount"] == 0 and business.owes() == 100
    quote = books.create("estimate", business.draft())
    made = business.bill(LinkedTxn=[{"TxnId": quote["Id"], "TxnType": "Estimate"}])
    record("Estimate", quote["Id"], None)
    assert business.again(made)["LinkedTxn"] == []


def test_what_cannot_be(books, business, record):
    made = business.bill(**tax_code("2"))
    name = f"Customer {business.customer['Id']} is named by Invoice {made['Id']}: remove that first, or merge."
    assert record("Customer", business.customer["Id"], None) == name
    assert record("Item", business.item["Id"], None).startswith("Item 1 is named by Invoice")
    assert record("Account", "35", None) == "QuickBooks does not let anybody remove a Account."
    assert record("Invoice", "999", None) == "There is no such object."
    assert record("Invoice", "9", {"CustomerRef": {"value": "999"}}) == "There is no customer 999: put that first."
    assert record("Invoice", "9", {"TotalAmt": 5}) == "CustomerRef is missing."
    assert record("Customer", "9", {"Notes": "no name"}) == "DisplayName is missing."
    below = {"DisplayName": "A", "ParentRef": {"value": "9"}}
    assert record("Customer", "9", below) == "Customer 9 cannot be above this one."
    assert record("Check", "9", {}) == "QuickBooks has no Check."
    for wrong in ("0", "x", "1 ", "-1", "9" * 19):
        assert record("Invoice", wrong, {}) == "id must be a number."
    assert record("Customer", "9", {"DisplayName": "A", "Balance": float("nan")}) == "The body is not valid JSON."
    assert record("Customer", "9", {"DisplayName": "A", "Balance": 1e15}) == "Balance must be a number."
    other = {"vendor": "google", "account": "x", "entity": "Customer", "id": "1", "body": None}
    assert books.control("record", other).json() == {"error": "This vendor keeps no books."}
    assert books.control("record", {"vendor": "intuit", "account": PLUMBING, "entity": "Item", "id": "1"}).json() == {
        "error": "body must be an object, or null."}  # fmt: skip


NAMES = st.sampled_from(
    ["Line", "LinkedTxn", "TxnTaxDetail", "CustomerRef", "TotalAmt", "Balance", "TxnDate", "DueDate", "DisplayName",
     "Name", "ParentRef", "Active", "Amount", "DetailType", "SalesItemLineDetail", "ItemRef", "Qty", "TaxLine",
     "BillAddr", "value", "CurrencyRef", "TaxPrefs", "EffectiveTaxRate", "SalesTaxRateList", "TaxRateDetail",
     "GroupLineDetail", "DocNumber", "EmailStatus", "CustomField", "CashBack", "AttachableRef", "x"]
)  # fmt: skip
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.just("2026-11-01")
    | st.just({"value": "1"}),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=9,
)
MANY = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.slow
@MANY
@given(st.sampled_from(sorted(ENTITIES)), st.dictionaries(NAMES, ANY, max_size=6))
def test_bodies_of_any_shape(books, business, record, entity, body):
    head = {"CustomerRef": {"value": business.customer["Id"]}, "DisplayName": "A", "Name": "A"}
    put = record(entity, "1", body | {name: value for name, value in head.items() if name not in body})
    if isinstance(put, str):
        return
    segment = ENTITIES[entity].segment
    for answer in (
        books.call("GET", segment if ENTITIES[entity].single else f"{segment}/1"),
        books.change(segment, {"Id": "1", "SyncToken": put["sync_token"]}),
        books.post("invoice", business.draft(line(business.item), **tax_code("2"))),
        books.call("GET", "reports/AgedReceivables"),
        books.call("GET", f"{segment}/1/pdf"),
    ):
        assert answer.status_code in (200, 400), answer.text[:300]
    for tab in ("customers", "items", "invoices", "payments", "settings"):
        assert books.session.get(f"http://sandbox.test/intuit/ui/{PLUMBING}/{tab}").status_code == 200
