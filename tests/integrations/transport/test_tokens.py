"""The refresh rule over the real store: one caller asks, nothing is used before it is saved."""

import datetime as dt

import pytest
from django.core import mail
from django.utils import timezone

from fieldcamp.workspace.models import Member, Role, Workspace
from integrations.accounts.clients import client_for, token_source
from integrations.accounts.grants import OrmGrantStore
from integrations.errors import Misconfigured, NeedsPermission, NeedsReconnect, Unavailable
from integrations.models import Connection, ConnectionState, OAuthGrant, Problem
from integrations.providers import PROVIDERS
from integrations.records import Tokens
from integrations.transport.tokens import RefreshingTokens
from tests.faketime import FakeTime

GOOGLE = PROVIDERS["google_calendar"]
NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)


@pytest.fixture
def connected(db, vendors) -> Connection:
    workspace = Workspace.objects.create(name="Dana's Plumbing")
    Member.objects.create(workspace=workspace, first_name="Olga", email="olga@fieldcamp.test", role=Role.OWNER)
    Member.objects.create(workspace=workspace, first_name="Adam", email="adam@fieldcamp.test", role=Role.ADMIN)
    Member.objects.create(workspace=workspace, first_name="Vera", email="vera@fieldcamp.test", role=Role.VIEWER)
    dana = Member.objects.create(workspace=workspace, first_name="Dana", email="dana@google.test", is_technician=True)
    connection = Connection.objects.create(
        workspace=workspace,
        integration="google_calendar",
        member=dana,
        account_id="100000000000000000001",
        account_name="dana@google.test",
        state=ConnectionState.ACTIVE,
    )
    answer = vendors.token(scopes=list(GOOGLE.scopes))
    OAuthGrant.objects.create(
        connection=connection,
        access_token=answer["access_token"],
        refresh_token=answer["refresh_token"],
        expires_at=timezone.now() + dt.timedelta(hours=1),
    )
    vendors.forget_requests()
    return connection


def expire(connection: Connection, seconds: float = -10) -> None:
    OAuthGrant.objects.filter(connection=connection).update(expires_at=timezone.now() + dt.timedelta(seconds=seconds))


def stored(connection: Connection) -> OAuthGrant:
    return OAuthGrant.objects.get(connection=connection)


def test_a_good_token_is_used_without_asking(connected, vendors):
    assert token_source(connected, GOOGLE).access_token() == stored(connected).access_token
    assert vendors.requests() == []


@pytest.mark.parametrize(("left", "refreshes"), [(224, 1), (240, 0)])
def test_a_token_is_renewed_early(connected, vendors, left, refreshes):
    expire(connected, left)
    token_source(connected, GOOGLE).access_token()
    assert len(vendors.requests("/token")) == refreshes


def test_a_refresh_is_saved_and_keeps_the_refresh_token(connected):
    expire(connected)
    before = stored(connected)
    token = token_source(connected, GOOGLE).access_token()
    after = stored(connected)
    assert token == after.access_token != before.access_token
    assert after.refresh_token == before.refresh_token
    assert after.version == before.version + 1
    assert after.refresh_claimed_until is None
    assert after.expires_at > timezone.now() + dt.timedelta(minutes=50)
    assert set(GOOGLE.permissions) <= set(after.scopes)


