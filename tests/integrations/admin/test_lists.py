"""Every list of the desk: how many it has, finding, chips, its CSV, when it is empty, many rows at once."""

import csv
import datetime as dt
import io
import re

import pytest
import time_machine
from django.contrib import admin
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from fieldcamp.desk.admins import BoundedList, ScopedAdmin
from fieldcamp.desk.lists.paging import CappedPaginator
from fieldcamp.workspace.models import AuditEntry, Client, Item, Payment, Visit
from integrations.calendar.visits import event_fields
from integrations.models import DirtyRow, Link, Problem, SyncJob, WorkspaceIntegration
from integrations.services.sync_state.standing import RecordStanding
from tests.integrations.admin.conftest import GOOGLE

HEAD = re.compile(r'id="list-count">([^<]*)<')
ROWS = re.compile(r'class="action-select"|name="_selected_action"[^>]*value="([^"]+)"')
# They have a page of another kind in the place of a list.
NO_LISTS = {"workspace", "webhookdelivery", "ormq"}


def lists() -> dict[str, BoundedList]:
    found = {}
    for model, model_admin in admin.site._registry.items():
        if isinstance(model_admin, ScopedAdmin) and model._meta.model_name not in NO_LISTS:
            found[f"/admin/{model._meta.app_label}/{model._meta.model_name}/"] = model_admin
    return found


def page(browser, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def table(browser, address: str) -> list[list[str]]:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))


def count_of(browser, address: str) -> str:
    return HEAD.search(page(browser, address))[1].strip()


@pytest.mark.slow
def test_every_list(desk, ours, theirs):
    browser, every = desk(), lists()
    assert len(every) > 14
    for address, model_admin in every.items():
        shown = page(browser, f"{address}?when=all" if "visit" in address or "blocked" in address else address)
        assert HEAD.search(shown), address
        assert "yielded" not in shown and "results (" not in shown, address
        title = re.search(r"<title>\s*([^<|]*?)\s*\|", shown)[1]
        menu = re.search(rf'<li><a href="{address}" class="fc-menu-item.*?<span>([^<]*)</span>', shown, re.S)
        word = menu[1] if menu else str(model_admin.opts.verbose_name_plural)
        assert title.casefold() == word.casefold(), address
        if model_admin.search_fields:
            none = page(browser, f"{address}?q=evt_zzz")
            assert "Clear filters" in none and "evt_zzz" in none and "Nothing here matches" in none, address
            assert 'aria-keyshortcuts="/"' in none
        rows = table(browser, f"{address}csv/")
        assert rows[0][-1] == "id" and len(rows[0]) > 2, address
        written = [str(cell) for row in rows[1:] for cell in row[:-1]]
        assert not [cell for cell in written if re.match(r"(?:syn|con|vis|cli|inv|pay|itm|wsp|mem|key)_\w{8}", cell)]
        assert theirs.workspace.pk not in "".join(written)


@pytest.mark.slow
def test_an_empty_list_says_what_fills_it(desk, ours):
    owner, viewer = desk(), desk("viewer")
    model_admins = lists()
    for model in (DirtyRow, Problem, Payment, Visit):
        model.objects.filter(**{} if model in (DirtyRow, Problem) else {"workspace": ours.workspace}).delete()
    for name, button in (("payment", "Add a payment"), ("visit", "Add a visit")):
        address = f"/admin/workspace/{name}/" + ("?when=all" if name == "visit" else "")
        assert str(model_admins[f"/admin/workspace/{name}/"].empty.sentence) in page(owner, address)
        assert button in page(owner, address) and button not in page(viewer, address)
    assert "Nothing needs you" in page(viewer, "/admin/integrations/problem/")
    assert "Nothing here matches" in page(owner, "/admin/workspace/visit/")  # the days that it opens on hide nothing
    assert "Show all" in page(owner, "/admin/workspace/visit/")


