"""Calendars, reads and writes at the simulator, and each thing that goes wrong in a batch."""

import time

import pytest

from integrations import errors
from integrations.providers.outlook_calendar.api import PREFER
from integrations.providers.outlook_calendar.mapping import MADE_WITH, MARK, make_id
from integrations.records import Lack, Operation, Verb, digest
from integrations.transport.client import HttpClient, OneToken
from tests.faketime import FakeTime
from tests.integrations.providers.outlook_calendar.conftest import (
    BATCH,
    EVENTS,
    NOW,
    OUTLOOK,
    create,
    delete,
    listed,
    moment,
    update,
)


def throttled(**headers) -> dict:
    return {"status": 429, "headers": headers, "body": {"error": {"code": "ApplicationThrottled"}}}


def test_the_account_and_its_calendars(outlook, http, microsoft):
    account = OUTLOOK.identify(http)
    assert account.name == "dana@outlook.test"
    first, *others = outlook.containers()
    assert (first.name, first.primary, first.writable) == ("Calendar", True, True)
    assert {other.name: other.writable for other in others} == {"Birthdays": False, "Family": True}


def test_what_the_account_lacks_of_calendars_that_are_shared_with_it(outlook, microsoft):
    """Somebody's main calendar may be listed as one that can be edited, and refuses to be read."""
    lee = OUTLOOK.open(HttpClient(OUTLOOK, OneToken(microsoft.token("lee@outlook.test")["access_token"])))
    family = next(calendar for calendar in lee.containers() if calendar.name == "Family")
    lent = {"vendor": "microsoft", "account": "lee@outlook.test", "with": "dana@outlook.test"}
    ids = {}
    for role in ("read", "write"):
        shared = microsoft.call("POST", "share", json=lent | {"role": role, "calendar": family.id})
        ids[role] = shared["calendar"]
        lacks = {calendar.id: calendar.lacks for calendar in outlook.containers()}
        assert lacks[ids[role]] is (None if role == "write" else Lack.CHANGE)
    main = microsoft.call("POST", "share", json=lent | {"role": "write"})["calendar"]
    lacks = {calendar.id: calendar.lacks for calendar in outlook.containers()}
    assert (lacks[main], lacks[ids["write"]]) == (Lack.READ, None)


@pytest.fixture
def lent(microsoft) -> str:
    """Lee's family calendar, as Dana has it."""
    lee = OUTLOOK.open(HttpClient(OUTLOOK, OneToken(microsoft.token("lee@outlook.test")["access_token"])))
    family = next(calendar.id for calendar in lee.containers() if calendar.name == "Family")
    asked = {"vendor": "microsoft", "account": "lee@outlook.test", "with": "dana@outlook.test", "calendar": family}
    return microsoft.call("POST", "share", json={**asked, "role": "write"})["calendar"]


def refused(status: int, code: str) -> dict:
    return {"path": EVENTS, "status": status, "body": {"error": {"code": code}}}


@pytest.mark.parametrize(
    ("answer", "lacks"),
    [
        (refused(404, "ErrorNonExistentMailbox"), Lack.READ),
        (refused(404, "MailboxNotEnabledForRESTAPI"), Lack.READ),
        (refused(400, "ErrorInvalidRequest"), Lack.READ),
        (refused(403, "Authorization_RequestDenied"), Lack.READ),
        (refused(410, "SyncStateNotFound"), None),
        (refused(429, "ApplicationThrottled"), None),
        (refused(503, "ServiceUnavailable"), None),
        (refused(507, "InsufficientStorage"), None),
    ],
)
def test_what_one_lent_calendar_answers_is_said_of_no_other(outlook, lent, microsoft, answer, lacks):
    microsoft.fault("status", **answer)
    found = {calendar.id: calendar for calendar in outlook.containers()}
    assert found.pop(lent).lacks is lacks
    assert {each.name: each.lacks for each in found.values()} == {
        "Calendar": None, "Birthdays": Lack.CHANGE, "Family": None,
    }  # fmt: skip


def test_what_is_said_of_the_account_is_not_taken_for_the_lent_calendars(outlook, lent, microsoft):
    microsoft.fault("status", **refused(403, "insufficient_claims"))
    with pytest.raises(errors.NeedsReconnect):
        outlook.containers()


