"""The mails ahead of a consent's end: day by day, as the daily work sends them."""

import datetime as dt

import pytest
from django.db import connection as database

from fieldcamp.encryption import DecryptionError
from fieldcamp.workspace.models import Member
from integrations.admin.endings import ending_lines
from integrations.jobs import housekeeping
from integrations.mail import endings
from integrations.models import Connection, ConnectionState, OAuthGrant
from integrations.selectors.status import status
from tests.integrations import build

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
START = dt.datetime(2026, 1, 1, 3, 10, tzinfo=dt.UTC)


@pytest.fixture
def company():
    workspace = build.workspace("Dana's Plumbing")
    build.owner(workspace)
    return workspace


def grant(company, end: dt.datetime | None, granted: dt.datetime = START, **fields) -> OAuthGrant:
    account = build.connection(company, **fields)
    return OAuthGrant.objects.create(connection=account, granted_at=granted, refresh_expires_at=end)


def told(end: dt.datetime, days: range, mailoutbox) -> list[int]:
    """How many days before the end a mail came, if the daily work is done on these days (numbered from START)."""
    found = []
    for day in days:
        before = len(mailoutbox)
        endings.warn(START + day * DAY)
        found += [(end - START).days - day] * (len(mailoutbox) - before)
    return found


@pytest.mark.slow
def test_sixty_fourteen_and_three_days_ahead_and_once_each(company, mailoutbox):
    end = START + 365 * DAY + dt.timedelta(hours=5)
    account = grant(company, end).connection
    assert told(end, range(280, 380), mailoutbox) == [59, 13, 2]
    mail = mailoutbox[-1]
    assert mail.subject == f"Google Calendar of {account.account_name}: access ends on 1 Jan 2027"
    assert mail.to == sorted({"owner@fieldcamp.test", account.member.email} - {""})
    assert "was given until 1 Jan 2027, and Google Calendar ends it then." in mail.body
    assert f"/connect/google-calendar/?connection={account.pk}" in mail.body


def test_the_day_is_the_companys_own(company, mailoutbox):
    company.timezone = "Pacific/Auckland"
    company.save()
    end = START + 90 * DAY + dt.timedelta(hours=12)  # 1 April, 15:10 UTC
    grant(company, end)
    endings.warn(end - 2 * DAY)
    assert mailoutbox[0].subject.endswith("2 Apr 2026") and "2 Apr 2026" in mailoutbox[0].body


@pytest.mark.parametrize(
    ("length", "days"),
    [
        (7, [3]),
        pytest.param(14, [3], marks=pytest.mark.slow),
        pytest.param(60, [14, 3], marks=pytest.mark.slow),
        pytest.param(61, [60, 14, 3], marks=pytest.mark.slow),
    ],
)
def test_a_consent_that_was_always_shorter_is_not_told_of_from_its_first_day(company, mailoutbox, length, days):
    """An app in testing mode: its consents last seven days."""
    end = START + length * DAY
    grant(company, end)
    assert told(end, range(length + 1), mailoutbox) == days


def test_a_worker_that_was_away_tells_the_nearest_alone(company, mailoutbox):
    end = START + 200 * DAY
    grant(company, end)
    assert told(end, range(190, 200), mailoutbox) == [10, 3]


@pytest.mark.slow
def test_renewed_it_is_told_of_anew(company, mailoutbox):
    end = START + 100 * DAY
    row = grant(company, end)
    assert told(end, range(30, 80), mailoutbox) == [60]
    later = START + 180 * DAY  # by use: a hundred days from then on
    OAuthGrant.objects.filter(pk=row.pk).update(refresh_expires_at=later)
    assert told(later, range(80, 181), mailoutbox) == [60, 14, 3]


def test_a_last_day_that_is_counted_anew_with_each_answer_is_told_of_once(company, mailoutbox):
    """The vendor says seconds to go, so the same end moves by a moment with each refresh."""
    end = START + 365 * DAY
    row, found = grant(company, end), []
    for day in range(290, 365):
        wobble = end + dt.timedelta(seconds=(-1) ** day * 40)
        OAuthGrant.objects.filter(pk=row.pk).update(refresh_expires_at=wobble, version=day)
        found += told(end, range(day, day + 1), mailoutbox)
    assert len(found) == 3


def test_who_has_nothing_to_lose_gets_none(company, mailoutbox):
    end = START + 100 * DAY
    for state in ConnectionState:
        grant(company, end, state=state, account_name=state.value)
    grant(company, None)
    left = grant(company, end, account_name="has left").connection
    Member.objects.filter(pk=left.member_id).update(is_active=False)
    endings.warn(end - 2 * DAY)
    named = [
        account for account in (*ConnectionState.values, "has left") if any(account in m.subject for m in mailoutbox)
    ]
    assert named == [state.value for state in ConnectionState if state in endings.LASTING]
    endings.warn(end + DAY)
    assert len(mailoutbox) == len(named)


def test_a_mail_server_that_is_down_is_tried_again(company, mailoutbox, monkeypatch):
    end = START + 100 * DAY
    grant(company, end)
    with monkeypatch.context() as down:
        down.setattr(endings, "alert_ends_soon", _refuse)
        assert endings.warn(end - 10 * DAY) == 0
    assert endings.warn(end - 9 * DAY) == 1 and len(mailoutbox) == 1


def _refuse(*_args) -> None:
    raise OSError("down")


def test_the_daily_work_sends_them_and_reads_no_token(company, mailoutbox):
    """A token under a lost key must not keep anybody's mail back."""
    end = START + 100 * DAY
    grant(company, end)
    with database.cursor() as cursor:
        cursor.execute("UPDATE integrations_oauthgrant SET refresh_token = 'lost:x'")
    with pytest.raises(DecryptionError):
        OAuthGrant.objects.get()
    housekeeping.daily(end - 2 * DAY)
    assert [mail.subject for mail in mailoutbox if "access ends on" in mail.subject]


def test_the_desk_and_the_status_say_it_until_it_is_renewed(company, time_machine):
    time_machine.move_to(START, tick=False)
    row = grant(company, START + 59 * DAY, granted=START - 300 * DAY)
    accounts = list(Connection.objects.all())

    def said() -> tuple[str | None, list[str]]:
        lines = ending_lines(accounts, _everything(), START)
        [shown] = status(company, "google_calendar")["connections"]
        return shown["access_ends_at"], [line.sentence for line in lines.values()]

    sentence = "Google Calendar ends this access on 1 Mar 2026. Connect the account again before that."
    assert said() == ("2026-03-01T03:10:00Z", [sentence])
    OAuthGrant.objects.filter(pk=row.pk).update(refresh_expires_at=START + 100 * DAY)
    assert said() == (None, [])


def _everything():
    class Everything:
        def may_change(self, _connection) -> bool:
            return True

    return Everything()