def test_visits_open_on_the_companys_today_and_are_found_by_every_name(desk, ours):
    ours.workspace.timezone = "America/New_York"
    ours.workspace.save()
    browser, visits = desk(), "/admin/workspace/visit/"
    # Late on Sunday 15 November in New York, where it is Monday already in Greenwich.
    now = dt.datetime(2026, 11, 16, 3, 0, tzinfo=dt.UTC)
    for title, hours in (("Past", -30), ("Sunday", -1), ("Monday", 8), ("Friday", 110), ("After", 200)):
        Visit.objects.create(
            workspace=ours.workspace, client=ours.client, technician=ours.tech, title=title, visit_status="scheduled",
            scheduled_start=now + dt.timedelta(hours=hours), scheduled_end=now + dt.timedelta(hours=hours + 1),
            timezone="UTC",
        )  # fmt: skip
    Visit.objects.filter(pk=ours.visit.pk).update(title="Never", scheduled_start=None, scheduled_end=None)
    expected = {
        "": ["Sunday", "Monday", "Friday", "After"],
        "?when=today": ["Sunday"],
        "?when=week": ["Sunday"],  # it began on Monday the 9th; "Past" is of Friday
        "?when=next_week": ["Monday", "Friday"],
        "?when=never": ["Never"],
        "?when=all": ["Past", "Sunday", "Monday", "Friday", "After", "Never"],
        "?q=ours tech": ["Past", "Sunday", "Monday", "Friday", "After", "Never"],
        "?scheduled_start_from=2026-11-16&scheduled_start_to=2026-11-16": ["Monday"],
        "?scheduled_start_from=soon": [],
    }
    with time_machine.travel(now, tick=False):
        browser.force_login(browser.get("/admin/").wsgi_request.user)
        for query, titles in expected.items():
            shown = page(browser, visits + query)
            found = re.findall(r">(Past|Sunday|Monday|Friday|After|Never)</a>", shown)
            if query == "?when=week":
                titles = ["Past", "Sunday"]  # both since Monday the 9th
            assert [each for each in found if each != "Never"] == [t for t in titles if t != "Never"], query
            assert ("Never" in found) == ("Never" in titles), query


def test_chips_are_links_that_take_one_filter_away(desk, ours):
    browser = desk()
    shown = page(browser, "/admin/workspace/invoice/?q=Client&status=partly_paid&date_from=2020-01-01")
    chips = dict(re.findall(r'<li><a href="([^"]*)"><span>([^<]*): ', shown))
    assert list(chips.values()) == ["Search", "Status", "Date"]
    for address, label in chips.items():
        left = {"Search": "status", "Status": "q=", "Date": "q="}[label]
        assert left in address and {"Search": "q=", "Status": "status=", "Date": "date_from"}[label] not in address
        assert browser.get(f"/admin/workspace/invoice/{address.replace('&amp;', '&')}").status_code == 200
    assert "Total <b>$108.00" in shown and "Balance <b>$100.00" in shown


def test_what_is_void_is_in_no_total_and_a_formula_is_none(desk, ours):
    browser = desk()
    Client.objects.filter(pk=ours.client.pk).update(company_name="=HYPERLINK(1)")
    rows = table(browser, "/admin/workspace/invoice/csv/")
    heading, (row,) = rows[0], rows[1:]
    by_name = dict(zip(heading, row, strict=True))
    assert by_name["Client"] == "'=HYPERLINK(1)" and by_name["Total"] == "108.00" and by_name["id"] == ours.invoice.pk
    assert heading[-3] == "Currency" or heading[-2] == "Currency"
    type(ours.invoice).objects.filter(pk=ours.invoice.pk).update(voided_at=timezone.now())
    assert "Total <b>$0.00" in page(browser, "/admin/workspace/invoice/")
    assert len(table(browser, "/admin/workspace/invoice/csv/?status=partly_paid")) == 1


