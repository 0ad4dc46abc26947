"""The outermost layer: for everything a request id and what may be kept of it, for the API also the envelope of errors
where DRF was never reached."""

import json
import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import get_urlconf, is_valid_path

from fieldcamp.api.bodies import take_body
from fieldcamp.api.caching import keep_nowhere
from fieldcamp.api.compression import compress
from fieldcamp.api.errors import ApiError, error_body, error_for_status, explain, problem_body
from fieldcamp.api.negotiation import PROBLEM, wants_problems
from fieldcamp.ids import new_id

log = structlog.get_logger(__name__)

_SAFE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_ROOT = "/api/v1/"


def is_api(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")


def error_response(error: ApiError, request_id: str) -> JsonResponse:
    return JsonResponse(error_body(error, request_id), status=error.status, headers=error.headers)


class RequestIdMiddleware:
    """Gives each request an id, puts it on the response and on every log line, keeps errors in the envelope, and
    answers out of caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        given = given if _SAFE_ID.fullmatch(given) else ""
        ours = new_id("req")
        # The caller is answered by its own name for the call. What we keep has both, apart, and nobody can pass for us.
        request_id = given if given and not given.lower().startswith("req_") else ours
        request.request_id = request_id  # type: ignore[attr-defined]
        # Left bound until the next request: Django writes lines of its own after this layer has returned.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=ours, **({"caller_request_id": given} if given else {}))
        of_api = is_api(request.path_info)
        response = self._api(request, request_id) if of_api else self.get_response(request)
        response["X-Request-Id"] = request_id
        keep_nowhere(response, of_api=of_api)
        if of_api:
            compress(request, response)
        if request.method == "HEAD" and not response.streaming:
            # Its headers say how long it would be. A server drops it as well, and tells the log of each.
            response.content = b""  # type: ignore[attr-defined]
        return response

    def _api(self, request: HttpRequest, request_id: str) -> HttpResponseBase:
        started = time.perf_counter()
        try:
            _drop_trailing_slash(request)
            take_body(request)
            _lead_nowhere(request)
        except Exception as exc:
            response: HttpResponseBase = error_response(explain(exc), request_id)
        else:
            response = self.get_response(request)
        if response.status_code >= 400 and not _is_envelope(response):
            response = self._envelope(response, request_id)
        _absolute_location(response)
        if response.status_code >= 400 and wants_problems(request.headers.get("Accept", "")):
            _as_problem(response)
        _say_length(response)
        response._has_been_logged = True  # type: ignore[attr-defined]  # by the next line, so not by Django as well
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )
        return response

    def _envelope(self, response: HttpResponseBase, request_id: str) -> HttpResponseBase:
        kept = {name: response[name] for name in ("Allow", "Retry-After") if name in response}
        enveloped = error_response(error_for_status(response.status_code), request_id)
        for name, value in kept.items():
            enveloped[name] = value
        return enveloped

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Views under `/api` that are not DRF's: their exceptions become the envelope too."""
        if not is_api(request.path_info):
            return None
        return error_response(explain(exception), getattr(request, "request_id", ""))


def _say_length(response: Any) -> None:
    """Says how long the answer is, also where no middleware of Django's has: else it would come in chunks."""
    if not response.streaming and "Content-Length" not in response and response.status_code != 304:
        response["Content-Length"] = str(len(response.content))


def _is_envelope(response: HttpResponseBase) -> bool:
    return response.get("Content-Type", "").startswith("application/json")


def _as_problem(response: Any) -> None:
    """Turns the envelope of an error into the form of RFC 9457; all headers stay."""
    body = problem_body(json.loads(response.content), response.status_code)
    response.content = json.dumps(body).encode()
    response["Content-Type"] = PROBLEM
    response.headers.pop("Content-Length", None)


def _absolute_location(response: HttpResponseBase) -> None:
    """Spells out where to read what was made, whichever name of ours the caller has put into Host."""
    if response.get("Location", "").startswith("/") and response.status_code in (200, 201, 202):
        response["Location"] = f"{settings.PUBLIC_URL}{response['Location']}"


def _drop_trailing_slash(request: HttpRequest) -> None:
    """Drops one slash at the end of an address, for every route alike."""
    if request.path_info.startswith(_ROOT) and len(request.path_info) > len(_ROOT) and request.path_info.endswith("/"):
        request.path_info = request.path_info[:-1]
        request.path = request.path[:-1]


def _lead_nowhere(request: Any) -> None:
    """Gives an unknown address to a view of the API's own, before Django makes a page of it for people."""
    if not _exists(request.path_info, get_urlconf() or settings.ROOT_URLCONF):
        request.urlconf = "fieldcamp.api.not_found"


@lru_cache(maxsize=1000)
def _exists(path: str, urlconf: str) -> bool:
    """Returns what the address leads to, kept for those that are called most: Django looks for the view once more."""
    return bool(is_valid_path(path, urlconf))
