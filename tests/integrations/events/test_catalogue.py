"""What the catalogue promises of our events is what they are: each one that is recorded fits its schema."""

import json

import jsonschema
import pytest
from django.utils import timezone

from fieldcamp.webhooks.catalogue import described, example_of
from fieldcamp.webhooks.event_types import EVENT_TYPES
from fieldcamp.webhooks.models import WebhookEvent
from fieldcamp.webhooks.schemas import schema_of
from integrations.errors import ProblemCode
from integrations.events.changes import changes_detected
from integrations.events.connections import connection_granted, connection_moved
from integrations.events.jobs import hold_decided, sync_ended, sync_started
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import ChangeRow, ConnectionState, Hold, JobItem, JobStatus, Stream
from integrations.providers import PROVIDERS
from tests.integrations import build
from tests.integrations.build import NOW

FAMILIES = ("connection", "sync", "conflict", "problem", "change")
OURS = [name for name, each in EVENT_TYPES.items() if each.resource in FAMILIES]
STALLS = ("connection.stalled", "connection.recovered")  # tests/integrations/jobs/test_stalls.py
SHOWN = {"summary": "Boiler", "start": "2026-05-30", "end": "2026-05-31", "all_day": True, "status": "confirmed"}


def check(name: str, body: dict) -> None:
    jsonschema.validate(body, schema_of(name), format_checker=jsonschema.FormatChecker())


@pytest.fixture
def recorded(workspace) -> list[dict]:
    """One event of each of our types at least, recorded as it happens."""
    account = build.connection(workspace, last_synced_at=NOW)
    for state in ConnectionState.values:
        account.state = state
        connection_moved(account, "setup" if state == "active" else "", user=None, code="RATE_LIMITED")
    account.state = "active"
    connection_moved(account, "paused")
    connection_granted(account, "disconnected", user=None)
    job = build.job(workspace, status="running", started_at=NOW)
    sync_started(job)
    stream = Stream.objects.create(connection=account, container_id="c")
    hold = Hold.objects.create(stream=stream, job=job, removals=3, of=4)
    JobItem.objects.create(job=job, connection=account, kind="visit", key="k", outcome="pushed")
    job.pushed, job.finished_at = 1, timezone.now()
    job.errors = [{"code": "CONFLICT", "message": "Say.", "occurred_at": "2026-11-22T08:00:00Z",
                   "connection_id": account.pk, "record": {"kind": "visit", "id": "vis_1"}}]  # fmt: skip
    for status in set(JobStatus.values) - {"queued", "running"}:
        job.status = status
        sync_ended(job)
    for decision in Hold.Decision.values:
        for held_by in (job, None):
            hold.job = held_by
            hold_decided(hold, decision, by_key=True, actor="key_1", request_id="req_1")
    for code in ProblemCode.CONFLICT, ProblemCode.RECORD_REJECTED:
        open_problem(account, code, "Say.", now=NOW, kind="visit", record_id="vis_1", data={"fields": "start"})
    open_problem(account, ProblemCode.NEEDS_RECONNECT, "Ended.", now=NOW)
    resolve_problems(account, now=NOW)
    changes_detected(
        ChangeRow(
            workspace=workspace, integration=provider.name, seq=1, action=action, kind=provider.kinds[0],
            remote_id="r", record_id=record_id, shown=SHOWN, changed_at=NOW,
        )
        for provider in PROVIDERS.values()
        for action in ("created", "deleted")
        for record_id in ("vis_1", "")
    )  # fmt: skip
    return [json.loads(bytes(event.body)) for event in WebhookEvent.objects.all()]


@pytest.mark.slow
def test_each_event_of_ours_fits_its_schema_and_the_example_has_its_keys(recorded):
    assert {body["type"] for body in recorded} == set(OURS) - set(STALLS)
    for body in recorded:
        check(body["type"], body)
    for name in OURS:
        example = example_of(name)
        check(name, example)
        keys = [{*body["data"]["object"]} for body in recorded if body["type"] == name]
        assert name in STALLS or {*example["data"]["object"]} in keys


@pytest.mark.parametrize("name", OURS)
def test_each_of_our_types_is_described(name):
    assert described(name) is not None


def test_a_schema_refuses_what_an_event_is_not(recorded):
    [body] = [body for body in recorded if body["type"] == "sync.needs_confirmation"]
    del body["data"]["object"]["held"]
    with pytest.raises(jsonschema.ValidationError):
        check(body["type"], body)
