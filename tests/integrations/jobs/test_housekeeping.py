"""What is too old goes, what is not stays, and readers of the feed are told."""

import datetime as dt

import pytest
from django.contrib.sessions.models import Session

from fieldcamp.api.models import RateWindow
from fieldcamp.workspace import invoicing
from fieldcamp.workspace.models import Change, Client, Invoice, Visit
from integrations.jobs import housekeeping, schedule
from integrations.models import ChangeRow, Heartbeat, JobItem, Link, Problem, Stream, SyncJob
from tests.integrations import build
from tests.integrations.build import GOOGLE, NOW

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def feed_row(workspace, seq: int, days: float) -> ChangeRow:
    return ChangeRow.objects.create(
        workspace=workspace,
        integration=GOOGLE,
        seq=seq,
        action="updated",
        kind="visit",
        remote_id="e",
        changed_at=NOW - days * DAY,
    )


def test_the_feed_is_pruned_by_number_and_says_how_far():
    mine, other = build.workspace(), build.workspace("other")
    for workspace in (mine, other):
        schedule.integration_of(workspace, GOOGLE)
    for seq, days in ((1, 40), (2, 31), (3, 29), (4, 1)):
        feed_row(mine, seq, days)
    feed_row(other, 1, 5)
    assert housekeeping.prune_feed(NOW - 30 * DAY) == 2
    assert set(ChangeRow.objects.values_list("workspace", "seq")) == {(mine.pk, 3), (mine.pk, 4), (other.pk, 1)}
    assert schedule.integration_of(mine, GOOGLE).feed_pruned_to == 2
    assert schedule.integration_of(other, GOOGLE).feed_pruned_to == 0


def test_how_far_the_feed_is_pruned_is_never_taken_back():
    """A cursor that was answered with "gone" stays gone, also where an old row turns up again."""
    workspace = build.workspace()
    row = schedule.integration_of(workspace, GOOGLE)
    row.feed_pruned_to = 50
    row.save()
    feed_row(workspace, 3, 40)
    assert housekeeping.prune_feed(NOW - 30 * DAY) == 1
    assert schedule.integration_of(workspace, GOOGLE).feed_pruned_to == 50


def test_ended_jobs_go_with_their_records_and_running_ones_stay():
    workspace = build.workspace()
    connection = build.connection(workspace)
    old = build.ended(workspace, "succeeded", {connection: "done"}, finished_at=NOW - 91 * DAY)
    JobItem.objects.create(job=old, connection=connection, kind="visit", key="vis_1", outcome="pushed")
    recent = build.ended(workspace, "failed", {}, finished_at=NOW - 89 * DAY)
    running = build.job(workspace, "running", created_at=NOW - 200 * DAY)
    assert housekeeping.prune_jobs(NOW - 90 * DAY) == 1
    assert set(SyncJob.objects.all()) == {recent, running}
    assert not JobItem.objects.exists()


def test_the_daily_work_keeps_to_the_settings(settings, monkeypatch):
    settings.FEED_RETENTION_DAYS, settings.JOB_RETENTION_DAYS, settings.CHANGE_RETENTION_DAYS = 1, 2, 3
    monkeypatch.setattr(housekeeping, "CHUNK", 1)
    workspace = build.workspace()
    schedule.integration_of(workspace, GOOGLE)
    feed_row(workspace, 1, 1.5)
    feed_row(workspace, 2, 0.5)
    build.job(workspace, "succeeded", finished_at=NOW - 2.5 * DAY)
    Heartbeat.objects.create(name="ran:gone", at=NOW - 1.5 * DAY)
    Heartbeat.objects.create(name="worker", at=NOW)
    RateWindow.objects.create(id="key_1:1", ends_at=int((NOW - DAY).timestamp()) - 86_400, used=1)
    for days in (3.5, 3.2, 2.5):
        change = Change.objects.create(workspace=workspace, kind="visit", record_id="v", version=1, action="updated")
        Change.objects.filter(pk=change.pk).update(at=NOW - days * DAY)
    housekeeping.daily(NOW)
    assert list(ChangeRow.objects.values_list("seq", flat=True)) == [2]
    assert not SyncJob.objects.exists()
    assert not RateWindow.objects.exists()
    assert list(Heartbeat.objects.values_list("name", flat=True)) == ["worker"]
    assert Change.objects.filter(record_id="v").count() == 1


