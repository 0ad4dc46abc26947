"""Items, tax rates, invoices and payments at the desk."""

import re
from decimal import Decimal

import pytest

from fieldcamp.workspace import catalog, invoicing
from fieldcamp.workspace.books import apply_invoice, import_payment
from fieldcamp.workspace.models import Change, Invoice, Item, Payment, TaxRate
from tests.integrations.admin.conftest import pages_of
from tests.integrations.admin.test_records import errors_of
from tests.integrations.hostile import assert_refused, stored

MONEY = ("item", "tax rate", "invoice", "payment")


@pytest.fixture
def page(ours):
    return pages_of(ours)


def form_of(browser, url: str) -> dict[str, str]:
    """The page's form and rows as a browser would send them back."""
    context = browser.get(url).context
    forms = [context["adminform"].form]
    for rows in context["inline_admin_formsets"]:
        forms += [rows.formset.management_form, *rows.formset.forms]
    data: dict[str, str] = {}
    for form in forms:
        for field in form:
            value = field.value()
            if value is not None and value is not False and value != "":
                data[field.html_name] = str(value)
    return data


def rows_of(*rows: dict[str, str], prefix: str = "lines") -> dict[str, str]:
    data = {f"{prefix}-TOTAL_FORMS": str(len(rows)), f"{prefix}-INITIAL_FORMS": "0"}
    return data | {f"{prefix}-{number}-{name}": value for number, row in enumerate(rows) for name, value in row.items()}


@pytest.mark.slow
def test_saving_an_untouched_form_changes_nothing(desk, page):
    before = Change.objects.count()
    for name in MONEY:
        response = desk().post(page[name], form_of(desk(), page[name]))
        assert response.status_code == 302, (name, errors_of(response))
    assert Change.objects.count() == before


@pytest.mark.slow
def test_a_new_invoice_is_made_sent_paid_and_shown(desk, ours, page):
    rows = rows_of(
        {"item": ours.item.pk, "quantity": "2", "taxable": "on"},
        {"description": "Tip", "unit_price": "5.5"},
        {"taxable": "on"},
    )
    data = {"client": ours.client.pk, "tax_rate": ours.tax.pk, "discount_percent": "10", **rows}
    assert desk().post("/admin/workspace/invoice/add/", data).status_code == 302
    invoice = Invoice.objects.get(number="1002")
    lines = list(invoice.lines.values_list("description", "quantity", "unit_price", "taxable"))
    assert lines == [("Item of Ours", 2, 100, True), ("Tip", 1, Decimal("5.5"), False)]
    assert (invoice.subtotal, invoice.tax_total, invoice.total) == (
        Decimal("205.50"),
        Decimal("14.40"),
        Decimal("199.35"),
    )
    url = f"/admin/workspace/invoice/{invoice.pk}"
    assert "is sent: it can be paid now." in desk().post(f"{url}/send/", follow=True).content.decode()
    shown = desk().get(f"{url}/change/").content.decode()
    assert "199.35" in shown and "Sent" in shown and f"{url}/void/" in shown and f"{url}/send/" not in shown
    paid = rows_of({"invoice": invoice.pk, "amount": "199.35"}, prefix="allocations")
    data = {"client": ours.client.pk, "amount": "200", "method": "cash", **paid}
    assert desk().post("/admin/workspace/payment/add/", data).status_code == 302
    invoice.refresh_from_db()
    assert invoice.status == "paid"
    shown = desk().get(f"{url}/change/").content.decode()
    assert "Sent by Owner." in shown and "Now paid by Owner." in shown


@pytest.mark.slow
def test_an_invoice_is_edited_though_its_item_and_tax_are_gone(desk, ours, page):
    invoice = Invoice.objects.get(pk=page["invoice"].split("/")[-3])
    invoicing.update_invoice(workspace=ours.workspace, invoice_id=invoice.pk, changes={"tax_rate_id": ours.tax.pk})
    lines = [{"item_id": ours.item.pk}]
    invoicing.update_invoice(workspace=ours.workspace, invoice_id=invoice.pk, changes={"lines": lines})
    invoicing.send_invoice(workspace=ours.workspace, invoice_id=invoice.pk)
    invoice.refresh_from_db()
    catalog.delete_item(workspace=ours.workspace, item_id=ours.item.pk)
    catalog.delete_tax_rate(workspace=ours.workspace, tax_rate_id=ours.tax.pk)
    data = form_of(desk(), page["invoice"]) | {"memo": "Thanks", "lines-0-description": "Other words"}
    response = desk().post(page["invoice"], data)
    assert response.status_code == 302, errors_of(response)
    before, invoice = invoice, Invoice.objects.get(pk=invoice.pk)
    assert (invoice.memo, invoice.total, invoice.lines.get().description) == ("Thanks", before.total, "Other words")
    assert ours.tax.name in desk().get(page["invoice"]).content.decode()


