"""Plans of a company's books: what depends on what is still to be made is planned, too, and so is the money."""

from decimal import Decimal

import pytest
from requests import Session

from fieldcamp.workspace import invoicing
from fieldcamp.workspace.models import Client, Payment
from integrations.jobs import runner
from integrations.models import JobStatus
from integrations.services.plans import PlanMoved
from tests.integrations.books.conftest import counts
from tests.integrations.engine import abandoned, finish
from tests.integrations.planned import applied, begun, does, everything, planned
from tests.integrations.sync.test_faults import Killed

pytestmark = pytest.mark.django_db


@pytest.fixture
def histories(company, books, sync, make_client, make_item, make_invoice, pay):
    """A posted invoice that is paid there, one whose client was renamed here, and one that is void; and a client, an
    item, an invoice and its payment that the books have not heard of."""
    old = make_client(first_name="Ann", last_name="Old", email="ann@example.com")
    item = make_item(name="Drain cleaning")
    posted, void = (make_invoice(old, [(item, 1, "100.00")]) for _ in range(2))
    assert sync().status == JobStatus.SUCCEEDED
    books.receive(books.one("Invoice", DocNumber=posted.number), "40.00")
    Client.objects.filter(pk=old.pk).update(last_name="Older", display_name="")
    invoicing.void_invoice(workspace=company.workspace, invoice_id=void.pk)
    kim = make_client(first_name="Kim", last_name="Reed", email="kim@example.com")
    new = make_invoice(kim, [(make_item(name="Boiler"), 2, "120.00")])
    pay(new, "50.00")
    return old, posted, void, kim, new


DOES = [
    ("fieldcamp", "create", "payment"), ("provider", "create", "customer"), ("provider", "create", "invoice"),
    ("provider", "create", "item"), ("provider", "create", "payment"), ("provider", "update", "customer"),
    ("provider", "update", "invoice"),
]  # fmt: skip


def there(books) -> list:
    return [books.all(entity) for entity in ("Customer", "Item", "Invoice", "Payment")]


@pytest.mark.slow
def test_what_depends_on_what_is_new_is_planned_and_applied(histories, company, books, sync):
    old, posted, void, kim, new = histories
    before, at_theirs = everything(), there(books)
    plan = planned(sync)
    assert (everything(), there(books)) == (before, at_theirs)
    assert does(plan) == DOES
    assert plan.money == {
        "USD": {
            "invoices_created": "240.00", "invoices_changed": "-100.00", "payments_created": "90.00",
        }
    }  # fmt: skip
    invoice = plan.operations.get(kind="invoice", action="create")
    customer = plan.operations.get(kind="customer", action="create")
    assert invoice.fields["customer"] == [None, customer.remote_id]
    job = applied(plan)
    assert (job.status, counts(job)[:2], job.errors) == (JobStatus.SUCCEEDED, (1, 6), [])
    assert books.one("Invoice", DocNumber=new.number)["Balance"] == 190
    assert books.one("Invoice", DocNumber=void.number)["TotalAmt"] == 0
    assert Payment.objects.filter(amount=Decimal("40.00")).count() == 1
    assert counts(sync())[:2] == (0, 0)


@pytest.mark.slow
def test_either_side_moves(histories, company, books, sync, make_client):
    old, posted, *_others = histories
    plan = planned(sync)
    late = make_client(first_name="Late")
    with pytest.raises(PlanMoved) as refused:
        begun(plan)
    assert refused.value.changed == [late.pk]
    plan = planned(sync)
    invoice = books.one("Invoice", DocNumber=posted.number)
    books.receive(invoice, "10.00")
    before, at_theirs = everything(), there(books)
    job = applied(plan)
    assert (job.status, counts(job), job.errors[0]["code"]) == (JobStatus.FAILED, (0, 0, 0, 0), "PRECONDITION_FAILED")
    assert job.errors[0]["details"]["changed"]["count"] >= 1
    assert (everything(), there(books)) == (before, at_theirs)
    assert sync().status == JobStatus.SUCCEEDED


def test_records_of_both_sides_that_meet_are_planned_as_links(company, books, sync, make_client):
    kim = make_client(first_name="Kim", last_name="Reed", email="kim@example.com")
    customer = books.add("Customer", DisplayName="Kim Reed", PrimaryEmailAddr={"Address": "kim@example.com"})
    before = everything()
    plan = planned(sync, scope="customers")
    assert everything() == before
    [link] = plan.operations.filter(action="link")
    assert (link.record_id, link.remote_id) == (kim.pk, customer["Id"])
    assert applied(plan).status == JobStatus.SUCCEEDED
    assert len(books.all("Customer")) == 1


@pytest.mark.slow
def test_a_write_whose_answer_was_lost_is_not_told_as_not_made(histories, books, sync, monkeypatch):
    plan, numbers, real = planned(sync), iter(range(1, 1_000)), Session.send

    def deadly(self, request, **options):
        answer = real(self, request, **options)
        if "/company/" in request.url and request.method == "POST" and next(numbers) == 5:  # the void invoice's
            raise Killed
        return answer

    monkeypatch.setattr(Session, "send", deadly)
    job = begun(plan)
    with pytest.raises(Killed):
        runner.run(job.pk)
    monkeypatch.undo()
    abandoned(job)
    job = finish(job)
    assert (job.status, job.errors) == (JobStatus.SUCCEEDED, [])
    assert [len(books.all(entity)) for entity in ("Customer", "Item", "Invoice", "Payment")] == [2, 3, 3, 2]
    assert counts(sync())[:2] == (0, 0)
