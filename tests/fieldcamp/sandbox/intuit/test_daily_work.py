"""A bookkeeper's day on the pages: sites of a customer, jobs, classes, credits, deposits, rates."""

import pytest

from fieldcamp.sandbox.mount import URL

from .business import Business, applied, line, ref, tax_code
from .conftest import PLUMBING, code
from .forms import form_of
from .test_pages import Bookkeeper


@pytest.fixture
def keeper(books):
    return Bookkeeper(books.session)


@pytest.fixture
def business(books):
    return Business(books)


@pytest.fixture
def messy(books):
    books.control("reset", {"seed": "messy"})
    books.control("throttle", {"vendor": "intuit", "enabled": False})
    books.sign_in()
    return books


def test_a_customer_below_another(books, business, keeper):
    shop = business.customer["Id"]
    page = keeper.page(f"customers/{shop}")
    assert f"customers/new?parent={shop}" in page
    form = {"DisplayName": "Dock 4", "email": "dock@northway.test, office@northway.test", "mobile": "555-0199"}
    form |= {"street": "Unit 4\r\n90 Wolf Rd\r\nAlbany, NY  12205", "bill_with_parent": "1", "Notes": "ring twice"}
    answer = keeper.post("customers/new", form_of(keeper.page("customers/new", parent=shop)) | form)
    made = books.get("customer", answer.headers["Location"].rsplit("/", 1)[1])
    assert (made["FullyQualifiedName"], made["Level"], made["Job"]) == ("Northway Hardware:Dock 4", 1, True)
    assert made["BillWithParent"] is True and made["Mobile"] == {"FreeFormNumber": "555-0199"}
    assert {name: made["BillAddr"].get(name) for name in ("Line1", "Line3", "City")} == {
        "Line1": "Unit 4", "Line3": "Albany, NY  12205", "City": None}  # fmt: skip
    assert made["PrimaryEmailAddr"]["Address"] == "dock@northway.test, office@northway.test"
    assert "Northway Hardware:Dock 4" in keeper.page("customers", q="hardware:d")
    path = f"customers/{made['Id']}"
    assert keeper.post(path, keeper.form(path)).status_code == 303 and books.get("customer", made["Id"]) == (
        books.get("customer", made["Id"]) | {"SyncToken": made["SyncToken"]})  # fmt: skip
    keeper.post(path, keeper.form(path) | {"parent": ""})
    freed = books.get("customer", made["Id"])
    assert (freed["FullyQualifiedName"], freed["Job"], freed["BillWithParent"]) == ("Dock 4", False, False)


def test_an_invoice_is_moved_renumbered_and_told_apart(books, business, keeper):
    site = books.create("customer", DisplayName="Dock", Job=True, ParentRef=ref(business.customer))
    kinds = [keeper.do("classes/new", "save", Name="Commercial")]
    kinds.append(keeper.do("classes/new", "save", Name="Service", parent=kinds[0]))
    place = keeper.do("locations/new", "save", Name="Troy")
    assert books.get("class", kinds[1])["FullyQualifiedName"] == "Commercial:Service"
    made = business.bill(line(business.item), line(business.item, 2, 30), **tax_code("2"))
    path = f"invoices/{made['Id']}"
    form = keeper.form(path) | {"customer": site["Id"], "DocNumber": "A-7", "DueDate": "2027-01-31", "location": place}
    form["class"][0], form["service"][1], form["memo"] = kinds[1], "2026-11-03", "Thank you"
    assert keeper.post(path, form).status_code == 303
    now = business.again(made)
    assert (now["CustomerRef"]["name"], now["DocNumber"], now["DueDate"]) == ("Dock", "A-7", "2027-01-31")
    assert now["DepartmentRef"] == {"value": place, "name": "Troy"} and now["CustomerMemo"] == {"value": "Thank you"}
    first, second = (each["SalesItemLineDetail"] for each in now["Line"][:2])
    assert first["ClassRef"] == {"value": kinds[1], "name": "Commercial:Service"} and "ServiceDate" not in first
    assert second["ServiceDate"] == "2026-11-03" and "ClassRef" not in second
    assert now["TotalAmt"] == made["TotalAmt"] and now["TxnTaxDetail"] == made["TxnTaxDetail"]
    assert (books.get("customer", site["Id"])["Balance"], business.owes()) == (now["TotalAmt"], 0)