@pytest.mark.slow
def test_lines_are_edited_removed_and_added(desk, ours, page):
    data = form_of(desk(), page["invoice"]) | {
        "lines-0-quantity": "3",
        "lines-1-description": "More",
        "lines-1-unit_price": "1",
    }
    assert desk().post(page["invoice"], data).status_code == 302
    invoice = Invoice.objects.get(pk=ours.invoice.pk)
    assert [line.amount for line in invoice.lines.all()] == [300, 1]
    data = form_of(desk(), page["invoice"]) | {"lines-0-DELETE": "on"}
    refused = errors_of(desk().post(page["invoice"], data))
    assert "8.00 of invoice 1001 is paid already" in refused
    assert invoice.lines.count() == 2
    assert "Lines and total changed by Owner." in desk().get(page["invoice"]).content.decode()


@pytest.mark.slow
def test_refusals_name_the_row(desk, ours, theirs, page):
    for row in ({"quantity": "-1", "unit_price": "5"}, {"item": theirs.item.pk}, {"unit_price": "x"}):
        data = form_of(desk(), page["invoice"]) | rows_of(row)
        shown = desk().post(page["invoice"], data)
        assert errors_of(shown) and theirs.item.name not in shown.content.decode()
    assert "Row 1: Must not be negative." in errors_of(
        desk().post(page["invoice"], form_of(desk(), page["invoice"]) | rows_of({"quantity": "-1", "unit_price": "5"}))
    )
    data = form_of(desk(), page["payment"]) | {"allocations-0-amount": "500", "amount": "500"}
    assert "Row 1: Only 108.00 of invoice 1001 is open." in errors_of(desk().post(page["payment"], data))
    assert Invoice.objects.get(pk=ours.invoice.pk).version == Invoice.objects.get(pk=theirs.invoice.pk).version


@pytest.mark.slow
def test_void_asks_first_and_says_why_not(desk, ours, page):
    asked = desk().get(page["void invoice"]).content.decode()
    assert "Nothing is owed for it any more." in asked and 'name="reason"' in asked
    said = desk().post(page["void invoice"], {"reason": "Twice"}, follow=True).content.decode()
    assert "Payments are recorded for invoice 1001" in said
    desk().post(page["void payment"])
    assert Payment.objects.get(pk=ours.payment.pk).voided_at
    desk().post(page["void invoice"], {"reason": "Twice"})
    assert Invoice.objects.get(pk=ours.invoice.pk).void_reason == "Twice"


@pytest.mark.parametrize("reason", ["x" * 201, "a\x00b", ["Twice", "Thrice"]])
def test_a_reason_that_cannot_be_taken_voids_nothing(reason, desk, ours, page):
    browser = desk()
    assert_refused(browser.post(page["void invoice"], {"reason": reason}), stored(), "reason")


def test_a_draft_is_deleted_and_a_bill_is_not(desk, ours):
    desk().post("/admin/workspace/invoice/add/", {"client": ours.client.pk, **rows_of()})
    draft = Invoice.objects.get(number="1002")
    response = desk().post(f"/admin/workspace/invoice/{draft.pk}/discard/")
    assert response["Location"] == "/admin/workspace/invoice/"
    assert Invoice.objects.alive().filter(workspace=ours.workspace).get() == ours.invoice
    assert desk().get(f"/admin/workspace/invoice/{ours.invoice.pk}/send/").status_code == 405
    desk().post(f"/admin/workspace/invoice/{ours.invoice.pk}/discard/")
    assert Invoice.objects.alive().filter(pk=ours.invoice.pk).exists()


@pytest.mark.slow
def test_items_and_taxes_are_deleted_and_their_invoices_stay(desk, ours, page):
    for name, row in (("item", ours.item), ("tax rate", ours.tax)):
        url = page[name].replace("change", "delete")
        assert "Invoices that have it stay as they are." in desk().get(url).content.decode()
        assert desk("staff").post(url).status_code == 403
        assert desk().post(url).status_code == 302
        assert not type(row).objects.alive().filter(pk=row.pk).exists()
    assert Invoice.objects.get(pk=ours.invoice.pk).total == 108


@pytest.mark.slow
def test_rates_are_percentages_here(desk, ours, page):
    parts = {"parts": "State 7.25\nCounty 0.75 %", "rate": ""}
    assert desk().post(page["tax rate"], form_of(desk(), page["tax rate"]) | parts).status_code == 302
    tax = TaxRate.objects.get(pk=ours.tax.pk)
    assert tax.rate == Decimal("0.08")
    assert tax.components == [{"name": "State", "rate": "0.0725"}, {"name": "County", "rate": "0.0075"}]
    assert form_of(desk(), page["tax rate"])["parts"] == "State 7.25\nCounty 0.75"
    for wrong in ("State", "State 101", "7", "State x", "State NaN", "State 0.00001"):
        assert "parts" in errors_of(desk().post(page["tax rate"], form_of(desk(), page["tax rate"]) | {"parts": wrong}))


