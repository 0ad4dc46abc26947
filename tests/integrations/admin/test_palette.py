"""The palette: what is found, for whom, and at which price."""

import re

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import Client, Visit

FIND = "/admin/integrations/find/"


def _found(browser, search: str) -> str:
    page = browser.get(FIND, {"q": search}, HTTP_HX_REQUEST="true").content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_records_are_found_by_name_number_and_id(desk, ours):
    browser = desk()
    client = ours.client
    for search in (str(client), client.pk):
        assert str(client) in _found(browser, search)
    assert ours.invoice.number in _found(browser, ours.invoice.number)
    assert str(ours.visit) in _found(browser, ours.visit.pk)
    # A client's visits and documents are found by the client's name.
    shown = _found(browser, str(client))
    assert str(ours.visit) in shown and ours.invoice.number in shown
    assert ours.connection.account_name in _found(browser, ours.connection.account_name[:5])
    assert "Jobs" in _found(browser, "google")


def test_nothing_of_another_company_is_found(desk, ours, theirs):
    browser = desk()
    for row in (theirs.client, theirs.visit, theirs.invoice, theirs.job, theirs.item):
        page = browser.get(FIND, {"q": row.pk}, HTTP_HX_REQUEST="true").content.decode()
        assert f"/{row.pk}/" not in page and "Nothing is called" in page


@pytest.mark.parametrize(
    ("role", "offered", "withheld"),
    [
        ("owner", ("Sync Google Calendar now", "Connect Outlook", "API keys", "New visit"), ()),
        ("staff", ("Sync Google Calendar now",), ("Connect Outlook", "API keys", "Settings of")),
        ("viewer", ("Visits",), ("Sync Google Calendar now", "Connect Outlook", "API keys", "New visit")),
    ],
)
def test_a_role_is_offered_what_it_may_do(role, offered, withheld, desk, ours):
    shown = _found(desk(role), "")
    assert [words for words in offered if words not in shown] == []
    assert [words for words in withheld if words in shown] == []


@pytest.mark.parametrize("search", ["\x00", "%", "_", "'\"; --", "x" * 5_000, "<script>", "﷽", "a " * 50])
def test_whatever_is_typed_is_searched_for(search, desk, ours):
    answer = desk().get(FIND, {"q": search})
    assert answer.status_code == 200
    assert "<script>" not in answer.content.decode().partition("<main")[2].partition("</main")[0]


def test_who_is_not_signed_in_finds_nothing(client, ours):
    assert client.get(FIND, {"q": "a"}, HTTP_HX_REQUEST="true").headers["HX-Refresh"] == "true"
    assert client.get(FIND, {"q": "a"}).status_code == 302


def test_many_rows_cost_no_more_queries(desk, ours, django_assert_max_num_queries):
    browser, now = desk(), timezone.now()
    rows = [Client(workspace=ours.workspace, first_name="Ann", last_name=f"Ever{number}") for number in range(300)]
    Client.objects.bulk_create(rows)
    Visit.objects.bulk_create(
        [Visit(workspace=ours.workspace, client=row, title="Ever", scheduled_start=now) for row in rows]
    )
    browser.get(FIND, {"q": "ever"})
    with django_assert_max_num_queries(20):
        page = browser.get(FIND, {"q": "ever"}, HTTP_HX_REQUEST="true").content.decode()
    assert page.count('role="option"') == 10
