"""The provider against the simulator: listings, batches, and each thing that goes wrong in them."""

import datetime as dt
import json

import pytest

from integrations import errors
from integrations.providers import PROVIDERS
from integrations.providers.google_calendar.api import make_id
from integrations.records import Marker, Operation, Verb, Window, digest
from integrations.transport.client import Client, OneToken
from tests.faketime import FakeTime

GOOGLE = PROVIDERS["google_calendar"]
CALENDAR = "dana@google.test"
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
WINDOW = Window(NOW - dt.timedelta(days=30), NOW + dt.timedelta(days=180))
BATCH = "batch/calendar"


def moment(days: float) -> str:
    return (NOW + dt.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def create(number: int = 1, **fields) -> Operation:
    id = make_id(f"visit {number}")
    values = {
        "start": moment(1),
        "end": moment(1.05),
        "title": f"Visit {number}",
        "text": "Ladder",
        "place": "1 Main St",
    }
    return Operation(
        str(number), Verb.CREATE, "visit", id, values | fields, marker=Marker("wsp_1", f"vis_{number}", id)
    )


def update(record, key: str = "u", **fields) -> Operation:
    return Operation(key, Verb.UPDATE, "visit", record.id, fields, tag=record.tag, marker=record.marker)


def delete(record_id: str, key: str = "d", tag: str = "") -> Operation:
    return Operation(key, Verb.DELETE, "visit", record_id, tag=tag)


@pytest.fixture
def http(vendors) -> Client:
    return Client(GOOGLE, OneToken(vendors.token()["access_token"]), **FakeTime(NOW).kwargs())


@pytest.fixture
def google(http):
    return GOOGLE.open(http)


@pytest.fixture
def person(http):
    """The calendar's owner, at work in Google itself."""

    def insert(**event):
        body = {
            "summary": "Dentist",
            "start": {"dateTime": moment(2), "timeZone": "America/New_York"},
            "end": {"dateTime": moment(2.1), "timeZone": "America/New_York"},
            **event,
        }
        url = f"{GOOGLE.hosts()[0]}/calendar/v3/calendars/{CALENDAR}/events"
        return http.request("POST", url, json=body).json()

    return insert


def listed(google, cursor: str = "", calendar: str = CALENDAR):
    """All records of a listing, and the cursor behind it."""
    pages = list(google.changes(calendar, cursor, WINDOW))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    return [record for page in pages for record in page.records], pages[-1].cursor


def test_the_account_and_its_calendars(google, http):
    account = GOOGLE.identify(http)
    assert account.name == CALENDAR
    assert account.id
    first, *others = google.containers()
    assert (first.id, first.primary, first.writable, first.timezone) == (CALENDAR, True, True, "America/New_York")
    assert not any(other.primary for other in others)


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
    google.write(CALENDAR, [create()])
    inserts = [row for row in vendors.requests() if row["path"].endswith("/events")]
    batches = vendors.requests(BATCH)
    assert batches
    assert all("sendUpdates=none" in row["query"] for row in inserts)
    [event] = [event for event in find_events(vendors) if event.get("summary") == "Visit 1"]
    assert not event.get("attendees")
    assert event["source"]["url"].endswith("/vis_1/change/")


def find_events(vendors) -> list[dict]:
    """Every event in the simulator's state, wherever it keeps them."""
    found, left = [], [vendors.state()]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if value.get("kind") == "calendar#event":
                found.append(value)
            left += value.values()
        elif isinstance(value, list):
            left += value
    return found


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
    url = f"{GOOGLE.hosts()[0]}/calendar/v3/calendars/{CALENDAR}/events/{made.record.id}"
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
    assert isinstance(outcomes[1].error, errors.Rejected)


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


def reason(code: int, name: str) -> dict:
    return {"status": code, "body": {"error": {"errors": [{"reason": name}], "code": code}}}


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
    google = GOOGLE.open(Client(GOOGLE, tokens, **FakeTime(NOW).kwargs()))
    outcomes = google.write(CALENDAR, [create(1), create(2)])
    assert all(outcome.record for outcome in outcomes)
    assert tokens.renewals == 1


def test_a_token_that_ends_inside_a_batch_loses_only_those_parts(google, vendors):
    vendors.fault("status", path=r"/events$", after=1, **reason(401, "authError"))
    first, second = google.write(CALENDAR, [create(1), create(2)])
    assert first.record.ours
    assert isinstance(second.error, errors.Unavailable)


def test_what_people_do_is_listed_once(google, person):
    _, cursor = listed(google)
    event = person()
    [record], after = listed(google, cursor)
    assert (record.id, record.ours, record.created) == (event["id"], False, True)
    assert (record.fields["title"], record.fields["busy"]) == ("Dentist", True)
    assert listed(google, after)[0] == []


def test_a_deleted_event_is_a_tombstone_in_the_next_listing(google, person):
    event = person()
    _, cursor = listed(google)
    google.write(CALENDAR, [delete(event["id"])])
    [record], _ = listed(google, cursor)
    assert (record.id, record.gone) == (event["id"], True)


def test_a_cancelled_occurrence_knows_its_series(google, http, person):
    start = NOW.replace(hour=15, minute=0, second=0) + dt.timedelta(days=1)
    series = person(
        start={"dateTime": start.isoformat(), "timeZone": "UTC"},
        end={"dateTime": (start + dt.timedelta(hours=1)).isoformat(), "timeZone": "UTC"},
        recurrence=["RRULE:FREQ=DAILY;COUNT=5"],
    )
    _, cursor = listed(google)
    second = start + dt.timedelta(days=1)
    google.write(CALENDAR, [delete(f"{series['id']}_{second:%Y%m%dT%H%M%SZ}")])
    [tombstone] = [record for record in listed(google, cursor)[0] if record.gone]
    assert tombstone.fields == {"series_id": series["id"], "original_start": f"{second:%Y-%m-%dT%H:%M:%SZ}"}
    [master] = [record for record in listed(google)[0] if not record.gone]
    assert master.fields["recurrence"] == ["RRULE:FREQ=DAILY;COUNT=5"]


def test_what_has_ended_before_the_window_is_not_listed_at_first(google, person):
    person(start={"dateTime": moment(-40)}, end={"dateTime": moment(-39)})
    recent = person(start={"dateTime": moment(-20)}, end={"dateTime": moment(-19)})
    assert [record.id for record in listed(google)[0]] == [recent["id"]]


@pytest.fixture
def small_pages(monkeypatch, vendors):
    """Two events a page, so that few events make many pages."""
    real = vendors.adapter.send

    def send(request, **kwargs):
        request.url = request.url.replace("maxResults=2500", "maxResults=2")
        return real(request, **kwargs)

    monkeypatch.setattr(vendors.adapter, "send", send)


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_a_listing_that_was_broken_off_goes_on_behind_any_page(google, person, small_pages, kind):
    _, cursor = listed(google)
    expected = {person(summary=str(number))["id"] for number in range(7)}
    start = cursor if kind == "incremental" else ""
    pages = list(google.changes(CALENDAR, start, WINDOW))
    assert len(pages) == 4
    later_window = Window(WINDOW.start + dt.timedelta(days=1), WINDOW.end + dt.timedelta(days=1))
    for done in range(1, 4):
        seen = {record.id for page in pages[:done] for record in page.records}
        rest = list(google.changes(CALENDAR, pages[done - 1].cursor, later_window))
        assert rest[-1].last
        assert seen | {record.id for page in rest for record in page.records} == expected
        assert len(rest) == 4 - done


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_a_dead_page_token_begins_that_listing_again(google, person, small_pages, kind):
    _, cursor = listed(google)
    expected = {person(summary=str(number))["id"] for number in range(5)}
    start = cursor if kind == "incremental" else ""
    first = next(iter(google.changes(CALENDAR, start, WINDOW)))
    dead = json.dumps({**json.loads(first.cursor), "page": "nonsense"})
    records, _ = listed(google, dead)
    assert {record.id for record in records} == expected


def test_a_listing_is_begun_again_only_once(google, vendors):
    vendors.fault("status", path="/events", times=99, **reason(400, "invalid"))
    vendors.forget_requests()
    with pytest.raises(errors.Rejected):
        listed(google, json.dumps({"sync": "x", "page": "y"}))
    assert len(vendors.requests()) == 2


def test_an_expired_cursor_says_so(google, vendors):
    _, cursor = listed(google)
    vendors.fault("expire_cursor")
    with pytest.raises(errors.CursorExpired):
        listed(google, cursor)


@pytest.mark.parametrize(
    "cursor", ["nonsense", "[]", "{}", '{"page": "x"}', '{"sync": "x", "evil": "y"}', '{"sync": 1}']
)
def test_an_unreadable_cursor_is_an_expired_one(google, vendors, cursor):
    vendors.forget_requests()
    with pytest.raises(errors.CursorExpired):
        listed(google, cursor)
    assert vendors.requests() == []


def test_a_calendar_that_is_not_there_any_more_is_no_list_of_deletions(google):
    with pytest.raises(errors.Rejected, match="calendar"):
        listed(google, calendar="nobody@group.calendar.google.com")


def test_a_listing_without_an_end_is_not_taken_for_a_whole_one(google, vendors):
    vendors.fault("status", path="/events", status=200, body={"kind": "calendar#events", "items": []})
    with pytest.raises(errors.Unavailable):
        listed(google)


def test_missing_scopes_are_a_missing_permission(vendors):
    token = vendors.token(scopes=["openid", "email", GOOGLE.scopes[3]])["access_token"]
    google = GOOGLE.open(Client(GOOGLE, OneToken(token), **FakeTime(NOW).kwargs()))
    assert google.containers()
    with pytest.raises(errors.NeedsPermission):
        listed(google)
    with pytest.raises(errors.NeedsPermission):
        google.write(CALENDAR, [create()])


def test_revoking_twice_is_fine(vendors):
    answer = vendors.token()
    http = Client(GOOGLE, None, **FakeTime(NOW).kwargs())
    GOOGLE.revoke(http, answer["refresh_token"])
    GOOGLE.revoke(http, answer["refresh_token"])
    with pytest.raises(errors.NeedsReconnect):
        GOOGLE.refresh(http, answer["refresh_token"])


def test_calendars_cannot_be_made_without_the_permission(google):
    assert not GOOGLE.capabilities.makes_containers
    with pytest.raises(errors.NeedsPermission):
        google.make_container("FieldCamp")
