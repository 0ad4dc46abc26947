"""Every error of the API: one table, one exception, one envelope.

`ERRORS` and `JOB_ERRORS` are the source of the answers themselves, of the errors page and of the OpenAPI document.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions as drf
from rest_framework.response import Response

log = structlog.get_logger(__name__)

Details = dict[str, Any]


@dataclass(frozen=True)
class ErrorSpec:
    """A code's HTTP status (0 where it has none), what it means, what the reader should do, and whether the same
    request can succeed later."""

    status: int
    title: str
    remedy: str
    retry: bool = False


ERRORS: dict[str, ErrorSpec] = {
    "VALIDATION_ERROR": ErrorSpec(
        400,
        "The request is malformed: bad JSON, an unknown field or value, or a malformed header.",
        "Correct the fields named in details and send the request again.",
    ),
    "INVALID_CURSOR": ErrorSpec(
        400, "The cursor was not issued by this list.", "Start the list again without a cursor, keeping the filters."
    ),
    "UNAUTHORIZED": ErrorSpec(
        401,
        "The API key is missing, unknown, expired or revoked.",
        "Send a live key as `Authorization: Bearer fc_live_…`.",
    ),
    "INSUFFICIENT_SCOPE": ErrorSpec(
        403, "The API key lacks a scope.", "Use a key that has the scope named in details.required_scope."
    ),
    "NOT_FOUND": ErrorSpec(404, "There is nothing at this address in your workspace.", "Check the address and the id."),
    "METHOD_NOT_ALLOWED": ErrorSpec(
        405, "This address does not take this method.", "Use one of the methods in the Allow header."
    ),
    "NOT_ACCEPTABLE": ErrorSpec(
        406, "The API answers JSON only, and the Accept header excludes it.", "Accept `application/json`."
    ),
    "SYNC_IN_PROGRESS": ErrorSpec(
        409,
        "A sync of this integration is already queued or running.",
        "Poll details.active_job_id, and start the next sync when it has finished.",
        retry=True,
    ),
    "IDEMPOTENCY_IN_PROGRESS": ErrorSpec(
        409,
        "The first request with this Idempotency-Key is still being worked on.",
        "Send the same request again in a moment.",
        retry=True,
    ),
    "JOB_FINISHED": ErrorSpec(409, "The job is already over.", "Nothing is left to cancel; read the job's result."),
    "INVALID_TRANSITION": ErrorSpec(
        409,
        "The record's state does not allow this change.",
        "A completed or cancelled visit stays as it is: create a new one. Of an invoice that is paid or void only the "
        "memo changes; payments are voided before their invoice. A key is revoked or narrowed by another key.",
    ),
    "CURSOR_EXPIRED": ErrorSpec(
        410,
        "The cursor or `since` is older than the feed's retention.",
        "Read your records anew, then continue from details.resync_from.",
    ),
    "PRECONDITION_FAILED": ErrorSpec(
        412,
        "The record has changed since you read it.",
        "Read it again and repeat the change with its new ETag in If-Match.",
    ),
    "PAYLOAD_TOO_LARGE": ErrorSpec(413, "The request body is too large.", "Send a smaller body."),
    "UNSUPPORTED_MEDIA_TYPE": ErrorSpec(
        415, "The request body is not JSON in UTF-8.", "Send `Content-Type: application/json`."
    ),
    "INTEGRATION_NOT_CONNECTED": ErrorSpec(
        422,
        "The integration has no usable connection; details.reason says why.",
        "Send an admin to details.connect_url.",
    ),
    "IDEMPOTENCY_KEY_REUSED": ErrorSpec(
        422,
        "This Idempotency-Key was used before with another route or body.",
        "Use a fresh key for each new request, and repeat a request unchanged.",
    ),
    "RATE_LIMITED": ErrorSpec(
        429, "The request quota is used up.", "Wait as many seconds as Retry-After says, then go on.", retry=True
    ),
    "INTERNAL_ERROR": ErrorSpec(
        500, "Something went wrong on our side.", "Try again; if it stays, tell support the request id.", retry=True
    ),
    "UNAVAILABLE": ErrorSpec(
        503, "The service cannot answer just now.", "Try again after as many seconds as Retry-After says.", retry=True
    ),
}

# Codes inside `errors[]` of jobs and of the status.
JOB_ERRORS: dict[str, ErrorSpec] = {
    "NEEDS_RECONNECT": ErrorSpec(
        0, "The provider no longer accepts our access to this account.", "Connect the account again."
    ),
    "NEEDS_PERMISSION": ErrorSpec(
        0, "A permission that the sync needs was not granted.", "Connect again and tick the permission that is named."
    ),
    "MISCONFIGURED": ErrorSpec(
        0, "The provider refuses this installation's own credentials.", "The operator checks the client id and secret."
    ),
    "RATE_LIMITED": ErrorSpec(
        0,
        "The provider asked us to wait.",
        "Nothing: the sync goes on by itself at the time that is named.",
        retry=True,
    ),
    "PROVIDER_UNAVAILABLE": ErrorSpec(
        0,
        "The provider did not answer, or answered with an error of its own.",
        "Nothing: the next run tries again.",
        retry=True,
    ),
    "RECORD_REJECTED": ErrorSpec(
        0, "One record waits: it was refused, or a person is asked about it.", "Do what the message says, at the desk."
    ),
    "CONFLICT": ErrorSpec(
        0, "A record was changed on both sides.", "Decide in the admin's inbox which change to keep."
    ),
    "FULL_SYNC_FORCED": ErrorSpec(
        0, "The provider's change list had expired, so everything was read again.", "Nothing: this is for information."
    ),
    "CONFIRMATION_NEEDED": ErrorSpec(
        0, "The run would remove unusually many records and holds these removals.", "Confirm or reject them."
    ),
    "AMOUNT_VARIANCE": ErrorSpec(
        0, "The provider's total differs from FieldCamp's by more than a cent.", "Compare the two documents."
    ),
    "RECORD_REMOVED": ErrorSpec(
        0,
        "A record's counterpart was removed at the provider, and FieldCamp still has the record.",
        "Decide at the desk: make it again, say which other one it is, or void it here too.",
    ),
    "WAITING_FOR_GONE": ErrorSpec(
        0,
        "A record waits for another one that is not at the provider and does not come by itself.",
        "Decide about the record that the message names; this one follows by itself.",
    ),
    "POSSIBLE_DUPLICATE": ErrorSpec(
        0, "A record there may be one that both sides have already.", "Say at the desk whether it is, or delete it."
    ),
    "INTERNAL_ERROR": ErrorSpec(
        0,
        "Something went wrong on our side.",
        "The next run tries again; if it stays, tell support the job id.",
        retry=True,
    ),
}


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


def validation_error(details: Mapping[str, list[str]], message: str = "") -> ApiError:
    """Returns a 400 with sentences by field."""
    if not message:
        names = ", ".join(details)
        message = f"The request has values that cannot be taken: {names}. See details, correct them and send it again."
    return ApiError("VALIDATION_ERROR", message, details=dict(details))


def error_body(error: ApiError, request_id: str) -> dict[str, Any]:
    """Returns the envelope of every error under `/api`."""
    return {
        "success": False,
        "error": {"code": error.code, "message": error.message, "details": error.details},
        "meta": {"request_id": request_id},
    }


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


def field_details(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """DRF's validation errors as field → sentences; nested fields are joined by dots."""
    if not isinstance(detail, Mapping):
        return {prefix or "body": _sentences(detail)}
    found: dict[str, list[str]] = {}
    for name, inner in detail.items():
        path = prefix if name == "non_field_errors" else ".".join(part for part in (prefix, str(name)) if part)
        for field, texts in field_details(inner, path or "body").items():
            found.setdefault(field, []).extend(texts)
    return found


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