def test_401_renews_and_goes_on(connected, vendors):
    vendors.fault("expire_token", path="calendarList")
    assert GOOGLE.open(client_for(connected, GOOGLE)).containers()
    assert [row["path"].rsplit("/", 1)[-1] for row in vendors.requests()] == ["calendarList", "token", "calendarList"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_fifty_callers_make_one_refresh(connected, vendors, in_parallel):
    expire(connected)
    tokens = in_parallel(50, lambda _: token_source(connected, GOOGLE).access_token())
    assert set(tokens) == {stored(connected).access_token}
    assert len(vendors.requests("/token")) == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_fifty_callers_rejected_with_the_same_token_make_one_refresh(connected, vendors, in_parallel):
    old = stored(connected).access_token
    tokens = in_parallel(50, lambda _: token_source(connected, GOOGLE).renewed(rejected=old))
    assert set(tokens) == {stored(connected).access_token} != {old}
    assert len(vendors.requests("/token")) == 1


def test_no_transaction_is_open_while_the_provider_is_asked(transactional_db, connected):
    from django.db import connection as database

    expire(connected)
    seen = []

    def refresh(refresh_token: str) -> Tokens:
        seen.append(database.in_atomic_block)
        return Tokens("new", timezone.now() + dt.timedelta(hours=1))

    RefreshingTokens(OrmGrantStore(connected.pk), refresh, {}).access_token()
    assert seen == [False]


def test_revoked_access_needs_a_person_once_with_one_mail(connected, vendors, django_capture_on_commit_callbacks):
    vendors.revoke()
    expire(connected)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(3):
            with pytest.raises(NeedsReconnect):
                token_source(connected, GOOGLE).access_token()
    connected.refresh_from_db()
    assert connected.state == ConnectionState.NEEDS_RECONNECT
    assert len(vendors.requests("/token")) == 1
    problem = Problem.objects.get(connection=connected)
    assert (problem.code, problem.resolved_at) == ("NEEDS_RECONNECT", None)
    [letter] = mail.outbox
    assert sorted(letter.to) == ["adam@fieldcamp.test", "dana@google.test", "olga@fieldcamp.test"]
    assert f"/admin/integrations/connect/google-calendar/?connection={connected.pk}" in letter.body
    for secret in (stored(connected).access_token, stored(connected).refresh_token):
        assert secret not in letter.body + letter.subject + problem.message + problem.detail + connected.state_reason


@pytest.mark.parametrize(
    "body",
    [
        {"error": "invalid_client", "error_description": "Unauthorized"},
        {"error": "deleted_client"},
        {"error": "unauthorized_client"},
    ],
)
def test_a_wrong_client_secret_is_the_operators_fault(connected, vendors, body):
    vendors.fault("status", path="/token", status=401, body=body)
    expire(connected)
    with pytest.raises(Misconfigured):
        token_source(connected, GOOGLE).access_token()
    connected.refresh_from_db()
    assert connected.state == ConnectionState.ACTIVE
    assert token_source(connected, GOOGLE).access_token()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("status", {"status": 500}),
        ("status", {"status": 503, "body": "<html>"}),
        ("status", {"status": 400, "body": {"error": "temporarily_unavailable"}}),
        ("status", {"status": 200, "body": "<html>a proxy</html>"}),
        ("status", {"status": 200, "body": {}}),
        ("drop", {}),
        ("drop_after_commit", {}),
        ("truncate", {}),
        ("delay", {"seconds": 60}),
    ],
)
def test_an_ill_token_endpoint_kills_nothing(connected, vendors, kind, spec):
    vendors.fault(kind, path="/token", times=2, **spec)
    expire(connected)
    before = stored(connected)
    time = FakeTime(timezone.now())
    provider_http = client_for(connected, GOOGLE, **time.kwargs())
    provider_http.tokens = RefreshingTokens(
        OrmGrantStore(connected.pk),
        lambda token: GOOGLE.refresh(_fast(connected, time), token),
        GOOGLE.permissions,
        **time.kwargs(),
    )
    with pytest.raises(Unavailable):
        for _ in range(2):  # a 200 without a token is not repeated inside one refresh
            provider_http.tokens.access_token()
    after = stored(connected)
    connected.refresh_from_db()
    assert connected.state == ConnectionState.ACTIVE
    assert (after.refresh_token, after.version) == (before.refresh_token, before.version)
    assert after.refresh_claimed_until is None
    vendors.call("DELETE", "faults")
    assert token_source(connected, GOOGLE).access_token()


def _fast(connected, time):
    from integrations.transport.client import HttpClient

    return HttpClient(GOOGLE, None, attempts=2, **time.kwargs())


