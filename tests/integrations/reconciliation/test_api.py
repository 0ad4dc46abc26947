"""`GET /api/v1/integrations/quickbooks/reconciliation`: its shape, its table, and what it answers when it cannot."""

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.utils import timezone

from integrations.models import BooksReading, BooksSettings, Connection, Reconciliation
from tests.conftest import api_client
from tests.integrations.reconciliation.planting import Planting

AT = "/api/v1/integrations/quickbooks/reconciliation"


@pytest.fixture
def planting(company, books, sync) -> Planting:
    """Two invoices and a payment; one invoice was changed there, and the payment deleted."""
    planting = Planting(company, books)
    client = planting.add_client("=Reed")
    invoice, other = planting.add_invoice(client), planting.add_invoice(client, "50", date=dt.date(2026, 10, 5))
    payment = planting.pay(other, "20")
    planting.invoices = [invoice, other]
    sync()
    planting.total_there(invoice, "108.25")
    planting.deleted_there(payment)
    return planting


@pytest.mark.slow
def test_both_sides_and_what_explains_them(planting, api):
    invoice, other = planting.invoices
    response = api.get(AT)
    assert response.status_code == 200
    body = response.json()
    assert list(body)[:4] == ["integration", "as_of", "from", "to"]
    assert (body["from"], body["to"], body["agrees"], body["invoices"]) == (None, None, False, 2)
    october, november = body["months"]
    nothing = {"here": {"count": 0, "total": 0}, "there": {"count": 0, "total": 0}}
    assert october == {
        "month": "2026-10",
        "invoices": {"here": {"count": 1, "total": 50}, "there": {"count": 1, "total": 50}},
        "payments": nothing,
        "apart": {"invoices": nothing, "payments": nothing},
    }
    assert november["invoices"]["there"] == {"count": 1, "total": 108.25}
    assert november["payments"] == {"here": {"count": 1, "total": 20}, "there": {"count": 0, "total": 0}}
    [customer] = body["customers"]
    ids = {"client_id": invoice.client_id, "quickbooks_id": planting.remote_id(invoice.client)}
    owes = {"open_here": 130, "open_there": 158.25, "difference": -28.25, "credits_there": 0, "entries_there": 0,
            "balance_there": 158.25}  # fmt: skip
    assert customer == {**ids, "name": "Kim =Reed", **owes}
    sums = [body[name] for name in ("open_here", "open_there", "credits_there", "balance_there", "credits")]
    assert sums == [130, 158.25, 0, 158.25, []]
    by_cause = {row["cause"]: row for row in body["differences"]}
    assert set(by_cause) == {"changed_there", "removed_there"}
    changed, removed = by_cause["changed_there"], by_cause["removed_there"]
    assert (changed["kind"], changed["record_id"], changed["quickbooks_id"]) == (
        "invoice", invoice.pk, planting.remote_id(invoice),
    )  # fmt: skip
    assert (changed["number"], changed["here"], changed["there"], changed["fields"]) == (
        invoice.number, 100, 108.25, ["total"],
    )  # fmt: skip
    assert changed["next_action_url"].endswith(f"/admin/workspace/invoice/{invoice.pk}/change/")
    assert "QuickBooks" in changed["message"]
    assert (removed["here"], removed["there"], removed["date_there"]) == (20, None, None)
    assert removed["open"] == [{**ids, "here": -20, "there": 0}]
    owed = sum(Decimal(str(part["here"])) - Decimal(str(part["there"])) for row in body["differences"]
               for part in row["open"])  # fmt: skip
    assert owed == Decimal(str(customer["difference"]))
    assert body["states"]["invoices"] == {
        "linked": 2,
        "cut": 0,
        "waiting": 0,
        "refused": 0,
        "not_linked": 0,
        "apart": 0,
    }


