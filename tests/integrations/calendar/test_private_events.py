"""Not a word of somebody's own event is left anywhere: in no table, no log, and nothing that a database is asked."""

import datetime as dt
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection as database
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Member, Role
from integrations.accounts.disconnecting import disconnect
from integrations.admin.jobpage import RowsAsked, csv_lines
from integrations.calendar import busy
from integrations.mail import weekly
from integrations.models import ChangeRow, Connection, Link, OAuthGrant, Problem, SyncJob
from integrations.providers import PROVIDERS
from integrations.selectors.feed import change
from integrations.services.erasure import erase_account
from integrations.services.leaving import LeaveChoices, leave
from integrations.services.observe import observe_pending
from integrations.services.problems.causes import STATES
from tests.canary import rows, spelled
from tests.integrations import build
from tests.integrations.engine import finish
from tests.integrations.mangling import mangled

pytestmark = pytest.mark.django_db
WORD = "oncologist"  # its letters may stand in an id of an event at Google as they are
UID = f"zz{WORD}-appointment-2026@clinic.test"
# What the vendor itself decides, and where a word of somebody's would only make an answer that is no event.
_STRUCTURE = {
    "id", "kind", "status", "dateTime", "date", "recurringEventId", "seriesMasterId", "type", "eventType",
    "transparency", "showAs", "created", "updated", "createdDateTime", "lastModifiedDateTime", "originalStart",
    "recurrence", "response", "responseStatus", "start", "end", "originalStartTime",
}  # fmt: skip


def told_in(text: str) -> list[str]:
    return [each for each in spelled(WORD) if each in text.lower()]


def mailed() -> str:
    """All that was sent by mail: to whom, under which subject, as text and as a page."""
    return "\n".join(
        "\n".join(
            [*each.to, each.subject, str(each.body), *(str(page) for page, _ in getattr(each, "alternatives", []))]
        )
        for each in mail.outbox
    )


@pytest.fixture
def owner(make_member) -> Browser:
    """The company's owner at the desk."""
    user = User.objects.create_user(username="olivia", is_staff=True)
    make_member(first_name="Olivia", user=user, role=Role.OWNER)
    browser = Browser(headers={"host": "127.0.0.1:8000"})
    browser.force_login(user)
    return browser


def shown_to(api, desk) -> Iterator[tuple[str, str]]:
    """Yields all that programs and people of the company are shown, by where that is."""
    jobs, slugs = list(SyncJob.objects.all()), {PROVIDERS[job.integration].slug for job in SyncJob.objects.all()}
    member = Member.objects.filter(is_technician=True).values_list("pk", flat=True).first()
    day = timezone.now().date()
    times = f"from={day}T00:00:00Z&to={day + dt.timedelta(days=20)}T00:00:00Z"
    paths = [
        f"integrations/{slug}/{what}"
        for slug in slugs
        for what in (f"sync?since={day - dt.timedelta(days=9)}T00:00:00Z", "status")
    ]
    paths += [f"integrations/problems?state={state}" for state in STATES]
    paths += ["integrations/jobs", f"availability?technicianId={member}&{times}"]
    paths += [f"integrations/jobs/{job.pk}" for job in jobs]
    for path in paths:
        answer = api.get(f"/api/v1/{path}")
        assert answer.status_code == 200 or answer.json()["error"]["code"] == "INTEGRATION_NOT_CONNECTED", path
        yield path, answer.content.decode()
    pages = ["/admin/", "/admin/integrations/problem/", "/admin/integrations/syncjob/"]
    pages += [f"/admin/integrations/syncjob/{job.pk}/change/" for job in jobs]
    pages += [f"/admin/integrations/connection/{each.pk}/change/" for each in Connection.objects.all()]
    for path in pages:
        answer = desk.get(path)
        assert answer.status_code == 200, path
        yield path, answer.content.decode()


