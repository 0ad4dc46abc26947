"""Batches beside other calls about the same records: nobody waits for somebody who waits for them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fieldcamp.workspace import services
from fieldcamp.workspace.models import Client, Visit
from tests.conftest import api_client

TURNS = 12


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_batches_and_single_calls_about_the_same_records_all_come_through(
    api_key, make_client, make_visit, in_parallel
):
    """Two that name the records in opposite orders, an edit that moves a visit to another client, and a merge."""
    secret = api_key()
    clients = [make_client().pk for _ in range(3)]
    visits = [make_visit(client=Client.objects.get(pk=clients[n % 2])).pk for n in range(4)]

    def batch(caller, turn: int, order: int) -> int:
        items = [{"op": "update", "id": pk, "data": {"title": f"{order} {turn}"}} for pk in visits[::order]]
        items += [{"op": "create", "data": {"clientId": pk, "title": "New"}} for pk in clients[1::order]]
        return caller.post("/api/v1/visits/batch", {"items": items, "atomic": True}).status_code

    def work(number: int) -> set[int]:
        caller, found = api_client(secret), set()
        for turn in range(TURNS):
            if number < 2:
                found.add(batch(caller, turn, 1 - 2 * number))
                continue
            if number == 2:
                pk = visits[turn % 4]
                sent = {"clientId": clients[turn % 2], "title": f"single {turn}"}
                found.add(caller.patch(f"/api/v1/visits/{pk}", sent).status_code)
                continue
            extra = caller.post("/api/v1/clients", {"firstName": "Twin"}).json()["data"]["id"]
            found.add(caller.patch(f"/api/v1/visits/{visits[-1]}", {"clientId": extra}).status_code)
            into = {"into": clients[turn % 2]}
            found.add(caller.post(f"/api/v1/clients/{extra}/merge", into).status_code)
        return found

    assert in_parallel(4, work) == [{200}] * 4
    assert not Visit.objects.exclude(client__in=clients).exists()


@pytest.mark.django_db
def test_an_edit_locks_the_client_before_the_visit(make_client, make_visit):
    """As batches and merges do."""
    visit, other = make_visit(client=make_client()), make_client()
    with CaptureQueriesContext(connection) as seen:
        services.update_visit(workspace=visit.workspace, visit_id=visit.pk, changes={"client_id": other.pk})
    reads = [query["sql"] for query in seen if query["sql"].startswith("SELECT")]
    assert 'FROM "workspace_client"' in reads[0] and 'FROM "workspace_visit"' in reads[1]
