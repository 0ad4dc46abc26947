"""Random histories of a company and its books, with faults, kills and jumps of the clock in between.

Whatever happened: after two quiet runs both sides agree to the cent or say why not, nothing is there twice, no edit is
lost, nothing is written any more, and every job's counts are the sums of its records (the run's own end asserts that).
"""

import os
import random
from collections import Counter
from decimal import Decimal

import pytest

from fieldcamp.workspace.models import Client, Invoice, Item, Payment
from integrations.jobs import runner
from integrations.models import Connection, JobStatus, Link, Problem, SyncJob
from integrations.services.jobs import trigger_sync
from tests.faketime import process_clock
from tests.integrations.books.bookkeeper import money
from tests.integrations.books.conftest import said
from tests.integrations.books.two_sides import Refused, TwoSides
from tests.integrations.engine import abandoned, finish
from tests.integrations.sync.test_faults import Killed

pytestmark = pytest.mark.slow
API = "/intuit/api/"
STEPS = 25
FIRST, HISTORIES = int(os.environ.get("FIRST", "0")), int(os.environ.get("HISTORIES", "4"))
HERE = ("add_client", "edit_client", "add_item", "edit_item", "add_invoice", "add_invoice", "edit_memo", "edit_lines",
        "void_invoice", "pay", "pay", "reallocate", "edit_payment", "void_payment")  # fmt: skip
THERE = ("edit_customer_there", "edit_item_there", "edit_memo_there", "edit_lines_there", "void_invoice_there",
         "delete_invoice_there", "receive_there", "receive_there", "edit_payment_there", "reallocate_there",
         "void_payment_there", "delete_payment_there")  # fmt: skip
FAULTS = ("drop", "drop_after_commit", "truncate", "status", "expire_token")


