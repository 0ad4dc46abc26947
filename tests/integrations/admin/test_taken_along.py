"""Tables and lists as somebody takes them along who means no good, or works in another currency or at two companies."""

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import AuditEntry, Member, Workspace
from integrations.books.facts import take_currency
from integrations.models import Problem
from integrations.records import Company
from integrations.selectors.company.state import company_state
from tests.integrations.admin.conftest import GOOGLE
from tests.integrations.admin.test_lists import lists, page, table
from tests.integrations.hostile import stored

PROBLEMS = "/admin/integrations/problem/"


def test_nul_is_no_filter_of_any_list(desk, ours):
    """PostgreSQL takes it in no text: whatever parameter has it, the list is shown without, and there is no table."""
    browser = desk()
    for address in lists():
        for name in ("state", "integration", "technician", "action", "record_id", "q"):
            answer = browser.get(f"{address}?{name}=a%00b")
            assert (answer.status_code, answer["Location"]) == (302, f"{address}?e=1"), (address, name)
        if lists()[address].cells:
            assert browser.get(f"{address}csv/?integration=%00").status_code == 404, address
    before = stored()
    for name in ("_selected_action", "answer"):
        data = {"action": "ignore_them", "_selected_action": ours.conflict.pk, name: "a\x00b"}
        assert browser.post(PROBLEMS, data)["Location"] == f"{PROBLEMS}?e=1"
    assert stored() == before and page(browser, f"{PROBLEMS}?e=1")
    visits = {"app_label": "workspace", "model_name": "visit", "field_name": "client"}
    for word, found in (("\x00", True), ("Client\x00", True), ("\x00nobody", False)):
        answer = browser.get("/admin/autocomplete/", {"term": word, **visits})
        assert bool(answer.json()["results"]) is found
        assert browser.get("/admin/search/", {"s": word, "extended": "1"}).status_code == 200


def test_a_number_of_problems_that_is_none_answers_nothing(desk, ours):
    browser, before = desk(), stored()
    for expected in ("²", "٣", "9" * 5_000, "", "-1", "1e9"):
        data = {"action": "same_answer", "_selected_action": [ours.conflict.pk], "answer": "keep_fieldcamp",
                "scope": "chosen", "expected": expected}  # fmt: skip
        assert browser.post(PROBLEMS, data).status_code == 302, expected
    after = stored()
    assert {name for name in after if after[name] != before[name]} <= {"integrations.Problem"}
    assert Problem.objects.get(pk=ours.conflict.pk).resolved_at is None


def test_a_table_of_a_job_has_a_name_whatever_is_asked(desk, ours):
    for action in ("a%0d%0aX-Evil: 1", "a%22; filename=x.exe", "%F0%9F%92%A5"):
        answer = desk().get(f"/admin/integrations/jobs/{ours.job.pk}/items.csv?action={action}")
        assert answer.status_code == 200 and "X-Evil" not in answer.headers
        name = answer["Content-Disposition"].partition('"')[2]
        assert name.endswith('.csv"') and name.count('"') == 1 and name.isascii()


def test_who_takes_a_list_along_is_on_record(desk, ours):
    for role, company in (("viewer", ours.workspace.pk), ("root", None)):
        answer = desk(role).get("/admin/workspace/client/csv/")
        assert answer.status_code == 200
        entry = AuditEntry.objects.filter(action="export.made").latest("pk")
        assert (entry.workspace_id, entry.object_name) == (company, answer["Content-Disposition"].split('"')[1])
        assert entry.actor == ("Viewer" if role == "viewer" else f"root-{ours.workspace.pk}")
    assert desk("viewer").get("/admin/workspace/auditentry/csv/").status_code == 403
    assert AuditEntry.objects.filter(action="export.made").count() == 2


