"""Books as they are after years: the seed "messy", and thousands of difficult customers."""

import pytest

from fieldcamp.sandbox.app import create_app

from .conftest import NORTHERN, PLUMBING
from .test_samples import dump


@pytest.fixture
def messy(books):
    books.control("reset", {"seed": "messy"})
    books.control("throttle", {"vendor": "intuit", "enabled": False})
    books.sign_in()
    return books


def named(rows):
    return {each.get("FullyQualifiedName") or each["Name"]: each for each in rows}


def test_there_is_what_the_sample_company_has(messy):
    company = dump(messy)[PLUMBING]
    customers = named(company["Customer"])
    site = customers["Freeman Sporting Goods:0969 Ocean View Road"]
    assert (site["Job"], site["Level"], site["ParentRef"]) == (
        True,
        1,
        {"value": customers["Freeman Sporting Goods"]["Id"]},
    )
    assert customers["Freeman Sporting Goods:55 Twin Lane"]["BillWithParent"] is True
    assert customers["Freeman Sporting Goods:0969 Ocean View Road:Kitchen"]["Level"] == 2
    addresses = [each.get("PrimaryEmailAddr", {}).get("Address", "").lower() for each in company["Customer"]]
    assert addresses.count("birds@intuit.com") == 3 and any("," in each for each in addresses)
    assert {"Lauterbach, Amy", "AMY LAUTERBACH", "Amy's Bird Sanctuary"} <= set(customers)
    assert [each["DisplayName"] for each in company["Customer"] if not each["Active"]] == [
        "Gevelber Photography (deleted)", "Dylan Sollfrank (old) (deleted)", "Freeman, Kirby (deleted)"]  # fmt: skip
    free = customers["Sonnenschein Family Store"]["BillAddr"]
    assert "City" not in free and free["Line4"] == "Middlefield, CA  94303"
    assert {each["Type"] for each in company["Item"]} == {"Service", "Inventory", "Group"}
    for name in ("Class", "Department", "Estimate", "TimeActivity", "CreditMemo", "SalesReceipt", "RefundReceipt",
                 "Deposit", "Attachable"):  # fmt: skip
        assert company[name], name


def test_what_was_billed_from_what(messy):
    company = dump(messy)[PLUMBING]
    invoices = {each["DocNumber"]: each for each in company["Invoice"]}
    charged = invoices["1013"]
    assert [link["TxnType"] for link in charged["LinkedTxn"]] == ["StatementCharge", "Payment"]
    assert [each["DetailType"] for each in charged["Line"]] == ["SubTotalLineDetail"]
    assert (charged["TotalAmt"], charged["TxnTaxDetail"]["TotalTax"], charged["Balance"]) == (81, 6, 0)
    spent = invoices["1014"]["Line"][0]
    assert spent["LinkedTxn"] == invoices["1014"]["LinkedTxn"] and spent["LinkedTxn"][0]["TxnType"] == "ReimburseCharge"
    assert spent["SalesItemLineDetail"]["MarkupInfo"]["Value"] == 53.55 and "Qty" not in spent["SalesItemLineDetail"]
    (origin,) = invoices["1015"]["LinkedTxn"]
    closed, accepted = company["Estimate"]
    assert (origin, closed["TxnStatus"]) == ({"TxnId": closed["Id"], "TxnType": "Estimate"}, "Closed")
    assert all(origin in line["LinkedTxn"] for line in invoices["1015"]["Line"][:3])
    assert accepted["TxnStatus"] == "Accepted"
    assert [each["BillableStatus"] for each in company["TimeActivity"]] == ["HasBeenBilled", "Billable"]
    kinds = [line["DetailType"] for line in invoices["1017"]["Line"]]
    assert set(kinds) == {"SalesItemLineDetail", "GroupLineDetail", "DescriptionOnly", "SubTotalLineDetail",
                          "DiscountLineDetail"}  # fmt: skip
    assert invoices["1017"]["DeliveryInfo"] == {"DeliveryType": "Email"} and invoices["1017"]["CustomField"]
    applied = [each for each in company["Payment"] if not each["TotalAmt"]]
    assert [[line["LinkedTxn"][0]["TxnType"] for line in each["Line"]] for each in applied] == [
        ["Invoice", "CreditMemo"], ["Invoice", "CreditMemo"]]  # fmt: skip
    (banked,) = company["Deposit"]
    (held,) = (each for each in company["Payment"] if each.get("LinkedTxn"))
    assert held["LinkedTxn"] == [{"TxnId": banked["Id"], "TxnType": "Deposit"}] and banked["TotalAmt"] == 512.5