def test_what_the_form_does_not_know_stays(messy, keeper):
    for tab, segment, name in (("invoices", "invoice", "Invoice"), ("estimates", "estimate", "Estimate"),
                               ("credits", "creditmemo", "CreditMemo")):  # fmt: skip
        for each in messy.query(f"select * from {name}")[name]:
            path = f"{tab}/{each['Id']}"
            answer = keeper.post(path, keeper.form(path))
            assert answer.status_code == 303, answer.text
            assert messy.get(segment, each["Id"])["SyncToken"] == each["SyncToken"], each
    (every,) = messy.query("select * from Invoice where DocNumber = '1017'")["Invoice"]
    path = f"invoices/{every['Id']}"
    assert "Stays as it is: Fountain, complete" in keeper.page(path)
    form = keeper.form(path)
    form["quantity"][0], form["shipping"], form["discount"] = "3", "20", "5%"
    keeper.post(path, form)
    now = messy.get("invoice", every["Id"])
    kinds = [each["DetailType"] for each in now["Line"]]
    assert kinds == [each["DetailType"] for each in every["Line"]]
    assert [each.get("Id") for each in now["Line"]] == [each.get("Id") for each in every["Line"]]
    assert now["Line"][2] == every["Line"][2]  # the bundle
    assert now["Line"][0]["SalesItemLineDetail"]["ClassRef"] == every["Line"][0]["SalesItemLineDetail"]["ClassRef"]
    sums = {each["DetailType"]: each["Amount"] for each in now["Line"] if "Amount" in each}
    assert sums["DiscountLineDetail"] == pytest.approx(sums["SubTotalLineDetail"] * 0.05, abs=0.005)
    assert (
        now["Line"][-1]["Amount"] == 20
        and now["Line"][-1]["SalesItemLineDetail"]["ItemRef"]["value"] == "SHIPPING_ITEM_ID"
    )


def test_the_parent_pays_and_a_credit_helps(books, business, keeper):
    site = books.create("customer", DisplayName="Dock", Job=True, ParentRef=ref(business.customer))
    shop, bill, own = business.customer["Id"], business.bill(CustomerRef=ref(site)), business.bill()
    sold = {"item": business.item["Id"], "quantity": "1", "price": "30", "tax": "NON"}
    credit = keeper.do("credits/new", "save", customer=shop, TxnDate="2026-11-20", **sold)
    assert f"payments/new?customer={shop}&amp;credit={credit}" in keeper.page(f"credits/{credit}")
    page = keeper.page("payments/new", customer=shop, credit=credit)
    assert f"{bill['DocNumber']} of {bill['TxnDate']}, Dock" in page
    form = form_of(page)
    assert (form["TotalAmt"], form[f"credit_{credit}"], form[f"apply_{own['Id']}"]) == (["0"], ["30"], ["0"])
    alone = keeper.post("payments/new", form | {f"apply_{own['Id']}": "30"})
    assert alone.status_code == 303, alone.text
    assert business.again(own)["Balance"] == 70 and books.get("creditmemo", credit)["RemainingCredit"] == 0
    assert "Applied" in keeper.page("credits") and "Partly paid" in keeper.page("invoices")
    form = form_of(keeper.page("payments/new", customer=shop, invoice=bill["Id"])) | {"TotalAmt": "150"}
    made = keeper.post("payments/new", form | {f"apply_{own['Id']}": "50"}).headers["Location"].rsplit("/", 1)[1]
    assert business.again(bill)["Balance"] == 0 and business.again(own)["Balance"] == 20
    linked = keeper.page(f"payments/{alone.headers['Location'].rsplit('/', 1)[1]}")
    assert f"credits/{credit}" in linked and f"invoices/{own['Id']}" in linked and "Mark as deposited" not in linked
    assert keeper.post(f"payments/{made}", keeper.form(f"payments/{made}")).status_code == 303
    more = keeper.form(f"payments/{made}") | {f"apply_{own['Id']}": "500"}
    assert "more than" in keeper.post(f"payments/{made}", more).text


def test_an_estimate_becomes_an_invoice(books, business, keeper):
    offer = books.create("estimate", business.draft(line(business.item, 3, 40, Description="Day"), **tax_code("2")))
    path = f"estimates/{offer['Id']}"
    answer = keeper.post(path, {"action": "bill"})
    assert answer.headers["Location"].endswith(f"/{PLUMBING}/invoices/{int(offer['Id']) + 1}")
    made = books.get("invoice", str(int(offer["Id"]) + 1))
    origin = {"TxnId": offer["Id"], "TxnType": "Estimate"}
    assert made["LinkedTxn"] == made["Line"][0]["LinkedTxn"] == [origin] and made["TotalAmt"] == offer["TotalAmt"]
    page = keeper.page(path)
    assert '<span class="chip">Closed</span>' in page and "Make an invoice" not in page
    assert f"invoices/{made['Id']}" in page and path in keeper.page(f"invoices/{made['Id']}")
    assert keeper.post(path, {"action": "delete"}).status_code == 400


