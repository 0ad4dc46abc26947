"""Answers that are lost on their way: nothing is made twice, and what was made is found."""

from dataclasses import replace

import pytest

from integrations import errors
from integrations.providers.quickbooks.api import make_id
from tests.integrations.providers.quickbooks.conftest import (
    IDS,
    customer,
    invoice,
    item,
    payment,
    update,
    void,
)
from tests.sandboxed import BOOKS_WRITES


@pytest.fixture
def lose(intuit):
    """The answers to these calls are lost, each time; what they asked for is done."""

    def answers(path: str, times: int = 9) -> None:
        intuit.fault("drop_after_commit", path=path, times=times)

    yield answers
    intuit.call("DELETE", "faults")


def count(company, entity: str) -> int:
    return len(company.rows(entity))


@pytest.mark.parametrize("kind", ["customer", "item", "invoice", "unnumbered", "payment"])
def test_a_lost_answer_of_a_create_makes_no_twin(books, lose, intuit, company, who, what, kind):
    op = {
        "customer": customer(5),
        "item": item(5),
        "invoice": invoice(who.id, what.id),
        "unnumbered": _without_number(invoice(who.id, what.id)),
        "payment": payment(who.id),
    }[kind]
    container, before = IDS[op.kind], count(company, IDS[op.kind])
    lose(BOOKS_WRITES)
    with pytest.raises(errors.Unavailable):
        books.write(container, [op])
    intuit.call("DELETE", "faults")
    never = make_id("never sent")
    found = books.get(container, [op.remote_id, never], {op.remote_id: op.fields, never: _other(op.fields)})
    record = found[op.remote_id]
    assert not record.gone and record.made_with == op.remote_id
    assert found[never].gone and not found[never].tag
    assert count(company, container) == before + 1
    [outcome] = books.write(container, [op])  # even the same write again makes no second one
    assert outcome.record.id == record.id
    assert count(company, container) == before + 1


def _without_number(op):
    return replace(op, fields={**op.fields, "number": ""})


def _other(fields) -> dict:
    """What was sent with a create that never arrived."""
    names = {name: "Nobody" for name in ("display_name", "name") if name in fields}
    return {**fields, **names, **({"number": "X-1"} if fields.get("number") else {})}


def test_a_lost_answer_is_asked_for_again_under_the_same_name(books, lose, intuit, company):
    lose("/customer$", times=2)
    [outcome] = books.write("Customer", [customer(7)])
    assert outcome.error is None
    assert len([row for row in company.rows("Customer") if row["DisplayName"] == "Client 7"]) == 1
    assert len({row["query"] for row in intuit.requests("/customer")}) == 1 and len(intuit.requests("/customer")) == 3


def test_a_lost_answer_of_an_update_and_of_a_void(books, made, lose, intuit, who, what):
    bill = made(invoice(who.id, what.id))
    lose("/invoice$", times=1)
    [changed] = books.write("Invoice", [update(bill, memo="Twice")])
    assert changed.record.fields["memo"] == "Twice"
    lose("/invoice", times=1)
    [voided] = books.write("Invoice", [void(changed.record)])
    assert voided.record.fields["voided"]
    assert int(voided.record.tag) == int(changed.record.tag) + 1


def test_somebody_elses_record_of_the_same_name_is_not_ours(books, company):
    company.make("Customer", DisplayName="Client 1", PrimaryEmailAddr={"Address": "other@example.com"})
    op = customer()
    assert books.get("Customer", [op.remote_id], {op.remote_id: op.fields})[op.remote_id].gone


def test_a_copy_that_a_person_made_is_not_the_one_that_we_made(books, made, company, who, what):
    op = invoice(who.id, what.id)
    bill = made(op)
    there = company.read("Invoice", bill.id)
    copy = company.make("Invoice", CustomerRef=there["CustomerRef"], PrivateNote=there["PrivateNote"],
                        DocNumber=there["DocNumber"], Line=[there["Line"][0] | {"Id": "1"}])  # fmt: skip
    assert copy["Id"] != bill.id
    assert books.get("Invoice", [op.remote_id], {op.remote_id: op.fields})[op.remote_id].id == bill.id


def test_what_was_sent_has_to_be_told(books):
    with pytest.raises(ValueError, match="sent"):
        books.get("Customer", [make_id("x")])
