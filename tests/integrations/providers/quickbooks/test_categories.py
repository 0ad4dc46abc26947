"""Refusals for a class or a location: what counts as one, whose it is, and what lines that are added get."""

from dataclasses import replace

import pytest

from integrations import errors
from integrations.providers.quickbooks.mapping.categories import demanded, with_class_of_new_rows
from tests.integrations.providers.quickbooks.conftest import (
    REALM,
    customer,
    invoice,
    line,
    payment,
    refusal,
    rewrite,
    update,
)

SALE = "SalesItemLineDetail"
WANTS_LOCATION = "Make sure all your transactions have a location before you save."


def keep(intuit, **preferences) -> None:
    rewrite(intuit, "Preferences", "1", AccountingInfoPrefs=preferences)


def refuse(intuit, path: str, said: str, code: str = "6000") -> None:
    fault = {"Message": "A business validation error has occurred", "Detail": f"Business Validation Error: {said}"}
    body = {"Fault": {"type": "ValidationFault", "Error": [{**fault, "code": code}]}}
    intuit.fault("status", method="POST", path=path, status=400, body=body, times=2)  # it is asked anew once


@pytest.mark.parametrize(("said", "found"), [
    (WANTS_LOCATION, ("location",)), ("Select a class for each split line.", ("class",)),
    ("A Department is required", ("location",)), ("You must choose a Class.", ("class",)),
    ("Sales must have a class and a location.", ("class", "location")), ("A location must be set.", ("location",)),
    ("You must set a transaction amount.", ()), ("The address has no classification", ()),
    ("The name “World Class Plumbing” must have an e-mail.", ()), ('Choose the "location" again.', ()),
    ("'World Class Plumbing' and 'Have a class' don't fit. Set the date.", ()),
    ("Select the location of sale.", ()), ("World Class Plumbing must have a currency.", ()),
    ("Account 4 has the same account type and location. Please enter a different location for this account.", ()),
])  # fmt: skip
def test_what_a_refusal_demands(said, found):
    assert demanded(f"6000 A business validation error: {said} (intuit_tid 1-2)") == found


def test_only_a_new_invoice_of_a_company_that_keeps_it_bars_the_others(books, intuit, who, what, made):
    keep(intuit, TrackDepartments=False, ClassTrackingPerTxnLine=True)
    refuse(intuit, "/invoice$", WANTS_LOCATION)
    error = refusal(books, invoice(who.id, what.id))
    assert type(error) is errors.Rejected and error.reason is None and WANTS_LOCATION in error.detail
    refuse(intuit, "/customer$", "Select a class.")
    error = refusal(books, customer(2))
    assert type(error) is errors.Rejected and error.reason is None
    refuse(intuit, "/invoice$", "Select a class.", code="6070")
    assert refusal(books, invoice(who.id, what.id)).reason is None
    refuse(intuit, "/invoice$", "“Select a class” is a word too much in the memo.")
    assert refusal(books, invoice(who.id, what.id)).reason is None

    refuse(intuit, "/invoice$", "Select a class.")
    error = refusal(books, invoice(who.id, what.id))
    assert isinstance(error, errors.SettingMissing) and "wants a class on each new invoice" in str(error)
    refuse(intuit, "/invoice$", "Select a class.")
    error = refusal(books, invoice(who.id, what.id, **{"class": "9"}))
    assert type(error) is errors.Rejected and error.reason == "category" and "Choose another" in str(error)

    # A payment over more than is open is that, whatever words of its customer are in the refusal.
    bill = made(invoice(who.id, what.id))
    refuse(intuit, "/payment$", "Select a class.")
    shares = [{"invoice": bill.id, "amount": "500.00"}]
    error = refusal(books, payment(who.id, amount="500.00", allocations=shares))
    assert error.reason == "over_applied"


@pytest.mark.parametrize("on", [True, False])
def test_a_location_stands_where_the_company_has_them(fresh, intuit, company, who, what, on):
    place = company.make("Department", Name="North")["Id"]
    keep(intuit, TrackDepartments=on)
    [outcome] = fresh().write("Invoice", [invoice(who.id, what.id, location=place)])
    assert (company.read("Invoice", outcome.record.id).get("DepartmentRef") is not None) is on


# --- lines that an edit adds ------------------------------------------------------------------------------------------


def sale(klass: str = "", **more) -> dict:
    return {"DetailType": SALE, SALE: {"ClassRef": {"value": klass}} if klass else {}, **more}


@pytest.mark.parametrize(("standing", "chosen", "tracking", "got"), [
    (["7", "7"], "5", "line", "7"), (["7", "8"], "5", "line", "5"), (["7", ""], "5", "line", "5"),
    ([], "5", "line", "5"), (["7"], "", "line", "7"), (["7", "8"], "", "line", ""), (["7"], "5", "document", ""),
])  # fmt: skip
def test_a_line_that_is_added_gets_the_class_that_all_share(standing, chosen, tracking, got):
    rows = [sale(klass, Id=str(place)) for place, klass in enumerate(standing, 1)]
    shipping = {"DetailType": SALE, SALE: {"ItemRef": {"value": "SHIPPING_ITEM_ID"}}}
    words = {"DetailType": "DescriptionOnly", "Description": "Thank you"}
    body = {"Line": [*rows, sale(), words, shipping]}
    found = with_class_of_new_rows(body, {"Line": [*rows, shipping]}, chosen, tracking)["Line"]
    assert found == [*rows, sale(got), words, shipping]
    assert with_class_of_new_rows({"DueDate": "2026-12-01"}, {}, chosen, tracking) == {"DueDate": "2026-12-01"}


@pytest.mark.slow
def test_an_edit_that_adds_a_line_is_taken_where_a_class_is_wanted(fresh, intuit, company, who, what):
    one, other = (company.make("Class", Name=name)["Id"] for name in ("Own", "Other"))
    keep(intuit, ClassTrackingPerTxnLine=True, TrackDepartments=True)
    intuit.call("POST", "switches", json={"vendor": "intuit", "account": REALM, "category_required": "class"})

    def classes(record) -> list[str]:
        rows = company.read("Invoice", record.id)["Line"]
        return [row[SALE]["ClassRef"]["value"] for row in rows if SALE in row]

    def edit(record, *more, chosen=""):
        lines = [line(what.id, price=price) for price in ("50", *more)]
        fields = {"lines": lines, "discount": None, "tax_code": "", "class": chosen}
        [outcome] = fresh().write("Invoice", [update(record, **fields)])
        return outcome

    [made] = fresh().write("Invoice", [invoice(who.id, what.id, **{"class": one})])
    more = edit(made.record, "60", chosen=other)
    assert more.error is None and classes(more.record) == [one, one]

    rows = company.read("Invoice", made.record.id)["Line"]
    rows = [row for row in rows if SALE in row]
    rows[1][SALE]["ClassRef"] = {"value": other}
    mixed = company.edit("Invoice", made.record.id, Line=rows)
    there = replace(more.record, tag=mixed["SyncToken"])
    refused = edit(there, "60", "70").error
    assert type(refused) is errors.Rejected and refused.reason == "category"
    assert "Choose the class of new invoices" in str(refused)
    assert classes(edit(there, "60", "70", chosen=other).record) == [one, other, other]

    # What no choice would mend is mended there.
    refuse(intuit, "/invoice$", WANTS_LOCATION)
    there = replace(there, tag=company.read("Invoice", there.id)["SyncToken"])
    refused = edit(there, "60", "70", "80", chosen=other).error
    assert refused.reason == "category" and "wants a location on this invoice. Give it one in Qui" in str(refused)
