"""A vendor that fails for everybody is told of once: to each company, to the operators, and when it is over."""

import datetime as dt
from collections.abc import Iterable

import pytest
from django.core import mail

from integrations.accounts.state import judge, went_well
from integrations.errors import AccessRefused, NeedsReconnect, ProblemCode, ProviderError, Unavailable
from integrations.jobs import housekeeping, outages, schedule
from integrations.jobs.outages import FORGOTTEN, SETTLED
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import Connection, OutageMail, VendorOutage, WorkspaceIntegration
from integrations.queue.planning import integration_of
from integrations.services.doctor import Weight, examine
from tests.integrations import build
from tests.integrations.build import GOOGLE, NOW

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
ACCOUNTS = {"Dana": 9, "Lee": 6, "Ravi": 5}
EVERYBODY = ["operators@sync.test", *(f"owner@{name.lower()}.test" for name in ACCOUNTS)]
DOWN = Unavailable("Google Calendar did not answer.", detail="ReadTimeout")
REFUSED = AccessRefused("Not accepted.", verdict=NeedsReconnect("Reconnect the account."))


@pytest.fixture
def companies(settings):
    """Twenty accounts of three companies, all of which are scheduled."""
    settings.OPERATOR_EMAIL = "operators@sync.test"
    made = []
    for name, count in ACCOUNTS.items():
        company = build.workspace(name)
        build.owner(company, email=f"owner@{name.lower()}.test")
        for _ in range(count):
            build.connection(company, member=None)
        made.append(company)
    return made


def sync(companies: Iterable, now: dt.datetime, trouble: ProviderError | None = None, **detail) -> None:
    """The end of a sync of all accounts of these companies, which have met with this; then three workers look."""
    for company in companies:
        accounts = list(Connection.objects.filter(workspace=company, state="active"))
        for account in accounts:
            if trouble is None:
                went_well(account.pk, now)
                resolve_problems(account, now=now, codes=["PROVIDER_UNAVAILABLE", "RATE_LIMITED"])
            else:
                code, message = judge(account, trouble, now)
                code = detail.get("code", code)
                open_problem(account, code, message, now=now, detail=detail.get("detail", trouble.detail))
        status, part = ("failed", "failed") if trouble else ("succeeded", "done")
        error = {"code": ProblemCode.PROVIDER_UNAVAILABLE, "message": "down"}
        job = build.ended(company, status, dict.fromkeys(accounts, part), error=error, finished_at=now)
        schedule.after_job(job, now, spread=lambda: 0.5)
    look(now)


def look(now: dt.datetime) -> None:
    for _worker in range(3):
        outages.watch(now, spread=lambda: 0.5)


def told() -> list[tuple[str, str]]:
    """Who was written to since this was asked last, and about what."""
    found = sorted((to, each.subject) for each in mail.outbox for to in each.to)
    mail.outbox.clear()
    return found


BEGUN = [
    (EVERYBODY[0], "Google Calendar fails for many accounts"),
    *((owner, "Google Calendar does not answer at the moment") for owner in EVERYBODY[1:]),
]
OVER = [(to, "Google Calendar answers again") for to in EVERYBODY]


@pytest.mark.slow
@pytest.mark.parametrize("trouble", [DOWN, REFUSED], ids=["no answer", "every access refused"])
def test_an_hour_of_it(companies, settings, trouble):
    settings.PAUSE_AFTER_FAILURES = 2
    sync(companies, NOW - 20 * MINUTE)
    sync(companies, NOW, trouble)
    assert told() == []
    for turn in range(1, 5):
        sync(companies, NOW + turn * 14 * MINUTE, trouble)
    words = mail.outbox[1].body + mail.outbox[1].alternatives[0][0]
    assert words.count("9 accounts of yours are not synced") == 2 and "Sun 22 Nov, 03:00 (EST)" in words
    assert "20 accounts of 3 companies" in mail.outbox[0].body
    assert told() == BEGUN
    # Nobody is disconnected or paused by it.
    assert set(Connection.objects.values_list("state", flat=True)) == {"active"}
    assert max(Connection.objects.values_list("failures", flat=True)) <= 1
    outage = VendorOutage.objects.get()
    assert (outage.began_at, outage.ended_at) == (NOW, None)
    [note] = [found for found in examine(offline=True) if "many accounts" in found.sentence]
    assert note.weight is Weight.NOTE
    back = NOW + 70 * MINUTE
    WorkspaceIntegration.objects.update(failures=4, next_sync_at=back + dt.timedelta(hours=5))
    sync(companies[:2], back)
    assert told() == []  # it has to last
    waiting = integration_of(companies[2], GOOGLE)
    assert (waiting.next_sync_at, waiting.failures) == (back + 5 * MINUTE, 0)
    assert not Connection.objects.exclude(refused_at=None).exists()
    sync(companies[2:], back + 5 * MINUTE)
    look(back + SETTLED)
    assert "from Sun 22 Nov, 08:00 to Sun 22 Nov, 09:10 UTC" in mail.outbox[-1].body
    assert told() == OVER
    look(back + dt.timedelta(days=1))
    assert told() == []
    housekeeping.daily(back + dt.timedelta(days=91))
    assert not VendorOutage.objects.exists() and not OutageMail.objects.exists()


@pytest.mark.slow
def test_a_short_one_is_told_to_nobody(companies):
    sync(companies, NOW, DOWN)
    sync(companies, NOW + 20 * MINUTE)
    look(NOW + 20 * MINUTE + SETTLED)
    assert VendorOutage.objects.get().closed_at and told() == []


