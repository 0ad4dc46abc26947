"""The same money entered at both sides, in whatever order: recognized or asked about, and counted once until then."""

import itertools
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.workspace import paying
from fieldcamp.workspace.models import Invoice, Payment
from integrations.books.document_matching import (
    Receipt,
    match_receipts,
    may_be_same,
    repeats,
    told_apart,
    told_apart_from,
)
from integrations.books.payments import Payments
from integrations.calendar.window import window_at
from integrations.models import Link, Problem
from integrations.services.books.decisions import NotPossible, decide_match
from integrations.services.problems.choices import choices_of
from tests.integrations.books.bookkeeper import money
from tests.integrations.books.conftest import TODAY, counts, said
from tests.integrations.engine import finish
from tests.integrations.providers.quickbooks.conftest import rewrite

CHECK = {"method": "check", "reference": "1234"}
THEIRS = {"TxnDate": "2026-11-19", "PaymentRefNum": "1234"}  # a day before ours


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("bea")


@pytest.fixture
def invoice(company, sync, make_client, make_item, make_invoice) -> Invoice:
    """202.00, posted."""
    made = make_invoice(make_client(first_name="Kim", last_name="Reed"), [(make_item(), 1, "202")])
    assert sync().status == "succeeded"
    return made


@pytest.fixture
def receive(invoice, books):
    def receive(amount: str = "101", **fields):
        there = books.one("Invoice", DocNumber=invoice.number)
        return books.receive(there, amount, **{**THEIRS, **fields})

    return receive


def paid(invoice: Invoice) -> Decimal:
    return Invoice.objects.get(pk=invoice.pk).paid


def received(books) -> Decimal:
    return sum((money(row["TotalAmt"]) for row in books.all("Payment")), Decimal(0))


def question(code: str = "RECORD_REJECTED") -> Problem:
    [problem] = Problem.objects.open().filter(record_kind="payment")
    assert (problem.code, problem.data["reason"], problem.record_kind) == (code, "match", "payment")
    return problem


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["same", pytest.param("another", marks=pytest.mark.once)])
@pytest.mark.parametrize("first", ["here", pytest.param("there", marks=pytest.mark.once)])
def test_a_check_that_is_there_a_day_earlier(first, answer, invoice, books, sync, pay, receive, user):
    if first == "there":
        theirs = receive()
    ours = pay(invoice, "101", **CHECK)
    if first == "here":
        theirs = receive()
    for mode in ("incremental", "incremental", "full"):
        sync(mode)
        assert (paid(invoice), received(books)) == (101, 101)
        assert (question().record_id, question().data["candidates"]) == (ours.pk, [theirs["Id"]])
    choice = theirs["Id"] if answer == "same" else "new"
    job = finish(decide_match(problem=question(), choice=choice, user=user))
    assert job.status == "succeeded", said(job, "failed")
    assert sync().status == "succeeded" and not Problem.objects.open().exists()
    both = 101 if answer == "same" else 202
    assert (paid(invoice), received(books)) == (both, both)
    assert (Link.objects.live().get(record_id=ours.pk).remote_id == theirs["Id"]) == (answer == "same")
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full")] == [(0, 0)] * 2


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("answer", ["same", "another"])
def test_entered_here_after_it_was_taken_in(answer, invoice, books, sync, pay, receive, user):
    theirs = receive()
    sync()
    ours = pay(invoice, "101", **CHECK)
    for mode in ("incremental", "full"):
        sync(mode)
        assert received(books) == 101 and question().record_id == ours.pk
    job = decide_match(problem=question(), choice=theirs["Id"] if answer == "same" else "new", user=user)
    if job:
        finish(job)
    assert sync().status == "succeeded" and not Problem.objects.open().exists()
    both = 101 if answer == "same" else 202
    assert (paid(invoice), received(books)) == (both, both)
    assert bool(Payment.objects.get(pk=ours.pk).voided_at) == (answer == "same")
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full")] == [(0, 0)] * 2


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize(
    "answer", ["another", *(pytest.param(how, marks=pytest.mark.once) for how in ("deleted there", "same"))]
)
def test_entered_there_after_it_was_posted(answer, invoice, books, sync, pay, receive, user):
    pay(invoice, "101", **CHECK)
    sync()
    theirs = receive()
    for mode in ("incremental", "full"):
        sync(mode)
        assert paid(invoice) == 101 and question("POSSIBLE_DUPLICATE").record_id == theirs["Id"]
    with pytest.raises(NotPossible):
        decide_match(problem=question("POSSIBLE_DUPLICATE"), choice="99", user=user)
    if answer == "another":
        finish(decide_match(problem=question("POSSIBLE_DUPLICATE"), choice="new", user=user))
    else:
        if answer == "same":
            assert decide_match(problem=question("POSSIBLE_DUPLICATE"), choice=theirs["Id"], user=user) is None
            for mode in ("incremental", "full"):
                sync(mode)
                problem = question("POSSIBLE_DUPLICATE")
                assert "has it twice" in problem.message and paid(invoice) == 101
                assert [choice.id for choice in choices_of([problem])[problem.pk]] == ["new"]
            books.edit("Payment", theirs["Id"], PaymentRefNum="1234 again")  # another than was decided about
            sync()
            assert "no. 1234 again. They differ in: date, number" in question("POSSIBLE_DUPLICATE").message
            decide_match(problem=question("POSSIBLE_DUPLICATE"), choice=theirs["Id"], user=user)
        books.delete("Payment", theirs["Id"])
    assert sync().status == "succeeded" and not Problem.objects.open().exists()
    assert paid(invoice) == received(books) == (202 if answer == "another" else 101)
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full")] == [(0, 0)] * 2


