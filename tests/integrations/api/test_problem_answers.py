"""Answers by API: each kind of problem that the desk can answer, one by one and all of a cause."""

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from fieldcamp.workspace.models import AuditEntry, Invoice
from fieldcamp.workspace.paying import void_payment
from integrations.models import BooksSettings, Connection, DirtyRow, Hold, Link, Problem, Stream, SyncJob
from integrations.services import decisions
from integrations.services.plans import set_approval
from tests.integrations.admin.conftest import company
from tests.integrations.api.conftest import caller_of

pytestmark = pytest.mark.django_db
BOOKS = "quickbooks"


@pytest.fixture
def ours(db):
    return company("Ours")


@pytest.fixture
def books(ours) -> Connection:
    connection = Connection.objects.create(
        workspace=ours.workspace, integration=BOOKS, account_id="1", account_name="Books", state="active",
        connected_at=timezone.now(),
    )  # fmt: skip
    BooksSettings.objects.create(connection=connection)
    for kind in ("customer", "invoice", "payment"):
        Stream.objects.create(connection=connection, kind=kind, container_id=kind)
    return connection


@pytest.fixture
def ask(ours, books):
    """Opens a problem of the books about a record; `seen` are those there that it may be, by their ids."""

    def make(record, kind: str, code="RECORD_REJECTED", reason="match", seen=None, link=None) -> Problem:
        stream = Stream.objects.get(connection=books, kind=kind)
        for remote_id, fields in (seen or {}).items():
            Link.objects.get_or_create(stream=stream, remote_id=remote_id, defaults={"kind": kind, "seen": fields})
        return Problem.objects.create(
            workspace=ours.workspace, integration=BOOKS, connection=books, code=code, record_kind=kind,
            record_id=record.pk, message="Asked.", occurred_at=timezone.now(), link=link,
            data={"reason": reason, "candidates": [*(seen or {})]} if reason else {},
        )  # fmt: skip

    return make


def choices(caller, problem) -> list[str]:
    return [choice["id"] for choice in caller.get(f"/problems/{problem.pk}").json()["choices"]]


def details(answer, status: int = 400) -> list[str]:
    assert answer.status_code == status, answer.content
    return [*answer.json()["error"]["details"]]


def test_a_side_is_kept_for_each_field(ours):
    data = {
        "local": {"start": "2026-11-24T14:00:00Z", "end": "2026-11-24T15:00:00Z", "title": "Boiler", "place": "Here"},
        "remote": {
            "start": "2026-11-24T18:00:00Z",
            "end": "2026-11-24T15:00:00Z",
            "title": "Boilers",
            "place": "There",
        },
        "base": {"start": "2026-11-24T14:00:00Z", "title": "Boil"},
        "fields": "start, title",
    }
    Problem.objects.filter(pk=ours.conflict.pk).update(data=data)
    caller, place = caller_of(ours.workspace), f"/problems/{ours.conflict.pk}"
    sides = {side["field"]: side for side in caller.get(place).json()["sides"]}
    assert (sides["title"]["fieldcamp"], sides["title"]["provider"], sides["title"]["base"]) == (
        "Boiler",
        "Boilers",
        "Boil",
    )
    assert {name for name, side in sides.items() if side["asked"]} == {"start", "title"}
    assert choices(caller, ours.conflict) == ["keep_fieldcamp", "keep_provider", "by_field"]

    def answer(**values):
        return caller.post(f"{place}/answer", {"choice": "by_field", "values": values})

    assert details(answer(start="provider")) == ["values.title"]
    assert details(answer(start="provider", title="mine")) == ["values.title"]
    assert details(answer(start="provider", title="fieldcamp", place="provider")) == ["values.place"]
    assert details(caller.post(f"{place}/answer", {"choice": "by_field", "values": ["start"]})) == ["values"]
    assert details(caller.post(f"{place}/answer", {"choice": "keep_provider", "values": {"a": "b"}})) == ["values.a"]
    assert not Link.objects.exclude(decision=None).exists()
    done = answer(start="provider", title="fieldcamp").json()
    job = SyncJob.objects.get(pk=done["job_id"])
    assert (done["outcome"], job.only, job.triggered_by) == ("queued", [ours.link.pk], "api")
    ours.link.refresh_from_db()
    assert ours.link.decision == {"fields": {"start": "remote", "title": "local"}} and not ours.link.parked
    assert AuditEntry.objects.get(action="connection.conflict_decided").actor.startswith("API key test (key_")
    assert answer(start="provider", title="fieldcamp").status_code == 409


