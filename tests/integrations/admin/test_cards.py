"""The cards that ask about several records: all of them named before each button, answered together, and taken back."""

import re
from html.parser import HTMLParser

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.models import Connection, DirtyRow, Hold, Link, Problem, SyncJob
from integrations.services.setup import kept_elsewhere
from tests.integrations.admin import planted_cards as planted
from tests.integrations.admin.test_buttons import press
from tests.integrations.admin.test_pages import text_of
from tests.integrations.hostile import stored

NEEDS = "/admin/integrations/needs/"
FOR_MANY = "/admin/integrations/answers/"
UNDO = "/admin/integrations/answers/undo/"


class Forms(HTMLParser):
    """What the page's forms to one address send as they stand, by the id of the button that is pressed."""

    def __init__(self, html: str, action: str):
        super().__init__()
        self.action, self.open, self.fields, self.by_button = action, False, [], {}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        one = dict(attrs)
        if tag == "form":
            self.open, self.fields, self.buttons = one.get("action") == self.action, [], []
        elif not self.open:
            return
        elif tag == "input" and one.get("name") and (one.get("type") != "checkbox" or "checked" in one):
            self.fields.append((one["name"], one.get("value", "")))
        elif tag == "button":
            sent = [(one["name"], one["value"])] if "name" in one else []
            self.by_button[one["id"]] = (self.fields, sent)

    def handle_endtag(self, tag):
        self.open = self.open and tag != "form"

    def pressed(self, button: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        fields, sent = self.by_button[button]
        for name, value in [*fields, *sent]:
            found.setdefault(name, []).append(value)
        return found


def folded(html: str) -> tuple[str, str]:
    """What is read at once, and all of it."""
    return re.sub(r"<details.*?</details>", "", html, flags=re.S), html


@pytest.fixture
def alone(ours):
    """A company without the problems of every day."""
    Problem.objects.filter(workspace=ours.workspace).exclude(pk=ours.removals.pk).delete()
    return ours


@pytest.mark.slow
@pytest.mark.parametrize(("cause", "most"), [("held", 500), ("conflict", 30), ("match", 30), ("record_removed", 500)])
def test_each_record_is_on_the_card_and_five_are_in_sight(cause, most, desk, alone):
    browser, asked = desk(), {}
    if cause != "held":
        Problem.objects.filter(pk=alone.removals.pk).delete()
    name = {"held": "Held", "conflict": "Conflict", "match": "Twin", "record_removed": "deleted"}[cause]
    total = 0
    for number in (1, 5, 6, most) if cause == "held" else (1, 4, 1, most - 6):
        if cause == "held":
            planted.Visit.objects.filter(client__first_name="Held").delete()
            planted.held(alone, number)
            total = number
        else:
            _plant_more(alone, cause, number, total)
            total += number
        with CaptureQueriesContext(database) as queries:
            page = browser.get(NEEDS).content.decode()
        asked[total] = len(queries)
        names = {f"{name} {n:03}" for n in range(number if cause == "held" else 1)}
        at_once, all_of_it = (text_of(part) for part in folded(page))
        assert all(each in all_of_it for each in names)
        rows = page.count('<tr><th scope="row">')
        if cause == "held":
            assert rows == total
            assert len(re.findall(r"Drain of Held \d+", at_once)) == min(total, 5)
            assert f"{total} of Tech of Ours&#x27;s {max(24, total)} events are gone from Google Calendar" in at_once
            assert "also after the next full check" in at_once
        elif total > 2:
            assert page.count('name="problem"') == rows == total
            assert len(re.findall(r'name="problem"', folded(page)[0])) == min(total, 5)
    # A card of many asks once what agrees, and not with each record.
    assert asked[total] <= asked[6] and asked[6] <= min(asked.values()) + 10, asked


def _plant_more(ours, cause: str, number: int, before: int) -> None:
    if cause == "match":
        planted.twins(ours, number, "Twin" if not before else f"Twin{before}")
    else:
        planted.SIX[cause](ours, number)


def test_thirty_problems_of_six_causes_are_answered_with_at_most_twelve_clicks(desk, alone):
    Problem.objects.filter(pk=alone.removals.pk).delete()
    for plant in planted.SIX.values():
        plant(alone, 5)
    assert Problem.objects.listed().filter(workspace=alone.workspace).count() == 30
    browser, clicks = desk(), 0
    for button in (
        "keep_fieldcamp-google_calendar-conflict-visit", "leave_removed-google_calendar-event_removed-visit",
        "same-quickbooks-match-customer", "retry-quickbooks-closed_period-invoice",
        "void_here-quickbooks-record_removed-invoice", "ignore-quickbooks-email-invoice",
    ):  # fmt: skip
        page = browser.get(NEEDS).content.decode()
        sent = Forms(page, FOR_MANY).pressed(button)
        assert len(sent["problem"]) == 5
        clicks += 1
        before = stored()
        answer = browser.post(FOR_MANY, sent)
        if "void_here" in button:  # asks once more, on a page of its own that changes nothing
            assert (answer.status_code, stored()) == (200, before)
            asked = answer.content.decode()
            assert "It cannot be undone." in asked and asked.count("$1,113.74") == 5
            sent = Forms(asked, FOR_MANY).pressed("sure")
            clicks += 1
            answer = browser.post(FOR_MANY, sent)
        assert answer.status_code == 302
        after = stored()
        assert after != before
        if "retry" not in button and "keep" not in button and "same" not in button:
            assert browser.post(FOR_MANY, sent).status_code == 302  # the same again is done once
            assert stored() == after, button
    assert clicks <= 12
    left = Problem.objects.listed().filter(workspace=alone.workspace)
    assert {problem.code for problem in left} <= {"CONFLICT", "RECORD_REJECTED"}  # what a run closes now
    assert not Link.objects.filter(problems__in=left, parked=True).exists()
    assert SyncJob.objects.filter(workspace=alone.workspace, status="queued").exists()


def test_what_was_ignored_together_is_taken_back_together_and_once(desk, alone, theirs):
    planted.refused(alone, 3)
    browser = desk("staff")
    sent = Forms(browser.get(NEEDS).content.decode(), FOR_MANY).pressed("ignore-quickbooks-closed_period-invoice")
    assert desk("viewer").post(FOR_MANY, sent).status_code == 403
    _, said = press(browser, FOR_MANY, {**sent, "problem": [*sent["problem"], theirs.conflict.pk]})
    assert said[-1:] == ["3 ignored. 1 left out: It has been answered meanwhile."]
    assert Problem.objects.get(pk=theirs.conflict.pk).ignored_at is None
    page = browser.get(NEEDS).content.decode()
    assert "3 ignored" in text_of(page)
    back = Forms(page, UNDO).pressed("undo-ignored-1")
    assert desk("viewer").post(UNDO, back).status_code == 403
    assert press(browser, UNDO, back)[1][-1:] == ["3 are back on the list."]
    assert press(browser, UNDO, back)[1][-1:] == ["This has been decided already. Reload the page to see how."]
    assert not Problem.objects.ignored().filter(workspace=alone.workspace).exists()
    Problem.objects.filter(pk=alone.removals.pk).update(ignored_at=timezone.now() - planted.dt.timedelta(minutes=11))
    assert "fc-undo" not in browser.get(NEEDS).content.decode()
    for old in ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "now", "2026-11-29T10:00:00"):
        assert press(browser, UNDO, {"kind": "ignored", "key": old})[0].status_code == 302
    for wrong in ({"kind": "x", "key": "1"}, {"kind": "ignored", "key": "\x00"}, {}):
        assert browser.post(UNDO, wrong).status_code == 404
    for wrong in ({}, {**sent, "kind": ""}, {**sent, "problem": ["\x00"]}):
        assert browser.post(FOR_MANY, wrong).status_code in (302, 404)


