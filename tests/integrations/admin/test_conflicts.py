"""The conflict inbox: both sides beside each other, a side for each field, and a choice that is remembered."""

import datetime as dt

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from fieldcamp.workspace.models import AuditEntry, Client
from fieldcamp.workspace.tracking import attributed
from integrations.admin.conflicts import units_of
from integrations.admin.values import LABELS, Table, shown
from integrations.kinds import KINDS
from integrations.models import ConflictPolicy, Link, Problem, Stream
from tests.integrations.admin.conftest import GOOGLE, posts_of
from tests.integrations.admin.test_buttons import newest, press
from tests.integrations.admin.test_pages import text_of

INBOX = "/admin/integrations/conflicts/"
LOCAL = {"start": "2026-11-24T14:00:00Z", "end": "2026-11-24T15:00:00Z", "title": "Boiler"}
REMOTE = {"start": "2026-11-24T18:00:00Z", "end": "2026-11-24T19:30:00Z", "title": "Boiler!"}
LINES = [{"item": "7", "description": "Pipe", "quantity": "2", "unit_price": "4.50", "amount": "9.00", "taxable": True}]


@pytest.fixture
def asked(ours):
    """A visit that was moved on both sides, on a connection that asks."""
    Stream.objects.filter(pk=ours.stream.pk).update(policy=ConflictPolicy.ASK)
    data = {"local": LOCAL, "remote": REMOTE, "base": {**LOCAL, "start": "x"}, "fields": "end, start"}
    Problem.objects.filter(pk=ours.conflict.pk).update(data=data)
    with attributed(actor="Olivia"):
        ours.visit.title = "Boiler"
        ours.visit.save()
    return ours


def customer_conflict(ours, **data) -> Problem:
    link = Link.objects.create(
        stream=ours.stream, kind="customer", record_id=ours.client.pk, remote_id="61", parked=True
    )
    return Problem.objects.create(
        workspace=ours.workspace, integration=GOOGLE, connection=ours.connection, link=link, code="CONFLICT",
        record_kind="customer", record_id=ours.client.pk, message="Changed on both sides.", data=data,
        occurred_at=timezone.now(),
    )  # fmt: skip


def test_both_sides_with_who_and_when(desk, asked):
    words = text_of(desk().get(INBOX).content.decode())
    assert "FieldCamp Olivia, just now" in words
    assert "Google Calendar seen just now" in words
    assert "Start and end" in words
    assert "Tue 24 Nov, 09:00" in words
    assert "Tue 24 Nov, 14:30" in words
    assert "Title FieldCamp&#x27;s own: put back there." in words


def test_a_move_that_is_far_is_taken_or_put_back(desk, asked):
    about = {**asked.conflict.data, "local": LOCAL, "remote": REMOTE, "fields": "end, start", "reason": "moved_far"}
    Problem.objects.filter(pk=asked.conflict.pk).update(data=about, message="Moved by 40 days in the calendar.")
    for page in (INBOX, "/admin/"):
        words = text_of(desk().get(page).content.decode())
        assert "Take it" in words and "Put it back" in words and "Keep FieldCamp" not in words
        assert "Moved by 40 days in the calendar." in words
    _, said = press(desk("staff"), posts_of(asked)["resolve"][0], {"choice": "remote"})
    assert Link.objects.get(pk=asked.link.pk).decision == {"winner": "remote"}
    assert said == ["Google Calendar's side is kept. Sync started."]


def test_times_are_chosen_together_and_applied_to_that_record_alone(desk, asked):
    url = posts_of(asked)["resolve"][0]
    _, said = press(desk("staff"), url, {"pick-start": "remote"})
    assert Link.objects.get(pk=asked.link.pk).decision == {"fields": {"start": "remote", "end": "remote"}}
    assert newest().only == [asked.link.pk]
    assert said == ["Each field as chosen. Sync started."]


def test_each_field_has_a_side_of_its_own(desk, ours):
    problem = customer_conflict(
        ours,
        local={"email": "a@x.test", "phone": "1", "company": "Same"},
        remote={"email": "b@x.test", "phone": "2", "company": "Same"},
        base={"email": "", "phone": ""},
        fields="email, phone",
    )
    page = desk().get(INBOX).content.decode()
    assert "Client of Ours" in page
    assert "Same" not in page
    url = f"/admin/integrations/problems/{problem.pk}/resolve/"
    _, said = press(desk(), url, {"pick-email": "local"})
    assert said == ["Choose a side for each field."]
    assert Link.objects.get(pk=problem.link_id).decision is None
    press(desk(), url, {"pick-email": "local", "pick-phone": "remote"})
    assert Link.objects.get(pk=problem.link_id).decision == {"fields": {"email": "local", "phone": "remote"}}


