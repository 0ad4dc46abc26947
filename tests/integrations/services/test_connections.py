"""What can be done with a connection once it is there."""

import pytest
from django.utils import timezone

from integrations.errors import NeedsPermission, NeedsReconnect
from integrations.models import ConnectionState, OAuthGrant, Problem
from integrations.records import Account
from integrations.services import connections
from tests.integrations.connecting import GOOGLE, MAIN


def test_pausing_and_resuming(active, admin):
    connections.pause(connection=active, user=admin.user)
    assert (active.state, active.paused_by_person) == (ConnectionState.PAUSED, True)
    connections.resume(connection=active, user=admin.user)
    assert (active.state, active.paused_by_person, active.state_reason) == (ConnectionState.ACTIVE, False, "")


def test_a_pause_outlives_a_reconnect(active, admin, new):
    connections.pause(connection=active, user=admin.user)
    connections.mark_needs_reconnect(active, "Gone.")
    assert active.state == ConnectionState.NEEDS_RECONNECT
    assert new().state == ConnectionState.PAUSED


def test_disconnecting_wipes_revokes_and_keeps_the_history(active, admin, vendors):
    grant = OAuthGrant.objects.get()
    connections.mark_needs_reconnect(active, "Gone.")
    link = active.streams.get().links.create(kind="visit", record_id="vis_1", remote_id="e1")
    gone = connections.disconnect(connection=active, user=admin.user)
    assert (gone.state, bool(gone.disconnected_at), bool(gone.revoked_at_provider)) == (
        ConnectionState.DISCONNECTED,
        True,
        True,
    )
    after = OAuthGrant.objects.get()
    assert (after.access_token, after.refresh_token, after.answer, after.scopes) == ("", "", "", [])
    assert after.version > grant.version
    link.refresh_from_db()
    assert link.cut_at is None
    assert not Problem.objects.filter(resolved_at=None).exists()
    with pytest.raises(NeedsReconnect):
        connections.list_containers(gone)
    assert len(vendors.requests("/revoke")) == 1


def test_an_account_that_another_company_uses_is_not_revoked(active, admin, new, second_workspace, vendors):
    other = new(workspace=second_workspace)
    gone = connections.disconnect(connection=active, user=admin.user)
    assert gone.revoked_at_provider is None
    assert vendors.requests("/revoke") == []
    assert connections.list_containers(other)
    assert connections.disconnect(connection=other, user=admin.user).revoked_at_provider


def test_a_provider_that_cannot_be_told_does_not_keep_us_connected(active, admin, vendors):
    vendors.fault("status", path="/revoke", status=400, body={"error": "invalid_request"})
    gone = connections.disconnect(connection=active, user=admin.user)
    assert (gone.state, gone.revoked_at_provider) == (ConnectionState.DISCONNECTED, None)
    assert OAuthGrant.objects.get().refresh_token == ""


def test_disconnecting_twice_is_fine(active, admin, vendors):
    connections.disconnect(connection=active, user=admin.user)
    connections.disconnect(connection=active, user=admin.user)
    assert len(vendors.requests("/revoke")) == 1


def test_no_transaction_is_open_while_revoking(transactional_db, active, admin, vendors, monkeypatch):
    from django.db import connection as database

    seen, real = [], vendors.adapter.send

    def send(request, **kwargs):
        seen.append(database.in_atomic_block)
        return real(request, **kwargs)

    monkeypatch.setattr(vendors.adapter, "send", send)
    connections.disconnect(connection=active, user=admin.user)
    assert seen == [False]


def test_the_same_account_takes_up_its_row(active, admin, new):
    stream = active.streams.get()
    stream.cursor = "where we were"
    stream.save()
    connections.disconnect(connection=active, user=admin.user)
    again = new()
    assert (again.pk, again.state, again.disconnected_at) == (active.pk, ConnectionState.ACTIVE, None)
    assert again.streams.get().cursor == "where we were"


def test_its_member_has_another_account_by_now(active, admin, new, dana):
    connections.disconnect(connection=active, user=admin.user)
    other = new("lee@google.test")
    connections.set_up(connection=other, member=dana, target_container_id="lee@google.test", busy_container_ids=[])
    again = new()
    assert (again.pk, again.state, again.member) == (active.pk, ConnectionState.SETUP, None)


def test_an_answer_without_a_refresh_token_keeps_the_stored_one(active, workspace, admin, vendors):
    stored = OAuthGrant.objects.get().refresh_token
    answer = {name: value for name, value in vendors.token().items() if name != "refresh_token"}
    connections.take_grant(
        workspace=workspace,
        integration="google_calendar",
        account=Account(active.account_id, MAIN),
        tokens=GOOGLE.parse_tokens(answer, timezone.now()),
        user=admin.user,
    )
    grant = OAuthGrant.objects.get()
    assert (grant.refresh_token, grant.access_token) == (stored, answer["access_token"])


def test_checking_again(active, vendors):
    words = next(iter(GOOGLE.permissions.values()))
    connections.mark_needs_permission(active, f"Permission is missing: {words}.")
    assert active.state == ConnectionState.NEEDS_PERMISSION
    narrow = {"access_token": "ya29.narrow", "expires_in": 3599, "scope": "openid email"}
    vendors.fault("status", path="/token", status=200, body=narrow)
    with pytest.raises(NeedsPermission):
        connections.recheck(connection=active)
    assert connections.recheck(connection=active).state == ConnectionState.ACTIVE
    assert not Problem.objects.filter(resolved_at=None).exists()


def test_saying_it_twice_is_one_problem_and_one_mail(active, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert connections.mark_needs_reconnect(active, "Gone.")
        assert not connections.mark_needs_reconnect(active, "Gone.")
        assert not connections.mark_needs_reconnect(active.pk, "Gone.")
    assert Problem.objects.count() == len(mailoutbox) == 1
