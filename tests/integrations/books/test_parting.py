"""What was linked by mistake is parted: neither side is changed, and a person says what the record is."""

import pytest
from django.contrib.auth.models import User

from fieldcamp.workspace.invoicing import void_invoice
from fieldcamp.workspace.models import Invoice, Payment
from fieldcamp.workspace.roles import Role
from integrations.models import Link, Problem
from integrations.services.books.decisions import NotPossible, decide_match
from integrations.services.books.links import part
from integrations.services.decisions import AlreadyDecided
from tests.integrations.engine import finish


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("bea")


@pytest.fixture
def kim(company, books, sync, make_client, make_item, make_invoice):
    """A client who was linked by the e-mail address with a customer of another name, and has been billed."""
    books.add("Customer", DisplayName="Reed Plumbing", PrimaryEmailAddr={"Address": "office@example.test"})
    client = make_client(first_name="Kim", last_name="Reed", email="office@example.test")
    make_invoice(client, [(make_item(), 1, "100")])
    assert sync().failed == 0
    assert len(books.all("Customer")) == 1
    return client


def link_of(record) -> Link:
    return Link.objects.live().get(record_id=record.pk)


def tokens(books) -> list[tuple[str, str]]:
    return [(row["Id"], row["SyncToken"]) for entity in ("Customer", "Invoice") for row in books.all(entity)]


@pytest.mark.slow
def test_parting_changes_nothing_and_asks_until_somebody_answers(kim, books, sync, user):
    before, theirs = tokens(books), link_of(kim).remote_id
    finish(part(link=link_of(kim), user=user))
    for mode in ("incremental", "full", "full"):
        sync(mode)
        assert tokens(books) == before, mode
        problem = Problem.objects.listed().get(record_kind="customer")
        assert (problem.data["reason"], problem.data["candidates"]) == ("match", [theirs])
    assert Link.objects.get(kind="customer", remote_id=theirs).record_id == ""


@pytest.mark.slow
def test_it_is_another_one(kim, books, sync, user):
    theirs = link_of(kim).remote_id
    finish(part(link=link_of(kim), user=user))
    problem = Problem.objects.listed().get(record_kind="customer")
    finish(decide_match(problem=problem, choice="new", user=user, name="Kim Reed"))
    sync()
    sync("full")
    [mine] = [row for row in books.all("Customer") if row["Id"] != theirs]
    assert mine["DisplayName"] == "Kim Reed"
    assert books.one("Invoice")["CustomerRef"]["value"] == mine["Id"]
    assert not Problem.objects.listed().exists()
    assert (sync().pushed, sync("full").pushed) == (0, 0)


@pytest.mark.slow
def test_it_is_the_same_after_all(kim, books, sync, user):
    theirs = link_of(kim).remote_id
    finish(part(link=link_of(kim), user=user))
    problem = Problem.objects.listed().get(record_kind="customer")
    finish(decide_match(problem=problem, choice=theirs, user=user))
    assert link_of(kim).remote_id == theirs
    sync("full")
    assert not Problem.objects.listed().exists()
    assert len(books.all("Customer")) == 1


@pytest.mark.slow
def test_what_cannot_be_parted(kim, books, sync, make_invoice, make_item, user):
    link = link_of(kim)
    Link.objects.filter(pk=link.pk).update(intent={"verb": "update"})
    with pytest.raises(NotPossible, match="writing it just now"):
        part(link=link, user=user)
    Link.objects.filter(pk=link.pk).update(intent=None)
    received = books.receive(books.one("Invoice"), "40")
    sync()
    with pytest.raises(NotPossible, match="came from there"):
        part(link=Link.objects.get(remote_id=received["Id"], kind="payment"), user=user)
    finish(part(link=link, user=user))
    with pytest.raises(AlreadyDecided):
        part(link=link, user=user)


@pytest.mark.slow
def test_the_button_is_for_who_may_decide(kim, desk):
    link = link_of(kim)
    page, address = f"/admin/workspace/client/{kim.pk}/change/", f"/admin/integrations/links/{link.pk}/part/"
    staff = desk(Role.STAFF)
    assert f"part-{link.pk}" not in staff.get(page).content.decode()
    assert staff.post(address).status_code == 403
    browser = desk()
    assert f"part-{link.pk}" in browser.get(page).content.decode()
    assert browser.post(address, {"next": page}).status_code == 302
    answer = browser.get(page).content.decode()
    assert "Unlinked." in answer and "Is it the same?" in answer
    assert browser.post("/admin/integrations/links/999999/part/").status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["customer", "item", "invoice", "payment"])
def test_a_record_of_any_kind_is_asked_about_and_can_be_the_same_after_all(kind, kim, books, sync, pay, user):
    pay(Invoice.objects.get(), "40")
    sync()
    link = Link.objects.live().linked().get(kind=kind)
    record, theirs = link.record_id, link.remote_id
    before = [(row["Id"], row["SyncToken"]) for entity in ("Invoice", "Payment", "Item") for row in books.all(entity)]
    finish(part(link=link, user=user))
    for mode in ("", "incremental", "full"):  # right after it, and once others have been through it
        if mode:
            sync(mode)
        problems = {problem.record_id: problem for problem in Problem.objects.listed()}
        assert (problems[record].data["reason"], problems[record].data["candidates"]) == ("match", [theirs]), mode
        assert not [problem for problem in problems.values() if problem.code == "INTERNAL_ERROR"]
    after = [(row["Id"], row["SyncToken"]) for entity in ("Invoice", "Payment", "Item") for row in books.all(entity)]
    assert after == before
    finish(decide_match(problem=problems[record], choice=theirs, user=user))
    sync()
    assert Link.objects.live().get(record_id=record).remote_id == theirs
    assert sync("full").errors == []


@pytest.mark.slow
def test_what_pays_a_void_invoice_that_was_parted_says_what_it_waits_for(kim, books, sync, user):
    """Nothing is ever posted for it, so its payments wait for nothing that comes; what was deleted there is void here
    all the same."""
    invoice = Invoice.objects.get()
    there = books.one("Invoice", DocNumber=invoice.number)
    paid, other = (books.receive(there, amount) for amount in ("10", "15"))
    void_invoice(workspace=invoice.workspace, invoice_id=invoice.pk)
    sync()
    assert "Payments of 25.00 are applied" in Problem.objects.listed().get(record_kind="invoice").message
    finish(part(link=link_of(invoice), user=user))
    books.edit("Payment", other["Id"], PaymentRefNum="17")
    books.delete("Payment", paid["Id"])
    sync()
    sync("full")
    gone, waiting = Payment.objects.order_by("amount")
    assert gone.voided_at
    problem = Problem.objects.listed().get()
    assert (problem.code, problem.record_id) == ("WAITING_FOR_GONE", waiting.pk)
    assert f"its invoice {invoice.number}, which is void in FieldCamp" in problem.message
