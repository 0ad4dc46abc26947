"""Companies that want a class or a location on each sale: one problem for all, and a choice that new invoices bear."""

import pytest

from fieldcamp.workspace import invoicing
from integrations.models import BooksSettings, Problem, Stream
from integrations.providers.quickbooks.mapping.categories import has, with_categories
from integrations.services.books.mapping import set_defaults
from integrations.services.setup import SetupError
from tests.integrations.books.conftest import counts
from tests.integrations.engine import finish

SALES = "SalesItemLineDetail"
CHOSEN = {"class": "7", "location": "3", "terms": "2"}


@pytest.mark.parametrize(
    ("tracking", "header", "line"), [("document", True, False), ("line", False, True), ("", False, False)]
)
def test_a_class_stands_where_the_company_has_it(tracking, header, line):
    body = {"Line": [{SALES: {"Qty": 1}}, {"DetailType": "DescriptionOnly"}]}
    found = with_categories(body, CHOSEN, tracking, True)
    assert ("ClassRef" in found, "ClassRef" in found["Line"][0][SALES]) == (header, line)
    assert (found["DepartmentRef"], found["SalesTermRef"]) == ({"value": "3"}, {"value": "2"})
    assert found["Line"][1] == body["Line"][1] and "ClassRef" not in body["Line"][0][SALES]
    assert has(found, "class") == (header or line) and has(found, "location") and not has(body, "location")
    assert with_categories(body, {}, tracking, True) == body
    assert "DepartmentRef" not in with_categories(body, CHOSEN, tracking, False)  # turned off after it was chosen


@pytest.mark.slow
@pytest.mark.parametrize("category", ["class", pytest.param("location", marks=pytest.mark.once)])
def test_the_first_refusal_is_one_problem_and_a_choice_ends_it(category, company, books, sync, make_client, make_item,
                                                               make_invoice, admin_user):  # fmt: skip
    client, item = make_client(), make_item()
    before = make_invoice(client, [(item, 1, "10")])
    sync()
    entity = {"class": "Class", "location": "Department"}[category]
    own, other = (books.add(entity, Name=name) for name in ("Own", "Other"))
    books.click("settings", action="tracking", ClassTrackingPerTxnLine="1", TrackDepartments="1")
    wants = {"vendor": "intuit", "account": books.realm, "category_required": category}
    books.vendors.call("POST", "switches", json=wants)

    waiting = [make_invoice(client, [(item, 1, "20"), (None, 1, "5")]) for _ in range(3)]
    for _ in range(2):
        job = sync()
        assert job.status == "partial"
        [problem] = Problem.objects.open()
        assert (problem.code, problem.record_kind, problem.data) == (
            "RECORD_REJECTED",
            "stream",
            {"reason": "category"},
        )
        assert f"wants a {category} on each new invoice" in problem.message
    assert Stream.objects.get(kind="invoice").is_active and len(books.all("Invoice")) == 1

    choice = {"connection": company, "income_account_id": company.books.income_account_id,
              "default_item_id": company.books.default_item_id, "user": admin_user}  # fmt: skip
    with pytest.raises(SetupError):
        set_defaults(**choice, categories={category: "999"})
    finish(set_defaults(**choice, categories={category: own["Id"], "terms": ""}))
    assert getattr(BooksSettings.objects.get(), f"{category}_name") == "Own"
    assert not Problem.objects.open().exists()
    for invoice in waiting:
        there = books.one("Invoice", DocNumber=invoice.number)
        rows = [row[SALES]["ClassRef"]["value"] for row in there["Line"] if SALES in row and category == "class"]
        assert rows == [own["Id"]] * 2 if category == "class" else there["DepartmentRef"]["value"] == own["Id"]

    # What is there keeps its own, whatever is chosen later and whoever edits it; a line that is added gets that, too.
    finish(set_defaults(**choice, categories={category: other["Id"]}))
    sold = [{"item_id": item.pk, "description": "Work", "quantity": 1, "unit_price": price} for price in (20, 5, 7)]
    changes = {"memo": "Thank you", "lines": sold}
    invoicing.update_invoice(workspace=before.workspace, invoice_id=waiting[0].pk, changes=changes)
    assert counts(sync())[1] == 1
    there = books.one("Invoice", DocNumber=waiting[0].number)
    rows = [row[SALES].get("ClassRef", {}).get("value") for row in there["Line"] if SALES in row]
    assert rows == [own["Id"] if category == "class" else None] * 3
    assert own["Id"] in str(there) and [counts(sync("full"))[:2] for _ in range(2)] == [(0, 0)] * 2

    # What has none there is edited from here once it has got one there, as the problem says.
    invoicing.update_invoice(workspace=before.workspace, invoice_id=before.pk, changes={"memo": "Thank you"})
    sync()
    [problem] = Problem.objects.open()
    assert (problem.record_id, problem.data["reason"]) == (before.pk, "category")
    assert f"wants a {category} on" in problem.message and "Give it one in QuickBooks" in problem.message
