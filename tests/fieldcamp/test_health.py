"""/healthz and /readyz: what a load balancer and an alarm ask."""

import datetime as dt

import pytest
import time_machine
from django.db import DatabaseError

from fieldcamp import health
from integrations.models import Heartbeat
from tests.integrations import build
from tests.integrations.build import NOW

SECOND = dt.timedelta(seconds=1)


def test_a_process_that_answers_is_up(client):
    """Without a database: restarting this process would not bring that back."""
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("heartbeat", "queued", "status"), [(59, 299, 200), (61, 0, 503), (None, 0, 503), (1, 301, 503)]
)
def test_ready_means_that_work_is_taken_up(client, heartbeat, queued, status):
    if heartbeat is not None:
        Heartbeat.objects.create(name="worker", at=NOW - heartbeat * SECOND)
    build.job(build.workspace(), created_at=NOW - queued * SECOND)
    with time_machine.travel(NOW, tick=False):
        answer = client.get("/readyz")
    assert answer.status_code == status
    assert answer.json()["worker_heartbeat_age_seconds"] == heartbeat
    assert answer.json()["oldest_queued_job_age_seconds"] == queued
    assert "no-store" in answer["Cache-Control"]


def test_no_database_is_not_ready(client, monkeypatch):
    def away(_now):
        raise DatabaseError("the password is hunter2")

    monkeypatch.setattr(health, "queue_health", away)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "database": False})