def test_held_removals_are_decided_and_nobody_else_is_said_to_have_done_it(ours):
    caller, place = caller_of(ours.workspace), f"/problems/{ours.removals.pk}/answer"
    offered = caller.get(f"/problems/{ours.removals.pk}").json()["choices"]
    assert [(choice["id"], choice["dangerous"]) for choice in offered] == [("put_back", False), ("cut_loose", True)]
    done = caller.post(place, {"choice": "cut_loose"})
    assert (done.status_code, done.json()["outcome"]) == (202, "queued")
    hold = Hold.objects.get()
    assert (hold.decision, hold.decided_by) == ("confirm", None)
    assert AuditEntry.objects.get(action="connection.removals_decided").actor.startswith("API key test")
    assert caller.post(place, {"choice": "put_back"}).status_code == 409


@pytest.mark.slow
def test_a_client_of_the_books_is_the_same_or_another(ours, ask):
    seen = {"1": {"display_name": "Client of Ours"}, "2": {"display_name": "client of ours "}}
    problem, caller = ask(ours.client, "customer", seen=seen), caller_of(ours.workspace)
    assert choices(caller, problem) == ["same:1", "same:2", "new"]
    read = caller.get(f"/problems/{problem.pk}").json()
    assert [row["name"] for row in read["candidates"]] == ["Client of Ours", "client of ours "]
    assert read["record"] == {"kind": "customer", "type": "client", "id": ours.client.pk, "remote_id": None}
    place = f"/problems/{problem.pk}/answer"
    for choice in ("same", "same:3", "void_same:1", "new ", "NEW", "keep_fieldcamp", ""):
        assert details(caller.post(place, {"choice": choice})) == ["choice"]
    assert details(caller.post(place, {"choice": "new", "values": {"name": "x" * 101}})) == ["values.name"]
    done = caller.post(place, {"choice": "new", "values": {"name": "Client (Oak St)"}})
    assert done.json()["outcome"] == "queued"
    link = Link.objects.get(record_id=ours.client.pk)
    assert link.decision == {"match": "new", "create": {"display_name": "Client (Oak St)"}}
    assert caller.post(place, {"choice": "new"}).status_code == 409  # before it is carried out
    assert caller.post(place, {"choice": "same:1"}).status_code == 202  # nothing has come of the other yet
    linked = Link.objects.get(record_id=ours.client.pk)
    assert (linked.remote_id, linked.decision) == ("1", None)
    assert caller.post(place, {"choice": "same:2"}).status_code == 409


@pytest.mark.slow
def test_what_was_deleted_there_is_voided_or_made_again_and_not_both(ours, ask, books):
    stream, now = Stream.objects.get(connection=books, kind="invoice"), timezone.now()
    link = Link.objects.create(stream=stream, kind="invoice", record_id=ours.invoice.pk, remote_id="7", cut_at=now,
                               seen={"number": ours.invoice.number}, seen_gone=True)  # fmt: skip
    problem = ask(ours.invoice, "invoice", code="RECORD_REMOVED", reason="", link=link)
    caller, place = caller_of(ours.workspace), f"/problems/{problem.pk}/answer"
    assert choices(caller, problem) == ["make_again", "void_here"]
    refused = caller.post(place, {"choice": "void_here"})  # as it is paid
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "INVALID_TRANSITION")
    assert Problem.objects.open().filter(pk=problem.pk).exists() and Invoice.objects.get().voided_at is None
    SyncJob.objects.create(workspace=ours.workspace, integration=BOOKS, triggered_by="api", status="running",
                           created_at=now)  # fmt: skip
    done = caller.post(place, {"choice": "make_again"}).json()
    assert (done["outcome"], done["job_id"]) == ("waiting", None)
    assert DirtyRow.objects.filter(stream=stream, record_id=ours.invoice.pk).exists()
    assert caller.post(place, {"choice": "make_again"}).status_code == 409
    void_payment(workspace=ours.workspace, payment_id=ours.payment.pk)
    assert caller.post(place, {"choice": "void_here"}).json()["outcome"] == "settled"  # it was not made again yet
    link.refresh_from_db()
    assert link.decision is None and Invoice.objects.get().voided_at


