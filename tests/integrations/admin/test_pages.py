"""What the pages say: cards, live progress, times, results, CSV, and never a token."""

import csv
import datetime as dt
import io
import re

import pytest
from django.utils import timezone

from fieldcamp.spreadsheets import safe_cell
from integrations.admin.jobpage import PAGE
from integrations.models import Heartbeat, JobItem, OAuthGrant, Problem, SyncJob, WorkspaceIntegration
from integrations.providers import PROVIDERS
from tests.integrations.admin.conftest import CANARY, GOOGLE, LISTS, pages_of

CARD = LISTS["card"]


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def running(company, **fields) -> SyncJob:
    now = timezone.now()
    defaults = {"status": "running", "stage": "push", "done": 50, "total": 120, "started_at": now}
    return SyncJob.objects.create(
        workspace=company.workspace, integration=GOOGLE, triggered_by="schedule", created_at=now, **(defaults | fields)
    )


def test_one_card_for_each_provider(desk):
    shown = desk("viewer").get("/admin/").content.decode()
    for provider in PROVIDERS.values():
        assert f'id="card-{provider.slug}"' in shown


def test_the_accounts_tell_how_they_stand(desk, ours):
    now = timezone.now()
    WorkspaceIntegration.objects.update(last_synced_at=now - dt.timedelta(minutes=2))
    shown = text_of(desk().get("/admin/").content.decode())
    assert ours.connection.account_name in shown and "Tech of Ours" in shown
    assert "Next sync in 28 min" in shown
    assert "Last run : done, some wait" in shown
    assert "Taken in 0 Sent 1 Skipped 0 Failed 1" in shown


def test_the_first_page_says_first_how_the_company_stands_then_what_needs_somebody(desk, ours):
    shown = desk().get("/admin/").content.decode()
    places = [shown.index(f'id="{name}"') for name in ("state-sentence", "needs", "accounts", "strips", "queue")]
    assert places == sorted(places)
    assert 'id="state-sentence" role="status"' in shown
    page = text_of(shown)
    number = Problem.objects.listed().filter(workspace=ours.workspace).count()
    assert f"{number} thing" in page and "Syncing has stopped: no worker has run yet" in page


def test_who_cannot_start_the_worker_is_told_who_can(desk):
    command = "python manage.py worker"
    for role, sees in (("owner", False), ("viewer", False), ("root", True)):
        shown = desk(role).get("/admin/").content.decode()
        assert (command in shown) is sees
        assert "Whoever runs this site has to start it" in shown


def test_what_stops_work_is_counted_in_the_menu(desk, ours):
    Heartbeat.objects.update_or_create(name="worker", defaults={"at": timezone.now()})
    Problem.objects.all().delete()
    calm = desk().get("/admin/").content.decode()
    Problem.objects.create(
        workspace=ours.workspace, integration=GOOGLE, connection=ours.connection, code="MISCONFIGURED",
        message="The app is not accepted.", occurred_at=timezone.now(),
    )  # fmt: skip
    shown = desk().get("/admin/").content.decode()
    badge = re.compile(r"bg-red-100[^>]*>\s*1\s*<")
    assert badge.search(shown) and not badge.search(calm)


def test_times_stand_in_the_companys_zone_and_in_utc_on_hover(desk, ours):
    ours.workspace.timezone = "Asia/Tokyo"
    ours.workspace.save()
    ours.workspace.connections.update(last_synced_at=dt.datetime(2026, 11, 22, 20, 0, tzinfo=dt.UTC))
    shown = desk().get(CARD).content.decode()
    assert "Mon 23 Nov 2026, 05:00:00 JST · 2026-11-22 20:00:00 UTC" in shown


