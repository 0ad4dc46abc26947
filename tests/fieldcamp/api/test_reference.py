"""The OpenAPI document and its pages: open without a key, current, and complete."""

import re

import jsonschema
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver

from fieldcamp.api.docs import PAGES, document
from fieldcamp.api.error_codes import ERRORS
from integrations.providers import PROVIDERS
from tests.conftest import api_client

pytestmark = pytest.mark.django_db
JOB = "/integrations/jobs/{job_id}"
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def served() -> dict:
    return document()[0]


def operations(served):
    for path, item in served["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def test_the_document_is_open_and_has_an_etag():
    response = api_client().get("/api/v1/schema")
    assert response.status_code == 200 and response.json()["openapi"].startswith("3.1")
    assert api_client().get("/api/v1/schema", HTTP_IF_NONE_MATCH=response["ETag"]).status_code == 304


def test_every_route_is_in_the_document(served):
    routes = set()
    for pattern in get_resolver().url_patterns:
        if str(pattern.pattern) == "api/v1/":
            routes |= {
                "/api/v1/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(route.pattern)) for route in pattern.url_patterns
            }
    assert routes - {"/api/v1/schema"} == set(served["paths"])


def test_every_method_that_a_view_takes_is_described(served):
    for path, item in served["paths"].items():
        allow = api_client().options(re.sub(r"{\w+}", "x", path))["Allow"]
        described = {method.upper() for method in METHODS if method in item}
        assert {name.strip() for name in allow.split(",")} - {"HEAD", "OPTIONS"} == described, path


def test_every_operation_has_a_scope_a_description_examples_and_errors(served):
    for path, method, operation in operations(served):
        where = f"{method} {path}"
        assert "Scope: `" in operation["description"] and operation["security"], where
        assert {"400", "401", "403", "406", "413", "429", "500", "503"} <= set(operation["responses"]), where
        if "{" in path:
            assert "404" in operation["responses"], where
        for status, response in operation["responses"].items():
            assert "X-Request-Id" in response["headers"], where
            if status != "304":
                assert response["content"]["application/json"]["examples"], f"{where} {status}"
        if "requestBody" in operation:
            assert operation["requestBody"]["content"]["application/json"]["examples"], where
            assert "415" in operation["responses"], where


def test_every_error_that_a_route_can_answer_is_in_the_document(served):
    found = set()
    for _, _, operation in operations(served):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                found |= set(response["content"]["application/json"]["examples"])
    # An unknown method is no operation; the introduction says what it is answered with.
    assert set(ERRORS) - found == {"METHOD_NOT_ALLOWED"}
    assert "METHOD_NOT_ALLOWED" in served["info"]["description"]


def test_a_trigger_of_books_names_its_own_scopes_and_not_those_of_keys(served):
    body = served["components"]["schemas"]["QuickbooksTriggerRequest"]["properties"]
    (name,) = (part["$ref"].rpartition("/")[2] for part in body["scope"]["allOf"])
    assert tuple(served["components"]["schemas"][name]["enum"]) == PROVIDERS["quickbooks"].sync_scopes


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_the_examples_of_the_sync_api_have_the_shapes_of_the_document(served, provider):
    schemas = {"components": served["components"]}
    found = 0
    for path in (f"/integrations/{provider.slug}/sync", f"/integrations/{provider.slug}/status", JOB):
        for method, operation in served["paths"][f"/api/v1{path}"].items():
            bodies = [operation.get("requestBody"), *(operation["responses"].get(code) for code in ("200", "202"))]
            for content in (body["content"]["application/json"] for body in bodies if body):
                for name, shown in content["examples"].items():
                    value, found = shown["value"], found + 1
                    validator = jsonschema.Draft202012Validator(content["schema"] | schemas)
                    assert not list(validator.iter_errors(value)), f"{method} {path} {name}"
    assert found >= 6


def test_the_sync_api_is_snake_case_and_the_rest_camel_case(served):
    for name, schema in served["components"]["schemas"].items():
        names = set(schema.get("properties", {}))
        if name.startswith(("Visit", "Client", "ApiKey", "NewApiKey", "Member", "PatchedVisit", "Rotation")):
            assert not [each for each in names if "_" in each], name
        if name.startswith(("Trigger", "Job", "Status", "GoogleCalendar", "Quickbooks", "Connection")):
            assert not [each for each in names if each.lower() != each], name


@pytest.mark.parametrize("path", ["", *(f"/{name}" for name in PAGES)])
def test_pages_load_nothing_from_elsewhere(path):
    response = Client().get(f"/api/docs{path}")
    page = response.content.decode()
    assert response.status_code == 200
    assert "unsafe-eval" not in response["Content-Security-Policy"]
    sources = re.findall(r"""<(?:script|link|img)[^>]+(?:src|href)="([^"]+)""", page)
    assert sources and all(source.startswith("/static/") for source in sources)
    assert not re.search(r"<script(?![^>]*src=)", page)


def test_no_other_page_is_served():
    assert Client().get("/api/docs/operating").json()["error"]["code"] == "NOT_FOUND"


def test_the_errors_page_is_current():
    call_command("errors_page", check=True)