def test_removals_are_chosen_one_by_one_asked_once_more_and_put_back(desk, alone, theirs):
    hold, browser = planted.held(alone, 6), desk()
    place = f"/admin/integrations/holds/{hold.pk}/"
    card = browser.get(NEEDS).content.decode()
    sure = f"/admin/integrations/problems/{alone.removals.pk}/sure/?choice=cut_loose"
    assert place in card and sure in card and 'value="confirm"' not in card
    words = text_of(browser.get(sure).content.decode())
    assert words.count("Drain of Held") == 6 and "It can be undone for ten minutes." in words
    assert "Leave them removed?" in words
    other = desk("staff")
    assert other.get(place).status_code == 403 and desk(at=theirs).get(place).status_code == 404
    links = [str(pk) for pk in hold.links.order_by("pk").values_list("pk", flat=True)]
    _, said = press(browser, place, {"seen": "5", "link": links[:2]})
    assert "It holds 6 removals now." in said[0]
    _, said = press(browser, place, {"seen": "6", "link": [*links[:2], str(theirs.held.pk), "x"]})
    assert said[-1:] == ["2 are made again. 4 are left removed. Sync started."]
    chosen = dict(Link.objects.filter(pk__in=links).values_list("pk", "decision"))
    assert [chosen[int(pk)]["removal"] for pk in links] == ["put_back"] * 2 + ["cut"] * 4
    assert Link.objects.get(pk=theirs.held.pk).decision is None
    assert browser.post(place, {"seen": "6"}).status_code == 302
    # A run has carried one out already; somebody has decided about another since.
    Link.objects.filter(pk=links[2]).update(cut_at=timezone.now(), unsettled=False)
    Link.objects.filter(pk=links[3]).update(decision=None)
    back = Forms(browser.get(NEEDS).content.decode(), UNDO).pressed("undo-left_removed-1")
    DirtyRow.objects.all().delete()
    assert press(other, UNDO, back)[0].status_code == 403
    _, said = press(browser, UNDO, back)
    assert said[-1].startswith("3 are made again.")
    chosen = dict(Link.objects.filter(pk__in=links).values_list("pk", "decision"))
    again = [pk for pk in links if chosen[int(pk)] == {"removal": "put_back"}]
    assert again == [*links[:3], *links[4:]]
    assert DirtyRow.objects.filter(stream=alone.stream, seq=0).count() == 3
    assert press(browser, UNDO, back)[1][-1:] == ["This has been decided already. Reload the page to see how."]
    assert Hold.objects.get(pk=hold.pk).left_removed == []


