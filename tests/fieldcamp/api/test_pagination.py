"""Cursors, limits and `since`, seen through the lists that use them."""

import base64
import datetime as dt

import pytest
from django.db import models
from django.utils import timezone

from fieldcamp.api.pagination import decode_cursor, encode_cursor, parse_instant
from fieldcamp.workspace.models import Client
from tests.conftest import api_client

pytestmark = pytest.mark.django_db


def page(api, path: str, **query):
    response = api.get(f"/api/v1/{path}", query)
    assert response.status_code == 200, response.content
    body = response.json()
    return [row["id"] for row in body["data"]], body["meta"]


def walk(api, path: str, **query) -> list[list[str]]:
    pages, cursor = [], {}
    while True:
        ids, meta = page(api, path, **query, **cursor)
        pages.append(ids)
        if meta["next_cursor"] is None:
            return pages
        cursor = {"cursor": meta["next_cursor"]}


def refused(api, path: str, **query) -> dict:
    response = api.get(f"/api/v1/{path}", query)
    assert response.status_code == 400
    return response.json()["error"]


def test_pages_cover_everything_once(api, make_client):
    clients = [make_client().pk for _ in range(7)]
    now = timezone.now()
    Client.objects.filter(pk__in=clients[:4]).update(updated_at=now)  # four at the same instant
    pages = walk(api, "clients", limit=3)
    assert [len(ids) for ids in pages] == [3, 3, 1]
    assert sorted(sum(pages, [])) == sorted(clients)


def test_a_page_that_is_just_full_is_the_last(api, make_client):
    for _ in range(3):
        make_client()
    assert [len(ids) for ids in walk(api, "clients", limit=3)] == [3]


def test_a_record_changed_meanwhile_is_seen_again_and_none_is_missed(api, make_client):
    clients = [make_client() for _ in range(4)]
    first, meta = page(api, "clients", limit=2)
    clients[0].first_name = "changed"
    clients[0].save()
    rest, _ = page(api, "clients", cursor=meta["next_cursor"])
    assert first == [clients[0].pk, clients[1].pk]
    assert rest == [clients[2].pk, clients[3].pk, clients[0].pk]


def test_the_team_pages_by_id(api, make_member):
    members = sorted(make_member().pk for _ in range(5))
    assert walk(api, "team", limit=2) == [members[:2], members[2:4], members[4:]]


def test_meta(api, make_client):
    make_client(), make_client()
    body = api.get("/api/v1/clients?limit=1").json()
    assert set(body) == {"success", "data", "meta"} and body["success"] is True
    assert set(body["meta"]) == {"request_id", "next_cursor", "resume_cursor", "has_more", "limit"}
    assert body["meta"]["limit"] == 1 and body["meta"]["has_more"] is True
    assert page(api, "clients")[1]["limit"] == 50
    assert page(api, "clients", limit=200)[1]["limit"] == 200


@pytest.mark.parametrize("limit", ["0", "201", "-1", "", "x", "1.5", "٣", "1" * 30, " 1"])
def test_limits_that_are_none(api, limit):
    assert list(refused(api, "clients", limit=limit)["details"]) == ["limit"]


@pytest.mark.parametrize("cursor", ["", "x", ".", "é", "a.b", "a" * 5000, base64.urlsafe_b64encode(b'["x"]').decode()])
def test_cursors_that_were_never_issued(api, cursor):
    assert refused(api, "clients", cursor=cursor)["code"] == "INVALID_CURSOR"


def test_a_cursor_belongs_to_its_list_filters_and_workspace(api, api_key, make_client, make_member, second_workspace):
    for _ in range(2):
        make_client(), make_member()
    cursor = page(api, "clients", limit=1)[1]["next_cursor"]
    assert page(api, "clients", limit=7, cursor=cursor)  # the limit may change
    for path, query in [("team", {}), ("clients", {"search": "x"}), ("clients", {"includeDeleted": "true"})]:
        assert refused(api, path, cursor=cursor, **query)["code"] == "INVALID_CURSOR"
    other = api_client(api_key(workspace=second_workspace))
    assert refused(other, "clients", cursor=cursor)["code"] == "INVALID_CURSOR"
    assert refused(api, "clients", cursor=cursor[:-1] + ("A" if cursor[-1] != "A" else "B"))["code"] == "INVALID_CURSOR"


def test_cursors_keep_positions():
    assert decode_cursor("feed", encode_cursor("feed", [17, "x"])) == [17, "x"]


def test_since(api, make_client):
    make_client()
    assert page(api, "clients")
    at = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)
    Client.objects.update(updated_at=at - dt.timedelta(seconds=1))
    models.QuerySet(Client).update(listed_at=at - dt.timedelta(seconds=1))
    new = make_client()
    assert page(api, "clients")
    models.QuerySet(Client).filter(pk=new.pk).update(listed_at=at)
    for text in ("2026-11-22T08:00:00Z", "2026-11-22T09:00:00+01:00", "2026-11-22T08:00:00.000Z"):
        assert page(api, "clients", since=text)[0] == [new.pk]
    assert page(api, "clients", since="2126-01-01T00:00:00Z")[0] == []


@pytest.mark.parametrize("path", ["clients", "visits", "team"])
@pytest.mark.parametrize(
    "since",
    [
        "",
        "yesterday",
        "2026-11-22",
        "2026-11-22T08:00:00",
        "2026-13-01T00:00:00Z",
        "1795334460",
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_since_that_is_no_instant(api, path, since):
    assert list(refused(api, path, since=since)["details"]) == ["since"]


def test_a_plus_that_was_not_escaped():
    assert parse_instant("2026-11-22T09:00:00 01:00") == dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)
