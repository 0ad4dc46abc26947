"""Errors as the API answers them: every one in the same envelope, whatever raised it."""

import json
import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions as drf
from rest_framework.response import Response

from fieldcamp.api.error_codes import ERRORS
from fieldcamp.workspace.clashes import as_refusal
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition

MOST_DETAILS = 50

log = structlog.get_logger(__name__)

Details = dict[str, Any]


class ApiError(Exception):
    """An answer other than success: raised anywhere below a view, rendered by `exception_handler`."""

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        details: Details | None = None,
        headers: Mapping[str, str] | None = None,
    ):
        spec = ERRORS[code]
        self.code = code
        self.status = spec.status
        self.message = message or f"{spec.title} {spec.remedy}"
        self.details = details or {}
        self.headers = dict(headers or {})
        super().__init__(f"{code}: {self.message}")


def validation_error(details: Mapping[str, Any], message: str = "") -> ApiError:
    """Returns a 400 with sentences by field."""
    if not message:
        names = ", ".join(islice(details, MOST_DETAILS))
        message = f"The request has values that cannot be taken: {names}. See details, correct them and send it again."
    return ApiError("VALIDATION_ERROR", message, details=dict(details))


def error_body(error: ApiError, request_id: str) -> dict[str, Any]:
    """Returns the envelope of every error under `/api`. It stays below 50 kB however much of the request is wrong."""
    details = _bounded(error.details, rows=MOST_DETAILS, longest=200)
    if len(json.dumps(details)) > 40_000:
        details = _bounded(error.details, rows=1, longest=80)
    return {"success": False, "error": _shown(error, details), "meta": {"request_id": request_id}}


def error_of_item(error: ApiError) -> dict[str, Any]:
    """Returns what `error` of the envelope says, for one of many items: five wrong fields at most."""
    return _shown(error, _bounded(error.details, rows=2, longest=100, names=5))


def _shown(error: ApiError, details: Details) -> dict[str, Any]:
    shown = {
        "code": error.code,
        "message": _cut(error.message, 500),
        "details": details,
        "doc_url": doc_url(error.code),
    }
    if param := _first_wrong(details) if error.code == "VALIDATION_ERROR" else "":
        shown["param"] = param
    return shown


def doc_url(code: str) -> str:
    """Returns where the code is explained: its row on the errors page."""
    return f"{settings.PUBLIC_URL}/api/docs/errors#{code}"


def problem_body(body: Mapping[str, Any], status: int) -> dict[str, Any]:
    """Returns the same error as RFC 9457 has it, for who asks for `application/problem+json`: the members of the
    envelope's `error` stand beside the standard ones."""
    error, code = dict(body["error"]), body["error"]["code"]
    message = error.pop("message")
    return {
        "type": error.pop("doc_url"),
        "title": ERRORS[code].title,
        "status": status,
        "detail": message,
        "instance": f"urn:request:{body['meta']['request_id']}",
        **error,
        "request_id": body["meta"]["request_id"],
    }


def _first_wrong(details: Details) -> str:
    """Returns the name of the first field with sentences, as `details` has it."""
    return next((name for name, found in details.items() if isinstance(found, list) and found), "")


def _bounded(value: Any, rows: int, longest: int, names: int = MOST_DETAILS) -> Any:
    """Returns the details with at most fifty names (and how many `more` there are), so many `rows` of each list, and no
    text that is longer."""
    match value:
        case str():
            return _cut(value, longest)
        case Mapping():
            more = value["more"] if isinstance(value.get("more"), int) else 0
            named = [(name, inner) for name, inner in value.items() if not (more and name == "more")]
            found = {_cut(str(name), longest): _bounded(inner, rows, longest, names) for name, inner in named[:names]}
            more += len(named[names:])
            return {**found, "more": more} if more else found
        case list() | tuple():
            return [_bounded(inner, rows, longest, names) for inner in value[:rows]]
    return value


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


# What `details` holds, where a code has something to say there; for the examples of the reference.
_DETAILS: dict[str, Details] = {
    "VALIDATION_ERROR": {"limit": ["Must be a whole number from 1 to 200."]},
    "INSUFFICIENT_SCOPE": {"required_scope": "visits:write"},
    "SYNC_IN_PROGRESS": {"active_job_id": "syn_01HZX2Q8YV3D1G0N3WJ2P7K9MA"},
    "JOB_FINISHED": {"status": "succeeded"},
    "CURSOR_EXPIRED": {"resync_from": "2026-04-29T15:21:08Z"},
    "INTEGRATION_NOT_CONNECTED": {
        "reason": "never_connected",
        "connect_url": "https://fieldcamp.example/admin/integrations/connect/google-calendar/",
    },
    "RATE_LIMITED": {"limit": 100},
}


