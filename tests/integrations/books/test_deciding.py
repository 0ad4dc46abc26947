"""What a person decides about records of the books, and that it is tried at once."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from fieldcamp.workspace.models import AuditEntry, Invoice
from integrations.models import Link, Problem, SyncJob
from integrations.services.books.decisions import NotPossible, decide_match, post_again, void_here
from integrations.services.books.mapping import map_item, map_records, map_tax, mapped, set_defaults
from integrations.services.books.preview import preview_books
from integrations.services.decisions import AlreadyDecided, retry
from integrations.services.setup import SetupError
from tests.integrations.books.bookkeeper import money
from tests.integrations.engine import finish


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("bea")


def the_problem(reason: str = "") -> Problem:
    found = [
        problem for problem in Problem.objects.filter(resolved_at=None) if problem.data.get("reason", "") == reason
    ]
    assert len(found) == 1, list(Problem.objects.filter(resolved_at=None).values("code", "message", "data"))
    return found[0]


@pytest.fixture
def namesake(company, books, sync, make_client):
    """A client of whom the books may have the customer already."""
    customer = books.add("Customer", DisplayName="Kim Reed", PrimaryPhone={"FreeFormNumber": "555 0101"})
    client = make_client(first_name="Kim", last_name="Reed", email="kim@example.test")
    sync()
    return client, customer


@pytest.mark.slow
def test_the_same_customer(namesake, books, user):
    client, customer = namesake
    job = decide_match(problem=the_problem("match"), choice=customer["Id"], user=user)
    assert job.only and finish(job).status == "succeeded"
    assert Link.objects.get(record_id=client.pk).remote_id == customer["Id"]
    assert books.get("Customer", customer["Id"])["PrimaryEmailAddr"]["Address"] == "kim@example.test"
    assert len(books.all("Customer")) == 1
    assert not Problem.objects.filter(resolved_at=None).exists()
    assert AuditEntry.objects.filter(action="connection.match_decided", actor="bea").count() == 1


@pytest.mark.slow
def test_a_new_customer_under_a_name_of_its_own(namesake, books, sync, user):
    client, _ = namesake
    job = finish(decide_match(problem=the_problem("match"), choice="new", name="Kim Reed (C)", user=user))
    assert job.status == "succeeded", job.errors
    assert books.one("Customer", DisplayName="Kim Reed (C)")["GivenName"] == "Kim"
    assert not Problem.objects.filter(resolved_at=None).exists()
    assert (sync().pushed, sync("full").pushed) == (0, 0)  # and the name stays so there


@pytest.mark.slow
def test_a_new_one_whose_name_is_taken_is_refused_and_linked_then(namesake, books, user):
    client, customer = namesake
    finish(decide_match(problem=the_problem("match"), choice="new", user=user))
    problem = the_problem("duplicate_name")
    finish(decide_match(problem=problem, choice=customer["Id"], user=user))
    assert Link.objects.get(record_id=client.pk).remote_id == customer["Id"]
    assert not Problem.objects.filter(resolved_at=None).exists()


@pytest.mark.slow
def test_what_cannot_be_the_same(namesake, books, sync, make_client, user):
    client, customer = namesake
    problem = the_problem("match")
    with pytest.raises(NotPossible, match="not there"):
        decide_match(problem=problem, choice="99999", user=user)
    Link.objects.filter(remote_id=customer["Id"]).update(record_id=make_client().pk)
    with pytest.raises(NotPossible, match="belongs to another"):
        decide_match(problem=problem, choice=customer["Id"], user=user)
    Problem.objects.filter(pk=problem.pk).update(resolved_at=problem.occurred_at)
    problem.refresh_from_db()
    with pytest.raises(AlreadyDecided):
        decide_match(problem=problem, choice="new", user=user)


@pytest.mark.slow
def test_while_a_job_runs_the_choice_is_saved_for_the_next(namesake, sync, workspace, user):
    client, customer = namesake
    running = SyncJob.objects.create(workspace=workspace, integration="quickbooks", triggered_by="api",
                                     status="running", created_at=SyncJob.objects.first().created_at)  # fmt: skip
    assert decide_match(problem=the_problem("match"), choice=customer["Id"], user=user) is None
    running.status = "failed"
    running.save()
    assert sync().failed == 0
    assert Link.objects.get(record_id=client.pk).remote_id == customer["Id"]


@pytest.fixture
def deleted(company, books, sync, make_client, make_item, make_invoice) -> Invoice:
    """A posted invoice that the bookkeeper has deleted."""
    invoice = make_invoice(make_client(), [(make_item(), 1, "100")])
    sync()
    books.delete("Invoice", books.one("Invoice", DocNumber=invoice.number)["Id"])
    sync()
    return invoice


def removed() -> Problem:
    return Problem.objects.get(code="RECORD_REMOVED", resolved_at=None)


@pytest.mark.slow
def test_what_was_deleted_there_is_posted_again(deleted, books, sync, user):
    assert books.all("Invoice") == []
    job = finish(post_again(problem=removed(), user=user))
    assert job.status == "succeeded", job.errors
    assert books.one("Invoice", DocNumber=deleted.number)
    assert not Problem.objects.filter(resolved_at=None).exists()
    assert sync("full").pushed == 0


@pytest.mark.slow
def test_what_was_deleted_there_is_voided_here(deleted, books, sync, user):
    problem = removed()
    void_here(problem=problem, user=user)
    deleted.refresh_from_db()
    assert deleted.voided_at and deleted.void_reason == "Deleted in QuickBooks"
    assert not Problem.objects.filter(resolved_at=None).exists()
    assert (sync().pushed, sync("full").pushed) == (0, 0)
    problem.refresh_from_db()
    with pytest.raises(AlreadyDecided):
        post_again(problem=problem, user=user)


@pytest.mark.slow
def test_mapping_a_tax_posts_what_waited_for_it(company, books, sync, make_client, make_item, make_tax, make_invoice,
                                                user):  # fmt: skip
    tax = make_tax("County", "0.08")
    invoice = make_invoice(make_client(), [(make_item(), 1, "100")], tax_rate_id=tax.pk)
    sync()
    assert the_problem("tax_mapping").record_id == invoice.pk
    with pytest.raises(SetupError, match="not there any more"):
        map_tax(connection=company, tax_rate=tax, code_id="777", user=user)
    job = finish(map_tax(connection=company, tax_rate=tax, code_id="2", user=user))
    assert job.failed == 0
    assert books.one("Invoice", DocNumber=invoice.number)
    assert not Problem.objects.filter(code="RECORD_REJECTED", resolved_at=None).exists()
    assert mapped(company, "tax")[tax.pk] == "2"


@pytest.mark.slow
def test_a_tax_can_be_mapped_before_the_first_sync(company, sync, make_tax, user):
    tax = make_tax("Our own", "0.08")
    assert map_tax(connection=company, tax_rate=tax, code_id="2", user=user) is None
    assert mapped(company, "tax") == {tax.pk: "2"}
    assert preview_books(company).counts["tax"].waiting == 0
    assert sync().failed == 0
    assert mapped(company, "tax")[tax.pk] == "2"


def test_a_code_stands_for_one_tax_and_is_let_go_of_first(company, make_tax, make_invoice, make_client, user):
    one, other = make_tax("One", "0.08"), make_tax("Other", "0.08")
    map_tax(connection=company, tax_rate=other, code_id="2", user=user)
    map_tax(connection=company, tax_rate=one, code_id="2", user=user)
    assert mapped(company, "tax") == {one.pk: "2"}
    make_invoice(make_client(), [(None, 1, "100")], tax_rate_id=one.pk)
    with pytest.raises(SetupError, match="stands for another") as caught:
        map_tax(connection=company, tax_rate=other, code_id="2", user=user)
    assert caught.value.field == other.pk
    map_records(connection=company, kind="tax", chosen={other.pk: "2", one.pk: "3"}, user=user)
    assert mapped(company, "tax") == {other.pk: "2", one.pk: "3"}
    map_tax(connection=company, tax_rate=one, code_id="", user=user)
    assert mapped(company, "tax") == {other.pk: "2"}


@pytest.mark.slow
def test_an_item_that_is_called_otherwise_there(company, books, sync, make_item, user):
    labor = books.add("Item", Name="Labor", Type="Service", UnitPrice=80.0,
                      IncomeAccountRef={"value": "1"})  # fmt: skip
    ours = make_item(name="Hour of work", price=Decimal(90))
    map_item(connection=company, item=ours, item_id=labor["Id"], user=user)
    assert sync().failed == 0
    assert books.get("Item", labor["Id"])["UnitPrice"] == 90
    assert {row["Name"] for row in books.all("Item")} == {"Labor", "Services"}


@pytest.mark.slow
def test_a_stand_in_item_lets_waiting_invoices_go(connect_books, books, sync, make_client, make_invoice, user):
    connection = connect_books(default_item_id="")
    item = books.add("Item", Name="Services", Type="Service", IncomeAccountRef={"value": "1"})
    invoice = make_invoice(make_client(), [(None, 1, "100")])
    sync()
    assert the_problem("item_mapping").record_id == invoice.pk
    with pytest.raises(SetupError):
        set_defaults(connection=connection, income_account_id="", default_item_id=item["Id"], user=user)
    job = set_defaults(connection=connection, income_account_id="1", default_item_id=item["Id"], user=user)
    assert finish(job).failed == 0
    assert books.one("Invoice", DocNumber=invoice.number)


@pytest.mark.slow
def test_another_account_is_for_new_items_only(company, books, sync, make_item, user):
    make_item(name="Old")
    sync()
    before = books.one("Item", Name="Old")["IncomeAccountRef"]
    other = next(row for row in books.all("Account") if row["AccountType"] == "Income" and row["Id"] != before["value"])
    item = company.books.default_item_id
    finish(set_defaults(connection=company, income_account_id=other["Id"], default_item_id=item, user=user))
    make_item(name="New")
    assert sync("full").pushed == 1
    assert books.one("Item", Name="Old")["IncomeAccountRef"] == before
    assert books.one("Item", Name="New")["IncomeAccountRef"]["value"] == other["Id"]


@pytest.mark.slow
def test_amounts_that_were_mended_there_agree_after_a_retry(
    company, books, sync, make_client, make_tax, make_invoice, user
):
    """Nothing of it is told by our own link: the other side is read again."""
    tax = make_tax("California", "0.08")
    sync()
    type(tax).objects.filter(pk=tax.pk).update(rate=Decimal("0.0875"), components=[])
    make_invoice(make_client(), [(None, 1, "100")], tax_rate_id=tax.pk)
    assert sync().failed == 1
    problem = Problem.objects.get(resolved_at=None)
    assert problem.code == "AMOUNT_VARIANCE" and problem.link_id
    there = books.all("Invoice")[0]
    detail = {**there["TxnTaxDetail"], "TotalTax": 8.75}
    edited = books.edit("Invoice", there["Id"], TxnTaxDetail=detail)
    assert money(edited["TotalAmt"]) == Decimal("108.75")
    job = retry(problem=problem, user=user)
    assert job.only is None
    assert finish(job).status == "succeeded"
    assert not Problem.objects.filter(resolved_at=None).exists()
