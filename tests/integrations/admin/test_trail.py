"""What the page of a record tells of its past: who set what, and the calls behind it."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import Change, Visit
from fieldcamp.workspace.tracking import attributed
from integrations.models import RecordCall, SyncJob
from tests.integrations.admin.conftest import pages_of

SCRIPT = "<script>alert(1)</script>"


def called(rows, number: int, record_id: str, **fields) -> RecordCall:
    values = {
        "kind": "visit", "purpose": "update", "at": timezone.now(), "method": "POST", "path": "/batch", "status": "200",
        "ms": 212, "job": rows.job.pk, "part": {"method": "PATCH", "path": f"/events/{SCRIPT}", "status": 412},
        "request": {"title": f"Leak {SCRIPT}", "start": "2026-11-24T14:00:00Z"}, "trace": "their-name-1",
        "error": {"code": "CONFLICT", "message": f"It moved {SCRIPT}.", "detail": "etag"},
    }  # fmt: skip
    return RecordCall(id=f"cal_{number:026}", stream=rows.stream, record_id=record_id, **{**values, **fields})


@pytest.fixture
def page(ours):
    return pages_of(ours)


@pytest.mark.parametrize("role", [pytest.param("owner", marks=pytest.mark.slow), "viewer"])
def test_who_set_what_and_the_calls_are_on_the_records_page(desk, ours, theirs, page, role):
    with attributed(actor=f"Dana {SCRIPT}", origin=ours.stream.pk, integration="google_calendar", job=ours.job.pk):
        Visit.objects.filter(pk=ours.visit.pk).update(
            scheduled_start=ours.visit.scheduled_start + dt.timedelta(hours=1)
        )
    RecordCall.objects.bulk_create(
        [
            called(ours, 1, ours.visit.pk),
            called(ours, 2, ours.visit.pk, status="ReadTimeout", part=None, error=None, request=None, job="syn_gone"),
            called(ours, 3, "vis_another", request={"title": "Nobody's business"}),
            called(theirs, 4, ours.visit.pk, request={"title": "Secret of Theirs"}),
        ]
    )
    text = desk(role).get(page["visit"]).content.decode()
    job = f"/admin/integrations/syncjob/{ours.job.pk}/change/"
    for shown in (
        "Who set what", "Calls to providers", "with a sync, from Google Calendar", "their-name-1", "ReadTimeout", "412",
        "PATCH /events/&lt;script&gt;", "In a batch:", "Leak &lt;script&gt;", job,
    ):  # fmt: skip
        assert shown in text, shown
    for hidden in (SCRIPT, "Nobody&#x27;s business", "Secret of Theirs", "syn_gone/change"):
        assert hidden not in text, hidden
    assert desk(role).get(pages_of(theirs)["visit"]).status_code in (302, 404)


@pytest.mark.slow
def test_what_is_older_than_the_history_and_jobs_that_are_gone_are_no_links(desk, ours, page):
    Change.objects.filter(record_id=ours.invoice.pk).delete()
    SyncJob.objects.all().delete()
    text = desk().get(page["invoice"]).content.decode()
    assert "Longer ago than the history goes" in text and "None in this time." in text
    RecordCall.objects.bulk_create(called(ours, number, ours.visit.pk) for number in range(100, 400))
    text = desk().get(page["visit"]).content.decode()
    assert text.count("their-name-1") == 20 and "Older ones are in the API" in text
    assert (
        f"/admin/integrations/syncjob/{ours.job.pk}/change/"
        not in text.partition("record-calls")[2].partition("</ol>")[0]
    )
