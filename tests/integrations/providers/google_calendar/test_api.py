"""Calendars, reads and writes at the simulator, and each thing that goes wrong in a batch."""

from dataclasses import replace

import pytest

from integrations import errors
from integrations.providers.google_calendar.api import make_id
from integrations.records import Lack, Operation, Verb, digest
from integrations.transport.client import HttpClient, OneToken
from tests.faketime import FakeTime
from tests.integrations.providers.google_calendar.conftest import (
    BATCH,
    CALENDAR,
    GOOGLE,
    NOW,
    create,
    delete,
    find_events,
    listed,
    moment,
    reason,
    update,
)


def test_the_account_and_its_calendars(google, http):
    account = GOOGLE.identify(http)
    assert account.name == CALENDAR
    assert account.id
    first, *others = google.containers()
    assert (first.id, first.primary, first.writable, first.timezone) == (CALENDAR, True, True, "America/New_York")
    assert not any(other.primary for other in others)


@pytest.mark.parametrize(
    ("role", "lacks"), [("writerWithoutPrivateAccess", None), ("reader", Lack.CHANGE), ("freeBusyReader", Lack.READ)]
)
def test_what_the_account_lacks_of_a_calendar_that_is_shared_with_it(google, vendors, role, lacks):
    lent = {"vendor": "google", "account": "lee@google.test", "with": CALENDAR}
    vendors.call("POST", "share", json=lent | {"role": role})
    found = {container.id: container for container in google.containers()}
    assert (found["lee@google.test"].lacks, found[CALENDAR].lacks) == (lacks, None)


def test_a_visit_is_created_read_and_found_in_the_next_listing(google):
    _, cursor = listed(google)
    [outcome] = google.write(CALENDAR, [create()])
    assert outcome.error is None
    assert outcome.record.ours
    assert google.get(CALENDAR, [outcome.record.id]) == {outcome.record.id: outcome.record}
    assert listed(google, cursor)[0] == [outcome.record]


def test_what_was_written_is_what_is_read(google):
    operation = create(text="a <b> & c\n\nd", title="Tést — ü", zone="America/New_York")
    [outcome] = google.write(CALENDAR, [operation])
    read = {name: outcome.record.fields[name] for name in operation.fields}
    assert digest(read) == digest(operation.fields)


def test_nothing_is_mailed_and_nobody_is_invited(google, vendors):
    google.write(CALENDAR, [replace(create(), link="https://fieldcamp.example/vis_1/")])
    inserts = [row for row in vendors.requests() if row["path"].endswith("/events")]
    batches = vendors.requests(BATCH)
    assert batches
    assert all("sendUpdates=none" in row["query"] for row in inserts)
    [event] = [event for event in find_events(vendors) if event.get("summary") == "Visit 1"]
    assert not event.get("attendees")
    assert event["source"]["url"] == "https://fieldcamp.example/vis_1/"


def test_fifty_writes_are_one_call_and_a_quiet_listing_is_one(google, vendors):
    _, cursor = listed(google)
    vendors.forget_requests()
    outcomes = google.write(CALENDAR, [create(number) for number in range(50)])
    assert all(outcome.record for outcome in outcomes)
    assert len(vendors.requests()) == 1
    _, cursor = listed(google, cursor)
    vendors.forget_requests()
    assert listed(google, cursor)[0] == []
    assert len(vendors.requests()) == 1


def test_reading_a_hundred_and_twenty_is_three_calls(google, vendors):
    vendors.forget_requests()
    records = google.get(CALENDAR, [make_id(str(number)) for number in range(120)])
    assert len(records) == 120
    assert all(record.gone for record in records.values())
    assert len(vendors.requests()) == 3


def test_more_than_a_batch_is_a_mistake_of_the_caller(google):
    with pytest.raises(ValueError, match="50"):
        google.write(CALENDAR, [create(number) for number in range(51)])


def test_no_operation_is_no_call(google, vendors):
    vendors.forget_requests()
    assert google.write(CALENDAR, []) == []
    assert google.get(CALENDAR, []) == {}
    assert vendors.requests() == []


def test_an_update_patches_only_what_is_named(google):
    [made] = google.write(CALENDAR, [create()])
    [moved] = google.write(CALENDAR, [update(made.record, start=moment(3), end=moment(3.1))])
    expected = {**made.record.fields, "start": moment(3), "end": moment(3.1)}
    assert moved.record.fields == expected
    assert moved.record.tag != made.record.tag
    assert moved.record.ours


def test_a_visit_that_a_person_made_all_day_gets_its_time_back(google, http):
    [made] = google.write(CALENDAR, [create()])
    url = f"{GOOGLE.hosts('')[0]}/calendar/v3/calendars/{CALENDAR}/events/{made.record.id}"
    all_day = {
        "start": {"date": "2026-12-01", "dateTime": None, "timeZone": None},
        "end": {"date": "2026-12-02", "dateTime": None, "timeZone": None},
    }
    http.request("PATCH", url, json=all_day)
    seen = google.get(CALENDAR, [made.record.id])[made.record.id]
    assert (seen.fields["start"], seen.fields["zone"]) == ("2026-12-01", "America/New_York")
    [back] = google.write(CALENDAR, [update(seen, start=moment(1), end=moment(1.05))])
    assert back.error is None
    assert back.record.fields["start"] == moment(1)