@pytest.mark.slow
def test_one_is_tried_again_where_that_may_help(ours, ask, books):
    stream = Stream.objects.get(connection=books, kind="customer")
    link = Link.objects.create(stream=stream, kind="customer", record_id=ours.client.pk, remote_id="", parked=True)
    problem = ask(ours.client, "customer", reason="closed_period", link=link)
    asked = ask(ours.item, "customer", reason="match")
    caller = caller_of(ours.workspace)
    assert [caller.get(f"/problems/{one.pk}").json()["can_retry"] for one in (problem, asked)] == [True, False]
    assert caller.post(f"/problems/{asked.pk}/retry").status_code == 409
    done = caller.post(f"/problems/{problem.pk}/retry").json()
    link.refresh_from_db()
    assert (done["outcome"], link.parked, link.unsettled) == ("queued", False, True)
    assert AuditEntry.objects.get(action="problem.retried").actor.startswith("API key test")
    Connection.objects.filter(pk=books.pk).update(state="needs_reconnect")
    answer = caller.post(f"/problems/{problem.pk}/retry")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "INTEGRATION_NOT_CONNECTED")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_many_answers_at_one_moment_one_is_given(ours, ask, in_parallel):
    seen = {"1": {"number": ours.invoice.number}}
    problem, caller = ask(ours.invoice, "invoice", seen=seen), caller_of(ours.workspace)
    place = f"/problems/{problem.pk}/answer"
    answers = in_parallel(5, lambda _number: caller.post(place, {"choice": "new"}).status_code)
    assert sorted(answers) == [202, 409, 409, 409, 409]
    number = int(ours.invoice.number) + 1  # the next one, and not the one after that
    assert Invoice.objects.get().number == str(number)
    assert AuditEntry.objects.filter(action="connection.match_decided").count() == 1
    assert SyncJob.objects.in_flight().count() == 1


# --- all of a cause -------------------------------------------------------------------------------------------------


@pytest.fixture
def questions(ours, ask, make_client) -> list[Problem]:
    """Two clients who are plainly the same there, and one who may be anybody."""
    found = []
    for name, there in (("Kim Reed", "Kim Reed"), ("Lee Moss", "Lee Moss"), ("Ann Day", "Somebody")):
        client = make_client(workspace=ours.workspace, company_name=name)
        found.append(ask(client, "customer", seen={f"id of {there}": {"display_name": there, "company": name[:3]}}))
    return found


@pytest.mark.slow
def test_all_of_a_cause_are_answered_in_one_sync_but_for_those_that_do_not_stand_out(ours, questions):
    caller = caller_of(ours.workspace)
    body = {"cause": "match", "integration": BOOKS, "choice": "same"}
    for expected in (2, 4, 0):
        stale = caller.post("/problems/answer", {**body, "expected": expected})
        assert (stale.status_code, stale.json()["error"]["details"]) == (412, {"count": 3})
    wrong = caller.post("/problems/answer", {**body, "choice": "void_here", "expected": 3})
    assert details(wrong) == ["choice"] and "same, new" in wrong.json()["error"]["message"]
    assert not Link.objects.filter(kind="customer").exclude(record_id="").exists()
    done = caller.post("/problems/answer", {**body, "expected": 3}, Idempotency_Key="once")
    assert done.status_code == 202
    answer = done.json()
    assert (answer["answered"], answer["left"]) == (2, 1)
    assert [row["id"] for row in answer["left_problems"]] == [questions[2].pk]
    linked = Link.objects.filter(kind="customer").exclude(record_id="")
    assert {link.remote_id for link in linked} == {"id of Kim Reed", "id of Lee Moss"}
    assert {*SyncJob.objects.get(pk=answer["job_id"]).only} == {link.pk for link in linked}
    again = caller.post("/problems/answer", {**body, "expected": 3}, Idempotency_Key="once")
    assert (again.content, AuditEntry.objects.filter(action="problem.all_answered").count()) == (done.content, 1)


def test_all_are_another_and_one_that_was_decided_meanwhile_is_left(ours, questions):
    caller = caller_of(ours.workspace)
    Link.objects.create(stream=Stream.objects.get(kind="customer"), kind="customer", remote_id="9",
                        record_id=questions[0].record_id, seen={"display_name": "x"})  # fmt: skip
    body = {"cause": "match", "integration": BOOKS, "choice": "new", "expected": 3, "code": "RECORD_REJECTED"}
    answer = caller.post("/problems/answer", body).json()
    assert (answer["answered"], [row["id"] for row in answer["left_problems"]]) == (2, [questions[0].pk])
    assert Link.objects.filter(decision__match="new").count() == 2