@pytest.fixture
def nothing_told(caplog, capsys, api, owner) -> Iterator[None]:
    """Looks at everything once the test is over."""
    caplog.set_level(logging.DEBUG)
    with CaptureQueriesContext(database) as asked:
        yield
    assert [table for table, text in rows() if told_in(text)] == []
    assert [query["sql"][:300] for query in asked if told_in(query["sql"])] == []
    lines = [logging.Formatter().format(record) for record in caplog.get_records("call")]
    assert any("provider_call" in line for line in lines)
    assert told_in("\n".join([*lines, *capsys.readouterr()])) == []
    assert told_in(mailed()) == []
    assert told_in(repr([change(row) for row in ChangeRow.objects.all()])) == []
    assert [where for where, text in shown_to(api, owner) if told_in(text)] == []
    assert told_in("".join(line for job in SyncJob.objects.all() for line in csv_lines(job, RowsAsked()))) == []


def worded(value: Any) -> Any:
    """Returns what the vendor shows with the word in every text that somebody may have written."""
    if isinstance(value, dict):
        return {name: inner if name in _STRUCTURE else worded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [worded(inner) for inner in value]
    return f"{WORD} {value}" if isinstance(value, str) else value


MORE = {
    "colorId": "", "htmlLink": "", "hangoutLink": "", "webLink": "", "categories": [""], "etag": "", "@odata.etag": "",
    "organizer": {"email": "", "displayName": "", "emailAddress": {"name": "", "address": ""}},
    "attendees": [{"email": "", "displayName": "", "comment": "", "emailAddress": {"name": "", "address": ""}}],
    "attachments": [{"fileUrl": "", "title": "", "fileId": ""}],
    "conferenceData": {"conferenceId": "", "entryPoints": [{"uri": "", "pin": ""}], "notes": ""},
    "onlineMeeting": {"joinUrl": ""}, "extendedProperties": {"private": {"": ""}, "shared": {"": ""}},
    "originalStartTimeZone": "", "iCalUId": "", "transactionId": "", "changeKey": "",
}  # fmt: skip


def with_words(row: dict[str, Any]) -> None:
    """Changes an event as the vendor shows it: the word is in every field that its schema has."""
    row.update({name: value for name, value in MORE.items() if name not in row})
    row.update(worded(row))
    for name in ("start", "end"):
        row[name] = {**row[name], "timeZone": f"{WORD}/{WORD}"}
    if row.get("recurrence") and isinstance(row["recurrence"], list):
        rule = f"{row['recurrence'][0]};X-{WORD.upper()}=1"
        row["recurrence"] = [rule, f"X-{WORD}:{WORD}", f"EXDATE;TZID={WORD}:{WORD}"]
    if row.get("status"):
        row["status"] = "confirmed"


@contextmanager
def refused(vendors, path: str, status: int, words: str) -> Iterator[None]:
    """As long as it lasts the vendor refuses calls to this path, and says why in these words."""

    def wrapper(at: str, send: Any) -> requests.Response:
        response = send()
        if path in at and response.content:  # which is read before it is another
            error = {"code": status, "message": words, "errors": [{"reason": "invalid", "message": words}]}
            response.status_code, response._content = status, json.dumps({"error": error}).encode()
        return response

    heal = vendors.around(wrapper)
    try:
        yield
    finally:
        heal()


def tomorrow(hours: int = 0) -> dt.datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0) + dt.timedelta(days=1, hours=hours)


def a_whole_life(series, dana, person, vendors, sync, monkeypatch) -> None:
    single = person.add(WORD, tomorrow())
    with mangled(vendors, single.id, with_words), mangled(vendors, series.id, with_words):
        assert sync().failed == 0
        first, second, third, _ = person.instances(series)
        person.move(second.id, tomorrow(30))
        person.delete(third.id)
        person.rename(first.id, f"{WORD} again")
        person.move(single.id, tomorrow(1))
        observe_pending(dana.workspace, dana.integration)
        sync()
        sync(mode="full")
    assert BlockedTime.objects.count() >= 3 and Link.objects.filter(kind="block").count() >= 3
    with mangled(vendors, single.id, lambda row: row.update(end={"dateTime": WORD, "date": WORD})):
        person.rename(single.id, WORD)
        assert sync().failed == 1  # what it says nobody can read
    with monkeypatch.context() as patch:
        patch.setattr(busy, "_times", lambda *_: int(f"{WORD} {UID} {series.id}"))  # a fault of ours
        person.move(single.id, tomorrow(2))
        assert sync().failed == 1
    for status in (400, 403, 404, 500):
        with refused(vendors, person.listing, status, f"Not with {WORD} in {series.id}"):
            sync()
            assert Problem.objects.open().latest("occurred_at").detail.startswith(str(status))
    person.delete(single.id)
    with refused(vendors, person.batch.strip("/"), 403, f"Not with {WORD} in {series.id}"):
        assert sync(mode="full").status != "succeeded"
    person.delete(series.id)
    assert sync(mode="full").errors == []
    assert not Problem.objects.open().exists()