@pytest.mark.slow
def test_who_may_only_look_sees_the_rows_and_changes_nothing(desk, ours, page):
    for role in ("staff", "viewer"):
        shown = desk(role).get(page["invoice"]).content.decode()
        assert "Item of Ours" in shown and "/void/" not in shown and "<textarea" not in shown
        assert desk(role).post(page["void payment"]).status_code == 403
        assert desk(role).get("/admin/workspace/item/add/").status_code == 403
    assert not Payment.objects.exclude(voided_at=None).exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["item", "taxrate", "invoice", "payment"])
def test_lists_are_searched_filtered_and_cheap(desk, ours, name, django_assert_max_num_queries):
    browser = desk("viewer")
    browser.get(f"/admin/workspace/{name}/")  # what a process reads once, such as the state that the menu's badge keeps
    with django_assert_max_num_queries(8):
        shown = browser.get(f"/admin/workspace/{name}/").content.decode()
    assert "Ours" in shown
    assert "Ours" not in browser.get(f"/admin/workspace/{name}/?q=nothing").content.decode().split("<table")[-1]


@pytest.mark.slow
def test_every_status_has_its_filter(desk, ours):
    for status, count in (("partly_paid", 1), ("draft", 0), ("sent", 0), ("paid", 0), ("overdue", 0), ("void", 0)):
        response = desk().get(f"/admin/workspace/invoice/?status={status}")
        assert len(response.context["cl"].result_list) == count, status


def test_a_new_item_belongs_to_the_own_company(desk, ours):
    assert (
        desk().post("/admin/workspace/item/add/", {"name": "Elbow", "type": "product", "price": "1.2345"}).status_code
        == 302
    )
    item = Item.objects.get(name="Elbow")
    assert (item.workspace, item.price, item.taxable) == (ours.workspace, Decimal("1.2345"), False)


@pytest.mark.slow
def test_what_the_books_have_settled_is_shown_as_what_it_is(desk, ours):
    """A deposit, credits and refunds are no payments: a person sees which is which, and changes none of them."""
    line = {"item_id": None, "description": "Work", "quantity": Decimal(1), "unit_price": Decimal(100)}
    values = {"workspace": ours.workspace, "client_id": ours.client.pk, "lines": [line], "send": True}
    invoice = invoicing.create_invoice(**values)
    apply_invoice(invoice.pk, invoice.version, {"deposit": Decimal(20)})
    made = {"client_id": ours.client.pk, "date": "2026-11-20", "method": "check", "reference": "77"}
    books = {"workspace": ours.workspace, "made_in": "books"}
    share = {"invoice_id": invoice.pk}
    credit = import_payment(**books, values={**made, "amount": Decimal(0), "credited": Decimal(30),
                                             "allocations": [{**share, "amount": Decimal(30)}]})  # fmt: skip
    money = import_payment(**books, values={**made, "amount": Decimal(45), "elsewhere": Decimal(15),
                                            "allocations": [{**share, "amount": Decimal(25)}]})  # fmt: skip
    invoice.refresh_from_db()
    assert (invoice.balance, invoice.paid, money.unapplied) == (25, 55, 5)
    shown = desk().get(f"/admin/workspace/invoice/{invoice.pk}/change/").content.decode()
    for said in ("$20.00: deposit, taken in the books", "credit applied in the books on 20 Nov 2026",
                 "payment (Check 77) on 20 Nov 2026", f"/admin/workspace/payment/{credit.pk}/change/"):  # fmt: skip
        assert said in shown
    pages = {
        row.pk: desk().get(f"/admin/workspace/payment/{row.pk}/change/").content.decode() for row in (credit, money)
    }
    assert "Credit of $30.00, applied on 20 Nov 2026" in pages[credit.pk]
    # Who has set which field is a table of all of them.
    forms = {
        key: re.sub(r'<details id="field-sources">.*?</details>', "", page, flags=re.S) for key, page in pages.items()
    }
    assert "Credit applied" in forms[credit.pk] and "Used otherwise" not in forms[credit.pk]
    assert "Used otherwise" in forms[money.pk] and "Credit applied" not in forms[money.pk]
    assert "Credit applied" in desk().get("/admin/workspace/payment/").content.decode()
    form = form_of(desk(), f"/admin/workspace/payment/{credit.pk}/change/")
    assert not {"credited", "elsewhere"} & form.keys()
