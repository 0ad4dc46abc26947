"""What Google tells of its accounts by itself: what becomes of them here."""

import datetime as dt

import pytest
from django.core import mail
from django.db import connection as database
from django.utils import timezone

from fieldcamp.workspace.models import AuditEntry
from integrations.accounts import security_events
from integrations.accounts.clients import token_source
from integrations.accounts.grants import OrmGrantStore
from integrations.accounts.security_events import LATE
from integrations.accounts.state import judge, went_well
from integrations.errors import NeedsReconnect
from integrations.jobs import housekeeping, tasks
from integrations.models import Connection, ConnectionState, OAuthGrant, Problem, ReceivedSecurityEvent
from integrations.providers.security_events import OLDEST
from integrations.services import connections
from tests.integrations.connecting import GOOGLE, MAIN

WITHDRAWN, TAKEN_OVER, DISABLED, SESSIONS = "withdrawn", "got into it", "tries again once", "all sessions"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("event", "more", "said", "kept"),
    [
        ("tokens-revoked", {}, WITHDRAWN, False),
        ("account-disabled", {"reason": "hijacking"}, TAKEN_OVER, False),
        ("account-disabled", {"reason": "bulk-account"}, DISABLED, True),
        ("account-disabled", {}, DISABLED, True),
        ("sessions-revoked", {}, SESSIONS, True),
    ],
)
def test_what_happens_to_the_account_happens_here(
    told, queue, admin, django_capture_on_commit_callbacks, event, more, said, kept
):
    token = told.token(event, **more)
    told.vendors.forget_requests()
    with django_capture_on_commit_callbacks(execute=True):
        response = told.post(token)
    assert (response.status_code, response.content) == (202, b"")
    connection = Connection.objects.get()
    assert connection.state == ConnectionState.NEEDS_RECONNECT and said in connection.state_reason
    assert bool(told.refresh_token()) is kept
    # Google was asked for its keys, and for nothing about the account.
    asked = {row["path"].rpartition("/")[2] for row in told.vendors.requests()}
    assert asked == {"risc-configuration", "certs"}
    assert said in Problem.objects.open().get(code="NEEDS_RECONNECT").message
    entry = AuditEntry.objects.get(action="connection.security_event")
    assert (entry.actor, entry.after["event"], entry.after.get("reason")) == ("Google", event, more.get("reason"))
    assert (entry.before["state"], entry.after["state"]) == ("active", "needs_reconnect")
    # The mail waits for a worker, since Google waits for the answer.
    assert (mail.outbox, queue.queue_size()) == ([], 1)
    tasks.tell_of_ended_access(connection.pk)
    assert [said in message.body for message in mail.outbox] == [True]
    with pytest.raises(NeedsReconnect):
        token_source(connection, GOOGLE).access_token()


@pytest.mark.slow
def test_one_token_is_revoked_by_its_name(told, new):
    other = new("lee@google.test")
    token = told.refresh_token(other)
    assert told.tell("token-revoked", token=token, token_identifier_alg="hash_base64_sha512_sha512") == 202
    assert (Connection.objects.get(pk=other.pk).state, told.refresh_token(other)) == ("needs_reconnect", "")
    assert told.state() == "active"
    assert told.tell("token-revoked", token=told.refresh_token(), token_identifier_alg="prefix") == 202
    assert (told.state(), told.refresh_token()) == ("needs_reconnect", "")


@pytest.mark.slow
def test_a_token_whose_key_is_lost_is_in_nobodys_way(told, new):
    new("lee@google.test")
    with database.cursor() as cursor:
        other = "UPDATE integrations_oauthgrant SET refresh_token = 'lost:x' WHERE connection_id <> %s"
        cursor.execute(other, [told.connection.pk])
    assert told.tell("token-revoked", token=told.refresh_token()) == 202
    assert told.state() == "needs_reconnect"


def test_all_companies_that_have_connected_the_account_are_concerned(told, new, second_workspace):
    theirs = new(workspace=second_workspace)
    theirs.account_id = told.connection.account_id
    theirs.save()
    assert told.tell("account-disabled", reason="hijacking") == 202
    assert set(Connection.objects.values_list("state", flat=True)) == {"needs_reconnect"}
    entries = AuditEntry.objects.filter(action="connection.security_event")
    assert set(entries.values_list("workspace", flat=True)) == {told.connection.workspace_id, second_workspace.pk}


def test_nobody_is_told_whether_an_account_is_known(told):
    before = Connection.objects.get().state, Problem.objects.count(), AuditEntry.objects.count()
    assert told.tell("tokens-revoked", account="lee@google.test") == 202
    assert told.tell("token-revoked", token="1//0made-up-and-nobodys") == 202
    assert (Connection.objects.get().state, Problem.objects.count(), AuditEntry.objects.count()) == before