@pytest.mark.slow
def test_nothing_of_an_imported_event_is_left(nothing_told, dana, google, person, sync):
    imported, named = person.accept(UID, WORD, tomorrow()), person.add(WORD, tomorrow(3), id=f"{WORD}2026")
    sync()
    person.delete(imported.id)
    person.rename(named.id, "Again")
    sync(mode="full")
    assert BlockedTime.objects.count() == 1 and ChangeRow.objects.count() == 4


@pytest.mark.slow
def test_nothing_is_left_of_a_whole_life_at_google(nothing_told, dana, google, person, vendors, sync, monkeypatch):
    series = person.accept(UID, WORD, tomorrow(3), repeat=("daily", 4))
    assert told_in(series.id)
    a_whole_life(series, dana, person, vendors, sync, monkeypatch)


@pytest.mark.slow
def test_nothing_is_left_of_a_whole_life_at_outlook(nothing_told, dana, outlook, person, vendors, sync, monkeypatch):
    a_whole_life(person.add(WORD, tomorrow(3), repeat=("daily", 4)), dana, person, vendors, sync, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("leaving", [False, True], ids=["revoked there", "left with its events"])
def test_nothing_is_left_in_mails_and_after_disconnecting_and_erasing(
    nothing_told, caplog, connect, make_technician, google, person, vendors, sync, make_visits, workspace, settings,
    django_capture_on_commit_callbacks, leaving,
):  # fmt: skip
    """Guests, words and tokens: while all is well, when syncs fail and people are told, and when it has ended."""
    settings.PAUSE_AFTER_FAILURES = 1
    olga = User.objects.create_user("olga", is_superuser=True)
    Member.objects.filter(pk=build.owner(workspace).pk).update(
        user=olga, created_at=timezone.now() - dt.timedelta(days=30)
    )
    connection = connect(member=make_technician(first_name="Dana", email="tech@team.test"))
    make_visits(connection.member, 2)
    grant = OAuthGrant.objects.get(connection=connection)
    secrets = {grant.access_token, grant.refresh_token}

    def no_secret() -> None:
        lines = "\n".join(logging.Formatter().format(record) for record in caplog.get_records("call"))
        for place, text in [*rows(), ("the log", lines), ("mails", mailed())]:
            assert not any(each in text.lower() for secret in secrets for each in spelled(secret)), place

    with (
        mangled(vendors, person.accept(UID, WORD, tomorrow(5)).id, with_words),
        django_capture_on_commit_callbacks(execute=True),
    ):
        assert sync().failed == 0
        with refused(vendors, person.listing, 500, f"{WORD} {UID} {grant.access_token}"):
            sync()
        weekly.send_due(dt.datetime(2026, 11, 23, 15, tzinfo=dt.UTC))
        if leaving:
            _, job = leave(
                connection=connection, choices=LeaveChoices(remove_events=True), user=olga, disconnecting=True
            )
            finish(job)
        else:
            vendors.revoke(person.account)
            sync()
    assert len(mail.outbox) == 4 - leaving and BlockedTime.objects.count() == 1
    no_secret()
    disconnect(connection=connection, user=None)
    grant.refresh_from_db()
    assert (grant.access_token, grant.refresh_token, grant.answer, grant.scopes) == ("", "", "", [])
    erase_account(connection, actor="Olga")
    no_secret()
    assert [table for table, text in rows() if person.account in text] == []
    assert not BlockedTime.objects.exists() and not Link.objects.filter(kind="block").exists()