@pytest.mark.slow
@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("setup", "Set-up not finished"), ("paused", "Paused"), ("needs_reconnect", "Needs reconnect"),
        ("needs_permission", "Needs permission"), ("disconnected", "Not connected"),
    ],
)  # fmt: skip
def test_states_in_words(state, words, desk, ours):
    ours.connection.state = state
    ours.connection.save()
    assert words in text_of(desk().get(CARD).content.decode())


def digests_of(html: str) -> dict[str, str]:
    """What the page that is open sends along when it asks again."""
    return dict(re.findall(r"(said|needs|runs)=([0-9a-f]{12})", html))


def test_a_running_job_is_asked_for_often_and_told_to_screen_readers_in_tenths(desk, ours):
    Problem.objects.all().delete()
    Heartbeat.objects.update_or_create(name="worker", defaults={"at": timezone.now()})
    job = running(ours)
    shown = desk().get("/admin/").content.decode()
    assert "every 3s" in shown and "50 of 120" in shown and "40 % done." in shown
    seen = digests_of(shown)
    SyncJob.objects.filter(pk=job.pk).update(done=55)
    same = desk().get(CARD, seen).content.decode()
    assert "55 of 120 visits" in same and 'id="state-sentence"' not in same
    SyncJob.objects.filter(pk=job.pk).update(done=60)
    moved = desk().get(CARD, seen).content.decode()
    assert 'id="state-sentence" hx-swap-oob="innerHTML"' in moved and "50 % done." in moved


def test_one_answer_brings_every_panel_and_says_whether_the_questions_are_others(desk, ours):
    seen = digests_of(desk().get("/admin/").content.decode())
    same = desk().get(CARD, seen)
    assert "HX-Trigger" not in same and "every 15s" in same.content.decode()
    for name in ("poll", "state-mark", "state-lines", "needs-count", "accounts", "queue"):
        assert f'id="{name}"' in same.content.decode()
    assert 'id="strips"' not in same.content.decode()
    assert 'id="accounts"' not in desk().get(CARD, seen | {"busy": "1"}).content.decode()
    Problem.objects.all().delete()
    SyncJob.objects.create(
        workspace=ours.workspace, integration=GOOGLE, status="succeeded", triggered_by="api", created_at=timezone.now()
    )
    other = desk().get(CARD, seen)
    assert other["HX-Trigger"] == "desk-changed"
    assert 'id="strips"' in other.content.decode() and 'id="state-sentence"' in other.content.decode()


def test_the_job_page_is_live_until_it_is_over(desk, ours):
    job = running(ours)
    page, live = (pages_of(ours)[name].replace(ours.job.pk, job.pk) for name in ("job", "live"))
    assert f'hx-get="{live}?said=' in desk().get(page).content.decode()
    assert "50 of 120" in desk().get(live).content.decode()
    explicit = desk().get(live, {"said": "Reading changes"}).content.decode()
    assert "Bringing both sides together, 40 % done</p>" in explicit
    SyncJob.objects.filter(pk=job.pk).update(status="cancelled", cancel_requested_at=timezone.now())
    assert desk().get(live)["HX-Refresh"] == "true"
    assert f'hx-get="{live}' not in desk().get(page).content.decode()


def test_the_job_page_tells_who_started_it(desk, ours):
    for trigger, actor, words in (
        ("api", ours.key.pk, "the key Key of Ours"),
        ("schedule", "", "the schedule"),
        ("admin", "Olga", "Olga"),
    ):
        SyncJob.objects.filter(pk=ours.job.pk).update(triggered_by=trigger, actor=actor)
        assert f"Asked for by {words}." in text_of(desk().get(pages_of(ours)["job"]).content.decode())


