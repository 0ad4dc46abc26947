"""The books are asked once for all, page by page, by whoever holds the claim; what is broken off is gone on with."""

import datetime as dt

import pytest
from django.db import connection as database
from django.utils import timezone

from integrations.errors import Unavailable
from integrations.kinds import INVOICE, PAYMENT
from integrations.models import BooksReading, Connection, Link, ReadingPage
from integrations.providers.quickbooks import addresses
from integrations.reconciliation import reading as readings
from integrations.reconciliation.reading import StillReading, read_books, rows_of
from integrations.services.reconciliation import reconcile_now
from tests.integrations.reconciliation.planting import Planting, named


@pytest.fixture
def planting(company, books, sync) -> Planting:
    planting = Planting(company, books)
    planting.fill(unpaid=5, paid=4)
    sync()
    return planting


def asked(intuit) -> int:
    return len(intuit.requests("/v3/company"))


@pytest.mark.slow
def test_a_reading_serves_for_some_minutes_with_what_changed_since(planting, intuit):
    first = read_books(planting.connection)
    planting.total_there(planting.invoices[0], "150")
    intuit.forget_requests()
    assert read_books(planting.connection) == first
    assert [row["path"].rpartition("/")[2] for row in intuit.requests("/v3/company")] == ["cdc", *["query"] * 3]
    assert named(reconcile_now(planting.connection)) == planting.planted
    BooksReading.objects.update(finished_at=timezone.now() - dt.timedelta(minutes=6))
    intuit.forget_requests()
    assert read_books(planting.connection) != first
    assert 1 < asked(intuit) <= 8
    assert BooksReading.objects.count() == 1


@pytest.mark.slow
def test_a_reading_that_cannot_be_brought_up_to_date_is_made_anew(planting):
    first = read_books(planting.connection)
    cursors = {name: {**state, "cursor": "?"} for name, state in first.cursors.items()}
    BooksReading.objects.update(cursors=cursors)
    assert read_books(planting.connection) != first


@pytest.mark.slow
def test_nothing_is_asked_within_a_transaction(planting, intuit):
    open_ones = []

    def look(_path, send):
        open_ones.append(len(database.savepoint_ids))
        return send()

    stop = intuit.around(look)
    before = len(database.savepoint_ids)
    reconcile_now(planting.connection)
    stop()
    assert set(open_ones) == {before}


@pytest.mark.slow
def test_who_comes_second_waits_for_the_first(planting, intuit, monkeypatch):
    """Two web processes: the second finds the claim taken, and has what the first brings."""
    reading = BooksReading.objects.create(
        connection=planting.connection, began_at=timezone.now(), claim="first",
        claimed_until=timezone.now() + dt.timedelta(seconds=60),
    )  # fmt: skip

    def the_first_is_ready(_seconds: float) -> None:
        now = timezone.now()
        BooksReading.objects.filter(pk=reading.pk).update(finished_at=now, as_of=now, claim="", claimed_until=None)

    monkeypatch.setattr(readings.time, "sleep", the_first_is_ready)
    intuit.forget_requests()
    assert read_books(planting.connection) == reading
    assert asked(intuit) == 0


@pytest.mark.slow
def test_who_waits_too_long_is_told_so(planting):
    BooksReading.objects.create(
        connection=planting.connection, began_at=timezone.now(), claim="first", records=2000,
        claimed_until=timezone.now() + dt.timedelta(seconds=60),
    )  # fmt: skip
    with pytest.raises(StillReading, match="2,000 documents so far"):
        read_books(planting.connection, seconds=-1)


@pytest.mark.slow
def test_large_books_are_read_in_several_turns(planting, intuit, monkeypatch):
    """A turn whose time is up leaves what it has; the next goes on there, and reads no page twice."""
    monkeypatch.setattr(addresses, "PAGE", 2)
    monkeypatch.setattr(addresses.select, "__defaults__", ("", 1, 2))
    turns = 0
    while True:
        turns += 1
        try:
            found = read_books(planting.connection, seconds=-1)
        except StillReading:
            assert turns < 20
            continue
        break
    assert turns > 3
    assert len(rows_of(found, INVOICE)) == 9
    assert len(rows_of(found, PAYMENT)) == 4
    listed = [row["path"] for row in intuit.requests("/query")]
    assert len(listed) < 30
    assert named(reconcile_now(planting.connection)) == set()


@pytest.mark.slow
def test_a_dead_reader_is_followed_by_the_next(planting):
    past = timezone.now() - dt.timedelta(seconds=1)
    dead = BooksReading.objects.create(
        connection=planting.connection, began_at=timezone.now(), claim="dead", claimed_until=past
    )
    assert read_books(planting.connection) == dead
    old = timezone.now() - dt.timedelta(hours=2)
    BooksReading.objects.all().delete()
    BooksReading.objects.create(connection=planting.connection, began_at=old, cursors={"Invoice": {"whole": True}})
    assert len(rows_of(read_books(planting.connection), INVOICE)) == 9


@pytest.mark.slow
def test_who_has_lost_the_claim_writes_nothing_more(planting, intuit):
    """Its process stood still, and another has taken over meanwhile."""

    def overtaken(path, send):
        answer = send()
        if "query" in path:
            BooksReading.objects.filter(claim__gt="").update(claim="another")
        return answer

    stop = intuit.around(overtaken)
    with pytest.raises(StillReading):
        read_books(planting.connection, seconds=-1)
    stop()
    assert not ReadingPage.objects.exists()


@pytest.mark.slow
def test_the_books_that_do_not_answer_keep_nobody_waiting_for_good(planting, intuit):
    intuit.fault("status", path="/query", status=503, times=50)
    with pytest.raises(Unavailable):
        read_books(planting.connection)
    intuit.heal()
    assert BooksReading.objects.get().claim == ""
    assert named(reconcile_now(planting.connection)) == set()


@pytest.mark.slow
def test_what_changes_while_the_pages_are_read_is_taken_in(planting, intuit):
    """A payment between the page of invoices and that of payments: both of it, or neither."""
    [invoice, deleted, *_] = planting.invoices
    done = []

    def meanwhile(path, send):
        answer = send()
        if path.endswith("/query") and not done:
            done.append(planting.received_there(invoice, "25"))
            planting.deleted_there(deleted)
        return answer

    stop = intuit.around(meanwhile)
    report = reconcile_now(planting.connection)
    stop()
    assert named(report) == planting.planted


@pytest.mark.slow
def test_what_a_sync_has_seen_since_is_the_newer_word(planting, sync):
    read_books(planting.connection)
    edited, paid = planting.invoices[:2]
    planting.workspace.refresh_from_db()
    posted = planting.add_invoice(planting.clients[0], "77")
    planting.pay(paid, "10")
    edited.memo = "Thanks"
    edited.save()
    assert sync().failed == 0
    assert Link.objects.get(record_id=posted.pk).seen
    assert named(reconcile_now(planting.connection)) == set()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_reports_at_once_share_one_reading(company, books, sync, in_parallel, monkeypatch):
    planting = Planting(company, books)
    planting.fill(unpaid=3, paid=3)
    sync()
    planting.deleted_there(planting.invoices[0])
    begin, begun = readings._begin, []
    monkeypatch.setattr(readings, "POLL", 0.001)  # the clock goes on by that, however long the others really wait
    monkeypatch.setattr(readings, "_begin", lambda *args: begun.append(begin(*args)) or begun[-1])
    found = in_parallel(4, lambda _: named(reconcile_now(Connection.objects.get(pk=company.pk))))
    assert found == [planting.planted] * 4
    assert [one for one in begun if one] == [BooksReading.objects.get()]
