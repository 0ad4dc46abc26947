"""Differences that were planted behind the product's back are all found, and nothing else is."""

import datetime as dt
from unittest.mock import ANY

import pytest

from fieldcamp.workspace.models import Invoice
from integrations.models import BooksSettings, Link
from integrations.reconciliation.causes import Cause
from integrations.reconciliation.documents import HERE, THERE
from integrations.services.reconciliation import reconcile_known, reconcile_now
from tests.integrations.reconciliation.planting import Planting, named
from tests.integrations.reconciliation.test_compare import explained


@pytest.fixture
def planting(company, books) -> Planting:
    return Planting(company, books)


@pytest.mark.slow
def test_a_company_agrees_after_a_sync(planting, sync):
    planting.fill(unpaid=4, paid=4)
    assert sync().failed == 0
    known, read = reconcile_known(planting.connection), reconcile_now(planting.connection)
    for report in (known, read):
        assert named(report) == set()
        assert (report.invoices, report.open_here) == (8, sum(one.balance for one in Invoice.objects.all()))
        assert {row.difference for row in report.customers} == {0}
        assert report.comparison.states["payment"] == {"linked": 4}
    assert (known.by_reading, read.by_reading) == (False, True)


@pytest.mark.slow
@pytest.mark.parametrize("each", [1, 3])
def test_all_differences_are_found_and_nothing_else(each, planting, make_tax, sync, intuit):
    """Of each kind some: fifty in all where each is planted three times."""
    planting.fill(unpaid=12 * each + 8, paid=5 * each)
    merged = planting.add_client("Merged")
    planting.add_invoice(merged), planting.pay(planting.add_invoice(merged, "70"), "70")
    untouched = [
        planting.add_invoice(planting.clients[0]),
        planting.pay(planting.add_invoice(planting.clients[1]), "9"),
    ]
    refused = [planting.add_invoice(planting.clients[0], tax_rate_id=make_tax().pk) for _ in range(2)]
    sync()
    cut = [planting.invoices.pop(), planting.paid.pop()[1]]
    for record in cut:
        planting.deleted_there(record)
    sync()
    for record in refused:
        planting.note(record, Cause.REFUSED)
    assert named(reconcile_known(planting.connection)) == planting.planted

    take, paid, clients = planting.invoices.pop, planting.paid.pop, planting.clients
    for number in range(each):
        planting.deleted_there(take())
        planting.voided_there(take())
        planting.total_there(take(), f"{200 + number}.01")
        planting.edited_there(take(), DocNumber=f"A-{number}")
        planting.edited_there(take(), TxnDate="2026-09-15")
        planting.deleted_there(paid()[1])
        planting.received_there(take(), "12.34")
        planting.by_hand(clients[number], f"B-{number}")
        planting.never_posted(clients[number])
        planting.waiting(clients[number])
    for _ in range(max(each - 1, 1)):
        planting.taxed_there(take(), "8.25")
        invoice = take()
        planting.moved_there(invoice, next(one for one in clients if one.pk != invoice.client_id))
        planting.edited_there(paid()[1], TotalAmt=45.0)
        planting.voided_here(take())
        twice = take()
        planting.by_hand(twice.client, twice.number, str(twice.total), Cause.DUPLICATE)
        invoice = take()
        planting.behind_the_back(invoice, Cause.VARIANCE, total=invoice.total + 1)
    planting.voided_there(paid()[1])
    invoice, payment = paid()
    other = next(one for one in planting.invoices if one.client_id == payment.client_id)
    planting.shared_out_there(payment, other)
    planting.merged_there(merged, clients[3])
    assert len(planting.planted) >= 17 * each
    assert len({cause for _kind, _id, cause in planting.planted}) >= 12

    before, links = intuit.state(), list(Link.objects.order_by("pk").values())
    intuit.forget_requests()
    report = reconcile_now(planting.connection)
    assert named(report) == planting.planted
    explained(report.comparison, report.period)
    assert len(intuit.requests("/v3/")) <= 20
    assert {row["method"] for row in intuit.requests("/v3/")} == {"GET"}
    assert intuit.state() == before
    assert list(Link.objects.order_by("pk").values()) == links
    ids = {row.difference.pair.record_id for row in report.differences}
    assert not ids & {one.pk for one in untouched}


@pytest.mark.slow
def test_what_the_books_had_before_is_apart(company, books, sync):
    """Nobody has to hear of years that FieldCamp has never had; what is entered by hand from then on is told."""
    planting = Planting(company, books)
    client = planting.add_client("Reed")
    sync(scope="customers")
    company.streams.update(first_synced_at=None)
    planting.by_hand(client, "OLD-1", "30")
    planting.received_by("OLD-1", "10")
    planting.planted.clear()
    planting.add_invoice(client)
    sync()
    for report in (reconcile_known(company), reconcile_now(company)):
        assert named(report) == set()
        assert (report.invoices, report.open_here) == (1, 100)
        assert [(row.here, row.there) for row in report.customers] == [(100, 100)]
        sums = report.comparison.months["2026-11"]
        assert (sums.of("invoice")[THERE].total, sums.of("invoice", apart=True)[THERE].total) == (100, 30)
        assert sums.of("payment", apart=True)[THERE].total == 10
    # The rest of the old one is received, which is its own affair; then something new is entered by hand.
    planting.received_by("OLD-1", "5")
    planting.planted.clear()
    planting.by_hand(client, "NEW-1")
    planting.received_by("NEW-1", "5")
    report = reconcile_now(company)
    assert named(report) == planting.planted
    explained(report.comparison, report.period)
    sync()
    assert named(reconcile_known(company)) == planting.planted


