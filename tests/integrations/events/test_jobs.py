"""Syncs tell when they begin and what they have come to, once for each job however it ends."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.webhooks.models import WebhookEvent
from integrations.jobs import runner, slices, sweeper
from integrations.models import Hold, Link, SyncJob
from integrations.queue.lease import LeaseLost
from integrations.services.decisions import decide_hold
from integrations.services.jobs import cancel_job, trigger_sync
from tests.integrations import build

# As in tests/integrations/sync, with the vendor in memory alone: what is told is the same of all.
from tests.integrations.engine import *  # noqa: F403, I001
from tests.integrations.events.seen import bodies, forget, names, objects

pytestmark = pytest.mark.django_db


@pytest.fixture
def job_of_api(api):
    return lambda job: api.get(f"/api/v1/integrations/jobs/{job.pk}").json()


def quiet() -> list[bool]:
    return list(WebhookEvent.objects.order_by("created_at").values_list("has_changes", flat=True))


def test_a_sync_tells_of_its_beginning_and_its_end(memory, dana, sync, make_visits, job_of_api):
    make_visits(dana.member, 3)
    forget()
    job = sync()
    assert names("sync") == ["sync.started", "sync.completed"]
    [started], [completed] = objects("sync.started"), objects("sync.completed")
    assert completed == job_of_api(job)
    assert completed["counts"]["pushed"] == 3 and completed["counts_by_connection"]
    assert started == {
        **completed,
        "status": "running",
        "finished_at": None,
        "progress": {"stage": None, "done": 0, "total": 0},
        "counts": dict.fromkeys(completed["counts"], 0),
        "counts_by_entity": {},
        "counts_by_connection": {},
    }
    for body in bodies("sync"):
        assert (body["source"]["kind"], body["source"]["job_id"]) == ("sync", job.pk)
        assert (body["source"]["integration"], body["source"]["actor"]) == (job.integration, "test")
    assert quiet() == [True, True]


@pytest.mark.slow
def test_a_quiet_sync_has_no_changes(memory, dana, sync, make_visits):
    make_visits(dana.member, 3)
    sync()
    sync()
    forget()
    sync(mode="full")  # all are looked at and skipped
    assert objects("sync.completed")[0]["counts"]["skipped"] == 3
    assert quiet() == [True, False]
    forget()
    SyncJob.objects.all().delete()
    job = build.job(dana.workspace, integration=dana.integration, triggered_by="schedule", created_at=timezone.now())
    finish(job)  # noqa: F405
    assert (names("sync"), quiet()) == (["sync.started", "sync.completed"], [False, False])


@pytest.mark.slow
def test_a_sync_that_goes_on_in_a_second_slice_has_begun_once(memory, dana, sync, make_visits, monkeypatch):
    make_visits(dana.member, 60)
    forget()
    monkeypatch.setattr(slices, "SLICE", -1.0)
    job = trigger_sync(workspace=dana.workspace, integration=dana.integration, triggered_by="api", actor="test")
    runner.run(job.pk)
    monkeypatch.undo()
    assert names("sync") == ["sync.started"]
    finish(job)  # noqa: F405
    assert names("sync") == ["sync.started", "sync.completed"]


def test_a_sync_whose_accounts_all_fail_has_failed(memory, dana, sync, vendors, job_of_api):
    forget()
    vendors.fault("status", status=500, times=500)
    job = sync()
    assert job.status == "failed"
    assert names("sync") == ["sync.started", "sync.failed"]
    [failed] = objects("sync.failed")
    assert failed == job_of_api(job)
    assert [error["code"] for error in failed["errors"]] == ["PROVIDER_UNAVAILABLE"]
    assert quiet()[-1] is True


def test_a_sync_that_is_cancelled_before_it_begins(memory, dana, job_of_api):
    forget()
    job = trigger_sync(workspace=dana.workspace, integration=dana.integration, triggered_by="api", actor="test")
    cancel_job(job=job, actor="test")
    assert names() == ["sync.cancelled"]
    assert objects("sync.cancelled") == [job_of_api(job)]
    runner.run(job.pk)  # its ring, come late
    assert len(bodies()) == 1


def test_a_running_sync_that_is_asked_to_stop(memory, dana, make_visits, job_of_api):
    forget()
    job = trigger_sync(workspace=dana.workspace, integration=dana.integration, triggered_by="api", actor="test")
    SyncJob.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
    runner.run(job.pk)
    assert names() == ["sync.started", "sync.cancelled"]
    assert objects("sync.cancelled") == [job_of_api(job)]


def test_a_cancelled_sync_that_nobody_took_is_ended_by_the_sweeper(memory, dana, job_of_api):
    forget()
    job = build.job(dana.workspace, integration=dana.integration, cancel_requested_at=timezone.now())
    for _supervisor in range(2):
        sweeper.sweep(timezone.now())
    assert names() == ["sync.cancelled"]
    assert objects("sync.cancelled") == [job_of_api(job)]


def test_a_sync_that_is_given_up_has_failed(workspace, job_of_api):
    now = timezone.now()
    job = build.job(
        workspace, status="running", started_at=now, attempts=sweeper.MAX_ATTEMPTS, lease_owner="dead",
        lease_until=now - dt.timedelta(seconds=1),
    )  # fmt: skip
    for _supervisor in range(2):
        sweeper.sweep(now)
    assert sorted(names()) == ["problem.opened", "sync.failed"]
    assert objects("sync.failed") == [job_of_api(job)]


def test_who_has_lost_the_job_tells_nothing_of_its_end(memory, dana, monkeypatch):
    forget()
    job = trigger_sync(workspace=dana.workspace, integration=dana.integration, triggered_by="api", actor="test")
    real = runner.finish

    def too_late(job, lease, status):
        SyncJob.objects.filter(pk=job.pk).update(lease_owner="another")
        with pytest.raises(LeaseLost):
            real(job, lease, status)
        raise LeaseLost(job.pk)

    monkeypatch.setattr(runner, "finish", too_late)
    runner.run(job.pk)
    assert names("sync") == ["sync.started"]


@pytest.fixture
def held(memory, dana, sync, make_visits, person) -> SyncJob:
    """A job that holds the removal of twelve events back."""
    make_visits(dana.member, 12)
    sync()
    for event in person.events():
        person.delete(event.id)
    forget()
    return sync()


@pytest.mark.slow
@pytest.mark.parametrize(("decision", "told"), [("confirm", "sync.confirmed"), ("reject", "sync.rejected")])
def test_removals_that_are_held_and_decided(held, decision, told, api, job_of_api):
    assert held.status == "needs_confirmation"
    assert names("sync") == ["sync.started", "sync.needs_confirmation"]
    asked = {**job_of_api(held), "held": {"removals": 12}}
    assert objects("sync.needs_confirmation") == [asked]
    assert asked["next_action_url"] and asked["hold_ids"] == [Hold.objects.get().pk]
    forget()
    key = api.get("/api/v1/integrations/problems").json()["problems"]
    [question] = [problem for problem in key if problem["code"] == "CONFIRMATION_NEEDED"]
    choice = {"confirm": "cut_loose", "reject": "put_back"}[decision]
    answer = api.post(f"/api/v1/integrations/problems/{question['id']}/answer", {"choice": choice})
    assert answer.status_code in (200, 202), answer.content
    assert objects(told) == [asked]
    [body] = [body for body in bodies() if body["type"] == told]
    assert body["source"]["kind"] == "api" and body["source"]["job_id"] == held.pk
    assert objects("problem.resolved")[0]["code"] == "CONFIRMATION_NEEDED"


@pytest.mark.slow
def test_a_decision_about_a_job_that_is_forgotten(held, django_user_model):
    Link.objects.update(unsettled=False)
    SyncJob.objects.all().delete()
    forget()
    hold = Hold.objects.select_related("stream__connection__workspace").get()
    decide_hold(hold=hold, decision="reject", user=django_user_model.objects.create_user("olga"))
    [shown] = objects("sync.rejected")
    assert shown["job_id"] is None and shown["held"] == {"removals": 12}
    assert bodies("sync")[0]["source"]["kind"] == "desk"