def test_a_conflict_shows_before_both_totals_and_what_each_button_keeps(desk, alone):
    (invoice,) = planted.invoices(alone, 1, "3061")
    planted.Invoice.objects.filter(pk=invoice.pk).update(total="3126.25")
    books = planted.books_of(alone)
    stream = planted.Stream.objects.get(connection=books, kind="invoice")

    def lines(quantity: str) -> list[dict]:
        return [{"item": "7", "description": "Pipe", "quantity": quantity, "unit_price": "617.25", "taxable": True}]

    there, base = {"lines": lines("3"), "total": "1891.75"}, {"lines": lines("4")}
    planted.problems(
        alone, "CONFLICT", "invoice", [invoice], books, link=planted.links(stream, "invoice", [invoice], parked=True),
        data=[{"local": {"lines": lines("5")}, "remote": there, "base": base}],
    )  # fmt: skip
    words = text_of(desk().get(NEEDS).content.decode()).replace("&#x27;", "'")
    assert "Keep FieldCamp's (5 × $617.25, total $3,126.25)" in words
    assert "Keep QuickBooks's (3 × $617.25, total $1,891.75)" in words
    assert "Before FieldCamp" in words and "difference −$1,234.50" in words


def test_what_is_inactive_there_is_named_with_the_way_to_it(desk, alone):
    planted.refused(alone, 1, "inactive_reference")
    books = planted.books_of(alone)
    client = Problem.objects.get(connection=books).record_id
    owner = planted.Invoice.objects.get(pk=client).client
    stream = planted.Stream.objects.get(connection=books, kind="customer")
    Link.objects.create(
        stream=stream, kind="customer", record_id=owner.pk, remote_id="61",
        seen={"display_name": "Kim Reed", "active": False},
    )  # fmt: skip
    assert "Open Kim Reed in QuickBooks" in text_of(desk().get(NEEDS).content.decode())
    assert Connection.objects.get(pk=books.pk) and not kept_elsewhere(books)
