"""Accounts whose data is older than it should be: seen in the database, told of once, and that it is over."""

import datetime as dt
import json

import pytest
import time_machine
from django.core import mail
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from fieldcamp.webhooks.models import WebhookEvent
from integrations.jobs import schedule, stalls
from integrations.ledger.problems import open_problem
from integrations.models import Connection, Heartbeat, PushMark, Stream, VendorOutage
from integrations.queue.planning import integration_of
from integrations.selectors.freshness import MARGIN
from integrations.selectors.stalls import StallCause
from integrations.selectors.status import status
from integrations.services import connections
from tests.integrations import build
from tests.integrations.build import GOOGLE, NOW

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
DUE = 30 * 1.1 * MINUTE + MARGIN  # of an account that is synced each half hour
LASTED = DUE + stalls.LASTED


@pytest.fixture
def company(settings):
    settings.OPERATOR_EMAIL = "operators@sync.test"
    made = build.workspace()
    build.owner(made)
    return made


def account(company, **fields) -> Connection:
    """An account that was synced at NOW."""
    made = build.connection(company, **{"fresh_from": NOW, "last_synced_at": NOW} | fields)
    integration_of(company, made.integration)
    return made


def look(after: dt.timedelta, worker: bool = True) -> None:
    """Three processes look so long after NOW; with a `worker` whose pulse is fresh."""
    now = NOW + after
    Heartbeat.objects.filter(name="worker").delete()
    if worker:
        Heartbeat.objects.create(name="worker", at=now)
    for _process in range(3):
        Heartbeat.objects.filter(name=stalls.LOOKED).delete()  # a minute later, say
        stalls.watch(now)


def told() -> list[str]:
    subjects = sorted(each.subject for each in mail.outbox)
    mail.outbox.clear()
    return subjects


def events() -> list[tuple[str, str | None]]:
    rows = WebhookEvent.objects.filter(type__in=["connection.stalled", "connection.recovered"]).order_by("created_at")
    found = [(row.type.partition(".")[2], json.loads(bytes(row.body))["data"]["object"]["cause"]) for row in rows]
    rows.delete()
    return found


@pytest.mark.slow
def test_it_is_told_once_within_ten_minutes_and_that_it_is_over(company):
    one = account(company)
    look(DUE - MINUTE)
    look(DUE + MINUTE)
    assert (told(), events()) == ([], [])  # what heals within minutes is nobody's trouble
    assert dt.timedelta(minutes=10) > stalls.LASTED + MINUTE
    for later in range(3):
        look(LASTED + later * 10 * MINUTE)
    assert told() == [f"Google Calendar of {one.account_name} is not up to date"]
    assert events() == [("stalled", "late")]
    one.refresh_from_db()
    assert one.stalled_at == NOW + DUE
    job = build.ended(company, "succeeded", {one: "done"}, finished_at=NOW + 80 * MINUTE)
    schedule.after_job(job, NOW + 80 * MINUTE)
    look(81 * MINUTE)
    assert (told(), events()) == ([], [("recovered", "late")])
    look(81 * MINUTE + LASTED)
    assert len(told()) == 1  # another time is another mail


def test_what_healed_before_it_was_due_sends_nothing(company):
    one = account(company)
    look(DUE + 2 * MINUTE)
    Connection.objects.update(fresh_from=NOW + DUE + 3 * MINUTE, last_synced_at=NOW + DUE + 3 * MINUTE)
    look(LASTED + MINUTE)
    assert (told(), events()) == ([], [])
    assert one.stalled_at is None


@pytest.mark.slow
def test_a_company_gets_one_mail_however_many_accounts_are_behind(company):
    other = build.workspace("Other Inc.")
    build.owner(other, email="else@fieldcamp.test")
    for _ in range(50):
        account(company)
    account(other)
    look(LASTED)
    by_company = {tuple(each.to): each for each in mail.outbox}
    assert set(by_company) == {("owner@fieldcamp.test",), ("else@fieldcamp.test", other.connections.get().member.email)}
    assert by_company[("owner@fieldcamp.test",)].subject == "50 accounts are not up to date"
    assert other.connections.get().account_name not in by_company[("owner@fieldcamp.test",)].body
    assert WebhookEvent.objects.filter(workspace=other).count() == 1


@pytest.mark.parametrize(
    ("state", "fields", "cause"),
    [
        ("active", {}, "late"),
        ("active", {"retry_at": NOW + 300 * MINUTE}, "rate_limited"),
        ("needs_reconnect", {}, "needs_reconnect"),
        ("needs_permission", {}, "needs_permission"),
        ("paused", {}, "paused_after_failures"),
        ("paused", {"paused_by_person": True}, None),
        ("setup", {}, None),
        ("disconnected", {}, None),
        ("member_inactive", {}, None),
        ("active", {"leaving": {"by": "x"}}, None),
    ],
)
def test_each_state(company, state, fields, cause):
    account(company, state=state, **fields)
    look(LASTED)
    assert events() == ([("stalled", cause)] if cause else [])
    # What needs a person, or was given up, has a mail of its own already.
    assert len(told()) == (cause in ("late", "rate_limited"))
    shown = status(company, GOOGLE)
    assert shown["connections"][0]["stalled"] is shown["stalled"]