def test_a_choice_that_is_remembered_changes_the_policy_of_the_connection(desk, asked):
    url = posts_of(asked)["resolve"][0]
    page = desk().get(INBOX).content.decode()
    assert "Always prefer Google Calendar" in page
    assert "Always prefer" not in desk("staff").get(INBOX).content.decode()
    assert desk("staff").post(url, {"choice": "local", "remember": "local"}).status_code == 403
    assert desk().post(url, {"choice": "local", "remember": "newest"}).status_code == 404
    assert Stream.objects.get(pk=asked.stream.pk).policy == "ask"
    _, said = press(desk(), url, {"choice": "remote", "remember": "remote"})
    assert said[0].startswith("Google Calendar's side is kept. From now on Google Calendar wins without asking.")
    assert Stream.objects.get(pk=asked.stream.pk).policy == "remote"
    entry = AuditEntry.objects.get(action="connection.policy_changed")
    assert (entry.before, entry.after["policy"]) == ({"policy": "ask"}, "remote")


def test_the_inbox_is_the_own_companys_and_viewers_only_look(desk, asked, theirs):
    page = desk("viewer").get(INBOX).content.decode()
    assert "Conflict of Ours" in page
    assert "Conflict of Theirs" not in page
    assert 'type="radio"' not in page
    assert "Somebody with more rights decides this." in page


@pytest.mark.slow
def test_as_many_queries_with_25_conflicts_as_with_3(desk, asked, django_assert_num_queries):
    from django.db import connection as database
    from django.test.utils import CaptureQueriesContext

    browser = desk()

    def add(numbers: range) -> None:
        for number in numbers:
            client = Client.objects.create(workspace=asked.workspace, first_name=f"C{number}")
            link = Link.objects.create(
                stream=asked.stream, kind="customer", record_id=client.pk, remote_id=f"r{number}"
            )
            Problem.objects.create(
                workspace=asked.workspace, integration=GOOGLE, connection=asked.connection, code="CONFLICT", link=link,
                record_kind="customer", record_id=client.pk, message="No.", occurred_at=timezone.now(),
                data={"local": {"phone": "1"}, "remote": {"phone": "2"}},
            )  # fmt: skip

    def queries() -> int:
        with CaptureQueriesContext(database) as context:
            browser.get(INBOX)
        return len(context)

    add(range(3))
    queries()
    few = queries()
    add(range(3, 25))
    assert queries() == few
    assert few < 20


def test_a_change_on_one_side_is_shown_and_not_asked_about(ours):
    problem = customer_conflict(
        ours,
        local={"email": "a", "phone": "1", "company": "New"},
        remote={"email": "b", "phone": "2", "company": "Old"},
        base={"email": "", "phone": "1", "company": "Old"},
        fields="email",
    )
    notes = {unit.key: unit.note for unit in units_of(problem)}
    assert notes == {
        "email": "",
        "company": "Changed in FieldCamp only: kept.",
        "phone": "Changed there only: taken over.",
    }


def test_an_invoices_lines_discount_and_tax_are_one_choice(ours):
    problem = customer_conflict(
        ours, local={"lines": LINES, "discount": None}, remote={"lines": [], "discount": {"percent": "10"}}
    )
    problem.record_kind = "invoice"
    (unit,) = units_of(problem)
    assert unit.names == ("lines", "discount")
    assert unit.label == "Lines and discount"
    assert unit.lines[1].remote == "10 %"


def test_every_field_of_every_kind_has_a_label():
    for kind in KINDS.values():
        if kind.name != "block":
            assert {*kind.fields, *kind.noted} <= {*LABELS[kind.name]}, kind.name


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("start", "2026-11-24T14:00:00Z", "Tue 24 Nov, 14:00"),
        ("date", "2026-11-24", "24 Nov 2026"),
        ("rate", "0.08", "8 %"),
        ("rate", "x", "x"),
        ("active", False, "No"),
        ("phone", "20261124", "20261124"),
        ("title", "2026-99-99", "2026-99-99"),
        ("discount", {"amount": "5.00"}, "$5.00"),
        ("bill_address", {"city": "Troy", "street": "1 Elm St"}, "1 Elm St, Troy"),
        ("memo", None, "–"),
        ("total", 3, "$3.00"),
        ("odd", {"a_b": True}, "a b: Yes"),
        ("odd", ["x", 2], "x, 2"),
    ],
)
def test_values_in_words(name, value, words):
    with timezone.override(dt.UTC):
        assert strip_tags(shown(name, value)) == words


def test_lines_are_a_small_table():
    table = shown("lines", LINES)
    assert table == Table(
        ["What", "Item", "Quantity", "Price", "Amount", "Taxed"], [["Pipe", "7", "2", "$4.50", "$9.00", "Yes"]]
    )


def test_lines_are_shown_as_a_table_on_the_page(desk, ours):
    problem = customer_conflict(ours, local={"lines": LINES}, remote={"lines": []})
    Problem.objects.filter(pk=problem.pk).update(record_kind="invoice")
    page = desk().get(INBOX).content.decode()
    assert '<table class="fc-parts">' in page
    assert "<td>$4.50</td>" in page