@pytest.mark.slow
@pytest.mark.once
def test_without_a_check_number_and_applied_to_nothing_there(invoice, books, sync, pay):
    customer = books.one("Invoice", DocNumber=invoice.number)["CustomerRef"]
    theirs = books.add("Payment", CustomerRef=customer, TotalAmt=101, TxnDate="2026-11-28")
    pay(invoice, "101")
    sync()
    assert question().data["candidates"] == [theirs["Id"]] and (paid(invoice), received(books)) == (101, 101)


@pytest.mark.slow
@pytest.mark.once
def test_what_was_refused_and_then_entered_by_hand(invoice, books, sync, pay, receive, intuit, user):
    """The bookkeeper types in what the sync could not post: it is not counted twice for that."""
    rewrite(intuit, "Preferences", "1", AccountingInfoPrefs={"BookCloseDate": TODAY.isoformat()})
    ours = pay(invoice, "101", **CHECK)
    sync()
    assert Problem.objects.open().get().record_id == ours.pk
    rewrite(intuit, "Preferences", "1", AccountingInfoPrefs={})
    theirs = receive()
    sync()
    assert (paid(invoice), received(books)) == (101, 101)
    finish(decide_match(problem=question(), choice=theirs["Id"], user=user))
    assert not Problem.objects.open().exists()
    assert Link.objects.live().get(record_id=ours.pk).remote_id == theirs["Id"]


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("answer", ["same", "another"])
def test_what_was_deleted_and_entered_again_there(answer, invoice, books, sync, pay, receive, user):
    ours = pay(invoice, "101", **CHECK)
    sync()
    books.delete("Payment", books.all("Payment")[0]["Id"])
    sync()
    theirs = receive()
    sync()
    assert paid(invoice) == 101
    problem = Problem.objects.open().get(code="RECORD_REJECTED")
    choice = theirs["Id"] if answer == "same" else "new"
    finish(decide_match(problem=problem, choice=choice, user=user))
    sync()
    left = list(Problem.objects.open().values_list("code", flat=True))
    if answer == "same":
        assert (left, paid(invoice)) == ([], 101)
        assert Link.objects.live().get(record_id=ours.pk).remote_id == theirs["Id"]
    else:  # two payments here, of which the books have one: what was removed there is still asked
        assert (set(left) - {"AMOUNT_VARIANCE"}, paid(invoice)) == ({"RECORD_REMOVED"}, 202)


@pytest.mark.slow
@pytest.mark.once
def test_a_question_goes_with_its_cause(invoice, books, sync, pay, receive):
    ours = pay(invoice, "101", **CHECK)
    receive()
    sync()
    assert question()
    paying.void_payment(workspace=ours.workspace, payment_id=ours.pk)
    assert sync().status == "succeeded" and not Problem.objects.open().exists()
    assert (paid(invoice), received(books)) == (101, 101)  # theirs is taken in


@pytest.mark.slow
@pytest.mark.once
def test_a_missing_method_is_no_conflict(invoice, books, sync, pay, receive):
    ours = pay(invoice, "101", method="check")
    receive(TxnDate="2026-11-20", PaymentRefNum="")
    assert sync().status == "succeeded"
    assert (Payment.objects.get().pk, Payment.objects.get().method) == (ours.pk, "check")
    assert not Problem.objects.open().exists() and received(books) == 101
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full")] == [(0, 0)] * 2


@pytest.mark.slow
@pytest.mark.once
def test_what_is_not_said_here_is_learned_from_there(invoice, books, sync, pay, receive):
    cash = next(row["Id"] for row in books.all("PaymentMethod") if row["Name"] == "Cash")
    pay(invoice, "101")
    receive(TxnDate="2026-11-20", PaymentRefNum="77", PaymentMethodRef={"value": cash})
    assert sync().status == "succeeded" and not Problem.objects.open().exists()
    assert [(one.method, one.reference) for one in Payment.objects.all()] == [("cash", "77")]


# --- what is likely ---------------------------------------------------------------------------------------------------

PAID = Receipt("p", "", "c1", "2026-11-20", "101.00", "1234", "check", (("i1", "101.00"),))


def other(**fields) -> Receipt:
    known = {"payer": "c1", "date": "2026-11-20", "amount": "101.00", "reference": "1234", "method": "check",
             "shares": (("i1", "101.00"),)}  # fmt: skip
    return Receipt(1, "r1", **{**known, **fields})


