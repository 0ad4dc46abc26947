"""The pages on which a bookkeeper works, and what an app sees of it afterwards."""

import re

import pytest

from fieldcamp.sandbox.mount import URL

from .business import Business, applied, line, ref, tax_code
from .conftest import PLUMBING, code
from .forms import form_of

HOME = f"{URL}/intuit/ui/{PLUMBING}"
LINE = ("line", "item", "description", "quantity", "price", "tax")


class Bookkeeper:
    """A browser on the plumbing company's pages."""

    def __init__(self, session):
        self.session = session

    def page(self, path="", **query):
        response = self.session.get(f"{HOME}/{path}", params=query)
        assert response.status_code == 200, response.text
        return response.text

    def post(self, path, form):
        return self.session.post(f"{HOME}/{path}", data=form, allow_redirects=False)

    def do(self, path, action, **form):
        """Does it; the id of the record that is shown next."""
        response = self.post(path, {"action": action} | form)
        assert response.status_code == 303, response.text
        return response.headers["Location"].rsplit("/", 1)[1]

    def form(self, path):
        """The form as it stands on the page, ready to be sent back."""
        return form_of(self.page(path))


@pytest.fixture
def keeper(books):
    return Bookkeeper(books.session)


@pytest.fixture
def business(books):
    return Business(books)


def test_the_companies_are_listed(books):
    page = books.session.get(f"{URL}/intuit/ui").text
    assert "Dana&#39;s Plumbing" in page and f"/intuit/ui/{PLUMBING}" in page and "not Intuit" in page


def test_lists_can_be_searched_and_paged(books, keeper):
    for n in range(52):
        books.create("customer", DisplayName=f"Customer {n:02}")
    books.create("customer", DisplayName="50% off & <more>")
    first = keeper.page("customers")
    assert first.count("<tr data-id=") == 50 and "53 in all" in first and "Next" in first
    assert keeper.page("customers", page="2").count("<tr data-id=") == 3
    assert "50% off &amp; &lt;more&gt;" in keeper.page("customers", q="0% O")
    assert "Nothing matches." in keeper.page("customers", q="_%_%")
    assert keeper.page("customers", page="-1", q="\\'\"").count("<tr data-id=") == 0


def test_a_customer(books, keeper):
    made = keeper.do("customers/new", "save", DisplayName="Juno", email="juno@example.com", City="Troy")
    shown = books.get("customer", made)
    assert shown["PrimaryEmailAddr"] == {"Address": "juno@example.com"} and shown["BillAddr"]["City"] == "Troy"
    form = keeper.form(f"customers/{made}") | {"phone": "555-0100", "email": ""}
    assert keeper.post(f"customers/{made}", form).status_code == 303
    changed = books.get("customer", made)
    assert changed["PrimaryPhone"] == {"FreeFormNumber": "555-0100"} and "PrimaryEmailAddr" not in changed
    assert (changed["BillAddr"], changed["SyncToken"]) == (shown["BillAddr"], "1")
    keeper.do(f"customers/{made}", "deactivate")
    assert books.get("customer", made)["DisplayName"] == "Juno (deleted)" and "Inactive" in keeper.page("customers")
    keeper.do(f"customers/{made}", "activate")
    assert (books.get("customer", made)["DisplayName"], books.get("customer", made)["Active"]) == ("Juno", True)
    assert keeper.post("customers/new", {"action": "save", "DisplayName": "juno"}).status_code == 400


def test_merging_customers(books, business, keeper):
    made = business.bill()
    other = keeper.do("customers/new", "save", DisplayName="Northway Hardware Inc")
    assert keeper.do(f"customers/{business.customer['Id']}", "merge", into=other) == other
    assert business.again(made)["CustomerRef"]["value"] == other and books.get("customer", other)["Balance"] == 100
    assert code(books.call("GET", f"customer/{business.customer['Id']}")) == (400, "610")


