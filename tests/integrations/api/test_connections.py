"""Accounts by API: every state listed once, paused, resumed and disconnected as at the desk, by whom, and at once."""

import datetime as dt

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.api.scopes import SCOPES
from fieldcamp.webhooks.models import WebhookEvent
from fieldcamp.workspace.models import AuditEntry, BlockedTime, Visit
from integrations.models import Connection, ConnectionState, Link, OAuthGrant, Problem, Stream, SyncJob
from integrations.providers import PROVIDERS
from tests.integrations import build
from tests.integrations.api.conftest import JOBS, caller_of
from tests.integrations.connecting import *  # noqa: F403

pytestmark = pytest.mark.django_db


def told() -> list[str]:
    found = WebhookEvent.objects.filter(type__startswith="connection.").order_by("created_at")
    return list(found.values_list("type", flat=True))


def audited() -> list[str]:
    found = AuditEntry.objects.filter(action__startswith="connection.").order_by("pk")
    return list(found.values_list("action", flat=True))


# --- the list -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_each_account_is_listed_once_in_the_state_that_it_shows(workspace, caller):
    made = {state: build.connection(workspace, state) for state in ConnectionState.values}
    left = build.connection(workspace, ConnectionState.ACTIVE)
    left.member.is_active = False
    left.member.save()
    rows = caller.get("/connections").json()["connections"]
    assert [row["id"] for row in rows] == sorted([*(each.pk for each in made.values()), left.pk])
    found = {}
    for state in ConnectionState.values:
        for row in caller.get(f"/connections?state={state}").json()["connections"]:
            assert row["state"] == state
            found.setdefault(row["id"], []).append(state)
    assert found == {row["id"]: [row["state"]] for row in rows}
    assert found[left.pk] == ["member_inactive"]
    for state, each in made.items():
        url = caller.get(f"/connections/{each.pk}").json()["connect_url"]
        again = ("needs_reconnect", "needs_permission", "disconnected")
        place = f"google-calendar/?connection={each.pk}" if state in again else f"{each.pk}/setup/"
        assert url.endswith(place) if state in (*again, "setup") else url is None, state
    assert caller.get("/connections?integration=outlook-calendar").json()["connections"] == []
    assert len(caller.get("/connections?integration=google-calendar").json()["connections"]) == len(rows)
    assert [row["id"] for row in caller.get(f"/connections?member_id={left.member_id}").json()["connections"]] == [
        left.pk
    ]
    first = caller.get("/connections?limit=5").json()
    rest = caller.get(f"/connections?limit=5&cursor={first['next_cursor']}").json()
    assert [*first["connections"], *rest["connections"]] == rows and rest["next_cursor"] is None
    for wrong in ("state=lost", "integration=fax", "limit=0", "cursor=x", f"state=setup&cursor={first['next_cursor']}"):
        assert caller.get(f"/connections?{wrong}").status_code == 400


@pytest.mark.parametrize("name", ["stalled", "removing_events"])
def test_what_is_true_of_an_account_is_a_filter(workspace, caller, name):
    for state in (ConnectionState.ACTIVE, ConnectionState.PAUSED, ConnectionState.DISCONNECTED):
        build.connection(workspace, state, last_synced_at=build.NOW - dt.timedelta(days=9), fresh_from=None)
    build.connection(workspace, last_synced_at=timezone.now(), leaving={"visits_to": None})
    rows = caller.get("/connections").json()["connections"]
    parts = {value: caller.get(f"/connections?{name}={value}").json()["connections"] for value in ("true", "false")}
    assert parts["true"] == [row for row in rows if row[name]] and parts["true"]
    assert parts["false"] == [row for row in rows if not row[name]] and parts["false"]
    assert caller.get(f"/connections?{name}=maybe").status_code == 400