def test_results_are_filtered_and_paged(desk, ours):
    JobItem.objects.bulk_create(
        JobItem(job=ours.job, connection=ours.connection, kind="visit", key=key, outcome="skipped", message=key)
        for key in (f"k{n:03}" for n in range(PAGE + 10))
    )
    SyncJob.objects.filter(pk=ours.job.pk).update(skipped=PAGE + 10)
    page = pages_of(ours)["job"]
    first = desk().get(page, {"outcome": "skipped"}).content.decode()
    assert "k000" in first
    assert f"k{PAGE:03}" not in first
    assert f"1–{PAGE} of {PAGE + 10}" in first
    second = desk().get(page, {"outcome": "skipped", "page": "2"}).content.decode()
    assert f"k{PAGE:03}" in second
    assert "k000" not in second
    failed = desk().get(page, {"outcome": "failed"}).content.decode()
    assert "@SUM(A1)" in failed
    assert "k000" not in failed


@pytest.mark.slow
@pytest.mark.parametrize("query", [{"page": "-1"}, {"page": "99999999999999"}, {"page": "²"}, {"outcome": "x\x00"}])
def test_nonsense_in_the_address_is_taken_as_not_said(query, desk, ours):
    assert desk().get(pages_of(ours)["job"], query).status_code == 200


@pytest.mark.slow
def test_the_csv_has_every_result_and_no_formula(desk, ours):
    JobItem.objects.bulk_create(
        JobItem(job=ours.job, connection=ours.connection, kind="visit", key=f"k{n}", outcome="skipped")
        for n in range(2100)
    )
    response = desk("viewer").get(pages_of(ours)["csv"])
    assert response.streaming
    assert re.fullmatch(r'attachment; filename="google-calendar-[-0-9]+.csv"', response["Content-Disposition"])
    rows = list(csv.DictReader(io.StringIO(b"".join(response).decode())))
    assert len(rows) == 2102
    evil = next(row for row in rows if row["Outcome"] == "Waits for you")
    assert (evil["Id there"], evil["Why"]) == ("'=1+1", "'@SUM(A1)")
    failed = desk().get(pages_of(ours)["csv"], {"outcome": "failed"})
    assert len(list(csv.reader(io.StringIO(b"".join(failed).decode())))) == 2


@pytest.mark.parametrize("start", list("=+-@\t\r\n"))
def test_a_cell_that_a_spreadsheet_would_run_is_text(start):
    assert safe_cell(f"{start}1") == f"'{start}1"
    assert safe_cell(f"a{start}1") == f"a{start}1"


@pytest.mark.slow
def test_no_page_shows_a_token(desk, ours):
    assert OAuthGrant.objects.get(connection=ours.connection).access_token == CANARY
    for url in [*LISTS.values(), *pages_of(ours).values()]:
        response = desk("root").get(url)
        body = b"".join(response) if response.streaming else response.content
        assert b"CANARY" not in body, url


def test_the_passport_names_the_missing_permission(desk, ours):
    shown = text_of(desk().get(pages_of(ours)["connection"]).content.decode())
    words = PROVIDERS[GOOGLE].permissions
    granted = words["https://www.googleapis.com/auth/calendar.events"]
    missing = next(text for text in words.values() if text != granted)
    assert f"Granted {granted}" in shown
    assert f"Missing {missing}".replace("'", "&#x27;") in shown
    assert "Renewed again before in 59 min" in shown


def test_needs_you_lists_each_problem_once_with_its_fix(desk, ours):
    shown = desk().get("/admin/").content.decode()
    assert shown.count("Conflict of Ours") == 1
    assert text_of(shown).count("10 of Tech of Ours&#x27;s 24 events would be removed from Google Calendar") == 1
    assert shown.index("24 events") < shown.index("Conflict of Ours")  # worst first
    words = text_of(shown)
    assert "Start Tue 24 Nov, 09:00 Tue 24 Nov, 13:00" in words
    for button in ("Put the events back", "Leave them removed", "Keep FieldCamp&#x27;s", "Keep Google Calendar&#x27;s"):
        assert button in words


