"""A document that cannot be read is a difference, never one that is passed over or taken for equal."""

import datetime as dt

import pytest

from integrations.models import BooksSettings, JobStatus, Link, Problem
from integrations.reconciliation.causes import Cause
from integrations.services.reconciliation import reconcile_known, reconcile_now
from tests.integrations.mangling import mangled
from tests.integrations.reconciliation.planting import Planting

pytestmark = pytest.mark.slow


def causes(report) -> list[tuple[str, Cause]]:
    return [(row.pair.remote_id, row.cause) for row in report.comparison.differences]


def test_it_is_named_and_nothing_else_is(company, books, intuit, sync):
    planting = Planting(company, books)
    planting.fill(unpaid=3, paid=0)
    sync()
    bad = Link.objects.filter(kind="invoice").first()
    with mangled(intuit, bad.remote_id, lambda row: row.update(TotalAmt={"x": 1})):
        assert causes(reconcile_now(company)) == [(bad.remote_id, Cause.UNREADABLE)]
        job = sync(mode="full")
        assert (job.status, job.failed) == (JobStatus.PARTIAL, 1)
        assert job.errors[0]["record"] == {"kind": "invoice", "id": bad.record_id}
        assert causes(reconcile_known(company)) == [(bad.remote_id, Cause.UNREADABLE)]
    assert causes(reconcile_now(company)) == []
    assert sync(mode="full").status == JobStatus.SUCCEEDED
    assert not Problem.objects.open().exists()
    assert causes(reconcile_known(company)) == []


def test_one_that_was_made_there_is_named_as_well(company, books, intuit, sync):
    planting = Planting(company, books)
    planting.fill(unpaid=2, paid=0)
    sync()
    planting.by_hand(planting.clients[0], "H-1")
    [bad] = [row["Id"] for row in books.all("Invoice") if row["DocNumber"] == "H-1"]
    with mangled(intuit, bad, lambda row: row.update(TotalAmt={"x": 1})):
        assert causes(reconcile_now(company)) == [(bad, Cause.UNREADABLE)]
        BooksSettings.objects.update(invoices_from=dt.date(2026, 1, 1))
        assert causes(reconcile_now(company)) == [(bad, Cause.UNREADABLE)]
    BooksSettings.objects.update(invoices_from=None)
    assert causes(reconcile_now(company)) == [(bad, Cause.NOT_LINKED_HERE)]