def test_the_messy_books_add_up(messy):
    company = dump(messy)[PLUMBING]
    owed: dict[str, float] = {}
    for name, sign, field in (("Invoice", 1, "TotalAmt"), ("Payment", -1, "TotalAmt"), ("CreditMemo", -1, "TotalAmt")):
        for each in company[name]:
            owner = each["CustomerRef"]["value"]
            owed[owner] = owed.get(owner, 0) + sign * (each[field] - each.get("Deposit", 0))
    for customer in company["Customer"]:
        assert customer["Balance"] == pytest.approx(owed.get(customer["Id"], 0)), customer["DisplayName"]
    children: dict[str, list] = {}
    for customer in company["Customer"]:
        children.setdefault(customer.get("ParentRef", {}).get("value", ""), []).append(customer)
    for customer in company["Customer"]:
        below = sum(each["BalanceWithJobs"] for each in children.get(customer["Id"], []))
        assert customer["BalanceWithJobs"] == pytest.approx(customer["Balance"] + below)
    for invoice in company["Invoice"]:
        lines = sum(line.get("Amount", 0) for line in invoice["Line"] if line["DetailType"] != "SubTotalLineDetail"
                    and line["DetailType"] != "DiscountLineDetail")  # fmt: skip
        off = sum(line["Amount"] for line in invoice["Line"] if line["DetailType"] == "DiscountLineDetail")
        if invoice["DocNumber"] != "1013":  # its charge stood on a statement
            assert invoice["TotalAmt"] == pytest.approx(lines - off + invoice["TxnTaxDetail"]["TotalTax"])
    stock = {each["Name"]: each["QtyOnHand"] for each in company["Item"] if each["Type"] == "Inventory"}
    assert stock == {"Rock Fountain": 5, "Pump": 38, "Sprinkler heads": 90}


def test_abroad_rates_have_changed_and_prices_hold_the_tax(messy):
    company = dump(messy)[NORTHERN]
    (rate,) = (each for each in company["TaxRate"] if each["Name"] == "PST BC")
    assert [each["RateValue"] for each in rate["EffectiveTaxRate"]] == [6, 7] and rate["RateValue"] == 7
    taxes = [invoice["TxnTaxDetail"]["TotalTax"] for invoice in company["Invoice"]]
    assert taxes == [19.08, 20.48, 16, 0]
    held = company["Invoice"][2]
    assert held["GlobalTaxCalculation"] == "TaxInclusive" and held["TotalAmt"] == 149.33
    assert held["Line"][0]["SalesItemLineDetail"]["TaxInclusiveAmt"] == 149.33


def test_an_app_can_write_into_all_of_it(messy):
    for segment, name in (("customer", "Customer"), ("invoice", "Invoice"), ("item", "Item"), ("payment", "Payment"),
                          ("creditmemo", "CreditMemo"), ("estimate", "Estimate"), ("deposit", "Deposit")):  # fmt: skip
        for each in messy.query(f"select * from {name}")[name]:
            note = (
                {"Notes": "x"}
                if name == "Customer"
                else {"Description": "x"}
                if name == "Item"
                else {"PrivateNote": "x"}
            )
            answer = messy.change(segment, each, **note)
            deposited = name == "Payment" and each.get("LinkedTxn")
            assert answer.status_code == (400 if deposited else 200), (each, answer.text)
            if not deposited and name in ("Invoice", "CreditMemo", "Estimate"):
                now = messy.get(segment, each["Id"])
                same = ("TotalAmt", "Balance", "Line", "TxnTaxDetail", "LinkedTxn", "CustomField", "DeliveryInfo")
                assert {each_: now.get(each_) for each_ in same} == {each_: each.get(each_) for each_ in same}


def test_the_same_each_time(clock, messy):
    other = create_app(seed="messy", clock=clock)
    kept, ours = other.vendors["intuit"].dump(None)["accounts"], dump(messy)
    other.close()
    for account in (PLUMBING, NORTHERN):
        assert kept[account] | {"clients": []} == ours[account] | {"clients": []}


def test_thousands_of_difficult_customers(books):
    counts = {"messy_customers": 5000, "invoices": 30}
    books.control("bulk", {"vendor": "intuit", "account": PLUMBING, "items": 3})
    assert books.control("bulk", {"vendor": "intuit", "account": PLUMBING} | counts).json() == counts
    everyone = dump(books)[PLUMBING]["Customer"]
    assert len(everyone) == len({each["DisplayName"].casefold() for each in everyone}) == 5000
    shared: dict[str, int] = {}
    for each in everyone:
        address = each.get("PrimaryEmailAddr", {}).get("Address", "").lower()
        shared[address] = shared.get(address, 0) + 1
    assert sum(count == 2 for address, count in shared.items() if address) == 1000
    assert sum(", " in each["DisplayName"] and "GivenName" in each for each in everyone) == 500
    alone = [each for each in everyone if not {"PrimaryEmailAddr", "PrimaryPhone", "BillAddr", "GivenName"} & set(each)]
    assert len(alone) == 1000
    inactive = [each for each in everyone if not each["Active"]]
    assert len(inactive) == 750 and all(each["DisplayName"].endswith(" (deleted)") for each in inactive)
    assert books.query("select count(*) from Customer where Active = true")["totalCount"] == 4250
    ids = [each["BillAddr"]["Id"] for each in everyone if "BillAddr" in each]
    assert len(set(ids)) == len(ids) == 1500
    fine = books.changed("customer", everyone[8], Notes="works")
    assert (fine["Title"], fine["Suffix"], fine["Notes"]) == ("Mrs.", "Jr.", "works")
    books.control("reset", {"seed": "empty"})
    books.control("bulk", {"vendor": "intuit", "account": PLUMBING, "messy_customers": 5000})
    again = dump(books)[PLUMBING]["Customer"]
    assert [each["DisplayName"] for each in again] == [each["DisplayName"] for each in everyone]