@pytest.mark.parametrize(("left", "usable"), [(120, True), (20, False)])
def test_a_token_that_still_lives_is_used_while_the_endpoint_is_ill(connected, vendors, left, usable):
    vendors.fault("status", path="/token", status=400, body={"error": "server_error"}, times=9)
    expire(connected, left)
    time = FakeTime(timezone.now())
    source = RefreshingTokens(
        OrmGrantStore(connected.pk), lambda token: GOOGLE.refresh(_fast(connected, time), token), {}, **time.kwargs()
    )
    if usable:
        assert source.access_token() == stored(connected).access_token
    else:
        with pytest.raises(Unavailable):
            source.access_token()
    assert vendors.requests("/token")


def test_a_permission_taken_away_is_named(connected, vendors):
    lost = next(iter(GOOGLE.permissions))
    kept = [scope for scope in GOOGLE.scopes if scope != lost]
    answer = {"access_token": "ya29.narrow", "expires_in": 3599, "scope": " ".join(kept), "token_type": "Bearer"}
    vendors.fault("status", path="/token", status=200, body=answer)
    expire(connected)
    with pytest.raises(NeedsPermission) as caught:
        token_source(connected, GOOGLE).access_token()
    assert caught.value.missing == (GOOGLE.permissions[lost],)
    connected.refresh_from_db()
    assert connected.state == ConnectionState.NEEDS_PERMISSION
    assert GOOGLE.permissions[lost] in connected.state_reason


def test_a_wider_scope_covers_ours(connected, vendors):
    answer = {"access_token": "ya29.wide", "expires_in": 3599, "scope": "https://www.googleapis.com/auth/calendar"}
    vendors.fault("status", path="/token", status=200, body=answer)
    expire(connected)
    assert token_source(connected, GOOGLE).access_token() == "ya29.wide"


def test_the_wrong_encryption_key_fails_closed(connected, settings):
    from cryptography.fernet import Fernet

    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(Misconfigured, match="TOKEN_ENCRYPTION_KEYS"):
        token_source(connected, GOOGLE).access_token()
    connected.refresh_from_db()
    assert connected.state == ConnectionState.ACTIVE


def test_a_late_refusal_leaves_the_account_that_another_process_has_renewed_usable(connected, vendors):
    """A saves version 2; B's answer to version 1 is `invalid_grant`: B goes on with version 2."""
    expire(connected)
    old = stored(connected)

    def refresh(refresh_token: str) -> Tokens:
        store = OrmGrantStore(connected.pk)
        assert store.save(old.version, Tokens("second", timezone.now() + dt.timedelta(hours=1)), timezone.now())
        raise NeedsReconnect("invalid_grant")

    assert RefreshingTokens(OrmGrantStore(connected.pk), refresh, {}).access_token() == "second"
    connected.refresh_from_db()
    assert connected.state == ConnectionState.ACTIVE
    assert not Problem.objects.exists() and mail.outbox == []


def test_the_death_of_an_older_version_is_not_written(connected):
    store = OrmGrantStore(connected.pk)
    version = stored(connected).version
    OAuthGrant.objects.filter(connection=connected).update(version=version + 1)
    store.died(version, NeedsReconnect("invalid_grant"))
    connected.refresh_from_db()
    assert connected.state == ConnectionState.ACTIVE


def test_an_answer_to_an_older_version_is_not_saved(connected):
    store = OrmGrantStore(connected.pk)
    version = stored(connected).version
    OAuthGrant.objects.filter(connection=connected).update(version=version + 1)
    assert not store.save(version, Tokens("late", timezone.now() + dt.timedelta(hours=1)), timezone.now())
    assert stored(connected).access_token != "late"


def test_a_claim_holds_until_it_runs_out(connected):
    store, now = OrmGrantStore(connected.pk), timezone.now()
    version = stored(connected).version
    assert store.claim(version, now, now + dt.timedelta(seconds=30))
    assert not store.claim(version, now + dt.timedelta(seconds=29), now + dt.timedelta(seconds=59))
    assert store.claim(version, now + dt.timedelta(seconds=30), now + dt.timedelta(seconds=60))
    assert not store.claim(version + 1, now + dt.timedelta(seconds=99), now + dt.timedelta(seconds=129))