def test_an_item(books, business, keeper):
    form = {"Name": "Flush", "Type": "Service", "UnitPrice": "1,249.50", "Taxable": "1", "account": "87"}
    made = keeper.do("items/new", "save", **form)
    shown = books.get("item", made)
    assert (shown["UnitPrice"], shown["Taxable"], shown["IncomeAccountRef"]["value"]) == (1249.5, True, "87")
    assert keeper.post("items/new", form | {"UnitPrice": "much"}).status_code == 400
    bill = business.bill()
    keeper.do(f"items/{business.item['Id']}", "merge", into=made)
    sold = business.again(bill)["Line"][0]["SalesItemLineDetail"]["ItemRef"]
    assert sold == {"value": made, "name": "Flush"}
    keeper.do(f"items/{made}", "deactivate")
    assert books.get("item", made)["Active"] is False


def test_a_vendor_takes_a_name(books, keeper):
    made = keeper.do("vendors/new", "save", DisplayName="Ferguson Supply")
    assert "Ferguson Supply" in keeper.page(f"vendors/{made}")
    assert code(books.post("customer", {"DisplayName": "Ferguson Supply"})) == (400, "6240")


def test_an_invoice(books, business, keeper):
    item = business.item["Id"]
    header = {"action": "save", "customer": business.customer["Id"], "TxnDate": "2026-11-02", "tax_code": "2"}
    header |= {"discount": "10%", "PrivateNote": "one\r\ntwo"}
    rows = [("", item, "", "2.5", "120", "TAX"), ("", "", "By two", "", "", "NON"), ("", "", "", "", "", "NON")]
    lines = dict(zip(LINE, map(list, zip(*rows, strict=True)), strict=True))
    response = keeper.post("invoices/new", header | lines)
    made = books.get("invoice", response.headers["Location"].rsplit("/", 1)[1])
    assert (made["TotalAmt"], made["TxnTaxDetail"]["TotalTax"]) == (294, 24) and made["DueDate"] == "2026-12-02"
    assert [each["DetailType"] for each in made["Line"]] == [
        *("SalesItemLineDetail", "DescriptionOnly", "SubTotalLineDetail", "DiscountLineDetail"),
    ]
    assert made["PrivateNote"] == "one\ntwo"
    path = f"invoices/{made['Id']}"
    assert keeper.post(path, keeper.form(path)).status_code == 303
    assert business.again(made) == made  # nothing was changed, so nothing is written
    form = keeper.form(path)
    form["price"][0] = "100"
    keeper.post(path, form)
    later = business.again(made)
    assert later["SyncToken"] == "1" and later["Line"][0]["Amount"] == 250 and later["Line"][0]["Id"] == "1"
    keeper.do(path, "send", to="ap@northway.test")
    assert business.again(made)["EmailStatus"] == "EmailSent"
    keeper.do(path, "void")
    assert business.again(made)["TotalAmt"] == 0 and "Voided" in keeper.page("invoices")
    assert keeper.do(path, "delete") == "invoices"
    assert code(books.call("GET", path.replace("invoices", "invoice"))) == (400, "610")


def test_somebody_else_was_faster(books, business, keeper):
    made = business.bill()
    form = keeper.form(f"invoices/{made['Id']}")
    books.changed("invoice", made, PrivateNote="from the app")
    late = keeper.post(f"invoices/{made['Id']}", form)
    assert late.status_code == 400 and "were working on this at the same time" in late.text
    assert business.again(made)["PrivateNote"] == "from the app"


def test_a_line_keeps_its_item_however_many_there_are(books, business, keeper):
    last = books.create("item", Name="Zinc pipe", Type="Service", IncomeAccountRef=ref("87"))
    books.control("bulk", {"vendor": "intuit", "account": PLUMBING, "items": 600})
    made = business.bill(line(last))
    path = f"invoices/{made['Id']}"
    assert keeper.post(path, keeper.form(path)).status_code == 303 and business.again(made) == made


def test_the_list_says_how_an_invoice_stands(books, business, keeper):
    business.bill(TxnDate="2026-09-01")
    business.bill()
    half, whole = business.bill(), business.bill()
    business.pay(150, applied(half, 50), applied(whole, 100))
    page = keeper.page("invoices", q="northway")
    found = {
        name: page.count(f'<span class="chip">{name}</span>') for name in ("Overdue", "Open", "Partly paid", "Paid")
    }
    assert set(found.values()) == {1}
    assert keeper.page("invoices", q="1003").count("<tr data-id=") == 1


