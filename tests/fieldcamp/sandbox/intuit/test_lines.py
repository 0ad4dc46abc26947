"""The lines of a sale: every kind that there is, and what an update leaves of them."""

import pytest

from .business import Business, line, off, percent_off, ref, tax_code
from .conftest import PLUMBING, code


@pytest.fixture
def business(books):
    return Business(books)


def allow(books, app, **values):
    kept = app.vendors["intuit"].books(PLUMBING)
    stored = kept.the("Preferences")
    kept.change(stored, stored.body | {"SalesFormsPrefs": stored.body["SalesFormsPrefs"] | values})


def rich(business, klass, **more):
    """A line with all that an app can write on it."""
    made = line(business.item, 2, 50, Description="Visit")
    made["SalesItemLineDetail"] |= {"ServiceDate": "2026-11-03", "ClassRef": ref(klass)} | more
    return made


def test_what_a_line_may_hold(books, business):
    klass = books.create("class", Name="Residential")
    markup = {"MarkupInfo": {"PercentBased": True, "Percent": 10}, "DiscountRate": 5}
    made = business.bill(rich(business, klass, **markup), off(5) | {"DiscountLineDetail": {"ClassRef": ref(klass)}})
    first = made["Line"][0]["SalesItemLineDetail"]
    assert first["ServiceDate"] == "2026-11-03"
    assert first["ClassRef"] == {"value": klass["Id"], "name": "Residential"}
    assert first["MarkupInfo"] == {"PercentBased": True, "Percent": 10}
    assert (first["DiscountRate"], first["DiscountAmt"]) == (5, 5)
    assert made["Line"][2]["DiscountLineDetail"]["ClassRef"]["name"] == "Residential"
    for wrong in ({"ClassRef": {"value": "99"}}, {"TaxClassificationRef": {"value": "x"}, "Weight": 1}):
        refused = line(business.item)
        refused["SalesItemLineDetail"] |= wrong
        assert code(books.post("invoice", business.draft(refused)))[0] == 400


def test_a_line_that_is_sent_with_its_id_is_that_line_and_replaces_what_it_held(books, business):
    klass = books.create("class", Name="Residential")
    made = business.bill(rich(business, klass), rich(business, klass))
    first, second = made["Line"][:2]
    poor = line(business.item, 3, 50, Id=second["Id"])
    later = books.changed("invoice", made, Line=[first, poor, line(business.item, 1, 7)])
    assert [each.get("Id") for each in later["Line"]] == ["1", "2", "3", None]
    assert later["Line"][0] == first
    assert not {"ServiceDate", "ClassRef"} & set(later["Line"][1]["SalesItemLineDetail"])
    assert "Description" not in later["Line"][1]
    # Without its Id the same line is another one, and 2 and 3 are not sent: they are gone.
    new = {name: value for name, value in first.items() if name != "Id"}
    last = books.changed("invoice", later, Line=[new])
    assert [each.get("Id") for each in last["Line"]] == ["4", None] and last["TotalAmt"] == 100
    assert last["Line"][0] == first | {"Id": "4"}


def test_the_account_of_a_line_is_the_one_of_its_day(books, business):
    made = business.bill(line(business.item))
    books.changed("item", business.item, IncomeAccountRef=ref("79"))
    kept = books.changed("invoice", made, Line=[line(business.item, 1, 90, Id="1"), line(business.item)])
    accounts = [each["SalesItemLineDetail"]["ItemAccountRef"]["value"] for each in kept["Line"][:2]]
    assert accounts == ["87", "79"]


def test_remarks_keep_their_day_and_code(business):
    detail = {"ServiceDate": "2026-11-01", "TaxCodeRef": {"value": "NON"}}
    remark = {"DetailType": "DescriptionOnly", "Description": "Back yard", "DescriptionLineDetail": detail}
    made = business.bill(remark, line(business.item))
    assert made["Line"][0]["DescriptionLineDetail"] == detail and made["TotalAmt"] == 100


@pytest.fixture
def bundle(app, books):
    """A fountain of a pump and two stones; bundles are made on QuickBooks' own pages."""
    parts = [
        books.create("item", Name=name, Type="NonInventory", IncomeAccountRef=ref("79"), UnitPrice=price, Taxable=taxed)
        for name, price, taxed in (("Pump", 15, True), ("Stone", 4.5, False))
    ]
    group = [{"ItemRef": ref(part), "Qty": n + 1} for n, part in enumerate(parts)]
    body = {"Name": "Fountain", "Type": "Group", "Active": True, "FullyQualifiedName": "Fountain", "Taxable": False}
    stored = app.vendors["intuit"].books(PLUMBING).insert("Item", body | {"ItemGroupDetail": {"ItemGroupLine": group}})
    return {"Id": stored.id}


