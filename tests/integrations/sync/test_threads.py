"""With real threads and real transactions: every edit reaches the calendar, and the feed has every change once."""

import datetime as dt
import threading

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import Visit
from integrations.jobs import runner
from integrations.models import ChangeRow, DirtyRow, JobStatus, Link
from integrations.selectors.feed import Feed
from integrations.services.jobs import SyncInProgress, trigger_sync
from integrations.services.observe import observe_pending
from tests.integrations.engine import finish
from tests.integrations.identifiers import known_as

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def one_provider_call_at_a_time(vendors, monkeypatch):
    """The simulated vendor in this process answers one at a time, as its server does."""
    send, lock = vendors.adapter.send, threading.Lock()

    def alone(request, **kwargs):
        with lock:
            return send(request, **kwargs)

    monkeypatch.setattr(vendors.adapter, "send", alone)


def until_over(workspace) -> None:
    """Syncs; where somebody else's job runs, nothing."""
    try:
        job = trigger_sync(workspace=workspace, integration="google_calendar", triggered_by="api", actor="test")
    except SyncInProgress:
        return
    job = finish(job)
    assert job.status == JobStatus.SUCCEEDED, job.errors


def test_edits_made_by_others_while_jobs_run_all_arrive(
    dana, google, sync, make_visits, workspace, in_parallel, transactional_db
):
    visits = make_visits(dana.member, 30)
    sync()
    stop = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            for _ in range(6):
                until_over(workspace)
            stop.set()
            return
        round_ = 0
        while not stop.is_set():
            round_ += 1
            for visit in visits[number::4]:
                Visit.objects.filter(pk=visit.pk).update(title=f"Round {number}.{round_}")
                if stop.wait(0.01):
                    return

    in_parallel(4, work)
    sync()
    titles = {visit.pk: f"{visit.title} · {visit.client}" for visit in Visit.objects.select_related("client")}
    assert {pk: event["summary"] for pk, event in google.ours().items()} == titles
    assert not DirtyRow.objects.exists()


def test_the_feed_has_each_change_once_whoever_takes_it_in(
    dana, google, sync, workspace, in_parallel, transactional_db
):
    sync()
    begin = timezone.now() + dt.timedelta(days=1)
    added = [google.add(f"Private {number}", begin + dt.timedelta(hours=number))["id"] for number in range(20)]
    read: list[str] = []

    def work(number: int) -> None:
        if number == 0:
            until_over(workspace)
        elif number < 3:
            observe_pending(workspace, "google_calendar", 30)
        else:
            position = 0
            for _ in range(20):
                page = Feed(workspace, "google_calendar").page(position, 3)
                read.extend(row.remote_id for row in page.rows)
                position = page.resume
                threading.Event().wait(0.02)

    in_parallel(4, work)
    sync()
    rows = list(ChangeRow.objects.order_by("seq").values_list("seq", "action", "remote_id"))
    assert sorted(remote_id for _, _, remote_id in rows) == sorted(map(known_as, added))
    assert [seq for seq, _, _ in rows] == list(range(rows[0][0], rows[0][0] + len(rows)))
    assert len(read) == len(set(read))
    assert {action for _, action, _ in rows} == {"created"}


def test_a_job_delivered_to_many_workers_at_once_runs_once(
    dana, google, make_visits, workspace, in_parallel, transactional_db
):
    visits = make_visits(dana.member, 60)
    job = trigger_sync(workspace=workspace, integration="google_calendar", triggered_by="api", actor="test")
    in_parallel(6, lambda number: runner.run(job.pk))
    job = finish(job)
    assert (job.status, job.pushed, job.attempts) == (JobStatus.SUCCEEDED, 60, 1)
    assert set(google.ours()) == {visit.pk for visit in visits}
    assert Link.objects.count() == 60
