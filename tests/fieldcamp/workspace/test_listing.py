"""Lists that others follow: all that has changed comes, each in its place, and what was deleted as a tombstone."""

import datetime as dt

import pytest
import time_machine
from django.db import OperationalError, connection, models
from django.utils import timezone

from fieldcamp.api.pagination import parse_instant
from fieldcamp.workspace import listing, selectors, services
from fieldcamp.workspace.merging import merge_clients
from fieldcamp.workspace.models import Client, Invoice, ListCounter, Visit
from fieldcamp.workspace.rest.record_lists import RecordList
from fieldcamp.workspace.tracking import number_lists
from tests.fieldcamp.workspace.answers import data, details
from tests.fieldcamp.workspace.mirror import Mirror, whole

pytestmark = pytest.mark.django_db
YEAR = dt.timedelta(days=365)


def meta(api, path: str, **query) -> dict:
    return api.get(f"/api/v1/{path}", query).json()["meta"]


@pytest.mark.slow
def test_a_copy_equals_the_list_whatever_is_done(api, client, make_client, make_visit):
    """Each way to write: saves, updates in bulk, new rows, what is no version, lines, payments, merges, deletes."""
    post = lambda path, body=None: api.post(f"/api/v1/{path}", body or {}).json()["data"]  # noqa: E731
    paths = ("clients", "visits", "items", "taxes", "invoices", "payments")
    mirrors = {path: Mirror(api, path, limit=2) for path in paths}

    def check(*changed: str) -> None:
        for path, mirror in mirrors.items():
            assert bool(mirror.follow()) is (path in changed), path
            assert mirror.rows == whole(api, path), path

    twin, visit = make_client(), make_visit(client=client)
    item, tax = post("items", {"name": "Pipe"}), post("taxes", {"name": "City", "rate": 0.08})
    invoice = post("invoices", {"clientId": client.pk, "lines": [{"itemId": item["id"], "unitPrice": 5}]})
    check("clients", "visits", "items", "taxes", "invoices")
    check()
    Visit.objects.filter(pk=visit.pk).update(job_id="J1")  # told, and no version
    api.patch(f"/api/v1/taxes/{tax['id']}", {"description": "told"})
    check("visits", "taxes")
    Client.objects.bulk_create([Client(workspace=client.workspace, first_name=str(n)) for n in range(3)])
    api.patch(f"/api/v1/invoices/{invoice['id']}", {"lines": [{"itemId": item["id"], "unitPrice": 7}]})
    check("clients", "invoices")
    post(f"invoices/{invoice['id']}/send")
    shares = [{"invoiceId": invoice["id"], "amount": 3}]
    payment = post("payments", {"clientId": client.pk, "amount": 4, "allocations": shares})
    check("invoices", "payments")
    post(f"payments/{payment['id']}/void")
    api.delete(f"/api/v1/items/{item['id']}")
    check("invoices", "payments", "items")
    merge_clients(workspace=client.workspace, client_id=client.pk, into_id=twin.pk)
    check("clients", "visits", "invoices", "payments")
    api.delete(f"/api/v1/visits/{visit.pk}")
    check("visits")
    deleted = {path: mirror.deleted for path, mirror in mirrors.items() if mirror.deleted}
    assert deleted == {"clients": {client.pk}, "visits": {visit.pk}, "items": {item["id"]}}


def test_tombstones_stand_in_their_place_whatever_the_filters(api, make_client):
    first, second = make_client(stage="New"), make_client()
    whole(api, "clients")
    services.delete_client(workspace=first.workspace, client_id=first.pk)
    third = make_client()
    for query in ({}, {"search": "nobody"}):
        rows = data(api.get("/api/v1/clients", query | {"includeDeleted": "true"}))
        assert [row["id"] for row in rows] == ([second.pk, first.pk, third.pk] if not query else [first.pk])
    stone = next(row for row in rows if row["id"] == first.pk)
    gone = Client.objects.get(pk=first.pk)
    assert stone["deleted"] is True and parse_instant(stone["deletedAt"]) == gone.deleted_at
    assert parse_instant(stone["updatedAt"]) == gone.updated_at
    assert set(whole(api, "clients", includeDeleted="false")) == {second.pk, third.pk}
    assert list(details(api.get("/api/v1/clients?includeDeleted=yes"))) == ["includeDeleted"]


