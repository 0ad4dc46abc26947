"""Pushes that should have come: counted without asking anybody, and what three of them mean."""

import datetime as dt

import pytest

from integrations.jobs import schedule, tasks
from integrations.models import ChangeRow, JobPart, PushChannel, PushMark, Stream, SyncJob, WorkspaceIntegration
from integrations.push.marks import mark
from integrations.push.silence import judge_silence
from integrations.queue.planning import next_sync
from tests.integrations import build
from tests.integrations.build import GOOGLE, NOW

pytestmark = pytest.mark.django_db

SECOND = dt.timedelta(seconds=1)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)


def half() -> float:
    return 0.5


@pytest.fixture
def stream():
    company = build.workspace()
    schedule.integration_of(company, GOOGLE)
    made = Stream.objects.create(
        connection=build.connection(company), container_id="primary", is_target=True, looked_at=NOW - HOUR
    )
    PushChannel.objects.create(
        stream=made, integration=GOOGLE, channel_id="c", state=PushChannel.State.LIVE, opened_at=NOW - 24 * HOUR
    )
    return made


def news(stream: Stream, at: dt.datetime) -> None:
    ChangeRow.objects.create(
        workspace=stream.connection.workspace,
        integration=stream.connection.integration,
        seq=ChangeRow.objects.count() + 1,
        stream=stream,
        action="updated",
        kind=stream.kind or "block",
        changed_at=at,
    )


def synced(stream: Stream, at: dt.datetime, *, found: bool = False, wrote: bool = False, **fields) -> SyncJob:
    """A job that has found something at the vendor, or written something there."""
    company = stream.connection.workspace
    job = build.job(
        company,
        "succeeded",
        integration=stream.connection.integration,
        started_at=at,
        finished_at=at + SECOND,
        pushed=int(wrote),
        **({"triggered_by": "schedule"} | fields),
    )
    JobPart.objects.create(job=job, connection=stream.connection, status="done", direction="bidirectional")
    if found:
        news(stream, at + SECOND / 2)
    if wrote:
        job.items.create(
            connection=stream.connection, kind=stream.kind or "visit", key="k", record_id="r", outcome="pushed"
        )
    schedule.after_job(job, at + SECOND)
    return job


def missed() -> int:
    return sum(PushMark.objects.values_list("missed", flat=True))


@pytest.mark.parametrize("what", ["found", "wrote"])
def test_what_is_found_or_written_without_a_push_counts_once(stream, what):
    synced(stream, NOW, **{what: True})
    assert judge_silence(NOW + 9 * MINUTE) == 0
    assert judge_silence(NOW + 11 * MINUTE) == 1
    assert judge_silence(NOW + 60 * MINUTE) == 0
    assert missed() == 1


@pytest.mark.parametrize("what", ["found", "wrote"])
def test_a_push_that_comes_in_time_is_not_missed(stream, what):
    synced(stream, NOW, **{what: True})
    mark([stream.pk], NOW + 3 * MINUTE, kind="exists")
    assert judge_silence(NOW + 60 * MINUTE) == 0


def test_an_echo_that_came_during_the_run_is_not_missed(stream):
    mark([stream.pk], NOW + SECOND / 2, kind="exists")
    synced(stream, NOW, wrote=True)
    assert judge_silence(NOW + 60 * MINUTE) == 0


def test_a_change_that_a_push_has_told_of_is_not_missed(stream):
    mark([stream.pk], NOW - MINUTE, kind="exists")
    synced(stream, NOW, found=True)
    assert judge_silence(NOW + 60 * MINUTE) == 0


def test_a_push_before_the_last_look_does_not_excuse_the_next_change(stream):
    mark([stream.pk], NOW - MINUTE, kind="exists")
    synced(stream, NOW)
    synced(stream, NOW + 30 * MINUTE, found=True)
    assert judge_silence(NOW + 60 * MINUTE) == 1


@pytest.mark.parametrize("fields", [{"triggered_by": "api"}, {"narrowed": True}])
def test_whoever_finds_what_was_not_told_it_is_missed_and_once(stream, fields):
    synced(stream, NOW, found=True, **fields)
    synced(stream, NOW + 5 * MINUTE)
    assert judge_silence(NOW + 20 * MINUTE) == 1
    synced(stream, NOW + 30 * MINUTE)
    assert judge_silence(NOW + 60 * MINUTE) == 0


def test_what_a_reader_of_the_feed_has_taken_in_between_two_runs_counts_too(stream):
    news(stream, NOW - 20 * MINUTE)
    synced(stream, NOW)
    assert judge_silence(NOW + 60 * MINUTE) == 1


def test_of_what_was_there_before_the_first_look_nobody_was_to_tell(stream):
    Stream.objects.update(looked_at=None)
    synced(stream, NOW, found=True)
    assert judge_silence(NOW + 60 * MINUTE) == 0


@pytest.mark.parametrize("state", [state for state in PushChannel.State if state != PushChannel.State.LIVE])
def test_nothing_is_missed_where_no_channel_is_open(stream, state):
    PushChannel.objects.update(state=state)
    synced(stream, NOW, found=True, wrote=True)
    assert judge_silence(NOW + 60 * MINUTE) == 0