@pytest.mark.slow
def test_a_vendor_that_falters_is_one_outage_and_two_mails(companies):
    for turn in range(6):
        sync(companies, NOW + turn * 10 * MINUTE, None if turn in (2, 4) else DOWN)
    for turn in range(6, 9):
        sync(companies, NOW + turn * 10 * MINUTE)
    assert VendorOutage.objects.count() == 1 and told() == sorted(BEGUN + OVER)


@pytest.mark.slow
def test_one_that_is_over_stays_over_while_some_still_fail(companies):
    dana, lee, ravi = companies
    for turn in range(4):
        sync(companies, NOW + turn * 14 * MINUTE, DOWN)
    assert told() == BEGUN
    sync([dana], NOW + 55 * MINUTE)
    over = NOW + 56 * MINUTE
    sync([ravi], over)
    outage = VendorOutage.objects.get()
    for minute in range(4):  # what the others have met with before is minutes old
        look(over + minute * MINUTE)
        assert VendorOutage.objects.get().ended_at == over
    sync([lee], over + 4 * MINUTE, DOWN)  # they alone since then
    assert VendorOutage.objects.get().ended_at == over
    sync([lee], over + 5 * MINUTE)
    look(over + SETTLED)
    outage.refresh_from_db()
    assert (outage.ended_at, outage.closed_at) == (over, over + SETTLED) and told() == OVER


@pytest.mark.slow
def test_one_that_comes_back_goes_on(companies):
    for minute in (0, 14, 31):
        sync(companies, NOW + minute * MINUTE, DOWN)
    assert told() == BEGUN
    sync(companies, NOW + 35 * MINUTE)
    assert VendorOutage.objects.get().ended_at == NOW + 35 * MINUTE
    sync(companies[:1], NOW + 40 * MINUTE, DOWN)
    assert VendorOutage.objects.get().ended_at is not None
    sync(companies[1:2], NOW + 41 * MINUTE, DOWN)
    assert VendorOutage.objects.get().ended_at is None and told() == []
    sync(companies, NOW + 60 * MINUTE)
    look(NOW + 60 * MINUTE + SETTLED)
    assert VendorOutage.objects.get().closed_at and told() == OVER


@pytest.mark.slow
@pytest.mark.parametrize(
    ("detail", "begins"), [("503 Service Unavailable", True), ("500 x", True), ("quotaExceeded", False)]
)
def test_a_vendor_that_says_when_to_come_back(companies, detail, begins):
    """A 503 with a Retry-After is no limit of calls."""
    sync(companies, NOW, DOWN, code="RATE_LIMITED", detail=detail)
    assert VendorOutage.objects.exists() == begins


@pytest.mark.slow
def test_the_trouble_of_one_company_is_its_own(companies, settings, django_capture_on_commit_callbacks):
    settings.PAUSE_AFTER_FAILURES = 3
    for turn in range(3):
        sync(companies[1:], NOW + turn * 10 * MINUTE)
        with django_capture_on_commit_callbacks(execute=True):
            sync(companies[:1], NOW + turn * 10 * MINUTE, DOWN)
    assert not VendorOutage.objects.exists()
    assert {subject.split()[-1] for _, subject in told()} == {"paused"}


def test_what_the_token_endpoint_says_of_one_account_is_told_in_an_outage_too(
    companies, django_capture_on_commit_callbacks
):
    sync(companies, NOW, DOWN)
    one = Connection.objects.filter(workspace=companies[1]).first()
    with django_capture_on_commit_callbacks(execute=True):
        judge(one, NeedsReconnect("Google has withdrawn it.", proven=True), NOW + MINUTE)
    assert told() == [("owner@lee.test", f"Google Calendar of {one.account_name} needs to be reconnected")]


@pytest.mark.slow
def test_a_mail_that_cannot_be_sent_is_tried_again_and_one_that_was_is_not(companies, monkeypatch):
    sync(companies, NOW, DOWN)
    sent, refused = mail.EmailMultiAlternatives.send, []

    def send(message, *args):
        if message.to[0] not in refused and message.to[0] in ("owner@lee.test", "operators@sync.test"):
            refused.append(message.to[0])
            raise OSError("down")
        return sent(message, *args)

    monkeypatch.setattr(mail.EmailMultiAlternatives, "send", send)
    outages.watch(NOW + 31 * MINUTE)
    assert [to for to, _ in told()] == ["owner@dana.test", "owner@ravi.test"]
    look(NOW + 32 * MINUTE)
    assert [to for to, _ in told()] == ["operators@sync.test", "owner@lee.test"]
    refused.clear()
    sync(companies, NOW + 40 * MINUTE)
    outages.watch(NOW + 40 * MINUTE + SETTLED)
    assert VendorOutage.objects.get().closed_at is None
    look(NOW + 41 * MINUTE + SETTLED)
    assert VendorOutage.objects.get().closed_at and len(told()) == 4


def test_few_accounts(settings):
    """Three accounts of one company are all that there are: none is let in."""
    company = build.workspace()
    accounts = [build.connection(company) for _ in range(3)]
    sync([company], NOW, DOWN)
    outage = VendorOutage.objects.get()
    # Everybody has disconnected: nobody can say that it is over.
    resolve_problems(accounts[0], now=NOW), Connection.objects.update(state="disconnected")
    look(NOW + FORGOTTEN + MINUTE)
    outage.refresh_from_db()
    assert outage.ended_at is not None


def test_two_accounts_may_have_many_causes():
    company = build.workspace()
    build.connection(company), build.connection(company)
    sync([company], NOW, DOWN)
    assert not VendorOutage.objects.exists()
