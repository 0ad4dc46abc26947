"""Documents to print, links for customers, stock, balances of accounts, and reports."""

import re

import pytest

from .business import Business, applied, line, ref, tax_code
from .conftest import code


@pytest.fixture
def business(books):
    return Business(books)


@pytest.mark.parametrize("entity", ["invoice", "estimate", "creditmemo", "salesreceipt", "refundreceipt"])
def test_a_document_to_print(books, business, entity):
    account = {"DepositToAccountRef": ref("35")} if "receipt" in entity else {}
    made = books.create(entity, business.draft(line(business.item, 3, 33.5, Description="Work (day)")), **account)
    answer = books.call("GET", f"{entity}/{made['Id']}/pdf", headers={"Accept": "application/pdf"})
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/pdf"
    page = answer.content
    assert page.startswith(b"%PDF-1.4") and page.endswith(b"%%EOF\n")
    for text in (b"Northway Hardware", b"Work \\(day\\)   3 x 33.5   100.50", b"Total   100.50"):
        assert text in page
    # The table at the end says where each object begins.
    table = int(re.search(rb"startxref\n(\d+)\n", page)[1])
    places = [int(place) for place in re.findall(rb"(\d{10}) 00000 n", page[table:])]
    assert len(places) == 5 and all(page[at:].startswith(b"%d 0 obj" % n) for n, at in enumerate(places, 1))


def test_documents_that_there_are_not(books, business):
    assert code(books.call("GET", "invoice/999/pdf")) == (400, "610")
    assert code(books.call("GET", f"customer/{business.customer['Id']}/pdf")) == (400, "500")
    long = business.bill(*[line(business.item, 1, n + 1) for n in range(60)])
    assert b"/Count 2" in books.call("GET", f"invoice/{long['Id']}/pdf").content
    paid = business.pay(100, applied(long, 100))
    assert b"Invoice 1001   100.00" in books.call("GET", f"payment/{paid['Id']}/pdf").content