def test_filters_of_other_tables_and_tombstones_go_together(api, client):
    """A payment of two invoices comes once, and one of another invoice not at all."""
    post = lambda path, body=None: data(api.post(f"/api/v1/{path}", body or {}), 201 if body else 200)["id"]  # noqa: E731
    one, other, draft = (post("invoices", {"clientId": client.pk, "lines": [{"unitPrice": 9}]}) for _ in range(3))
    post(f"invoices/{one}/send"), post(f"invoices/{other}/send")
    shares = [{"invoiceId": invoice, "amount": 1} for invoice in (one, other)]
    pay = {"clientId": client.pk, "amount": 5, "method": "cash"}
    both, second = (post("payments", pay | {"allocations": each}) for each in (shares, shares[1:]))
    data(api.delete(f"/api/v1/invoices/{draft}"))
    for path, query, ids in (
        ("payments", {"invoiceId": one}, {both}),
        ("payments", {"invoiceId": other, "method": "cash"}, {both, second}),
        ("invoices", {"status": "partial"}, {one, other, draft}),
    ):
        rows = data(api.get(f"/api/v1/{path}", query | {"includeDeleted": "true"}))
        assert sorted(row["id"] for row in rows) == sorted(ids)


def test_what_is_older_than_the_tombstones_is_refused(api, make_client):
    gone, _ = make_client(), make_client()
    services.delete_client(workspace=gone.workspace, client_id=gone.pk)
    cursors = [meta(api, "clients", includeDeleted="true"), meta(api, "clients", includeDeleted="true", limit=1)]
    plain = meta(api, "clients")["resume_cursor"]
    with time_machine.travel(timezone.now() + YEAR + dt.timedelta(hours=2)):
        for cursor in (cursors[0]["resume_cursor"], cursors[1]["next_cursor"]):
            answer = api.get("/api/v1/clients", {"includeDeleted": "true", "cursor": cursor})
            found = details(answer, 410, "CURSOR_EXPIRED")
            again = api.get("/api/v1/clients", {"includeDeleted": "true", "since": found["resync_from"]})
            assert again.status_code == 200
        old = (timezone.now() - YEAR - dt.timedelta(hours=3)).isoformat()
        details(api.get("/api/v1/clients", {"includeDeleted": "true", "since": old}), 410, "CURSOR_EXPIRED")
        assert data(api.get("/api/v1/clients", {"since": old})) and gone.pk not in whole(api, "clients", since=old)
        assert data(api.get("/api/v1/clients", {"cursor": plain})) == []
        assert gone.pk not in whole(api, "clients", includeDeleted="true")  # nor is it told for the first time


def test_a_resume_cursor_works_with_and_without_since(api, make_client):
    make_client()
    since = timezone.now().isoformat()
    cursor = meta(api, "clients", since=since)["resume_cursor"]
    new = make_client()
    for query in ({}, {"since": since}, {"since": timezone.now().isoformat()}):
        assert [row["id"] for row in data(api.get("/api/v1/clients", {"cursor": cursor} | query))] == [new.pk]
    empty = meta(api, "clients", search="nobody")
    assert empty["next_cursor"] is None and empty["has_more"] is False
    assert data(api.get("/api/v1/clients", {"search": "nobody", "cursor": empty["resume_cursor"]})) == []


def test_a_late_change_is_told_though_its_time_is_earlier(api, make_client):
    """As another transaction's is that took its time first and was saved last."""
    seen = make_client()
    mirrors = [Mirror(api, "clients"), Mirror(api, "clients", by_time=True)]
    assert [mirror.follow() for mirror in mirrors] == [[seen.pk]] * 2
    late = make_client()
    models.QuerySet(Client).filter(pk=late.pk).update(updated_at=seen.updated_at - dt.timedelta(minutes=3))
    assert all(late.pk in mirror.follow() for mirror in mirrors)


def test_times_of_another_clock_move_little(api, make_client):
    """One machine's clock is ahead: what is saved by the others afterwards is told all the same."""
    ahead = make_client()
    models.QuerySet(Client).filter(pk=ahead.pk).update(updated_at=timezone.now() + dt.timedelta(minutes=2))
    mirror = Mirror(api, "clients", by_time=True)
    mirror.follow()
    new = make_client()
    assert new.pk in mirror.follow()
    models.QuerySet(Client).filter(pk=ahead.pk).update(updated_at=timezone.now() + YEAR, listed_at=None)
    whole(api, "clients")
    assert ListCounter.objects.get().at < timezone.now() + dt.timedelta(minutes=6)


