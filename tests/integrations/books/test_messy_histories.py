"""Random histories with everything that bookkeepers, people at the desk and bad lines do, at once.

Whatever happened: after two quiet runs both sides agree to the cent, or an open problem names the record; a full sync
writes nothing; no record there is two records' here, and what the bookkeeper has put on a line is still on it.
"""

import os
import random

import pytest

from fieldcamp.workspace.models import Invoice, Payment
from integrations.models import Link, Problem
from integrations.reconciliation.causes import Cause
from integrations.services.reconciliation import reconcile_now
from tests.integrations.books.messy_sides import MessySides
from tests.integrations.books.test_histories import HERE, THERE, Story, begun, told
from tests.integrations.books.two_sides import Refused

pytestmark = pytest.mark.slow
STEPS = int(os.environ.get("STEPS", "18"))
FIRST, HISTORIES = int(os.environ.get("FIRST", "0")), int(os.environ.get("HISTORIES", "2"))
MESSY = ("add_customer_there", "rename_customer_there", "merge_customers_there", "merge_items_there",
         "switch_off_there", "move_to_a_site_there", "renumber_there", "bill_by_hand_there", "receive_the_same_there",
         "pay_too_much_there", "correct_by_journal_there", "price_with_tax_there", "mark_a_line_there", "add_namesake",
         "rename_client", "answer", "answer", "answer", "answer", "part_something")  # fmt: skip
# Made by hand: whether they are FieldCamp's nobody has to say, and the report names what a balance is changed by.
ONLY_THERE = (Cause.NOT_LINKED_HERE, Cause.DUPLICATE, Cause.ENTRIES)


class MessyStory(Story):
    sides: MessySides

    def step(self) -> None:
        if self.rng.random() < 0.25:
            super().step()
            return
        name = self.rng.choice(HERE + THERE + MESSY)
        self.steps.append(name)
        try:
            self.steps[-1] += f" {getattr(self.sides, name)() or ''}"
        except Refused as error:
            self.steps[-1] += f" (refused: {str(error)[:120]})"

    def settle(self) -> None:
        for _ in range(3):
            self.sync()
        tags = self._tags()
        for mode in ("incremental", "full", "full"):
            job = self.sync(mode)
            outcomes = list(job.items.exclude(outcome="skipped").values("kind", "key", "outcome", "action", "message"))
            assert (job.pulled, job.pushed) == (0, 0), (mode, *outcomes, *Problem.objects.open().values_list("message"))
            assert self._moved(tags) == {}, mode
        assert not Link.objects.filter(intent__isnull=False, parked=False).exists()

    def _moved(self, before: dict) -> dict:
        return {key: tag for key, tag in self._tags().items() if before.get(key) != tag}

    def check(self) -> None:
        named = self._named()
        differences = reconcile_now(self.sides.connection).comparison.differences
        unnamed = [
            (row.cause, row.fields, row.pair)
            for row in differences
            if row.cause not in ONLY_THERE and not self._of(row.pair.record_id) & named
        ]
        assert not unnamed, "\n".join(map(repr, unnamed))
        links = Link.objects.present().linked()
        assert len(set(links.values_list("kind", "remote_id"))) == links.count()
        assert len(set(links.values_list("kind", "record_id"))) == links.count()
        for (id, line), mark in self.sides.marked.items():
            try:
                rows = {row.get("Id"): row for row in self.sides.books.get("Invoice", id)["Line"]}
            except Refused:
                continue
            if line in rows:
                assert rows[line]["SalesItemLineDetail"].get("ServiceDate") == mark["ServiceDate"], (id, line)

    def _named(self) -> set[str]:
        """Records that an open problem names."""
        return set(Problem.objects.open().filter(notice=False).values_list("record_id", flat=True))

    def _of(self, record_id: str) -> set[str]:
        """What a difference of this document may come from: itself, its client, and what pays it or is paid by it."""
        paid = set(Payment.objects.filter(allocations__invoice=record_id).values_list("pk", flat=True))
        pays = set(Invoice.objects.filter(allocations__payment=record_id).values_list("pk", flat=True))
        clients = set(Invoice.objects.filter(pk__in=[record_id, *pays]).values_list("client_id", flat=True))
        clients |= set(Payment.objects.filter(pk__in=[record_id, *paid]).values_list("client_id", flat=True))
        return {record_id, *paid, *pays, *clients}


@pytest.mark.parametrize("seed", range(FIRST, FIRST + HISTORIES))
def test_every_history_ends_in_agreement_or_in_a_problem_that_names_the_record(connect_books, books, intuit, seed):
    connection = begun(connect_books, books, import_customers=bool(seed % 2))
    told(MessyStory(MessySides(connection, intuit, random.Random(seed))), STEPS)