def test_the_link_for_the_customer(books, business):
    online = {"AllowOnlineACHPayment": True, "BillEmail": {"Address": "ap@northway.test"}}
    made, plain = business.bill(**online), business.bill()
    asked = books.call("GET", f"invoice/{made['Id']}", include="invoiceLink").json()["Invoice"]
    assert asked["InvoiceLink"].startswith("https://developer.intuit.com/comingSoonview/scs-v1-")
    assert "InvoiceLink" not in made and "InvoiceLink" not in business.again(made)
    assert "InvoiceLink" not in books.call("GET", f"invoice/{plain['Id']}", include="invoiceLink").json()["Invoice"]
    rows = books.call("GET", "query", query="select * from Invoice", include="invoiceLink").json()["QueryResponse"]
    assert [each.get("InvoiceLink") for each in rows["Invoice"]] == [asked["InvoiceLink"], None]
    body = {"Id": made["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "x", "InvoiceLink": "mine"}
    assert books.post("invoice", body, include="invoiceLink").json()["Invoice"]["InvoiceLink"] == asked["InvoiceLink"]


@pytest.fixture
def pump(books):
    body = {"Name": "Pump", "Type": "Inventory", "IncomeAccountRef": ref("79"), "AssetAccountRef": ref("81")}
    body |= {"ExpenseAccountRef": ref("80"), "QtyOnHand": 25, "InvStartDate": "2026-11-01", "PurchaseCost": 10}
    return books.create("item", body, UnitPrice=15, Taxable=True)


def test_stock_goes_with_sales_and_comes_back(books, business, pump, clock):
    assert pump["TrackQtyOnHand"] is True and pump["AssetAccountRef"]["name"] == "Inventory Asset"

    def left():
        return books.get("item", pump["Id"])["QtyOnHand"]

    clock.now += 60
    made = business.bill(line(pump, 4, 15), line(business.item), line(pump, 1, 15))
    assert left() == 20
    sold = books.get("item", pump["Id"])
    assert sold["SyncToken"] == "0" and sold["MetaData"]["LastUpdatedTime"] > pump["MetaData"]["LastUpdatedTime"]
    fewer = books.changed("invoice", made, Line=[line(pump, 2, 15)])
    assert left() == 23
    books.create("salesreceipt", Line=[line(pump, 1.5, 15)])
    assert left() == 21.5
    books.create("creditmemo", business.draft(line(pump, 1, 15)))
    books.create("refundreceipt", Line=[line(pump, 1, 15)], DepositToAccountRef=ref("35"))
    books.create("estimate", business.draft(line(pump, 9, 15)))
    assert left() == 23.5
    assert books.void("invoice", fewer).status_code == 200 and left() == 25.5
    early = books.post("invoice", business.draft(line(pump, 1, 15), TxnDate="2026-10-31"))
    assert code(early) == (400, "6000")
    assert "prior to start date for inventory item" in early.json()["Fault"]["Error"][0]["Detail"]
    assert books.get("account", "81")["CurrentBalance"] == 255
    assert code(books.post("item", {"Name": "X", "Type": "Inventory", "IncomeAccountRef": ref("79")})) == (400, "2020")
    assert code(books.post("item", {"Name": "Kit", "Type": "Group"})) == (400, "6000")


def test_what_stands_on_the_accounts(books, business):
    def stands(*accounts):
        return [books.get("account", each)["CurrentBalance"] for each in accounts]

    bill = business.bill(line(business.item, 1, 1000), **tax_code("2"))
    assert stands("84", "89", "87") == [1080, 80, 0]  # what is owed, the tax, and income, which shows nothing
    paid = business.pay(500, applied(bill, 500))
    business.pay(80, DepositToAccountRef=ref("35"))
    assert stands("84", "4", "35") == [500, 500, 80]
    lines = [{"Amount": 500, "LinkedTxn": [{"TxnId": paid["Id"], "TxnType": "Payment"}]}]
    back = {"AccountRef": ref("36"), "Amount": 20}
    books.create("deposit", DepositToAccountRef=ref("35"), Line=lines, CashBack=back)
    assert stands("4", "35", "36") == [0, 560, 20]
    books.create("refundreceipt", Line=[line(business.item, 1, 60)], DepositToAccountRef=ref("35"))
    books.create("salesreceipt", Line=[line(business.item, 1, 7)])
    assert stands("4", "35") == [7, 500]
    made = books.create("account", Name="Petty cash", AccountType="Bank")
    assert (made["CurrentBalance"], made["Classification"]) == (0, "Asset")


@pytest.fixture
def owing(books, business):
    """What some customers owe since when: the parent of a site, the site, and one with a credit."""
    site = books.create("customer", DisplayName="Dock", Job=True, ParentRef=ref(business.customer))
    other = books.create("customer", DisplayName="Amy")
    books.create("customer", DisplayName="Owes nothing")
    for who, day, due in (
        (business.customer, "2026-11-20", "2026-12-20"),
        (site, "2026-10-01", "2026-10-31"),
        (site, "2026-07-01", "2026-07-31"),
        (other, "2026-09-01", "2026-09-30"),
    ):
        business.bill(CustomerRef=ref(who), TxnDate=day, DueDate=due)
    books.create("creditmemo", business.draft(line(business.item, 1, 30), CustomerRef=ref(other)), TxnDate="2026-11-22")
    business.pay(10, CustomerRef=ref(site), TxnDate="2026-11-21")
    return business.customer, site, other


def values(row):
    return [cell["value"] for cell in row["ColData"]]


def report(books, name, **query):
    answer = books.call("GET", f"reports/{name}", **query)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"Header", "Columns", "Rows"}
    return answer.json()


def test_customer_balances(books, owing):
    found = report(books, "CustomerBalance")
    assert found["Header"]["ReportName"] == "CustomerBalance" and found["Header"]["Currency"] == "USD"
    assert {"Name": "NoReportData", "Value": "false"} in found["Header"]["Option"]
    assert [each["ColType"] for each in found["Columns"]["Column"]] == ["Customer", "Money"]
    amy, family, total = found["Rows"]["Row"]
    assert values(amy) == ["Amy", "70.00"] and amy["ColData"][0]["id"] == owing[2]["Id"]
    assert values(family["Header"]) == ["Northway Hardware", "100.00"] and family["type"] == "Section"
    assert [values(each) for each in family["Rows"]["Row"]] == [["Dock", "190.00"]]
    assert values(family["Summary"]) == ["Total Northway Hardware", "290.00"]
    assert (values(total["Summary"]), total["group"]) == (["TOTAL", "360.00"], "GrandTotal")
    one = report(books, "CustomerBalance", customer=owing[2]["Id"])
    assert [values(row.get("Summary", row)) for row in one["Rows"]["Row"]] == [["Amy", "70.00"], ["TOTAL", "70.00"]]
    assert one["Header"]["Customer"] == owing[2]["Id"]


def test_how_old_it_is(books, owing):
    found = report(books, "AgedReceivables", report_date="2026-11-22")
    titles = [each["ColTitle"] for each in found["Columns"]["Column"]]
    assert titles == ["", "Current", "1 - 30", "31 - 60", "61 - 90", "91 and over", "Total"]
    amy, family, total = found["Rows"]["Row"]
    assert values(amy) == ["Amy", "-30.00", "", "100.00", "", "", "70.00"]
    assert values(family["Rows"]["Row"][0]) == ["Dock", "", "90.00", "", "", "100.00", "190.00"]
    assert values(family["Summary"]) == ["Total Northway Hardware", "100.00", "90.00", ".00", ".00", "100.00", "290.00"]
    assert values(total["Summary"]) == ["TOTAL", "70.00", "90.00", "100.00", ".00", "100.00", "360.00"]
    before = report(books, "AgedReceivables", report_date="2026-09-15", aging_period="10", num_periods="2")
    assert [each["ColTitle"] for each in before["Columns"]["Column"]][1:] == [
        "Current",
        "1 - 10",
        "11 and over",
        "Total",
    ]
    assert values(before["Rows"]["Row"][-1]["Summary"]) == ["TOTAL", "100.00", ".00", "100.00", "200.00"]


def test_reports_on_nothing(books):
    assert report(books, "CustomerBalance")["Rows"] == {}
    assert {"Name": "NoReportData", "Value": "true"} in report(books, "AgedReceivables")["Header"]["Option"]
    assert code(books.call("GET", "reports/Horoscope")) == (400, "500")
    assert code(books.call("GET", "reports/CustomerBalance", report_date="soon")) == (400, "2010")
