"""Google's error bodies: https://developers.google.com/workspace/calendar/api/guides/errors"""

from typing import Any

from fieldcamp.sandbox.http import Response, json_response


class ApiError(Exception):
    """A refusal in the shape that the Calendar API gives it."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        domain: str = "global",
        location: tuple[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.domain = code, reason, message, domain
        self.location, self.extra = location, extra or {}

    def response(self) -> Response:
        """The answer that carries it."""
        item: dict[str, Any] = {"domain": self.domain, "reason": self.reason, "message": self.message}
        if self.location:
            item["locationType"], item["location"] = self.location
        error = {"errors": [item], "code": self.code, "message": self.message} | self.extra
        return json_response({"error": error}, self.code)


def invalid(message: str, parameter: str | None = None) -> ApiError:
    """400: a value that cannot be."""
    return ApiError(400, "invalid", message, location=("parameter", parameter) if parameter else None)


def required(message: str) -> ApiError:
    """400: something that must be there is not."""
    return ApiError(400, "required", message)


def bad_parameter(name: str, value: object) -> ApiError:
    """400: a query parameter that does not parse."""
    text = f"Invalid value '{str(value)[:100]}'. Values must match the following regular expression or type: {name}"
    return ApiError(400, "invalidParameter", text, location=("parameter", name))


def bad_request(message: str = "Bad Request") -> ApiError:
    """400 for everything else."""
    return ApiError(400, "badRequest", message)


def empty_range(parameter: str | None = None) -> ApiError:
    """400: the end lies before the start."""
    location = ("parameter", parameter) if parameter else None
    return ApiError(400, "timeRangeEmpty", "The specified time range is empty.", "calendar", location)


def login_required() -> ApiError:
    """401: no token was sent."""
    extra = {"status": "UNAUTHENTICATED"}
    return ApiError(401, "required", "Login Required.", location=("header", "Authorization"), extra=extra)


def bad_credentials() -> ApiError:
    """401: the token is unknown, expired or revoked."""
    return ApiError(401, "authError", "Invalid Credentials", location=("header", "Authorization"))


def scope_missing(method: str) -> ApiError:
    """403: the token's scopes do not reach this method."""
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
        "metadata": {"service": "calendar-json.googleapis.com", "method": f"calendar.v3.{method}"},
    }
    text = "Request had insufficient authentication scopes."
    extra = {"status": "PERMISSION_DENIED", "details": [detail]}
    return ApiError(403, "insufficientPermissions", text, extra=extra)


def forbidden() -> ApiError:
    """403: not this user, not this record."""
    return ApiError(403, "forbidden", "Forbidden")


def role_missing(role: str) -> ApiError:
    """403: the calendar is shared with this user, but not for this."""
    text = f"You need to have {role} access to this calendar."
    return ApiError(403, "requiredAccessLevel", text, "calendar")


def not_found() -> ApiError:
    """404: never existed, or is not this user's to see."""
    return ApiError(404, "notFound", "Not Found")


def duplicate() -> ApiError:
    """409: the id is taken, by a deleted event too."""
    return ApiError(409, "duplicate", "The requested identifier already exists.")


def already_deleted() -> ApiError:
    """410: deleted before."""
    return ApiError(410, "deleted", "Resource has been deleted")


def full_sync_required() -> ApiError:
    """410: the sync token is no good any more."""
    text = "Sync token is no longer valid, a full sync is required."
    return ApiError(410, "fullSyncRequired", text, "calendar", ("parameter", "syncToken"))


def updated_min_too_long_ago() -> ApiError:
    """410: `updatedMin` reaches back further than deletions are kept."""
    text = "The requested minimum modification time lies too far in the past."
    return ApiError(410, "updatedMinTooLongAgo", text, "calendar", ("parameter", "updatedMin"))


def precondition_failed() -> ApiError:
    """412: If-Match names another version."""
    return ApiError(412, "conditionNotMet", "Precondition Failed", location=("header", "If-Match"))


def user_rate_limit() -> ApiError:
    """403: this user's requests within the last minute are too many."""
    return ApiError(403, "userRateLimitExceeded", "User Rate Limit Exceeded", "usageLimits")


def project_rate_limit() -> ApiError:
    """403: the project's requests within the last minute are too many."""
    return ApiError(403, "rateLimitExceeded", "Rate Limit Exceeded", "usageLimits")


def backend_error(status: int) -> ApiError:
    """5xx: Google's own trouble."""
    return ApiError(status, "backendError", "Backend Error")


def usual(status: int) -> ApiError:
    """The body one meets most often under a status."""
    made = {
        400: bad_request,
        401: bad_credentials,
        403: user_rate_limit,
        404: not_found,
        409: duplicate,
        410: full_sync_required,
        412: precondition_failed,
    }
    if status in made:
        return made[status]()
    if status == 429:
        return ApiError(429, "rateLimitExceeded", "Rate Limit Exceeded", "usageLimits")
    return backend_error(status)