def test_who_asks_after_their_own_calendar_has_no_lent_one_read(outlook, lent, microsoft):
    own = outlook.containers()[0].id
    for asked, calls in [(own, 1), (lent, 2), ("", 2)]:
        microsoft.forget_requests()
        assert {own, lent} <= {each.id for each in outlook.containers(asked)}
        assert len(microsoft.requests()) == calls


def test_a_lent_calendar_whose_owner_has_no_mailbox_is_that_calendars_trouble(outlook, lent, microsoft):
    gone = {"times": 9, "status": 404, "body": {"error": {"code": "ErrorNonExistentMailbox"}}}
    microsoft.fault("status", path="/me/calendars/[^/]+/", **gone)
    with pytest.raises(errors.ContainerUnavailable):
        listed(outlook, lent)
    with pytest.raises(errors.ContainerUnavailable):
        outlook.write(lent, [create()])


def test_a_visit_is_created_and_read_under_the_id_that_graph_chose(outlook, calendar):
    [outcome] = outlook.write(calendar, [create()])
    assert outcome.error is None
    assert outcome.record.ours
    assert outcome.record.id != create().remote_id
    read = outlook.get(calendar, [outcome.record.id])
    assert read == {outcome.record.id: outcome.record}


def test_what_was_written_is_what_is_read(outlook, calendar):
    operation = create(text="a <b> & c\n\nd", title="Tést — ü")
    [outcome] = outlook.write(calendar, [operation])
    read = {name: outcome.record.fields[name] for name in operation.fields}
    assert digest(read) == digest(operation.fields)


def test_a_lost_answer_of_a_create_is_found_by_what_it_was_sent_with(outlook, calendar, microsoft):
    microsoft.fault("drop_after_commit", path=r"\$batch")
    with pytest.raises(errors.Unavailable):
        outlook.write(calendar, [create()])
    assert len(microsoft.requests(BATCH)) == 1
    id, never = create().remote_id, create(2).remote_id
    found = outlook.get(calendar, [id, never])
    assert found[id].ours and found[id].marker.record_id == "vis_1"
    assert found[never].gone and not found[never].tag


def test_the_same_create_twice_makes_one_event(outlook, calendar, graph):
    [first] = outlook.write(calendar, [create()])
    [again] = outlook.write(calendar, [create()])
    assert again.record == first.record
    assert len(graph("GET", "events")["value"]) == 1


def test_a_create_that_finds_an_older_form_of_itself_is_not_taken_for_done(outlook, calendar):
    outlook.write(calendar, [create()])
    [outcome] = outlook.write(calendar, [create(start=moment(3), end=moment(3.05))])
    assert isinstance(outcome.error, errors.Duplicate)


def test_a_persons_copy_of_our_event_is_not_ours(outlook, calendar, person):
    [made] = outlook.write(calendar, [create()])
    id = create().remote_id
    marks = [{"id": MARK, "value": f"wsp_1|vis_1|{id}"}, {"id": MADE_WITH, "value": id}]
    copy = person(singleValueExtendedProperties=marks)
    found = outlook.get(calendar, [copy["id"], id])
    assert found[copy["id"]].marker and not found[copy["id"]].ours
    assert found[id].id == made.record.id


def test_nothing_is_mailed_and_every_call_asks_for_ids_that_last(outlook, calendar, microsoft, graph, monkeypatch):
    sent = []
    real = microsoft.adapter.send
    monkeypatch.setattr(microsoft.adapter, "send", lambda request, **k: sent.append(request) or real(request, **k))
    [made] = outlook.write(calendar, [create()])
    outlook.get(calendar, [made.record.id])
    listed(outlook, calendar)
    outlook.containers()
    assert all(PREFER in request.headers["Prefer"] for request in sent)
    event = graph("GET", f"events/{made.record.id}")
    assert (event["attendees"], event["responseRequested"], event["showAs"]) == ([], False, "busy")


def test_twenty_writes_are_one_call(outlook, calendar, microsoft):
    outcomes = outlook.write(calendar, [create(number) for number in range(20)])
    assert all(outcome.record for outcome in outcomes)
    assert [row["items"] for row in microsoft.requests()] == [20]