@pytest.mark.parametrize("fields", [
    {"date": "2026-11-30"}, {"date": "2026-11-10"}, {"amount": "110.00"}, {"reference": ""}, {"reference": "1243"},
    {"payer": "c2"}, {"shares": ()}, {"shares": (("i2", "101.00"),)}, {"date": "2027-01-10"}, {"method": "cash"},
    {"reference": "０1234", "date": "2026-11-21"}, {"reference": "", "shares": (), "date": "2026-11-25"},
])  # fmt: skip
def test_what_may_be_the_same_is_asked(fields):
    found = match_receipts([PAID], [other(**fields)])
    assert found.doubts == {"p": ["r1"]} or (found.links == {"p": 1} and fields in ({"reference": ""},))


@pytest.mark.parametrize("fields", [
    {"payer": "c2", "shares": (("i2", "101.00"),)}, {"amount": "110.00", "reference": ""},
    {"amount": "110.00", "date": "2026-12-01"}, {"reference": "", "date": "2026-12-01"}, {"date": "2027-01-20"},
    {"reference": "1243", "shares": (("i2", "101.00"),)},
])  # fmt: skip
def test_what_is_another_is_not_asked(fields):
    assert match_receipts([PAID], [other(**fields)]).doubts == {}


def test_two_that_agree_in_everything_are_both_asked():
    assert match_receipts([PAID], [other()]).links == {"p": 1}
    twice = match_receipts(
        [PAID], [other(), Receipt(2, "r2", "c1", "2026-11-20", "101.00", "1234", "check", PAID.shares)]
    )
    assert (twice.links, twice.doubts) == ({}, {"p": ["r1", "r2"]})


@pytest.mark.parametrize(("one", "two"), [*itertools.product([{}, {"reference": ""}], [{}, {"shares": ()}])])
def test_likely_is_the_same_from_either_side(one, two):
    first, second = other(**one), other(**two, date="2026-11-24")
    assert may_be_same(first, second) == may_be_same(second, first) is True
    assert repeats(first, second) == repeats(second, first)


def test_equal_payments_of_two_invoices_are_no_repetition():
    assert not repeats(other(reference=""), other(reference="", shares=(("i2", "101.00"),)))
    assert repeats(other(), other(shares=(("i2", "101.00"),)))


@pytest.mark.parametrize(("fields", "names"), [
    ({}, "in nothing that both say."), ({"reference": "０1234", "method": "other"}, "in nothing that both say."),
    ({"date": "2026-11-21"}, "in: date."), ({"reference": "", "amount": "110.00"}, "in: amount."),
    ({"reference": "9", "payer": "c2", "shares": (("i2", "101.00"),)}, "in: number, customer, invoices."),
])  # fmt: skip
def test_the_question_names_both_and_what_differs(fields, names):
    said = told_apart(PAID, other(**fields), "QuickBooks")
    assert said.endswith(f"They differ {names}")
    assert said.startswith("In FieldCamp it is 101.00 of 2026-11-20, no. 1234; in QuickBooks ")


def test_each_of_several_candidates_is_described():
    others = [
        other(date="2026-11-19"),
        other(reference="77"),
        other(date="2026-11-18", method="cash"),
        other(),
        other(),
    ]
    said = told_apart_from(PAID, others, "QuickBooks")
    assert said.startswith("In FieldCamp it is 101.00 of 2026-11-20, no. 1234; in QuickBooks ")
    assert (
        "101.00 of 2026-11-19, no. 1234 (differs in: date); 101.00 of 2026-11-20, no. 77 (differs in: number)" in said
    )
    assert said.endswith("101.00 of 2026-11-18, no. 1234 (differs in: date, method); 2 more.")
    assert "more" not in told_apart_from(PAID, others[:3], "QuickBooks")
    assert "(differs in: nothing)" in told_apart_from(PAID, [other()], "QuickBooks")


def test_many_doubts_cost_no_more_queries_than_one(company, make_client, make_item, make_invoice, pay):
    stream = company.streams.get(kind="payment")
    bill = make_invoice(make_client(first_name="Kim", last_name="Reed"), [(make_item(), 1, "999")])
    ours = [pay(bill, "101", reference=str(number)) for number in range(6)]
    for number in range(12):
        seen = {"date": f"2026-11-{number + 1:02}", "amount": "101.00", "reference": str(number)}
        Link.objects.create(stream=stream, kind="payment", remote_id=f"9{number:02}", seen=seen)
    found = {}
    for few in (1, 6):
        side = Payments(stream, window_at(timezone.now()))
        side.doubts = {payment.pk: [f"9{number:02}", f"9{number + 6:02}"] for number, payment in enumerate(ours[:few])}
        with CaptureQueriesContext(connection) as queries:
            found[few] = side.read("payment", [payment.pk for payment in ours[:few]]), len(queries)
    assert found[1][1] == found[6][1]
    for number, payment in enumerate(ours):
        view = found[6][0][payment.pk]
        assert (view.reason, view.data["candidates"]) == ("match", [f"9{number:02}", f"9{number + 6:02}"])
        assert f"2026-11-{number + 1:02}, no. {number} " in view.blocked and len(view.blocked) < 500
        assert f"2026-11-{number + 7:02}, no. {number + 6} " in view.blocked