def test_one_companys_account_is_not_renewed_with_anothers_token(connected, vendors, second_workspace):
    """The same Google account is connected in two companies: two grants, each renewed by itself."""
    twin = Connection.objects.create(
        workspace=second_workspace, integration=connected.integration, account_id=connected.account_id,
        account_name=connected.account_name, state=ConnectionState.ACTIVE,
    )  # fmt: skip
    answer = vendors.token(scopes=list(GOOGLE.scopes))
    OAuthGrant.objects.create(
        connection=twin, access_token=answer["access_token"], refresh_token=answer["refresh_token"],
        expires_at=timezone.now() + dt.timedelta(hours=1),
    )  # fmt: skip
    untouched = OAuthGrant.objects.values().get(connection=twin)
    expire(connected)
    token_source(connected, GOOGLE).access_token()
    OrmGrantStore(connected.pk).died(stored(connected).version, NeedsReconnect("invalid_grant"))
    twin.refresh_from_db()
    assert twin.state == ConnectionState.ACTIVE
    assert OAuthGrant.objects.values().get(connection=twin) == untouched


def test_a_claim_whose_owner_died_is_taken_over(connected):
    expire(connected)
    OAuthGrant.objects.filter(connection=connected).update(refresh_claimed_until=timezone.now())
    assert token_source(connected, GOOGLE).access_token()


def test_a_disconnected_account_has_no_token(connected):
    connected.state = ConnectionState.DISCONNECTED
    connected.save()
    with pytest.raises(NeedsReconnect):
        token_source(connected, GOOGLE).access_token()


def test_tokens_do_not_show_in_reprs(connected):
    grant = OrmGrantStore(connected.pk).read()
    assert grant.access_token not in repr(grant)
    assert grant.refresh_token not in repr(grant)


@pytest.mark.django_db(transaction=True)
def test_processes_share_one_budget(connected, in_parallel):
    from integrations.accounts.grants import OrmBudgetStore
    from integrations.transport.budget import MinuteBudget

    MinuteBudget(OrmBudgetStore(connected.pk), 12).slow_down(NOW)
    taken = in_parallel(20, lambda _: MinuteBudget(OrmBudgetStore(connected.pk), 12).take(1, NOW))
    assert sum(wait == 0 for wait in taken) == 12


@pytest.mark.django_db(transaction=True)
def test_the_calls_of_a_day_are_counted_across_processes(connected, in_parallel):
    from integrations.accounts import grants
    from integrations.models import ProviderBudget
    from integrations.transport.budget import MinuteBudget

    in_parallel(8, lambda _: MinuteBudget(grants.OrmBudgetStore(connected.pk), 1000).take(3, NOW))
    later = NOW + dt.timedelta(minutes=5)
    MinuteBudget(grants.OrmBudgetStore(connected.pk), 1000).take(2, later)  # the minute before is forgotten
    row = ProviderBudget.objects.get(connection=connected)
    assert (row.calls_today, sum(row.buckets.values())) == (26, 2)
    ProviderBudget.objects.update(day=row.day - dt.timedelta(days=1))
    MinuteBudget(grants.OrmBudgetStore(connected.pk), 1000).take(1, later)
    assert ProviderBudget.objects.get(connection=connected).calls_today == 1


def test_one_accounts_calls_are_not_anothers(connected, second_workspace):
    """The limit and the pace hold for each account by itself."""
    from integrations.accounts.grants import OrmBudgetStore
    from integrations.models import ProviderBudget
    from integrations.transport.budget import MinuteBudget

    twin = Connection.objects.create(
        workspace=second_workspace, integration=connected.integration, account_id=connected.account_id
    )
    mine, theirs = (MinuteBudget(OrmBudgetStore(pk), 10) for pk in (connected.pk, twin.pk))
    mine.slow_down(NOW)
    assert [mine.take(10, NOW), mine.take(1, NOW) > 0] == [0, True]
    assert [theirs.take(10, NOW), theirs.take(10, NOW)] == [0, 0]
    theirs.slow_down(NOW)
    rows = ProviderBudget.objects.order_by("calls_today").values_list("connection", "calls_today")
    assert list(rows) == [(connected.pk, 10), (twin.pk, 20)]