def test_reading_fifty_is_three_calls(outlook, calendar, microsoft):
    records = outlook.get(calendar, [make_id(str(number)) for number in range(50)])
    assert len(records) == 50
    assert all(record.gone for record in records.values())
    assert len(microsoft.requests()) == 3


def test_more_than_a_batch_is_a_mistake_of_the_caller(outlook, calendar):
    with pytest.raises(ValueError, match="20"):
        outlook.write(calendar, [create(number) for number in range(21)])


def test_no_operation_is_no_call(outlook, calendar, microsoft):
    assert outlook.write(calendar, []) == []
    assert outlook.get(calendar, []) == {}
    assert microsoft.requests() == []


def test_an_update_patches_only_what_is_named(outlook, calendar):
    [made] = outlook.write(calendar, [create()])
    [moved] = outlook.write(calendar, [update(made.record, start=moment(3), end=moment(3.1))])
    assert moved.record.fields == {**made.record.fields, "start": moment(3), "end": moment(3.1)}
    assert moved.record.tag != made.record.tag
    assert outlook.get(calendar, [made.record.id])[made.record.id].ours


def test_a_visit_that_a_person_made_all_day_gets_its_time_back(outlook, calendar, graph):
    [made] = outlook.write(calendar, [create()])
    days = {name: {"dateTime": f"2026-12-0{n}T00:00:00", "timeZone": "UTC"} for n, name in ((1, "start"), (2, "end"))}
    graph("PATCH", f"events/{made.record.id}", isAllDay=True, **days)
    seen = outlook.get(calendar, [made.record.id])[made.record.id]
    assert (seen.fields["start"], seen.fields["end"]) == ("2026-12-01", "2026-12-02")
    [back] = outlook.write(calendar, [update(seen, start=moment(1), end=moment(1.05))])
    assert back.error is None
    assert back.record.fields["start"] == moment(1)


def test_outcomes_are_each_operations_own(outlook, calendar):
    [made, other] = outlook.write(calendar, [create(1), create(2)])
    outlook.write(calendar, [update(made.record, title="y")])
    outlook.write(calendar, [delete(other.record.id)])
    outcomes = outlook.write(
        calendar,
        [
            update(made.record, "stale", title="x"),
            delete(made.record.id, "stale delete", tag=made.record.tag),
            update(other.record, "gone", title="x"),
            create(3, end=moment(0)),
            create(4),
            delete(other.record.id, "gone already"),
        ],
    )
    kinds = {outcome.key: type(outcome.error) for outcome in outcomes}
    assert kinds == {
        "stale": errors.Stale,
        "stale delete": errors.Stale,
        "gone": errors.Gone,
        "3": errors.Rejected,
        "4": type(None),
        "gone already": type(None),
    }


def test_deleting_twice_is_a_success_twice(outlook, calendar):
    [made] = outlook.write(calendar, [create()])
    for _ in range(2):
        [outcome] = outlook.write(calendar, [delete(made.record.id)])
        assert outcome.record.gone
    assert outlook.get(calendar, [made.record.id])[made.record.id].gone


def test_a_refused_delete_of_what_is_gone_counts_as_done(outlook, calendar, microsoft):
    [made, kept] = outlook.write(calendar, [create(1), create(2)])
    outlook.write(calendar, [delete(made.record.id)])
    microsoft.fault("status", method="DELETE", path="/events/", times=2, status=403)
    outcomes = outlook.write(calendar, [delete(made.record.id, "a"), delete(kept.record.id, "b")])
    assert outcomes[0].record.gone
    assert isinstance(outcomes[1].error, errors.ContainerUnavailable)


@pytest.mark.parametrize("kind", ["drop", "truncate"])
def test_a_broken_batch_is_unavailable_as_a_whole(outlook, calendar, microsoft, kind):
    microsoft.fault(kind, path=r"\$batch")
    with pytest.raises(errors.Unavailable):
        outlook.write(calendar, [create(1), create(2)])


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (throttled(**{"Retry-After": "1"}), errors.RateLimited),
        (throttled(), errors.RateLimited),
        ({"status": 424}, errors.RateLimited),
        ({"status": 503}, errors.Unavailable),
        ({"status": 500}, errors.Unavailable),
        ({"status": 400}, errors.Rejected),
        ({"status": 403}, errors.ContainerUnavailable),
    ],
)
def test_trouble_with_one_part_leaves_the_others_alone(outlook, calendar, microsoft, spec, kind):
    microsoft.fault("status", path=EVENTS, **spec)
    first, second = outlook.write(calendar, [create(1), create(2)])
    assert type(first.error) is kind
    assert second.record.ours