def test_somebody_of_two_companies_has_in_each_the_name_of_there(desk, ours, theirs):
    browser = desk()
    user = Member.objects.get(workspace=ours.workspace, first_name="Owner").user
    Member.objects.create(workspace=theirs.workspace, user=user, first_name="Name There", role="staff")
    common = {"workspace": ours.workspace, "object_name": f"{GOOGLE}: lee@google.test", "position": 999}
    AuditEntry.objects.create(action="connection.paused", actor=user.username, **common)
    assert "Owner paused lee@google.test" in page(browser, "/admin/workspace/auditentry/?q=lee")
    assert "Name There" not in str(table(browser, "/admin/workspace/auditentry/csv/"))
    ours.job.actor = user.username
    ours.job.save()
    (row,) = table(browser, "/admin/integrations/syncjob/csv/")[1:]
    assert "Owner" in row and "Name There" not in row


def test_amounts_are_in_one_currency_on_the_page_in_its_sums_and_in_tables(desk, ours):
    browser = desk()
    take_currency(ours.workspace.pk, Company(id="1", name="Bok AB", currency="SEK"))  # which nobody can choose here
    assert Workspace.objects.get(pk=ours.workspace.pk).currency == "SEK"
    shown = page(browser, "/admin/workspace/invoice/")
    assert "SEK 108.00" in shown and "Total <b>SEK 108.00" in shown and "$" not in shown.partition("<table")[2]
    heading, row = table(browser, "/admin/workspace/invoice/csv/")
    assert row[heading.index("Currency")] == "SEK" and row[heading.index("Total")] == "108.00"
    Problem.objects.filter(pk=ours.conflict.pk).update(record_kind="payment", record_id=ours.payment.pk)
    assert any("SEK 10.00 on" in cell for row in table(browser, f"{PROBLEMS}csv/") for cell in row)
    Problem.objects.filter(pk=ours.conflict.pk).update(ignored_at=timezone.now())
    told = company_state(Workspace.objects.get(pk=ours.workspace.pk)).findings  # as mails and the API read it
    assert any("SEK 10.00 on" in finding.sentence for finding in told)
    settings = f"/admin/workspace/workspace/{ours.workspace.pk}/change/"
    assert '<option value="SEK" selected>' in page(browser, settings)
    data = {"name": "Ours", "timezone": "Europe/Stockholm", "currency": "SEK", "second_factor": "nobody"}
    assert browser.post(settings, data).status_code == 302
    assert browser.post(settings, data | {"currency": "XXX"}).status_code == 200
    saved = Workspace.objects.get(pk=ours.workspace.pk)
    assert (saved.currency, saved.timezone) == ("SEK", "Europe/Stockholm")


@pytest.mark.parametrize("role", ["viewer", "staff", "owner"])
def test_what_can_be_done_with_counterparts_is_for_those_who_may(desk, ours, theirs, role):
    browser, at = desk(role), "/admin/integrations"
    may_settings, may_sync = role == "owner", role != "viewer"
    for verb in ("part", "relink"):
        for rows, allowed in ((ours, 302), (theirs, 404)):
            answer = browser.post(f"{at}/links/{rows.link.pk}/{verb}/", {"other": str(rows.held.pk)})
            assert answer.status_code == (allowed if may_settings else 403), (verb, rows.workspace.name)
            assert browser.get(f"{at}/links/{rows.link.pk}/{verb}/").status_code == (404 if may_settings else 403)
    for record, account, allowed in (
        (ours.visit, ours.connection, 302), (theirs.visit, theirs.connection, 404),
        (ours.visit, theirs.connection, 404), (theirs.visit, ours.connection, 404),
    ):  # fmt: skip
        answer = browser.post(f"{at}/records/visit/{record.pk}/sync/", {"connection": account.pk})
        assert answer.status_code == (allowed if may_sync else 403)
    for rows in (ours, theirs):
        rows.link.refresh_from_db()
        assert (rows.link.record_id, rows.link.cut_at) == (rows.visit.pk, None)