def test_a_row_says_what_is_lacking_and_when_it_is_asked_again(workspace, caller):
    one = build.connection(workspace, ConnectionState.NEEDS_PERMISSION, state_reason="A box was left empty.",
                           retry_at=build.NOW, last_synced_at=build.NOW - dt.timedelta(days=1))  # fmt: skip
    needed = [*PROVIDERS[one.integration].permissions]
    grant = OAuthGrant.objects.create(connection=one, access_token="secret-of-dana", scopes=["openid"])
    for number, fields in enumerate(({}, {}, {"ignored_at": build.NOW}, {"notice": True}, {"resolved_at": build.NOW})):
        Problem.objects.create(workspace=workspace, integration=one.integration, connection=one, code="CONFLICT",
                               record_id=f"vis_{number}", message="x", occurred_at=build.NOW, **fields)  # fmt: skip
    answer = caller.get(f"/connections/{one.pk}")
    row = answer.json()
    assert (row["scopes_missing"], row["problems"], row["retry_at"]) == (needed, 2, "2026-11-22T08:00:00Z")
    assert (row["state_reason"], row["member_id"], row["stalled"]) == ("A box was left empty.", one.member_id, True)
    assert "secret-of-dana" not in answer.content.decode()
    assert caller.get(f"/connections/{one.pk}", If_None_Match=answer["ETag"]).status_code == 304
    for scopes, missing in ((needed, []), ([], needed)):
        OAuthGrant.objects.filter(pk=grant.pk).update(scopes=scopes)
        assert caller.get(f"/connections/{one.pk}").json()["scopes_missing"] == missing
    Connection.objects.update(state="active")  # an answer without scopes has granted what was asked for
    assert caller.get(f"/connections/{one.pk}").json()["scopes_missing"] == []


def test_as_many_queries_for_many_as_for_one(workspace, caller):
    def queries() -> int:
        with CaptureQueriesContext(database) as seen:
            assert caller.get("/connections").status_code == 200
        return len(seen)

    def grow() -> None:
        one = build.connection(workspace)
        OAuthGrant.objects.create(connection=one, scopes=["openid"])
        Problem.objects.create(workspace=workspace, integration=one.integration, connection=one, code="CONFLICT",
                               record_id="vis_1", message="x", occurred_at=build.NOW)  # fmt: skip

    grow()
    queries()  # in which the key is used for the first time
    few = queries()
    for _ in range(8):
        grow()
    assert queries() == few


# --- pause and resume -----------------------------------------------------------------------------------------------


def test_an_account_is_paused_and_resumed_by_a_key_as_by_a_person(workspace, caller):
    one = build.connection(workspace)
    job = build.job(workspace, "running", started_at=timezone.now())  # goes on, as it does at the desk
    for verb, state in (("pause", "paused"), ("resume", "active")):
        first = caller.post(f"/connections/{one.pk}/{verb}", Idempotency_Key=verb)
        row = first.json()
        assert (first.status_code, row["id"], row["state"]) == (200, one.pk, state)
        again = caller.post(f"/connections/{one.pk}/{verb}", Idempotency_Key=verb)
        assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
        assert caller.post(f"/connections/{one.pk}/{verb}", {}).json()["state"] == state  # twice is harmless
        assert caller.post(f"/connections/{one.pk}/{verb}", {"for": "ever"}).status_code == 400
    assert (told(), audited()) == (
        ["connection.paused", "connection.resumed"],
        ["connection.paused", "connection.resumed"],
    )
    entry = AuditEntry.objects.get(action="connection.paused")
    assert entry.actor.startswith("API key test (key_") and entry.after["state_reason"] == f"Paused by {entry.actor}."
    source = WebhookEvent.objects.get(type="connection.paused")
    assert (source.source, entry.actor in bytes(source.body).decode()) == ("api", True)
    job.refresh_from_db()
    assert (job.status, job.cancel_requested_at) == ("running", None)


def test_what_fieldcamp_has_paused_is_paused_by_a_person_from_then_on(workspace, caller):
    one = build.connection(workspace, ConnectionState.PAUSED, retry_at=build.NOW)
    assert caller.post(f"/connections/{one.pk}/pause").json()["state"] == "paused"
    one.refresh_from_db()
    assert one.paused_by_person and not told()


@pytest.mark.parametrize("state", sorted({*ConnectionState.values} - {"active", "paused"}))
def test_what_cannot_sync_is_neither_paused_nor_resumed(workspace, caller, state):
    one = build.connection(workspace, state)
    for verb in ("pause", "resume"):
        refused = caller.post(f"/connections/{one.pk}/{verb}", Idempotency_Key=verb)
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (422, "INTEGRATION_NOT_CONNECTED")
        assert error["details"]["reason"] == {"setup": "never_connected"}.get(state, state)
        assert one.pk in error["details"]["connect_url"]
    one.refresh_from_db()
    assert (one.state, one.paused_by_person, audited()) == (state, False, [])