@pytest.mark.slow
def test_the_worst_problem_is_not_buried_under_many_newer_ones(desk, ours):
    Problem.objects.bulk_create(
        Problem(
            workspace=ours.workspace, integration=GOOGLE, connection=ours.connection, code="RECORD_REJECTED",
            record_id=str(number), message="No.", occurred_at=timezone.now(),
        )
        for number in range(300)
    )  # fmt: skip
    shown = desk().get("/admin/").content.decode()
    assert "24 events would be removed" in shown
    assert "300 records" in shown


@pytest.mark.slow
def test_every_error_code_has_a_card(desk, ours):
    from integrations.services.problems.fixes import TITLES

    for number, (code, title) in enumerate(TITLES.items()):
        Problem.objects.update_or_create(
            pk=f"prb_{number}",
            defaults={
                "workspace": ours.workspace, "integration": GOOGLE, "connection": ours.connection, "code": code,
                "record_id": str(number), "message": f"Sentence {code}.", "occurred_at": timezone.now(),
            },
        )  # fmt: skip
        shown = text_of(desk().get(f"/admin/integrations/problem/prb_{number}/change/").content.decode())
        assert f"Sentence {code}." in shown
        assert str(title) in shown


def test_the_vendors_text_is_folded_away_and_escaped(desk, ours):
    Problem.objects.filter(pk=ours.conflict.pk).update(detail="<script>alert(1)</script>", message="<b>bold</b>")
    shown = desk().get("/admin/").content.decode()
    assert "<script>alert(1)" not in shown
    assert "<b>bold</b>" not in shown
    assert "What the provider said" in shown


@pytest.mark.slow
def test_queue_health(desk, ours):
    assert "No worker has run yet" in desk().get("/admin/").content.decode()
    beat = Heartbeat.objects.create(name="worker", at=timezone.now())
    assert "Workers are alive" in desk().get("/admin/").content.decode()
    Heartbeat.objects.filter(pk=beat.pk).update(at=timezone.now() - dt.timedelta(minutes=5))
    shown = text_of(desk().get("/admin/").content.decode())
    assert "No sign of life" in shown
    assert "Last sign of life 5 min ago" in shown


def test_a_site_without_a_company_has_a_dashboard_all_the_same(db):
    from django.contrib.auth.models import User
    from django.test import Client

    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    assert b"There is no company yet" in browser.get("/admin/").content


def test_the_sandbox_is_named(desk, settings):
    assert "Sandbox" not in desk().get("/admin/").content.decode()
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    assert "Sandbox" in desk().get("/admin/").content.decode()


@pytest.mark.slow
@pytest.mark.parametrize(
    "url",
    [
        "/admin/",
        *(LISTS[name] for name in ("jobs", "problems", "needs", "visits")),
    ],
)
def test_as_many_queries_with_300_rows_as_with_3(url, desk, ours):
    from django.db import connection as database
    from django.test.utils import CaptureQueriesContext

    browser = desk("staff")

    def add(numbers: range) -> None:
        now = timezone.now()
        SyncJob.objects.bulk_create(
            SyncJob(
                workspace=ours.workspace, integration=GOOGLE, status="succeeded", triggered_by="api", created_at=now
            )
            for _ in numbers
        )
        Problem.objects.bulk_create(
            Problem(
                workspace=ours.workspace, integration=GOOGLE, connection=ours.connection, code="RECORD_REJECTED",
                record_kind="visit", record_id=f"r{n}", message="No.", occurred_at=now,
            )
            for n in numbers
        )  # fmt: skip
        type(ours.visit).objects.bulk_create(
            type(ours.visit)(workspace=ours.workspace, client=ours.client, technician=ours.tech, title=f"V{n}")
            for n in numbers
        )

    def queries() -> int:
        with CaptureQueriesContext(database) as context:
            assert browser.get(url).status_code == 200
        return len(context)

    add(range(3))
    browser.get(url)  # what a process reads once, such as content types
    few = queries()
    add(range(3, 300))
    assert queries() <= few  # whom nobody on the page has asked is not looked up
    assert few < 42
