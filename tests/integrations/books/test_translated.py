"""No English is left on the books' pages and cards in another language, but what the books themselves have."""

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from fieldcamp.workspace.models import Role, Workspace
from integrations.models import BooksSettings, Connection, Problem
from integrations.services.books.setup import open_books
from tests.integrations.languages import WORD, another_language, english_in  # noqa: F401  (a fixture)

OMEGA = "Ωμέγα"


@pytest.fixture
def browser(make_member, workspace) -> Browser:
    user = User.objects.create_user(username="ω", is_staff=True)
    make_member(first_name=OMEGA, user=user, role=Role.ADMIN)
    Workspace.objects.update(name=OMEGA)
    browser = Browser()
    browser.force_login(user)
    return browser


def data_of(company: Connection) -> set[str]:
    """Words that are names in the books."""
    books = open_books(company)
    known = [
        reference for kind in ("income_account", "item", "tax_code", "terms") for reference in books.references(kind)
    ]
    texts = [books.company().name, company.account_name, *(f"{one.name} {one.detail}" for one in known)]
    return {word for text in texts for word in WORD.findall(text)} | {"USD"}


@pytest.mark.slow
def test_the_pages_of_a_company(company, books, browser, make_client, make_item, make_tax, make_invoice,
                                another_language):  # noqa: F811  # fmt: skip
    tax = make_tax(OMEGA, "0.08")
    item = make_item(name=OMEGA, description="")
    make_invoice(make_client(first_name=OMEGA), [(item, 1, "100")], tax_rate_id=tax.pk)
    facts = {"multi_currency": True, "subscription_active": False, "closed_until": "2099-01-31"}
    settings = BooksSettings.objects.get()
    settings.company |= facts
    settings.save()
    at = f"/admin/integrations/connections/{company.pk}"
    known = data_of(company)
    for page in (f"{at}/setup/", f"{at}/preview/", f"{at}/mapping/", f"{at}/mapping/?q=ω", f"{at}/disconnect/",
                 f"/admin/integrations/connection/{company.pk}/change/", "/admin/"):  # fmt: skip
        assert english_in(browser.get(page).content.decode()) - known == set(), page
    for page, posted in (("setup", {"invoices_from": "ω", "import_items": "ω"}), ("mapping", {"part": "ω"}),
                         ("mapping", {"part": "taxes", f"tax-{tax.pk}": "ω"}),
                         ("mapping", {"part": "items", f"item-{item.pk}": "ω"}),
                         ("mapping", {"part": "defaults", "income_account": "ω", "default_item": "ω"})):  # fmt: skip
        answer = browser.post(f"{at}/{page}/", posted)
        assert answer.status_code == 400
        assert english_in(answer.content.decode()) - known == set(), posted


@pytest.mark.slow
def test_the_cards_of_a_companys_problems(company, books, sync, browser, make_client, make_item, make_invoice,
                                          another_language):  # noqa: F811  # fmt: skip
    books.add("Customer", DisplayName="Ωμέγα Ωμέγα", PrimaryPhone={"FreeFormNumber": "555 0101"})
    client = make_client(first_name=OMEGA, last_name=OMEGA)
    invoice = make_invoice(make_client(first_name="Ψ"), [(make_item(name=OMEGA), 1, "100")])
    sync()
    amounts = {"local": {"total": "108.00", "tax_total": "8.00"}, "remote": {"total": "109.00", "tax_total": "9.00"}}
    sides = {"local": {"active": True, "phone": "1"}, "remote": {"active": False, "phone": "2"}, "fields": "phone"}
    common = {"workspace": company.workspace, "integration": company.integration, "connection": company,
              "occurred_at": timezone.now(), "message": OMEGA}  # fmt: skip
    for code, kind, record, data in (
        ("AMOUNT_VARIANCE", "invoice", invoice, amounts),
        ("RECORD_REMOVED", "invoice", invoice, {}),
        ("CONFLICT", "customer", client, sides),
    ):
        Problem.objects.create(**common, code=code, record_kind=kind, record_id=record.pk, data=data)
    Problem.objects.update(message=OMEGA, detail="")
    Connection.objects.update(account_name=OMEGA)
    assert Problem.objects.count() >= 4
    for problem in Problem.objects.all():
        page = browser.get(f"/admin/integrations/problem/{problem.pk}/change/")
        assert page.status_code == 200
        assert english_in(page.content.decode()) == set(), problem.code
    known = data_of(company) | {"Work"}
    for page in ("/admin/", "/admin/integrations/conflicts/", f"/admin/workspace/invoice/{invoice.pk}/change/"):
        assert english_in(browser.get(page).content.decode()) - known == set(), page