@pytest.mark.slow
def test_all_of_a_cause_are_tried_again_and_no_others(ours, ask, books, make_client):
    theirs = company("Theirs")
    stream = Stream.objects.get(connection=books, kind="customer")

    def refused(reason: str, **fields) -> Link:
        client = make_client(workspace=ours.workspace)
        link = Link.objects.create(
            stream=stream, kind="customer", record_id=client.pk, remote_id=client.pk, parked=True
        )
        problem = ask(client, "customer", reason=reason, link=link)
        Problem.objects.filter(pk=problem.pk).update(**fields)
        return link

    mine = [refused("closed_period") for _ in range(3)]
    refused("currency")
    refused("closed_period", ignored_at=timezone.now())
    Problem.objects.filter(pk=theirs.conflict.pk).update(code="RECORD_REJECTED", data={"reason": "closed_period"})
    caller = caller_of(ours.workspace)
    body = {"cause": "closed_period", "integration": BOOKS, "expected": 3}
    assert caller.post("/problems/retry", {**body, "integration": "google-calendar"}).status_code == 412
    answer = caller.post("/problems/retry", {**body, "connection_id": books.pk}).json()
    assert (answer["retried"], answer["left"]) == (3, 0)
    assert {link.pk for link in Link.objects.filter(parked=False, unsettled=True)} == {link.pk for link in mine}
    assert SyncJob.objects.get(pk=answer["job_id"]).connection == books
    assert SyncJob.objects.in_flight().count() == 1
    later = caller.post("/problems/retry", body).json()  # while that one is in flight
    assert (later["retried"], later["job_id"]) == (3, None)
    Problem.objects.filter(connection=books).update(data={"reason": "match"})
    left = caller.post("/problems/retry", {**body, "cause": "match", "expected": 4}).json()
    assert (left["retried"], left["left"], left["job_id"]) == (0, 4, None)


def test_a_key_syncs_no_whole_account_where_plans_are_approved(ours, ask, books):
    stream = Stream.objects.get(connection=books, kind="customer")
    link = Link.objects.create(stream=stream, kind="customer", record_id=ours.client.pk, remote_id="", parked=True)
    one = ask(ours.client, "customer", reason="closed_period", link=link)
    whole = Problem.objects.create(
        workspace=ours.workspace, connection=books, integration=books.integration, code="PROVIDER_UNAVAILABLE",
        occurred_at=timezone.now(),
    )  # fmt: skip
    person = get_user_model().objects.create(username="boss")
    set_approval(workspace=ours.workspace, integration=books.integration, wanted=True, user=person)
    caller, body = caller_of(ours.workspace), {"cause": "closed_period", "integration": BOOKS, "expected": 1}
    for refused in (caller.post(f"/problems/{whole.pk}/retry"), caller.post("/problems/retry", body)):
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "INVALID_TRANSITION")
    link.refresh_from_db()
    assert link.parked and not SyncJob.objects.in_flight().exists()
    assert caller.post(f"/problems/{one.pk}/retry").json()["outcome"] == "queued"  # just this record
    SyncJob.objects.in_flight().update(status="succeeded")
    assert decisions.retry(problem=whole, user=person)


@pytest.mark.slow
def test_a_wrong_body_is_told_and_nothing_done(ours, questions):
    caller = caller_of(ours.workspace)
    right = {"cause": "match", "integration": BOOKS, "choice": "same", "expected": 3}
    wrong = {
        "expected": ["3", True, -1, None, 1e400, 10**12],
        "cause": ["no such", ["match"], ""],
        "integration": ["fax", {}],
        "connection_id": [7, "x" * 33],
        "code": ["match"],
        "choice": [{"id": "same"}, " same", "same:id of Kim Reed"],
        "dry_run": [True],
    }
    for name, values in wrong.items():
        for value in values:
            answer = caller.post("/problems/answer", right | {name: value})
            assert answer.status_code == 400, (name, value, answer.content)
            assert name == "expected" or details(answer) == [name]
    assert not SyncJob.objects.in_flight().exists()
