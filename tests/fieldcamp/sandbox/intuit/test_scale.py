"""Large books stay quick: what is asked for is found by an index."""

import pytest

from .conftest import PLUMBING

pytestmark = pytest.mark.slow


@pytest.fixture
def large(books):
    books.create("item", Name="Labor", Type="Service", IncomeAccountRef={"value": "1"})
    counts = {"customers": 200, "invoices": 3000}
    assert books.control("bulk", {"vendor": "intuit", "account": PLUMBING, **counts}).status_code == 200
    return books


def steps(app, ask):
    """How many thousand instructions SQLite ran for it: the same on every machine."""
    counted = [0]

    def count():
        counted[0] += 1
        return 0

    database = app.state._db
    database.set_progress_handler(count, 1000)
    try:
        ask()
    finally:
        database.set_progress_handler(None, 0)
    return counted[0]


@pytest.mark.parametrize(
    "where",
    [
        "DocNumber = '{DocNumber}'",
        "DocNumber in ('{DocNumber}', 'x', 'y')",
        "CustomerRef = '{customer}' and Balance >= '0'",
        "Id = '{Id}'",
    ],
)
def test_a_few_invoices_are_found_without_reading_all(app, large, where):
    known = large.query("select * from Invoice startposition 1500 maxresults 1")["Invoice"][0]
    statement = where.format(customer=known["CustomerRef"]["value"], **known)
    found = []
    ran = steps(app, lambda: found.extend(large.query(f"select * from Invoice where {statement}")["Invoice"]))
    assert known in found and len(found) < 100
    assert ran < 10


def test_changes_are_found_without_reading_all(app, large, clock):
    known = large.query("select * from Invoice startposition 1500 maxresults 1")["Invoice"][0]
    clock.now += 60
    large.changed("invoice", known, PrivateNote="x")
    since = "2026-11-22T04:01:00-08:00"
    assert steps(app, lambda: large.call("GET", "cdc", entities="Invoice", changedSince=since)) < 10
    rows = large.call("GET", "cdc", entities="Invoice", changedSince=since).json()["CDCResponse"][0]["QueryResponse"]
    assert [each["Id"] for each in rows[0]["Invoice"]] == [known["Id"]]


def test_pages_cover_everything_once(large):
    ids = []
    for start in range(1, 3002, 1000):
        rows = large.query(f"select Id from Invoice startposition {start} maxresults 1000").get("Invoice", [])
        ids += [row["Id"] for row in rows]
    assert len(ids) == len(set(ids)) == 3000 and ids == sorted(ids, key=int)