@pytest.mark.parametrize("code", ["PROVIDER_UNAVAILABLE", "CALENDAR_UNAVAILABLE", "MISCONFIGURED", "INTERNAL_ERROR"])
def test_the_cause_is_what_its_syncs_have_met_with(company, code):
    open_problem(account(company), code, "It failed.", now=NOW)
    look(LASTED)
    ((kind, cause),) = events()
    assert kind == "stalled" and cause == code.lower().replace("provider", "vendor")


def test_a_dead_worker_is_told_of_once_to_each_company_and_to_the_operators(company):
    account(company)
    look(LASTED, worker=False)
    account(company, fresh_from=NOW + 10 * MINUTE, last_synced_at=NOW + 10 * MINUTE)  # falls behind later
    look(LASTED + 11 * MINUTE, worker=False)
    subjects = told()
    assert len(subjects) == 2 and "No worker runs: nothing is synced" in subjects
    assert events() == [("stalled", "no_worker")] * 2
    look(LASTED + 12 * MINUTE)  # it runs again
    assert not Heartbeat.objects.filter(name__startswith="told").exists()


def test_during_a_vendors_outage_its_own_mail_tells(company):
    account(company)
    outage = VendorOutage.objects.create(integration=GOOGLE, began_at=NOW)
    look(LASTED)
    assert (told(), events()) == ([], [("stalled", "vendor_outage")])
    VendorOutage.objects.filter(pk=outage.pk).update(ended_at=NOW + LASTED)
    look(LASTED + 5 * MINUTE)  # accounts are caught up with
    assert told() == []
    VendorOutage.objects.filter(pk=outage.pk).update(closed_at=NOW + LASTED)
    look(LASTED + 16 * MINUTE)
    assert len(told()) == 1


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"status": "queued"}, "queue"),
        ({"status": "running", "started_at": NOW + 33 * MINUTE}, None),  # within ten minutes it may get there
        ({"status": "running", "started_at": NOW + 20 * MINUTE}, "stuck_job"),
        ({"status": "running", "started_at": NOW, "progressed_at": NOW + 40 * MINUTE}, None),
        ({"status": "running", "started_at": NOW + 40 * MINUTE, "only": ["x"]}, "late"),
    ],
)
def test_a_job_at_work_and_one_that_is_not(company, fields, cause):
    account(company)
    build.job(company, **{"created_at": NOW + 20 * MINUTE} | fields)
    look(DUE + stalls.LASTED)
    assert events() == ([("stalled", cause)] if cause else [])


@pytest.mark.parametrize("its_own", [True, False])
def test_a_job_of_a_few_accounts_counts_for_those(company, its_own):
    one = account(company)
    other = account(company)
    job = build.job(company, status="running", narrowed=True, created_at=NOW, started_at=NOW + 33 * MINUTE)
    job.parts.create(connection=one if its_own else other)
    Connection.objects.filter(pk=other.pk).update(state="disconnected")
    look(DUE + stalls.LASTED)
    assert events() == ([] if its_own else [("stalled", "late")])


def test_a_push_that_nobody_takes_in(company):
    one = account(company)
    stream = Stream.objects.create(connection=one, container_id="c", is_target=True, first_synced_at=NOW)
    PushMark.objects.create(stream=stream, due_at=NOW + MINUTE, pushed_at=NOW + MINUTE)
    assert status(company, GOOGLE)["connections"][0]["fresh_until"] == "2026-11-22T08:06:00Z"
    look(7 * MINUTE + stalls.LASTED)
    assert events() == [("stalled", "push_waits")]


def test_runs_of_which_a_calendar_always_fails_do_not_make_it_fresh(company):
    one = account(company)
    for minutes in (30, 60):
        job = build.ended(company, "partial", {one: "partial"}, finished_at=NOW + minutes * MINUTE)
        schedule.after_job(job, NOW + minutes * MINUTE)
    look(61 * MINUTE)
    assert events() == [("stalled", "late")]


def test_a_run_of_one_kind_says_nothing_of_the_others(company):
    books = account(company, integration="quickbooks", member=None)
    job = build.ended(company, "succeeded", {books: "done"}, integration="quickbooks", scope="taxes")
    job.finished_at = NOW + 30 * MINUTE
    schedule.after_job(job, NOW + 30 * MINUTE)
    look(LASTED)
    assert events() == [("stalled", "late")]


@pytest.mark.parametrize("wait", [3, 60 * 24 * 3])
def test_what_was_resumed_is_given_its_time(company, wait):
    one = account(company, state="paused", paused_by_person=True)
    with time_machine.travel(NOW + wait * MINUTE, tick=False):
        connections.resume(connection=one, user=None)
        assert status(company, GOOGLE)["connections"][0]["fresh_until"] is None  # its data is old
        assert status(company, GOOGLE)["stalled"] is False
    look(wait * MINUTE + DUE - MINUTE)
    assert (told(), events()) == ([], [])
    look(wait * MINUTE + LASTED)
    assert len(told()) == 1


