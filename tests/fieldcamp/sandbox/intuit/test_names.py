"""Customers, vendors, employees and items: writing them, their names, references, and what is refused."""

import pytest

from .conftest import code


def detail(response):
    return response.json()["Fault"]["Error"][0]["Detail"]


@pytest.fixture
def amy(books):
    return books.create("customer", DisplayName="Amy Lauterbach", Notes="Side door", CompanyName="Birds")


def service(name="Labor", **more):
    return {"Name": name, "Type": "Service", "IncomeAccountRef": {"value": "1"}} | more


def test_a_new_customer_has_what_a_real_one_has(books, clock):
    made = books.create("customer", GivenName="Amy", FamilyName="Lauterbach", BillAddr={"Line1": "4581 Finch St."})
    assert (made["DisplayName"], made["FullyQualifiedName"]) == ("Amy Lauterbach", "Amy Lauterbach")
    assert (made["SyncToken"], made["sparse"], made["domain"], made["Active"]) == ("0", False, "QBO", True)
    assert (made["Balance"], made["CurrencyRef"]["value"]) == (0, "USD")
    assert made["BillAddr"]["Id"].isdecimal() and "Notes" not in made
    assert made["MetaData"]["CreateTime"] == made["MetaData"]["LastUpdatedTime"] == "2026-11-22T04:00:00-08:00"
    assert books.get("customer", made["Id"]).items() >= made.items()


def test_a_sparse_update_changes_what_is_sent_and_a_full_one_clears_the_rest(books, amy, clock):
    clock.now += 60
    sparse = books.changed("customer", amy, CompanyName="Bird Sanctuary")
    assert (sparse["SyncToken"], sparse["Notes"], sparse["sparse"]) == ("1", "Side door", False)
    assert sparse["MetaData"]["LastUpdatedTime"] > sparse["MetaData"]["CreateTime"]
    full = books.create("customer", Id=amy["Id"], SyncToken="1", DisplayName="Amy Lauterbach")
    assert full["SyncToken"] == "2" and "Notes" not in full and "CompanyName" not in full
    assert full["Balance"] == 0 and full["Active"] is True


def test_an_empty_text_clears_and_null_does_not(books, amy):
    assert books.changed("customer", amy, Notes=None)["Notes"] == "Side door"
    assert "Notes" not in books.changed("customer", amy, Notes="")


def test_an_update_without_a_change_moves_nothing(books, amy, clock):
    clock.now += 60
    assert books.changed("customer", amy, Notes="Side door", Balance=77) == amy


@pytest.mark.parametrize("token", ["5", "-1", "x"])
def test_another_token_is_stale(books, amy, token):
    books.changed("customer", amy, Notes="Front")
    assert code(books.change("customer", amy, Notes="Back")) == (400, "5010")
    assert code(books.change("customer", amy | {"SyncToken": token}, Notes="Back")) == (400, "5010")
    assert books.get("customer", amy["Id"])["Notes"] == "Front"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"DisplayName": "A", "Colour": "red"}, "2010"),
        ({"DisplayName": "A", "BillAddr": {"Street": "x"}}, "2010"),
        ({"DisplayName": "A", "BillAddr": "x"}, "2010"),
        ({"DisplayName": {"a": 1}}, "2010"),
        ({"DisplayName": "A", "Active": "perhaps"}, "2010"),
        ([1], "2010"),
        ({"Notes": "nameless"}, "6080"),
        ({"DisplayName": "A:B"}, "2040"),
        ({"DisplayName": "A\tB"}, "2040"),
        ({"DisplayName": "A" * 501}, "2050"),
        ({"DisplayName": "A", "Notes": "n" * 2001}, "2050"),
        ({"DisplayName": "A", "PrimaryEmailAddr": {"Address": "no address"}}, "2210"),
        ({"DisplayName": "A", "SalesTermRef": {"value": "999"}}, "2500"),
        ({"DisplayName": "A", "CurrencyRef": {"value": "EUR"}}, "6000"),
        ({"DisplayName": "A", "Job": True}, "2020"),
    ],
)
def test_customers_that_are_refused(books, body, expected):
    assert code(books.post("customer", body)) == (400, expected)
    assert books.query("select count(*) from Customer") == {"totalCount": 0}


def test_ids_and_tokens_that_are_refused(books, amy):
    assert code(books.call("GET", "customer/1.5")) == (400, "2030")
    assert code(books.call("GET", "customer/9999")) == (400, "610")
    assert code(books.post("customer", {"Id": amy["Id"], "sparse": True})) == (400, "2020")
    assert code(books.post("customer", {"Id": "abc", "SyncToken": "0"})) == (400, "2030")
    assert code(books.delete("customer", amy)) == (400, "500")
    assert code(books.post("customer", {"Id": amy["Id"], "SyncToken": "0"}, operation="void")) == (400, "500")
    assert code(books.post("unicorn", {})) == (400, "500")
    assert code(books.post("customer", {"DisplayName": "B"}, operation="explode")) == (400, "500")


