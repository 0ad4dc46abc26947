"""Graph's refusals. https://learn.microsoft.com/graph/errors"""

import uuid
from datetime import UTC, datetime
from typing import Any

from fieldcamp.sandbox.http import Response, json_response


class GraphError(Exception):
    """A refusal in Graph's envelope."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}

    def response(self, request_id: str = "", client_request_id: str = "") -> Response:
        """The answer that carries it."""
        request_id = request_id or str(uuid.uuid4())
        inner: dict[str, Any] = {
            "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": client_request_id or request_id,
        }
        error = {"code": self.code, "message": self.message, "innerError": inner}
        response = json_response({"error": error}, self.status)
        response.headers.update(self.headers)
        return response


def bad_request(message: str, code: str = "BadRequest") -> GraphError:
    """400: the call itself is malformed."""
    return GraphError(400, code, message)


def invalid(message: str) -> GraphError:
    """400: a value that cannot be."""
    return GraphError(400, "ErrorInvalidRequest", message)


def bad_parameter(message: str) -> GraphError:
    """400: a parameter in the address that cannot be."""
    return GraphError(400, "ErrorInvalidParameter", message)


def unreadable(message: str) -> GraphError:
    """400: the body names something that an event does not have, or gives it a wrong type."""
    return GraphError(400, "RequestBodyRead", message)


def unknown_zone(name: object) -> GraphError:
    """400: neither a Windows nor an IANA zone."""
    text = f"The following TimeZone value is not supported: '{str(name)[:100]}'."
    return GraphError(400, "TimeZoneNotSupportedException", text)


def no_token() -> GraphError:
    """401: there is no token."""
    return GraphError(401, "InvalidAuthenticationToken", "Access token is empty.", {"WWW-Authenticate": "Bearer"})


def bad_token() -> GraphError:
    """401: the token is unknown, expired or revoked."""
    text = "Lifetime validation failed, the token is expired."
    challenge = 'Bearer realm="", error="invalid_token"'
    return GraphError(401, "InvalidAuthenticationToken", text, {"WWW-Authenticate": challenge})


def forbidden() -> GraphError:
    """403: a scope is missing, or it is not this user's to do."""
    return GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def policy_wants_more() -> GraphError:
    """403: Conditional Access asks for more than this token proves."""
    text = "Continuous access evaluation resulted in challenge: the user must sign in again from an allowed place."
    return GraphError(403, "insufficient_claims", text)


def not_found() -> GraphError:
    """404: no such item in this mailbox, or it is deleted."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def no_segment(name: str) -> GraphError:
    """400: there is no such address."""
    return GraphError(400, "BadRequest", f"Resource not found for the segment '{name[:100]}'.")


def no_mailbox() -> GraphError:
    """404: the user has no mailbox in Exchange Online."""
    text = "REST API is not yet supported for this mailbox."
    return GraphError(404, "MailboxNotEnabledForRESTAPI", text)


def conflict() -> GraphError:
    """412: If-Match names another version."""
    text = "The change key passed in the request does not match the current change key for the item."
    return GraphError(412, "ErrorIrresolvableConflict", text)


def sync_state_lost(generation: int = 0, newest: int = 0) -> GraphError:
    """410: the delta or skip token is no good any more."""
    text = f"The sync state generation is not found; generation={generation};[highest={newest}]."
    return GraphError(410, "SyncStateNotFound", text)


def resync_required() -> GraphError:
    """410: the token was never one of this server's."""
    return GraphError(410, "resyncRequired", "Resync required. Reset the state and start a new round.")


def over_concurrency() -> GraphError:
    """429: five at once in one mailbox."""
    text = "Application is over its MailboxConcurrency limit."
    return GraphError(429, "ApplicationThrottled", text, {"Retry-After": "1"})


def over_quota(seconds: int) -> GraphError:
    """429: too many within ten minutes."""
    text = "Please retry again later."
    return GraphError(429, "TooManyRequests", text, {"Retry-After": str(seconds)})


def usual(status: int) -> GraphError:
    """The body one meets most often under a status."""
    made = {
        400: ("ErrorInvalidRequest", "Your request can't be completed."),
        401: ("InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."),
        403: ("ErrorAccessDenied", "Access is denied. Check credentials and try again."),
        404: ("ErrorItemNotFound", "The specified object was not found in the store."),
        409: ("ErrorIrresolvableConflict", "The send or update operation could not be performed: the item changed."),
        410: ("SyncStateNotFound", "The sync state generation is not found."),
        412: ("ErrorIrresolvableConflict", conflict().message),
        424: ("FailedDependency", "A request that this one depends on failed."),
        429: ("ApplicationThrottled", over_concurrency().message),
        500: ("ErrorInternalServerError", "An internal server error occurred. The operation failed."),
        503: ("serviceNotAvailable", "The service is temporarily unavailable."),
        504: ("UnknownError", "The gateway gave up waiting."),
    }
    code, message = made.get(status, ("UnknownError", "Something went wrong."))
    return GraphError(status, code, message)
