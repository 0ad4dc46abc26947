"""The calls behind a record by API: page by page, and for nobody who may not read the record."""

import datetime as dt

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.api.pagination import encode_cursor, list_name
from fieldcamp.workspace.models import Client
from integrations.models import Link, RecordCall, Stream
from tests.conftest import api_client
from tests.integrations import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def stream(workspace) -> Stream:
    connection = build.connection(workspace, integration="quickbooks", member=None)
    return Stream.objects.create(connection=connection, container_id="customer", kind="customer")


def called(stream: Stream, number: int, record_id: str, **fields) -> RecordCall:
    values = {
        "kind": "customer", "purpose": "update", "at": build.NOW + dt.timedelta(seconds=number), "method": "POST",
        "path": "/v3/company/***/customer", "status": "200", "ms": 5, "remote_id": "58", "job": "syn_1",
        "request": {"email": "kim@reed.test"},
    }  # fmt: skip
    return RecordCall(id=f"cal_{number:026}", stream=stream, record_id=record_id, **{**values, **fields})


@pytest.mark.slow
def test_ten_thousand_calls_are_read_page_by_page(workspace, stream, make_client, api):
    client = make_client(last_name="Reed")
    Link.objects.create(stream=stream, kind="customer", record_id=client.pk, remote_id="58")
    RecordCall.objects.bulk_create(
        # Every tenth was listed before FieldCamp had the client; and somebody else's is among them.
        [called(stream, number, "" if number % 10 == 0 else client.pk) for number in range(10_000)]
        + [called(stream, 20_000, "cli_other", remote_id="59"), called(stream, 20_001, "", remote_id="59")]
    )
    address = f"/api/v1/clients/{client.pk}/sync/calls"
    name = list_name(address, workspace.pk, {})

    def page(cursor: str = "") -> tuple[list[str], str, int]:
        with CaptureQueriesContext(database) as asked:
            answer = api.get(f"{address}?limit=200{cursor and f'&cursor={cursor}'}").json()
        return [row["id"] for row in answer["data"]], answer["meta"]["next_cursor"], len(asked)

    page()  # the key's first call
    first, cursor, queries = page()
    second, _, again = page(cursor)
    assert [*first, *second] == [f"cal_{number:026}" for number in range(9_999, 9_599, -1)]
    last, end, at_the_end = page(encode_cursor(name, [f"cal_{100:026}"]))
    assert last == [f"cal_{number:026}" for number in range(99, -1, -1)] and end is None
    assert queries == again == at_the_end


@pytest.mark.slow
def test_it_takes_both_scopes_and_the_own_company(workspace, second_workspace, stream, make_client, api_key):
    mine, other = make_client(last_name="Reed"), Client.objects.create(workspace=second_workspace, first_name="Theirs")
    RecordCall.objects.bulk_create([called(stream, 1, mine.pk, status="ReadTimeout"), called(stream, 2, mine.pk)])

    def ask(pk: str, *scopes: str, query: str = "", **fields):
        answer = api_client(api_key(scopes=[*scopes], **fields)).get(f"/api/v1/clients/{pk}/sync/calls{query}")
        return answer.status_code, (answer.json().get("error") or {}).get("code"), answer.json()

    both = ("clients:read", "integrations:read")
    assert ask(mine.pk, "clients:read")[:2] == ask(mine.pk, "integrations:read")[:2] == (403, "INSUFFICIENT_SCOPE")
    status, _, answer = ask(mine.pk, *both)
    assert status == 200 and [row["failure"] for row in answer["data"]] == [None, "ReadTimeout"]
    assert ask(other.pk, *both)[:2] == ask("cli_nobody", *both)[:2] == (404, "NOT_FOUND")
    assert ask(mine.pk, *both, workspace=second_workspace)[:2] == (404, "NOT_FOUND")
    assert ask(mine.pk, *both, query="?page=2")[:2] == (400, "VALIDATION_ERROR")
    assert ask(mine.pk, *both, query="?limit=0")[:2] == (400, "VALIDATION_ERROR")
    cursor = ask(mine.pk, *both, query="?limit=1")[2]["meta"]["next_cursor"]
    sibling = make_client(last_name="Other")
    assert ask(sibling.pk, *both, query=f"?cursor={cursor}")[:2] == (400, "INVALID_CURSOR")
    # Rows of another company's stream under our record's id are nobody's.
    theirs = Stream.objects.create(connection=build.connection(second_workspace), container_id="main")
    RecordCall.objects.bulk_create([called(theirs, 3, mine.pk)])
    assert len(ask(mine.pk, *both)[2]["data"]) == 2
    Client.objects.filter(pk=mine.pk).update(deleted_at=timezone.now())
    assert [row["request"] for row in ask(mine.pk, *both)[2]["data"]] == [None, None]  # as all words of what is deleted