def test_three_in_a_day_and_the_channel_is_lost(stream):
    for number in range(3):
        assert PushChannel.objects.get().state == PushChannel.State.LIVE
        synced(stream, NOW + number * HOUR, found=True)
        judge_silence(NOW + number * HOUR + 20 * MINUTE)
    channel = PushChannel.objects.get()
    assert (channel.state, channel.renew_at) == (PushChannel.State.LOST, NOW + 2 * HOUR + 20 * MINUTE)
    assert missed() == 3
    mark([stream.pk], NOW + 3 * HOUR, kind="exists")
    assert missed() == 0


def test_three_in_three_days_are_none(stream):
    for number in range(3):
        synced(stream, NOW + number * 25 * HOUR, found=True)
        judge_silence(NOW + number * 25 * HOUR + 20 * MINUTE)
    assert (PushChannel.objects.get().state, missed()) == (PushChannel.State.LIVE, 1)


@pytest.fixture
def books(settings):
    settings.INTUIT_WEBHOOK_VERIFIERS = ["verifier"]
    company = build.workspace("Books Inc.")
    connection = build.connection(company, integration="quickbooks", member_id=None, member=None)
    schedule.integration_of(company, "quickbooks")
    kinds = ("customer", "item", "tax", "invoice", "payment")
    return {
        kind: Stream.objects.create(connection=connection, container_id=kind, kind=kind, looked_at=NOW - HOUR)
        for kind in kinds
    }


def interval(books) -> dt.timedelta:
    row = WorkspaceIntegration.objects.get(integration="quickbooks")
    planned = next_sync(row, NOW, half)
    assert planned
    return planned - NOW


def test_books_that_are_told_of_are_read_every_three_hours(books):
    assert interval(books) == 30 * MINUTE
    mark([books["invoice"].pk], NOW, kind="qbo.invoice.updated.v1")
    assert interval(books) == 3 * HOUR


def test_who_has_chosen_how_often_is_not_overruled(books):
    mark([books["invoice"].pk], NOW, kind="qbo.invoice.updated.v1")
    WorkspaceIntegration.objects.update(interval_minutes=15)
    assert interval(books) == 15 * MINUTE
    WorkspaceIntegration.objects.update(interval_minutes=720)
    assert interval(books) == 12 * HOUR


def test_without_a_verifier_books_are_read_as_ever(books, settings):
    mark([books["invoice"].pk], NOW, kind="qbo.invoice.updated.v1")
    settings.INTUIT_WEBHOOK_VERIFIERS = []
    assert interval(books) == 30 * MINUTE


def test_silence_brings_the_schedule_back_at_once(books):
    invoices = books["invoice"]
    mark([invoices.pk], NOW - 24 * HOUR, kind="qbo.invoice.updated.v1")
    WorkspaceIntegration.objects.filter(integration="quickbooks").update(next_sync_at=NOW + 90 * HOUR)
    for number in range(3):
        synced(invoices, NOW + number * HOUR, found=True)
        judge_silence(NOW + number * HOUR + 20 * MINUTE)
    assert interval(books) == 30 * MINUTE
    assert WorkspaceIntegration.objects.get(integration="quickbooks").next_sync_at == NOW + 2 * HOUR + 20 * MINUTE
    mark([invoices.pk], NOW + 4 * HOUR, kind="qbo.invoice.updated.v1")
    assert interval(books) == 3 * HOUR


def test_what_is_lost_is_written_with_no_mark_in_hand(books, django_assert_max_num_queries):
    """Jobs that end hold the integration's row and ask for marks: who asks the other way round locks both out."""
    invoices = books["invoice"]
    mark([invoices.pk], NOW - HOUR, kind="qbo.invoice.updated.v1")
    WorkspaceIntegration.objects.update(next_sync_at=NOW + 3 * HOUR)
    PushMark.objects.update(owed_by=NOW, missed=2, missed_since=NOW - HOUR)
    with django_assert_max_num_queries(20) as queries:
        assert judge_silence(NOW) == 1
    said = [query["sql"] for query in queries.captured_queries]
    ended = max(number for number, sql in enumerate(said) if sql.startswith("RELEASE SAVEPOINT"))
    planned = [number for number, sql in enumerate(said) if "integrations_workspaceintegration" in sql]
    assert planned and min(planned) > ended
    assert WorkspaceIntegration.objects.get(integration="quickbooks").next_sync_at == NOW


def test_trouble_in_judging_silence_keeps_nobody_from_being_told_of_old_data(stream, monkeypatch):
    told = []
    monkeypatch.setattr(tasks.stalls, "watch", told.append)
    monkeypatch.setattr(tasks, "judge_silence", lambda now: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tasks.minutely()
    assert told


def test_of_taxes_nobody_tells(books):
    mark([books["invoice"].pk], NOW, kind="qbo.invoice.updated.v1")
    mark([books["tax"].pk], NOW - HOUR, kind="qbo.taxagency.updated.v1")
    Stream.objects.update(looked_at=NOW - MINUTE)
    synced(books["tax"], NOW, found=True)
    assert judge_silence(NOW + 60 * MINUTE) == 0


def test_a_company_of_which_nothing_was_ever_told_misses_nothing(books):
    synced(books["invoice"], NOW, found=True, wrote=True)
    assert judge_silence(NOW + 60 * MINUTE) == 0