def test_a_payment(books, business, keeper):
    first, second = business.bill(), business.bill()
    who = business.customer["Id"]
    assert 'value="100"' in keeper.page("payments/new", customer=who, invoice=first["Id"])
    form = {"customer": who, "TxnDate": "2026-11-20", "TotalAmt": "120", "account": "4", "method": "2"}
    made = keeper.do("payments/new", "save", **form, **{f"apply_{first['Id']}": "100", f"apply_{second['Id']}": "0"})
    paid = books.get("payment", made)
    assert (paid["UnappliedAmt"], paid["PaymentMethodRef"]["value"]) == (20, "2")
    assert business.again(first)["Balance"] == 0
    moved = keeper.form(f"payments/{made}") | {f"apply_{first['Id']}": "", f"apply_{second['Id']}": "90"}
    assert keeper.post(f"payments/{made}", moved).status_code == 303
    assert (business.again(first)["Balance"], business.again(second)["Balance"]) == (100, 10)
    keeper.do(f"payments/{made}", "deposit")
    assert code(books.void("payment", books.get("payment", made))) == (400, "6540")
    refused = keeper.post(f"payments/{made}", {"action": "void"})
    assert refused.status_code == 400 and "remove it from the deposit" in refused.text
    keeper.do(f"payments/{made}", "take_back")
    keeper.do(f"payments/{made}", "void")
    assert business.again(second)["Balance"] == 100 and "Voided" in keeper.page("payments")
    assert keeper.do(f"payments/{made}", "delete") == "payments"
    other = business.pay(5)
    keeper.do(f"payments/{other['Id']}", "settle")
    assert code(books.void("payment", business.again(other))) == (400, "6450")


def test_settings(books, business, keeper):
    made = business.bill(TxnDate="2026-10-01")
    keeper.do("settings", "close", day="2026-10-31")
    assert code(books.change("invoice", made, TxnDate="2026-10-02")) == (400, "6210")
    assert "closed up to 2026-10-31" in keeper.page("invoices")
    keeper.do("settings", "close", day="")
    keeper.do("settings", "subscription")
    assert code(books.void("invoice", made)) == (400, "6190") and "has lapsed" in keeper.page("invoices")
    assert keeper.post("customers/new", {"action": "save", "DisplayName": "X"}).status_code == 400
    keeper.do("settings", "subscription")
    keeper.do("settings", "numbers", custom="1", warn="1")
    business.bill(DocNumber="A1")
    assert code(books.post("invoice", business.draft(DocNumber="A1"))) == (400, "6140")
    keeper.do("settings", "tax", mode="automated")
    assert business.bill(**tax_code("2"))["TxnTaxDetail"]["TxnTaxCodeRef"]["value"] == "4"
    business.pay(1, applied(made, 1))
    assert books.void("invoice", business.again(made)).status_code == 200  # "refuse" was not ticked
    for form in ({"action": "tax", "mode": "none of these"}, {"action": "close", "day": "soon"}, {}):
        assert keeper.post("settings", form).status_code == 400


def test_an_app_is_disconnected(books, keeper):
    grant = re.search(r'name="grant" value="(\d+)"', keeper.page("apps"))[1]
    keeper.post("apps", {"grant": grant})
    assert books.call("GET", "preferences").status_code == 401 and "No app has access" in keeper.page("apps")


@pytest.mark.parametrize(
    "path", ["nothing", "customers/999", "customers/1/2", "settings/1", "apps/1", "invoices/new/x", "payments/%00"]
)
def test_pages_that_are_not_there(books, path):
    response = books.session.get(f"{HOME}/{path}")
    assert response.status_code == 404 and 'role="alert"' in response.text
    assert books.session.get(f"{URL}/intuit/ui/77").status_code == 404


@pytest.mark.parametrize(
    "path", ["customers/new", "items/new", "vendors/new", "invoices/new", "payments/new", "settings"]
)
def test_empty_forms_are_refused(books, keeper, path):
    for form in ({}, {"action": "save"}, {"action": "nonsense", "customer": "x", "item": "y", "TotalAmt": "NaN"}):
        assert keeper.post(path, form).status_code == 400
