"""Records of the books in the situations that they may be in, planted side by side in one company: each has the right
reason, and what the next step says brings it into step."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from fieldcamp.workspace import catalog, invoicing, services
from fieldcamp.workspace.merging import merge_clients
from integrations.accounts.disconnecting import disconnect
from integrations.accounts.metering import spent
from integrations.models import Connection, Stream, WorkspaceIntegration
from integrations.providers import PROVIDERS
from integrations.services.connections import take_grant
from integrations.services.sync_state.reasons import Explanation
from integrations.services.sync_state.states import sync_state
from integrations.transport.client import HttpClient, OneToken
from tests.integrations.books.conftest import TODAY
from tests.sandboxed import COMPANY

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
OPENED = dt.date(2026, 6, 1)
EARLIER = dt.date(2026, 5, 31)


def told(record: Any) -> Explanation:
    [row] = sync_state(record)
    return row.explanation


def assert_told(name: str, record: Any, state: str, reason: str = "", sentence: str = "", step: str = "") -> None:
    found = told(record)
    assert (name, found.state, found.reason) == (name, state, reason), found
    assert sentence in found.sentence and step in found.next_step, (name, found)


def test_each_record_has_its_reason_and_its_way_out(
    workspace, books, connect_books, sync, make_client, make_item, make_tax, make_invoice, pay
):
    inactive, drain = make_item(name="Old pump", is_active=False), make_item(name="Drain")
    here = {"workspace": workspace}
    for record in (drain, make_tax()):
        assert_told("no books", record, "not_connected", "never_connected", "No QuickBooks", "Connect one at http")

    account = next(row for row in books.all("Account") if row["AccountType"] == "Income")
    item = books.add("Item", Name="Services", Type="Service", IncomeAccountRef={"value": account["Id"]})
    company = connect_books(default_item_id=item["Id"], invoices_from=OPENED)
    assert_told("at first", drain, "pending", "first_sync", "is not in QuickBooks yet. The first sync", "Start a sync")
    assert_told("not even then", inactive, "excluded", "inactive", "nothing inactive is made", "Make it active")

    ada, bob, gone, twin = (make_client(first_name=name) for name in ("Ada", "Bob", "Gone", "Twin"))
    kim = make_client(first_name="Kim", last_name="Reed")
    books.add("Vendor", DisplayName="Kim Reed")
    line = [(drain, 1, "100")]
    posted, lost, of_kim = make_invoice(ada, line), make_invoice(bob, line), make_invoice(kim, line)
    early = make_invoice(ada, line, date=EARLIER)
    paid, of_early = pay(posted, "40"), pay(early, "30")
    void = make_invoice(ada, line)
    invoicing.void_invoice(**here, invoice_id=void.pk)
    draft = invoicing.create_invoice(**here, client_id=ada.pk, date=TODAY, lines=[
        {"item_id": drain.pk, "description": "Work", "quantity": 1, "unit_price": 10}])  # fmt: skip
    tax = make_tax()
    sync()
    services.delete_client(**here, client_id=gone.pk)
    merge_clients(**here, client_id=twin.pk, into_id=bob.pk)
    books.delete("Invoice", lost_id(lost))
    sync()
    eve = make_client(first_name="Eve")
    of_eve = make_invoice(eve, line)
    services.update_client(**here, client_id=ada.pk, changes={"email": "ada@example.test"})

    for record in (early, of_early, twin, gone):
        record.refresh_from_db()
    assert_told("posted", posted, "synced")
    assert_told("paid", paid, "synced")
    assert_told("edited", ada, "pending", "waits_for_sync", "last change of the client, saved less", "two minutes")
    assert_told("draft", draft, "excluded", "draft", "only invoices that were sent are posted", "Send the invoice")
    assert_told("void", void, "excluded", "void", "what is void is not posted", "Nothing to do")
    assert_told("early", early, "excluded", "before_opening_date", "is dated 31 May 2026; invoices and payments are "
                "posted from 1 June 2026 on.", "Choose an earlier day")  # fmt: skip
    assert_told("of early", of_early, "excluded", "before_opening_date", f"Pays invoice {early.number}", "earlier day")
    assert_told("deleted", gone, "excluded", "deleted", "Its customer in QuickBooks stays as it is.", "Nothing to do")
    assert_told("merged", twin, "excluded", "merged_into", f"merged into {bob.pk}", f"Ask about {bob.pk}")
    assert_told("tax", tax, "excluded", "only_read", "none is ever made there", "which tax code it is")
    assert_told("kim", kim, "problem", "name_taken_by_vendor", "Kim Reed", "Change the name here")
    assert_told("of kim", of_kim, "problem", "waiting", "Solve what is open about that first", "Change the name here")
    assert set(told(kim).problem_ids) < set(told(of_kim).problem_ids)
    assert told(of_kim).awaited == ("customer", kim.pk)
    assert_told("lost", lost, "problem", "record_removed", "It was deleted in QuickBooks", "Make it again if")
    assert_told("of eve", of_eve, "pending", "waits_for_record", "Waits for its client Eve to be in QuickBooks. The "
                "client is not in QuickBooks yet", "two minutes")  # fmt: skip
    assert told(of_eve).awaited == ("customer", eve.pk)
    WorkspaceIntegration.objects.update(interval_minutes=0, sync_on_save=False)
    for name, record in (("eve by hand", eve), ("of eve by hand", of_eve)):
        reason = "by_hand_only" if record is eve else "waits_for_record"
        assert_told(name, record, "held", reason, "Nothing is synced by schedule here.", "Start a sync.")
    WorkspaceIntegration.objects.update(interval_minutes=30, sync_on_save=True)

    use_up(company)
    assert_told("reads", ada, "pending", "reads_used_up", "reads a day that QuickBooks may bill", "It goes on then")
    Connection.objects.update(retry_at=None, metered_reads_per_day=None)
    invoicing.send_invoice(**here, invoice_id=draft.pk)
    services.update_client(**here, client_id=kim.pk, changes={"last_name": "Reed-Lee"})
    assert_told("kim edited", kim, "pending", "edited_since", "It was changed since", "looks at it again")
    catalog.update_item(**here, item_id=inactive.pk, changes={"is_active": True})
    sync()
    sync()
    for name, record in {"ada": ada, "draft": draft, "kim": kim, "of kim": of_kim, "eve": of_eve,
                         "inactive": inactive}.items():  # fmt: skip
        assert_told(name, record, "synced")
    assert_told("bob", bob, "problem", "merged_here", "One client here has several customers")
    [row] = sync_state(posted)
    assert row.remote_url and posted_id(row.remote_id) and row.place == "invoices"

    disconnect(connection=company, user=None)
    assert_told("disconnected", ada, "not_connected", "disconnected", "what stands there stays", "Connect it again at")
    assert_told("disconnected", void, "excluded", "void")


def test_what_is_left_out_is_told_of_what_needs_it_too(
    workspace, books, connect_books, sync, make_client, make_item, make_invoice
):
    here, drain, ada = {"workspace": workspace}, make_item(name="Drain"), make_client(first_name="Ada")
    account = next(row for row in books.all("Account") if row["AccountType"] == "Income")
    item = books.add("Item", Name="Services", Type="Service", IncomeAccountRef={"value": account["Id"]})
    connect_books(default_item_id=item["Id"])
    lost = make_invoice(ada, [(drain, 1, "100")])
    sync()
    books.delete("Invoice", lost_id(lost))
    nia = make_client(first_name="Nia")
    of_nia = make_invoice(nia, [(drain, 1, "100")])
    services.delete_client(**here, client_id=nia.pk)
    sync()
    invoicing.void_invoice(**here, invoice_id=lost.pk)
    lost.refresh_from_db()
    assert_told("lost, void", lost, "excluded", "void", "was voided, and what is void is not posted", "Nothing to do")
    assert_told("of deleted", of_nia, "problem", "waiting", "restore it", "Decide about the record that is named above")

    Stream.objects.filter(kind="customer").update(is_active=False)
    services.update_client(**here, client_id=ada.pk, changes={"email": "ada@example.test"})
    sync("full")
    assert_told("switched off", ada, "excluded", "kind_not_synced", "No clients are synced", "Choose that they are")
    kim = make_client(first_name="Kim")
    of_kim = make_invoice(kim, [(drain, 1, "100")])
    assert_told("of kim", of_kim, "problem", "waits_for_record", "No clients are synced", "Choose that they are")
    Stream.objects.filter(kind="customer").update(is_active=True)
    sync("full")
    sync("full")
    for record in (ada, kim, of_kim):
        assert_told("on again", record, "synced")


def lost_id(invoice: Any) -> str:
    [row] = sync_state(invoice)
    assert row.explanation.state == "synced" and row.remote_id
    return row.remote_id


def posted_id(remote_id: str | None) -> bool:
    return bool(remote_id) and remote_id.isdigit()  # type: ignore[union-attr]


def use_up(company: Connection) -> None:
    """The day's reads are spent, as a run finds them."""
    Connection.objects.update(metered_reads_per_day=100)
    error = spent(company.pk, PROVIDERS["quickbooks"], timezone.now())
    Connection.objects.update(retry_at=error.retry_at)


def test_books_that_are_not_set_up_yet(workspace, intuit, make_client):
    provider = PROVIDERS["quickbooks"]
    tokens = provider.parse_tokens(intuit.token(COMPANY), timezone.now())
    account = provider.identify(HttpClient(provider, OneToken(tokens.access_token)), {"realmId": COMPANY})
    take_grant(workspace=workspace, integration="quickbooks", account=account, tokens=tokens, user=None)
    step = "Finish its set-up at http"
    assert_told("setup", make_client(), "not_connected", "setup_unfinished", "not been chosen yet", step)