@pytest.mark.slow
def test_what_was_deleted_ends_and_what_is_needed_stays(make_client, make_visit, make_technician):
    """A deleted client whom the books have stays as a stone without a name; one with an invoice stays as they are."""
    gone, linked, billed, recent = (make_client(first_name=name, last_name="Quixotry") for name in "ABCD")
    visit = make_visit(client=gone, title="Quixotry leak")
    shown = make_visit(client=recent, title="Quixotry event")
    invoice = invoicing.create_invoice(workspace=billed.workspace, client_id=billed.pk, memo="Quixotry", lines=[])
    connection = build.connection(linked.workspace)
    stream = Stream.objects.create(connection=connection, container_id="1")
    for kind, record, cut in (("customer", linked, None), ("visit", visit, NOW), ("visit", shown, None)):
        seen = {"display_name": "Quixotry", "title": "Quixotry"}
        Link.objects.create(stream=stream, kind=kind, record_id=record.pk, remote_id=record.pk, seen=seen, cut_at=cut)
    old, new = {"deleted_at": NOW - 91 * DAY}, {"deleted_at": NOW - 89 * DAY}
    for record in (gone, linked, billed, visit, shown):
        type(record).objects.filter(pk=record.pk).update(**old)
    Client.objects.filter(pk=recent.pk).update(**new)
    assert housekeeping.prune_deleted(NOW - 90 * DAY, NOW - 365 * DAY) == 4
    # A year after it was deleted nobody is told of it any more.
    assert [Client.objects.get(pk=gone.pk).last_name, Visit.objects.get(pk=visit.pk).title] == ["", "[erased]"]
    assert housekeeping.prune_deleted(NOW - 90 * DAY, NOW - 90 * DAY) == 0
    assert not Client.objects.filter(pk=gone.pk).exists() and not Visit.objects.filter(pk=visit.pk).exists()
    linked.refresh_from_db()
    assert str(linked) == linked.pk and linked.erased_at
    assert Visit.objects.get(pk=shown.pk).title == "[erased]"  # its event is still to be taken away
    assert [*Link.objects.values_list("seen", flat=True)] == [{}, {}, {}]
    assert "Quixotry" not in repr([*Change.objects.filter(record_id__in=[gone.pk, linked.pk, visit.pk]).values()])
    assert {client.last_name for client in Client.objects.filter(pk__in=[billed.pk, recent.pk])} == {"Quixotry"}
    Invoice.objects.filter(pk=invoice.pk).update(**old)
    assert housekeeping.prune_deleted(NOW - 90 * DAY, NOW - 90 * DAY) == 2
    assert Invoice.objects.get(pk=invoice.pk).number == invoice.number and Invoice.objects.get(pk=invoice.pk).memo == ""


def test_ended_sessions_and_solved_problems_go():
    workspace = build.workspace()
    for key, days in (("old", -1), ("live", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=NOW + days * DAY)
    about = {"workspace": workspace, "integration": GOOGLE, "message": "", "occurred_at": NOW - 400 * DAY}
    for code, days in (("CONFLICT", 91), ("RATE_LIMITED", 89)):
        Problem.objects.create(**about, code=code, resolved_at=NOW - days * DAY)
    Problem.objects.create(**about, code="OPEN")
    housekeeping.daily(NOW)
    assert [*Session.objects.values_list("pk", flat=True)] == ["live"]
    assert {*Problem.objects.values_list("code", flat=True)} == {"RATE_LIMITED", "OPEN"}