def test_one_name_for_customers_vendors_and_employees_whatever_the_case(books, amy):
    taken = books.post("vendor", {"DisplayName": " aMY lauterbach "})
    assert code(taken) == (400, "6240") and "Another customer, vendor or employee" in detail(taken)
    assert code(books.post("employee", {"GivenName": "Amy", "FamilyName": "Lauterbach"})) == (400, "6240")
    other = books.create("customer", DisplayName="Ben")
    assert code(books.change("customer", other, DisplayName="AMY LAUTERBACH")) == (400, "6240")
    assert books.changed("customer", amy, DisplayName="AMY Lauterbach")["SyncToken"] == "1"


def test_making_a_customer_inactive_frees_its_name(books, amy):
    gone = books.changed("customer", amy, Active=False)
    assert (gone["DisplayName"], gone["FullyQualifiedName"]) == ("Amy Lauterbach (deleted)",) * 2
    second = books.create("customer", DisplayName="Amy Lauterbach")
    gone_too = books.changed("customer", second, Active=False)
    assert gone_too["DisplayName"] == "Amy Lauterbach (deleted-1)"
    back = books.changed("customer", gone, Active=True, DisplayName="Amy Lauterbach")
    assert back["Active"] is True and back["DisplayName"] == "Amy Lauterbach"
    assert code(books.change("customer", gone_too, Active=True, DisplayName="Amy Lauterbach")) == (400, "6240")


def test_customers_below_customers(books, amy):
    job = books.create("customer", DisplayName="Kitchen", ParentRef={"value": amy["Id"]}, Job=True)
    assert (job["FullyQualifiedName"], job["Level"]) == ("Amy Lauterbach:Kitchen", 1)
    assert job["ParentRef"] == {"value": amy["Id"]}
    books.changed("customer", amy, DisplayName="Amy L")
    assert books.get("customer", job["Id"])["FullyQualifiedName"] == "Amy L:Kitchen"
    assert code(books.change("customer", books.get("customer", amy["Id"]), ParentRef={"value": job["Id"]})) == (
        400,
        "6000",
    )


def test_a_new_item_has_what_a_real_one_has(books):
    made = books.create("item", service())
    assert made["IncomeAccountRef"] == {"value": "1", "name": "Services"}
    assert (made["UnitPrice"], made["PurchaseCost"], made["Taxable"], made["TrackQtyOnHand"]) == (0, 0, False, False)
    assert books.changed("item", made, UnitPrice=33.333333, Sku="L-1")["UnitPrice"] == 33.333333


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (service(IncomeAccountRef=None), "2020"),
        (service(IncomeAccountRef={"value": "84"}), "6430"),
        (service(IncomeAccountRef={"value": "9999"}), "2500"),
        (service(Type="Magic"), "2170"),
        (service(Type=None), "2020"),
        (service(Name=None), "2020"),
        (service(Type="Inventory"), "2020"),
        (service(UnitPrice="much"), "2090"),
    ],
)
def test_items_that_are_refused(books, body, expected):
    assert code(books.post("item", body)) == (400, expected)


def test_an_items_name_is_unique_below_its_parent(books):
    parent = books.create("item", {"Name": "Plumbing", "Type": "Category"})
    books.create("item", service())
    assert code(books.post("item", service("LABOR"))) == (400, "6240")
    below = books.create("item", service(SubItem=True, ParentRef={"value": parent["Id"]}))
    assert below["FullyQualifiedName"] == "Plumbing:Labor"
    assert code(books.post("item", service(ParentRef={"value": parent["Id"]}))) == (400, "6240")


def test_what_was_made_inactive_cannot_be_referred_to(books):
    account = books.get("account", "1")
    books.changed("account", account, Active=False)
    assert code(books.post("item", service())) == (400, "610")


def test_accounts_terms_and_methods_can_be_made(books):
    account = books.create("account", Name="Repairs", AccountType="Income")
    assert (account["Classification"], account["FullyQualifiedName"]) == ("Revenue", "Repairs")
    assert code(books.post("account", {"Name": "Repairs", "AccountType": "Expense"})) == (400, "6240")
    assert books.create("term", Name="Net 10", DueDays=10)["Type"] == "STANDARD"
    assert books.create("paymentmethod", Name="Barter")["Type"] == "NON_CREDIT_CARD"


def test_ids_are_shared_by_names_and_kept_apart_from_items(books, amy):
    vendor = books.create("vendor", DisplayName="Hardware")
    assert int(vendor["Id"]) == int(amy["Id"]) + 1
    assert code(books.call("GET", f"customer/{vendor['Id']}")) == (400, "610")
