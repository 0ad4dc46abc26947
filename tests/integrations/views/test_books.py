"""From the consent for a company to its first sync, in the browser."""

import datetime as dt
from dataclasses import replace

import pytest
from django.utils.html import escape

from integrations.models import BooksSettings, Connection, ConnectionState, Link, SyncJob
from integrations.providers.quickbooks.api import QuickBooksClient
from tests.integrations.connecting import QUICKBOOKS, SERVICES
from tests.sandboxed import COMPANY


@pytest.fixture
def vendor() -> str:
    return "intuit"


@pytest.fixture
def provider():
    return QUICKBOOKS


@pytest.fixture(autouse=True)
def unhurried(vendors) -> None:
    """Pages follow each other faster here than people read them."""
    vendors.throttle(False)


def only() -> Connection:
    return Connection.objects.get()


@pytest.mark.slow
def test_from_consent_to_the_first_sync(desk, vendors):
    setup = desk.consent()["Location"]
    connection = only()
    assert (connection.account_id, connection.state) == (COMPANY, ConnectionState.SETUP)
    assert setup == f"/admin/integrations/connections/{connection.pk}/setup/"
    page = desk.get(setup).content.decode()
    for words in (connection.account_name, "USD", "Nothing is synced before you save"):
        assert escape(words) in page
    assert f'<option value="{SERVICES}" selected>Services</option>' in page
    assert not connection.streams.exists()
    response = desk.post(
        setup,
        {"income_account": SERVICES, "import_customers": "1", "direction": "two_way", "policy_lists": "local",
         "policy_documents": "ask", "invoices_from": "2026-10-01"},
    )  # fmt: skip
    assert response["Location"] == setup.replace("setup", "preview")
    settings = BooksSettings.objects.get()
    assert (settings.import_customers, settings.import_items) == (True, False)
    assert settings.invoices_from == dt.date(2026, 10, 1)
    page = desk.get(response["Location"]).content.decode()
    assert "Nothing has been written yet" in page
    assert "Start first sync" in page
    assert not Link.objects.exists()
    desk.post(f"/admin/integrations/connections/{connection.pk}/sync/", {"mode": "incremental"})
    assert SyncJob.objects.get().connection == connection
    page = desk.get(setup).content.decode()
    assert 'value="2026-10-01"' in page


@pytest.mark.slow
@pytest.mark.parametrize(
    ("posted", "words"),
    [
        ({"income_account": ""}, "Choose an income account"),
        ({"invoices_from": "soon"}, "Give a day like"),
        ({"default_item": "0"}, "that is active, or none"),
        ({"direction": "\x00"}, "Choose one of the directions"),
    ],
)
def test_what_is_wrong_is_said_and_the_choices_kept(desk, posted, words):
    setup = desk.consent()["Location"]
    values = {"income_account": SERVICES, "direction": "push", "policy_lists": "remote", "policy_documents": "ask"}
    response = desk.post(setup, values | posted)
    assert response.status_code == 400
    page = response.content.decode()
    assert words in page
    assert '<option value="remote" selected>' in page
    assert not only().streams.exists()


def test_when_the_books_do_not_answer(desk, vendors):
    setup = desk.consent()["Location"]
    vendors.fault("status", status=503, times=99)
    response = desk.get(setup)
    assert response.status_code == 503
    assert "Try again" in response.content.decode()


def test_a_page_that_is_asked_for_too_soon_asks_again_by_itself(desk, vendors):
    setup = desk.consent()["Location"]
    vendors.fault("status", status=429, times=9)
    response = desk.get(setup)
    assert (response.status_code, response["Retry-After"]) == (503, "3")
    assert '<meta http-equiv="refresh" content="3">' in response.content.decode()


def test_another_company_takes_its_own_place(desk, vendors):
    desk.consent()
    first = only()
    page = desk.consent("9130002", connection=first.pk).content.decode()
    assert "You chose another account" in page
    assert "is then disconnected and keeps its history" in page
    assert only().state == ConnectionState.SETUP
    desk.consent("9130002", connection=first.pk, switch="1")
    first.refresh_from_db()
    assert first.state == ConnectionState.DISCONNECTED
    other = Connection.objects.exclude(pk=first.pk).get()
    assert (other.account_id, other.state) == ("9130002", ConnectionState.SETUP)
    assert first.account_id == COMPANY


def test_a_lapsed_subscription_and_several_currencies_are_said(desk, monkeypatch):
    setup = desk.consent()["Location"]
    company = QuickBooksClient.company

    def lapsed(self):
        return replace(company(self), subscription_active=False, multi_currency=True, closed_until="2026-06-30")

    monkeypatch.setattr(QuickBooksClient, "company", lapsed)
    page = desk.get(setup).content.decode()
    assert "subscription of this company has ended" in page
    assert "several currencies" in page
    assert "until 30 Jun 2026" in page


CHOICES = {"income_account": SERVICES, "direction": "two_way", "policy_lists": "local", "policy_documents": "ask"}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["get", "post"])
def test_a_second_company_is_refused_before_the_vendor_is_asked(how, desk, vendors):
    setup = desk.consent()["Location"]
    desk.post(setup, CHOICES)
    vendors.forget_requests()
    answer = getattr(desk, how)("/admin/integrations/connect/quickbooks/")
    assert answer.status_code == 409
    assert f"Your books are kept in {escape(only().account_name)}" in answer.content.decode()
    assert (Connection.objects.count(), vendors.requests()) == (1, [])
    renewed = desk.get(f"/admin/integrations/connect/quickbooks/?connection={only().pk}")
    assert renewed.status_code == 200


@pytest.mark.slow
def test_books_that_another_company_writes_into_are_not_taken_without_a_yes(desk, second_workspace):
    setup = desk.consent()["Location"]
    mine = only()
    theirs = Connection.objects.create(
        workspace=second_workspace, integration="quickbooks", account_id=COMPANY, account_name="Them",
        state=ConnectionState.ACTIVE,
    )  # fmt: skip
    theirs.streams.create(kind="customer", container_id="Customer")
    page = desk.get(setup).content.decode()
    assert "Another company of FieldCamp is connected with these books" in page
    assert str(second_workspace) not in page and "Them" not in page
    refused = desk.post(setup, CHOICES)
    assert refused.status_code == 400 and "are to be written by both" in refused.content.decode()
    assert not mine.streams.exists()
    assert desk.post(setup, CHOICES | {"shared": "1"}).status_code == 302
    mine.refresh_from_db()
    assert mine.state == ConnectionState.ACTIVE
    assert "Another company of FieldCamp" not in desk.get(setup).content.decode()
