"""No answer with a customer's data is kept on its way: of all addresses, by whomever they are asked for."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import URLPattern, get_resolver

from fieldcamp.api.services import create_key
from tests.conftest import api_client
from tests.integrations.admin.conftest import pages_of

PUBLIC = re.compile(r"/(privacy|terms|support|disconnected/[\w-]+)?|/api/docs(/\w+)?|/api/v1/schema|/static/.*")
V1 = "/api/v1"
NEW = {"name": "x", "scopes": ["visits:read"]}


def said_of(response: Any, path: str) -> str:
    """What is wrong with the answer's headers; "" for nothing."""
    said = {part.strip() for part in response.get("Cache-Control", "").split(",")}
    varies = {name.strip().lower() for name in response.get("Vary", "").split(",")}
    if path.startswith(V1) and not {"authorization", "x-api-key"} <= varies:
        return f"{response.status_code} of {path} does not vary by key"
    if "no-store" in said or (PUBLIC.fullmatch(path) and response.status_code in (200, 304)):
        return ""
    return f"{response.status_code} of {path} may be kept: {said}"


def addresses(patterns: Any, before: str = "/") -> Iterator[str]:
    """Every address of the URL table, with something in the place of each parameter."""
    for pattern in patterns:
        route = re.sub(r"<(\w+:)?\w+>", "x", re.sub(r"\(\?P<\w+>[^)]*\)", "1", str(pattern.pattern)))
        path = before + re.sub(r"[\^$]|\\Z|\?(?=\w)", "", route).replace("\\", "")
        if isinstance(pattern, URLPattern):
            yield path
        else:
            yield from addresses(pattern.url_patterns, path)


@pytest.fixture
def visitor(ours, desk) -> Browser:
    """An owner whose browser sends an API key, too."""
    browser = desk()
    _, secret = create_key(workspace=ours.workspace, name="k", rate_limit_override=1_000_000)
    browser.defaults["HTTP_X_API_KEY"] = secret
    browser.raise_request_exception = False
    return browser


@pytest.mark.slow
def test_no_address_answers_what_may_be_kept(visitor):
    paths = sorted(set(addresses(get_resolver().url_patterns)))
    assert len(paths) > 150 and "/accounts/google-calendar/login/callback/" in paths
    wrong = [said_of(visitor.get(path), path) for path in paths]
    wrong += [said_of(api_client().get(path), path) for path in paths if path.startswith("/api")]
    assert not [sentence for sentence in wrong if sentence]


def test_answers_of_each_sort_are_not_kept(visitor, ours):
    visit = f"{V1}/visits/{ours.visit.pk}"
    tag = visitor.get(visit)["ETag"]
    calls = [
        (visit, visitor.get(visit, headers={"If-None-Match": tag}), 304),
        (visit, visitor.patch(visit, {"title": "x"}, "application/json", headers={"If-Match": '"old"'}), 412),
        (f"{V1}/api-keys", visitor.post(f"{V1}/api-keys", NEW, "application/json"), 201),
        (f"{V1}/visits", visitor.post(f"{V1}/visits", "{", "application/json"), 400),
        (f"{V1}/visits", Browser().get(f"{V1}/visits"), 401),
        (f"{V1}/visits", visitor.get(f"{V1}/visits", headers={"Accept": "text/html"}), 406),
        (f"{V1}/visits", visitor.options(f"{V1}/visits"), 204),
        (f"{V1}/nowhere", visitor.get(f"{V1}/nowhere"), 404),
        ("/api/docs/nowhere", visitor.get("/api/docs/nowhere"), 404),
        ("/nowhere", visitor.get("/nowhere"), 404),
        ("/admin/", Browser().get("/admin/"), 302),
        (pages_of(ours)["csv"], visitor.get(pages_of(ours)["csv"]), 200),
        (pages_of(ours)["disconnect"], visitor.get(pages_of(ours)["disconnect"]), 200),
    ]  # fmt: skip
    assert [(path, answer.status_code) for path, answer, _ in calls] == [(path, status) for path, _, status in calls]
    assert not [sentence for path, answer, _ in calls if (sentence := said_of(answer, path))]


def test_what_is_the_same_for_everybody_may_be_kept(visitor):
    schema = visitor.get(f"{V1}/schema")
    again = visitor.get(f"{V1}/schema", headers={"If-None-Match": schema["ETag"]})
    assert (schema.status_code, again.status_code) == (200, 304)
    for answer in (schema, again, visitor.get("/api/docs"), visitor.get("/api/docs/errors")):
        assert answer["Cache-Control"] == "public, max-age=300"
    assert "public" in visitor.get("/static/fieldcamp/clock.js")["Cache-Control"]