def test_a_bundle_is_sold_as_its_parts(books, business, bundle):
    sold = {"DetailType": "GroupLineDetail", "GroupLineDetail": {"GroupItemRef": ref(bundle), "Quantity": 2}}
    made = business.bill(sold, line(business.item), percent_off(10), **tax_code("2"))
    group, other, subtotal, discount = made["Line"]
    parts = group["GroupLineDetail"]["Line"]
    assert group["GroupLineDetail"]["GroupItemRef"] == {"value": bundle["Id"], "name": "Fountain"}
    assert [(each["Id"], each["LineNum"], each["Amount"]) for each in parts] == [("2", 2, 30), ("3", 3, 18)]
    assert (group["Id"], group["Amount"], other["Id"], other["LineNum"]) == ("1", 48, "4", 4)
    assert [each["SalesItemLineDetail"]["TaxCodeRef"]["value"] for each in parts] == ["TAX", "NON"]
    assert (subtotal["Amount"], discount["Amount"]) == (148, 14.8)
    assert made["TxnTaxDetail"]["TotalTax"] == 10.4 and made["TotalAmt"] == 143.6
    parts[0]["SalesItemLineDetail"] |= {"Qty": 3, "ServiceDate": "2026-11-05"}
    parts[0]["Amount"] = 45
    later = books.changed("invoice", made, Line=made["Line"])
    changed = later["Line"][0]["GroupLineDetail"]["Line"]
    assert [each["Id"] for each in changed] == ["2", "3"] and changed[1] == parts[1]
    assert changed[0]["SalesItemLineDetail"]["ServiceDate"] == "2026-11-05"
    assert (later["Line"][0]["Amount"], later["Line"][1]) == (63, other)
    gone = books.void("invoice", later).json()["Invoice"]
    assert [each["Amount"] for each in gone["Line"][0]["GroupLineDetail"]["Line"]] == [0, 0]


def test_bundles_that_cannot_be(books, business, bundle):
    for detail, expected in (({}, "2020"), ({"GroupItemRef": ref(business.item)}, "6000")):
        sold = {"DetailType": "GroupLineDetail", "GroupLineDetail": detail}
        assert code(books.post("invoice", business.draft(sold))) == (400, expected)
    assert code(books.post("invoice", business.draft(line(bundle)))) == (400, "2500")


def test_shipping_stands_below_the_subtotal(app, books, business):
    fee = {
        "DetailType": "SalesItemLineDetail",
        "Amount": 12,
        "SalesItemLineDetail": {"ItemRef": ref("SHIPPING_ITEM_ID")},
    }
    assert code(books.post("invoice", business.draft(line(business.item), fee))) == (400, "2500")
    allow(books, app, AllowShipping=True)
    header = {"ShipMethodRef": {"value": "UPS"}, "ShipDate": "2026-11-25", "TrackingNum": "1Z999"}
    made = business.bill(line(business.item), fee, percent_off(10), **header, **tax_code("2"))
    kinds = [each["DetailType"] for each in made["Line"]]
    assert kinds == ["SalesItemLineDetail", "SubTotalLineDetail", "DiscountLineDetail", "SalesItemLineDetail"]
    assert (made["Line"][1]["Amount"], made["Line"][2]["Amount"]) == (100, 10) and "Id" not in made["Line"][3]
    assert made["TotalAmt"] == 110 and made["TxnTaxDetail"]["TotalTax"] == 8
    assert {name: made[name] for name in header} == header
    fee["SalesItemLineDetail"]["TaxCodeRef"] = {"value": "TAX"}
    taxed = books.changed("invoice", made, Line=[made["Line"][0], fee])
    assert taxed["TxnTaxDetail"]["TotalTax"] == 8.96 and taxed["TotalAmt"] == 120.96


def test_a_tip_bears_no_tax(app, books, business):
    tip = {
        "DetailType": "SalesItemLineDetail",
        "Amount": 5,
        "SalesItemLineDetail": {"ItemRef": ref("GRATUITY_ITEM_ID")},
    }
    assert code(books.post("invoice", business.draft(line(business.item), tip))) == (400, "2500")
    kept = app.vendors["intuit"].books(PLUMBING)
    stored = kept.the("Preferences")
    pairs = {"NameValue": [{"Name": "SalesFormsPrefs.AllowGratuity", "Value": "true"}]}
    kept.change(stored, stored.body | {"OtherPrefs": pairs})
    tip["SalesItemLineDetail"]["TaxCodeRef"] = {"value": "TAX"}
    made = business.bill(line(business.item), tip, **tax_code("2"))
    assert (made["TotalAmt"], made["TxnTaxDetail"]["TotalTax"]) == (113, 8)


def test_classes_and_departments(books, business):
    north = books.create("department", Name="North")
    shop = books.create("department", Name="Shop", ParentRef=ref(north))
    assert (shop["FullyQualifiedName"], shop["SubDepartment"], north["SubDepartment"]) == ("North:Shop", True, False)
    home = books.create("class", Name="Residential")
    made = business.bill(DepartmentRef=ref(shop), ClassRef=ref(home))
    assert made["DepartmentRef"] == {"value": shop["Id"], "name": "North:Shop"}
    assert made["ClassRef"]["name"] == "Residential"
    assert code(books.post("class", {"Name": "residential"})) == (400, "6240")
    assert books.create("class", Name="Residential", ParentRef=ref(home))["SubClass"] is True
    deep = home
    for n in range(4):
        deep = books.create("class", Name=f"Level {n}", ParentRef=ref(deep))
    assert code(books.post("class", {"Name": "Too deep", "ParentRef": ref(deep)})) == (400, "6000")
    assert code(books.change("class", home, ParentRef=ref(home))) == (400, "6000")
    renamed = books.changed("department", north, Name="Northern branch")
    assert renamed["SyncToken"] == "1"
    assert books.get("department", shop["Id"])["FullyQualifiedName"] == "Northern branch:Shop"
    gone = books.changed("department", shop, Active=False)
    assert gone["Name"] == "Shop (deleted)" and books.query("select count(*) from Department")["totalCount"] == 1
    assert code(books.post("invoice", business.draft(DepartmentRef=ref(shop)))) == (400, "610")
    rows = books.call("GET", "cdc", entities="Class,Department", changedSince="2026-11-22T00:00:00Z").json()
    assert len(rows["CDCResponse"][0]["QueryResponse"][0]["Class"]) == 6