def error_example(code: str) -> dict[str, Any]:
    """Returns an answer with this code, as the reference shows it."""
    return error_body(ApiError(code, details=_DETAILS.get(code)), "req_01HZX2Q8YV3D1G0N3WJ2P7K9MC")


_BY_STATUS = {spec.status: code for code, spec in reversed(ERRORS.items())} | {
    409: "INVALID_TRANSITION",
    422: "VALIDATION_ERROR",
    403: "INSUFFICIENT_SCOPE",
}


def error_for_status(status: int) -> ApiError:
    """Returns the error for an answer of which only the status is known."""
    return ApiError(_BY_STATUS.get(status, "INTERNAL_ERROR" if status >= 500 else "VALIDATION_ERROR"))


def _sentences(detail: Any) -> list[str]:
    """Returns all texts in DRF's nested error structure."""
    if isinstance(detail, Mapping):
        return [f"{name}: {text}" for name, inner in detail.items() for text in _sentences(inner)]
    if isinstance(detail, (list, tuple)):
        return [text for inner in detail for text in _sentences(inner)]
    return [str(detail)]


def field_details(detail: Any, prefix: str = "") -> Details:
    """DRF's validation errors as field → sentences; nested fields and numbers of rows are joined by dots. `more` counts
    further ones."""
    if prefix == "more" and isinstance(detail, int):
        return {prefix: detail}
    if isinstance(detail, list) and any(isinstance(row, Mapping) for row in detail):
        detail = {number: row for number, row in enumerate(detail) if row}  # of a list: what is wrong in which row
    if not isinstance(detail, Mapping):
        return {prefix or "body": _sentences(detail)}
    found: Details = {}
    for name, inner in detail.items():
        path = prefix if name == "non_field_errors" else ".".join(part for part in (prefix, str(name)) if part)
        for field, texts in field_details(inner, path or "body").items():
            found[field] = texts if isinstance(texts, int) else [*found.get(field, []), *texts]
    return found


def _of_clash(exc: IntegrityError) -> ApiError | None:
    """Returns 400 naming the field of which another record has the value, 409 for a record that is gone meanwhile."""
    refusal = as_refusal(exc)
    if refusal is None:
        return None
    log.warning("write_clashed", exc_info=exc)
    return as_api_error(refusal)


def camel(name: str) -> str:
    """Returns a model field's name as the API's records have it."""
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def as_api_error(exc: Exception) -> ApiError | None:
    """Returns the error for an exception that the API can explain; None for one that it cannot."""
    match exc:
        case ApiError():
            return exc
        case drf.ValidationError():
            return validation_error(field_details(exc.detail))
        case drf.ParseError():
            return ApiError("VALIDATION_ERROR", str(exc.detail), details={"body": [str(exc.detail)]})
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            return ApiError("UNAUTHORIZED", headers={"WWW-Authenticate": "Bearer"})
        case drf.PermissionDenied() | PermissionDenied():
            return ApiError("INSUFFICIENT_SCOPE")
        case drf.NotFound() | Http404() | ObjectDoesNotExist():
            return ApiError("NOT_FOUND")
        case drf.MethodNotAllowed():
            return ApiError("METHOD_NOT_ALLOWED")
        case drf.NotAcceptable():
            return ApiError("NOT_ACCEPTABLE")
        case drf.UnsupportedMediaType():
            return ApiError("UNSUPPORTED_MEDIA_TYPE")
        case RequestDataTooBig():
            return ApiError("PAYLOAD_TOO_LARGE")
        case SuspiciousOperation() | UnreadablePostError():
            return ApiError("VALIDATION_ERROR", "The request is malformed. Check its address, headers and body.")
        case InvalidFields():
            return validation_error({camel(name): sentences for name, sentences in exc.details.items()})
        case InvalidTransition():
            return ApiError("INVALID_TRANSITION", str(exc))
        case IntegrityError():
            return _of_clash(exc)
        case OperationalError() | InterfaceError():
            log.warning("database_unavailable", exc_info=exc)
            return ApiError("UNAVAILABLE", headers={"Retry-After": "1"})
        case drf.APIException():
            return error_for_status(exc.status_code)
    return None


def explain(exc: Exception) -> ApiError:
    """Returns the error to answer with; an unexpected exception goes to the log with its traceback, and nowhere
    else."""
    error = as_api_error(exc)
    if error is None:
        log.error("unhandled_exception", exc_info=exc)
        error = ApiError("INTERNAL_ERROR")
    return error


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's hook: every exception of a view becomes the envelope."""
    error = explain(exc)
    request_id = getattr(context.get("request"), "request_id", "")
    return Response(error_body(error, request_id), status=error.status, headers=error.headers)
