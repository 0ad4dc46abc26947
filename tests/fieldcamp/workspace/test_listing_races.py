"""Readers beside writers: none misses what is saved while it reads, in whatever order transactions end."""

import random
import threading
import time

import pytest
from django.db import connection, connections, transaction

from fieldcamp.workspace import selectors, services
from fieldcamp.workspace.listing import list_all, standing
from fieldcamp.workspace.merging import merge_clients
from fieldcamp.workspace.models import Client, ListCounter, Visit
from fieldcamp.workspace.rest.record_lists import ListPosition, RecordList, RecordPage
from fieldcamp.workspace.tracking import attributed
from tests.conftest import api_client
from tests.fieldcamp.workspace.mirror import Mirror, whole

pytestmark = pytest.mark.django_db(transaction=True)


class OpenTransaction:
    """Does something in a transaction of another connection, which stays open until the end of the `with`."""

    def __init__(self, work):
        self.work, self.done, self.end = work, threading.Event(), threading.Event()
        self.thread, self.errors = threading.Thread(target=self._run), []

    def _run(self) -> None:
        try:
            with transaction.atomic():
                self.work()
                self.done.set()
                assert self.end.wait(timeout=30)
        except BaseException as error:
            self.errors.append(error)
        finally:
            self.done.set()
            connections["default"].close()

    def __enter__(self) -> None:
        self.thread.start()
        assert self.done.wait(timeout=30) and not self.errors, self.errors

    def __exit__(self, *args) -> None:
        self.end.set()
        self.thread.join(timeout=30)
        assert not self.thread.is_alive() and not self.errors, self.errors


def test_what_is_saved_last_is_told_last(api_key, make_client):
    """One client's time was taken first and it is saved last, beside it an edit: readers who were past it get both."""
    api, edited = api_client(api_key()), make_client()
    mirrors = [Mirror(api, "clients"), Mirror(api, "clients", by_time=True)]
    for mirror in mirrors:
        mirror.follow()
    hidden = []

    def work() -> None:
        hidden.append(make_client().pk)
        Client.objects.filter(pk=edited.pk).update(last_name="edited")

    with OpenTransaction(work):
        if connection.vendor == "postgresql":  # SQLite has one writer at a time
            seen = make_client().pk
            assert all(seen in mirror.follow() for mirror in mirrors)
        assert all(hidden[0] not in mirror.rows for mirror in mirrors)
    for mirror in mirrors:
        assert {hidden[0], edited.pk} <= set(mirror.follow())
        assert mirror.rows == whole(api, "clients")


@pytest.mark.slow
def test_a_reader_waits_for_no_writer(workspace, make_client):
    """A writer is busy: what was saved before and has no number yet is shown without."""
    ids = [make_client().pk]

    def page(position: ListPosition) -> RecordPage:
        return RecordList(workspace, selectors.clients(workspace=workspace), tombstones=False).page(position, 50)

    resume = page(ListPosition()).resume
    ids.append(make_client().pk)
    with OpenTransaction(lambda: Client.objects.update(last_name="long")):
        began = time.monotonic()
        shown = page(ListPosition())
        assert [(row.pk, row.last_name) for row in shown.records] == [(pk, "") for pk in ids] and shown.next is None
        assert [row.pk for row in page(resume).records] == ids[1:]
        assert time.monotonic() - began < 10
    assert {(row.pk, row.last_name) for row in page(shown.resume).records} == {(pk, "long") for pk in ids}


def test_two_readers_number_each_record_once(workspace, make_client, in_parallel):
    for _ in range(20):
        make_client()
    assert in_parallel(4, lambda n: standing(Client, workspace, milliseconds=20_000).complete) == [True] * 4
    assert sorted(Client.objects.values_list("list_number", flat=True)) == list(range(1, 21))
    assert ListCounter.objects.get().last == 20


def _write(workspace, number: int, until: float) -> None:
    """Makes, edits, merges and deletes, alone and several in one transaction, by API's and sync's ways."""
    choose = random.Random(number)
    mine: list[str] = []

    def once() -> None:
        what = choose.choice("ccceeeuvvvdm")
        if what == "c" or len(mine) < 3:
            mine.append(services.create_client(workspace=workspace, first_name=f"{number}").pk)
        elif what == "e":
            changes = {"last_name": str(choose.random())}
            services.update_client(workspace=workspace, client_id=choose.choice(mine), changes=changes)
        elif what == "u":
            Client.objects.filter(pk__in=sorted(choose.sample(mine, 2))).update(company_name=str(choose.random()))
        elif what == "d":
            services.delete_client(workspace=workspace, client_id=mine.pop(0))
        elif what == "m":
            merge_clients(workspace=workspace, client_id=mine.pop(0), into_id=mine[0])
        else:
            services.create_visit(workspace=workspace, client_id=choose.choice(mine), title=str(choose.random()))

    pause = threading.Event()  # SQLite gives its one lock to anybody who asks: readers want a turn, too
    while not pause.wait(0.005) and time.monotonic() < until:
        with attributed(source=choose.choice(["api", ""])):
            if choose.random() < 0.3:
                with transaction.atomic():
                    for _ in range(choose.randint(2, 5)):
                        once()
            else:
                once()


@pytest.mark.slow
def test_copies_equal_the_list_beside_many_writers(workspace, api_key, in_parallel):
    """By `resume_cursor` and by time, while the worker numbers too. Contents, not ids alone."""
    secret, seconds = api_key(), 3.0
    made = [
        Mirror(api_client(secret), path, by_time=by_time, limit=20)
        for path in ("clients", "visits")
        for by_time in (False, True)
    ]

    def work(number: int) -> int:
        until, turns = time.monotonic() + seconds, 0
        if number < 4:
            if number < (4 if connection.vendor == "postgresql" else 2):  # SQLite has one writer at a time
                _write(workspace, number, until)
            return 0
        while time.monotonic() < until:
            if number == 4:
                list_all(Client), list_all(Visit)
            for mirror in made[number - 5 :: 2] if number > 4 else ():
                mirror.follow()
            turns += 1
        return turns

    assert min(in_parallel(7, work)[5:])
    last = Client.objects.alive().latest("pk")
    services.delete_client(workspace=workspace, client_id=last.pk)
    api = api_client(secret)
    for mirror in made:
        mirror.follow()
        truth = whole(api, mirror.path.rpartition("/")[2])
        assert truth
        living = {key: row for key, row in mirror.rows.items() if not mirror.by_time or key in truth}
        assert living == truth, mirror.path
    assert last.pk in made[0].deleted and not made[0].deleted & set(made[0].rows)
    assert not Client.objects.filter(listed_at=None).exists()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time: the edit itself waits.")
def test_a_writer_does_not_wait_for_the_counter(api_key, make_client):
    """Somebody numbers the list for long: the edit is answered, and gets its number by the next reader."""
    api, edited = api_client(api_key()), make_client()
    cursor = api.get("/api/v1/clients").json()["meta"]["resume_cursor"]
    with OpenTransaction(lambda: ListCounter.objects.select_for_update().get()):
        began = time.monotonic()
        assert api.patch(f"/api/v1/clients/{edited.pk}", {"lastName": "x"}).status_code == 200
        assert time.monotonic() - began < 10  # and not the thirty seconds that the other one takes
        assert Client.objects.get().listed_at is None
    assert [row["id"] for row in api.get("/api/v1/clients", {"cursor": cursor}).json()["data"]] == [edited.pk]
