"""One envelope for everything that goes wrong under `/api`, whoever notices it."""

import logging
import re

import pytest
from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions as drf

from fieldcamp.api.error_codes import ERRORS, JOB_ERRORS
from fieldcamp.api.errors import ApiError, field_details
from tests.conftest import api_client
from tests.fieldcamp.api.urls import Raises

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.fieldcamp.api.urls")]

SECRET = "fc_live_" + "x" * 60


def envelope(response, status: int, code: str) -> dict:
    assert response.status_code == status, response.content
    body = response.json()
    assert set(body) == {"success", "error", "meta"} and body["success"] is False
    assert set(body["error"]) - {"param"} == {"code", "message", "details", "doc_url"} and body["error"]["code"] == code
    assert body["meta"] == {"request_id": response["X-Request-Id"]}
    assert re.fullmatch(r"req_[0-9A-HJKMNP-TV-Z]{26}", response["X-Request-Id"])
    assert isinstance(body["error"]["details"], dict)
    return body["error"]


PUBLISHED = {
    "VALIDATION_ERROR": 400,
    "INVALID_CURSOR": 400,
    "UNAUTHORIZED": 401,
    "INSUFFICIENT_SCOPE": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "NOT_ACCEPTABLE": 406,
    "SYNC_IN_PROGRESS": 409,
    "IDEMPOTENCY_IN_PROGRESS": 409,
    "JOB_FINISHED": 409,
    "INVALID_TRANSITION": 409,
    "CURSOR_EXPIRED": 410,
    "PRECONDITION_FAILED": 412,
    "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "INTEGRATION_NOT_CONNECTED": 422,
    "IDEMPOTENCY_KEY_REUSED": 422,
    "BATCH_REJECTED": 422,
    "RATE_LIMITED": 429,
    "INTERNAL_ERROR": 500,
    "UNAVAILABLE": 503,
}


@pytest.mark.slow
@pytest.mark.parametrize(("code", "status"), PUBLISHED.items())
def test_each_row_of_the_table(api, code, status, monkeypatch):
    details = {"reason": "test"}
    monkeypatch.setattr(Raises, "error", ApiError(code, details=details, headers={"Retry-After": "3"}), raising=False)
    response = api.get("/api/v1/raises")
    error = envelope(response, status, code)
    assert error["details"] == details and response["Retry-After"] == "3"
    assert error["message"] == f"{ERRORS[code].title} {ERRORS[code].remedy}"


@pytest.mark.parametrize("spec", [*ERRORS.values(), *JOB_ERRORS.values()])
def test_texts_are_sentences(spec):
    assert spec.title.endswith(".") and spec.remedy.endswith(".")


def test_the_published_codes():
    assert {code: spec.status for code, spec in ERRORS.items()} == PUBLISHED
    assert " ".join(JOB_ERRORS) == (
        "NEEDS_RECONNECT NEEDS_PERMISSION MISCONFIGURED RATE_LIMITED PROVIDER_UNAVAILABLE RECORD_REJECTED "
        "CALENDAR_UNAVAILABLE MEMBER_INACTIVE CONFLICT FULL_SYNC_FORCED CONFIRMATION_NEEDED AMOUNT_VARIANCE "
        "EVENT_REMOVED RECORD_REMOVED RECORD_UNREADABLE WAITING_FOR_GONE POSSIBLE_DUPLICATE INTERNAL_ERROR"
    )


