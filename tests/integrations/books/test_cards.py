"""The cards of the books' problems: both sides, the buttons, and what comes of them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils.html import escape

from fieldcamp.workspace.models import Role
from integrations.models import Link, Problem, SyncJob
from tests.integrations.books.pages import card, press
from tests.integrations.engine import finish


def open_one(code: str = "RECORD_REJECTED") -> Problem:
    return Problem.objects.get(code=code, resolved_at=None)


@pytest.mark.slow
def test_both_clients_side_by_side(company, books, sync, make_client, desk):
    customer = books.add("Customer", DisplayName="Kim Reed", PrimaryPhone={"FreeFormNumber": "555 0101"},
                         BillAddr={"Line1": "1 Elm St", "City": "Troy"})  # fmt: skip
    client = make_client(first_name="Kim", last_name="Reed", email="kim@example.test")
    sync()
    problem, browser = open_one(), desk()
    page = card(browser, problem)
    for words in ("Is it the same?", "kim@example.test", "555 0101", "1 Elm St, Troy", "Same as “Kim Reed”",
                  "Make a new customer, “Kim Reed (C)”"):  # fmt: skip
        assert escape(words) in page, words
    assert "candidates" not in page
    assert "Try again" not in page
    assert "Solved" in press(browser, problem, "match", choice=customer["Id"])
    assert Link.objects.get(record_id=client.pk).remote_id == customer["Id"]


@pytest.mark.slow
def test_a_name_that_is_taken_by_somebody_else_there(company, books, sync, make_client, desk):
    taken = make_client(first_name="Kim", last_name="Reed", email="one@example.test")
    sync()
    other = make_client(first_name="Kim", last_name="Reed", email="other@example.test")
    sync()
    problem, browser = open_one(), desk()
    page = card(browser, problem)
    assert problem.record_id == other.pk
    assert escape("“Kim Reed” belongs to Kim Reed already.") in page
    assert "Same as" not in page
    assert "Make a new customer, “Kim Reed (C)”" in page
    assert "What the provider said" in page
    assert "Solved" in press(browser, problem, "match", choice="new", name="Kim Reed (C)")
    assert books.one("Customer", DisplayName="Kim Reed (C)")["PrimaryEmailAddr"]["Address"] == "other@example.test"
    assert Link.objects.get(record_id=taken.pk).remote_id != Link.objects.get(record_id=other.pk).remote_id


@pytest.mark.slow
def test_what_was_removed_there(company, books, sync, make_client, make_item, make_invoice, desk):
    invoice = make_invoice(make_client(), [(make_item(), 1, "100")])
    sync()
    books.delete("Invoice", books.one("Invoice", DocNumber=invoice.number)["Id"])
    sync()
    problem = open_one("RECORD_REMOVED")
    staff = desk(Role.STAFF)
    assert "Void it here too" not in card(staff, problem)
    assert staff.post(f"/admin/integrations/problems/{problem.pk}/void/").status_code == 403
    assert f"post_again-{problem.pk}" not in card(desk(Role.VIEWER), problem)
    browser = desk()
    page = card(browser, problem)
    for words in ("Post it again", "Void it here too", "Ignore until it changes"):
        assert words in page
    assert "void in FieldCamp as well" in press(browser, problem, "void")
    invoice.refresh_from_db()
    assert invoice.voided_at


@pytest.mark.slow
def test_what_cannot_be_voided_is_told(company, books, sync, make_client, make_item, make_invoice, pay, desk):
    invoice = make_invoice(make_client(), [(make_item(), 1, "100")])
    sync()
    books.delete("Invoice", books.one("Invoice", DocNumber=invoice.number)["Id"])
    sync()
    pay(invoice, "40")
    browser, problem = desk(), open_one("RECORD_REMOVED")
    assert "Payments are recorded" in press(browser, problem, "void")
    assert "Post it again" in card(browser, problem)


@pytest.mark.slow
def test_amounts_that_differ(company, books, sync, make_client, make_item, make_invoice, desk):
    invoice = make_invoice(make_client(), [(make_item(), 1, "100")])
    sync()
    link = Link.objects.get(record_id=invoice.pk)
    Problem.objects.create(
        workspace=invoice.workspace, integration="quickbooks", connection=company, link=link, code="AMOUNT_VARIANCE",
        record_kind="invoice", record_id=invoice.pk, message="The amounts differ.", occurred_at=link.updated_at,
        data={"reason": "variance", "local": {"tax_total": "8.00", "total": "108.00", "balance": "108.00"},
              "remote": {"tax_total": "8.25", "total": "108.25", "balance": ""}},
    )  # fmt: skip
    page = card(desk(), open_one("AMOUNT_VARIANCE"))
    for words in ("Lines less discount", "+$0.25", "only the tax differs", "Try again", "Ignore until it changes"):
        assert words in page, words
    assert page.count("$100.00") >= 2
    assert "tax_total" not in page


@pytest.mark.slow
def test_the_mapping_page_maps_what_an_invoice_waits_for(company, books, sync, make_client, make_item, make_tax,
                                                         make_invoice, desk):  # fmt: skip
    tax = make_tax("California state", "0.08")
    invoice = make_invoice(make_client(), [(make_item(), 1, "100")], tax_rate_id=tax.pk)
    sync()
    browser, problem = desk(), open_one()
    place = f"/admin/integrations/connections/{company.pk}/mapping/"
    assert place in card(browser, problem)
    page = browser.get(place).content.decode()
    assert "1 invoice waits for this" in " ".join(page.split())
    assert page.index("California (8 %)</option>") < page.index('label="Other rates"')
    assert browser.post(place, {"part": "taxes", f"tax-{tax.pk}": "0"}).status_code == 400
    assert browser.post(place, {"part": "taxes", "tax-nobody": "2"}).status_code == 400
    assert browser.post(place, {"part": "nothing"}).status_code == 400
    assert browser.post(place, {"part": "taxes", f"tax-{tax.pk}": "2"}).status_code == 302
    assert finish(SyncJob.objects.get(status="queued")).failed == 0
    assert books.one("Invoice", DocNumber=invoice.number)
    assert desk(Role.VIEWER).get(place).status_code == 403


@pytest.mark.slow
def test_items_are_mapped_by_their_names(company, books, make_item, desk):
    labor = books.add("Item", Name="Labor", Type="Service", IncomeAccountRef={"value": "1"})
    item = make_item(name="Hour of work")
    place = f"/admin/integrations/connections/{company.pk}/mapping/"
    browser = desk()
    assert "Hour of work" in browser.get(place).content.decode()
    response = browser.post(place, {"part": "items", f"item-{item.pk}": "Nothing like it"})
    assert response.status_code == 400
    assert 'value="Nothing like it"' in response.content.decode()
    assert browser.post(place, {"part": "items", f"item-{item.pk}": "labor"}).status_code == 302
    assert Link.objects.get(record_id=item.pk).remote_id == labor["Id"]
    assert f'id="item-{item.pk}"' not in browser.get(place).content.decode()
    assert 'value="Labor"' in browser.get(f"{place}?q=hour").content.decode()


@pytest.mark.slow
def test_the_pages_of_a_company_and_of_its_job(company, books, sync, make_client, make_item, make_invoice, pay, desk):
    books.add("Customer", DisplayName="Only There")
    client = make_client(first_name="Kim", last_name="Reed")
    invoice = make_invoice(client, [(make_item(), 1, "100")])
    pay(invoice, "40")
    job = sync()
    browser = desk()
    page = browser.get(f"/admin/integrations/connection/{company.pk}/change/").content.decode()
    assert "9130001" not in page
    for words in ("…01", "Sales tax", "Clients", "Payments", "Taxes and items", "Only in QuickBooks", "The books win",
                  "Consent ends"):  # fmt: skip
        assert words in page, words
    assert "Calendars" not in page
    page = browser.get(f"/admin/integrations/syncjob/{job.pk}/change/").content.decode()
    for words in ("Kim Reed", f"Invoice {invoice.number}", "Created in QuickBooks", "Invoices", "Only There"):
        assert words in page, words
    assert "Event created" not in page
    story = page[page.index('id="story-title"') : page.index('id="groups-title"')]
    for words in ("read all of QuickBooks: ", " calls)", "compared ", "sent "):  # as the run has written it down
        assert words in story, words
    assert page.index("1 client created") < page.index("1 item created") < page.index("1 payment created")
    card = browser.get("/admin/").content.decode()
    assert "company no. …01" in card
    assert "connect-quickbooks" not in card
    refresh = f"/admin/integrations/connections/{company.pk}/refresh/"
    assert browser.get(refresh).status_code == 405
    lapse = {"vendor": "intuit", "account": "9130001", "subscription": "EXPIRED"}
    books.vendors.call("POST", "switches", json=lapse)
    assert browser.post(refresh).status_code == 302
    assert "its subscription has ended" in browser.get("/admin/").content.decode()
    assert desk(Role.STAFF).post(refresh).status_code == 403


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "place"), [("client", "customers"), ("invoice", "invoices")])
def test_a_record_leads_to_its_twin(kind, place, company, books, sync, make_client, make_item, make_invoice, desk,
                                    settings):  # fmt: skip
    client = make_client(first_name="Kim", last_name="Reed")
    record = {"client": client, "invoice": make_invoice(client, [(make_item(), 1, "100")])}[kind]
    sync()
    there = Link.objects.get(record_id=record.pk).remote_id
    browser, page = desk(), f"/admin/workspace/{kind}/{record.pk}/change/"
    real = {"client": "customerdetail?nameId=", "invoice": "invoice?txnId="}[kind]
    assert f'href="https://app.qbo.intuit.com/app/{real}{there}"' in browser.get(page).content.decode()
    settings.SANDBOX_URL = settings.QUICKBOOKS_API_URL.removesuffix("/intuit/api")
    assert f"/intuit/ui/9130001/{place}/{there}" in browser.get(page).content.decode()


@pytest.mark.slow
def test_who_may_connect_books(workspace, desk, make_member):
    user = User.objects.create_user(username="tech", is_staff=True)
    make_member(first_name="Tech", user=user, role=Role.STAFF, is_technician=True)
    technician = Browser(headers={"host": "127.0.0.1:8000"})
    technician.force_login(user)
    assert technician.get("/admin/integrations/connect/quickbooks/").status_code == 403
    assert technician.get("/admin/integrations/connect/google-calendar/").status_code == 200
    assert "connect-quickbooks" not in technician.get("/admin/").content.decode()
    assert desk().get("/admin/integrations/connect/quickbooks/").status_code == 200


@pytest.mark.slow
def test_connect_is_there_until_it_is_connected_and_disconnect_from_then_on(company, books, desk):
    """As the vendor's reviewers look at it: on the first page, the account's page and the list."""
    connect, disconnect = 'id="connect-quickbooks"', f"/admin/integrations/connections/{company.pk}/disconnect/"
    account = f"/admin/integrations/connection/{company.pk}/change/"
    browser = desk()

    def seen() -> dict[str, tuple[bool, bool]]:
        pages = {
            path: browser.get(path).content.decode() for path in ("/admin/", account, "/admin/integrations/connection/")
        }
        return {path: (connect in page, disconnect in page) for path, page in pages.items()}

    assert list(seen().values()) == [(False, True), (False, True), (False, False)]
    assert browser.get("/admin/integrations/connect/quickbooks/").status_code == 409
    assert browser.post(disconnect).status_code == 302
    assert list(seen().values()) == [(True, False), (False, False), (False, False)]
    assert browser.get("/admin/integrations/connect/quickbooks/").status_code == 200
