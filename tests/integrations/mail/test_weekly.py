"""The weekly summary: what it says, to whom, when, and never twice."""

import datetime as dt
import re
import threading

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client as Browser
from django.urls import reverse

from fieldcamp.workspace.models import AuditEntry, Member, Role, Workspace
from integrations.jobs import tasks
from integrations.mail import weekly
from integrations.models import ConnectionState, Problem, SummaryMail
from tests.integrations import build

UTC = dt.UTC
# A Monday, 09:30 in New York.
MONDAY = dt.datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
LAST_WEEK = MONDAY - dt.timedelta(days=4)


def person(workspace: Workspace, role: str = Role.OWNER, **fields) -> Member:
    number = User.objects.count()
    user = fields.pop("user", None) or User.objects.create_user(f"user{number}", is_staff=True)
    with time_machine.travel(LAST_WEEK, tick=False):
        return build.member(
            workspace, **{"role": role, "user": user, "email": f"{role}{number}@fieldcamp.test"} | fields
        )


@pytest.fixture
def company(db, settings) -> Workspace:
    settings.PUBLIC_URL = "https://fieldcamp.example"
    return build.workspace("Dana's Plumbing")


@pytest.fixture
def olga(company) -> Member:
    return person(company, first_name="Olga", email="olga@fieldcamp.test")


@pytest.fixture
def lee(company, olga):
    return build.connection(company, account_name="lee@google.test", connected_at=LAST_WEEK)


def problem(connection, code: str, message: str, **fields) -> Problem:
    return Problem.objects.create(
        workspace=connection.workspace,
        integration=connection.integration,
        connection=connection,
        code=code,
        message=message,
        **{"occurred_at": LAST_WEEK} | fields,
    )


def test_it_tells_the_week_in_plain_words(company, lee, mailoutbox):
    build.job(company, "succeeded", created_at=LAST_WEEK, pulled=3, pushed=1200, failed=1)
    build.job(company, "partial", created_at=LAST_WEEK, pulled=4, pushed=0)
    build.job(company, "succeeded", created_at=MONDAY - dt.timedelta(days=9), pulled=1000)  # the week before
    build.job(company, "succeeded", created_at=MONDAY, pulled=1000)  # this week
    problem(lee, "RECORD_REJECTED", "A title is too long.", record_id="vis_1")
    problem(lee, "RATE_LIMITED", "Passes by itself.")
    problem(lee, "EVENT_REMOVED", "Only to know.", notice=True)
    assert weekly.send_due(MONDAY) == 1
    [mail] = mailoutbox
    assert mail.to == ["olga@fieldcamp.test"]
    assert mail.subject == "1 thing needs you: the week of Dana's Plumbing"
    said = " ".join(mail.body.split())
    assert "Hello Olga," in said
    assert "for Dana's Plumbing from 16 Nov to 22 Nov 2026" in said
    assert "Google Calendar (lee@google.test)" in said
    assert "2 syncs: 7 changes taken in, 1,200 sent out. 1 attempt failed." in said
    assert "1 problem waits for a person: - A title is too long." in said
    assert "Passes by itself" not in said
    assert "Only to know" not in said
    assert "Next step: Look at what needs you on the dashboard. https://fieldcamp.example/admin/#needs" in said
    [(page, _)] = mail.alternatives
    for words in ("2 syncs: 7 changes taken in", "A title is too long.", "Look at what needs you"):
        assert words in page


def test_a_quiet_week(company, lee, mailoutbox):
    weekly.send_due(MONDAY)
    assert mailoutbox[0].subject == "The week of Dana's Plumbing"
    said = " ".join(mailoutbox[0].body.split())
    assert "No sync has run. Nothing waits for a person. Next step: Nothing to do." in said


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ConnectionState.NEEDS_RECONNECT, "Reconnect lee@google.test."),
        (ConnectionState.NEEDS_PERMISSION, "Reconnect lee@google.test."),
        (ConnectionState.SETUP, "Finish setting up lee@google.test."),
        (ConnectionState.PAUSED, "lee@google.test is paused"),
    ],
)
def test_the_next_step_has_a_link_that_works(company, lee, olga, mailoutbox, state, words):
    lee.state = state
    lee.save()
    weekly.send_due(MONDAY)
    found = re.search(r"Next step: (.*)\n(\S+)", mailoutbox[0].body)
    assert found[1].startswith(words)
    assert found[2].startswith("https://fieldcamp.example/")
    assert lee.pk in found[2]
    if state != ConnectionState.SETUP:  # whose page asks the provider
        browser = Browser()
        browser.force_login(olga.user)
        assert browser.get(found[2].removeprefix("https://fieldcamp.example")).status_code == 200


def test_nothing_connected_nothing_sent(company, lee, mailoutbox):
    lee.state = ConnectionState.DISCONNECTED
    lee.save()
    assert weekly.send_due(MONDAY) == 0
    lee.state, lee.connected_at = ConnectionState.ACTIVE, MONDAY  # connected today: there is no week to tell of
    lee.save()
    assert weekly.send_due(MONDAY) == 0
    assert not mailoutbox
    assert not SummaryMail.objects.exists()


