"""Held removals by API: what is shown of them, decided once by whoever was first, and carried out as they were seen."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.workspace.models import AuditEntry, Client
from integrations.kinds import VISIT
from integrations.ledger.holds import Holds
from integrations.models import Hold, Link, Problem, Stream, SyncJob
from integrations.services.decisions import decide_hold
from tests.integrations import build
from tests.integrations.api.conftest import JOBS, caller_of

# As in tests/integrations/sync, with the vendor in memory alone: what is decided is the same of all.
from tests.integrations.engine import *  # noqa: F403, I001

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(memory, dana, sync, make_visits, person) -> SyncJob:
    """A job that holds the removal of twelve events back."""
    make_visits(dana.member, 12)
    sync()
    for event in person.events():
        person.delete(event.id)
    return sync()


@pytest.fixture
def hold(workspace):
    """Makes a hold of so many links, without a sync."""

    def make(removals: int = 3, **fields) -> Hold:
        account = build.connection(fields.pop("workspace", workspace))
        stream = Stream.objects.create(connection=account, container_id="main", is_target=True)
        made = Hold.objects.create(
            stream=stream, job=build.job(account.workspace, "needs_confirmation"), removals=removals, of=30, **fields
        )
        for number in range(removals if not made.decision else 0):
            Link.objects.create(stream=stream, kind="visit", record_id=f"vis_{number}", remote_id=f"e{number}",
                                seen={"title": f"There {number}"}, seen_gone=True, hold=made)  # fmt: skip
        return made

    return make


def only(caller, job: SyncJob) -> dict:
    [hold_id] = caller.get(f"/jobs/{job.pk}").json()["hold_ids"]
    return caller.get(f"/holds/{hold_id}").json()


@pytest.mark.slow
def test_a_hold_says_what_would_be_lost(held, caller, dana):
    row = only(caller, held)
    assert (row["state"], row["direction"], row["decision"], row["kind"]) == ("open", "pull", None, "visit")
    assert (row["removals"], row["of"], row["share"], row["connection_id"]) == (12, 12, 1.0, dana.pk)
    assert row["held_by_job_id"] == held.pk and len(row["sample"]) == 12
    one = row["sample"][0]
    assert one["remote_title"].startswith(one["name"]) and one["id"].startswith("vis_") and one["gone_there"]
    assert caller.get("/holds").json() == {"holds": [row], "next_cursor": None}
    assert caller.get("/jobs?limit=1").json()["jobs"][0]["hold_ids"] == [row["id"]]
    [problem] = caller.get("/problems").json()["problems"]
    assert row["problem_id"] == problem["id"]


@pytest.mark.parametrize(
    ("verb", "state", "events"),
    [pytest.param("confirm", "confirmed", 0, marks=pytest.mark.slow), ("reject", "rejected", 12)],
)
def test_a_decision_is_carried_out_for_exactly_what_was_held(held, caller, person, verb, state, events):
    row = only(caller, held)
    for expected in (11, 13, 0):
        stale = caller.post(f"/holds/{row['id']}/{verb}", {"expected": expected}, Idempotency_Key="once")
        assert (stale.status_code, stale.json()["error"]["details"]) == (412, {"count": 12})
    for wrong in ({}, {"expected": "12"}, {"expected": None}, {"expected": True}, {"expected": 12, "dry_run": True}):
        assert caller.post(f"/holds/{row['id']}/{verb}", wrong).status_code == 400
    assert Hold.objects.get().decision == ""
    done = caller.post(f"/holds/{row['id']}/{verb}", {"expected": 12}, Idempotency_Key="once")
    answer = done.json()
    assert (done.status_code, answer["hold"]["state"], answer["hold"]["decision"]) == (202, state, verb)
    assert (answer["job_id"], done["Location"]) == (answer["hold"]["job_id"], f"{JOBS}/{answer['job_id']}")
    assert (answer["hold"]["sample"], answer["hold"]["problem_id"]) == ([], None)
    finish(SyncJob.objects.get(pk=answer["job_id"]))  # noqa: F405
    assert len(person.ours()) == events
    again = caller.post(f"/holds/{row['id']}/{verb}", {"expected": 12}, Idempotency_Key="once")
    assert (again.content, again["Idempotent-Replayed"]) == (done.content, "true")
    unkeyed = caller.post(f"/holds/{row['id']}/{verb}", {"expected": 12})
    assert (unkeyed.status_code, unkeyed.json()) == (202, answer)
    other = {"confirm": "reject", "reject": "confirm"}[verb]
    late = caller.post(f"/holds/{row['id']}/{other}", {"expected": 12})
    assert (late.status_code, late.json()["error"]["details"]) == (409, {"decision": verb})
    assert caller.get("/holds").json()["holds"] == []
    assert [each["id"] for each in caller.get(f"/holds?state={state}").json()["holds"]] == [row["id"]]
    [entry] = AuditEntry.objects.filter(action="connection.removals_decided")
    assert entry.actor.startswith("API key test (") and entry.after == {"decision": verb, "removals": 12}
    assert only(caller, held)["state"] == state


@pytest.mark.slow
def test_what_would_all_be_made_again_is_the_same_question(memory, dana, person, sync, make_visits, caller):
    make_visits(dana.member, 12)
    sync()
    person.vendors.events(person.account, person.main).clear()
    row = only(caller, sync(mode="full"))
    answer = caller.post(f"/holds/{row['id']}/reject", {"expected": row["removals"]}).json()
    finish(SyncJob.objects.get(pk=answer["job_id"]))  # noqa: F405
    assert len(person.ours()) == 12


def test_while_a_sync_runs_it_is_written_down_and_left_to_the_next(caller, hold):
    made = hold()
    build.job(made.stream.connection.workspace, "running", started_at=timezone.now())
    answer = caller.post(f"/holds/{made.pk}/confirm", {"expected": 3}).json()
    assert (answer["job_id"], answer["hold"]["state"]) == (None, "confirmed")
    assert {link.decision["removal"] for link in Link.objects.filter(unsettled=True, hold=None)} == {"cut"}


def test_the_lists_filters_pages_and_rights(caller, hold, workspace, second_workspace):
    opened = [hold() for _ in range(3)]
    hold(decision="confirm"), hold(decision="reject")
    foreign = hold(workspace=second_workspace)
    rows = caller.get("/holds").json()["holds"]
    assert [row["id"] for row in rows] == [each.pk for each in reversed(opened)]
    first = caller.get("/holds?limit=2").json()
    rest = caller.get(f"/holds?limit=2&cursor={first['next_cursor']}").json()
    assert [*first["holds"], *rest["holds"]] == rows and rest["next_cursor"] is None
    account = opened[0].stream.connection_id
    assert [row["id"] for row in caller.get(f"/holds?connection_id={account}").json()["holds"]] == [opened[0].pk]
    assert caller.get("/holds?integration=quickbooks").json()["holds"] == []
    for wrong in ("state=lost", "integration=fax", "cursor=x", f"state=rejected&cursor={first['next_cursor']}"):
        assert caller.get(f"/holds?{wrong}").status_code == 400
    assert caller.get(f"/holds?connection_id={foreign.stream.connection_id}").status_code == 404
    weak = caller_of(workspace, scopes=["integrations:read", "integrations:write", "problems:read"])
    for verb in ("confirm", "reject"):
        refused = weak.post(f"/holds/{opened[0].pk}/{verb}", {"expected": 3})
        assert refused.json()["error"]["details"] == {"required_scope": "problems:write"}
        assert caller.post(f"/holds/{foreign.pk}/{verb}", {"expected": 3}).status_code == 404
    assert caller.get(f"/holds/{foreign.pk}").status_code == 404
    assert weak.get(f"/holds/{opened[0].pk}").status_code == 200
    assert caller_of(workspace, scopes=["integrations:read"]).get("/holds").status_code == 403
    assert Hold.objects.filter(decision="").count() == 4


def test_what_is_nobodys_is_shown_without_a_name(caller, hold):
    made = hold()
    stream = made.stream
    client = Client.objects.create(workspace=stream.connection.workspace, first_name="Kim")
    more = {"stream": stream, "hold": made}
    Link.objects.create(remote_id="own", kind="visit", seen={"title": "Dentist"}, seen_gone=False, **more)
    Link.objects.create(remote_id="gone", kind="customer", record_id=client.pk, seen={"display_name": "Kim R."},
                        erased_at=timezone.now(), **more)  # fmt: skip
    for number in range(30):
        Link.objects.create(remote_id=f"more {number}", kind="visit", record_id=f"vis_m{number}", **more)
    row = caller.get(f"/holds/{made.pk}")
    assert (row.json()["direction"], len(row.json()["sample"])) == ("bidirectional", 20)
    nobodys, erased = row.json()["sample"][3:5]
    assert (nobodys["id"], nobodys["name"], nobodys["remote_id"], nobodys["remote_title"]) == (None,) * 4
    assert (erased["type"], erased["name"], erased["remote_title"]) == ("client", "Kim", None)
    assert "Dentist" not in row.content.decode()


def test_as_many_queries_for_many_holds_as_for_one(caller, hold):
    def queries(path: str) -> int:
        with CaptureQueriesContext(database) as seen:
            assert caller.get(path).status_code == 200
        return len(seen)

    hold()
    few = [max(queries(path), queries(path)) and queries(path) for path in ("/holds", "/jobs")]
    for _ in range(6):
        hold()
    assert [queries(path) for path in ("/holds", "/jobs")] == few


def test_only_what_was_seen_is_decided_with_an_etag(caller, hold):
    made = hold()
    seen = caller.get(f"/holds/{made.pk}")
    assert caller.get(f"/holds/{made.pk}", If_None_Match=seen["ETag"]).status_code == 304
    Link.objects.filter(hold=made, remote_id="e0").update(hold=None)
    Link.objects.create(stream=made.stream, kind="visit", record_id="vis_9", remote_id="e9", hold=made)
    late = caller.post(f"/holds/{made.pk}/confirm", {"expected": 3}, If_Match=seen["ETag"])
    assert late.status_code == 412 and Hold.objects.get().decision == ""
    now = caller.get(f"/holds/{made.pk}")["ETag"]
    for _ in range(2):
        done = caller.post(f"/holds/{made.pk}/confirm", {"expected": 3}, If_Match=now, Idempotency_Key="x")
        assert done.status_code == 202


# --- at once --------------------------------------------------------------------------------------------------------


@pytest.fixture
def at_once(in_parallel):
    """Gives what each call answers, all begun at the same time."""
    return lambda *calls: in_parallel(len(calls), lambda number: calls[number]())


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_confirm_against_reject_is_decided_once(caller, hold, at_once):
    for _turn in range(3):
        made = hold()

        def post(verb: str, hold_id: str = made.pk):
            return lambda: (verb, caller.post(f"/holds/{hold_id}/{verb}", {"expected": 3}).status_code)

        answers = at_once(*[post(verb) for verb in ("confirm", "reject", "confirm", "reject")])
        decision = Hold.objects.get(pk=made.pk).decision
        assert sorted(answers) == sorted((verb, 202 if verb == decision else 409) for verb, _ in answers)
        SyncJob.objects.all().delete()
    assert AuditEntry.objects.filter(action="connection.removals_decided").count() == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_what_a_sync_holds_meanwhile_never_waits_for_what_was_decided(hold, django_user_model, at_once):
    """A decision and a sync that holds one more, in whatever order: what is not decided has an open hold."""
    from django.db import transaction

    user = django_user_model.objects.create_user("olga")
    for _turn in range(4):
        made = hold()
        more = Link.objects.create(stream=made.stream, kind="visit", record_id="vis_8", remote_id="e8", seen_gone=True)
        job = build.job(made.stream.connection.workspace, "running")

        class Pair:
            link_id = more.pk

        class Held:
            pair = Pair

        def put_aside(stream=made.stream, job=job, held=Held) -> None:
            with transaction.atomic():
                Holds(stream, job, VISIT).put_aside([held], 30)

        at_once(put_aside, lambda made=made: decide_hold(hold=made, decision="confirm", user=user))
        more.refresh_from_db()
        decided = more.decision is not None
        assert decided == (more.hold_id is None)
        assert decided or (more.hold.decision == "" and more.hold.removals == 1)
        assert Problem.objects.open().count() == (0 if decided else 1)
        SyncJob.objects.all().delete()
        Link.objects.all().delete()
        Hold.objects.all().delete()
        Problem.objects.all().delete()