EXCEPTIONS = [
    (drf.ValidationError({"name": ["Wrong."]}), 400, "VALIDATION_ERROR"),
    (drf.ParseError("Bad."), 400, "VALIDATION_ERROR"),
    (drf.NotAuthenticated(), 401, "UNAUTHORIZED"),
    (drf.AuthenticationFailed(), 401, "UNAUTHORIZED"),
    (drf.PermissionDenied(), 403, "INSUFFICIENT_SCOPE"),
    (PermissionDenied(), 403, "INSUFFICIENT_SCOPE"),
    (drf.NotFound(), 404, "NOT_FOUND"),
    (Http404(), 404, "NOT_FOUND"),
    (drf.MethodNotAllowed("GET"), 405, "METHOD_NOT_ALLOWED"),
    (drf.NotAcceptable(), 406, "NOT_ACCEPTABLE"),
    (drf.UnsupportedMediaType("x"), 415, "UNSUPPORTED_MEDIA_TYPE"),
    (drf.Throttled(), 429, "RATE_LIMITED"),
    (drf.APIException(), 500, "INTERNAL_ERROR"),
    (RequestDataTooBig(), 413, "PAYLOAD_TOO_LARGE"),
    (SuspiciousOperation(), 400, "VALIDATION_ERROR"),
    (DisallowedHost(), 400, "VALIDATION_ERROR"),
    (UnreadablePostError(), 400, "VALIDATION_ERROR"),
    (OperationalError("locked"), 503, "UNAVAILABLE"),
    (InterfaceError("closed"), 503, "UNAVAILABLE"),
    (RuntimeError(f"secret {SECRET}"), 500, "INTERNAL_ERROR"),
]


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(("error", "status", "code"), EXCEPTIONS)
def test_exceptions_inside_and_outside_of_drf(api, monkeypatch, settings, debug, error, status, code):
    settings.DEBUG = debug
    monkeypatch.setattr(Raises, "error", error, raising=False)
    for path in ("/api/v1/raises", "/api/plain"):
        assert SECRET not in str(envelope(api.get(path), status, code))


def test_an_unexpected_exception_is_in_the_log_only(api, monkeypatch, caplog):
    monkeypatch.setattr(Raises, "error", RuntimeError("the deep cause"), raising=False)
    with caplog.at_level(logging.ERROR):
        response = api.get("/api/v1/raises")
    assert b"deep cause" not in response.content
    line = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert "the deep cause" in str(line.msg) + str(line.exc_text)
    assert response["X-Request-Id"] in str(line.msg)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/x", "/api/v1/raises/x", "/api/v1/echo//"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_unknown_addresses(settings, debug, path, method):
    settings.DEBUG = debug
    envelope(getattr(api_client(), method)(path, {}), 404, "NOT_FOUND")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "trace"])
def test_wrong_methods(api, method):
    response = getattr(api, method)("/api/v1/raises")
    envelope(response, 405, "METHOD_NOT_ALLOWED")
    assert response["Allow"] == "GET, HEAD, OPTIONS"


def test_one_trailing_slash_is_tolerated(api):
    assert api.post("/api/v1/echo/", {"a": 1}).json()["data"] == {"a": 1}


@pytest.mark.parametrize("debug", [False, True])
def test_a_foreign_host_is_refused_in_the_envelope(api, settings, debug):
    settings.DEBUG, settings.ALLOWED_HOSTS = debug, ["example.test"]
    envelope(api.get("/api/v1/echo", HTTP_HOST="evil.test"), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("given", ["abc", "a" * 64, "0b8f2c1e-9a1b-4d6c-9c8d-1f3e2a7b1234", "A.b:c_d-e"])
def test_a_safe_request_id_is_taken_over(given):
    response = api_client().get("/api/v1/open", HTTP_X_REQUEST_ID=given)
    assert response["X-Request-Id"] == response.json()["meta"]["request_id"] == given


@pytest.mark.parametrize("given", ["", "a" * 65, "a b", "a\nb", "é", "<script>", "x\x00"])
def test_any_other_is_replaced(given):
    assert api_client().get("/elsewhere", HTTP_X_REQUEST_ID=given)["X-Request-Id"].startswith("req_")


def test_a_view_without_authentication_answers_anybody(api):
    for client in (api, api_client(), api_client("nonsense")):
        response = client.get("/api/v1/open")
        assert response.status_code == 200 and "X-RateLimit-Limit" not in response


def test_pages_under_api_are_left_alone():
    assert api_client().get("/api/html").content == b"<p>docs</p>"


def test_details_of_nested_fields():
    nested = {"phone": {"number": ["Too long."], "non_field_errors": ["Odd."]}, "non_field_errors": ["Bad."]}
    assert field_details(nested) == {"phone.number": ["Too long."], "phone": ["Odd."], "body": ["Bad."]}
    assert field_details(["Bad."]) == {"body": ["Bad."]}