class Story:
    """One history: what happened, so that a failure can be told."""

    def __init__(self, sides: TwoSides):
        self.sides, self.rng, self.steps = sides, sides.rng, []

    def step(self) -> None:
        syncs = (self.sync, self.sync, self.full, self.faulty, self.faulty, self.kill, self.kill, self.jump)
        if self.rng.random() < 0.3:
            step = self.rng.choice(syncs)
            self.steps.append(step.__name__)
            step()
            return
        name = self.rng.choice(HERE + THERE)
        self.steps.append(name)
        try:
            getattr(self.sides, name)()
        except Refused:
            self.steps[-1] += " (refused)"

    # --- syncs ------------------------------------------------------------------------------------------------------

    def sync(self, mode: str = "incremental") -> SyncJob:
        job = finish(self._trigger(mode))
        self._no_defect(job)
        assert job.status in (JobStatus.SUCCEEDED, JobStatus.PARTIAL), (job.status, job.errors, said(job, "failed"))
        self.sides.all_synced()
        return job

    def full(self) -> None:
        self.sync("full")

    def faulty(self) -> None:
        kind = self.rng.choice(FAULTS)
        more = {"status": self.rng.choice([500, 503, 401, 429])} if kind == "status" else {}
        order = {"after": self.rng.randint(0, 6), "times": self.rng.randint(1, 5)}
        self.steps[-1] += f" {kind} {more} {order}"
        self.sides.vendors.fault(kind, path="/v3/company", **order, **more)
        job = finish(self._trigger())
        self.sides.vendors.call("DELETE", "faults")
        self._no_defect(job)
        self.sides.well_again()

    def kill(self) -> None:
        adapter, call, after = self.sides.vendors.adapter, self.rng.randint(1, 12), self.rng.random() < 0.5
        self.steps[-1] += f" {call} {after}"
        send, calls = adapter.send, iter(range(1, 10_000))

        def deadly(request, **kwargs):
            if API not in request.url or next(calls) != call:
                return send(request, **kwargs)
            if after:
                send(request, **kwargs)
            raise Killed

        job = self._trigger()
        adapter.send = deadly
        try:
            runner.run(job.pk)
        except Killed:
            abandoned(job)
        finally:
            adapter.send = send
        job.refresh_from_db()
        if self.rng.random() < 0.5:  # somebody goes on working before the job is taken up again
            self.sides.edit_memo()
            self.steps[-1] += " + edit_memo"
        self._no_defect(finish(job) if job.in_flight else job)

    def jump(self) -> None:
        """An hour: the access token is over. More than a month: the changes are not told any more."""
        days = self.rng.choice([0, 0, 40])
        self.steps[-1] += f" {days} days"
        process_clock().move(3700 + days * 86400)
        self.sides.sign_in_again()

    def _trigger(self, mode: str = "incremental") -> SyncJob:
        return trigger_sync(
            workspace=self.sides.workspace, integration="quickbooks", mode=mode, triggered_by="api", actor="test"
        )

    def _no_defect(self, job: SyncJob) -> None:
        assert "INTERNAL_ERROR" not in {error["code"] for error in job.errors}, job.errors

    # --- laws -------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        for _ in range(2):
            self.sync()
        tags, versions = self._tags(), self._versions()
        for _ in range(2):
            job = self.sync()
            assert (job.pulled, job.pushed) == (0, 0), list(job.items.values("kind", "outcome", "action", "message"))
        assert tags == self._tags() and versions == self._versions()
        self.sync("full")
        assert not Link.objects.filter(intent__isnull=False).exists()

    def _tags(self) -> dict:
        kinds = ("Customer", "Item", "Invoice", "Payment")
        return {(kind, row["Id"]): row["SyncToken"] for kind in kinds for row in self.sides.books.all(kind)}

    def _versions(self) -> dict:
        return {pk: version for model in (Client, Item, Invoice, Payment)
                for pk, version in model.objects.values_list("pk", "version")}  # fmt: skip

    def check(self) -> None:
        books, explicit = self.sides.books, self._told_of()
        invoices = books.all("Invoice")
        numbers = Counter(row["DocNumber"] for row in invoices)
        assert all(count == 1 for count in numbers.values()), numbers
        names = Counter(row["DisplayName"] for row in books.all("Customer"))
        assert all(count == 1 for count in names.values()), names
        assert len(names) == Client.objects.count() and len(books.all("Item")) == Item.objects.count() + 1
        by_number = {row["DocNumber"]: row for row in invoices}
        for invoice in Invoice.objects.prefetch_related("allocations"):
            if explicit & {invoice.pk, *(share.payment_id for share in invoice.allocations.all())}:
                continue
            there = by_number[invoice.number]
            assert money(there["Balance"]) == invoice.balance, invoice.number
            total = Decimal(0) if invoice.voided_at else invoice.total
            assert money(there["TotalAmt"]) == total, invoice.number
        self._check_payments(explicit)
        self._check_edits(explicit)

    def _check_payments(self, explicit: set[str]) -> None:
        linked = Link.objects.filter(kind="payment", cut_at=None, seen_gone=False).exclude(record_id="")
        ours = dict(linked.values_list("remote_id", "record_id"))
        there = {row["Id"]: row for row in self.sides.books.all("Payment")}
        unmatched = set(there) - set(ours)
        for id in unmatched:  # void ones, and those of invoices that were deleted
            pays = {line["LinkedTxn"][0]["TxnId"] for line in there[id]["Line"] if line.get("LinkedTxn")}
            live = set(Link.objects.filter(kind="invoice", remote_id__in=pays, cut_at=None).values_list("remote_id"))
            assert not live or not money(there[id]["TotalAmt"]), there[id]
        for id, record_id in ours.items():
            payment = Payment.objects.get(pk=record_id)
            if record_id not in explicit:
                amount = Decimal(0) if payment.voided_at else payment.amount
                assert money(there[id]["TotalAmt"]) == amount, payment.pk
        for payment in Payment.objects.filter(voided_at=None).exclude(pk__in=[*ours.values(), *explicit]):
            waits = {share.invoice_id for share in payment.allocations.all()}
            assert waits & explicit, f"{payment.pk} is not in the books, and nobody says why"

    def _check_edits(self, explicit: set[str]) -> None:
        models = {"email": Client, "price": Item, "memo": Invoice, "total": Invoice, "reference": Payment}
        for (record_id, name), values in self.sides.allowed.items():
            record = models[name].objects.get(pk=record_id)
            if record_id not in explicit and not getattr(record, "voided_at", None):
                found = getattr(record, name)
                assert found in values, f"an edit was lost: {record_id} {name} {found} {values}"

    def _told_of(self) -> set[str]:
        """Records of which a person was told that they differ, payments that wait for one of those invoices, and what
        these still pay in the books."""
        explicit = set(Problem.objects.filter(resolved_at=None).values_list("record_id", flat=True))
        explicit |= set(Payment.objects.filter(allocations__invoice__in=explicit).values_list("pk", flat=True))
        posted = Link.objects.filter(kind="payment", record_id__in=explicit, cut_at=None)
        paid = [share["invoice"] for link in posted for share in (link.seen or {}).get("allocations") or ()]
        links = Link.objects.filter(kind="invoice", remote_id__in=paid, cut_at=None)
        return explicit | set(links.values_list("record_id", flat=True))


def begun(connect_books, books, **choices) -> Connection:
    """A company with its books connected, and an item that stands for lines without one."""
    account = next(row for row in books.all("Account") if row["AccountType"] == "Income")
    item = books.add("Item", Name="Services", Type="Service", IncomeAccountRef={"value": account["Id"]})
    return connect_books(default_item_id=item["Id"], **choices)


def told(story: Story, steps: int) -> None:
    """Lets the story happen, and holds it to its laws; a failure says how it went."""
    for verb in ("add_client", "add_item", *["add_invoice"] * 4, "add_client", *["add_invoice"] * 2, *["pay"] * 3):
        getattr(story.sides, verb)()
    try:
        story.sync()
        for _ in range(steps):
            story.step()
        story.settle()
        story.check()
    except AssertionError as error:
        raise AssertionError(f"{error}\nIt went so:\n" + "\n".join(story.steps)) from error


@pytest.mark.parametrize("seed", range(FIRST, FIRST + HISTORIES))
def test_every_history_ends_in_agreement(connect_books, books, intuit, seed):
    connection = begun(connect_books, books, policy_documents="local")
    told(Story(TwoSides(connection, intuit, random.Random(seed))), STEPS)