def test_an_invoice_that_becomes_overdue_is_told(api, client, django_assert_num_queries, call_queries):
    day = timezone.now().date()
    body = {"clientId": client.pk, "dueDate": str(day + dt.timedelta(days=3)), "lines": [{"unitPrice": 5}]}
    due, draft = (data(api.post("/api/v1/invoices", body), 201) for _ in range(2))
    data(api.post(f"/api/v1/invoices/{due['id']}/send"))
    mirror = Mirror(api, "invoices")
    mirror.follow()
    with time_machine.travel(timezone.now() + dt.timedelta(days=5)):
        assert mirror.follow() == [due["id"]] and mirror.rows == whole(api, "invoices")
        assert mirror.rows[due["id"]]["status"] == "overdue" and Invoice.objects.get(pk=due["id"]).version == 2
        with django_assert_num_queries(call_queries + 2):  # how far it is numbered; the page
            assert mirror.follow() == []


def test_what_is_written_is_numbered_by_the_next_reader_or_the_worker(api, make_client):
    """`since` repeats no more than what was written since somebody, or the worker, looked last."""
    assert whole(api, "clients") == {}
    old, pulled = make_client(), make_client()
    number_lists()
    since = timezone.now().isoformat()
    assert whole(api, "clients", since=since) == {}
    assert data(api.patch(f"/api/v1/clients/{old.pk}", {"lastName": "x"}))
    assert Client.objects.get(listed_at=None) == old
    assert set(whole(api, "clients", since=since)) == {old.pk} and pulled.pk in whole(api, "clients")
    assert ListCounter.objects.get().last == 3


def test_who_goes_on_by_time_misses_nothing_that_is_numbered_beside_the_page(api, make_client, monkeypatch):
    """Between how far the list stood and the page: one record is made and numbered, another shows a later time."""
    shown, made = make_client(), []
    whole(api, "clients", includeDeleted="true")
    real = RecordList.page

    def page(self, *args, **kwargs):
        if not made:
            made.append(make_client().pk)
            listing.standing(Client, shown.workspace)
            services.update_client(workspace=shown.workspace, client_id=shown.pk, changes={"last_name": "Later"})
        return real(self, *args, **kwargs)

    monkeypatch.setattr(RecordList, "page", page)
    seen = whole(api, "clients", includeDeleted="true")
    latest = max(row["updatedAt"] for row in seen.values())
    assert made[0] in {**seen, **whole(api, "clients", includeDeleted="true", since=latest)}


def test_a_busy_database_hides_nothing(api, make_client, monkeypatch):
    """Where the list cannot be numbered what has changed is shown all the same, by pages, and once more afterwards."""
    mirror = Mirror(api, "clients", limit=2)
    old = [make_client() for _ in range(3)]
    mirror.follow()
    new = sorted(make_client().pk for _ in range(3))
    Client.objects.filter(pk=old[0].pk).update(first_name="edited")

    def busy(*args):
        raise OperationalError("database is locked")

    monkeypatch.setattr(listing, "_give_numbers", busy)
    assert sorted(mirror.follow()) == sorted([old[0].pk, *new]) and mirror.rows == whole(api, "clients")
    services.delete_client(workspace=old[0].workspace, client_id=new[0])
    assert sorted(mirror.follow()) == sorted([old[0].pk, *new]) and mirror.rows == whole(api, "clients")
    monkeypatch.undo()
    assert sorted(mirror.follow()) == sorted([old[0].pk, *new]) and mirror.follow() == []
    assert mirror.rows == whole(api, "clients")


def test_thousands_at_once_are_numbered_in_portions(api, workspace, make_client, monkeypatch):
    monkeypatch.setattr(listing, "AT_ONCE", 4)
    ids = [make_client().pk for _ in range(9)]
    assert [row["id"] for row in data(api.get("/api/v1/clients"))] == ids
    assert list(Client.objects.values_list("list_number", flat=True)) == list(range(1, 10))


def test_pages_are_read_by_an_index(api, workspace, make_client):
    """With `includeDeleted` too, and with filters: from the place on, in its order, without sorting what is left."""
    whole(api, "clients")
    by_index, sorting = "client_listed (workspace_id=? AND list_number>?)", "TEMP B-TREE"
    if connection.vendor == "postgresql":  # which reads a small table as a whole, unless it is told not to
        by_index, sorting = "using client_listed on", "Sort"
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    for tombstones in (False, True):
        clients = selectors.clients(workspace=workspace, search="x")
        shown = RecordList(workspace, clients, tombstones=tombstones).shown
        plan = shown.filter(list_number__gt=5).order_by("list_number")[:51].explain()
        assert by_index in plan and sorting not in plan, plan
    if connection.vendor == "sqlite":
        waiting = models.QuerySet(Client).filter(workspace=workspace, listed_at=None)
        assert "client_listed_at" in waiting.explain()
