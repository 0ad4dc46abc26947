"""Answers in gzip: for those who take it, with tags that go on to work; pages with padding, against guessing from their
length what is in them."""

import gzip

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from tests.conftest import api_client

pytestmark = pytest.mark.django_db

GZIP = {"HTTP_ACCEPT_ENCODING": "gzip, deflate, br"}
CLIENTS = "/api/v1/clients"


@pytest.fixture
def long(api) -> str:
    """The address of a client whose answer is worth compressing."""
    made = api.post(CLIENTS, {"firstName": "Ada", "billingAddress": {"street": "Elm Street " * 10}}, format="json")
    return f"{CLIENTS}/{made.json()['data']['id']}"


def test_an_answer_is_compressed_for_whoever_takes_it(api, long):
    plain, small = api.get(long), api.get(long, **GZIP)
    assert "Content-Encoding" not in plain and small["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.content).replace(small["X-Request-Id"].encode(), b"") == plain.content.replace(
        plain["X-Request-Id"].encode(), b""
    )
    assert int(small["Content-Length"]) == len(small.content) < len(plain.content)
    for answer in (plain, small):
        assert {"Accept-Encoding", "Authorization", "X-Api-Key"} <= set(answer["Vary"].split(", "))
    head = api.head(long, **GZIP)
    assert (head["Content-Encoding"], head.content) == ("gzip", b"") and int(head["Content-Length"]) > 100


@pytest.mark.parametrize("path", ["/api/v1/schema", "/api/v1/nowhere", "/admin/login/"])
def test_the_server_is_given_no_body_of_a_head(path):
    """As it is run, without what Django's own client takes away."""
    headers: dict[str, str] = {}
    environ = RequestFactory().head(path, **GZIP).environ
    answer = WSGIHandler()(environ, lambda status, given: headers.update(given))
    assert b"".join(answer) == b"" and int(headers["Content-Length"]) > 100


@pytest.mark.parametrize("accept", ["", "identity", "gzip;q=0", "br", "*", "gzipped", "deflate, gzip; q=0.000"])
def test_nobody_else_gets_it(api, long, accept):
    assert "Content-Encoding" not in api.get(long, HTTP_ACCEPT_ENCODING=accept)


def test_a_small_answer_is_left_as_it_is(api):
    assert "Content-Encoding" not in api.get("/api/v1/invoices", **GZIP)


@pytest.mark.parametrize("path", ["/admin/", "/support"])
def test_a_page_is_compressed_to_lengths_that_tell_nothing(admin_client, path):
    assert "Content-Encoding" not in admin_client.get(path)
    answers = [admin_client.get(path, **GZIP) for _ in range(8)]
    assert all(answer["Content-Encoding"] == "gzip" and "Accept-Encoding" in answer["Vary"] for answer in answers)
    assert len({len(answer.content) - len(gzip.compress(gzip.decompress(answer.content), 6)) for answer in answers}) > 1


def test_tags_differ_and_mean_the_same(api, long):
    plain, small = api.get(long)["ETag"], api.get(long, **GZIP)["ETag"]
    assert small == f'{plain[:-1]}-gzip"'
    for tag in (plain, small):
        for headers in ({}, GZIP):
            kept = api.get(long, HTTP_IF_NONE_MATCH=tag, **headers)
            assert (kept.status_code, kept["ETag"], kept.content) == (304, tag, b"")
    changed = api.patch(long, {"lastName": "Stone"}, format="json", HTTP_IF_MATCH=small, **GZIP)
    assert changed.status_code == 200 and changed["ETag"].endswith('-gzip"')
    assert api.patch(long, {"lastName": "Hill"}, format="json", HTTP_IF_MATCH=small).status_code == 412
    assert api.patch(long, {"lastName": "Hill"}, format="json", HTTP_IF_MATCH=f"W/{changed['ETag']}").status_code == 412
    assert api.patch(long, {"lastName": "Hill"}, format="json", HTTP_IF_MATCH=changed["ETag"]).status_code == 200


def test_an_answer_is_replayed_compressed_or_not(api):
    body, key = {"firstName": "Ada", "billingAddress": {"street": "Elm " * 40}}, {"HTTP_IDEMPOTENCY_KEY": "k1"}
    first = api.post(CLIENTS, body, format="json", **key, **GZIP)
    again, plain = api.post(CLIENTS, body, format="json", **key, **GZIP), api.post(CLIENTS, body, format="json", **key)
    assert gzip.decompress(first.content) == gzip.decompress(again.content) == plain.content
    assert first["ETag"] == again["ETag"] != plain["ETag"]


def test_errors_and_the_document_are_compressed_as_well(api):
    refused = api.post(CLIENTS, {f"field{number}": 1 for number in range(60)}, format="json", **GZIP)
    assert refused.status_code == 400 and refused["Content-Encoding"] == "gzip"
    served, plain = api_client().get("/api/v1/schema", **GZIP), api_client().get("/api/v1/schema")
    assert gzip.decompress(served.content) == plain.content and len(served.content) < len(plain.content) / 8
    assert served["ETag"] != plain["ETag"] and served["Cache-Control"] == plain["Cache-Control"]
    assert api_client().get("/api/v1/schema", HTTP_IF_NONE_MATCH=served["ETag"], **GZIP).status_code == 304
