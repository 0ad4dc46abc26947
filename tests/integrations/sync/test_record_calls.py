"""Who set each field of a visit, and the calls behind it, beside a calendar that a person edits as well."""

import datetime as dt

import pytest

from fieldcamp.workspace import services
from fieldcamp.workspace.tracking import attributed
from integrations.accounts.disconnecting import disconnect
from integrations.models import Connection, RecordCall
from integrations.selectors.calls import calls_of
from integrations.selectors.provenance import fields_of
from integrations.services.feed import observe_pending

pytestmark = pytest.mark.django_db


def told(record) -> list[tuple]:
    """The calls, the oldest first: what for, in which job, how it ended, and what of the record came back."""
    return [
        (call.purpose, call.job, (call.part or {}).get("status") or call.status, sorted(call.response or ()))
        for call in reversed(calls_of(record, 50))
    ]


@pytest.mark.slow
def test_a_visits_fields_and_calls_name_their_jobs(google, dana, sync, make_visits):
    with attributed(actor="Olivia Hart", source="desk"):
        visit, other = make_visits(dana.member, 2)
    google.vendors.fault("status", path="/batch", status=503, times=1)
    pushed = sync()
    refused, looked, created = calls_of(visit, 50)[::-1]
    assert (looked.purpose, looked.part["status"], looked.response) == ("look", 404, None)
    assert (refused.status, refused.request, refused.response, refused.job) == ("503", created.request, None, pushed.pk)
    assert created.request["title"] == created.response["title"] and visit.title in created.request["title"]
    assert (
        created.part["method"] == "POST"
        and "/events" in created.part["path"]
        and created.path.endswith("/batch/calendar/v3")
    )
    # Both went in one batch, and neither says anything of the other; nothing of any says how they were authorized.
    assert other.title not in str(vars(created)) and visit.title not in str(vars(calls_of(other, 1)[0]))
    assert not any(word in str(vars(call)).lower() for call in RecordCall.objects.all() for word in ("bearer", "ya29"))
    moved = google.ours()[visit.pk].start + dt.timedelta(hours=3)
    google.move(google.ours()[visit.pk].id, moved)
    pulled = sync()
    [(purpose, job_id, status, fields)] = told(visit)[3:]
    assert (purpose, job_id, status) == ("list", pulled.pk, "200") and {"start", "end"} <= {*fields}
    assert len(told(other)) == 3
    with attributed(actor="API key Nightly", source="api"):
        services.update_visit(workspace=visit.workspace, visit_id=visit.pk, changes={"title": "Other leak"})
    visit.refresh_from_db()
    by = {row["field"]: row for row in fields_of(visit)}
    assert by["scheduledStart"] | {"at": None} == {
        "field": "scheduledStart",
        "setBy": {"kind": "sync", "name": dana.account_name},
        "at": None,
        "jobId": pulled.pk,
        "integration": "google_calendar",
    }
    assert by["title"]["setBy"] == {"kind": "api", "name": "Nightly"} and by["title"]["jobId"] is None
    assert by["clientId"]["setBy"] == {"kind": "desk", "name": "Olivia Hart"} and by["clientId"]["at"]
    assert {"deletedAt", "id"}.isdisjoint(by) and {"notes", "address", "technicianId", "visitStatus"} <= by.keys()
    sync()
    assert told(visit)[-1][0] == "update" and calls_of(visit, 1)[0].request["title"].startswith("Other leak")
    disconnect(connection=dana, user=None)
    assert calls_of(visit, 50) == []


@pytest.mark.slow
def test_what_is_lost_twice_is_looked_for_twice_and_each_look_is_told_once(google, dana, sync, make_visits):
    [visit] = make_visits(dana.member, 1)
    google.vendors.fault("status", path="/events$", method="POST", status=503, times=2)
    sync()
    calls = calls_of(visit, 50)[::-1]
    looks = [call.at for call in calls if call.purpose == "look"]
    assert len(looks) == len({*looks}) == 2, [(call.purpose, call.at, call.status) for call in calls]


def test_what_a_reader_of_the_feed_has_seen_is_in_no_job(google, dana, sync, make_visits):
    [visit] = make_visits(dana.member, 1)
    sync()
    google.move(google.ours()[visit.pk].id, google.ours()[visit.pk].start + dt.timedelta(hours=3))
    Connection.objects.update(observed_at=None)
    observe_pending(visit.workspace, "google_calendar")
    last = calls_of(visit, 1)[0]
    assert (last.purpose, last.job, last.status) == ("list", "", "200")
