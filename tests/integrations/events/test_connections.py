"""Each move of an account from one state to another is told once, whoever moves it."""

import datetime as dt

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.accounts.people import follow_members
from integrations.accounts.state import judge, mark_needs_permission, mark_needs_reconnect, went_well
from integrations.errors import NeedsReconnect
from integrations.jobs import schedule
from integrations.models import Connection, ConnectionState, OAuthGrant
from integrations.records import Account
from integrations.services import connections, leaving
from tests.integrations import build
from tests.integrations.connecting import GOOGLE, MAIN
from tests.integrations.events.seen import bodies, forget, names, objects

pytestmark = pytest.mark.django_db
OUTAGE = {"code": "PROVIDER_UNAVAILABLE", "message": "Google Calendar did not answer."}


def failed(connection: Connection, times: int) -> None:
    for _ in range(times):
        schedule.after_job(build.ended(connection.workspace, "failed", {connection: "failed"}, OUTAGE))


def came_back(connection: Connection) -> None:
    schedule.after_job(build.ended(connection.workspace, "succeeded", {connection: "done"}))


def refused(connection: Connection) -> None:
    """An API, not the token endpoint, has refused it for a quarter of an hour."""
    now = timezone.now()
    judge(connection, NeedsReconnect("Refused."), now - dt.timedelta(minutes=15))
    judge(connection, NeedsReconnect("Refused."), now)


def set_active(member, active: bool) -> None:
    member.is_active = active
    member.save()
    follow_members(member.pk)


@pytest.mark.slow
def test_a_walk_through_all_states_tells_each_move_once(new, dana, admin, vendors, settings):
    settings.PAUSE_AFTER_FAILURES = 3
    user = admin.user
    account = new()
    assert names() == []  # a consent alone connects nothing
    chosen = {"member": dana, "target_container_id": MAIN, "busy_container_ids": [MAIN], "user": user}
    steps = [
        (lambda: connections.set_up(connection=account, **chosen), "connected", "active"),
        (lambda: connections.set_up(connection=account, **chosen), None, "active"),
        (lambda: connections.pause(connection=account, user=user), "paused", "paused"),
        (lambda: connections.pause(connection=account, user=user), None, "paused"),
        (lambda: came_back(account), None, "paused"),  # a person's pause stays
        (lambda: connections.resume(connection=account, user=user), "resumed", "active"),
        (lambda: connections.resume(connection=account, user=user), None, "active"),
        (lambda: failed(account, 2), None, "active"),
        (lambda: failed(account, 1), "paused", "paused"),
        (lambda: failed(account, 2), None, "paused"),
        (lambda: came_back(account), "resumed", "active"),
        (lambda: came_back(account), None, "active"),
        (lambda: refused(account), "needs_reconnect", "needs_reconnect"),
        (lambda: refused(account), None, "needs_reconnect"),
        (lambda: went_well(account.pk, timezone.now()), "resumed", "active"),
        (lambda: went_well(account.pk, timezone.now()), None, "active"),
        (lambda: mark_needs_permission(account.pk, "Lacks one."), "needs_permission", "needs_permission"),
        (lambda: mark_needs_permission(account.pk, "Lacks one."), None, "needs_permission"),
        (lambda: connections.recheck(connection=fresh(account)), "resumed", "active"),
        (lambda: mark_needs_reconnect(account.pk, "Ended."), "needs_reconnect", "needs_reconnect"),
        (lambda: mark_needs_reconnect(account.pk, "Ended."), None, "needs_reconnect"),
        (lambda: new(), "reconnected", "active"),
        (lambda: new(), "reconnected", "active"),  # also of one that worked: somebody has consented again
        (lambda: set_active(dana, False), "paused", "member_inactive"),
        (lambda: set_active(dana, False), None, "member_inactive"),
        (lambda: set_active(dana, True), "resumed", "active"),
        (lambda: connections.disconnect(connection=account, user=user), "disconnected", "disconnected"),
        (lambda: connections.disconnect(connection=account, user=user), None, "disconnected"),
        (lambda: mark_needs_reconnect(account.pk, "Ended."), None, "disconnected"),
        (lambda: new(), "reconnected", "active"),
    ]
    for number, (step, told, state) in enumerate(steps):
        forget()
        step()
        account = fresh(account)
        assert (account.state, names("connection")) == (state, [f"connection.{told}"] if told else []), number
    assert {state for _step, _told, state in steps} == {*ConnectionState.values} - {"setup"}


def fresh(connection: Connection) -> Connection:
    return Connection.objects.get(pk=connection.pk)


def test_the_object_is_the_entry_of_the_status(active, admin, status):
    forget()
    connections.pause(connection=active, user=admin.user)
    [shown] = status("google_calendar")["connections"]
    assert objects("connection.paused") == [{**shown, "code": None, "reconnect_url": None}]
    [body] = bodies("connection")
    assert body["source"] == {
        "kind": "desk",
        "integration": "google_calendar",
        "job_id": None,
        "actor": admin.user.get_username(),
        "request_id": None,
    }
    connections.disconnect(connection=active, user=None)
    assert objects("connection.disconnected") == status("google_calendar")["connections"]
    assert bodies("connection")[-1]["source"]["kind"] == "system"


def test_what_a_person_has_to_do_is_told_with_the_place(active, settings):
    mark_needs_reconnect(active, "Ended.")
    [shown] = objects("connection.needs_reconnect")
    assert (shown["code"], shown["state"]) == ("NEEDS_RECONNECT", "needs_reconnect")
    assert shown["reconnect_url"].endswith(f"?connection={active.pk}")
    settings.PAUSE_AFTER_FAILURES = 1
    Connection.objects.update(state="active")
    failed(active, 1)
    assert [(shown["code"], shown["reconnect_url"]) for shown in objects("connection.paused")] == [
        ("PROVIDER_UNAVAILABLE", None)
    ]


def test_a_consent_that_lacks_a_permission_still_is_told_once(active, new, vendors, workspace, admin):
    forget()
    some = [scope for scope in OAuthGrant.objects.get().scopes if "events" not in scope]
    for told in (["connection.needs_permission"], []):  # it lacked it before
        forget()
        tokens = GOOGLE.parse_tokens(vendors.token(MAIN, some), timezone.now())
        account = Account(f"id of {MAIN}", MAIN)
        connections.take_grant(
            workspace=workspace, integration=GOOGLE.name, account=account, tokens=tokens, user=admin.user
        )
        assert names("connection") == told
        assert fresh(active).state == ConnectionState.NEEDS_PERMISSION


def test_a_grant_for_somebody_who_has_left_is_told_as_it_went(active, new, dana):
    set_active(dana, False)
    forget()
    new()
    assert names("connection") == ["connection.reconnected", "connection.paused"]
    assert objects("connection.paused")[0]["code"] == "MEMBER_INACTIVE"


def test_leaving_an_account_ends_with_its_end(active, admin):
    forget()
    choices = leaving.LeaveChoices(remove_busy=True)
    leaving.leave(connection=active, choices=choices, user=admin.user, disconnecting=True)
    assert names("connection") == ["connection.disconnected"]


def test_a_change_that_is_rolled_back_is_told_to_nobody(active, admin):
    forget()
    with pytest.raises(RuntimeError), transaction.atomic():
        connections.pause(connection=active, user=admin.user)
        assert names() == ["connection.paused"]
        raise RuntimeError
    assert names() == []


def test_another_company_is_told_nothing(active, admin, second_workspace):
    connections.pause(connection=active, user=admin.user)
    assert {body["workspace_id"] for body in bodies()} == {active.workspace_id}