def test_by_hand_only_is_never_late(company):
    row = integration_of(company, account(company).integration)
    row.interval_minutes = 0
    row.save()
    look(LASTED * 100)
    assert (told(), events()) == ([], [])


def test_a_mail_that_cannot_be_sent_is_tried_again(company, monkeypatch):
    account(company)
    real = stalls.mail.tell

    def fail(_stalls):
        raise OSError("no server")

    monkeypatch.setattr(stalls.mail, "tell", fail)
    look(LASTED)
    monkeypatch.setattr(stalls.mail, "tell", real)
    look(LASTED + MINUTE)
    assert len(told()) == 1


def test_a_pause_while_stalled_is_no_recovery(company):
    one = account(company)
    look(LASTED)
    events()
    Connection.objects.filter(pk=one.pk).update(state="paused", paused_by_person=True)
    look(LASTED + MINUTE)
    one.refresh_from_db()
    assert (events(), one.stalled_at, one.stall_cause) == ([], None, "")


def test_a_look_costs_the_same_however_many_accounts_are_fresh(company):
    def queries() -> int:
        Heartbeat.objects.all().delete()
        with CaptureQueriesContext(database) as captured:
            stalls.watch(NOW + MINUTE)
        return len(captured)

    account(company)
    before = queries()
    for _ in range(20):
        account(company)
        account(build.workspace())
    assert queries() == before <= 12


def test_whoever_serves_looks_where_no_worker_does(company):
    account(company)
    Heartbeat.objects.create(name="worker", at=NOW + LASTED - MINUTE)
    assert not stalls.stand_in(NOW + LASTED)
    assert stalls.stand_in(NOW + LASTED + 2 * MINUTE)
    assert events() == [("stalled", "no_worker")]


def test_each_cause_says_what_helps():
    for cause in StallCause:
        sentence = cause.said(GOOGLE)
        assert "{" not in sentence and sentence.endswith(".")


@pytest.mark.django_db(transaction=True)
def test_processes_that_look_at_once_tell_once(company, in_parallel):
    for _ in range(5):
        account(company)
    Heartbeat.objects.create(name="worker", at=NOW + LASTED)
    in_parallel(4, lambda _: stalls.watch(NOW + LASTED))
    in_parallel(4, lambda _: stalls.watch(NOW + LASTED))
    assert sorted(events()) == [("stalled", "late")] * 5
    (sent,) = mail.outbox
    assert all(row.account_name in sent.body for row in Connection.objects.all())


def test_books_that_are_told_of_are_read_less_often(company, settings):
    settings.PUBLIC_URL, settings.INTUIT_WEBHOOK_VERIFIERS = "https://sync.example.com", ["verifier"]
    books = account(company, integration="quickbooks", member=None)
    stream = Stream.objects.create(connection=books, container_id="invoice", kind="invoice")
    with time_machine.travel(NOW, tick=False):
        assert status(company, "quickbooks")["fresh_until"] == "2026-11-22T08:38:00Z"
        PushMark.objects.create(stream=stream, pushed_at=NOW, pushes=1)
        assert status(company, "quickbooks")["fresh_until"] == "2026-11-22T11:23:00Z"  # three hours, and the margins
    look(LASTED)
    assert events() == []
    look(190 * 1.1 * MINUTE)
    assert events() == [("stalled", "late")]


@pytest.mark.django_db(transaction=True)
def test_a_web_process_looks_beside_a_request(company, monkeypatch):
    account(company)
    monkeypatch.setattr(stalls, "EVERY", 0.0)
    with time_machine.travel(NOW + LASTED, tick=True):
        beside = stalls.StandIn()
        thread = beside()
        assert thread is not None
        thread.join(30)
        assert events() == [("stalled", "no_worker")]
        monkeypatch.setattr(stalls, "EVERY", 60.0)
        again = beside()
        again.join(30)
        assert beside() is None  # not before its minute is over
    assert events() == []


def test_where_more_is_asked_for_since_a_moment_ago_the_next_sync_has_its_chance(company, settings):
    """A vendor of books is found not to tell of changes any more: what was in time is late in one go."""
    settings.PUBLIC_URL, settings.INTUIT_WEBHOOK_VERIFIERS = "https://sync.example.com", ["verifier"]
    books = account(company, integration="quickbooks", member=None)
    stream = Stream.objects.create(connection=books, container_id="invoice", kind="invoice")
    PushMark.objects.create(stream=stream, pushed_at=NOW, pushes=1)
    now = NOW + 100 * MINUTE
    PushMark.objects.update(missed=3, missed_at=now)
    company.integrations.update(next_sync_at=now)
    look(100 * MINUTE)
    build.job(company, "running", integration="quickbooks", created_at=now, started_at=now)
    company.integrations.update(next_sync_at=now + 30 * MINUTE)
    look(101 * MINUTE)
    assert (told(), events()) == ([], [])
    look(111 * MINUTE)  # it has not helped
    assert events() == [("stalled", "stuck_job")]
