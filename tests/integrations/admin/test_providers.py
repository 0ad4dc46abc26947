"""One provider more: a card more, and not one query more."""

import datetime as dt

import pytest
from django.core import mail as outbox
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.mail import weekly
from integrations.models import BooksSettings, Connection, Problem, SyncJob, WorkspaceIntegration
from integrations.providers import PROVIDERS
from integrations.selectors.standings import MOST_ERRORS, standing, standings
from integrations.selectors.week import week_of
from tests.integrations.admin.conftest import GOOGLE
from tests.integrations.sync.memory import NAME as MEMORY

NOW = timezone.now()


def fill(company, integration: str) -> None:
    """Everything that an integration can have: accounts, settings, a job under way, others that are over, problems."""
    ours = {"workspace": company.workspace, "integration": integration}
    accounts = [
        Connection.objects.create(
            **ours, account_id=f"{integration} {state}", account_name=state, state=state, connected_at=NOW,
        )
        for state in ("active", "needs_reconnect", "disconnected")
    ]  # fmt: skip
    WorkspaceIntegration.objects.get_or_create(**ours, defaults={"next_sync_at": NOW, "failures": 1})
    for hours, status in enumerate(["running", "failed", "succeeded"], 1):
        SyncJob.objects.create(**ours, status=status, triggered_by="api", created_at=NOW - dt.timedelta(hours=hours))
    for number in range(MOST_ERRORS + 3):
        Problem.objects.create(
            **ours, connection=accounts[0], code="RECORD_REJECTED", message=f"No {number}", record_id=f"r{number}",
            occurred_at=NOW - dt.timedelta(minutes=number // 2),
        )  # fmt: skip
    Problem.objects.create(**ours, code="CONFLICT", message="Seen", occurred_at=NOW, resolved_at=NOW)
    if "invoice" in PROVIDERS[integration].kinds:
        BooksSettings.objects.create(connection=accounts[0], company={})


@pytest.fixture
def full(ours):
    """A company in which every provider of the product is in use."""
    for name in PROVIDERS:
        fill(ours, name)
    return ours


def queries(act) -> int:
    with CaptureQueriesContext(database) as captured:
        act()
    return len(captured)


@pytest.mark.slow
def test_the_dashboard_asks_no_more_for_one_more_provider(desk, full, request):
    browser = desk()
    browser.get("/admin/")  # what is asked once in a session is asked now
    before = queries(lambda: browser.get("/admin/"))
    request.getfixturevalue("memory_vendor")
    fill(full, MEMORY)
    answer = []
    assert queries(lambda: answer.append(browser.get("/admin/"))) == before
    assert f'id="card-{PROVIDERS[MEMORY].slug}"' in answer[0].content.decode()


def test_the_weekly_mail_asks_no_more_for_one_more_provider(desk, full, request, mailoutbox):
    desk("owner", email="olga@fieldcamp.test")
    monday = (NOW + dt.timedelta(days=7 - NOW.weekday())).replace(hour=14, minute=0)
    Connection.objects.update(connected_at=NOW - dt.timedelta(days=30))
    full.workspace.members.update(created_at=NOW - dt.timedelta(days=30))
    before = queries(lambda: weekly.send_due(monday))
    request.getfixturevalue("memory_vendor")
    fill(full, MEMORY)
    Connection.objects.update(connected_at=NOW - dt.timedelta(days=30))
    after = queries(lambda: weekly.send_due(monday + dt.timedelta(days=7)))
    assert [PROVIDERS[MEMORY].label in mail.body for mail in outbox.outbox] == [False, True]
    assert after == before


def test_all_together_stand_as_each_does_alone(full, memory_vendor, django_assert_num_queries):
    fill(full, MEMORY)
    with django_assert_num_queries(6):
        together = standings(full.workspace)
    assert together == [standing(full.workspace, name) for name in PROVIDERS]
    assert [len(found.problems) for found in together] == [MOST_ERRORS] * len(PROVIDERS)
    assert {found.live_job.status for found in together} == {"running"}
    assert {found.last_job.status for found in together} <= {"failed", "partial"}


def test_rows_of_a_provider_that_is_gone_stand_nowhere(ours, memory_vendor):
    fill(ours, MEMORY)
    del PROVIDERS[MEMORY]
    assert [found.provider.name for found in standings(ours.workspace)] == list(PROVIDERS)
    assert week_of(ours.workspace, NOW - dt.timedelta(days=7), NOW + dt.timedelta(days=1))


@pytest.mark.skipif(database.vendor != "sqlite", reason="PostgreSQL plans by the rows that there are")
@pytest.mark.parametrize(
    ("ask", "integrations"),
    [(standings, len(PROVIDERS)), (lambda workspace: standing(workspace, GOOGLE), 1)],
    ids=["all", "one"],
)
def test_no_history_of_jobs_is_read_for_it(ours, ask, integrations):
    """The running ones by the index that holds nothing else, the newest of each by the end of theirs."""
    with CaptureQueriesContext(database) as captured:
        ask(ours.workspace)
    asked = [row["sql"] for row in captured if 'FROM "integrations_syncjob"' in row["sql"]]
    plans = []
    with database.cursor() as cursor:
        for sql in asked:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plans.append("\n".join(row[3] for row in cursor.fetchall()))
    live, last = plans
    assert "one_job_in_flight" in live
    assert last.count("job_history") == integrations
    assert not any(line.startswith("SCAN") for plan in plans for line in plan.splitlines())