def test_a_list_is_counted_up_to_a_number(ours, monkeypatch):
    monkeypatch.setattr("fieldcamp.desk.lists.paging.MOST_COUNTED", 3)
    monkeypatch.setattr("fieldcamp.desk.lists.changelist.MOST_COUNTED", 3)
    Item.objects.bulk_create(
        Item(workspace=ours.workspace, name=f"Item {number}", price=1, list_number=100 + number) for number in range(6)
    )
    pages = CappedPaginator(Item.objects.order_by("name"), 2)
    with CaptureQueriesContext(database) as queries:
        assert pages.counted == 4 and pages.is_capped
    assert "LIMIT 4" in queries.captured_queries[0]["sql"]
    assert pages.page(3).has_next() and not pages.page(4).has_next() and pages.page(9).object_list.count() == 0


def test_problems_and_jobs_are_found_by_what_people_know(desk, ours, theirs):
    browser = desk()
    problems, jobs = "/admin/integrations/problem/", "/admin/integrations/syncjob/"
    for search in (
        "Visit of Ours",
        "client of ours",
        "tech ours",
        ours.connection.account_name,
        "google",
        "both sides",
    ):
        assert count_of(browser, f"{problems}?q={search}").startswith(("1 ", "2 ")), search
    for search in ("Visit of Theirs", "nobody", "outlook"):
        assert count_of(browser, f"{problems}?q={search}").startswith("0 "), search
    for search, number in (("google", 1), (ours.connection.account_name, 1), ("somebody", 1), ("quickbooks", 0)):
        assert count_of(browser, f"{jobs}?q={search}").startswith(f"{number} "), search


def plant(ours) -> None:
    """Visits that stand in every way with the technician's calendar."""
    now = timezone.now()
    Link.objects.all().delete()
    Problem.objects.all().delete()
    ours.stream.is_active = True
    ours.stream.first_synced_at = ours.stream.full_synced_at = now
    ours.stream.save()
    WorkspaceIntegration.objects.update(next_sync_at=now + dt.timedelta(hours=1))

    def visit(title: str, **fields) -> Visit:
        values = {"scheduled_start": now + dt.timedelta(hours=3), "scheduled_end": now + dt.timedelta(hours=4)}
        return Visit.objects.create(
            workspace=ours.workspace, client=ours.client, technician=ours.tech, title=title, timezone="UTC",
            **{"visit_status": "scheduled", **values, **fields},
        )  # fmt: skip

    def problem(row: Visit, code: str, link: Link | None = None, **fields) -> None:
        Problem.objects.create(
            workspace=ours.workspace, integration=GOOGLE, connection=ours.connection, link=link, code=code,
            record_kind="visit", record_id=row.pk, message="Said.", occurred_at=now, **fields,
        )  # fmt: skip

    def link(row: Visit, **fields) -> Link:
        seen = event_fields(row)
        return Link.objects.create(
            stream=ours.stream, kind="visit", record_id=row.pk, remote_id=row.pk, seen=seen, base=seen, **fields
        )

    visit("waits")
    visit("cancelled", visit_status="cancelled")
    visit("unscheduled", scheduled_start=None, scheduled_end=None)
    visit("too old", scheduled_start=now - dt.timedelta(days=90), scheduled_end=now - dt.timedelta(days=89))
    link(visit("in step"))
    row = visit("conflict")
    problem(row, "CONFLICT", link(row, parked=True))
    problem(visit("refused"), "RECORD_REJECTED")
    row = visit("ignored")
    problem(row, "CONFLICT", link(row, parked=True), ignored_at=now)
    DirtyRow.objects.exclude(record_id=Visit.objects.get(title="waits").pk).delete()


def standings_in(shown: str) -> dict[str, str]:
    """The rows' titles with the badge of the calendar's column."""
    rows = re.findall(r"<tr class=\"data-row.*?</tr>", shown, re.DOTALL)
    found = {}
    for row in rows:
        title = re.search(r"field-title.*?>([^<>]+)</a>", row, re.DOTALL)[1].strip()
        found[title] = re.search(r"field-sync_google_calendar.*?fc-badge[^>]*>([^<]+)<", row, re.DOTALL)[1].strip()
    return found


