"""Records of one name and a batch that is broken off: what is there is one record's, and the other is asked about."""

import pytest

from fieldcamp.workspace.models import Client, Item
from integrations.models import Link, Problem
from tests.integrations.books.conftest import counts, said
from tests.sandboxed import BOOKS_WRITES

BROKEN = ["drop_after_commit", *(pytest.param(how, marks=pytest.mark.slow) for how in ("drop", "truncate"))]


def links_are_apart() -> None:
    """No two live links hold one remote record (a constraint says so too), and no record has two."""
    held = list(Link.objects.live().linked().values_list("stream_id", "remote_id"))
    assert len(held) == len(set(held))
    records = list(Link.objects.live().linked().values_list("stream_id", "record_id"))
    assert len(records) == len(set(records))


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.once)])
@pytest.mark.parametrize("how", BROKEN)
def test_a_second_client_of_a_name_is_asked_about(how, times, company, books, sync, intuit, make_client):
    first = make_client(first_name="John", last_name="Smith")
    assert sync(scope="customers").status == "succeeded"
    second = make_client(first_name="John", last_name="Smith")
    other = make_client(first_name="Ann", last_name="Lee")
    intuit.fault(how, method="POST", path=BOOKS_WRITES, times=times)
    sync(scope="customers")
    intuit.call("DELETE", "faults")
    job = sync(scope="customers")
    assert not job.in_flight
    assert sorted(row["DisplayName"] for row in books.all("Customer")) == ["Ann Lee", "John Smith"]
    [problem] = Problem.objects.open()
    assert problem.record_id in (first.pk, second.pk)
    assert (problem.data["reason"], problem.record_kind) == ("duplicate_name", "customer")
    assert Link.objects.get(record_id=other.pk).base is not None
    links_are_apart()


@pytest.mark.slow
@pytest.mark.parametrize("number", [2, pytest.param(3, marks=pytest.mark.once)])
@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("kind", ["customer", pytest.param("item", marks=pytest.mark.once)])
def test_equal_records_of_one_batch(kind, how, number, company, books, sync, intuit, make_client, make_item):
    """Of so many that are equal in everything one is made, and each other is asked about."""
    for _ in range(number):
        if kind == "customer":
            make_client(first_name="John", last_name="Smith", email="")
        else:
            make_item(name="Valve", price=10)
    intuit.fault(how, method="POST", path=BOOKS_WRITES, times=1)
    sync(scope=f"{kind}s")
    sync(scope=f"{kind}s")
    entity, field = {"customer": ("Customer", "DisplayName"), "item": ("Item", "Name")}[kind]
    name = {"customer": "John Smith", "item": "Valve"}[kind]
    assert [row[field] for row in books.all(entity)].count(name) == 1
    linked = Link.objects.live().linked().filter(kind=kind, base__isnull=False)
    ours = Client if kind == "customer" else Item
    assert linked.filter(record_id__in=ours.objects.values("pk")).count() >= 1
    asked = Problem.objects.open().filter(record_kind=kind)
    assert asked.count() == number - 1, [problem.message for problem in asked]
    links_are_apart()
    quiet = sync("full")
    assert counts(quiet)[1] == 0, said(quiet, "pushed")