def test_outcomes_are_each_operations_own(google):
    [made, other] = google.write(CALENDAR, [create(1), create(2)])
    google.write(CALENDAR, [update(made.record, start=moment(3), end=moment(3.1))])
    outcomes = google.write(
        CALENDAR,
        [
            update(made.record, "stale", title="x"),
            create(2),
            update(other.record, "fine", title="new"),
            Operation("gone", Verb.UPDATE, "visit", make_id("never"), {"title": "x"}),
            create(3, end=moment(0)),
            delete(make_id("never"), "gone already"),
        ],
    )
    kinds = {outcome.key: type(outcome.error) for outcome in outcomes}
    assert kinds == {
        "stale": errors.Stale,
        "2": errors.Duplicate,
        "fine": type(None),
        "gone": errors.Gone,
        "3": errors.Rejected,
        "gone already": type(None),
    }


def test_deleting_twice_is_a_success_twice(google):
    [made] = google.write(CALENDAR, [create()])
    for _ in range(2):
        [outcome] = google.write(CALENDAR, [delete(made.record.id)])
        assert outcome.record.gone
    assert google.get(CALENDAR, [made.record.id])[made.record.id].gone


def test_deleting_what_has_changed_is_stale(google):
    [made] = google.write(CALENDAR, [create()])
    google.write(CALENDAR, [update(made.record, title="x")])
    [outcome] = google.write(CALENDAR, [delete(made.record.id, tag=made.record.tag)])
    assert isinstance(outcome.error, errors.Stale)


def test_a_refused_delete_of_what_is_cancelled_counts_as_done(google, vendors):
    [made, kept] = google.write(CALENDAR, [create(1), create(2)])
    google.write(CALENDAR, [delete(made.record.id)])
    body = {"error": {"errors": [{"domain": "global", "reason": "forbidden"}], "code": 403}}
    vendors.fault("status", method="DELETE", path="/events/", times=2, status=403, body=body)
    outcomes = google.write(CALENDAR, [delete(made.record.id, "a"), delete(kept.record.id, "b")])
    assert outcomes[0].record.gone
    assert isinstance(outcomes[1].error, errors.ContainerUnavailable)


def test_a_lost_answer_of_a_create_is_found_by_its_id(google, vendors):
    vendors.fault("drop_after_commit", path=BATCH)
    with pytest.raises(errors.Unavailable):
        google.write(CALENDAR, [create()])
    assert len(vendors.requests(BATCH)) == 1
    assert google.get(CALENDAR, [create().remote_id])[create().remote_id].ours


@pytest.mark.parametrize("kind", ["drop", "truncate"])
def test_a_broken_batch_is_unavailable_as_a_whole(google, vendors, kind):
    vendors.fault(kind, path=BATCH)
    with pytest.raises(errors.Unavailable):
        google.write(CALENDAR, [create(1), create(2)])


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (reason(403, "userRateLimitExceeded"), errors.RateLimited),
        (reason(403, "quotaExceeded"), errors.RateLimited),
        (reason(429, "rateLimitExceeded"), errors.RateLimited),
        (reason(503, "backendError"), errors.Unavailable),
        (reason(409, "conflict"), errors.Unavailable),
        (reason(403, "forbiddenForNonOrganizer"), errors.Rejected),
    ],
)
def test_trouble_with_one_part_leaves_the_others_alone(google, vendors, spec, kind):
    vendors.fault("status", path=r"/events$", **spec)
    first, second = google.write(CALENDAR, [create(1), create(2)])
    assert type(first.error) is kind
    assert second.record.ours


@pytest.mark.parametrize("name", ["insufficientPermissions", "accessNotConfigured"])
def test_a_part_that_concerns_the_account_ends_the_call(google, vendors, name):
    vendors.fault("status", path=r"/events$", **reason(403, name))
    with pytest.raises((errors.NeedsPermission, errors.Misconfigured)):
        google.write(CALENDAR, [create(1), create(2)])


def test_a_batch_in_which_every_part_is_refused_renews_the_token(vendors):
    class Tokens:
        renewals = 0
        token = vendors.token()["access_token"]

        def access_token(self):
            return self.token

        def renewed(self, rejected):
            self.renewals += 1
            self.token = vendors.token()["access_token"]
            return self.token

    tokens = Tokens()
    vendors.fault("expire_token", path=BATCH)
    google = GOOGLE.open(HttpClient(GOOGLE, tokens, **FakeTime(NOW).kwargs()))
    outcomes = google.write(CALENDAR, [create(1), create(2)])
    assert all(outcome.record for outcome in outcomes)
    assert tokens.renewals == 1


def test_a_token_that_ends_inside_a_batch_loses_only_those_parts(google, vendors):
    vendors.fault("status", path=r"/events$", after=1, **reason(401, "authError"))
    first, second = google.write(CALENDAR, [create(1), create(2)])
    assert first.record.ours
    assert isinstance(second.error, errors.Unavailable)


def test_missing_scopes_are_a_missing_permission(vendors):
    token = vendors.token(scopes=["openid", "email", GOOGLE.scopes[3]])["access_token"]
    google = GOOGLE.open(HttpClient(GOOGLE, OneToken(token), **FakeTime(NOW).kwargs()))
    assert google.containers()
    with pytest.raises(errors.NeedsPermission):
        listed(google)
    with pytest.raises(errors.NeedsPermission):
        google.write(CALENDAR, [create()])


def test_revoking_twice_is_fine(vendors):
    answer = vendors.token()
    http = HttpClient(GOOGLE, None, **FakeTime(NOW).kwargs())
    GOOGLE.revoke(http, answer["refresh_token"])
    GOOGLE.revoke(http, answer["refresh_token"])
    with pytest.raises(errors.NeedsReconnect):
        GOOGLE.refresh(http, answer["refresh_token"])
