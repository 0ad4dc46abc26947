"""The verdict on the card, the page with all differences, and the nightly short form."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client as Browser
from django.utils import timezone
from django.utils.html import escape

from fieldcamp.workspace.models import Client, Member, Role, Workspace
from integrations.jobs import tasks
from integrations.models import BooksReading, Connection, Reconciliation
from integrations.reconciliation.verdict import verdict_words
from tests.integrations.languages import another_language, english_in  # noqa: F401  (a fixture)
from tests.integrations.reconciliation.planting import Planting


@pytest.fixture
def desk(make_member):
    """Somebody at the desk, in this role or at another company."""

    def sit(role: str = Role.ADMIN, **fields) -> Browser:
        user = User.objects.create_user(username=f"{'ω' * (len(fields) + 1)}-{Role(role).value}", is_staff=True)
        make_member(first_name="Bea", user=user, role=role, **fields)
        browser = Browser()
        browser.force_login(user)
        return browser

    return sit


@pytest.fixture
def planting(company, books, sync) -> Planting:
    """Agrees: an invoice of 100, of which 40 are paid."""
    planting = Planting(company, books)
    planting.fill(unpaid=0, paid=1)
    sync()
    return planting


def page_of(connection: Connection) -> str:
    return f"/admin/integrations/connections/{connection.pk}/reconciliation/"


@pytest.mark.slow
def test_the_card_says_whether_the_books_are_right(planting, desk):
    browser, company = desk(), planting.connection
    assert page_of(company) not in browser.get("/admin/").content.decode()
    company.refresh_from_db()
    assert tasks.reconcile(company.pk) is None
    verdict = Reconciliation.objects.get()
    moment = timezone.localtime(verdict.as_of, timezone.get_fixed_timezone(0))
    assert (verdict.by_reading, verdict.read_at) == (True, verdict.as_of)  # the first night they are read
    card = browser.get("/admin/").content.decode()
    assert "Agrees with QuickBooks as of " in card
    assert ": 1 invoice, $60.00 open" in card
    assert page_of(company) in card
    assert verdict_words(verdict, company).count(f":{moment:%M}") == 1
    planting.deleted_there(planting.paid[0][1])
    assert browser.post(page_of(company)).status_code == 302
    card = browser.get("/admin/").content.decode()
    assert "1 difference, $40.00, as of " in card
    assert (
        "1 difference, $40.00, as of "
        in browser.get(f"/admin/integrations/connection/{company.pk}/change/").content.decode()
    )


@pytest.mark.slow
def test_nights_cost_no_call_but_one_a_week(planting, intuit, sync):
    tasks.reconcile(planting.connection.pk)
    intuit.forget_requests()
    night = timezone.now() + dt.timedelta(days=1)
    planting.total_there(planting.paid[0][0], "150")
    intuit.forget_requests()
    with time_machine.travel(night, tick=False):
        tasks.reconcile(planting.connection.pk)
    assert intuit.requests("/v3/") == []
    verdict = Reconciliation.objects.get()
    synced = Connection.objects.get(pk=planting.connection.pk).last_synced_at
    assert (verdict.by_reading, verdict.differences, verdict.as_of) == (False, 0, synced)
    Reconciliation.objects.update(read_at=night - dt.timedelta(days=8))
    BooksReading.objects.all().delete()
    tasks.reconcile(planting.connection.pk)
    assert intuit.requests("/v3/") != []
    assert Reconciliation.objects.get().differences == 1


@pytest.mark.slow
def test_the_daily_work_leaves_each_company_to_a_task_of_its_own(planting, queue):
    BooksReading.objects.create(
        connection=planting.connection, began_at=timezone.now() - dt.timedelta(hours=2), finished_at=timezone.now()
    )
    tasks.daily()
    assert queue.queue_size() == 1
    assert not BooksReading.objects.exists()
    Connection.objects.update(state="disconnected")
    tasks.daily()
    assert queue.queue_size() == 1


@pytest.mark.slow
def test_books_that_do_not_answer_at_night_are_compared_as_they_were_seen(planting, intuit):
    intuit.fault("status", path="/query", status=503, times=50)
    tasks.reconcile(planting.connection.pk)
    assert Reconciliation.objects.get().by_reading is False


@pytest.mark.slow
def test_large_books_take_several_tasks(planting, queue, monkeypatch):
    monkeypatch.setattr("integrations.jobs.reconciling.read_books", lambda *_args, **_fields: 1 / 0)
    BooksReading.objects.create(
        connection=planting.connection, began_at=timezone.now(), claim="first",
        claimed_until=timezone.now() + dt.timedelta(minutes=1),
    )  # fmt: skip
    monkeypatch.setattr("integrations.reconciliation.verdict.NIGHT_SECONDS", -1)
    tasks.reconcile(planting.connection.pk)
    assert queue.queue_size() == 1
    tasks.reconcile(planting.connection.pk, 30)  # there is an end to it
    assert queue.queue_size() == 1
    assert not Reconciliation.objects.exists()


@pytest.mark.slow
def test_the_page_names_each_difference_and_its_way_out(planting, desk, intuit):
    browser, company = desk(), planting.connection
    invoice, payment = planting.paid[0]
    page = browser.get(page_of(company)).content.decode()
    assert "None. Every invoice and every payment is the same on both sides" in page
    assert "as the last sync has seen it" in page
    planting.total_there(invoice, "1108.25")
    planting.by_hand(planting.clients[0], "H-1", "55")
    intuit.forget_requests()
    assert browser.get(page_of(company)).status_code == 200
    assert intuit.requests("/v3/") == []  # to look costs nothing
    assert browser.post(page_of(company)).status_code == 302
    page = browser.get(page_of(company)).content.decode()
    there = planting.remote_id(invoice)
    for words in (f"Invoice {invoice.number}, Kim Reed 0", "1,108.25", "Changed there", "Invoice H-1", "Only there",
                  "−$1,063.25", f"/admin/workspace/invoice/{invoice.pk}/change/", f"invoice?txnId={there}", "Open here",
                  "2 differences, $1,063.25"):  # fmt: skip
        assert escape(words) in page, words
    table = browser.get(f"{page_of(company)[:-1]}.csv?first=2026-11-01")
    assert table["Content-Disposition"].startswith('attachment; filename="reconciliation-')
    assert b"".join(table.streaming_content).decode().count("\r\n") == 3
    assert payment.pk not in page


@pytest.mark.slow
def test_days_are_checked_and_kept(planting, desk):
    browser, at = desk(), page_of(planting.connection)
    page = browser.get(f"{at}?first=2026-12-01").content.decode()
    assert "There is nothing in these days." in page
    assert 'value="2026-12-01"' in page
    assert "Dated from 1 Dec 2026 on." in page
    for query in ("first=yesterday", "first=2026-12-02&last=2026-12-01", "first=2026-01-01&first=2026-01-02"):
        response = browser.get(f"{at}?{query}")
        assert response.status_code == 400, query
        assert 'role="alert"' in response.content.decode()
    assert browser.get(f"{at[:-1]}.csv?first=x").status_code == 404


@pytest.mark.slow
def test_who_may_look_and_who_may_ask(planting, desk, second_workspace):
    at = page_of(planting.connection)
    viewer = desk(Role.VIEWER)
    page = viewer.get(at)
    assert page.status_code == 200
    assert 'id="ask-now"' not in page.content.decode()
    assert viewer.post(at).status_code == 403
    assert desk(Role.STAFF).post(at).status_code == 302
    stranger = desk(workspace=second_workspace)
    for address in (at, f"{at}reading/", f"{at[:-1]}.csv"):
        assert stranger.get(address).status_code == 404
    assert stranger.post(at).status_code == 404
    Connection.objects.update(state="disconnected")
    assert viewer.get(at).status_code == 404


@pytest.mark.slow
def test_books_that_cannot_be_asked_and_such_as_take_long(planting, desk, intuit, queue, monkeypatch):
    browser, at = desk(), page_of(planting.connection)
    intuit.fault("status", path="/query", status=503, times=50)
    response = browser.post(at)
    assert response.status_code == 302
    assert [message.level_tag for message in get_messages(response.wsgi_request)] == ["warning"]
    intuit.heal()
    reading = BooksReading.objects.get()
    BooksReading.objects.filter(pk=reading.pk).update(
        claim="another", claimed_until=timezone.now() + dt.timedelta(minutes=1), records=12_000
    )
    monkeypatch.setattr("integrations.services.reconciliation.read_books.__kwdefaults__",
                        {"seconds": -1, "kept": dt.timedelta(minutes=5)})  # fmt: skip
    assert browser.post(at).status_code == 302
    assert queue.queue_size() == 1
    page = browser.get(at).content.decode()
    assert "is being read, 12,000 documents so far" in page
    assert 'hx-trigger="every 3s"' in page
    assert "12,000 documents so far" in browser.get(f"{at}reading/").content.decode()
    BooksReading.objects.update(claimed_until=None)
    tasks.read_books(planting.connection.pk)
    assert browser.get(f"{at}reading/")["HX-Refresh"] == "true"
    assert "is being read" not in browser.get(at).content.decode()


@pytest.mark.slow
def test_no_english_is_left_in_another_language(planting, desk, another_language):  # noqa: F811
    browser, at = desk(), page_of(planting.connection)
    planting.deleted_there(planting.paid[0][1])
    planting.total_there(planting.paid[0][0], "150")
    browser.post(at)
    Client.objects.update(first_name="Ω", last_name="")
    Workspace.objects.update(name="Ω")
    Member.objects.update(first_name="Ω")
    Connection.objects.update(account_name="Ω")
    for address in (at, "/admin/", f"{at}?first=x"):
        assert english_in(browser.get(address).content.decode()) - {"admin"} == set(), address


@pytest.mark.slow
def test_no_more_queries_for_more_documents(planting, desk, sync, django_assert_max_num_queries):
    browser, at = desk(), page_of(planting.connection)

    def asked(address: str) -> int:
        with django_assert_max_num_queries(60) as queries:
            browser.get(address)
        return len(queries)

    tasks.reconcile(planting.connection.pk)
    before = [asked(address) for address in (at, "/admin/")]
    planting.fill(unpaid=4, paid=4)
    sync()
    for number in range(3):
        planting.by_hand(planting.clients[0], f"H-{number}")
    browser.post(at)
    assert [asked(address) for address in (at, "/admin/")] <= [before[0] + 2, before[1]]
    assert Decimal(Reconciliation.objects.get().amount) == 165
