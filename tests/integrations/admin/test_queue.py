"""The page about the queue: for superusers, to look at only."""

import datetime as dt
import re

import pytest
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule

from integrations.models import Heartbeat, SyncJob
from integrations.queue.ring import queue_broker
from tests.integrations.admin.test_pages import running, text_of

QUEUE = "/admin/django_q/ormq/"


@pytest.fixture
def failure(db) -> Failure:
    now = timezone.now()
    return Failure.objects.create(
        id="f" * 32, name="one", func="integrations.jobs.tasks.run_job", started=now, stopped=now, success=False
    )


def test_what_it_shows(desk, ours, theirs, failure):
    now = timezone.now()
    Heartbeat.objects.create(name="worker", at=now)
    Heartbeat.objects.create(name="ran:alpha", at=now - dt.timedelta(seconds=5))
    Heartbeat.objects.create(name="ran:beta", at=now - dt.timedelta(minutes=9))
    job = running(ours, heartbeat_at=now)
    waiting = SyncJob.objects.create(
        workspace=theirs.workspace, integration="google_calendar", triggered_by="api",
        created_at=now - dt.timedelta(minutes=4, seconds=30),
    )  # fmt: skip
    page = desk("root").get(QUEUE).content.decode()
    said = text_of(page)
    assert "Workers alive 1 " in said
    assert re.search(r"silent beta 9 min ago", said)
    assert "Oldest waiting job waits for 4 min" in said
    for words in ("Ours", "Theirs", failure.func):
        assert words in said
    for each in (job, waiting):
        assert f"/admin/integrations/syncjob/{each.pk}/change/" in page


def test_before_any_worker_ran(desk, ours):
    queue_broker().purge_queue()  # Redis forgets nothing between tests
    said = text_of(desk("root").get(QUEUE).content.decode())
    assert "No worker has run yet" in said
    assert "python manage.py worker" in said
    assert "Tasks in the queue 0" in said


@pytest.mark.slow
def test_only_superusers_see_it_and_nobody_writes(desk, ours, failure):
    schedule = Schedule.objects.create(name="s", func="integrations.jobs.tasks.daily", schedule_type="D")
    task = OrmQ.objects.create(key="fieldcamp", payload="x", lock=timezone.now())
    pages = [
        QUEUE,
        f"{QUEUE}{task.pk}/change/",
        f"/admin/django_q/failure/{failure.pk}/change/",
        "/admin/django_q/failure/",
        "/admin/django_q/schedule/",
        f"/admin/django_q/schedule/{schedule.pk}/change/",
    ]
    for page in pages:
        assert desk("owner").get(page).status_code == 403, page
        assert desk("root").get(page).status_code == 200, page
    for page in (pages[1], pages[2], pages[5]):
        assert desk("root").post(page, {"name": "changed"}).status_code == 403
        assert desk("root").post(page.replace("change", "delete"), {"post": "yes"}).status_code == 403
    assert desk("root").post(f"{QUEUE}add/", {}).status_code == 403
    assert OrmQ.objects.filter(pk=task.pk).exists()