def test_a_test_and_a_change_of_credentials_end_nothing(told):
    assert told.tell("verification", state="hello") == 202
    assert ReceivedSecurityEvent.objects.get().test_state == "hello"
    assert not AuditEntry.objects.filter(action="connection.security_event").exists()
    assert told.tell("account-credential-change-required") == 202
    assert told.state() == "active"
    entry = AuditEntry.objects.get(action="connection.security_event")
    assert entry.after == {"event": "account-credential-change-required"}


def test_an_event_that_comes_twice_is_acted_on_once(told):
    token = told.token("tokens-revoked")
    assert told.post(token).status_code == 202
    Connection.objects.filter(pk=told.connection.pk).update(state=ConnectionState.ACTIVE)
    assert told.post(token).status_code == 202
    assert told.state() == "active"
    assert ReceivedSecurityEvent.objects.count() == 1


def test_what_was_granted_since_is_not_touched_by_a_late_event(told, clock):
    token = told.token("account-disabled", reason="hijacking")
    clock.sleep(60)
    OAuthGrant.objects.update(granted_at=timezone.now())
    assert told.post(token).status_code == 202
    assert (told.state(), bool(told.refresh_token())) == ("active", True)


@pytest.mark.slow
def test_a_disconnected_account_stays_so(told, admin):
    connections.disconnect(connection=told.connection, user=admin.user)
    assert told.tell("account-disabled") == 202
    assert told.state() == "disconnected"


@pytest.mark.slow
def test_a_renewal_under_way_does_not_bring_the_token_back(told):
    store = OrmGrantStore(told.connection.pk)
    version = store.read().version
    tokens = GOOGLE.parse_tokens(told.vendors.token(MAIN), timezone.now())
    assert told.tell("tokens-revoked") == 202
    assert not store.save(version, tokens, timezone.now())
    assert told.refresh_token() == ""


def test_an_account_that_is_enabled_again_heals_with_its_next_sync(told):
    """Where the tokens were kept. The schedule tries it at once, and not for ever."""
    told.tell("account-disabled")
    row = Connection.objects.get()
    assert not Connection.objects.scheduled().exists()
    told.tell("account-enabled")
    assert Connection.objects.scheduled().filter(retry_at__lte=timezone.now()).exists()
    assert token_source(row, GOOGLE).access_token()
    went_well(row.pk, timezone.now())
    assert (told.state(), Problem.objects.open().count()) == ("active", 0)


def test_an_account_whose_tokens_ended_with_it_is_tried_once(told):
    told.tell("account-disabled")
    told.tell("account-enabled")
    verdict = NeedsReconnect("Google has ended FieldCamp's access. Reconnect the account.", proven=True)
    judge(Connection.objects.get(), verdict, timezone.now())
    assert (told.state(), Connection.objects.scheduled().exists()) == ("needs_reconnect", False)


def test_a_disabling_that_comes_after_the_enabling_is_tried_again(told, clock):
    """Events that were put off come in any order."""
    late = told.token("account-disabled")
    clock.sleep(LATE.total_seconds() + 60)
    told.tell("account-enabled")
    assert told.post(late).status_code == 202
    assert (told.state(), Connection.objects.scheduled().exists()) == ("needs_reconnect", True)


def test_what_is_granted_while_an_event_is_looked_at_stays(told, monkeypatch):
    """To find a token all of them have to be opened, and a person may reconnect meanwhile."""
    token = told.token("token-revoked", token=told.refresh_token())
    found = security_events._holders

    def granted_meanwhile(*given):
        yield from list(found(*given))
        OAuthGrant.objects.update(granted_at=timezone.now() + dt.timedelta(seconds=5))

    monkeypatch.setattr(security_events, "_holders", granted_meanwhile)
    assert told.post(token).status_code == 202
    assert (told.state(), bool(told.refresh_token())) == ("active", True)


@pytest.mark.slow
def test_being_enabled_mends_nothing_else(told):
    for ended_by in (None, "sessions-revoked", "tokens-revoked", "account-disabled"):
        if ended_by:
            told.tell(ended_by, **({"reason": "hijacking"} if ended_by == "account-disabled" else {}))
        before = Connection.objects.values("state", "state_reason", "refused_at", "retry_at").get()
        assert told.tell("account-enabled") == 202
        assert Connection.objects.values("state", "state_reason", "refused_at", "retry_at").get() == before


def test_the_vendors_word_ends_the_tries_of_an_account_that_we_had_given_up(told):
    connections.mark_needs_reconnect(told.connection, "Refused.")
    now = timezone.now()
    Connection.objects.update(refused_at=now, retry_at=now)
    told.tell("tokens-revoked")
    row = Connection.objects.get()
    assert (row.refused_at, row.retry_at, WITHDRAWN in row.state_reason) == (None, None, True)
    assert WITHDRAWN in Problem.objects.open().get().message


@pytest.mark.slow
def test_what_has_come_is_kept_for_longer_than_it_would_be_believed(told):
    told.tell("verification", state="hello")
    assert OLDEST < housekeeping.EVENTS_KEPT
    for days, left in ((59, 1), (61, 0)):
        housekeeping.daily(timezone.now() + dt.timedelta(days=days))
        assert ReceivedSecurityEvent.objects.count() == left
