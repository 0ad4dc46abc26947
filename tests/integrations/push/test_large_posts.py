"""Posts with more in them than any vendor sends: they cost little, and are answered as anything not understood."""

import json

import pytest
from django.test import Client

from integrations.models import PushMark
from integrations.providers.outlook_calendar.push import read_push
from integrations.providers.push import PostedPush
from integrations.push.floods import FailedPosts
from integrations.push.receiving import MOST_ITEMS
from integrations.views.push import USUAL_BODY
from tests.integrations.push.test_receiving import OUTLOOK, channel, graph, item

pytestmark = pytest.mark.django_db


def test_items_are_read_one_after_the_other_and_no_more_than_are_taken(workspace, monkeypatch):
    from integrations.providers.outlook_calendar import push

    read = []
    real = push._notice
    monkeypatch.setattr(push, "_notice", lambda item: read.append(item) or real(item))
    row, secret = channel(workspace, OUTLOOK)
    answer = graph(item(row, secret), *[{}] * (MOST_ITEMS * 4))
    assert (answer.status_code, len(read), PushMark.objects.count()) == (202, MOST_ITEMS, 1)
    assert len(list(read_push(PostedPush({}, {}, b'{"value": [{}, 1, {}]}')))) == 2


def test_of_one_post_the_first_items_are_taken(workspace):
    row, secret = channel(workspace, OUTLOOK)
    assert graph(*[{}] * MOST_ITEMS, item(row, secret)).status_code == 202
    assert not PushMark.objects.exists()
    graph(*[{}] * (MOST_ITEMS - 1), item(row, secret))
    assert PushMark.objects.count() == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_long_body_is_not_read_where_too_much_was_not_believed(workspace, monkeypatch, chunked):
    monkeypatch.setattr("integrations.views.push.FAILED", FailedPosts(limit=2))
    read = []
    monkeypatch.setattr("integrations.views.push._body", lambda request: read.append(request) or b"")
    long = {"headers": {"Transfer-Encoding": "chunked"}} if chunked else {}
    body = b"" if chunked else b" " * (USUAL_BODY + 1)

    def post():
        return Client().generic("POST", "/push/microsoft", body, "application/json", **long).status_code

    assert [post(), post()] == [202, 202]
    assert (post(), len(read)) == (429, 2)


def test_what_proves_itself_is_taken_from_there_all_the_same(workspace, monkeypatch):
    monkeypatch.setattr("integrations.views.push.FAILED", FailedPosts(limit=1))
    row, secret = channel(workspace, OUTLOOK)
    assert [graph({}).status_code, graph({}).status_code] == [202, 429]
    hundred = [item(row, secret, resourceData={"id": "x" * 500})] * 100
    assert len(json.dumps(hundred)) < USUAL_BODY
    assert graph(*hundred).status_code == 202
    assert PushMark.objects.count() == 1


@pytest.mark.parametrize(("vendor", "status"), [("google", 200), ("microsoft", 202), ("intuit", 403)])
def test_a_query_of_too_many_fields_says_nothing(vendor, status, settings):
    settings.INTUIT_WEBHOOK_VERIFIERS = ["verifier"]
    query = "&".join(["a"] * 51)
    assert Client().post(f"/push/{vendor}?validationToken=x&{query}").status_code == status