def test_the_filter_finds_what_the_column_says(desk, ours):
    plant(ours)
    browser, visits = desk(), "/admin/workspace/visit/?when=all"
    column = standings_in(page(browser, visits))
    said = ("In step", "Waits", "Differs", "Refused", "Left as it is", "Not there")
    words = dict(zip(RecordStanding, said, strict=True))
    assert {"waits": "Waits", "cancelled": "Not there", "conflict": "Differs", "refused": "Refused",
            "in step": "In step", "ignored": "Differs"}.items() <= column.items()  # fmt: skip
    for standing, word in words.items():
        found = standings_in(page(browser, f"{visits}&sync_google_calendar={standing}"))
        assert found == {title: said for title, said in column.items() if said == word}, standing
    assert standings_in(page(browser, f"{visits}&sync_google_calendar=refused&q=waits")) == {}
    exported = table(browser, f"/admin/workspace/visit/csv/?when=all&sync_google_calendar={RecordStanding.REFUSED}")
    assert [row[2] for row in exported[1:]] == ["refused"]
    assert browser.get(f"{visits}&sync_google_calendar=nonsense").status_code == 200


def post(browser, model: str, action: str, ids, **fields) -> str:
    data = {"action": action, "_selected_action": list(ids), "index": "0", "select_across": "0", **fields}
    answer = browser.post(reverse(f"admin:{model}_changelist"), data, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_many_are_ignored_tried_and_answered_with_the_exceptions_said(desk, ours, theirs):
    problems = list(Problem.objects.values_list("pk", flat=True))  # theirs too: they are not touched
    model = "integrations_problem"
    for role in ("viewer",):
        post(desk(role), model, "ignore_them", problems)
        assert not Problem.objects.ignored().exists()
    browser = desk("staff")
    shown = post(browser, model, "try_again", problems)
    assert "2 left out" in shown or "tried again" in shown
    asked = post(browser, model, "same_answer", [ours.conflict.pk])
    assert "1 problem of this cause" in asked and "Visit of Ours" in asked and ">Keep FieldCamp&#x27;s" in asked
    answer = {"answer": "keep_fieldcamp", "expected": "1", "expected_all": "1", "scope": "chosen"}
    assert "1 answered." in post(browser, model, "same_answer", [ours.conflict.pk], **answer)
    ours.link.refresh_from_db()
    assert ours.link.decision == {"winner": "local"}
    before = SyncJob.objects.count()
    again = post(browser, model, "same_answer", [ours.conflict.pk], **answer)
    assert "1 answered." not in again and SyncJob.objects.count() == before
    for said in ("ignored", "ignored already"):
        assert said in post(browser, model, "ignore_them", problems)
    assert not Problem.objects.ignored().filter(workspace=theirs.workspace).exists()


def test_chosen_records_are_synced_now_and_only_once(desk, ours):
    plant(ours)
    SyncJob.objects.all().delete()
    ids = list(Visit.objects.filter(workspace=ours.workspace).values_list("pk", flat=True))
    assert "Sync these" not in page(desk("viewer"), "/admin/workspace/visit/?when=all")
    post(desk("viewer"), "workspace_visit", "sync_these", ids)
    assert SyncJob.objects.count() == 0
    browser = desk("staff")
    for _ in range(2):
        shown = post(browser, "workspace_visit", "sync_these", ids)
        assert "to be synced now" in shown and "left out" in shown
        assert SyncJob.objects.count() == 1
    linked = Link.objects.get(record_id=Visit.objects.get(title="in step").pk)
    parked = Link.objects.get(record_id=Visit.objects.get(title="conflict").pk)
    assert linked.unsettled and parked.parked


def test_the_trail_speaks_in_sentences(desk, ours):
    browser = desk()
    AuditEntry.objects.create(
        workspace=ours.workspace, action="connection.connected", object_name=f"{GOOGLE}: lee@google.test",
        actor=browser.get("/admin/").wsgi_request.user.username, position=999,
    )  # fmt: skip
    shown = page(browser, "/admin/workspace/auditentry/?q=lee")
    assert "Owner connected lee@google.test" in shown and ">connection.connected<" not in shown