def test_who_gets_it(company, lee, mailoutbox):
    person(company, Role.ADMIN, email="admin@fieldcamp.test")
    person(company, Role.STAFF)
    person(company, Role.OWNER, email="")
    person(company, Role.OWNER, is_active=False)
    person(company, Role.OWNER, weekly_summary=False)
    person(company, Role.OWNER, user=User.objects.create_user("locked", is_active=False))
    build.member(company, role=Role.OWNER, email="no-login@fieldcamp.test")
    other = build.workspace("Other")
    person(other)
    weekly.send_due(MONDAY)
    assert sorted(mail.to[0] for mail in mailoutbox) == ["admin@fieldcamp.test", "olga@fieldcamp.test"]


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-23T12:59:00Z", False),  # Monday 07:59 in New York
        ("2026-11-23T13:00:00Z", True),
        ("2026-11-23T22:59:00Z", True),
        ("2026-11-23T23:00:00Z", False),  # 18:00: not in the evening
        ("2026-11-24T13:00:00Z", True),  # the worker was down on Monday
        ("2026-11-24T03:00:00Z", False),  # Tuesday there is still Monday night here
    ],
)
def test_by_day_where_the_company_is(company, lee, mailoutbox, now, due):
    assert weekly.send_due(dt.datetime.fromisoformat(now)) == due
    assert len(mailoutbox) == due


def test_once_a_week(company, lee, mailoutbox):
    for hours in (0, 1, 24, 48):
        weekly.send_due(MONDAY + dt.timedelta(hours=hours))
    assert len(mailoutbox) == 1
    weekly.send_due(MONDAY + dt.timedelta(days=7))
    assert len(mailoutbox) == 2
    assert list(SummaryMail.objects.values_list("week", flat=True).order_by("week")) == [
        dt.date(2026, 11, 16),
        dt.date(2026, 11, 23),
    ]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once(company, lee, in_parallel, mailoutbox):
    for _ in range(4):
        person(company, Role.ADMIN)
    assert sum(in_parallel(2, lambda number: weekly.send_due(MONDAY))) == 5
    assert len({mail.to[0] for mail in mailoutbox}) == len(mailoutbox) == 5


class Down(EmailBackend):
    """A mail server that is down until it is told otherwise."""

    down = threading.Event()

    def send_messages(self, messages):
        if self.down.is_set():
            raise ConnectionRefusedError("down")
        return super().send_messages(messages)


def test_a_mail_server_that_is_down_gets_it_later(company, lee, settings):
    settings.EMAIL_BACKEND = f"{__name__}.Down"
    outbox.outbox = []
    Down.down.set()
    assert weekly.send_due(MONDAY) == 0
    Down.down.clear()
    assert weekly.send_due(MONDAY + dt.timedelta(hours=1)) == 1
    assert len(outbox.outbox) == 1


def test_many_people_are_written_to_in_several_tasks(company, lee, monkeypatch, queue, mailoutbox):
    monkeypatch.setattr(weekly, "AT_ONCE", 2)
    for _ in range(2):
        person(company, Role.ADMIN)
    with time_machine.travel(MONDAY, tick=False):
        tasks.hourly()
        assert (len(mailoutbox), queue.queue_size()) == (2, 1)
        tasks.hourly()
        assert (len(mailoutbox), queue.queue_size()) == (3, 1)


def test_queries_do_not_grow_with_the_people(company, lee, django_assert_max_num_queries):
    for number in range(20):
        problem(lee, "RECORD_REJECTED", f"Refused {number}.", record_id=f"vis_{number}")
    with django_assert_max_num_queries(34):
        weekly.send_due(MONDAY)


def stop_address(mail) -> str:
    address = mail.extra_headers["List-Unsubscribe"].strip("<>")
    assert address in mail.body
    return address.removeprefix("https://fieldcamp.example")


def test_signing_off_and_on_again(company, lee, olga, mailoutbox):
    weekly.send_due(MONDAY)
    address, browser = stop_address(mailoutbox[0]), Browser(enforce_csrf_checks=True)
    assert "Stop the weekly summary?" in browser.get(address).content.decode()
    olga.refresh_from_db()
    assert olga.weekly_summary  # looking at the link changes nothing
    browser.post(address, {"List-Unsubscribe": "One-Click"})
    olga.refresh_from_db()
    assert not olga.weekly_summary
    assert AuditEntry.objects.get(object_id=olga.pk).actor == str(olga)
    assert weekly.send_due(MONDAY + dt.timedelta(days=7)) == 0
    assert "You get the weekly summary again" in browser.post(address, {"again": "1"}).content.decode()
    assert weekly.send_due(MONDAY + dt.timedelta(days=7)) == 1


def test_an_address_that_was_made_up(company):
    for token in ("x", "bWVtX3g:1abc:def"):
        for answer in (Browser().get, Browser().post):
            assert answer(reverse("integrations:weekly", args=[token])).status_code == 404
