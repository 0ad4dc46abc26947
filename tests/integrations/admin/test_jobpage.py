"""A job's page tells a story: a name, a line, what was done for whom and when, what was changed from what to what."""

import csv
import datetime as dt
import io

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import Change
from integrations.models import JobItem, JobPart, Link, Problem, RecordCall, SyncJob
from integrations.models.jobs import STORY
from tests.integrations.admin.conftest import GOOGLE, pages_of
from tests.integrations.admin.test_pages import text_of

AT = dt.datetime(2026, 11, 28, 2, 0, 14, tzinfo=dt.UTC)


def main_of(response) -> str:
    html = response.content.decode()
    return html[html.index("<main") : html.index("</main>")]


def read(desk, job, **query) -> str:
    return text_of(main_of(desk().get(f"/admin/integrations/syncjob/{job.pk}/change/", query)))


@pytest.fixture
def told(ours) -> SyncJob:
    """A run that has sent one visit and taken one in, with its story written down."""
    SyncJob.objects.filter(pk=ours.job.pk).update(
        created_at=AT, started_at=AT, finished_at=AT + dt.timedelta(seconds=3.2), pushed=1, pulled=0, failed=1
    )
    story = {
        "began": AT.isoformat(), "compared": (AT + dt.timedelta(seconds=1)).isoformat(),
        "ended": (AT + dt.timedelta(seconds=3)).isoformat(), "records": 61, "reads": 2, "writes": 3,
    }  # fmt: skip
    JobPart.objects.filter(job=ours.job).update(progress={STORY: {ours.stream.pk: story}})
    JobItem.objects.filter(job=ours.job, kind="visit").update(action="update_remote")
    ours.job.refresh_from_db()
    return ours.job


def test_it_is_named_by_whose_and_when(desk, told, ours):
    assert str(told).startswith("Google Calendar, ")
    page = desk().get(pages_of(ours)["job"]).content.decode()
    assert "Google Calendar, Fri 27 Nov" in page and ", 21:00:14" in page


def test_its_story(desk, told):
    said = read(desk, told)
    assert (
        "Took 3.2 s. 1 sent, 1 waits for you, 10 removals wait for your answer. Asked for by Somebody of Ours." in said
    )
    for step in ("21:00:14 read 61 changes from Google Calendar (2 calls)", "21:00:15 compared 2",
                 "21:00:17 sent 1 (3 calls)", "1 waits for you"):  # fmt: skip
        assert step in said, step
    assert "1 visit changed in Google Calendar" in said
    assert "1 busy time waits for you" in said


def test_a_job_that_changed_nothing_is_short(desk, ours):
    now = timezone.now()
    quiet = SyncJob.objects.create(
        workspace=ours.workspace, integration=GOOGLE, status="succeeded", triggered_by="push", created_at=now,
        started_at=now, finished_at=now,
    )  # fmt: skip
    JobPart.objects.create(job=quiet, connection=ours.connection, status="done")
    said = read(desk, quiet)
    assert "Nothing had changed on either side. Asked for by a notice from Google Calendar." in said
    assert "The run before:" in said and "1 sent, 1 waits for you" in said
    assert "How it went" not in said and "Records" not in said


@pytest.mark.slow
def test_what_was_changed_stands_old_to_new(desk, told, ours):
    call = {"stream": ours.stream, "kind": "visit", "record_id": ours.visit.pk, "remote_id": "e", "method": "PATCH",
            "path": "/e", "status": "200", "ms": 1}  # fmt: skip
    RecordCall.objects.create(id="cal_1", job="", purpose="list", at=AT, response={"title": "Old title"}, **call)
    RecordCall.objects.create(
        id="cal_2", job=told.pk, purpose="update", at=AT, request={"title": "New title", "place": None}, **call
    )
    page = main_of(desk().get(pages_of(ours)["job"]))
    assert "<del>Old title</del>" in page and "<ins>New title</ins>" in page
    JobItem.objects.filter(job=told, kind="visit").update(outcome="pulled", action="pull")
    Change.objects.create(
        workspace=ours.workspace, kind="visit", record_id=ours.visit.pk, version=2, action="updated", job=told.pk,
        before={"title": "Here before"}, after={"title": "From there"},
    )  # fmt: skip
    page = main_of(desk().get(pages_of(ours)["job"]))
    assert "<del>Here before</del>" in page and "<ins>From there</ins>" in page


@pytest.mark.slow
def test_records_are_found_by_name_kind_and_what_was_done(desk, told, ours):
    assert "Visit of Ours" in read(desk, told, q="visit OF ours")
    assert "Visit of Ours" in read(desk, told, q="Client of Ours")
    assert "No record matches." in read(desk, told, q="Theirs")
    assert "Busy time" not in read(desk, told, kind="visit").partition("Records")[2].partition("Find")[2]
    assert "Visit of Ours" in read(desk, told, action="update_remote")
    assert "No record matches." in read(desk, told, action="create_remote")
    assert "No record matches." in read(desk, told, q="100%' OR 1=1 --")


@pytest.mark.slow
def test_what_waits_leads_to_its_card(desk, told, ours):
    JobItem.objects.filter(job=told, kind="visit").update(outcome="failed", action="ask")
    page = main_of(desk().get(pages_of(ours)["job"]))
    assert f"/admin/integrations/problem/{Problem.objects.get(code='CONFLICT').pk}/change/" in page


def test_the_table_is_for_people(desk, told, ours):
    response = desk().get(pages_of(ours)["csv"], {"kind": "visit"})
    [row] = csv.DictReader(io.StringIO(b"".join(response).decode()))
    assert row["Run"] == "Fri 27 Nov, 21:00:14"
    assert (row["Kind"], row["Record"], row["Outcome"]) == ("Visits", "Visit of Ours", "Sent")
    assert row["What was done"] == "Changed in Google Calendar"
    assert row["Record id"] == ours.visit.pk


def test_a_forced_full_run_is_no_failure(desk, told):
    SyncJob.objects.filter(pk=told.pk).update(errors=[{"code": "FULL_SYNC_FORCED", "message": "Everything was read."}])
    said = read(desk, told)
    assert "Everything was read." in said and "could not do" not in said


@pytest.mark.slow
def test_a_link_of_another_account_is_not_shown(desk, told, ours, theirs):
    Link.objects.filter(pk=theirs.link.pk).update(record_id=ours.visit.pk, kind="visit", seen={"title": "Stolen"})
    assert "Stolen" not in read(desk, told)