@pytest.mark.slow
def test_only_days_from_the_chosen_one_on_are_to_agree(company, books, sync):
    planting = Planting(company, books)
    BooksSettings.objects.update(invoices_from=dt.date(2026, 11, 1))
    client = planting.add_client("Reed")
    early = planting.add_invoice(client, date=dt.date(2026, 10, 1))
    planting.pay(early, "10"), planting.add_invoice(client)
    sync()
    assert named(reconcile_now(company)) == set()
    report = reconcile_now(company, first="2026-01-01")
    assert named(report) == set()
    assert report.comparison.months["2026-10"].of("invoice", apart=True)[HERE].total == 100
    assert report.comparison.states["payment"] == {"apart": 1}
    planting.by_hand(client, "H-1")
    assert named(reconcile_now(company)) == planting.planted


@pytest.mark.slow
def test_what_the_books_do_not_say_does_not_differ(planting, sync):
    """A field that a side does not say is unknown, and not empty."""
    planting.fill(unpaid=1, paid=1)
    sync()
    for link in Link.objects.filter(kind__in=["invoice", "payment"]):
        for name in set(link.seen) - {"date"}:
            Link.objects.filter(pk=link.pk).update(seen={key: link.seen[key] for key in link.seen if key != name})
            assert named(reconcile_known(planting.connection)) == set(), name
        Link.objects.filter(pk=link.pk).update(seen=link.seen)


@pytest.mark.slow
def test_a_merge_is_named_until_a_sync_has_followed_it(planting, sync):
    planting.fill(unpaid=2, paid=0)
    lost, kept = planting.clients[:2]
    sync()
    planting.merged_there(lost, kept)
    assert named(reconcile_now(planting.connection)) == planting.planted
    sync()
    for report in (reconcile_known(planting.connection), reconcile_now(planting.connection)):
        assert named(report) == set()
        assert {row.difference for row in report.customers} == {0}


@pytest.mark.slow
def test_who_pays_for_somebody_else_there_is_no_difference(planting, books, sync):
    """A landlord pays for a flat, and more than that: the payment is the landlord's there, and stays so."""
    client = planting.add_client("Flat")
    invoice = planting.add_invoice(client, "90")
    sync()
    above, landlord = [books.add("Customer", DisplayName=name) for name in ("Owner", "Landlord")]
    books.edit("Customer", landlord["Id"], ParentRef={"value": above["Id"]}, Job=True)
    books.edit("Customer", planting.remote_id(client), ParentRef={"value": landlord["Id"]}, Job=True)
    there = planting.there(invoice)
    share = {"Amount": 90.0, "LinkedTxn": [{"TxnId": there["Id"], "TxnType": "Invoice"}]}
    customer = {"value": landlord["Id"]}
    paid = books.add("Payment", CustomerRef=customer, TotalAmt=500.0, TxnDate="2026-11-20", Line=[share])
    report = reconcile_now(planting.connection)
    assert named(report) == {("payment", paid["Id"], Cause.NOT_LINKED_HERE)}
    explained(report.comparison, report.period)
    sync()
    assert named(reconcile_known(planting.connection)) == named(reconcile_now(planting.connection)) == set()
    books.edit("Payment", paid["Id"], CustomerRef={"value": above["Id"]})
    [row] = reconcile_now(planting.connection).differences
    assert (row.difference.cause, row.difference.fields) == (Cause.MOVED_CUSTOMER, ("customer",))


@pytest.mark.slow
def test_what_settles_an_invoice_otherwise(planting, books, sync):
    """A credit memo that was applied there comes as a payment without money, a deposit on the form with the invoice."""
    planting.fill(unpaid=2, paid=0)
    credited, deposited = planting.invoices
    sync()
    there = planting.there(credited)
    detail = {"ItemRef": {"value": planting.connection.books.default_item_id}, "Qty": 1, "UnitPrice": 30.0}
    line = {"Amount": 30.0, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    memo = books.add("CreditMemo", CustomerRef=there["CustomerRef"], TxnDate="2026-11-20", Line=[line])
    shares = [{"Amount": 30.0, "LinkedTxn": [{"TxnId": id, "TxnType": kind}]}
              for id, kind in ((there["Id"], "Invoice"), (memo["Id"], "CreditMemo"))]  # fmt: skip
    books.add("Payment", CustomerRef=there["CustomerRef"], TotalAmt=0, TxnDate="2026-11-20", Line=shares)
    books.edit("Invoice", planting.remote_id(deposited), Deposit=20.0)
    [paid, taken] = sorted(reconcile_now(planting.connection).differences, key=lambda row: row.difference.pair.kind,
                           reverse=True)  # fmt: skip
    assert (paid.difference.cause, paid.difference.owed) == (Cause.NOT_LINKED_HERE, {credited.client_id: ANY})
    assert (taken.difference.pair.record_id, taken.difference.fields) == (deposited.pk, ("deposit",))
    assert taken.difference.cause is Cause.CHANGED_THERE
    sync()
    for report in (reconcile_known(planting.connection), reconcile_now(planting.connection)):
        assert named(report) == set()
        assert {(row.here, row.difference) for row in report.customers} == {(70, 0), (81, 0)}


@pytest.mark.slow
def test_a_copy_that_still_bears_our_mark_is_a_duplicate(planting, books, sync):
    """Whatever its number, day and total: a bookkeeper's copy takes the note over."""
    invoice = planting.add_invoice(planting.add_client("Copied"))
    sync()
    theirs = planting.there(invoice)
    planting.by_hand(invoice.client, "C-1", "7", Cause.DUPLICATE)
    copy = books.one("Invoice", DocNumber="C-1")
    books.edit("Invoice", copy["Id"], PrivateNote=theirs["PrivateNote"])
    assert named(reconcile_now(planting.connection)) == planting.planted