@pytest.mark.slow
def test_days_narrow_it_and_the_chosen_first_day_is_the_default(planting, api):
    assert [row["month"] for row in api.get(AT, {"to": "2026-10-31"}).json()["months"]] == ["2026-10"]
    # The payment is of November, and settles an invoice of these days.
    assert [row["cause"] for row in api.get(AT, {"to": "2026-10-31"}).json()["differences"]] == ["removed_there"]
    BooksSettings.objects.update(invoices_from=dt.date(2026, 11, 1))
    body = api.get(AT).json()
    assert (body["from"], [row["month"] for row in body["months"]]) == ("2026-11-01", ["2026-11"])
    body = api.get(AT, {"from": "2026-10-01"}).json()
    assert (body["from"], body["invoices"]) == ("2026-10-01", 2)


@pytest.mark.slow
def test_the_table_is_safe_for_spreadsheets(planting, api):
    planting.invoices[0].client.__class__.objects.filter(pk=planting.clients[0].pk).update(
        first_name="", last_name="=1+1"
    )
    response = api.get(AT, {"format": "csv"}, HTTP_ACCEPT="text/csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in response["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert len(rows) == 2
    changed = next(row for row in rows if row["cause"] == "changed_there")
    assert (changed["name"], changed["here"], changed["there"], changed["difference"]) == (
        "'=1+1", "100.00", "108.25", "-8.25",
    )  # fmt: skip
    assert (changed["record_id"], changed["date_here"], changed["number"]) == (
        planting.invoices[0].pk, "2026-11-20", planting.invoices[0].number,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-02-30"}, "from"),
        ({"to": "20261120"}, "to"),
        ({"to": "9999-01-01"}, "to"),
        ({"from": ""}, "from"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "to"),
        ({"format": "xlsx"}, "format"),
    ],
)
def test_what_cannot_be_taken_is_named(query, field, api):
    response = api.get(AT, query)
    assert response.status_code == 400
    assert list(response.json()["error"]["details"]) == [field]


def test_who_may_not_and_who_is_not_connected(company, api, api_key):
    assert api_client(api_key(scopes=["clients:read"])).get(AT).json()["error"]["code"] == "INSUFFICIENT_SCOPE"
    assert api_client(api_key(scopes=["integrations:read"])).get(AT).status_code == 200
    Connection.objects.update(state="needs_reconnect")
    response = api.get(AT)
    assert response.status_code == 422
    assert response.json()["error"]["details"]["reason"] == "needs_reconnect"
    assert api.get("/api/v1/integrations/google-calendar/reconciliation").status_code == 404
    assert api.post(AT).status_code == 405


def test_books_that_cannot_be_asked(company, api, intuit, books):
    intuit.fault("status", path="/query", status=503, times=50)
    response = api.get(AT)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "UNAVAILABLE")
    assert int(response["Retry-After"]) > 0
    intuit.heal()
    BooksReading.objects.update(claim="first", claimed_until=timezone.now() + dt.timedelta(minutes=1), records=4321)


def test_large_books_are_read_on_by_a_worker(company, api, intuit, monkeypatch, queue):
    """Who asks is not kept waiting for minutes: 503, and when to come again."""
    monkeypatch.setattr("integrations.reconciliation.reading.SECONDS", -1)
    monkeypatch.setattr(
        "integrations.services.reconciliation.read_books.__kwdefaults__", {"seconds": -1, "kept": dt.timedelta()}
    )
    BooksReading.objects.create(
        connection=company, began_at=timezone.now(), claim="first", records=4321,
        claimed_until=timezone.now() + dt.timedelta(minutes=1),
    )  # fmt: skip
    response = api.get(AT)
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "4,321 documents so far" in response.json()["error"]["message"]
    assert queue.queue_size() == 1


@pytest.mark.slow
def test_the_verdict_is_kept_of_the_whole_only(planting, api):
    api.get(AT, {"to": "2026-10-31"})
    assert not Reconciliation.objects.exists()
    api.get(AT)
    kept = Reconciliation.objects.get()
    assert (kept.differences, kept.amount, kept.invoices, kept.by_reading) == (2, Decimal("28.25"), 2, True)


@pytest.mark.slow
def test_another_companys_books_are_not_asked(planting, second_workspace, api_key):
    response = api_client(api_key(workspace=second_workspace)).get(AT)
    assert response.json()["error"]["code"] == "INTEGRATION_NOT_CONNECTED"