@pytest.mark.slow
def test_what_cannot_be_paused_is_told_at_the_desk_as_well(workspace, desk):
    one = build.connection(workspace, ConnectionState.NEEDS_RECONNECT)
    for verb in ("pause", "resume"):
        page = desk.post(f"/admin/integrations/connections/{one.pk}/{verb}/", follow=True).content.decode()
        assert "has withdrawn the permission to sync" in page
    one.refresh_from_db()
    assert one.state == "needs_reconnect" and not audited()


# --- disconnect -----------------------------------------------------------------------------------------------------


def test_disconnecting_wipes_the_tokens_and_is_told(caller, active, vendors):
    WebhookEvent.objects.all().delete()
    before = AuditEntry.objects.count()
    first = caller.post(f"/connections/{active.pk}/disconnect", {}, Idempotency_Key="bye")
    row = first.json()
    assert (first.status_code, row["state"], row["job_id"]) == (200, "disconnected", None)
    assert row["connect_url"].endswith(f"?connection={active.pk}") and row["disconnected_at"]
    grant = OAuthGrant.objects.get()
    assert (grant.access_token, grant.refresh_token, grant.answer) == ("", "", "")
    assert len(vendors.requests("/revoke")) == 1
    after = AuditEntry.objects.count()
    assert after > before
    assert caller.post(f"/connections/{active.pk}/disconnect", {}, Idempotency_Key="bye").content == first.content
    again = caller.post(f"/connections/{active.pk}/disconnect")
    assert (again.status_code, again.json()) == (200, row)
    assert (told(), AuditEntry.objects.count()) == (["connection.disconnected"], after)
    assert len(vendors.requests("/revoke")) == 1
    reused = caller.post(f"/connections/{active.pk}/disconnect", {"remove_events": True}, Idempotency_Key="bye")
    assert (reused.status_code, reused.json()["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_key_that_was_used_for_something_else_disconnects_nothing(caller, active, vendors):
    assert caller.post(f"/connections/{active.pk}/pause", Idempotency_Key="one").status_code == 200
    refused = caller.post(f"/connections/{active.pk}/disconnect", {}, Idempotency_Key="one")
    assert refused.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    active.refresh_from_db()
    assert active.state == "paused" and not vendors.requests("/revoke")


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_no_transaction_is_open_while_the_provider_is_told(caller, active, vendors, monkeypatch):
    seen, real = [], vendors.adapter.send

    def send(request, **kwargs):
        seen.append(database.in_atomic_block)
        return real(request, **kwargs)

    monkeypatch.setattr(vendors.adapter, "send", send)
    assert caller.post(f"/connections/{active.pk}/disconnect", {}, Idempotency_Key="bye").status_code == 200
    assert seen == [False]


def test_events_are_taken_away_first_by_a_job(caller, active, make_visit, lee):
    visit = make_visit(technician=active.member, scheduled_start=timezone.now() + dt.timedelta(days=1),
                       scheduled_end=timezone.now() + dt.timedelta(days=1, hours=1),
                       visit_status="scheduled")  # fmt: skip
    stream = active.streams.get()
    Link.objects.create(stream=stream, kind="visit", record_id=visit.pk, remote_id="e1", seen={}, base={})
    BlockedTime.objects.create(workspace=active.workspace, member=active.member, key="k", starts_at=build.NOW,
                               ends_at=build.NOW)  # fmt: skip
    place = f"/connections/{active.pk}/disconnect"
    narrow = caller_of(active.workspace, scopes=[scope for scope in SCOPES if scope != "visits:write"])
    refused = narrow.post(place, {"visits_to": lee.pk})
    assert refused.json()["error"]["details"] == {"required_scope": "visits:write"}
    for wrong in ({"visits_to": "mem_x"}, {"visits_to": active.member_id}, {"remove_events": "yes"}, {"visits_to": 1}):
        assert caller.post(place, wrong).status_code == 400
    answer = caller.post(place, {"remove_events": True, "visits_to": lee.pk})
    row = answer.json()
    assert (answer.status_code, row["state"], row["removing_events"]) == (200, "active", True)
    job = SyncJob.objects.get(pk=row["job_id"])
    assert (job.connection, job.triggered_by, answer["Location"]) == (active, "api", f"{JOBS}/{job.pk}")
    assert Visit.objects.get().technician == lee
    entries = AuditEntry.objects.count()
    again = caller.post(place, {"remove_events": True}).json()
    assert (again["job_id"], AuditEntry.objects.count()) == (job.pk, entries)
    now = caller.post(place, {}).json()  # somebody would rather not wait
    assert (now["state"], now["removing_events"], now["job_id"]) == ("disconnected", False, None)


@pytest.mark.parametrize("state", sorted({*ConnectionState.values} - {"disconnected"}))
def test_whatever_state_it_is_in_it_can_be_disconnected(workspace, caller, state):
    one = build.connection(workspace, state, retry_at=build.NOW, paused_by_person=state == "paused")
    OAuthGrant.objects.create(connection=one, access_token="a", scopes=["openid"])
    build.job(workspace, "running", started_at=timezone.now())
    row = caller.post(f"/connections/{one.pk}/disconnect").json()
    assert (row["state"], row["retry_at"], row["scopes_missing"]) == ("disconnected", None, [])
    assert OAuthGrant.objects.get().access_token == "" and told() == ["connection.disconnected"]


def test_events_stay_where_fieldcamp_has_no_access(workspace, caller):
    one = build.connection(workspace, ConnectionState.NEEDS_RECONNECT)
    stream = Stream.objects.create(connection=one, container_id="main", is_target=True)
    Link.objects.create(stream=stream, kind="visit", record_id="vis_1", remote_id="e1", seen={})
    refused = caller.post(f"/connections/{one.pk}/disconnect", {"remove_events": True})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "INVALID_TRANSITION")
    one.refresh_from_db()
    assert one.state == "needs_reconnect"
    assert caller.post(f"/connections/{one.pk}/disconnect", {}).json()["state"] == "disconnected"


def test_books_and_what_is_nobodys_hand_no_visits_over(workspace, caller, lee, make_visit):
    visit = make_visit(technician=None)
    books = build.connection(workspace, integration="quickbooks", member=None)
    nobodys = build.connection(workspace, "setup", member=None)
    for one, body in (
        (books, {"remove_busy_times": True}),
        (books, {"visits_to": lee.pk}),
        (nobodys, {"visits_to": lee.pk}),
    ):
        assert caller.post(f"/connections/{one.pk}/disconnect", body).status_code == 400
    visit.refresh_from_db()
    assert visit.technician is None
    assert {*Connection.objects.values_list("state", flat=True)} == {"active", "setup"}


# --- rights ---------------------------------------------------------------------------------------------------------


def test_a_key_that_may_trigger_disconnects_nothing_and_changes_no_settings(workspace, second_workspace):
    one = build.connection(workspace)
    weak = caller_of(workspace, scopes=["integrations:read", "integrations:write"])
    assert weak.post(f"/connections/{one.pk}/pause").status_code == 200
    refused = {
        ("POST", "/disconnect"): "connections:write",
        ("GET", "/settings"): "connections:read",
        ("PATCH", "/settings"): "connections:write",
        ("GET", "/options"): "connections:read",
    }
    for (method, place), scope in refused.items():
        error = weak(method, f"/connections/{one.pk}{place}", {} if method != "GET" else None).json()["error"]
        assert (error["code"], error["details"]) == ("INSUFFICIENT_SCOPE", {"required_scope": scope})
    reader = caller_of(workspace, scopes=["integrations:read"])
    assert reader.post(f"/connections/{one.pk}/resume").status_code == 403
    other = caller_of(second_workspace)
    for method, place in (*refused, ("GET", ""), ("POST", "/pause"), ("POST", "/resume")):
        body = None if method == "GET" else {}
        assert other(method, f"/connections/{one.pk}{place}", body).status_code == 404
    one.refresh_from_db()
    assert one.state == "paused"


# --- at once --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_many_at_once_pause_and_disconnect_once(workspace, caller, in_parallel):
    one = build.connection(workspace)
    for verb, event in (("pause", "connection.paused"), ("disconnect", "connection.disconnected")):
        place = f"/connections/{one.pk}/{verb}"
        answers = in_parallel(4, lambda _number, place=place: caller.post(place).status_code)
        assert answers == [200] * 4
        assert told().count(event) == 1 and audited().count(event) == 1