def test_a_part_says_how_long_it_wants_to_be_left_alone(outlook, calendar, microsoft):
    microsoft.fault("status", path=EVENTS, **throttled(**{"Retry-After": "37.5"}))
    asked = time.time()
    first, _ = outlook.write(calendar, [create(1), create(2)])
    assert asked + 37.5 <= first.error.retry_at.timestamp() <= time.time() + 38.5


def test_a_throttled_batch_is_tried_again_when_it_says(microsoft, calendar):
    clock = FakeTime(NOW)
    http = HttpClient(OUTLOOK, OneToken(microsoft.token()["access_token"]), **clock.kwargs())
    for headers in ({"Retry-After": "2.128"}, {}):
        microsoft.fault("status", path=r"\$batch", **throttled(**headers))
        assert OUTLOOK.open(http).write(calendar, [create()])[0].record
    assert clock.slept == [pytest.approx(2.128), 0.5]


def test_a_policy_in_a_part_ends_the_call(outlook, calendar, microsoft):
    body = {"error": {"code": "insufficient_claims", "message": "words"}}
    microsoft.fault("status", path=EVENTS, status=403, body=body)
    with pytest.raises(errors.NeedsReconnect, match="Conditional Access"):
        outlook.write(calendar, [create(1), create(2)])


def test_a_token_that_ends_inside_a_batch_loses_only_those_parts(outlook, calendar, microsoft):
    microsoft.fault("status", path=EVENTS, after=1, status=401)
    first, second = outlook.write(calendar, [create(1), create(2)])
    assert first.record.ours
    assert isinstance(second.error, errors.Unavailable)


def test_a_mailbox_that_is_busy_with_another_process_takes_what_it_can(outlook, calendar, microsoft):
    """Four at a time and no more: what is refused is refused alone, and done the next time."""
    microsoft.fault("status", path=EVENTS, times=6, **throttled(**{"Retry-After": "1"}))
    operations = [create(number) for number in range(20)]
    outcomes = outlook.write(calendar, operations)
    refused = [op for op, outcome in zip(operations, outcomes, strict=True) if outcome.error]
    assert len(refused) == 6
    assert all(outcome.record for outcome in outlook.write(calendar, refused))


def test_a_missing_scope_is_a_missing_permission(microsoft):
    token = microsoft.token(scopes=["User.Read"])["access_token"]
    outlook = OUTLOOK.open(HttpClient(OUTLOOK, OneToken(token), **FakeTime(NOW).kwargs()))
    with pytest.raises(errors.NeedsPermission):
        outlook.containers()


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("nomailbox", errors.MailboxUnavailable, "Exchange Online"),
        ("policy", errors.NeedsReconnect, "Conditional Access"),
    ],
)
def test_mailboxes_that_only_a_person_can_open(microsoft, name, error, words):
    token = microsoft.token(f"{name}@outlook.test")["access_token"]
    http = HttpClient(OUTLOOK, OneToken(token), **FakeTime(NOW).kwargs())
    with pytest.raises(error, match=words):
        OUTLOOK.open(http).containers()


def test_an_unknown_event_of_another_mailbox_is_gone(outlook, calendar, microsoft):
    token = microsoft.token("lee@outlook.test")["access_token"]
    lee = OUTLOOK.open(HttpClient(OUTLOOK, OneToken(token), **FakeTime(NOW).kwargs()))
    [made] = lee.write(lee.containers()[0].id, [create()])
    assert outlook.get(calendar, [made.record.id])[made.record.id].gone
    [outcome] = outlook.write(calendar, [Operation("x", Verb.UPDATE, "visit", made.record.id, {"title": "x"})])
    assert isinstance(outcome.error, errors.Gone)
