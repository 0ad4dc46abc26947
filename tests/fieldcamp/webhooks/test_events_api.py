"""`/events`: the log that catches up what webhooks have missed."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.utils import timezone

from fieldcamp.webhooks.models import EventCounter, WebhookEvent
from fieldcamp.webhooks.recording import record_event
from tests.conftest import api_client
from tests.fieldcamp.webhooks.build import happened

BASE = "/api/v1/events"


def error(response, status: int, code: str) -> dict:
    assert (response.status_code, response.json()["error"]["code"]) == (status, code), response.content
    return response.json()["error"]


def walk(api, query: str = "") -> tuple[list[str], str]:
    """Everything from there to the end, in pages of two, and where to go on."""
    found, cursor = [], ""
    while True:
        page = api.get(f"{BASE}?limit=2&{query}" if not cursor else f"{BASE}?limit=2&cursor={cursor}").json()
        found += [row["id"] for row in page["data"]]
        cursor = page["meta"]["next_cursor"]
        if not cursor:
            return found, page["meta"]["resume_cursor"]


@pytest.mark.django_db
def test_a_reader_gets_each_event_once_and_in_order(api, workspace):
    made = [happened(workspace).pk for _ in range(5)]
    found, resume = walk(api)
    assert found == made
    assert api.get(f"{BASE}?cursor={resume}").json()["data"] == []
    more = happened(workspace, "client.created").pk
    again = api.get(f"{BASE}?cursor={resume}").json()
    assert [row["id"] for row in again["data"]] == [more]


@pytest.mark.django_db
def test_an_event_is_shown_as_it_is_sent(api, workspace):
    event = happened(workspace)
    [listed] = api.get(BASE).json()["data"]
    read = api.get(f"{BASE}/{event.pk}").json()["data"]
    assert listed == read and read["type"] == "visit.created" and read["data"] == {"object": {"id": "vis_1"}}


@pytest.mark.django_db
def test_what_has_no_number_yet_is_not_behind_a_reader(api, workspace):
    """It is numbered after all that a reader has seen."""
    waiting = record_event(workspace.pk, "visit.created", {"id": "vis_2"})
    happened(workspace)
    found, resume = walk(api)
    assert waiting.pk not in found
    error(api.get(f"{BASE}/{waiting.pk}"), 404, "NOT_FOUND")
    last = EventCounter.objects.get().last
    EventCounter.objects.update(last=last + 1)
    WebhookEvent.objects.filter(pk=waiting.pk).update(sequence=last + 1, fanned_out_at=timezone.now())
    assert [row["id"] for row in api.get(f"{BASE}?cursor={resume}").json()["data"]] == [waiting.pk]


@pytest.mark.django_db
def test_types_patterns_and_scopes(api, api_key, workspace):
    visit, invoice = happened(workspace), happened(workspace, "invoice.paid")
    assert walk(api, "type=invoice.*")[0] == [invoice.pk]
    assert walk(api, "type=invoice.paid&type=visit.created")[0] == [visit.pk, invoice.pk]
    narrow = api_client(api_key(scopes=["webhooks:read", "visits:read"]))
    assert walk(narrow)[0] == walk(narrow, "type=*")[0] == [visit.pk]
    error(narrow.get(f"{BASE}?type=invoice.paid"), 403, "INSUFFICIENT_SCOPE")
    assert narrow.get(f"{BASE}?type=invoice.*").json()["data"] == []
    error(api_client(api_key(scopes=["visits:read"])).get(BASE), 403, "INSUFFICIENT_SCOPE")


@pytest.mark.django_db
def test_since_begins_where_something_happened(api, workspace):
    now = timezone.now()
    happened(workspace, at=now - dt.timedelta(hours=3))
    # The later of these was numbered first: its transaction was the shorter one.
    late = happened(workspace, at=now - dt.timedelta(minutes=10))
    early = happened(workspace, at=now - dt.timedelta(minutes=11))
    since = (now - dt.timedelta(minutes=11)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert walk(api, f"since={since}")[0] == [late.pk, early.pk]
    assert walk(api, f"since={(now + dt.timedelta(hours=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}")[0] == []


@pytest.mark.django_db
def test_what_is_older_than_the_log_is_told_where_to_begin(api, workspace):
    happened(workspace)
    cursor = api.get(BASE).json()["meta"]["resume_cursor"]
    found = error(api.get(f"{BASE}?since=2020-01-01T00:00:00Z"), 410, "CURSOR_EXPIRED")
    assert api.get(f"{BASE}?since={found['details']['resync_from']}").status_code == 200
    EventCounter.objects.update(last=9, pruned_to=5)
    assert error(api.get(f"{BASE}?cursor={cursor}"), 410, "CURSOR_EXPIRED")["details"]["resync_from"]
    assert api.get(BASE).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query, code",
    [
        ("cursor=x", "INVALID_CURSOR"),
        ("cursor=x&since=2026-11-01T00:00:00Z", "VALIDATION_ERROR"),
        ("since=now", "VALIDATION_ERROR"),
        ("type=visit.moved", "VALIDATION_ERROR"),
        ("limit=201", "VALIDATION_ERROR"),
    ],
)
def test_wrong_parameters_are_named(api, query, code):
    error(api.get(f"{BASE}?{query}"), 400, code)


@pytest.mark.django_db
def test_a_cursor_belongs_to_its_filters(api, workspace):
    happened(workspace)
    cursor = api.get(f"{BASE}?type=visit.*").json()["meta"]["resume_cursor"]
    error(api.get(f"{BASE}?cursor={cursor}"), 400, "INVALID_CURSOR")
    assert api.get(f"{BASE}?type=visit.*&cursor={cursor}").status_code == 200


@pytest.mark.django_db
def test_a_test_is_read_by_its_id_alone(api, workspace):
    event = record_event(workspace.pk, "visit.created", {"id": "vis_1"})
    WebhookEvent.objects.filter(pk=event.pk).update(is_test=True)
    assert api.get(BASE).json()["data"] == [] and api.get(f"{BASE}/{event.pk}").status_code == 200


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_readers_beside_writers_miss_nothing(api_key, workspace, in_parallel):
    """Events are numbered under the counter's lock, as the fan-out does it; a reader goes on from where it ended."""
    writers, each = 6, 10
    EventCounter.objects.create(workspace=workspace)
    secret = api_key()

    def write() -> None:
        for _ in range(each):
            event = record_event(workspace.pk, "visit.created", {"id": "vis_1"})
            with transaction.atomic():
                counter = EventCounter.objects.select_for_update().get(workspace=workspace)
                counter.last += 1
                counter.save()
                WebhookEvent.objects.filter(pk=event.pk).update(sequence=counter.last, fanned_out_at=timezone.now())

    def read() -> list[str]:
        api, found, cursor = api_client(secret), [], ""
        while len(found) < writers * each:
            page = api.get(f"{BASE}?limit=3" + (f"&cursor={cursor}" if cursor else "")).json()
            found += [row["id"] for row in page["data"]]
            cursor = page["meta"]["resume_cursor"]
        return found

    results = in_parallel(writers + 2, lambda number: write() if number < writers else read())
    in_order = list(WebhookEvent.objects.order_by("sequence").values_list("pk", flat=True))
    assert results[writers] == results[writers + 1] == in_order
    connection.close()