def test_money_goes_into_the_bank(books, business, keeper):
    paid = [business.pay(20, PaymentRefNum="88"), business.pay(30)]
    business.pay(5, DepositToAccountRef=ref("35"))
    sold = books.create("salesreceipt", Line=[line(business.item, 1, 7)])
    page = keeper.page("deposits/new")
    assert page.count('name="take"') == 3 and "88" in page and "checked" not in page.split("<fieldset>")[1]
    take = [f"Payment:{paid[0]['Id']}", f"SalesReceipt:{sold['Id']}"]
    form = form_of(page) | {"take": take, "amount": "12.50", "from": "79", "PrivateNote": "Monday"}
    made = keeper.post("deposits/new", form).headers["Location"].rsplit("/", 1)[1]
    banked = books.get("deposit", made)
    assert (banked["TotalAmt"], banked["DepositToAccountRef"]["value"]) == (39.5, "35")
    assert f"deposits/{made}" in keeper.page(f"payments/{paid[0]['Id']}")
    assert keeper.post(f"deposits/{made}", keeper.form(f"deposits/{made}") | {"take": take}).status_code == 303
    form = keeper.form(f"deposits/{made}") | {"take": [f"Payment:{paid[1]['Id']}"]}
    assert keeper.post(f"deposits/{made}", form).status_code == 303
    assert books.get("deposit", made)["TotalAmt"] == 42.5 and "LinkedTxn" not in business.again(paid[0])
    assert "39.50" not in keeper.page("deposits") and "42.50" in keeper.page("deposits", q="mond")
    assert keeper.do(f"deposits/{made}", "delete") == "deposits"
    assert code(books.call("GET", f"deposit/{made}")) == (400, "610") and "LinkedTxn" not in business.again(paid[1])
    assert keeper.post("deposits/new", form_of(page) | {"take": ["Invoice:1"]}).status_code == 400


def test_rates_and_what_is_kept(books, business, keeper):
    business.bill(**tax_code("2"), TxnDate="2026-11-01")
    keeper.do("settings", "rate", **{"tax_rate": "3", "percent": "8.5", "from": "2026-11-15"})
    taxes = [
        business.bill(**tax_code("2"), TxnDate=day)["TxnTaxDetail"]["TotalTax"] for day in ("2026-11-14", "2026-11-15")
    ]
    assert taxes == [8, 8.5] and "California, 8.5%" in keeper.page("settings")
    for wrong in ({"tax_rate": "99"}, {"percent": "101"}, {"percent": "x"}, {"percent": ""}, {"from": "soon"}):
        form = {"action": "rate", "tax_rate": "3", "percent": "9", "from": "2026-11-20"} | wrong
        assert keeper.post("settings", form).status_code == 400
    keeper.do("settings", "tracking", ClassTrackingPerTxnLine="1", AutoApplyCredit="1")
    prefs = books.single("preferences")
    assert prefs["AccountingInfoPrefs"]["ClassTrackingPerTxnLine"] is True and prefs["SyncToken"] == "1"
    assert prefs["AccountingInfoPrefs"]["TrackDepartments"] is prefs["SalesFormsPrefs"]["AllowShipping"] is False
    books.create("creditmemo", business.draft(line(business.item, 1, 30)), TxnDate="2026-11-22")
    assert [each["Balance"] for each in books.query("select * from Invoice orderby TxnDate")["Invoice"]][0] == 78


@pytest.mark.parametrize("tab", ["estimates", "credits", "deposits", "classes", "locations"])
def test_pages_that_are_not_there(books, keeper, tab):
    for path in (f"{tab}/999", f"{tab}/1/2", f"{tab}/%00"):
        assert books.session.get(f"{URL}/intuit/ui/{PLUMBING}/{path}").status_code == 404
    for form in ({}, {"action": "save"}, {"action": "nonsense", "customer": "x", "item": "y", "take": "Payment:x"}):
        assert keeper.post(f"{tab}/new", form).status_code == 400
    assert "There is nothing here yet." in keeper.page(tab)


def test_every_page_of_messy_books(messy, keeper):
    dump = messy.control("state", method="GET", vendor="intuit").json()["accounts"][PLUMBING]
    for tab, name in (("customers", "Customer"), ("items", "Item"), ("estimates", "Estimate"), ("invoices", "Invoice"),
                      ("credits", "CreditMemo"), ("payments", "Payment"), ("deposits", "Deposit"),
                      ("classes", "Class"), ("locations", "Department"), ("vendors", "Vendor")):  # fmt: skip
        assert keeper.page(tab).count("<tr data-id=") == len(dump[name])
        for each in dump[name]:
            path = f"{tab}/{each['Id']}"
            answer = keeper.post(path, keeper.form(path))
            deposited = name == "Payment" and any(link["TxnType"] == "Deposit" for link in each.get("LinkedTxn", []))
            assert answer.status_code == (400 if deposited else 303), (path, answer.text)
    after = messy.control("state", method="GET", vendor="intuit").json()["accounts"][PLUMBING]
    for name in ("Item", "Estimate", "Invoice", "CreditMemo", "Deposit", "Class", "Department"):
        assert [each["SyncToken"] for each in after[name]] == [each["SyncToken"] for each in dump[name]], name


def test_paying_a_voided_one(books, business, keeper):
    made = business.bill()
    books.void("invoice", made)
    assert "This customer has no open invoice." in keeper.page("payments/new", customer=business.customer["Id"])
    refused = books.post("payment", business.payment(10, applied(made, 10)))
    assert code(refused) == (400, "6000")
